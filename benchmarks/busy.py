"""Fits beside others at work: what threads="auto" makes of the cores that are left, and what a fixed number costs."""

import warnings
from collections.abc import Iterable, Sequence
from math import hypot
from time import perf_counter
from typing import Any, NamedTuple

import numpy as np

from fastbp import Network
from fastbp.processors import available_cores

from .cases import CASES, Case, make_data, make_network
from .neighbours import Neighbours
from .result import Time

SECONDS = (0.02, 0.2)  # of one thread's work
IN_ALL = 4.0  # seconds that the fits of one length should take: beside a team each takes once or twice as long, by luck
MEASURED = [case for case in CASES if case.name in ("tiny", "nielsen", "tab", "mid", "deep")]
PROBED = 32  # mini-batches that tell one thread's pace


class Ratio(NamedTuple):
    """How many times as long, and the standard error of that."""

    times: float
    error: float

    def __str__(self) -> str:
        return f"{self.times:.2f} ± {self.error:.2f}"


class Beside(NamedTuple):
    """Microseconds a step of fits of one length, beside one kind of neighbours, by what `threads` was."""

    neighbours: str
    case: Case
    seconds: float
    times: dict[str, Time]  # means, and their standard errors

    @property
    def auto_to_best(self) -> Ratio:
        """How many times as long as by the best fixed number `auto` takes."""
        auto, best = self.times["auto"], min(time for name, time in self.times.items() if name != "auto")
        ratio = auto.median / best.median
        return Ratio(ratio, ratio * hypot(auto.spread / auto.median, best.spread / best.median))

    @property
    def fixed_to_one(self) -> float:
        """How many times as long as one thread all cores' number takes."""
        return max(time.median for name, time in self.times.items() if name != "auto") / self.times["1"].median

    def report(self) -> dict[str, Any]:
        """Return what `--json` prints."""
        times = {name: time._asdict() for name, time in self.times.items()}
        return {"neighbours": self.neighbours, "case": self.case.name, "seconds": self.seconds, "times": times}


def measure_all(neighbours: Iterable[Neighbours], dtype: str, rounds: int) -> list[Beside]:
    """Time all cases beside one kind of neighbours after the other."""
    results: list[Beside] = []
    for others in neighbours:
        with others.at_work():
            results += [result for case in MEASURED for result in measure(others.name, case, dtype, rounds)]
    return results


def measure(neighbours: str, case: Case, dtype: str, rounds: int) -> list[Beside]:
    """Time fits of each length, all contenders in turn, in another order each time."""
    rng = np.random.default_rng(0)
    x, y = make_data(case, case.samples)
    x, y = x.astype(dtype), y if y.ndim == 1 else y.astype(dtype)
    nets = {name: make_network(case, dtype, Network) for name in ("1", str(max(2, available_cores())), "auto")}
    for name, net in nets.items():
        net.threads = name if name == "auto" else int(name)
        _fit(net, case, x, y, PROBED)  # compiles
    pace = _fit(nets["1"], case, x, y, 3 * PROBED)
    results = []
    for seconds in SECONDS:
        steps = max(1, round(seconds / pace))
        taken: dict[str, list[float]] = {name: [] for name in nets}
        for _ in range(max(rounds, round(IN_ALL / seconds))):
            for name in rng.permutation(list(nets)).tolist():
                taken[name].append(_fit(nets[name], case, x, y, steps))
        results.append(Beside(neighbours, case, seconds, {name: _mean(values) for name, values in taken.items()}))
    return results


def table(results: Sequence[Beside]) -> str:
    """Return the table in Markdown, and what it comes to."""
    fixed = [name for name in results[0].times if name != "auto"]
    heads = ["beside", "case", "fit of", *(f"threads={name}" for name in (*fixed, "auto"))]
    lines = [f"| {' | '.join([*heads, 'auto / best', f'{fixed[-1]} / 1'])} |", "|---" * (len(heads) + 2) + "|"]
    for result in results:
        cells = [f"{time.median:.3g} ± {time.spread:.1g}" for time in result.times.values()]
        ratios = [str(result.auto_to_best), f"{result.fixed_to_one:.2f}"]
        names = [result.neighbours, result.case.name, f"{result.seconds * 1e3:g} ms"]
        lines.append(f"| {' | '.join([*names, *cells, *ratios])} |")
    auto, number = max(r.auto_to_best for r in results), max(r.fixed_to_one for r in results)
    return "\n".join([*lines, "", f"At most: auto / best {auto}, {fixed[-1]} / 1 {number:.2f}."])


def _mean(seconds: list[float]) -> Time:
    """Microseconds, and the standard error: who has a core of two for half of the time has no median."""
    us = np.array(seconds) * 1e6
    return Time(float(us.mean()), float(us.std() / np.sqrt(len(us))))


def _fit(net: Network, case: Case, x: Any, y: Any, steps: int) -> float:
    """Return the seconds per step of a fit of about so many."""
    rows = min(len(x), steps * case.batch_size)
    epochs = max(1, round(steps * case.batch_size / rows))
    start = perf_counter()
    with warnings.catch_warnings(action="ignore"):  # nothing can be learnt of random numbers, and relus die of it
        net.fit(x[:rows], y[:rows], epochs, case.batch_size, case.optimizer, verbose=0)
    return (perf_counter() - start) / (epochs * int(np.ceil(rows / case.batch_size)))
