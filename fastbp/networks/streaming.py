"""Training on batches that come one by one: of a generator, a loader, a database."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain
from time import perf_counter
from typing import Any

import numpy as np

from ..errors import DivergenceError
from ..formulas import Array
from ..training.callbacks.base import Callback
from ..training.loop import NOTHING, Data, Progress
from .trainer import Trainer

CHECK_SECONDS = 1.0  # from one look at whether all parameters are finite to the next


def is_stream(x: object, y: object) -> bool:
    """Whether x is batches, and no samples."""
    if y is not None:
        return False
    plain = hasattr(x, "shape") or hasattr(x, "__array__") or hasattr(x, "__dlpack__") or hasattr(x, "columns")
    return not plain and (callable(x) or isinstance(x, Iterable)) and not isinstance(x, (str, bytes))


class Stream:
    """Batches (x, y) or (x, y, sample_weight), swept once in each epoch.

    - source: something that can be swept again and again, a function that returns such, or an iterator, good for once
    """

    def __init__(self, source: Any) -> None:
        self.source = source
        self.once = not callable(source) and iter(source) is source
        self._batches = self._begin()
        try:
            self.first = next(self._batches)
        except StopIteration:
            raise ValueError("there is no batch: x yields nothing") from None
        self._fresh = True

    def _begin(self) -> Iterator[Any]:
        return iter(self.source() if callable(self.source) else self.source)

    def sweep(self) -> Iterator[Any]:
        """Return the batches of one epoch; the first one has been looked at, and is not asked for twice."""
        batches = chain([self.first], self._batches) if self._fresh else self._begin()
        self._fresh = False
        return batches

    @property
    def length(self) -> int | None:
        """How many batches an epoch has, where that is known."""
        return len(self.source) if hasattr(self.source, "__len__") else None


def parts_of(batch: object, number: int) -> tuple[Any, Any, Any]:
    """Return x, y and the weights of a batch; anything else raises TypeError."""
    if not isinstance(batch, Sequence) or len(batch) not in (2, 3):
        raise TypeError(f"batch {number} must be (x, y) or (x, y, sample_weight), got {type(batch).__name__}")
    x, y, *weight = batch
    return x, y, weight[0] if weight else None


class StreamSession:
    """A run that takes each batch as it comes: one step for each, whatever its size."""

    def __init__(self, trainer: Trainer, stream: Stream, callbacks: Sequence[Any]) -> None:
        self.trainer, self.stream = trainer, stream
        self.scaling = [each for each in callbacks if isinstance(each, Callback) and each.changes_rates]
        self.session: Any = None

    def _checked(self, batch: object, number: int) -> Data:
        x, y, weight = parts_of(batch, number)
        try:
            found: Data = self.trainer.net._data(x, y, weight, None)
        except (TypeError, ValueError) as error:
            raise type(error)(f"batch {number}: {error}") from None
        return found

    def _rates(self) -> Array | None:
        rates = self.trainer._rates()
        for callback in self.scaling:
            rates = callback.rates(np.array([self.trainer._rate()]) if rates is None else rates)
        return rates

    def drive(self, epochs: int, end_epoch: Callable[[Progress], bool]) -> None:
        """Sweep the batches so many times."""
        for epoch in range(1, epochs + 1):
            if end_epoch(self._sweep(epoch)):
                return

    def _sweep(self, epoch: int) -> Progress:
        trainer, total, number, good = self.trainer, np.zeros(3), 0, None
        self.show_average(False)
        checked = perf_counter()
        for number, batch in enumerate(self.stream.sweep(), start=1):
            data = self._checked(batch, number)
            self.session = trainer._session("step", data)
            good = self.session.snapshot() if good is None else good
            seen = self.session.train(np.arange(len(data.x)), 0, 1, trainer._seed(), NOTHING, self._rates())
            due = perf_counter() - checked > CHECK_SECONDS
            if seen.failed >= 0 or (due and not self.session.finite()):
                layer = trainer.net._faulty_layer(data.x)
                self.session.restore(good)
                raise DivergenceError(epoch, number, layer, trainer._rate(), epoch - 1)
            checked = perf_counter() if due else checked
            total += seen[:3]
        if number == 0:
            raise ValueError(f"there is no batch in epoch {epoch}: x can be swept once; give a list, or a function")
        if not self.session.finite():
            self.session.restore(good)
            raise DivergenceError(epoch, number, 0, trainer._rate(), epoch - 1)
        return Progress._make((*total.tolist(), -1))

    def snapshot(self) -> Any:
        """Return the parameters."""
        return [w.copy() for w in self.trainer.net._get_parameters()[0]]

    def moved(self, before: Any) -> bool:
        """Whether any weight has changed at all."""
        return any(not np.array_equal(a, b) for a, b in zip(self.snapshot(), before, strict=True))

    def show_average(self, shown: bool) -> None:
        """Let the network have the average of its weights, or have them back."""
        if self.session is not None:
            self.session.show_average(shown)
