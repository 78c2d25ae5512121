"""BP1 and BP2: the error δ of every layer, for a block of rows."""

from ..compiler.jit import part
from ..vectors.simd import lanes_of
from .activate import call_prime
from .blocking import PANELS_AHEAD, panel_of
from .costs import call_cost
from .fields import costs_at, order_at, parameters_at, right_at, work_at
from .products.dense import call_product
from .products.transpose import transpose_block


@part
def output_delta(run, layer, place, first, m):
    """BP1: δ^L = ∇ₐC ⊙ σ'(z^L) for rows first .. first + m - 1; weight · C_x and weight · (answer is right).

    - order[place + i]: the sample in row i
    """
    start = first * layer.ld
    a, delta = work_at(run, layer.output + start), work_at(run, layer.delta + start)
    call_cost(
        address=run.cost, m=m, n=layer.n_out, a=a, delta=delta, ld=layer.ld, order=order_at(run, place + first),
        labels=run.labels, targets=run.targets, weights=run.weights, costs=costs_at(run, first),
        right=right_at(run, first),
    )  # fmt: skip
    if layer.prime:  # the Jacobian of softmax; all else is part of the cost's function
        call_prime(address=layer.prime, m=m, n=layer.n_out, z=delta, a=a, delta=delta, out=delta, ld=layer.ld)


@part
def transpose_panel(run, layer, j, width, target):
    """Leave w^l of inputs j .. j + width - 1 at work[target:]: (columns, width).

    Made anew for each block of rows. A second copy of all weights, kept by the update, cost more: with
    1024-2048-2048-1000 the two did not fit into the cache together.
    """
    lanes, panel = lanes_of(run), panel_of(run)
    ahead = PANELS_AHEAD * panel * layer.rows
    for column in range(0, layer.columns, panel):
        ld = min(panel, layer.columns - column)
        source = layer.weights + column * layer.rows + j * ld
        for row in range(0, width, lanes):
            for c in range(0, ld, lanes):
                transpose_block(
                    parameters_at(run, source + row * ld + c), ld,
                    work_at(run, target + (column + c) * width + row), width,
                    ahead,
                )  # fmt: skip


@part
def errors_back(run, layer, target, ld, thread, first, m):
    """The first factor of BP2 by itself: δ^l w^l for rows first .. first + m - 1.

    - target: in work, (m, ld)
    """
    turned = run.scratch + thread * run.scratch_size + run.turned
    zeros = work_at(run, run.zeros)
    for j in range(0, layer.rows, panel_of(run)):
        width = min(panel_of(run), layer.rows - j)
        transpose_panel(run, layer, j, width, turned)
        call_product(
            address=run.product, m=m, vectors=width // lanes_of(run),
            a=work_at(run, layer.delta + first * layer.ld), ras=layer.ld, kas=1,
            b=work_at(run, turned), ldb=width, ldp=0,
            init=zeros, ldi=0,
            c=work_at(run, target + j), ldc=ld,
            k=layer.n_out,
            hint=zeros, hint_step=0, hint_end=zeros,
        )  # fmt: skip


@part
def hidden_delta(run, layer, below, thread, first, m):
    """BP2: δ^(l-1) = (δ^l w^l) ⊙ σ'(z^(l-1)) for rows first .. first + m - 1.

    - layer: l, with δ^l; below: l - 1, whose δ is written
    """
    turned = run.scratch + thread * run.scratch_size + run.turned
    zeros = work_at(run, run.zeros)
    for j in range(0, layer.rows, panel_of(run)):
        width = min(panel_of(run), layer.rows - j)
        transpose_panel(run, layer, j, width, turned)
        call_product(
            address=run.product, m=m, vectors=width // lanes_of(run),
            a=work_at(run, layer.delta + first * layer.ld), ras=layer.ld, kas=1,
            b=work_at(run, turned), ldb=width, ldp=0,
            init=zeros, ldi=0,
            c=work_at(run, below.delta + first * below.ld + j), ldc=below.ld,
            k=layer.n_out,
            hint=zeros, hint_step=0, hint_end=zeros,
        )  # fmt: skip
    if below.prime:
        start = first * below.ld
        delta = work_at(run, below.delta + start)
        call_prime(
            address=below.prime, m=m, n=below.n_out, z=work_at(run, below.z + start),
            a=work_at(run, below.output + start), delta=delta, out=delta, ld=below.ld,
        )  # fmt: skip
