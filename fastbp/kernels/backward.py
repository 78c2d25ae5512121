"""BP1 and BP2: the error δ of every layer, for a block of rows."""

from .activations import SOFTMAX, multiply_by_prime, softmax_delta
from .costs import SIGMOID_PAIR, cost_rows
from .jit import part
from .pointers import call, pointer
from .simd import lanes_of, panel_of
from .transpose import transpose_block

PANELS_AHEAD = 2  # one square lies far from the next, and nothing else would have it fetched in time


@part
def output_rows(settings, layer, work, data, order, place, first, m, costs, right):
    """BP1: δ^L = ∇ₐC ⊙ σ'(z^L) for rows first .. first + m - 1; weight · C_x and weight · (answer is right).

    - data: (targets, labels, weights), of which targets or labels is empty, and weights may be
    - order[place + i]: the sample in row i
    """
    targets, labels, weights = data
    n, ld = layer.n_out, layer.ld
    a, delta = pointer(work, layer.output + first * ld), pointer(work, layer.delta + first * ld)
    cost_rows(
        settings.cost, m, n, a, delta, ld, pointer(order, place + first), labels, targets, weights,
        pointer(costs, first), pointer(right, first),
    )  # fmt: skip
    if settings.cost >= SIGMOID_PAIR:
        return
    if layer.activation == SOFTMAX:
        softmax_delta(m, n, a, delta, ld)
    else:
        multiply_by_prime(layer.activation, a, delta, m * ld)


@part
def transpose_panel(layer, j, width, parameters, work, target):
    """Leave w^l of inputs j .. j + width - 1 at work[target:]: (columns, width).

    Made anew for each block of rows. A second copy of all weights, kept by the update, cost more: with
    1024-2048-2048-1000 the two did not fit into the cache together.
    """
    lanes, panel = lanes_of(work), panel_of(work)
    ahead = PANELS_AHEAD * panel * layer.rows
    for column in range(0, layer.columns, panel):
        ld = min(panel, layer.columns - column)
        source = layer.weights + column * layer.rows + j * ld
        for row in range(0, width, lanes):
            for c in range(0, ld, lanes):
                transpose_block(
                    pointer(parameters, source + row * ld + c), ld,
                    pointer(work, target + (column + c) * width + row), width,
                    ahead,
                )  # fmt: skip


@part
def hidden_delta(settings, layer, below, parameters, work, thread, first, m):
    """BP2: δ^(l-1) = (δ^l w^l) ⊙ σ'(z^(l-1)) for rows first .. first + m - 1.

    - layer: l, with δ^l; below: l - 1, whose δ is written
    """
    turned = settings.scratch + thread * settings.scratch_size + settings.turned
    zeros = pointer(work, settings.zeros)
    for j in range(0, layer.rows, panel_of(work)):
        width = min(panel_of(work), layer.rows - j)
        transpose_panel(layer, j, width, parameters, work, turned)
        call(
            settings.multiply, m, width // lanes_of(work),
            pointer(work, layer.delta + first * layer.ld), layer.ld, 1,
            pointer(work, turned), width, 0,
            zeros, 0,
            pointer(work, below.delta + first * below.ld + j), below.ld,
            layer.n_out,
            zeros, 0, zeros,
        )  # fmt: skip
    start = first * below.ld
    a, delta = pointer(work, below.output + start), pointer(work, below.delta + start)
    multiply_by_prime(below.activation, a, delta, m * below.ld)
