"""How steep σ is where the samples are, and ∇ₐC before σ' is multiplied in: functions of a row, called by address."""

from functools import cache
from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from ..compiler.callee import INTEGERS, NUMBERS, SIZE, Emitted
from ..compiler.native import address_of
from ..formulas.activations import Activation
from ..formulas.costs import Cost
from ..formulas.expression import trace
from ..formulas.looks import SMALL
from ..formulas.steepness import FLAT, steepest
from ..vectors.compute import compute
from ..vectors.flow import I64, Loop
from ..vectors.numbers import numbers, where
from ..vectors.simd import Vectors
from .costs import COST, emit_rows


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
    builder, at = simd.builder, simd.builder.gep
    with Loop(builder, m, z, a, builder.load(flat)) as rows:
        z_i, a_i, before = rows.values
        with Loop(builder, simd.vectors(n), I64(0), before) as loop:
            j, count = loop.values
            values = numbers(simd, simd.load(at(z_i, [j])), simd.load(at(a_i, [j])), simd.load(at(slopes, [j])))
            (slope,) = compute(simd, formula, {"z": values[0], "a": values[1]})
            simd.store(where(slope > values[2], slope, values[2]).value, at(slopes, [j]))
            below = builder.and_((slope < limit).value, simd.compare("<", simd.places(j), n))
            loop.later = [builder.add(j, I64(simd.count)), builder.add(count, emit_count(simd, below))]
        rows.later = [at(z_i, [ld]), at(a_i, [ld]), loop.values[1]]
    builder.store(rows.values[2], flat)


def emit_count(simd, mask):
    """How many entries of a mask are true."""
    bits = ir.IntType(simd.count)
    function = cgutils.get_or_insert_function(
        simd.builder.module, ir.FunctionType(bits, [bits]), f"llvm.ctpop.i{simd.count}"
    )
    return simd.builder.zext(simd.builder.call(function, [simd.builder.bitcast(mask, bits)]), I64)


@intrinsic
def count_small(typing_context, a, m, n, ld, small):
    """small ← small + how many |a| are below SMALL.

    - a: pointer to (m, ld), of which n columns count; small: to one
    """

    def codegen(context, builder, signature, arguments):
        first, m, n, ld, place = arguments
        simd, at = Vectors(builder, signature.args[0].dtype), builder.gep
        with Loop(builder, m, first, builder.load(place)) as rows:
            row, before = rows.values
            with Loop(builder, simd.vectors(n), I64(0), before) as loop:
                j, count = loop.values
                (x,) = numbers(simd, simd.call("fabs", "", simd.load(at(row, [j]))))
                below = builder.and_((x < SMALL).value, simd.compare("<", simd.places(j), n))
                loop.later = [builder.add(j, I64(simd.count)), builder.add(count, emit_count(simd, below))]
            rows.later = [at(row, [ld]), loop.values[1]]
        builder.store(rows.values[1], place)
        return context.get_dummy_value()

    return types.void(a, types.intp, types.intp, types.intp, types.CPointer(types.int64)), codegen


@cache
def nabla_squares_address(cost: Cost, activation: Activation, dtype: Any) -> int:
    """Return the address of what leaves |weight ∇ₐC|² where a cost leaves C_x, and z as it is; 0 where σ' cancels.

    It has the operands of a cost.
    """
    if activation.name in cost.pairs:
        return 0

    def function(a: Any, y: Any, z: Any, weight: Any) -> Any:
        nabla = cost.nabla(a, y)
        return nabla * nabla * weight, z  # which is multiplied by the weight once more

    formula = trace(function, ["a", "y", "z", "weight"], dtype.name)

    def emit(builder, *operands):
        emit_rows(Vectors(builder, dtype), formula, *operands)

    return address_of(COST, dtype, formula.digest, emit)
