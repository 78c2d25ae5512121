"""How steep σ is where the samples are, and ∇ₐC before σ' is multiplied in: functions of a row, called by address."""

from functools import cache
from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from ...compiler.callee import INTEGERS, NUMBERS, SIZE, Emitted
from ...compiler.native import address_of
from ...formulas.activations import Activation
from ...formulas.costs import Cost
from ...formulas.expression import trace
from ...formulas.looks import SMALL
from ...formulas.steepness import FLAT, steepest
from ...vectors.compute import compute
from ...vectors.flow import I64, Loop
from ...vectors.numbers import absolute, numbers, where
from ...vectors.simd import Vectors
from ..costs import COST, emit_rows


@Emitted
def GAUGE(body: Any) -> Any:
    """Make a function of σ'."""

    def gauge(m: SIZE, n: SIZE, z: NUMBERS, a: NUMBERS, ld: SIZE, slopes: NUMBERS, flat: INTEGERS):
        """slopes ← max(slopes, |σ'(z)|) of each neuron; flat ← flat + how many |σ'(z)| are below FLAT of the steepest.

        - z, a: pointers to (m, ld), of which n columns count; slopes: to (n,), padded; flat: to one
        """
        body(m, n, z, a, ld, slopes, flat)

    return gauge


call_gauge = GAUGE.call


@cache
def gauge_address(row: Activation, dtype: Any) -> int:
    """Return the address of a row's gauge; 0 for one over whole rows, which has no slope of each entry."""
    if row.over_rows:
        return 0
    formula = trace(lambda z, a: np.abs(row.derivative(z, a)), ["z", "a"], dtype.name)
    limit = FLAT * steepest(row)

    def emit(builder, *operands):
        emit_gauge(Vectors(builder, dtype), formula, limit, *operands)

    return address_of(GAUGE, dtype, f"{formula.digest}_{limit!r}", emit)


def emit_gauge(simd, formula, limit, m, n, z, a, ld, slopes, flat):
    """All rows of a block, see GAUGE."""

    def test(z_j, a_j, largest):
        (slope,) = compute(simd, formula, {"z": z_j, "a": a_j})
        return slope < limit, where(slope > largest, slope, largest)

    emit_tally(simd, m, n, [z, a], ld, test, flat, slopes)


def emit_tally(simd, m, n, rows, ld, test, total, kept=None):
    """Add to the integer at a pointer how many entries of m rows pass a test, a vector of columns after the other.

    - rows: pointers to (m, ld), of which n columns count
    - test(*numbers, kept): the mask, and what is kept for the next row: in between at a pointer to (n,), padded
    """
    builder, at = simd.builder, simd.builder.gep
    kind = ir.VectorType(ir.IntType(simd.dtype.bitwidth), simd.count)  # as wide as the numbers: a mask costs nothing
    with Loop(builder, simd.vectors(n), I64(0), ir.Constant(kind, None)) as columns:
        j, counts = columns.values
        inside = simd.compare("<", simd.places(j), n)
        before = simd.zero() if kept is None else simd.load(at(kept, [j]))
        with Loop(builder, m, *(at(row, [j]) for row in rows), counts, before) as loop:
            *here, counts, before = loop.values
            passed, after = test(*numbers(simd, *map(simd.load, here), before))
            counts = builder.sub(counts, builder.sext(builder.and_(passed.value, inside), kind))
            loop.later = [*(at(place, [ld]) for place in here), counts, after.value]
        if kept is not None:
            simd.store(loop.values[-1], at(kept, [j]))
        columns.later = [builder.add(j, I64(simd.count)), loop.values[-2]]
    found = builder.load(total)
    for i in range(simd.count):
        entry = builder.extract_element(columns.values[1], I64(i))
        found = builder.add(found, entry if entry.type == I64 else builder.zext(entry, I64))
    builder.store(found, total)


@intrinsic
def count_small(typing_context, a, m, n, ld, small):
    """small ← small + how many |a| are below SMALL.

    - a: pointer to (m, ld), of which n columns count; small: to one
    """

    def codegen(context, builder, signature, arguments):
        first, m, n, ld, place = arguments
        simd = Vectors(builder, signature.args[0].dtype)

        def test(x, kept):
            return absolute(x) < SMALL, kept

        emit_tally(simd, m, n, [first], ld, test, place)
        return context.get_dummy_value()

    return types.void(a, types.intp, types.intp, types.intp, types.CPointer(types.int64)), codegen


@cache
def nabla_squares_address(cost: Cost, activation: Activation, dtype: Any) -> int:
    """Return the address of what leaves |weight ∇ₐC|² where a cost leaves C_x, and z as it is; 0 where σ' cancels.

    It has the operands of a cost.
    """
    if cost.pair(activation):
        return 0

    def function(a: Any, y: Any, z: Any, weight: Any, outputs: Any) -> Any:
        nabla = cost.nabla(a, cost.smooth(y, outputs))
        return nabla * nabla * weight, z  # which is multiplied by the weight once more

    formula = trace(function, ["a", "y", "z", "weight", "outputs"], dtype.name)

    def emit(builder, *operands):
        emit_rows(Vectors(builder, dtype), formula, *operands)

    return address_of(COST, dtype, formula.digest, emit)
