"""One case at a time: build every contender, check its first epoch, then time them in turn."""

import os
from time import perf_counter, sleep
from typing import Any, NamedTuple

import numpy as np

from ..network import Network
from .cases import Case, make_data, make_network
from .peak import peak_gflops
from .peers import PEERS, Contender, fastbp, installed

ROUNDS = 7
CHECKED_STEPS = 4
SAMPLES = 19_999  # at most; the full batch of 10 000 stays one
SETTLE_SECONDS = 0.3  # OpenMP's threads go on spinning for 0.2 s, on the core that the next contender needs
SECONDS = 0.08  # that a round of fastbp should take
TOLERANCE = {"float32": 1e-3, "float64": 1e-8}


class Result(NamedTuple):
    """Microseconds per step of each contender: median, and half the distance of the quartiles."""

    case: str
    dtype: str
    threads: int
    times: dict[str, tuple[float, float]]
    gflops: float  # of fastbp, counting products only
    peak: float  # GFLOP/s of one core, measured in the same run

    @property
    def best_peer(self) -> str | None:
        """The fastest of the others."""
        others = {name: time for name, (time, _) in self.times.items() if name != "fastbp"}
        return min(others, key=lambda name: others[name]) if others else None

    @property
    def ratio(self) -> float | None:
        """How many times as fast as the best peer."""
        return self.times[self.best_peer][0] / self.times["fastbp"][0] if self.best_peer else None


def limit_threads(threads: int) -> None:
    """Tell peers that read it only when they are imported; call this first."""
    eigen = "true" if threads > 1 else "false"
    os.environ["XLA_FLAGS"] = f"--xla_cpu_multi_thread_eigen={eigen} intra_op_parallelism_threads={threads}"
    if threads == 1 and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})


def macs_per_step(case: Case) -> int:
    """Multiply-adds of one mini-batch: forward, BP2 (not for the first layer) and BP4."""
    pairs = list(zip(case.sizes, case.sizes[1:], strict=False))
    return case.batch_size * sum((3 if place else 2) * n * k for place, (n, k) in enumerate(pairs))


def compare(case: Case, dtype: str, threads: int, rounds: int = ROUNDS) -> Result:
    """Time one case; every contender sees the same mini-batches in the same order."""
    steps = max(4, min(2000, int(SECONDS * 1e11 / macs_per_step(case)) + 1))
    x, y = make_data(case, max(SAMPLES // case.batch_size, 1) * case.batch_size)
    contenders: dict[str, Contender] = {}
    for name in ["fastbp", *installed()[0]]:
        net = make_network(case, dtype, Network)
        make = fastbp if name == "fastbp" else PEERS[name]
        contender = make(case, net, x, y, threads)
        if contender is not None:
            contenders[name] = contender
    rng = np.random.default_rng(0)
    check_trajectories(contenders, orders(rng, len(x), CHECKED_STEPS * case.batch_size), dtype)
    for contender in contenders.values():  # warm-up
        contender.epoch(orders(rng, len(x), steps * case.batch_size))
    times: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(rounds):
        order = orders(rng, len(x), steps * case.batch_size)
        for name, contender in contenders.items():
            if threads > 1:
                sleep(SETTLE_SECONDS)
            start = perf_counter()
            contender.epoch(order)
            times[name].append((perf_counter() - start) / (contender.steps or steps) * 1e6)
    spread = {name: _median_and_spread(values) for name, values in times.items()}
    gflops = 2e-3 * macs_per_step(case) / spread["fastbp"][0]
    return Result(case.name, dtype, threads, spread, gflops, peak_gflops(np.dtype(dtype)))


def orders(rng: Any, n: int, length: int) -> Any:
    """Shuffle n samples, again and again, until `length` places are filled."""
    return np.concatenate([rng.permutation(n) for _ in range(-(-length // n))])[:length]


def check_trajectories(contenders: dict[str, Contender], order: Any, dtype: str) -> None:
    """Make a few steps with each, and compare the weights: who computes something else is not timed against.

    By their root mean square: where a gradient is nearly 0, Adam makes a step of rounding errors, for anyone.
    """
    for contender in contenders.values():
        contender.epoch(order)
    truth = contenders["numpy"].weights() if "numpy" in contenders else contenders["fastbp"].weights()
    for name, contender in contenders.items():
        weights = contender.weights()
        if weights is None:
            continue
        if not np.linalg.norm(weights - truth) <= TOLERANCE[dtype] * np.linalg.norm(truth):
            raise ArithmeticError(f"{name} trained to other weights than the reference; its time would mean nothing")


def _median_and_spread(values: list[float]) -> tuple[float, float]:
    low, middle, high = np.percentile(values, [25, 50, 75])
    return float(middle), float(high - low) / 2
