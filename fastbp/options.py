"""The border for everything that is not an array: numbers, choices, callbacks."""

import operator
from collections.abc import Iterable
from typing import Any

import numpy as np

from .formulas.optimizers import OPTIMIZERS, SGD, Adam


def integer(name: str, value: object, low: int) -> int:
    """Return `value` as an int that is at least `low`."""
    try:
        if isinstance(value, (bool, np.bool_)):
            raise TypeError
        result = operator.index(value)  # type: ignore[arg-type]
    except TypeError:
        raise TypeError(f"{name} must be an integer, got {value!r}") from None
    if result < low:
        raise ValueError(f"{name} must be at least {low}, got {result}")
    return result


def checked_threads(threads: int | str) -> int | str:
    """Return "auto" or a number of threads."""
    return "auto" if threads == "auto" else integer('threads (if not "auto")', threads, low=1)


def checked_optimizer(optimizer: object) -> SGD | Adam:
    """Return an optimizer: the book's if None."""
    if optimizer is None:
        return SGD(learning_rate=3.0)
    if isinstance(optimizer, (SGD, Adam)):
        return optimizer
    choices = ", ".join(f"fastbp.{row.__name__}" for row in OPTIMIZERS.values())
    raise TypeError(
        f"optimizer must be an instance of one of {choices}, "
        f"like fastbp.SGD(learning_rate=3.0); got {optimizer!r}"
    )


def checked_callbacks(callbacks: object) -> tuple[Any, ...]:
    """Return the callbacks as a tuple."""
    checked = tuple(callbacks) if isinstance(callbacks, Iterable) else (None,)
    if not all(map(callable, checked)):
        raise TypeError(f"callbacks must be a list of functions (net, history), got {callbacks!r}")
    return checked


def checked_verbose(verbose: object) -> int | str:
    """Return "auto", 0, 1 or 2."""
    if not isinstance(verbose, (int, str)) or verbose not in ("auto", 0, 1, 2):
        raise ValueError(f'verbose must be "auto", 0, 1 or 2, got {verbose!r}')
    return verbose


def checked_pair(name: str, pair: object) -> tuple[object, object]:
    """Return a pair (x, y)."""
    if not isinstance(pair, (tuple, list)) or len(pair) != 2:
        raise TypeError(f"{name} must be a pair (x, y), got {type(pair).__name__}")
    return pair[0], pair[1]
