"""A budget of time."""

from collections.abc import Mapping
from time import perf_counter
from typing import Any

from ...formulas import number
from .base import Callback, Measured


class MaxSeconds(Callback):
    """Stop a run at the end of the epoch in which its seconds are over; those before a checkpoint count too."""

    def __init__(self, seconds: float) -> None:
        self.seconds = number("seconds", seconds, positive=True)
        self._start, self._before = perf_counter(), 0.0

    def begin(self, measured: Measured) -> None:
        """Start the clock."""
        self._start, self._before = perf_counter(), 0.0

    @property
    def elapsed(self) -> float:
        """Seconds since the run began, without those that it was stopped for."""
        return self._before + perf_counter() - self._start

    def __call__(self, net: Any, history: Any) -> bool:
        """Look at the clock."""
        return self.elapsed >= self.seconds

    def settings(self) -> dict[str, Any]:
        """Return the arguments."""
        return {"seconds": self.seconds}

    def state_dict(self) -> dict[str, Any]:
        """Return the seconds so far."""
        return {"elapsed": self.elapsed}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from there."""
        self._before = float(state["elapsed"])
