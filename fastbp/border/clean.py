"""Which arrays have been found finite, and cannot have changed since: those that nobody may write to.

A map of a file that is opened for reading, or an array whose `writeable` flag is off, all the way down to who owns the
numbers. It is checked when it is first seen, and no later fit reads it once more for that.
"""

import weakref
from typing import Any

import numpy as np

from ..formulas import Array

Key = tuple[Any, ...]

known: dict[Key, weakref.ref[Array]] = {}  # forgotten with the array that owns the numbers


def _owner(array: Array) -> Array:
    while isinstance(array.base, np.ndarray):
        array = array.base
    return array


def key(array: Array, dtype: Any) -> Key | None:
    """Return what tells an array from all others, and the dtype it is for; None where it may be written to."""
    here = array
    while True:
        if here.flags.writeable:
            return None
        if not isinstance(here.base, np.ndarray):
            break
        here = here.base
    return id(here), array.ctypes.data, array.shape, array.strides, array.dtype.str, str(dtype)


def remember(key: Key, array: Array) -> None:
    """Note that an array of this key is finite."""
    known[key] = weakref.ref(_owner(array), lambda _: known.pop(key, None))
