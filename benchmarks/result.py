"""What was measured in one case."""

from typing import Any, NamedTuple

from .cases import Case


class Time(NamedTuple):
    """Microseconds per step."""

    median: float
    spread: float  # half the distance of the quartiles


class Result(NamedTuple):
    """One case, one dtype, one number of threads: the time of each contender that can do it."""

    case: Case
    dtype: str
    threads: int
    times: dict[str, Time]
    peak: float  # GFLOP/s of one core, measured in the same run

    @property
    def best_peer(self) -> str | None:
        """The fastest of the others."""
        others = {name: time.median for name, time in self.times.items() if name != "fastbp"}
        return min(others, key=lambda name: others[name]) if others else None

    @property
    def ratio(self) -> float | None:
        """How many times as fast as the best peer."""
        return self.times[self.best_peer].median / self.times["fastbp"].median if self.best_peer else None

    @property
    def gflops(self) -> float:
        """GFLOP/s of fastbp: multiply-adds of the products only, two operations each."""
        return 2e-3 * self.case.macs / self.times["fastbp"].median

    @property
    def share(self) -> float:
        """Of the peak of all cores that may be used."""
        return self.gflops / (self.peak * self.threads)

    def report(self) -> dict[str, Any]:
        """Return what `--json` prints."""
        case = self.case
        return {
            "case": case.name,
            "sizes": case.sizes,
            "batch_size": case.batch_size,
            "samples": case.samples,
            "dtype": self.dtype,
            "threads": self.threads,
            "times": {name: time._asdict() for name, time in self.times.items()},
            "best_peer": self.best_peer,
            "ratio": self.ratio,
            "gflops": self.gflops,
            "peak": self.peak,
            "share": self.share,
        }
