"""Errors that have a name of their own; wrong arguments raise TypeError or ValueError."""


class DivergenceError(ArithmeticError):
    """Training left the finite numbers; the network holds the last finite parameters.

    `epoch` and `batch` count from 1 within the call of `fit`; `layer` is the place in the lists:
    `weights[layer]`, `zs[layer]` is the first that is not finite.
    """

    advice = "lower the learning rate, or scale the inputs to about -1..1"

    def __init__(self, epoch: int, batch: int, layer: int) -> None:
        super().__init__(epoch, batch, layer)  # plain arguments, so that it can be pickled
        self.epoch = epoch
        self.batch = batch
        self.layer = layer

    def __str__(self) -> str:
        """Say where, what was saved, and what to do."""
        return (
            f"training diverged in epoch {self.epoch}, mini-batch {self.batch}: "
            f"layer {self.layer} (weights[{self.layer}], zs[{self.layer}]) is no longer finite; "
            f"the network keeps the last finite parameters; {self.advice}"
        )


class ModelFileError(ValueError):
    """A model file that is damaged, incomplete or not fastbp's."""


class DataFileError(ValueError):
    """A data file that is damaged, incomplete or of another kind than expected."""
