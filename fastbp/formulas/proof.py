"""What a formula of a user's own must show when it is made: that kernels can be made of it, and that its derivative is.

The derivative is compared with differences of the function, in float64. Places where these do not settle, kinks, prove
nothing and are passed over.
"""

from collections.abc import Callable
from dataclasses import is_dataclass
from functools import partial
from typing import Any

import numpy as np

from . import Array, number
from .expression import trace
from .optimizers import MOST_CONSTANTS, constants_at, traced_rule

Function = Callable[[Array], Array]

SEVERAL = np.linspace(-6, 6, 49) + 0.01  # off the round numbers, where kinks are
FAR = np.array([-1000.0, -90.0, 90.0, 1000.0])  # e^90 is beyond float32
STEP = 1e-3  # of a difference of fourth order: its error is about 1e-12, and rounding's 1e-13
SETTLED, EQUAL = 1e-7, 1e-6  # of 1 + the derivative's size


def check_prime(row: Any) -> None:
    """Refuse an activation that kernels cannot compute, or whose σ' is none."""
    _check_name("activation", row)
    if row.over_rows:
        raise ValueError("over_rows is for softmax, which the kernels know by name")
    with _naming(row):
        trace(row.function, ["z"])
        trace(row.derivative, ["z", "a"])
        with np.errstate(all="ignore"):
            _compare(row, "z", row.value, lambda z: row.slope(z, row.value(z)), SEVERAL)
            zero = np.zeros(1)
            if not np.isfinite(row.slope(zero, row.value(zero))).all():
                raise ValueError("the derivative is not finite at z = 0, where every z of a dead input begins")
            for dtype in (np.float32, np.float64):
                _check_far(row, FAR.astype(dtype))


def check_cost(row: Any) -> None:
    """Refuse a cost that kernels cannot compute, or whose derivative is none."""
    _check_name("cost", row)
    with _naming(row):
        trace(row.function, ["a", "y"])
        trace(row.nabla, ["a", "y"])
        inside = np.linspace(0.03, 0.97, 49)  # what every cost should take
        with np.errstate(all="ignore"):
            for target in (0.0, 0.4, 1.0):
                y = np.full_like(inside, target)
                terms, slope = partial(_given, row.terms, y), partial(_given, row.slope, y)
                _compare(row, f"y = {target:g}, a", terms, slope, inside)


def _given(function: Callable[[Array, Array], Array], y: Array, a: Array) -> Array:
    return function(a, y)


def check_rule(optimizer: Any) -> None:
    """Refuse an optimizer of a user's own that kernels cannot compute, or that is none."""
    name = type(optimizer).__name__
    wanted = ("learning_rate", "slots", "constants", "rule")
    if not is_dataclass(type(optimizer)) or not all(hasattr(optimizer, each) for each in wanted):
        raise TypeError(
            f"{name} must be a frozen dataclass with learning_rate, slots, constants(step) and rule(c, g, w, *state)"
        )
    slots = optimizer.slots
    if not isinstance(slots, tuple) or not all(isinstance(slot, str) for slot in slots) or len({*slots}) < len(slots):
        raise TypeError(f"{name}.slots must be a tuple of names, another for each array of state, got {slots!r}")
    if not callable(optimizer.learning_rate):
        number("learning_rate", optimizer.learning_rate)
    try:
        named = constants_at(optimizer, np.arange(1, 4), np.full(3, 0.1))
        formula = traced_rule(optimizer)
    except AttributeError as error:
        raise TypeError(f"{name}: {error}; c has {', '.join(constants_at(optimizer, 1, 0.1))}") from None
    except (TypeError, ValueError) as error:
        raise type(error)(f"{name}: {error}") from None
    if len(named) > MOST_CONSTANTS:
        raise ValueError(f"{name} has {len(named)} numbers and constants; a rule may ask for {MOST_CONSTANTS}")
    for each, value in named.items():
        if np.ndim(value) > 1 or (np.ndim(value) == 1 and np.shape(value) != (3,)):
            raise ValueError(f"{name}.constants(step)[{each!r}] is {np.shape(value)} for 3 steps; give one for each")
    if len(formula.outputs) != 1 + len(slots):
        raise TypeError(
            f"{name}.rule returns {len(formula.outputs)} arrays; return w and then {', '.join(slots) or 'nothing'}"
        )


def _check_name(kind: str, row: Any) -> None:
    if not isinstance(row.name, str) or not row.name:
        raise TypeError(f"the name of a {kind} must be a word, got {row.name!r}")


class _naming:
    """Says of which row it is, whatever is wrong with it."""

    def __init__(self, row: Any) -> None:
        self.name = row.name

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: Any, error: Any, trace: Any) -> None:
        if isinstance(error, (TypeError, ValueError)) and not str(error).startswith(self.name):
            raise type(error)(f"{self.name}: {error}") from None


def _differences(function: Function, x: Array, h: float) -> Any:
    """f'(x) to fourth order."""
    return (function(x - 2 * h) - 8 * function(x - h) + 8 * function(x + h) - function(x + 2 * h)) / (12 * h)


def _compare(row: Any, what: str, function: Function, slope: Function, x: Array) -> None:
    coarse, fine = _differences(function, x, STEP), _differences(function, x, STEP / 2)
    size = 1 + np.abs(fine)
    settled = np.abs(coarse - fine) <= SETTLED * size  # false for NaN
    if not settled.any():
        raise ValueError(f"{row.name} has no derivative anywhere near 0: its values there are {function(x[:3])}")
    found = slope(x)
    wrong = settled & ~(np.abs(found - fine) <= EQUAL * size)
    if wrong.any():
        place = int(np.argmax(wrong))
        raise ValueError(
            f"{row.name}: the derivative is given as {found[place]:.6g} at {what} = {x[place]:.4g}, and differences of "
            f"the function are {fine[place]:.6g} there; correct it, or leave it out: then it is derived"
        )


def _check_far(row: Any, z: Array) -> None:
    a = row.value(z)
    slope = row.slope(z, a)
    lost = np.isfinite(a) & np.isnan(slope)
    if lost.any():
        raise ValueError(
            f"{row.name}: the derivative is NaN at z = {z[np.argmax(lost)]:g} in {z.dtype}, where the function is "
            f"{a[np.argmax(lost)]:g}: inside it something is infinite; give prime, or write the function so that "
            "nothing is, with np.exp(-np.abs(z)) or scipy.special.expit, say"
        )
