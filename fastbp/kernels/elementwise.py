"""σ and σ' over whole blocks: a ladder of codes, each rung a loop that vectorises.

A formula is chosen by an integer, because numba never finds kernels that take functions as arguments in its disk cache.
`ACTIVATION_CODES` must name every row of `formulas.activations.ACTIVATIONS` (tests/test_kernels.py).
"""

from .jit import part
from .vmath import exp, tanh

IDENTITY, SIGMOID, TANH, RELU, SOFTMAX = range(5)
ACTIVATION_CODES = {
    "identity": IDENTITY,
    "sigmoid": SIGMOID,
    "tanh": TANH,
    "relu": RELU,
    "softmax": SOFTMAX,
}


@part
def activate(code, a):
    """a ← σ(a), entry by entry; softmax needs rows, see `softmax_rows`.

    - a: (count,). One array, not two: where input and output may be the same memory, LLVM's check for
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
        for i in range(len(a)):
            a[i] = T(0) if a[i] <= T(0) else a[i]  # max(0, z) would turn NaN into 0


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
