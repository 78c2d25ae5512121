"""Sums of squares in double precision, in one order whatever the vector width: hence the same bits."""

from functools import partial

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from ..vectors.flow import I64, Loop
from ..vectors.simd import Vectors
from .blocking import SQUARE_CHAINS


def widened(simd, vector):
    """Return the numbers of a vector in double precision."""
    wide = ir.VectorType(ir.DoubleType(), simd.count)
    return vector if vector.type == wide else simd.builder.fpext(vector, wide)


def emit_column_squares(simd, load, n, step, places, out):
    """out_j ← out_j + Σ_k x_kj², for one vector of columns j.

    - load: of pointers to row k, one for each of `places`, makes x_k; step: from row to row

    SQUARE_CHAINS sums, the first over k = 0, 4, 8 ..
    """
    builder, at = simd.builder, simd.builder.gep
    wide = ir.VectorType(ir.DoubleType(), simd.count)
    kind = ir.FunctionType(wide, [wide] * 3)
    fma = cgutils.get_or_insert_function(builder.module, kind, f"llvm.fma.v{simd.count}f64")

    def add(total, *row):
        x = widened(simd, load(*row))
        return builder.call(fma, [x, x, total])

    def rows(here, count):
        return [at(place, [builder.mul(step, I64(count))]) for place in here]

    zero, number = ir.Constant(wide, None), len(places)
    with Loop(builder, builder.udiv(n, I64(SQUARE_CHAINS)), *places, *[zero] * SQUARE_CHAINS) as loop:
        here, sums = loop.values[:number], loop.values[number:]
        sums = [add(total, *rows(here, i)) for i, total in enumerate(sums)]
        loop.later = [*rows(here, SQUARE_CHAINS), *sums]
    here, (first, *others) = loop.values[:number], loop.values[number:]
    with Loop(builder, builder.urem(n, I64(SQUARE_CHAINS)), *here, first) as loop:
        loop.later = [*rows(loop.values[:number], 1), add(loop.values[number], *loop.values[:number])]
    total = loop.values[number]
    for other in others:
        total = builder.fadd(total, other)
    target = builder.bitcast(out, wide.as_pointer())
    before = builder.load(target)
    before.align = 8
    builder.store(builder.fadd(before, total), target).align = 8


def _difference(simd, now, before):
    return simd.builder.fsub(simd.load(now), simd.load(before))


@intrinsic
def add_squares(typing_context, g, n, step, out):
    """out_j ← out_j + Σ_k g_kj², for one vector of columns j.

    - g: pointer to (n, step); out: to as many float64 as a vector has numbers
    """

    def codegen(context, builder, signature, arguments):
        g, n, step, out = arguments
        simd = Vectors(builder, signature.args[0].dtype)
        emit_column_squares(simd, simd.load, n, step, [g], out)
        return context.get_dummy_value()

    return types.void(g, types.intp, types.intp, types.CPointer(types.float64)), codegen


@intrinsic
def add_change_squares(typing_context, now, before, n, step, out):
    """out_j ← out_j + Σ_k (now_kj - before_kj)², for one vector of columns j.

    - now, before: pointers to (n, step); out: to as many float64 as a vector has numbers
    """

    def codegen(context, builder, signature, arguments):
        now, before, n, step, out = arguments
        simd = Vectors(builder, signature.args[0].dtype)
        emit_column_squares(simd, partial(_difference, simd), n, step, [now, before], out)
        return context.get_dummy_value()

    return types.void(now, now, types.intp, types.intp, types.CPointer(types.float64)), codegen


@intrinsic
def row_squares(typing_context, a, m, n, ld, out):
    """out_i ← Σ_j a_ij², one column after the other.

    - a: pointer to (m, ld), of which n columns count; out: pointer to (m,) of float64
    """

    def codegen(context, builder, signature, arguments):
        first, m, n, ld, out = arguments
        simd, at = Vectors(builder, signature.args[0].dtype), builder.gep
        with Loop(builder, m, first, out) as rows:
            row, place = rows.values
            with Loop(builder, simd.vectors(n), I64(0), ir.DoubleType()(0.0)) as loop:
                j, total = loop.values
                x = widened(simd, simd.load(at(row, [j])))
                total = simd.add_in_order(total, builder.fmul(x, x), builder.sub(n, j))
                loop.later = [builder.add(j, I64(simd.count)), total]
            builder.store(loop.values[1], place)
            rows.later = [at(row, [ld]), at(place, [I64(1)])]
        return context.get_dummy_value()

    return types.void(a, types.intp, types.intp, types.intp, types.CPointer(types.float64)), codegen
