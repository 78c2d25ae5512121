"""What a callback may be besides a function (net, history): one that knows of a run's beginning and end."""

from collections.abc import Mapping
from typing import Any, ClassVar, NamedTuple

from ...formulas import Array


class Measured(NamedTuple):
    """What a run measures in each epoch."""

    names: tuple[str, ...]  # of the series in the history
    larger_is_better: Mapping[str, bool | None]  # None: nobody knows


class Callback:
    """A callback of a run: subclass it, and override what you need.

    It is called as ``callback(net, history)`` after each epoch; a true result stops the run. `net` has the parameters
    that people see: with `ema`, their average.
    """

    changes_rates: ClassVar[bool] = False  # `rates` is asked

    def begin(self, measured: Measured) -> None:
        """A run begins: forget the one before. A resumed one calls `load_state_dict` next."""

    def __call__(self, net: Any, history: Any) -> object:
        """After each epoch; something true stops."""

    def rates(self, rates: Array) -> Array:
        """Return the learning rates of an epoch's mini-batches (k,), given those of the optimizer."""
        return rates

    def end(self, net: Any) -> None:
        """The run has ended, in whatever way: at the last epoch, stopped, by Ctrl-C or an error."""

    def settings(self) -> dict[str, Any]:
        """Return the arguments that make another like this, for JSON."""
        return {}

    def state_dict(self) -> dict[str, Any]:
        """Return what a resumed run has to know: numbers and texts, and arrays of float32 or float64, by name."""
        return {}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from there."""


def direction(monitor: str, measured: Measured, larger_is_better: bool | None, who: str) -> bool:
    """Return whether what is watched is better if it is larger; what is not measured raises ValueError."""
    if monitor not in measured.names:
        way = ""
        if monitor.startswith("validation_") and not any(name.startswith("validation_") for name in measured.names):
            way = "; write net.fit(..., validation_split=0.2), or give validation_data"
        raise ValueError(f"{who} watches {monitor!r}, and this run measures {', '.join(measured.names)}{way}")
    known = larger_is_better if larger_is_better is not None else measured.larger_is_better.get(monitor)
    if known is None:
        raise ValueError(f"whether a larger {monitor} is better, nobody knows: write {who}(..., larger_is_better=True)")
    return known


def latest(history: Any, monitor: str) -> float:
    """Return the last value of a series; NaN where it has no meaning."""
    value = history[monitor][-1]
    return float("nan") if value is None else float(value)


def is_better(value: float, best: float | None, larger: bool, min_delta: float) -> bool:
    """Whether a value is better than the best by more than min_delta; NaN never is."""
    if value != value:
        return False
    return best is None or (value - best > min_delta if larger else best - value > min_delta)
