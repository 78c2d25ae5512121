"""Whole fits, as users call them: after a pause, shuffled, checked, and with the number of threads left to fastbp.

The other tables keep everyone warm and count steps. Here each contender rests first, so that its other cores have gone
to sleep, and the order of the samples is part of the work: `fit` draws it, peers get it from NumPy.
"""

import warnings
from collections.abc import Callable, Iterable, Sequence
from time import perf_counter, sleep
from typing import Any, NamedTuple

import numpy as np

from fastbp import Network

from .cases import CASES, Case, make_data, make_network
from .peers import PEERS, Job
from .result import Time

PAUSE = 0.25  # seconds before each fit
FITTING = ("torch", "jax", "numpy")  # peers that were ever the fastest
BY_NAME = {case.name: case for case in CASES}
MID10 = BY_NAME["mid"]._replace(name="mid10", batch_size=10, optimizer=BY_NAME["big"].optimizer)
LONG = [(1000, 1), (10_000, 1), (10_000, 10)]  # samples, epochs


class Fit(NamedTuple):
    """One call of fit."""

    case: Case
    epochs: int


FITS = [
    Fit(case._replace(samples=samples), epochs)
    for case in (BY_NAME["nielsen"], BY_NAME["tab"], MID10, BY_NAME["mid"], BY_NAME["deep"])
    for samples, epochs in LONG
]


class FitResult(NamedTuple):
    """Milliseconds of one fit; those of fastbp by what `threads` was."""

    fit: Fit
    ours: dict[str, Time]
    peers: dict[str, Time]

    @property
    def better(self) -> float:
        """The better of one thread and all."""
        return min(time.median for name, time in self.ours.items() if name != "auto")

    @property
    def best_peer(self) -> str | None:
        """The fastest of the others."""
        return min(self.peers, key=lambda name: self.peers[name].median) if self.peers else None

    def report(self) -> dict[str, Any]:
        """Return what `--json` prints."""
        times = {name: {key: time._asdict() for key, time in kind.items()} for name, kind in self._kinds()}
        return {"case": self.fit.case.name, "samples": self.fit.case.samples, "epochs": self.fit.epochs, **times}

    def _kinds(self) -> list[tuple[str, dict[str, Time]]]:
        return [("ours", self.ours), ("peers", self.peers)]


def measure_all(fits: Iterable[Fit], dtype: str, threads: int, peers: Sequence[str], rounds: int) -> list[FitResult]:
    """Time one fit after the other."""
    return [measure(fit, dtype, threads, peers, rounds) for fit in fits]


def measure(fit: Fit, dtype: str, threads: int, peers: Sequence[str], rounds: int) -> FitResult:
    """Time all contenders in turn; a first round, in which some compile, does not count."""
    x, y = make_data(fit.case, fit.case.samples)
    x, y = x.astype(dtype), y if y.ndim == 1 else y.astype(dtype)
    ours = {str(count): _ours(fit, dtype, x, y, count) for count in dict.fromkeys(("auto", 1, threads))}
    others = {name: run for name in peers if (run := _peer(fit, dtype, x, y, threads, name))}
    seconds: dict[str, list[float]] = {name: [] for name in (*ours, *others)}
    for _ in range(rounds + 1):
        for name, run in (*ours.items(), *others.items()):
            sleep(PAUSE)
            start = perf_counter()
            run()
            seconds[name].append(perf_counter() - start)
    times = {name: _time(values[1:]) for name, values in seconds.items()}
    return FitResult(fit, {name: times[name] for name in ours}, {name: times[name] for name in others})


def _ours(fit: Fit, dtype: str, x: Any, y: Any, threads: Any) -> Callable[[], object]:
    net, case = make_network(fit.case, dtype, Network), fit.case
    net.threads = threads

    def run() -> None:
        with warnings.catch_warnings(action="ignore"):  # nothing can be learnt of random numbers, and relus die of it
            net.fit(x, y, fit.epochs, case.batch_size, case.optimizer, verbose=0)

    return run


def _peer(fit: Fit, dtype: str, x: Any, y: Any, threads: int, name: str) -> Callable[[], object] | None:
    case = fit.case
    contender = PEERS[name].make(Job(case, make_network(case, dtype, Network), x, y, threads))
    if contender is None:
        return None
    rng, whole = np.random.default_rng(0), case.samples // case.batch_size * case.batch_size
    train = contender.run  # of whole mini-batches, where ours has a short one more

    def run() -> None:
        for _ in range(fit.epochs):
            train(rng.permutation(case.samples)[:whole])

    return run


def _time(seconds: list[float]) -> Time:
    low, middle, high = np.percentile(seconds, [25, 50, 75]) * 1e3
    return Time(float(middle), float(high - low) / 2)
