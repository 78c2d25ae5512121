"""From a formula to vector code: each step of `formulas.expression.trace` becomes the operation on vectors it names."""

import operator
from collections.abc import Mapping
from typing import Any

from ..formulas.expression import Formula, Ref
from .erf import erf
from .exponentials import exp_any, exp_negative, expm1, log1p_any, log_any
from .numbers import Number, absolute, emit_loop, sqrt, where
from .order import maximum, minimum, sign
from .simd import Vectors
from .trig import arctan, cos, sin
from .vmath import log1p, rounded, tanh


def expit(x: Any) -> Any:
    """1 / (1 + e⁻ˣ)."""
    return 1.0 / (1.0 + exp_any(-x))


OPERATIONS = {
    "add": operator.add, "subtract": operator.sub, "multiply": operator.mul, "divide": operator.truediv,
    "negative": operator.neg, "absolute": absolute, "sign": sign, "sqrt": sqrt, "minimum": minimum, "maximum": maximum,
    "exp": exp_any, "expm1": expm1, "log": log_any, "log1p": log1p_any, "tanh": tanh, "expit": expit, "erf": erf,
    "sin": sin, "cos": cos, "arctan": arctan,
    "less": operator.lt, "less_equal": operator.le, "greater": operator.gt, "greater_equal": operator.ge,
    "equal": operator.eq, "not_equal": operator.ne,
    "logical_and": operator.and_, "logical_or": operator.or_, "logical_not": operator.invert, "where": where,
}  # fmt: skip
FUSING = {"add", "subtract", "multiply", "negative"}  # take a product as it is; all others round it first


def compute(simd: Any, formula: Formula, values: Mapping[str, Any]) -> list[Any]:
    """Emit a formula, and return its outputs: Numbers, from Numbers by the inputs' names.

    What is written decides which products are fused with a sum, see `numbers`.
    """
    done: list[Any] = []

    def find(operand: Any) -> Any:
        if isinstance(operand, str):
            return values[operand]
        return done[operand.step] if isinstance(operand, Ref) else operand

    for place, (operation, operands) in enumerate(formula.steps):
        found = [find(operand) for operand in operands]
        if operation not in FUSING:
            found = [rounded(x) if isinstance(x, Number) else x for x in found]
        done.append(_function(formula, place, operation)(*found))
    outputs = map(find, formula.outputs)
    return [value if isinstance(value, Number) else Number(simd, simd.constant(value)) for value in outputs]


def _function(formula: Formula, place: int, operation: str) -> Any:
    """Return what computes a step; e^-|x| cannot overflow, and of such a number in 0..1 ln(1 + x) is cheaper."""
    if _is_decay(formula, Ref(place)):
        return exp_negative
    if operation == "log1p" and _is_decay(formula, formula.steps[place][1][0]):
        return log1p
    return OPERATIONS[operation]


def _is_decay(formula: Formula, place: Any) -> bool:
    """Whether an operand is e^-|x|."""
    for operation in ("exp", "negative", "absolute"):
        if not isinstance(place, Ref) or formula.steps[place.step][0] != operation:
            return False
        place = formula.steps[place.step][1][0]
    return True


def emit_formula(
    builder: Any, dtype: Any, formula: Formula, sources: Mapping[str, Any], target: Any, count: Any
) -> None:
    """Target ← formula, entry by entry, for `count` numbers in whole vectors; sources: pointers by input."""
    used = {name: place for name, place in sources.items() if formula.uses(name)}

    def function(*values: Any) -> Any:
        return compute(Vectors(builder, dtype), formula, dict(zip(used, values, strict=True)))[0]

    emit_loop(builder, dtype, function, used.values(), target, count)
