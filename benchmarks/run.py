"""One case at a time: build every contender, check its first steps, then time them in turn."""

from collections.abc import Iterable, Sequence
from time import perf_counter, sleep
from typing import Any

import numpy as np

from fastbp import Network

from .cases import Case, make_data, make_network
from .peak import peak_gflops
from .peers import PEERS, Contender, Job, fused, reference
from .result import Result, Time

ROUNDS = 7
CHECKED_STEPS = 4
SECONDS = 0.1  # that a round of one contender should take; a slow one makes at least one step
MAX_STEPS = 5000
SETTLE_SECONDS = 0.3  # OpenMP's threads go on spinning for 0.2 s, on the core that the next contender needs
TOLERANCE = {"float32": 1e-2, "float64": 1e-3}  # of what the steps change; its epsilon sets scikit-learn 4e-4 off


def compare_all(
    cases: Iterable[Case], dtype: str, threads: int, peers: Sequence[str], rounds: int = ROUNDS
) -> list[Result]:
    """Time one case after the other; the peak is the best that was seen between them."""
    results = [compare(case, dtype, threads, peers, rounds) for case in cases]
    peak = max(result.peak for result in results)
    return [result._replace(peak=peak) for result in results]


def compare(case: Case, dtype: str, threads: int, peers: Sequence[str], rounds: int = ROUNDS) -> Result:
    """Time one case; every contender sees the same mini-batches in the same order, a slow one fewer of them."""
    contenders, truth = build(case, dtype, threads, peers)
    rng = np.random.default_rng(0)
    check_trajectories(contenders, truth, orders(rng, case, CHECKED_STEPS), dtype)
    steps = {name: warm_up(contender, rng, case) for name, contender in contenders.items()}
    seconds: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(rounds):
        order = orders(rng, case, max(steps.values()))
        for name, contender in contenders.items():
            own = order[: steps[name] * case.batch_size]
            if threads > 1:
                sleep(SETTLE_SECONDS)
            seconds[name].append(_clock(contender, own) / steps[name])
    times = {name: time_of(values) for name, values in seconds.items()}
    return Result(case, dtype, threads, times, peak_gflops(np.dtype(dtype)))


def build(case: Case, dtype: str, threads: int, peers: Sequence[str]) -> tuple[dict[str, Contender], Contender]:
    """Return the contenders that can do the case, ours first, and the reference."""
    x, y = make_data(case, case.samples)
    x, y = x.astype(dtype), y if y.ndim == 1 else y.astype(dtype)
    contenders: dict[str, Contender] = {}
    for name in ("fastbp", *peers):
        make = fused if name == "fastbp" else PEERS[name].make
        contender = make(Job(case, make_network(case, dtype, Network), x, y, threads))
        if contender is not None:
            contenders[name] = contender
    return contenders, reference(Job(case, make_network(case, dtype, Network), x, y, threads))


def orders(rng: Any, case: Case, steps: int) -> Any:
    """Shuffle the samples, again and again, for so many steps; each epoch has whole mini-batches only."""
    whole = case.samples // case.batch_size * case.batch_size
    length = steps * case.batch_size
    return np.concatenate([rng.permutation(case.samples)[:whole] for _ in range(-(-length // whole))])[:length]


def check_trajectories(contenders: dict[str, Contender], truth: Contender, order: Any, dtype: str) -> None:
    """Make a few steps with each, and compare: who computes something else is not timed against."""
    start = truth.result()
    truth.run(order)
    expected = truth.result()
    rounding = CHECKED_STEPS * np.finfo(dtype).eps * np.linalg.norm(expected)  # is all there is where gradients vanish
    tolerance = TOLERANCE[dtype] * np.linalg.norm(expected - start) + rounding
    for name, contender in contenders.items():
        contender.run(order)
        if not np.linalg.norm(contender.result() - expected) <= tolerance:
            raise ArithmeticError(f"{name} computed something else than the reference; its time would mean nothing")


def warm_up(contender: Contender, rng: Any, case: Case) -> int:
    """Return the number of steps for a round, after two rounds; the first one may compile for that number."""
    steps = CHECKED_STEPS
    seconds = _clock(contender, orders(rng, case, steps))
    while seconds < SECONDS / 2 and steps < MAX_STEPS:  # short calls are mostly overhead, and say little of long ones
        steps = min(MAX_STEPS, 10 * steps)
        order = orders(rng, case, steps)
        contender.run(order)
        seconds = _clock(contender, order)
    steps = max(1, min(MAX_STEPS, round(steps * SECONDS / seconds)))
    contender.run(orders(rng, case, steps))
    return steps


def _clock(contender: Contender, order: Any) -> float:
    start = perf_counter()
    contender.run(order)
    return perf_counter() - start


def time_of(seconds: list[float]) -> Time:
    """Return the median in microseconds, and how far the quartiles lie from it."""
    low, middle, high = np.percentile(seconds, [25, 50, 75]) * 1e6
    return Time(float(middle), float(high - low) / 2)
