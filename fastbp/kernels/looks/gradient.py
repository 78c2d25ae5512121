"""|∂C/∂w|², |∂C/∂b|² and |Δw|² of each neuron: each column of a panel is added up by one thread, over all inputs.

Where the update is fused with BP4, the rule takes the very gradient that was looked at. Plain SGD adds to w straight
away, sum by sum, so BP4 is made once more for it, unless products of rows do.
"""

from ...compiler.callee import SIZE, Callee
from ...compiler.jit import kernel, part
from ...formulas.looks import CHANGE, NABLA_B, NABLA_W
from ...vectors.pointers import advance
from ...vectors.simd import lanes_of
from ..barrier import begin_of
from ..blocking import CHUNK_ROWS, MAX_CONSTANTS, PRODUCTS_COST, panel_of
from ..fields import RUN, before_at, dots_at, layer_at, number_at, parameters_at, put, work_at
from ..rows import copy
from ..squares import add_change_squares, add_squares, row_products
from ..update import add_products, update_weights
from .places import PRODUCTS, clear_neurons, neurons_at, rows_at


@part
def make_gradient(run, layer, j, width, k, rows, first, m, g):
    """BP4, or for k = -1 BP3, of one panel and inputs k .. k + rows - 1, left at g; and the sum of its squares."""
    add_products(run, layer, j, width, k, rows, first, first + m, False, g, g, 0, g)
    for i in range(0, width, lanes_of(run)):
        out = neurons_at(run, NABLA_B if k < 0 else NABLA_W, layer.neurons + j + i)
        add_squares(advance(g, i), rows, width, out)


@part
def look_at_products(run, l, first, m, thread, team):
    """|Σ_i δ_i a_iᵀ|² = Σ_i Σ_j (δ_i·δ_j)(a_i·a_j), a sum for each row i: cheaper than BP4 where rows are few and long.

    In double precision: where samples cancel, half of the digits are lost.
    """
    layer = layer_at(run, l)
    errors, inputs = dots_at(run, 2 * thread * run.capacity), dots_at(run, (2 * thread + 1) * run.capacity)
    for i in range(thread, m, team):
        row, rows = first + i, m - i
        row_products(work_at(run, layer.delta + row * layer.ld), rows, layer.n_out, layer.ld, errors)
        row_products(work_at(run, layer.input + row * layer.ld_input), rows, layer.n_in, layer.ld_input, inputs)
        total = 0.5 * number_at(errors) * number_at(inputs)
        for j in range(1, rows):
            total += number_at(advance(errors, j)) * number_at(advance(inputs, j))
        put(rows_at(run, l, PRODUCTS, row), 2.0 * total)


@part
def few_rows(layer, m):
    """Whether products of rows are cheaper than BP4."""
    return PRODUCTS_COST * m * (layer.n_in + layer.n_out) < layer.n_in * layer.n_out


@kernel(no_cpython_wrapper=True)
def look_at_gradient(run: RUN, first: SIZE, m: SIZE, thread: SIZE, team: SIZE):
    """|∂C/∂w|², |∂C/∂b|², for an update that goes straight to w, or takes the gradient whole; then w as it is before.

    - first: the row that the mini-batch begins with
    """
    g, panel = work_at(run, run.scratch + thread * run.scratch_size + MAX_CONSTANTS), panel_of(run)
    for l in range(run.num_layers):
        layer = layer_at(run, l)
        begin, end = begin_of(thread, team, layer.columns, panel), begin_of(thread + 1, team, layer.columns, panel)
        clear_neurons(run, layer, NABLA_W, begin, end)
        clear_neurons(run, layer, NABLA_B, begin, end)
        few = few_rows(layer, m)
        if few:
            look_at_products(run, l, first, m, thread, team)
        k = -1  # the bias
        while k < (0 if few else layer.n_in):  # inputs outermost, as in update_layer, whose caches these are
            rows = 1 if k < 0 else min(CHUNK_ROWS, layer.n_in - k)
            for j in range(begin, end, panel):
                make_gradient(run, layer, j, min(panel, end - j), k, rows, first, m, g)
            k += rows
    if run.whole:
        place, stop = begin_of(thread, team, run.num_parameters, 1), begin_of(thread + 1, team, run.num_parameters, 1)
        copy(parameters_at(run, place), before_at(run, place), stop - place)


@kernel(no_cpython_wrapper=True)
def look_at_change(run: RUN, thread: SIZE, team: SIZE):
    """|Δw|² of this thread's share of the neurons, by an update that took the gradient whole."""
    lanes, panel = lanes_of(run), panel_of(run)
    for l in range(run.num_layers):
        layer = layer_at(run, l)
        begin, end = begin_of(thread, team, layer.columns, panel), begin_of(thread + 1, team, layer.columns, panel)
        clear_neurons(run, layer, CHANGE, begin, end)
        for j in range(begin, end, lanes):
            front = j // panel * panel  # of the panel
            place, width = layer.weights + front * layer.rows + j - front, min(panel, layer.columns - front)
            out = neurons_at(run, CHANGE, layer.neurons + j)
            add_change_squares(parameters_at(run, place), before_at(run, place), layer.n_in, width, out)


@kernel(no_cpython_wrapper=True)
def look_and_update(run: RUN, first: SIZE, m: SIZE, thread: SIZE, team: SIZE):
    """BP3, BP4 and the rule, with the bits of update_layer, for this thread's share of the neurons; and all squares."""
    scratch, panel = run.scratch + thread * run.scratch_size, panel_of(run)
    g, old = work_at(run, scratch + MAX_CONSTANTS), before_at(run, thread * CHUNK_ROWS * panel)
    for l in range(run.num_layers):
        layer = layer_at(run, l)
        begin, end = begin_of(thread, team, layer.columns, panel), begin_of(thread + 1, team, layer.columns, panel)
        for slot in range(NABLA_W, CHANGE + 1):
            clear_neurons(run, layer, slot, begin, end)
        k = -1  # the bias
        while k < layer.n_in:
            bias = k < 0
            rows = 1 if bias else min(CHUNK_ROWS, layer.n_in - k)
            for j in range(begin, end, panel):
                width = min(panel, end - j)
                place = layer.bias + j if bias else layer.weights + j * layer.rows + k * width
                make_gradient(run, layer, j, width, k, rows, first, m, g)
                copy(parameters_at(run, place), old, rows * width)
                update_weights(run, not bias, place, rows * width, g, work_at(run, scratch))
                for i in range(0, 0 if bias else width, lanes_of(run)):
                    out = neurons_at(run, CHANGE, layer.neurons + j + i)
                    add_change_squares(parameters_at(run, place + i), advance(old, i), rows, width, out)
            k += rows


LOOK_AT_GRADIENT, LOOK_AT_CHANGE = Callee(look_at_gradient.py_func), Callee(look_at_change.py_func)
LOOK_AND_UPDATE = Callee(look_and_update.py_func)
call_look_at_gradient, call_look_at_change = LOOK_AT_GRADIENT.call, LOOK_AT_CHANGE.call
call_look_and_update = LOOK_AND_UPDATE.call
