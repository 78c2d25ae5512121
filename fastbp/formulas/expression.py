"""A formula as it is written: traced from NumPy's syntax to steps that kernels can be made of.

A function of the kind `lambda z: z / (1 + np.exp(-z))` is called with an Expression for z, which answers NumPy's
functions and operators by noting them. What comes out is a Formula, plain data: it says what is computed, and nothing
of how.
"""

import hashlib
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin


class Ref(NamedTuple):
    """An earlier step: no plain integer, which would be equal to the same number."""

    step: int


Operand = Ref | str | float  # a step, an input's name, a number

ARITHMETIC = {
    "add", "subtract", "multiply", "divide", "minimum", "maximum", "negative", "absolute", "sign", "sqrt",
    "exp", "expm1", "log", "log1p", "tanh", "sin", "cos", "arctan", "erf", "expit",
}  # fmt: skip
COMPARISONS = {"less", "less_equal", "greater", "greater_equal", "equal", "not_equal"}
LOGIC = {"logical_and", "logical_or", "logical_not"}
SAME = {  # other names for the same
    "fabs": "absolute", "bitwise_and": "logical_and", "bitwise_or": "logical_or", "invert": "logical_not",
    "true_divide": "divide",
}  # fmt: skip
KNOWN = (
    "+ - * / and small whole powers, comparisons, np.exp, expm1, log, log1p, tanh, sqrt, abs, sign, minimum, maximum, "
    "square, clip, where, sin, cos, arctan, and scipy.special's erf and expit"
)
MAX_POWER = 8


class Formula(NamedTuple):
    """Steps that lead from inputs to outputs, each an operation on earlier ones; equal formulas are equal data."""

    inputs: tuple[str, ...]
    steps: tuple[tuple[str, tuple[Operand, ...]], ...]
    outputs: tuple[Operand, ...]

    @property
    def digest(self) -> str:
        """64 bits that tell it from every other."""
        return hashlib.sha256(repr(tuple(self)).encode()).hexdigest()[:16]

    def uses(self, name: str) -> bool:
        """Whether an input has any part in the outputs."""
        return name in self.outputs or any(name in operands for _, operands in self.steps)


class Expression(NDArrayOperatorsMixin):
    """A number, or the truth of a comparison, in a formula that is being traced."""

    def __init__(self, operation: str, operands: tuple[Any, ...], dtype: np.dtype[Any]) -> None:
        self.operation, self.operands, self.dtype = operation, operands, dtype

    @property
    def is_mask(self) -> bool:
        """Whether it is true or false."""
        return self.operation in COMPARISONS or self.operation in LOGIC

    def __array_ufunc__(self, ufunc: Any, method: str, *operands: Any, **options: Any) -> Any:
        name = str(ufunc.__name__).removesuffix(" (vectorized)")
        if not all(map(_is_operand, operands)):
            return NotImplemented  # NumPy asks the others: dual numbers answer
        if method != "__call__" or options:
            what = {"__call__": " has options"}.get(method, f".{method} looks at many entries")
            raise TypeError(f"np.{name}{what}; a formula computes each by itself: {KNOWN}")
        return self._note(SAME.get(name, name), operands)

    def _note(self, name: str, operands: tuple[Any, ...]) -> Any:
        """Return the expression of one operation."""
        if name in LOGIC:
            return Expression(name, tuple(map(_mask, operands)), self.dtype)
        values = tuple(map(_number, operands))
        if name == "positive":
            return values[0]
        if name in ("square", "power"):
            return _power(*values) if name == "power" else values[0] * values[0]
        if name == "reciprocal":
            return 1 / values[0]
        if name in ARITHMETIC or name in COMPARISONS:
            return Expression(name, values, self.dtype)
        raise TypeError(f"{name} is not known to the kernels; a formula may use {KNOWN}")

    def __array_function__(self, function: Any, kinds: Any, operands: tuple[Any, ...], options: dict[str, Any]) -> Any:
        if not all(map(_is_operand, operands)):
            return NotImplemented
        if function is np.where and len(operands) == 3:
            mask, x, y = operands
            return Expression("where", (_mask(mask), _number(x), _number(y)), self.dtype)
        if function is np.clip and len(operands) == 3:
            return np.minimum(np.maximum(operands[0], operands[1]), operands[2])
        if function in (np.zeros_like, np.ones_like):
            return float(function is np.ones_like)
        raise TypeError(f"np.{function.__name__} is not known to the kernels; a formula may use {KNOWN}")

    def astype(self, dtype: Any, **options: Any) -> Any:
        """Itself; a mask as 1 and 0."""
        return _number(self)

    def __bool__(self) -> bool:
        raise TypeError(
            "a formula is written for whole arrays, so Python's `if`, `and`, `or`, `not`, `max` and `min` cannot look "
            "at one entry of z; write np.where(z > 0, this, that), &, |, ~, np.maximum or np.minimum"
        )

    def __float__(self) -> float:
        raise TypeError("math's functions take one number; write np.exp(z) for math.exp(z)")

    __int__ = __index__ = __float__

    def __array__(self, *args: Any, **options: Any) -> Any:
        raise TypeError(f"a formula computes each entry by itself and makes no arrays; it may use {KNOWN}")

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        raise TypeError(f".{name} is not known to the kernels; a formula computes each entry by itself, from {KNOWN}")

    def __iter__(self) -> Any:
        raise TypeError("a formula computes each entry by itself, and cannot look at several")

    def __repr__(self) -> str:
        return f"<{self.operation}>"

    __hash__ = object.__hash__


def trace(function: Callable[..., Any], inputs: Sequence[str], dtype: Any = np.float64) -> Formula:
    """Return what a function of NumPy's computes from its arguments, which get these names; it may return several."""
    expressions = [Expression("input", (name,), np.dtype(dtype)) for name in inputs]
    found = function(*expressions)
    steps: dict[tuple[str, tuple[Operand, ...]], int] = {}
    places: dict[int, Operand] = {}

    def place(x: Any) -> Operand:
        if not isinstance(x, Expression):
            return float(x)
        if x.operation == "input":
            return str(x.operands[0])
        if id(x) not in places:
            step = (x.operation, tuple(map(place, x.operands)))
            places[id(x)] = Ref(steps.setdefault(step, len(steps)))
        return places[id(x)]

    outputs = tuple(place(_number(x)) for x in (found if isinstance(found, tuple) else (found,)))
    return Formula(tuple(inputs), tuple(steps), outputs)


def _is_operand(x: Any) -> bool:
    return isinstance(x, (Expression, bool, int, float, np.bool_, np.number, np.ndarray))


def _number(x: Any) -> Any:
    """Return an expression of a number, or a number; the truth is 1 or 0."""
    if isinstance(x, Expression):
        return Expression("where", (x, 1.0, 0.0), x.dtype) if x.is_mask else x
    if isinstance(x, np.ndarray) and x.ndim:
        raise TypeError(f"there is an array {x.shape} in the formula; it computes each entry from single numbers")
    try:
        return float(x)
    except (TypeError, ValueError):
        raise TypeError(f"a formula must return a number for each entry; this one returns {x!r:.80}") from None


def _mask(x: Any) -> Expression:
    """Return the truth; a number is true where it is not 0."""
    if not isinstance(x, Expression):
        raise TypeError("np.where and the like take a comparison that depends on what the formula is of, such as z > 0")
    return x if x.is_mask else Expression("not_equal", (x, 0.0), x.dtype)


def _power(x: Any, n: Any) -> Any:
    """X · x · ..., one factor after the other."""
    if n == 0.5:
        return np.sqrt(x)
    if isinstance(n, Expression) or n != int(n) or not 0 < abs(n) <= MAX_POWER:
        raise TypeError(f"z ** n is known for whole n up to {MAX_POWER}; for z above 0 write np.exp(n * np.log(z))")
    result = x
    for _ in range(int(abs(n)) - 1):
        result = result * x
    return 1 / result if n < 0 else result


def times_slope(delta: Any, slope: Any) -> Any:
    """Return δ σ'; where σ' is 1 δ itself, and where it is np.where(mask, 0, 1), as at a kink, a choice.

    Not so in a formula at large: z * (z > 0) must stay NaN for NaN, or a diverging network would not show.
    """
    if not isinstance(slope, Expression):
        return delta if slope == 1 else delta * slope
    if slope.operation == "where" and {str(x) for x in slope.operands[1:]} == {"0.0", "1.0"}:
        mask, first, _ = slope.operands
        return np.where(mask, 0.0, delta) if first == 0 else np.where(mask, delta, 0.0)
    return delta * slope
