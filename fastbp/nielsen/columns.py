"""Samples as the book has them, a list of (x, y), made into matrices."""

from collections.abc import Iterable, Sequence
from operator import is_
from typing import Any

import numpy as np

from ..formulas import Array

AT_ONCE = 4096  # columns that are copied together


class NotColumns(Exception):
    """The samples are of another kind than matrices can be made of: the book's own loop has to do."""


class Columns:
    """Samples whose arrays are looked up once; their numbers are read anew each time, since people change them.

    - sides: x, and y where it is columns too: labels (n,) are kept, since numbers cannot be changed
    """

    def __init__(self, samples: Sequence[Any], n_in: int, n_out: int, *, labelled: bool) -> None:
        self.kind = n_in, n_out, labelled
        self.samples = list(samples)
        self.lasts = all(type(sample) is tuple for sample in samples)
        try:
            xs, ys = zip(*self.samples, strict=True)
        except (TypeError, ValueError):
            raise NotColumns from None
        self.sides: list[Side | Array] = [Side(xs, n_in), _labels(ys) if labelled else _answers(ys, n_out)]

    def are(self, samples: Sequence[Any]) -> bool:
        """Whether these are the samples, in this order."""
        return self.lasts and len(samples) == len(self.samples) and all(map(is_, samples, self.samples))

    def numbers(self, dtype: Any = np.float64) -> tuple[Array, Array]:
        """Return x (n, n_0), and y (n, n_L) or labels (n,), as they are now; all but labels in one dtype."""
        x, y = (side.matrix(dtype) if isinstance(side, Side) else side for side in self.sides)
        return x, y if y.ndim == 1 else y.astype(dtype, copy=False)

    def reorder(self, order: Array) -> None:
        """Put the samples into another order."""
        places = order.tolist()
        self.samples = [self.samples[i] for i in places]
        self.sides = [side.reordered(places) if isinstance(side, Side) else side[order] for side in self.sides]


class Side:
    """The arrays (n, 1) of one side of the samples, all of one dtype."""

    def __init__(self, arrays: Sequence[Any], size: int) -> None:
        first = arrays[0]
        if not isinstance(first, np.ndarray) or first.dtype.kind not in "biuf":
            raise NotColumns
        dtype, shape = first.dtype, first.shape
        if shape not in ((size, 1), (size,)):
            raise NotColumns
        for array in arrays:
            if type(array) is not np.ndarray or array.shape != shape or array.dtype != dtype:
                raise NotColumns
            if not array.flags.c_contiguous:
                raise NotColumns
        self.arrays, self.dtype, self.size = list(arrays), dtype, size

    def matrix(self, dtype: Any) -> Array:
        """Return the numbers (n, size), copied as they are now."""
        found = np.empty((len(self.arrays), self.size), dtype)
        for start in range(0, len(self.arrays), AT_ONCE):
            some = self.arrays[start : start + AT_ONCE]
            found[start : start + len(some)] = np.frombuffer(b"".join(some), self.dtype).reshape(len(some), -1)
        return found

    def reordered(self, places: Sequence[int]) -> "Side":
        """Return them in another order."""
        other = object.__new__(Side)
        other.arrays, other.dtype, other.size = [self.arrays[i] for i in places], self.dtype, self.size
        return other


def _answers(ys: Sequence[Any], n_out: int) -> "Side | Array":
    """Return the y of training; a single output may be told by numbers."""
    if n_out == 1 and np.ndim(ys[0]) == 0:
        return _numbers(ys)[:, None].astype(np.float64)
    return Side(ys, n_out)


def _labels(ys: Sequence[Any]) -> Array:
    """Return the labels (n,) of test data."""
    labels = _numbers(ys)
    if labels.dtype.kind not in "biu":
        raise NotColumns
    return labels.astype(np.int64)


def _numbers(ys: Sequence[Any]) -> Array:
    if not all(isinstance(y, (int, float, np.number, np.bool_)) for y in ys):
        raise NotColumns
    return np.array(ys)


def as_list(samples: Iterable[Any] | None) -> list[Any]:
    """Return a list of samples itself, and anything else, lazy zips among them, as a list; none of None."""
    return samples if isinstance(samples, list) else [] if samples is None else list(samples)


def check_column(name: str, x: Any, weights: Sequence[Any]) -> None:
    """Refuse a 1-D x where NumPy would make a matrix of it and go on with wrong numbers."""
    if getattr(x, "ndim", 2) == 1 and len(weights[0]) > 1:
        raise _no_column(name, x)


def _no_column(name: str, x: Any) -> ValueError:
    return ValueError(f"{name} is {x.shape}, and must be a column ({len(x)}, 1): write {name}.reshape(-1, 1)")


def check_target(y: Any, outputs: int) -> None:
    """Refuse a y that NumPy would spread over all outputs."""
    if outputs > 1 and getattr(y, "ndim", 0) == 1:
        raise _no_column("y", y)
    if outputs > 1 and getattr(y, "ndim", 0) == 0:
        raise ValueError(
            f"y is {y!r}, and must be a column ({outputs}, 1) to train on: for a digit vectorized_result(y)"
        )
