"""The mathematics, each formula once: NumPy only, no state, no loop over layers.

Every kind of formula is a table from a name to a row. To add one is to add a row.
"""

import math
from collections.abc import Mapping
from typing import Any, TypeVar

from numpy.typing import NDArray

# float32 or float64: a formula returns the dtype it is given.
Array = NDArray[Any]

Row = TypeVar("Row")


def lookup(kind: str, table: Mapping[str, Row], name: object) -> Row:
    """Return the row called `name`, or say which names there are."""
    if isinstance(name, str) and name in table:
        return table[name]
    choices = ", ".join(sorted(table))
    if not isinstance(name, str):
        raise TypeError(f"{kind} must be a name, got {name!r}; choose from {choices}")
    raise ValueError(f"unknown {kind} {name!r}; choose from {choices}")


def number(
    name: str,
    value: object,
    low: float = 0.0,
    below: float = math.inf,
    *,
    positive: bool = False,
) -> float:
    """Return `value` as a float with low <= value < below (low < value if `positive`)."""
    try:
        if isinstance(value, (bool, str, bytes)):
            raise TypeError
        result = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        raise TypeError(f"{name} must be a number, got {value!r}") from None
    if not (low < result < below if positive else low <= result < below):
        lower = f"> {low:g}" if positive else f">= {low:g}"
        upper = "finite" if below == math.inf else f"< {below:g}"
        raise ValueError(f"{name} must be {lower} and {upper}, got {value!r}")
    return result
