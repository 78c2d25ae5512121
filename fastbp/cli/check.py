"""Compare a network's engine with the reference, and BP1 to BP4 with numerical derivatives."""

import argparse

import numpy as np

from ..base import BaseNetwork
from ..datasets import load_digits
from ..formulas import Array
from ..network import Network
from ..report import CheckReport
from . import models
from .data import Samples, as_labels, samples
from .outcome import Outcome, UsageError, usage

MAX_ROWS = 100


def add_options(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    add = parser.add_argument
    add("model", metavar="MODEL", nargs="?", help="a saved network (default: a fresh one for the digits)")
    add("--data", metavar="PATH", help="samples with answers (default: the digits if they fit, else random)")
    add("--target", metavar="COLUMN", help="of a .csv: the answers, by name or number (default: last)")
    add("--dtype", help="of the fresh network: float32 (default) or float64")
    add("--verbose", action="store_true", help="print every comparison")


def run(options: argparse.Namespace) -> Outcome:
    """Run both checks."""
    from ..checking import cross_check
    from ..equations import check_equations

    model = _model(options)
    (x, y), words = _samples(options, model)
    x, y = x[:MAX_ROWS], y[:MAX_ROWS]
    reports = {"cross_check": cross_check(model.net, x, y), "equations": check_equations(model.net, x, y)}
    passed = all(report.passed for report in reports.values())
    lines = [f"{model.net!r}\non {len(x)} samples of {words}"]
    lines += [_describe(name, report, options.verbose) for name, report in reports.items()]
    values = {name: report.to_dict() for name, report in reports.items()}
    failed = [report.worst.name for report in reports.values() if not report.passed]
    return Outcome({"passed": passed, **values}, "\n".join(lines), _failure(failed))


def _model(options: argparse.Namespace) -> models.Model:
    if options.model is None:
        with usage():
            dtype = options.dtype or "float32"
            net = Network([64, 30, 10], output="softmax", cost="cross_entropy", dtype=dtype, seed=0)
        return models.Model(net, [])
    if options.dtype is not None:
        raise UsageError("--dtype is for the fresh network; a saved one has its own")
    return models.load(options.model)


def _samples(options: argparse.Namespace, model: models.Model) -> tuple[Samples, str]:
    """Return samples for the network, y as it takes it, and what they are."""
    net = model.net
    if options.data:
        x, y = samples(options.data, options.target)
        if y is None:
            raise UsageError(f"{options.data} has no answers to compute a cost from")
        labelled = model.classifies and y.ndim == 1 and net.sizes[-1] > 1
        return Samples(x, as_labels(options.data, y, model.names) if labelled else y), options.data
    if (net.sizes[0], net.sizes[-1]) == (64, 10):
        return Samples(*load_digits()[2:]), "the digits' test part"
    return _random_samples(net), "random numbers"


def _random_samples(net: BaseNetwork) -> Samples:
    """Draw x from N(0, 1), and y as every cost takes it: labels, or numbers in 0..1."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((MAX_ROWS, net.sizes[0]))
    if net.spec.cost == "cross_entropy":
        return Samples(x, rng.integers(0, net.sizes[-1], MAX_ROWS))
    y: Array = rng.random((MAX_ROWS, net.sizes[-1]))
    return Samples(x, y)


def _describe(name: str, report: CheckReport, verbose: bool) -> str:
    verdict = "passed" if report.passed else "FAILED"
    worst = f"worst {report.worst.name}, at {report.worst.share:.2g} of its tolerance"
    line = f"{name:<12} {verdict}: {len(report.rows)} comparisons; {worst}"
    return f"{report!r}\n{line}" if verbose or not report.passed else line


def _failure(failed: list[str]) -> str:
    return f"the check failed: {', '.join(failed)}" if failed else ""
