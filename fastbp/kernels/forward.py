"""Equation (25): z^l = w^l a^(l-1) + b^l, a^l = σ(z^l), for a block of rows."""

from .elementwise import SOFTMAX, activate, softmax_rows
from .gemm import panels_product
from .jit import part
from .pointers import matrix, pointer, prefetch, vector

AHEAD = 16  # rows whose first line is asked for before its turn: short rows lie a cache miss apart


@part
def gather(x, order, first, m, work, start, ld):
    """a⁰ = the rows of x that this mini-batch names.

    - x: (n, n_0); order (n,): sample at each place; first, m: the places taken
    - work[start:]: (m, ld). Copied, for the copy is read twice, at a stride that suits the cache.
    """
    n = x.shape[1]
    target = matrix(work, start, m, ld)
    for i in range(m):
        if i + AHEAD < m:
            prefetch(pointer(x, order[first + i + AHEAD] * n))
        source = order[first + i]
        for j in range(n):
            target[i, j] = x[source, j]


@part
def forward_layer(multiply, layer, panel, lanes, parameters, work, first, m, keep_z):
    """a^l = σ(a^(l-1) wᵀ + b) for rows first .. first + m - 1 of the workspace.

    - keep_z: leave z^l in the memory of δ^l; else z^l lies only where a^l comes to lie
    """
    z = layer.delta if keep_z else layer.output
    z += first * layer.ld
    a = layer.output + first * layer.ld
    panels_product(
        multiply, panel, lanes, m, layer.n_in, layer.columns,
        pointer(work, layer.input + first * layer.ld_input), layer.ld_input,
        parameters, layer.weights, layer.rows,
        pointer(parameters, layer.bias), 1,
        work, z, layer.ld,
    )  # fmt: skip
    count = m * layer.ld
    if keep_z:
        copy(vector(work, z, count), vector(work, a, count))
    if layer.activation == SOFTMAX:
        softmax_rows(matrix(work, a, m, layer.ld), layer.n_out)
    else:
        activate(layer.activation, vector(work, a, count))


@part
def copy(source, target):
    """target ← source, both (count,)."""
    for i in range(len(source)):
        target[i] = source[i]
