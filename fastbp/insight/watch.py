"""The callback that looks at a training run from inside."""

from typing import Any

from ..border.options import integer
from ..border.spec import NetworkSpec
from ..formulas.looks import LayerLook
from ..html import table
from ..plotting import Display, plot_speeds
from .signs import Seen, found
from .words import HEADS, row, text


class Diagnostics:
    """How each layer learns, epoch by epoch: ``net.fit(x, y, callbacks=[watch := fastbp.Diagnostics(every=10)])``.

    Collected inside the step, of one mini-batch in `every`, the first of all among them.

    Attributes
    ----------
    every
        so many mini-batches one is looked at
    epochs
        for each epoch a tuple of `LayerLook`, first layer first; where none of its mini-batches was looked at, that of
        the epoch before

    """

    def __init__(self, every: int = 10) -> None:
        self.every = integer("every", every, low=1)
        self.epochs: list[tuple[LayerLook, ...]] = []
        self._spec: NetworkSpec | None = None

    def note(self, layers: tuple[LayerLook, ...]) -> None:
        """Keep what was seen in an epoch."""
        self.epochs.append(layers or self.epochs[-1])

    def __call__(self, net: Any, history: object) -> None:
        """Let training go on."""
        self._spec = net.spec

    @property
    def sentences(self) -> list[str]:
        """What stood in the way of learning in the last epoch, in words; `fastbp.diagnose` tries what helps."""
        if self._spec is None:
            return []
        seen = Seen(self.epochs[-1], self._spec)
        return [f"{words[0].upper()}{words[1:]}." for _, words in (sign.words(seen) for sign in found(seen))]

    def plot(self, ax: Any = None) -> Display:
        """Draw |δ| of each layer over the epochs."""
        if not self.epochs:
            raise ValueError("nothing was seen yet; give it to net.fit(..., callbacks=[it]) first")
        return plot_speeds(self.epochs, ax)

    def __repr__(self) -> str:
        """Return the last epoch as a table, and what stood in the way."""
        if not self.epochs:
            return f"Diagnostics(every={self.every}): nothing yet; give it to net.fit(..., callbacks=[it])"
        return "\n".join([f"epoch {len(self.epochs)}", "", text(self.epochs[-1]), "", *self.sentences]).rstrip()

    def _repr_html_(self) -> str:
        layers = self.epochs[-1] if self.epochs else ()
        return table(HEADS, [row(layer) for layer in layers], f"epoch {len(self.epochs)}. {' '.join(self.sentences)}")
