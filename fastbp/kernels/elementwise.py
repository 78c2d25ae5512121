"""σ and σ' over whole blocks: a ladder of codes, each rung a loop that vectorises.

A formula is chosen by an integer, because numba never finds kernels that take functions as arguments in its disk cache.
`ACTIVATION_CODES` must name every row of `formulas.activations.ACTIVATIONS` (tests/test_kernels.py).
"""

from functools import reduce

from numba import types
from numba.extending import intrinsic

from .jit import part
from .pointers import pointer
from .simd import I64, IR_TYPES, Loop, Vectors, function_apart, lanes
from .vmath import exp, tanh

IDENTITY, SIGMOID, TANH, RELU, SOFTMAX = range(5)
ACTIVATION_CODES = {
    "identity": IDENTITY,
    "sigmoid": SIGMOID,
    "tanh": TANH,
    "relu": RELU,
    "softmax": SOFTMAX,
}


def emit_rectify(builder, dtype, source, target, count):
    """target ← max(0, source), but NaN stays."""
    simd = Vectors(builder, IR_TYPES[dtype], lanes(dtype))
    with Loop(builder, builder.udiv(count, I64(simd.count)), source, target) as loop:
        z = simd.load(loop.values[0])
        stays = builder.fcmp_unordered(">", z, simd.zero())
        simd.store(builder.select(stays, z, simd.zero()), loop.values[1])
        loop.later = [builder.gep(place, [I64(simd.count)]) for place in loop.values]


@intrinsic
def rectify(typing_context, a, count):
    """a ← max(0, a), but NaN stays: for `count` numbers, whole vectors, at a pointer.

    A function of two pointers, not inlined: where LLVM sees that one place is read and written, it makes a
    masked store, which takes an AMD processor 12 cycles.
    """

    def codegen(context, builder, signature, arguments):
        place, count = arguments

        def emit(inside, *operands):
            emit_rectify(inside, a.dtype, *operands)

        operands = [place, place, count]
        builder.call(function_apart(builder.module, f"fastbp_rectify_{a.dtype}", emit, operands), operands)
        return context.get_dummy_value()

    return types.void(a, types.intp), codegen


@intrinsic
def all_finite(typing_context, a, count):
    """Whether `count` numbers, whole vectors, at a pointer are finite: x - x is NaN otherwise.

    Vector code, because a sum in order, as LLVM must keep it, takes 3 cycles a number.
    """

    def codegen(context, builder, signature, arguments):
        place, count = arguments
        simd = Vectors(builder, IR_TYPES[a.dtype], lanes(a.dtype))
        with Loop(builder, builder.udiv(count, I64(simd.count)), place, simd.zero()) as loop:
            here, total = loop.values
            x = simd.load(here)
            loop.later = [builder.gep(here, [I64(simd.count)]), builder.fadd(total, builder.fsub(x, x))]
        total = loop.values[1]
        numbers = [builder.extract_element(total, I64(i)) for i in range(simd.count)]
        return builder.fcmp_ordered("ord", *(reduce(builder.fadd, numbers),) * 2)

    return types.boolean(a, types.intp), codegen


@part
def activate(code, a):
    """a ← σ(a), entry by entry; softmax needs rows, see `softmax_rows`.

    - a: (count,), whole vectors. One array, not two: where input and output may be the same memory, LLVM's check for
      overlap sends the loop down its scalar path, eight times slower.
    """
    T = type(a[0])
    if code == SIGMOID:
        for i in range(len(a)):
            a[i] = T(1) / (T(1) + exp(-a[i]))
    elif code == TANH:
        for i in range(len(a)):
            a[i] = tanh(a[i])
    elif code == RELU:
        rectify(pointer(a, 0), len(a))


@part
def multiply_by_prime(code, a, delta):
    """δ ← δ ⊙ σ'(z), with σ' from a.

    - a, delta: (count,)
    """
    T = type(a[0])
    if code == SIGMOID:
        for i in range(len(a)):
            delta[i] *= a[i] * (T(1) - a[i])
    elif code == TANH:
        for i in range(len(a)):
            delta[i] *= T(1) - a[i] * a[i]
    elif code == RELU:
        for i in range(len(a)):
            delta[i] = T(0) if a[i] <= T(0) else delta[i]


@part
def softmax_rows(a, n):
    """a_j ← e^(a_j - max a) / Σ_k e^(a_k - max a), row by row.

    - a: (m, ld); n: columns that count
    """
    T = type(a[0, 0])
    for i in range(a.shape[0]):
        largest = a[i, 0]
        for j in range(1, n):
            largest = a[i, j] if a[i, j] > largest else largest
        for j in range(n):
            a[i, j] = exp(a[i, j] - largest)
        total = T(0)
        for j in range(n):  # in order: not the machine's business to regroup it
            total += a[i, j]
        scale = T(1) / total
        for j in range(n):
            a[i, j] *= scale
