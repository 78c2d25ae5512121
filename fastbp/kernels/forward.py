"""Equation (25): z^l = w^l a^(l-1) + b^l, a^l = σ(z^l), for a block of rows."""

from ..compiler.jit import part
from .activate import call_activate
from .fields import parameters_at, work_at
from .products.dense import panels_product
from .rows import copy


@part
def forward_layer(run, layer, first, m):
    """a^l = σ(z^l) for rows first .. first + m - 1 of the workspace."""
    weighted_input(run, layer, first, m)
    squash(run, layer, first, m)


@part
def weighted_input(run, layer, first, m):
    """z^l = a^(l-1) wᵀ + b for rows first .. first + m - 1."""
    panels_product(
        run, m, layer.n_in, layer.columns,
        work_at(run, layer.input + first * layer.ld_input), layer.ld_input,
        parameters_at(run, layer.weights), layer.rows,
        parameters_at(run, layer.bias),
        work_at(run, layer.z + first * layer.ld), layer.ld,
    )  # fmt: skip


@part
def squash(run, layer, first, m):
    """a^l = σ(z^l) for rows first .. first + m - 1; z^l lies in the memory of a^l where nobody needs it later."""
    z, a = work_at(run, layer.z + first * layer.ld), work_at(run, layer.output + first * layer.ld)
    if layer.sigma:
        call_activate(address=layer.sigma, m=m, n=layer.n_out, z=z, a=a, ld=layer.ld)
    elif layer.z != layer.output:
        copy(z, a, m * layer.ld)
