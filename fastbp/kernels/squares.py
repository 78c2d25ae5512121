"""Sums of squares in double precision, in one order whatever the vector width: hence the same bits."""

from functools import partial

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from ..vectors.flow import I64, Loop
from ..vectors.simd import I32, Vectors
from .blocking import SQUARE_CHAINS

EIGHT = 8  # sums side by side in a row: a multiple, or a part, of every vector's width
TOGETHER = 4  # rows that are multiplied with one: it is loaded, and made double, once for all


def widened(builder, vector):
    """Return the numbers of a vector in double precision."""
    wide = ir.VectorType(ir.DoubleType(), vector.type.count)
    return vector if vector.type == wide else builder.fpext(vector, wide)


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
        x = widened(builder, load(*row))
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


def emit_row_products(simd, row, others, n):
    """Σ_j a_j b_j of a row a and several others b, each as EIGHT sums over j = 0, 8, 16 .., 1, 9, 17 .., ..."""
    builder, at = simd.builder, simd.builder.gep
    wide = ir.VectorType(ir.DoubleType(), min(simd.count, EIGHT))
    kind = ir.FunctionType(wide, [wide] * 3)
    fma = cgutils.get_or_insert_function(builder.module, kind, f"llvm.fma.v{wide.count}f64")
    beside, group = EIGHT // wide.count, max(simd.count, EIGHT)

    def parts(load, place):
        """Eight numbers, or sixteen, at a pointer: as vectors in double precision."""
        found = []
        for start in range(0, group, simd.count):
            vector = load(at(place, [I64(start)]), start)
            for first in range(0, simd.count, wide.count):
                lanes = ir.Constant(ir.VectorType(I32, wide.count), list(range(first, first + wide.count)))
                found.append(widened(builder, builder.shuffle_vector(vector, vector, lanes)))
        return found

    def add(sums, load, places):
        a, *rows = (parts(load, place) for place in places)
        sums = list(sums)
        for number, b in enumerate(rows):
            for place, pair in enumerate(zip(a, b, strict=True)):
                slot = number * beside + place % beside
                sums[slot] = builder.call(fma, [*pair, sums[slot]])
        return sums

    places, zero = [row, *others], ir.Constant(wide, None)
    with Loop(builder, builder.udiv(n, I64(group)), *places, *[zero] * (beside * len(others))) as loop:
        here, sums = loop.values[: len(places)], loop.values[len(places) :]
        sums = add(sums, lambda place, start: simd.load(place), here)
        loop.later = [*(at(place, [I64(group)]) for place in here), *sums]
    here, sums = loop.values[: len(places)], loop.values[len(places) :]
    left = builder.urem(n, I64(group))

    def load_some(place, start):
        return simd.load_where(simd.compare("<", simd.places(I64(start)), left), place, simd.zero())

    with Loop(builder, builder.zext(builder.icmp_signed(">", left, I64(0)), I64), *sums) as loop:
        loop.later = add(loop.values, load_some, here)
    sums = loop.values
    return [emit_total(builder, sums[i : i + beside]) for i in range(0, len(sums), beside)]


def emit_total(builder, vectors):
    """One number: neighbours are added up, then neighbours of these."""
    entries = [builder.extract_element(vector, I32(i)) for vector in vectors for i in range(vector.type.count)]
    while len(entries) > 1:
        entries = [builder.fadd(one, other) for one, other in zip(entries[::2], entries[1::2], strict=True)]
    return entries[0]


@intrinsic
def row_squares(typing_context, a, m, n, ld, out):
    """out_i ← Σ_j a_ij².

    - a: pointer to (m, ld), of which n columns count; out: pointer to (m,) of float64
    """

    def codegen(context, builder, signature, arguments):
        first, m, n, ld, out = arguments
        simd, at = Vectors(builder, signature.args[0].dtype), builder.gep
        with Loop(builder, m, first, out) as rows:
            row, place = rows.values
            builder.store(emit_row_products(simd, row, [row], n)[0], place)
            rows.later = [at(row, [ld]), at(place, [I64(1)])]
        return context.get_dummy_value()

    return types.void(a, types.intp, types.intp, types.intp, types.CPointer(types.float64)), codegen


@intrinsic
def row_products(typing_context, a, m, n, ld, out):
    """out_i ← Σ_j a_0j a_ij, four rows at a time.

    - a: pointer to (m, ld), of which n columns count; out: pointer to (m,) of float64
    """

    def codegen(context, builder, signature, arguments):
        first, m, n, ld, out = arguments
        simd, at = Vectors(builder, signature.args[0].dtype), builder.gep
        some = builder.udiv(m, I64(TOGETHER))
        places = first, out
        for number, times in ((TOGETHER, some), (1, builder.urem(m, I64(TOGETHER)))):
            with Loop(builder, times, *places) as rows:
                row, place = rows.values
                others = [at(row, [builder.mul(ld, I64(i))]) for i in range(number)]
                for i, total in enumerate(emit_row_products(simd, first, others, n)):
                    builder.store(total, at(place, [I64(i)]))
                rows.later = [at(row, [builder.mul(ld, I64(number))]), at(place, [I64(number)])]
            places = rows.values
        return context.get_dummy_value()

    return types.void(a, types.intp, types.intp, types.intp, types.CPointer(types.float64)), codegen
