"""How many samples a network of the book has right, and what they cost: for all at once where that is possible."""

from collections.abc import Callable
from typing import Any

import numpy as np

from ..formulas import Array
from .book import Book
from .columns import NotColumns
from .live import View


def outputs_of(net: Book, samples: list[Any], *, labelled: bool) -> tuple[Array, Array]:
    """Return the outputs (n_L, n), and the labels (n,) or the y (n_L, n), of samples; NotColumns where they cannot."""
    if not samples or not net._is_own("feedforward"):
        raise NotColumns
    if (view := _view(net, samples, labelled=labelled)) is not None:
        return view.look()[0], view.y if labelled else view.y.T
    net._parameters()  # which are regular
    x, y = net._columns(samples, labelled=labelled).numbers()
    return net._all_outputs(x), y if labelled else y.T


def _view(net: Book, samples: list[Any], *, labelled: bool) -> View | None:
    """Return the view of samples that a network has in training; None where there is none."""
    live = net._live
    if live is None:
        return None
    found = live.find(samples, labelled=labelled)
    return found or live.add(
        samples, *net._columns(samples, labelled=labelled).numbers(live.core.dtype), labelled=labelled
    )


def count_right(net: Book, samples: list[Any], *, labelled: bool) -> int:
    """Return for how many (x, label) the label is the place of the largest output; without labels, of the largest y."""
    try:
        a, y = outputs_of(net, samples, labelled=labelled)
    except NotColumns:
        pairs = [(np.argmax(net.feedforward(x)), y if labelled else np.argmax(y)) for x, y in samples]
        return sum(int(place == y) for place, y in pairs)
    return int(np.count_nonzero(np.argmax(a, axis=0) == (y if labelled else np.argmax(y, axis=0))))


def mean_cost(
    net: Book, samples: list[Any], cost: Any, one_hot: Callable[[Any], Any], *, labelled: bool, adds_up: bool
) -> float:
    """Return the mean of C_x over (x, y), or over (x, label) made into columns.

    - cost: has `fn`; adds_up: and `terms`, so that the cost of many columns is the sum of theirs
    """
    try:
        if not adds_up:
            raise NotColumns
        a, y = outputs_of(net, samples, labelled=labelled)
        view = _view(net, samples, labelled=labelled)
        if view is not None and len(a) > 1 and a.min() > 0 and a.max() < 1:
            return view.look()[1] / len(samples)  # the kernels' cost; the book's where an output is saturated
    except NotColumns:
        total = 0.0
        for x, y in samples:
            total += float(cost.fn(net.feedforward(x), one_hot(y) if labelled else y)) / len(samples)
        return total
    if labelled:
        y = np.column_stack([one_hot(label) for label in range(int(y.max()) + 1)])[:, y]
    return float(np.sum(cost.terms(a, y) / len(samples)))  # first divided: several of the largest number there is
