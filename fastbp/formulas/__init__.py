"""The mathematics, each formula once: NumPy only, no state, no loop over layers.

Every kind of formula is a table from a name to a row. To add one is to add a row.
"""

import inspect
import math
from collections.abc import Callable, Mapping
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


def with_parameters(kind: str, factories: Mapping[str, Callable[..., Row]], name: object) -> Row | None:
    """Return the row of a name such as leaky_relu(slope=0.2); None where it is none with brackets."""
    head, bracket, rest = name.partition("(") if isinstance(name, str) else ("", "", "")
    if not bracket or head not in factories:
        return None
    make = factories[head]
    pairs = [part.split("=") for part in rest.removesuffix(")").split(",")]
    known = list(inspect.signature(make).parameters)
    try:
        values = {each.strip(): float(value) for each, value in pairs}
    except ValueError:
        values = {"": 0.0}
    if not rest.endswith(")") or not values.keys() <= set(known):
        raise ValueError(f"cannot read {kind} {head}({rest}; write {head}({', '.join(f'{n}=0.1' for n in known)})")
    return make(**values)


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
        raise TypeError(f"{name} must be a number, got {value!r:.80}") from None
    if not (low < result < below if positive else low <= result < below):
        lower = f"> {low:g}" if positive else f">= {low:g}"
        upper = "finite" if below == math.inf else f"< {below:g}"
        raise ValueError(f"{name} must be {lower} and {upper}, got {value!r:.80}")
    return result
