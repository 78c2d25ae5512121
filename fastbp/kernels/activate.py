"""σ, and BP2's ⊙ σ'(z), over whole blocks: a function for each row of `formulas.activations`, called by address."""

from functools import cache
from typing import Any

from ..compiler.callee import NUMBERS, SIZE, Emitted
from ..compiler.native import address_of
from ..formulas.activations import Activation
from ..formulas.expression import times_slope, trace
from ..vectors.compute import emit_formula
from .softmax import emit_softmax, emit_softmax_delta

BY_HAND = (emit_softmax, emit_softmax_delta)  # of the rows that are no formula of each entry


@Emitted
def ACTIVATE(body: Any) -> Any:
    """Make a function of σ."""

    def activate(m: SIZE, n: SIZE, z: NUMBERS, a: NUMBERS, ld: SIZE):
        """a = σ(z): two pointers, or twice one, to (m, ld), of which n columns count."""
        body(m, n, z, a, ld)

    return activate


@Emitted
def PRIME(body: Any) -> Any:
    """Make a function of σ'."""

    def times_prime(m: SIZE, n: SIZE, z: NUMBERS, a: NUMBERS, delta: NUMBERS, out: NUMBERS, ld: SIZE):
        """out = δ ⊙ σ'(z), out being δ: pointers to (m, ld), of which n columns count and the pads of δ are 0."""
        body(m, n, z, a, delta, out, ld)

    return times_prime


call_activate, call_prime = ACTIVATE.call, PRIME.call


@cache
def activation_address(row: Activation, dtype: Any) -> int:
    """Return the address of σ; 0 where σ(z) = z."""
    if row.over_rows:
        return _by_hand(ACTIVATE, row, dtype, 0)
    formula = trace(row.fast or row.function, ["z"], dtype.name)
    if formula.outputs == ("z",):
        return 0

    def emit(builder, m, n, z, a, ld):
        emit_formula(builder, dtype, formula, {"z": z}, a, builder.mul(m, ld))

    return address_of(ACTIVATE, dtype, formula.digest, emit)


@cache
def prime_address(row: Activation, dtype: Any) -> int:
    """Return the address of ⊙ σ'; 0 where σ'(z) = 1."""
    if row.over_rows:
        return _by_hand(PRIME, row, dtype, 1)
    formula = delta_formula(row, dtype)
    if formula.outputs == ("delta",):
        return 0

    def emit(builder, m, n, z, a, delta, out, ld):
        emit_formula(builder, dtype, formula, {"z": z, "a": a, "delta": delta}, out, builder.mul(m, ld))

    return address_of(PRIME, dtype, formula.digest, emit)


def delta_formula(row: Activation, dtype: Any) -> Any:
    """δ σ'(z), from z, a and δ."""
    return trace(lambda z, a, delta: times_slope(delta, row.derivative(z, a)), ["z", "a", "delta"], dtype.name)


@cache
def needs_z(row: Activation, dtype: Any) -> bool:
    """Whether σ' cannot do with a alone."""
    return not row.over_rows and delta_formula(row, dtype).uses("z")


def _by_hand(callee: Emitted, row: Activation, dtype: Any, which: int) -> int:
    def emit(builder, *operands):
        BY_HAND[which](builder, dtype, row.scale, *operands)

    return address_of(callee, dtype, row.name, emit)
