"""Stop when validation no longer gets better, with the parameters of the best epoch."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from ...border.options import integer, truth
from ...formulas import number
from .base import Callback, Measured, direction, is_better, latest


class EarlyStopping(Callback):
    """Stop a run that gets no better: ``net.fit(x, y, epochs=500, validation_split=0.2, callbacks=[EarlyStopping()])``.

    Parameters
    ----------
    monitor
        a series of the history: "validation_cost", "validation_accuracy", "cost", "validation_r2", ...
    patience
        so many epochs in a row may pass without a new best
    min_delta
        by more than this a new best must be better
    restore_best
        whether the network gets the parameters of the best epoch back, however the run ends
    larger_is_better
        of a metric of your own

    Attributes
    ----------
    best, best_epoch
        the best value, and its epoch, counted from 1; None before the first

    Raises
    ------
    ValueError
        when the run begins, where it does not measure what is watched

    """

    def __init__(
        self,
        monitor: str = "validation_cost",
        patience: int = 10,
        min_delta: float = 0.0,
        restore_best: bool = True,
        *,
        larger_is_better: bool | None = None,
    ) -> None:
        self.monitor = monitor
        self.patience = integer("patience", patience, low=1)
        self.min_delta = number("min_delta", min_delta)
        self.restore_best = truth("restore_best", restore_best)
        self.larger_is_better = larger_is_better
        self._forget()

    def _forget(self) -> None:
        self.best: float | None = None
        self.best_epoch: int | None = None
        self._epochs = 0
        self._parameters: tuple[list[Any], list[Any]] | None = None

    def begin(self, measured: Measured) -> None:
        """Forget the run before."""
        self._forget()
        self._larger = direction(self.monitor, measured, self.larger_is_better, "EarlyStopping")

    def __call__(self, net: Any, history: Any) -> bool:
        """Compare the last epoch with the best."""
        self._epochs, value = len(history), latest(history, self.monitor)
        if is_better(value, self.best, self._larger, self.min_delta):
            self.best, self.best_epoch = value, self._epochs
            if self.restore_best:
                self._parameters = net._get_parameters()
        return self._epochs - (self.best_epoch or 0) >= self.patience

    def end(self, net: Any) -> None:
        """Give the best parameters back."""
        if self._parameters is not None and self._epochs != self.best_epoch:
            net._set_parameters(*self._parameters)
        self._parameters = None

    def settings(self) -> dict[str, Any]:
        """Return the arguments."""
        names = ("monitor", "patience", "min_delta", "restore_best", "larger_is_better")
        return {name: getattr(self, name) for name in names}

    def state_dict(self) -> dict[str, Any]:
        """Return the best, and its parameters."""
        weights, biases = self._parameters or ([], [])
        arrays = {f"weights.{i}": w for i, w in enumerate(weights)} | {f"biases.{i}": b for i, b in enumerate(biases)}
        best = None if self.best is None else self.best.hex()  # which may be infinite
        return {"best": best, "best_epoch": self.best_epoch, "epochs": self._epochs, **arrays}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from there."""
        self.best = None if state["best"] is None else float.fromhex(state["best"])
        best_epoch = state["best_epoch"]
        self.best_epoch = None if best_epoch is None else integer("best_epoch", best_epoch, low=1)
        self._epochs = integer("epochs", state["epochs"], low=0)
        count = sum(name.startswith("weights.") for name in state)
        pairs = [[np.array(state[f"{kind}.{i}"]) for i in range(count)] for kind in ("weights", "biases")]
        self._parameters = (pairs[0], pairs[1]) if count else None
