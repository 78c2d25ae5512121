"""Equation (25): z^l = w^l a^(l-1) + b^l, a^l = σ(z^l), for a block of rows."""

from .activations import SOFTMAX, activate, softmax_rows
from .gemm import panels_product
from .jit import part
from .pointers import pointer
from .rows import copy


@part
def forward_layer(multiply, layer, parameters, work, first, m, keep_z):
    """a^l = σ(z^l) for rows first .. first + m - 1 of the workspace; keep_z: see `place_of_z`."""
    z = place_of_z(layer, first, keep_z)
    weighted_input(multiply, layer, parameters, work, z, first, m)
    squash(layer, work, z, first, m, keep_z)


@part
def place_of_z(layer, first, keep_z):
    """Where z^l of row `first` goes: into the memory of δ^l if it is kept, else of a^l."""
    return (layer.delta if keep_z else layer.output) + first * layer.ld


@part
def weighted_input(multiply, layer, parameters, work, z, first, m):
    """z^l = a^(l-1) wᵀ + b for rows first .. first + m - 1, left at work[z:]."""
    panels_product(
        multiply, m, layer.n_in, layer.columns,
        pointer(work, layer.input + first * layer.ld_input), layer.ld_input,
        parameters, layer.weights, layer.rows,
        pointer(parameters, layer.bias), 1,
        work, z, layer.ld,
    )  # fmt: skip


@part
def squash(layer, work, z, first, m, keep_z):
    """a^l = σ(z^l) for rows first .. first + m - 1, whose z^l begin at work[z]."""
    a = pointer(work, layer.output + first * layer.ld)
    count = m * layer.ld
    if keep_z:
        copy(pointer(work, z), a, count)
    if layer.activation == SOFTMAX:
        softmax_rows(m, layer.n_out, a, layer.ld)
    else:
        activate(layer.activation, a, count)
