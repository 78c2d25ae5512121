"""σ and σ' over whole blocks: a formula for each activation, chosen by its code.

Codes, because numba never finds kernels that take functions as arguments in its disk cache. `ACTIVATION_CODES` must
name every row of `formulas.activations.ACTIVATIONS` (tests/test_kernels.py).
"""

from numba import types
from numba.extending import intrinsic

from . import vmath
from .flow import I64, Loop, call_apart, choose
from .numbers import emit_map, numbers, where
from .simd import Vectors

IDENTITY, SIGMOID, TANH, RELU, SOFTMAX = range(5)
ACTIVATION_CODES = {
    "identity": IDENTITY,
    "sigmoid": SIGMOID,
    "tanh": TANH,
    "relu": RELU,
    "softmax": SOFTMAX,
}


def sigmoid(z):
    """σ(z) = 1 / (1 + e⁻ᶻ)."""
    return 1.0 / (1.0 + vmath.exp(-z))


def relu(z):
    """σ(z) = max(0, z), but NaN stays."""
    return where(z <= 0.0, 0.0, z)


def sigmoid_delta(a, delta):
    """δ a (1 - a)."""
    return delta * (a * (1.0 - a))


def tanh_delta(a, delta):
    """δ (1 - a²)."""
    return delta * (1.0 - a * a)


def relu_delta(a, delta):
    """δ where a > 0, else 0."""
    return where(a <= 0.0, 0.0, delta)


FUNCTIONS = {SIGMOID: sigmoid, TANH: vmath.tanh, RELU: relu}
DELTAS = {SIGMOID: sigmoid_delta, TANH: tanh_delta, RELU: relu_delta}


@intrinsic
def activate(typing_context, code, a, count):
    """a ← σ(a), entry by entry, for `count` numbers, whole vectors, at a pointer; softmax: see `softmax_rows`."""

    def codegen(context, builder, signature, arguments):
        code, place, count = arguments

        choose(builder, code, FUNCTIONS, lambda formula: emit_map(builder, a.dtype, formula, [place], place, count))
        return context.get_dummy_value()

    return types.void(types.intp, a, types.intp), codegen


@intrinsic
def multiply_by_prime(typing_context, code, a, delta, count):
    """δ ← δ ⊙ σ'(z), with σ' from a, for `count` numbers, whole vectors, at two pointers; not for softmax."""

    def codegen(context, builder, signature, arguments):
        code, a, place, count = arguments

        choose(builder, code, DELTAS, lambda formula: emit_map(builder, delta.dtype, formula, [a, place], place, count))
        return context.get_dummy_value()

    return types.void(types.intp, a, delta, types.intp), codegen


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


def emit_softmax(simd, m, n, a, ld):
    """a_j ← e^(a_j - max a) / Σ_k e^(a_k - max a), row by row."""
    builder = simd.builder
    vectors = simd.vectors(n)
    with Loop(builder, m, a) as rows:
        (row,) = rows.values
        (top,) = numbers(simd, emit_row_maximum(simd, row, n, vectors))
        with Loop(builder, vectors, I64(0), simd.element(0.0)) as loop:
            j, total = loop.values
            (x,) = numbers(simd, simd.load(builder.gep(row, [j])))
            e = where(simd.compare("<", simd.places(j), n), vmath.exp(x - top), 0.0)
            simd.store(e.value, builder.gep(row, [j]))
            loop.later = [builder.add(j, I64(simd.count)), simd.add_in_order(total, e.value, builder.sub(n, j))]
        (scale,) = numbers(simd, builder.fdiv(simd.element(1.0), loop.values[1]))
        with Loop(builder, vectors, I64(0)) as loop:
            (j,) = loop.values
            (e,) = numbers(simd, simd.load(builder.gep(row, [j])))
            simd.store((e * scale).value, builder.gep(row, [j]))
            loop.later = [builder.add(j, I64(simd.count))]
        rows.later = [builder.gep(row, [ld])]


def emit_softmax_delta(simd, m, n, a, delta, ld):
    """δ ← Jᵀ δ = a ⊙ (δ - a·δ), row by row; δ is ∇ₐC when called."""
    builder = simd.builder
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
            simd.store((a_j * (delta_j - mean)).value, builder.gep(places[1], [j]))
            loop.later = [builder.add(j, I64(simd.count))]
        rows.later = [builder.gep(place, [ld]) for place in places]


@intrinsic
def softmax_rows(typing_context, m, n, a, ld):
    """a_j ← e^(a_j - max a) / Σ_k e^(a_k - max a): rows at a pointer, (m, ld), of which n columns count."""

    def codegen(context, builder, signature, arguments):
        def emit(inside, *operands):
            emit_softmax(Vectors(inside, a.dtype), *operands)

        call_apart(builder, f"fastbp_softmax_{a.dtype}", emit, arguments)
        return context.get_dummy_value()

    return types.void(types.intp, types.intp, a, types.intp), codegen


@intrinsic
def softmax_delta(typing_context, m, n, a, delta, ld):
    """δ ← a ⊙ (δ - a·δ): rows at two pointers, (m, ld), of which n columns count and the pads of δ are 0."""

    def codegen(context, builder, signature, arguments):
        def emit(inside, *operands):
            emit_softmax_delta(Vectors(inside, a.dtype), *operands)

        call_apart(builder, f"fastbp_softmax_delta_{a.dtype}", emit, arguments)
        return context.get_dummy_value()

    return types.void(types.intp, types.intp, a, delta, types.intp), codegen
