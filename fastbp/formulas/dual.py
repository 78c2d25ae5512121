"""Derivatives without a formula: dual numbers u + u' ε, with ε² = 0, through NumPy's own syntax.

They pass through a function as its argument does, over arrays and over traced expressions alike: f(z + ε) = f(z) +
f'(z) ε.
"""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin


class Dual(NDArrayOperatorsMixin):
    """value + slope ε."""

    def __init__(self, value: Any, slope: Any) -> None:
        self.value, self.slope = value, slope

    @property
    def dtype(self) -> Any:
        """The value's."""
        return self.value.dtype

    def astype(self, dtype: Any, **options: Any) -> "Dual":
        """Return itself: a formula keeps its dtype."""
        return self

    def __array_ufunc__(self, ufunc: Any, method: str, *operands: Any, **options: Any) -> Any:
        name = str(ufunc.__name__).removesuffix(" (vectorized)")
        values = [x.value if isinstance(x, Dual) else x for x in operands]
        slopes = [x.slope if isinstance(x, Dual) else 0.0 for x in operands]
        if method != "__call__" or options or name not in RULES:
            return getattr(ufunc, method)(*values, **options)  # comparisons; and expressions say what is not known
        value = values[0] if name == "positive" else ufunc(*values)
        if isinstance(value, np.ndarray) and value.dtype.kind == "O":  # of a Python function, see special.py
            value = value.astype(float)
        return Dual(value, RULES[name](value, *values, *slopes))

    def __array_function__(self, function: Any, kinds: Any, operands: tuple[Any, ...], options: dict[str, Any]) -> Any:
        if function is np.where and len(operands) == 3:
            mask, x, y = operands
            mask = mask.value if isinstance(mask, Dual) else mask
            x, y = _dual(x), _dual(y)
            return Dual(np.where(mask, x.value, y.value), np.where(mask, x.slope, y.slope))
        if function is np.clip and len(operands) == 3:
            return np.minimum(np.maximum(operands[0], operands[1]), operands[2])
        return function(*(x.value if isinstance(x, Dual) else x for x in operands), **options)

    def __bool__(self) -> bool:
        return bool(self.value)

    __hash__ = object.__hash__


def derivative_of(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return the derivative of a function of NumPy's by its first argument."""

    def derivative(x: Any, *others: Any) -> Any:
        return _dual(function(Dual(x, 1.0), *others)).slope

    return derivative


def _dual(x: Any) -> Dual:
    return x if isinstance(x, Dual) else Dual(x, 0.0)


def _times(x: Any, y: Any) -> Any:
    """X y, where 0 and 1 of Python's leave no operation behind."""
    for one, other in ((x, y), (y, x)):
        if isinstance(one, float) and one == 0.0:
            return 0.0
        if isinstance(one, float) and one == 1.0:
            return other
    return x * y


def _plus(x: Any, y: Any) -> Any:
    """X + y, where a 0 of Python's leaves no operation behind."""
    if isinstance(x, float) and x == 0.0:
        return y
    return x if isinstance(y, float) and y == 0.0 else x + y


def _over(x: Any, y: Any) -> Any:
    """X / y, where a 0 of Python's leaves no operation behind."""
    return 0.0 if isinstance(x, float) and x == 0.0 else x / y


def _power(w: Any, u: Any, n: Any, du: Any, dn: Any) -> Any:
    if not isinstance(n, (int, float, np.number)):
        raise TypeError("z ** n is known for whole numbers n")
    if n == 1:
        return du
    if n == 0.5:
        return _times(0.5 / w, du)
    # w / u is u ** (n - 1) where that is a power too high for kernels; at u = 0 w is infinite as well.
    return _times(float(n) * (w / u if n < 0 else u if n == 2 else u ** (n - 1)), du)


# The slope of w = f(u) or f(u, v), from w, the operands, and their slopes.
RULES: dict[str, Callable[..., Any]] = {
    "add": lambda w, u, v, du, dv: _plus(du, dv),
    "subtract": lambda w, u, v, du, dv: _plus(du, _times(-1.0, dv)),
    "multiply": lambda w, u, v, du, dv: _plus(_times(du, v), _times(u, dv)),
    "divide": lambda w, u, v, du, dv: _over(_plus(du, _times(-1.0, _times(w, dv))), v),
    "negative": lambda w, u, du: _times(-1.0, du),
    "positive": lambda w, u, du: du,
    "exp": lambda w, u, du: _times(w, du),
    "expm1": lambda w, u, du: _times(np.exp(u), du),
    "log": lambda w, u, du: _over(du, u),
    "log1p": lambda w, u, du: _over(du, 1 + u),
    "tanh": lambda w, u, du: _times(1 - w * w, du),
    "sqrt": lambda w, u, du: _over(du, 2 * w),
    "absolute": lambda w, u, du: _times(np.sign(u), du),
    "fabs": lambda w, u, du: _times(np.sign(u), du),
    "sign": lambda w, u, du: 0.0,
    "minimum": lambda w, u, v, du, dv: np.where(u < v, du, dv),
    "maximum": lambda w, u, v, du, dv: np.where(u > v, du, dv),
    "square": lambda w, u, du: _times(2 * u, du),
    "power": _power,
    "reciprocal": lambda w, u, du: _times(-(w * w), du),
    "sin": lambda w, u, du: _times(np.cos(u), du),
    "cos": lambda w, u, du: _times(-np.sin(u), du),
    "arctan": lambda w, u, du: _over(du, 1 + u * u),
    "erf": lambda w, u, du: _times(2 / math.sqrt(math.pi) * np.exp(-(u * u)), du),
    "expit": lambda w, u, du: _times(w * (1 - w), du),
}
