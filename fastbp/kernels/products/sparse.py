"""The first layer's products, where most inputs are 0: over the others alone.

Each sum has the terms of `dense`'s, in the same order, but for those that are 0: the same bits.
"""

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from ...compiler.callee import NUMBERS, SIZE, Callee
from ...compiler.jit import kernel
from ...vectors.flow import I64, Loop, call_apart, choose
from ...vectors.pointers import advance
from ...vectors.simd import Vectors, lanes_of
from ..blocking import (
    BLOCK_INPUTS,
    CHAIN_ROWS,
    GROUPS,
    OUTER_PANELS,
    PANEL_VECTORS,
    ROWS_IN_CACHE,
    ROWS_PER_BLOCK,
    panel_of,
)
from ..fields import LAYER, RUN, order_at, parameters_at, work_at
from ..rows import clear
from .dense import panels_at_once
from .nonzeros import Row, emit_pointers, pick

OUTER_WIDTHS = sorted({*range(1, PANEL_VECTORS + 1), *(PANEL_VECTORS * 2**i for i in range(OUTER_PANELS.bit_length()))})
WIDTHS = [1] + [PANEL_VECTORS * 2**i for i in range(GROUPS[1].bit_length())]  # of a product, in vectors


def emit_product(builder, dtype, vectors, m, starts, blocks, step, entries, b, ldb, ldp, init, c, ldc):
    """C = A B + I, `step` blocks of A's columns after the other; a row of B for each entry of A's."""
    simd, at = Vectors(builder, dtype), builder.gep
    starts, entries = emit_pointers(builder, dtype, starts, entries)
    b_places = emit_places(simd, vectors, ldp)
    c_places = [[I64(v * simd.count)] for v in range(vectors)]
    with Loop(builder, m, c) as rows:
        (c_i,) = rows.values
        for place in c_places:
            simd.store(simd.zero(), at(c_i, place))
        rows.later = [at(c_i, [ldc])]
    groups = builder.sdiv(builder.add(blocks, builder.sub(step, I64(1))), step)
    with Loop(builder, groups, I64(0)) as group:
        (block,) = group.values
        left = builder.sub(blocks, block)
        taken = builder.select(builder.icmp_signed("<", step, left), step, left)
        with Loop(builder, m, at(starts, [block]), c) as rows:
            starts_i, c_i = rows.values
            row = Row(simd, starts_i, taken, entries)
            with row.loop(*(simd.load(at(c_i, place)) for place in c_places)) as loop:
                k, a_ik, following = row.entry(loop)
                b_k = at(b, [builder.mul(k, ldb)])
                b_vectors = [simd.load(at(b_k, [place])) for place in b_places]
                sums = [simd.fma(a_ik, b_kj, old) for b_kj, old in zip(b_vectors, loop.values[1:], strict=True)]
                loop.later = [following, *sums]
            for value, place in zip(loop.values[1:], c_places, strict=True):
                simd.store(value, at(c_i, place))
            rows.later = [at(starts_i, [builder.add(blocks, I64(1))]), at(c_i, [ldc])]
        group.later = [builder.add(block, step)]
    with Loop(builder, m, c) as rows:
        (c_i,) = rows.values
        for place in c_places:
            simd.store(builder.fadd(simd.load(at(init, place)), simd.load(at(c_i, place))), at(c_i, place))
        rows.later = [at(c_i, [ldc])]


def emit_rows_of_outer(simd, vectors, m, starts, blocks, entries, d, ldd, g_places, g, all_starts, order, m_order,
                       masks=(), note=None):  # fmt: skip
    """G += Aᵀ D, a row after the other; a row of each panel of G for each entry of A's.

    - masks, note: values that are carried from entry to entry, and what becomes of them; returns the last
    """
    builder, at = simd.builder, simd.builder.gep
    width = min(vectors, PANEL_VECTORS) * simd.count
    places = [[I64(v * simd.count)] for v in range(vectors)]
    with Loop(builder, m, I64(0), starts, d, *masks) as rows:
        i, starts_i, d_i, *masks_i = rows.values
        with builder.if_then(builder.icmp_signed("<", i, m_order)):  # 16 us a step of 784-30-10 without, 11 with
            sample = builder.load(at(order, [i]))
            Row(simd, at(all_starts, [builder.mul(sample, blocks)]), I64(1), entries).ask()
        d_vectors = [simd.load(at(d_i, place)) for place in places]
        row = Row(simd, starts_i, I64(1), entries)
        with row.loop(*masks_i) as loop:
            k, a_ik, following = row.entry(loop)
            g_k = at(g, [builder.mul(k, I64(width))])
            for place, d_ij in zip(g_places, d_vectors, strict=True):
                g_kj = at(g_k, [place])
                simd.store(simd.fma(a_ik, d_ij, simd.load(g_kj)), g_kj)
            loop.later = [following, *(note(k, loop.values[1:]) if note else ())]
        rows.later = [
            builder.add(i, I64(1)), at(starts_i, [builder.add(blocks, I64(1))]), at(d_i, [ldd]), *loop.values[1:],
        ]  # fmt: skip
    return rows.values[3:]


def emit_outer(builder, dtype, vectors, m, starts, blocks, entries, d, ldd, g, ldg, all_starts, order, m_order):
    """G += Aᵀ D for one block of A's columns."""
    simd = Vectors(builder, dtype)
    starts, entries = emit_pointers(builder, dtype, starts, entries)
    all_starts = builder.inttoptr(all_starts, starts.type)
    g_places = emit_places(simd, vectors, ldg)
    emit_rows_of_outer(simd, vectors, m, starts, blocks, entries, d, ldd, g_places, g, all_starts, order, m_order)


def emit_outer_sum(
    builder, dtype, vectors, m, starts, blocks, entries, d, ldd, g, ldg, w, ldw, first, all_starts, order, m_order
):
    """W += Aᵀ D for one block of A's columns, the sums made in G, which is 0 before and after: rows without entries
    are left alone, half of w in a mini-batch of 10 digits.
    """  # noqa: D205
    simd, at = Vectors(builder, dtype), builder.gep
    starts, entries = emit_pointers(builder, dtype, starts, entries)
    all_starts = builder.inttoptr(all_starts, starts.type)
    g_places, w_places = emit_places(simd, vectors, ldg), emit_places(simd, vectors, ldw)
    width, zero = min(vectors, PANEL_VECTORS) * simd.count, I64(0)

    def note(k, masks):
        """Set the bit of input k: of the first 64 of the block in one mask, of the others in another."""
        place = builder.sub(k, first)
        bit = builder.shl(I64(1), builder.and_(place, I64(63)))
        low = builder.icmp_unsigned("<", place, I64(64))
        return [
            builder.or_(masks[0], builder.select(low, bit, zero)),
            builder.or_(masks[1], builder.select(low, zero, bit)),
        ]

    masks = emit_rows_of_outer(
        simd, vectors, m, starts, blocks, entries, d, ldd, g_places, g, all_starts, order, m_order, (zero, zero), note
    )
    for mask, begin in zip(masks, (0, 64), strict=True):
        with Loop(builder, builder.ctpop(mask), mask) as bits:
            (left,) = bits.values
            k = builder.add(builder.add(first, I64(begin)), builder.cttz(left, ir.Constant(ir.IntType(1), 1)))
            offset = builder.mul(k, I64(width))
            g_k, w_k = at(g, [offset]), at(w, [offset])
            for g_place, w_place in zip(g_places, w_places, strict=True):
                g_kj, w_kj = at(g_k, [g_place]), at(w_k, [w_place])
                simd.store(builder.fadd(simd.load(g_kj), simd.load(w_kj)), w_kj)
                simd.store(simd.zero(), g_kj)
            bits.later = [builder.and_(left, builder.sub(left, I64(1)))]


def emit_places(simd, vectors, ld):
    """Offsets of `vectors` vectors in panels that are ld apart."""
    builder = simd.builder
    splits = [divmod(v, PANEL_VECTORS) for v in range(vectors)]
    return [builder.add(builder.mul(ld, I64(p)), I64(v * simd.count)) for p, v in splits]


def _call_sized(builder, emit, dtype, widths, vectors, operands):
    def case(width):
        def emit_width(inside, *operands):
            emit(inside, dtype, width, *operands)

        call_apart(builder, f"fastbp_skipping_{emit.__name__}_{dtype}_{width}", emit_width, operands)

    choose(builder, vectors, {width: width for width in widths}, case)


@intrinsic
def product_of_entries(typing_context, vectors, m, starts, blocks, step, entries, b, ldb, ldp, init, c, ldc):
    """C = A B + I on m rows of `vectors`, one of WIDTHS.

    - starts, entries: addresses of A; blocks + 1: from the starts of one row to those of the next
    - step: blocks of B that all rows go through before the next ones are asked for
    - b, ldb, ldp, c, ldc: as in `dense.panel_product`; init: pointer to the one row of I
    """

    def codegen(context, builder, signature, arguments):
        vectors, *operands = arguments
        _call_sized(builder, emit_product, c.dtype, WIDTHS, vectors, operands)
        return context.get_dummy_value()

    size, place = types.intp, types.CPointer(c.dtype)
    return types.void(size, size, size, size, size, size, place, size, size, place, place, size), codegen


@intrinsic
def outer_of_entries(typing_context, vectors, m, starts, blocks, entries, d, ldd, g, ldg, all_starts, order, m_order):
    """G += Aᵀ D for one block of A's columns; D and G are `vectors` wide, one of OUTER_WIDTHS: whole panels, or a part.

    - starts, entries: addresses of the block; d (m, width): row stride ldd; g (inputs, panel): where input 0 would lie,
      ldg from one panel to the next
    - all_starts, order, m_order: address of the block in `starts` of all samples; which of them, the next
      mini-batch's, to ask for on the way
    """

    def codegen(context, builder, signature, arguments):
        vectors, *operands = arguments
        _call_sized(builder, emit_outer, g.dtype, OUTER_WIDTHS, vectors, operands)
        return context.get_dummy_value()

    size, place, integers = types.intp, types.CPointer(g.dtype), types.CPointer(types.int64)
    return types.void(size, size, size, size, size, place, size, place, size, size, integers, size), codegen


@intrinsic
def outer_sum_of_entries(
    typing_context, vectors, m, starts, blocks, entries, d, ldd, g, ldg, w, ldw, first, all_starts, order, m_order
):
    """W += Aᵀ D as by outer_of_entries, through G, which is 0 before and after.

    - w (inputs, panel): where input 0 would lie, ldw from one panel to the next; first: input of the block
    """

    def codegen(context, builder, signature, arguments):
        vectors, *operands = arguments
        _call_sized(builder, emit_outer_sum, g.dtype, OUTER_WIDTHS, vectors, operands)
        return context.get_dummy_value()

    size, place, integers = types.intp, types.CPointer(g.dtype), types.CPointer(types.int64)
    return types.void(
        size, size, size, size, size, place, size, place, size, place, size, size, size, integers, size
    ), codegen  # fmt: skip


@kernel(no_cpython_wrapper=True)
def forward_entries(run: RUN, layer: LAYER, place: SIZE, first: SIZE, m: SIZE, begin: SIZE, end: SIZE):
    """z¹ = a⁰ wᵀ + b for rows first .. first + m - 1, samples order[place : place + m], and outputs begin .. end."""
    pick(run, layer.blocks, place, first, m)
    # LOOP 3 over rows, few enough for their entries to stay in the cache; LOOP 2 over panels; LOOP 1 over blocks of B.
    panel = panel_of(run)
    for row in range(first, first + m, ROWS_IN_CACHE):
        rows = min(ROWS_IN_CACHE, first + m - row)
        step = 1 if rows >= ROWS_PER_BLOCK else layer.blocks
        starts = run.picked + 8 * row * (layer.blocks + 1)
        j = begin
        while j < end:
            panels = panels_at_once(1, (end - j) // panel)
            width = min(panels * panel, end - j)
            product_of_entries(
                width // lanes_of(run), rows, starts, layer.blocks, step, run.entries,
                parameters_at(run, layer.weights + j * layer.rows), min(width, panel), layer.rows * panel,
                parameters_at(run, layer.bias + j),
                work_at(run, layer.z + row * layer.ld + j), layer.ld,
            )  # fmt: skip
            j += width


@kernel(no_cpython_wrapper=True)
def add_entries(
    run: RUN, layer: LAYER, j: SIZE, panels: SIZE, width: SIZE, k: SIZE, rows: SIZE, first: SIZE, stop: SIZE,
    begun: SIZE, target: NUMBERS, ldt: SIZE, scratch: NUMBERS, place: SIZE, m_order: SIZE,
):  # fmt: skip
    """BP4 for samples first .. stop - 1 and a block of inputs k .. k + rows - 1: target = or += Σ δ a⁰.

    - panels, width: panels of outputs from j on, and how wide each is
    - target: pointer to (rows, width), of the first, ldt from one to the next; begun: whether to add to it
    - scratch: pointer to as much, which is 0 before and after
    - order[place : place + m_order]: samples of the next mini-batch, to ask for
    """
    block, vectors = k // BLOCK_INPUTS, panels * width // lanes_of(run)
    for start in range(first, stop, CHAIN_ROWS):
        m = min(CHAIN_ROWS, stop - start)
        starts, d = (
            run.picked + 8 * (start * (layer.blocks + 1) + block),
            work_at(run, layer.delta + start * layer.ld + j),
        )
        all_starts, order = run.starts + 8 * block, order_at(run, place + start)
        if begun:
            outer_sum_of_entries(
                vectors, m, starts, layer.blocks, run.entries, d, layer.ld, advance(scratch, -k * width), rows * width,
                advance(target, -k * width), ldt, k, all_starts, order, m_order - start,
            )  # fmt: skip
        else:
            for p in range(panels):
                clear(advance(target, p * ldt), rows * width)
            outer_of_entries(
                vectors, m, starts, layer.blocks, run.entries, d, layer.ld, advance(target, -k * width), ldt,
                all_starts, order, m_order - start,
            )  # fmt: skip
        begun = 1


FORWARD_ENTRIES, ADD_ENTRIES = Callee(forward_entries.py_func), Callee(add_entries.py_func)
call_forward_entries, call_add_entries = FORWARD_ENTRIES.call, ADD_ENTRIES.call
