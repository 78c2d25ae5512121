"""The first layer's products, where most inputs are 0: over the others alone.

Each sum has the terms of `dense`'s, in the same order, but for those that are 0: the same bits.
"""

from numba import types
from numba.extending import intrinsic

from ...compiler.callee import NUMBERS, SIZE, Callee
from ...compiler.jit import kernel
from ...vectors.flow import I64, Loop, call_apart, choose
from ...vectors.pointers import advance
from ...vectors.simd import Vectors, lanes_of
from ..blocking import BLOCK_INPUTS, CHAIN_ROWS, GROUPS, OUTER_PANELS, PANEL_VECTORS, ROWS_PER_BLOCK, panel_of
from ..fields import LAYER, RUN, order_at, parameters_at, work_at
from ..rows import add, clear
from .dense import panels_at_once
from .nonzeros import Row, emit_pointers, pick

OUTER_WIDTHS = sorted({*range(1, PANEL_VECTORS + 1), *(PANEL_VECTORS * 2**i for i in range(OUTER_PANELS.bit_length()))})
WIDTHS = [1] + [PANEL_VECTORS * 2**i for i in range(GROUPS[1].bit_length())]  # of a product, in vectors


def emit_product(builder, dtype, vectors, m, starts, blocks, step, entries, b, ldb, ldp, init, c, ldc):
    """C = A B + I, `step` blocks of A's columns after the other; a row of B for each entry of A's."""
    simd, at = Vectors(builder, dtype), builder.gep
    starts, entries = emit_pointers(builder, dtype, starts, entries)
    splits = [divmod(v, PANEL_VECTORS) for v in range(vectors)]
    b_places = [builder.add(builder.mul(ldp, I64(p)), I64(v * simd.count)) for p, v in splits]
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


def emit_outer(builder, dtype, vectors, m, starts, blocks, entries, d, ldd, g, ldg, all_starts, order, m_order):
    """G += Aᵀ D, a row after the other; a row of each panel of G for each entry of A's."""
    simd, at = Vectors(builder, dtype), builder.gep
    starts, entries = emit_pointers(builder, dtype, starts, entries)
    all_starts = builder.inttoptr(all_starts, starts.type)
    splits = [divmod(v, PANEL_VECTORS) for v in range(vectors)]
    width = min(vectors, PANEL_VECTORS) * simd.count
    g_places = [builder.add(builder.mul(ldg, I64(p)), I64(v * simd.count)) for p, v in splits]
    places = [[I64(v * simd.count)] for v in range(vectors)]
    with Loop(builder, m, I64(0), starts, d) as rows:
        i, starts_i, d_i = rows.values
        with builder.if_then(builder.icmp_signed("<", i, m_order)):  # 16 us a step of 784-30-10 without, 11 with
            sample = builder.load(at(order, [i]))
            Row(simd, at(all_starts, [builder.mul(sample, blocks)]), I64(1), entries).ask()
        d_vectors = [simd.load(at(d_i, place)) for place in places]
        row = Row(simd, starts_i, I64(1), entries)
        with row.loop() as loop:
            k, a_ik, following = row.entry(loop)
            g_k = at(g, [builder.mul(k, I64(width))])
            for place, d_ij in zip(g_places, d_vectors, strict=True):
                g_kj = at(g_k, [place])
                simd.store(simd.fma(a_ik, d_ij, simd.load(g_kj)), g_kj)
            loop.later = [following]
        rows.later = [builder.add(i, I64(1)), at(starts_i, [builder.add(blocks, I64(1))]), at(d_i, [ldd])]


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
    """G += Aᵀ D for one block of A's columns; D and G are `vectors` wide: one of OUTER_WIDTHS, whole panels or one part.

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


@kernel(no_cpython_wrapper=True)
def forward_entries(run: RUN, layer: LAYER, place: SIZE, first: SIZE, m: SIZE):
    """z¹ = a⁰ wᵀ + b for rows first .. first + m - 1, samples order[place : place + m]."""
    pick(run, layer.blocks, place, first, m)
    step = 1 if m >= ROWS_PER_BLOCK else layer.blocks
    starts = run.picked + 8 * first * (layer.blocks + 1)
    panel = panel_of(run)
    j = 0
    while j < layer.columns:
        panels = panels_at_once(1, (layer.columns - j) // panel)
        width = min(panels * panel, layer.columns - j)
        product_of_entries(
            width // lanes_of(run), m, starts, layer.blocks, step, run.entries,
            parameters_at(run, layer.weights + j * layer.rows), min(width, panel), layer.rows * panel,
            parameters_at(run, layer.bias + j),
            work_at(run, layer.z + first * layer.ld + j), layer.ld,
        )  # fmt: skip
        j += width


@kernel(no_cpython_wrapper=True)
def add_entries(
    run: RUN, layer: LAYER, j: SIZE, panels: SIZE, width: SIZE, k: SIZE, rows: SIZE, first: SIZE, stop: SIZE,
    begun: SIZE, target: NUMBERS, ldt: SIZE, scratch: NUMBERS, place: SIZE, m_order: SIZE,
):  # fmt: skip
    """BP4 for samples first .. stop - 1 and a block of inputs k .. k + rows - 1: target = or += Σ δ a⁰.

    - panels, width: panels of outputs from j on, and how wide each is
    - target: pointer to (rows, width), of the first, ldt from one to the next; begun: whether to add to it; scratch: as
      large
    - order[place : place + m_order]: samples of the next mini-batch, to ask for
    """
    block = k // BLOCK_INPUTS
    for start in range(first, stop, CHAIN_ROWS):
        sums, lds = (scratch, rows * width) if begun else (target, ldt)
        for p in range(panels):
            clear(advance(sums, p * lds), rows * width)
        outer_of_entries(
            panels * width // lanes_of(run), min(CHAIN_ROWS, stop - start),
            run.picked + 8 * (start * (layer.blocks + 1) + block), layer.blocks, run.entries,
            work_at(run, layer.delta + start * layer.ld + j), layer.ld,
            advance(sums, -k * width), lds,
            run.starts + 8 * block, order_at(run, place + start), m_order - start,
        )  # fmt: skip
        if begun:
            for p in range(panels):
                add(advance(sums, p * lds), advance(target, p * ldt), rows * width)
        begun = 1


FORWARD_ENTRIES, ADD_ENTRIES = Callee(forward_entries.py_func), Callee(add_entries.py_func)
call_forward_entries, call_add_entries = FORWARD_ENTRIES.call, ADD_ENTRIES.call
