"""Smaller steps when nothing gets better any more."""

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np

from ...border.options import integer
from ...formulas import Array, number
from .base import Callback, Measured, direction, is_better, latest


class ReduceOnPlateau(Callback):
    """Multiply the learning rate by a factor whenever a series gets no better; a schedule's rates as well.

    Parameters
    ----------
    monitor
        a series of the history: "validation_cost", "cost", ...
    factor
        what the rate is multiplied by, below 1
    patience
        so many epochs in a row may pass without a new best; then they are counted anew
    min_delta
        by more than this a new best must be better
    min_learning_rate
        no rate is made smaller than this
    larger_is_better
        of a metric of your own

    Raises
    ------
    ValueError
        when the run begins, where it does not measure what is watched

    """

    changes_rates: ClassVar[bool] = True

    def __init__(
        self,
        monitor: str = "validation_cost",
        factor: float = 0.1,
        patience: int = 10,
        min_delta: float = 0.0,
        min_learning_rate: float = 0.0,
        *,
        larger_is_better: bool | None = None,
    ) -> None:
        self.monitor = monitor
        self.factor = number("factor", factor, below=1.0)
        self.patience = integer("patience", patience, low=1)
        self.min_delta = number("min_delta", min_delta)
        self.min_learning_rate = number("min_learning_rate", min_learning_rate)
        self.larger_is_better = larger_is_better
        self._forget()

    def _forget(self) -> None:
        self.best: float | None = None
        self.waited, self.reductions = 0, 0

    def begin(self, measured: Measured) -> None:
        """Forget the run before."""
        self._forget()
        self._larger = direction(self.monitor, measured, self.larger_is_better, "ReduceOnPlateau")

    def __call__(self, net: Any, history: Any) -> None:
        """Compare the last epoch with the best."""
        value = latest(history, self.monitor)
        if is_better(value, self.best, self._larger, self.min_delta):
            self.best, self.waited = value, 0
            return
        self.waited += 1
        if self.waited >= self.patience:
            self.waited, self.reductions = 0, self.reductions + 1

    def rates(self, rates: Array) -> Array:
        """Return the rates as they have been reduced."""
        if not self.reductions:
            return rates
        reduced: Array = np.maximum(rates * self.factor**self.reductions, np.minimum(rates, self.min_learning_rate))
        return reduced

    def settings(self) -> dict[str, Any]:
        """Return the arguments."""
        names = ("monitor", "factor", "patience", "min_delta", "min_learning_rate", "larger_is_better")
        return {name: getattr(self, name) for name in names}

    def state_dict(self) -> dict[str, Any]:
        """Return the best, and what is counted."""
        best = None if self.best is None else self.best.hex()
        return {"best": best, "waited": self.waited, "reductions": self.reductions}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from there."""
        self.best = None if state["best"] is None else float.fromhex(state["best"])
        self.waited = integer("waited", state["waited"], low=0)
        self.reductions = integer("reductions", state["reductions"], low=0)
