"""Softmax, whose outputs depend on every z of their row, and its Jacobian: emitted by hand, not from a formula."""

from ..vectors import vmath
from ..vectors.flow import I64, Loop
from ..vectors.numbers import numbers, where
from ..vectors.simd import Vectors


def emit_row_maximum(simd, row, n, vectors):
    """max_j of the first n numbers of a row, as a scalar; NaN is passed over."""
    builder = simd.builder
    lowest = simd.constant(float("-inf"))
    with Loop(builder, vectors, I64(0), lowest) as loop:
        j, best = loop.values
        x = simd.load(builder.gep(row, [j]))
        larger = builder.and_(builder.fcmp_ordered(">", x, best), simd.compare("<", simd.places(j), n))
        loop.later = [builder.add(j, I64(simd.count)), builder.select(larger, x, best)]
    return simd.maximum(loop.values[1])


def emit_softmax(builder, dtype, sharpness, m, n, z, a, ld):
    """a_j = e^(s (z_j - max z)) / Σ_k e^(s (z_k - max z)), row by row; s is 1 / temperature."""
    simd = Vectors(builder, dtype)
    vectors = simd.vectors(n)
    with Loop(builder, m, z, a) as rows:
        z_i, row = rows.values
        (top,) = numbers(simd, emit_row_maximum(simd, z_i, n, vectors))
        with Loop(builder, vectors, I64(0), simd.element(0.0)) as loop:
            j, total = loop.values
            (x,) = numbers(simd, simd.load(builder.gep(z_i, [j])))
            power = x - top if sharpness == 1 else (x - top) * sharpness
            e = where(simd.compare("<", simd.places(j), n), vmath.exp(power), 0.0)
            simd.store(e.value, builder.gep(row, [j]))
            loop.later = [builder.add(j, I64(simd.count)), simd.add_in_order(total, e.value, builder.sub(n, j))]
        (scale,) = numbers(simd, builder.fdiv(simd.element(1.0), loop.values[1]))
        with Loop(builder, vectors, I64(0)) as loop:
            (j,) = loop.values
            (e,) = numbers(simd, simd.load(builder.gep(row, [j])))
            simd.store((e * scale).value, builder.gep(row, [j]))
            loop.later = [builder.add(j, I64(simd.count))]
        rows.later = [builder.gep(place, [ld]) for place in (z_i, row)]


def emit_softmax_delta(builder, dtype, sharpness, m, n, z, a, delta, out, ld):
    """out = Jᵀ δ = s a ⊙ (δ - a·δ), row by row; δ is ∇ₐC, and out is where it lies."""
    simd = Vectors(builder, dtype)
    vectors = simd.vectors(n)
    with Loop(builder, m, a, delta) as rows:
        places = rows.values

        def load(j):
            return numbers(simd, *(simd.load(builder.gep(place, [j])) for place in places))

        with Loop(builder, vectors, I64(0), simd.element(0.0)) as loop:
            j, total = loop.values
            a_j, delta_j = load(j)
            total = simd.add_in_order(total, (a_j * delta_j).value, builder.sub(n, j))
            loop.later = [builder.add(j, I64(simd.count)), total]
        (mean,) = numbers(simd, loop.values[1])
        with Loop(builder, vectors, I64(0)) as loop:
            (j,) = loop.values
            a_j, delta_j = load(j)
            a_j = a_j if sharpness == 1 else a_j * sharpness
            simd.store((a_j * (delta_j - mean)).value, builder.gep(places[1], [j]))
            loop.later = [builder.add(j, I64(simd.count))]
        rows.later = [builder.gep(place, [ld]) for place in places]
