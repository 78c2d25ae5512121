"""Compare a network's engine with the reference, and BP1 to BP4 with numerical derivatives."""

import argparse

import numpy as np

from ..checking.report import CheckReport, EquationReport
from ..datasets import load_digits
from ..errors import DataFileError
from ..formulas import Array
from ..networks.base import BaseNetwork
from ..networks.fast import Network
from . import models, samples
from .arrays import Pair
from .outcome import Outcome, UsageError, usage

MAX_ROWS = 100
RANDOM = "random numbers"

Report = CheckReport | EquationReport


def add_options(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    add = parser.add_argument
    add("model", metavar="MODEL", nargs="?", help="a saved network (default: a fresh one for the digits)")
    add("--data", metavar="DATA", help="samples with answers (default: the digits if they fit, else random)")
    add("--target", metavar="COLUMN", help="of a table: the answers, by name or number (default: as in training)")
    add("--dtype", help="of the fresh network: float32 (default) or float64")
    add("--verbose", action="store_true", help="print every comparison")


def run(options: argparse.Namespace) -> Outcome:
    """Run both checks."""
    from ..checking.cross import cross_check
    from ..checking.equations import check_equations

    net = _network(options)
    (x, y), words = read_samples(options.data, options.target, net)
    x, y = x[:MAX_ROWS], y[:MAX_ROWS]
    reports: dict[str, Report] = {"cross_check": cross_check(net, x, y), "equations": check_equations(net, x, y)}
    passed = all(report.passed for report in reports.values())
    lines = [f"{net!r}\non {len(x)} samples of {words}"]
    lines += [_describe(name, report, options.verbose) for name, report in reports.items()]
    values = {name: report.to_dict() for name, report in reports.items()}
    failed = [report.worst.name for report in reports.values() if not report.passed]
    return Outcome({"passed": passed, **values}, "\n".join(lines), _failure(failed))


def _network(options: argparse.Namespace) -> Network:
    if options.model is None:
        with usage():
            dtype = options.dtype or "float32"
            return Network([64, 30, 10], output="softmax", cost="cross_entropy", dtype=dtype, seed=0)
    if options.dtype is not None:
        raise UsageError("--dtype is for the fresh network; a saved one has its own")
    return Network.load(options.model)


def read_samples(data: str | None, target: str | None, net: BaseNetwork) -> tuple[Pair, str]:
    """Return samples for the network, y as labels or numbers, and what they are."""
    if data:
        found = samples.read(data, net, target)
        if found.y is None:
            raise UsageError(f"{data} has no answers to compute a cost from; name their column with --target")
        return Pair(found.x, found.y if found.y.ndim > 1 else _labels(data, found.y, net)), data
    if net.columns is None and (net.sizes[0], net.sizes[-1]) == (64, 10):
        return Pair(*load_digits()[2:]), "the digits' test part"
    return _random_samples(net), RANDOM


def _labels(path: str, y: Array, net: BaseNetwork) -> Array:
    """Return answers, which are text, as the labels of the network."""
    labels = dict(zip(models.names(net), models.labels(net), strict=True))
    if unknown := sorted(set(y.tolist()) - set(labels)):
        shown = f"the answer {unknown[0]!r:.80} is" if unknown[0] else "an empty answer is"
        raise DataFileError(f"{path}: {shown} none of the network's classes {', '.join(labels):.200}; "
                            "mend the row, or name the column of the answers with --target")  # fmt: skip
    return np.array([labels[name] for name in y.tolist()])


def _random_samples(net: BaseNetwork) -> Pair:
    """Draw x from N(0, 1), and y as every cost takes it: labels, or numbers in 0..1."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((MAX_ROWS, net.sizes[0]))
    if net.spec.cost_row.sums_to_one:
        return Pair(x, np.array(models.labels(net))[rng.integers(0, net.sizes[-1], MAX_ROWS)])
    y: Array = rng.random((MAX_ROWS, net.sizes[-1]))
    return Pair(x, y)


def _describe(name: str, report: Report, verbose: bool) -> str:
    verdict = "passed" if report.passed else "FAILED"
    worst = f"worst {report.worst.name}, at {report.worst.share:.2g} of its tolerance"
    line = f"{name:<12} {verdict}: {len(report.rows)} comparisons; {worst}"
    return f"{report!r}\n{line}" if verbose or not report.passed else line


def _failure(failed: list[str]) -> str:
    return f"the check failed: {', '.join(failed)}" if failed else ""
