"""Errors that have a name of their own, and warnings; wrong arguments raise TypeError or ValueError."""

import os
import sys
import warnings

PACKAGE = os.path.dirname(__file__)
SAFE_RATE = 1e-3


def warn(message: str) -> None:
    """Warn whoever called fastbp, at the line where they did."""
    frame, level = sys._getframe(1), 2
    while frame.f_back and os.path.dirname(frame.f_code.co_filename).startswith(PACKAGE):
        frame, level = frame.f_back, level + 1
    warnings.warn(message, UserWarning, level)


class DivergenceError(ArithmeticError):
    """Training left the finite numbers; the network is as it was at the end of the last good epoch, or before `fit`.

    `epoch` and `batch` count from 1 within the call of `fit`; in a `Trainer` epoch is 0, and `batch` the step.
    `layer` is the place in the lists: `weights[layer]`, `zs[layer]` was the first that was not finite;
    `learning_rate` is the one that was used; `kept` is the epoch whose end the network is back at, 0 before the first.
    """

    def __init__(self, epoch: int, batch: int, layer: int, learning_rate: float, kept: int = 0) -> None:
        super().__init__(epoch, batch, layer, learning_rate, kept)  # plain arguments, so that it can be pickled
        self.epoch = epoch
        self.batch = batch
        self.layer = layer
        self.learning_rate = learning_rate
        self.kept = kept

    def __str__(self) -> str:
        """Say where, what is left, and what to write instead."""
        kept = f"of the end of epoch {self.kept}" if self.kept else "from before fit" if self.epoch else "from before"
        return (
            f"{self.what}; the network has its parameters {kept}; write optimizer=fastbp.Adam({self.advised_rate:g}), "
            "and scale inputs and targets to about -1..1"
        )

    @property
    def what(self) -> str:
        """Say where it happened."""
        place = f"in epoch {self.epoch}, mini-batch {self.batch}" if self.epoch else f"at step {self.batch}"
        return (
            f"training diverged {place}, at a learning rate of "
            f"{self.learning_rate:g}: layer {self.layer} (weights[{self.layer}], zs[{self.layer}]) is no longer finite"
        )

    @property
    def advised_rate(self) -> float:
        """A rate of Adam's to try next."""
        return SAFE_RATE if self.learning_rate > SAFE_RATE else self.learning_rate / 10


class ModelFileError(ValueError):
    """A model file that is damaged, incomplete or not fastbp's."""


class DataFileError(ValueError):
    """A data file that is damaged, incomplete or of another kind than expected."""
