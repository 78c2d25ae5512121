"""What it costs to look: a step without and with `fastbp.Diagnostics`, of every mini-batch and of one in ten."""

from collections.abc import Iterable, Sequence
from time import perf_counter
from typing import Any, NamedTuple

import numpy as np

from fastbp import Network
from fastbp.training.loop import Data, Plan

from .cases import CASES, Case, make_data, make_network
from .result import Time
from .run import MAX_STEPS, SECONDS, orders, time_of

EVERY = (0, 10, 1)  # so many mini-batches one is looked at; 0: none
LOOKED_AT = [case for case in CASES if case.optimizer is not None]


class Look(NamedTuple):
    """One case: microseconds a step by how often it is looked at."""

    case: Case
    dtype: str
    threads: int
    times: dict[int, Time]

    def share(self, every: int) -> float:
        """What looking adds to a step, as a share of it."""
        return self.times[every].median / self.times[0].median - 1

    def report(self) -> dict[str, Any]:
        """Return what `--json` prints."""
        times = {str(every): time._asdict() for every, time in self.times.items()}
        return {"case": self.case.name, "dtype": self.dtype, "threads": self.threads, "times": times}


def measure_all(cases: Iterable[Case], dtype: str, threads: int, rounds: int) -> list[Look]:
    """Time one case after the other."""
    return [measure(case, dtype, threads, rounds) for case in cases]


def measure(case: Case, dtype: str, threads: int, rounds: int) -> Look:
    """Time one case; all see the same mini-batches, in turn."""
    x, y = make_data(case, case.samples)
    sessions = {every: _session(case, dtype, threads, x, y, every) for every in EVERY}
    rng = np.random.default_rng(0)
    steps = _steps(case, sessions[0], rng)
    seconds: dict[int, list[float]] = {every: [] for every in EVERY}
    for _ in range(rounds + 1):
        order = orders(rng, case, steps)
        for every, session in sessions.items():
            seconds[every].append(_clock(session, order, steps) / steps)
    times = {every: time_of(values[1:]) for every, values in seconds.items()}  # the first one warms up
    return Look(case, dtype, threads, times)


def table(looks: Sequence[Look]) -> str:
    """Return the table in Markdown."""
    lines = ["| case | us a step | one in ten looked at | | every one | |", "|---|---|---|---|---|---|"]
    for look in looks:
        cells = [f"{look.times[0].median:.3g}"]
        for every in EVERY[1:]:
            cells += [f"{look.times[every].median:.3g} ± {look.times[every].spread:.1g}", f"{look.share(every):+.1%}"]
        lines.append(f"| {' | '.join([look.case.description, *cells])} |")
    return "\n".join(lines)


def _session(case: Case, dtype: str, threads: int, x: Any, y: Any, every: int) -> Any:
    net = make_network(case, dtype, Network)
    net.threads = threads
    plan = Plan(case.optimizer, case.batch_size, epochs=30, look_every=every)
    return net._session(Data(*net._checked(x, y)), plan)


def _steps(case: Case, session: Any, rng: Any) -> int:
    """Return how many steps a round takes: multiples of ten, so that every round has as many looks."""
    order = orders(rng, case, 10)
    _clock(session, order, 10)
    return min(MAX_STEPS, 10 * max(1, round(SECONDS / _clock(session, order, 10))))


def _clock(session: Any, order: Any, steps: int) -> float:
    start = perf_counter()
    session.train(order, 0, steps, 0)
    return perf_counter() - start
