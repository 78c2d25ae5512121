"""Register tiles: the part of C that stays in registers while k runs, and the choice of its size."""

from numba import types
from numba.extending import intrinsic

from ...vectors.flow import I64, Loop, call_apart, choose
from ...vectors.pointers import emit_prefetch
from ...vectors.simd import Vectors
from ..blocking import GROUPS, HINTS, LONG, MAX_ROWS, PANEL_VECTORS

SIZES = [(rows, vectors) for rows in range(1, MAX_ROWS + 1) for vectors in (1, PANEL_VECTORS)]
SIZES += [(1, 4 * PANEL_VECTORS), *((rows, 2 * PANEL_VECTORS) for rows in range(1, len(GROUPS)))]


def emit_sums(simd, rows, vectors, a, ras, kas, b, ldb, ldp, k):
    """Σ_k A[:, k] B[k, :] for one register tile: `rows` * `vectors` vectors, a row after the other.

    One chain of fused multiply-adds per element, k in order: the same bits at every vector width.
    """
    builder, at = simd.builder, simd.builder.gep
    a_rows = [builder.mul(ras, I64(i)) for i in range(rows)]
    splits = [divmod(v, PANEL_VECTORS) for v in range(vectors)]
    b_places = [builder.add(builder.mul(ldp, I64(p)), I64(v * simd.count)) for p, v in splits]
    with Loop(builder, k, a, b, *[simd.zero()] * (rows * vectors)) as loop:
        a_k, b_k, *old = loop.values
        b_vectors = [simd.load(at(b_k, [place])) for place in b_places]
        total = []
        for i in range(rows):
            a_ik = simd.broadcast(builder.load(at(a_k, [a_rows[i]])))
            total += [simd.fma(a_ik, b_kj, old[i * vectors + v]) for v, b_kj in enumerate(b_vectors)]
        loop.later = [at(a_k, [kas]), at(b_k, [ldb]), *total]
    return loop.values[2:]


def emit_product(
    builder, dtype, rows, vectors, tiles, a, ras, kas, b, ldb, ldp, init, ldi, c, ldc, k, hint, hint_step, hint_end
):  # fmt: skip
    """C = A B + I for `tiles` register tiles of `rows` x `vectors` vectors, one below the other.

    I comes last: many small terms added to one large number, a gradient to its weight, would each be rounded.
    """
    simd, at = Vectors(builder, dtype), builder.gep

    def places(base, stride):
        starts = [builder.mul(stride, I64(i)) for i in range(rows)]
        return [at(base, [builder.add(start, I64(v * simd.count))]) for start in starts for v in range(vectors)]

    def ask(first, hint_t, otherwise):
        for i in range(first, first + HINTS):
            line = at(hint_t, [builder.mul(hint_step, I64(i))])
            emit_prefetch(builder, builder.select(builder.icmp_unsigned("<", line, hint_end), line, otherwise))

    long = builder.icmp_signed(">=", k, I64(LONG))
    lines = builder.mul(hint_step, builder.select(long, I64(2 * HINTS), I64(HINTS)))
    with Loop(builder, tiles, a, init, c, hint) as loop:
        a_t, init_t, c_t, hint_t = loop.values
        ask(0, hint_t, init_t)  # spread over the tiles: a burst would wait for the few misses a core can have under way
        with builder.if_then(long):
            ask(HINTS, hint_t, init_t)
            # A weight may lie in an outer cache: without this, loads at the end waited 300 cycles of a tile's 1500.
            for source in places(init_t, ldi):
                emit_prefetch(builder, source)
        sums = emit_sums(simd, rows, vectors, a_t, ras, kas, b, ldb, ldp, k)
        for source, target, value in zip(places(init_t, ldi), places(c_t, ldc), sums, strict=True):
            simd.store(builder.fadd(simd.load(source), value), target)
        below = [(a_t, ras), (init_t, ldi), (c_t, ldc)]
        loop.later = [at(pointer, [builder.mul(stride, I64(rows))]) for pointer, stride in below]
        loop.later.append(at(hint_t, [lines]))


def call_sized(builder, name, emit, dtype, rows, vectors, operands):
    """Call the function that `emit` emits for this size: a switch over all sizes.

    Each is an LLVM function of its own: inlined side by side, tiles spill each other's registers.
    """

    def case(size):
        def emit_size(inside, *operands):
            emit(inside, dtype, *size, *operands)

        call_apart(builder, f"fastbp_{name}_{dtype}_{size[0]}x{size[1]}", emit_size, operands)

    choice = builder.add(builder.mul(vectors, I64(MAX_ROWS + 1)), rows)
    choose(builder, choice, {v * (MAX_ROWS + 1) + r: (r, v) for r, v in SIZES}, case)


@intrinsic
def product_tiles(
    typing_context, rows, vectors, tiles, a, ras, kas, b, ldb, ldp, init, ldi, c, ldc, k, hint, hint_step, hint_end
):  # fmt: skip
    """C = A B + I on `tiles` >= 1 register tiles of `rows` x `vectors`, one of SIZES; k >= 1.

    - a, b, init, c: pointers to the first number of each operand
    - ras, kas: strides of A along its rows and along k; ldb, ldi, ldc: row strides (ldi = 0 repeats one row)
    - ldp: from one panel of B to the next
    - hint, hint_step, hint_end: lines asked for on the way, from pointer to pointer, `hint_step` numbers apart
    """
    size, pointer = types.intp, types.CPointer(c.dtype)
    operands = (pointer, size, size, pointer, size, size, pointer, size, pointer, size, size, pointer, size, pointer)

    def codegen(context, builder, signature, arguments):
        rows, vectors, *operands = arguments
        call_sized(builder, "product", emit_product, c.dtype, rows, vectors, operands)
        return context.get_dummy_value()

    return types.void(size, size, size, *operands), codegen
