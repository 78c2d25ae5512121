"""What a network of the book looks at while kernels train it: the same samples after each epoch, at once."""

from collections.abc import Callable
from typing import Any

from ..formulas import Array
from ..networks.fast import Network as Core


class View:
    """Samples as matrices, which are read once in a training; what looks at them is made at the first look."""

    def __init__(self, core: Core, samples: list[Any], x: Array, y: Array, labelled: bool) -> None:
        self.core, self.samples, self.x, self.labelled = core, samples, x, labelled
        self.y = y  # labels (n,), or (n, n_L)
        self.viewer: Callable[[], tuple[Array, float]] | None = None
        self.seen: tuple[Array, float] | None = None  # in this epoch

    def look(self) -> tuple[Array, float]:
        """Return the outputs (n_L, n) and Σ C_x, computed once in an epoch."""
        self.viewer = self.viewer or self.core._viewer(self.x, self.y)
        if self.seen is None:
            a, cost = self.viewer()
            self.seen = a.T, cost
        return self.seen


class Live:
    """The network that is being trained, for as long as nobody but the book's own methods has a hand in it."""

    def __init__(self, core: Core) -> None:
        self.core = core
        self.views: list[View] = []

    def add(self, samples: list[Any], x: Array, y: Array, *, labelled: bool) -> View:
        """Remember samples, by the list that they are in."""
        view = View(self.core, samples, x, y, labelled)
        self.views.append(view)
        return view

    def find(self, samples: list[Any], *, labelled: bool) -> View | None:
        """Return what is remembered of a list."""
        return next((view for view in self.views if view.samples is samples and view.labelled == labelled), None)

    def end_epoch(self) -> None:
        """Forget the outputs: the parameters are others now."""
        for view in self.views:
            view.seen = None
