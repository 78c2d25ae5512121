"""How the cost grows: one number of a network is doubled again and again, ours beside the best peer."""

from collections.abc import Callable
from typing import NamedTuple

from fastbp import SGD

from .cases import Case
from .result import Result

PEERS = ("torch", "jax", "numpy")  # the others are never the fastest of those that train
CLIFF = 1.5  # twice the work at more than three times the time
BASE = Case("sweep", [784, 128, 10], "relu", "softmax", "cross_entropy", 32, SGD(0.01), samples=4096)


class Sweep(NamedTuple):
    """The numbers, and the case of each."""

    values: list[int]
    case: Callable[[int], Case]


def doublings(first: int, last: int) -> list[int]:
    """Return first, 2 first, ... up to last."""
    return [first << power for power in range((last // first).bit_length())]


SWEEPS = {
    "width": Sweep(doublings(16, 4096), lambda n: BASE._replace(sizes=[64, n, n, 10])),
    "depth": Sweep(doublings(1, 16), lambda n: BASE._replace(sizes=[64, *[128] * n, 10])),
    "batch": Sweep(doublings(1, 4096), lambda n: BASE._replace(batch_size=n)),
    "samples": Sweep(doublings(256, 32768), lambda n: BASE._replace(samples=n)),
}


class Growth(NamedTuple):
    """From one result to the next: by what factor the work grew, and the time of ours and of the best peer."""

    work: float
    ours: float
    peer: float | None

    @property
    def cliff(self) -> bool:
        """Whether our time grew much faster than the work."""
        return self.ours > CLIFF * self.work


def growth(before: Result, after: Result) -> Growth:
    """Compare two neighbours of a sweep."""
    peer = None
    if before.best_peer and after.best_peer:
        peer = after.times[after.best_peer].median / before.times[before.best_peer].median
    ours = after.times["fastbp"].median / before.times["fastbp"].median
    return Growth(after.case.macs / before.case.macs, ours, peer)


def growths(results: list[Result]) -> list[Growth | None]:
    """Return one for each result; the first has none before it."""
    return [None, *(growth(before, after) for before, after in zip(results, results[1:], strict=False))]
