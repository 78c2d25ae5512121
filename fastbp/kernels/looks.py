"""What a mini-batch that is looked at tells of each layer: sums of squares and counts, see formulas/looks.py.

Nothing that trains is touched, so the bits of a run are the same whether it is looked at or not. Rows and neurons are
added up in one order, so what is seen depends on no team and no vector width. A run that never looks compiles nothing
of this: `epoch.train` calls it by address.

BP4 is made once more, panel by panel, since the fused update never has the gradient whole: that takes the longest.
"""

from ..compiler.callee import DOUBLE, SIZE, Callee
from ..compiler.jit import kernel, part
from ..formulas.looks import BEFORE, CHANGE, DELTA, FLATTENED, NABLA_B, NABLA_W, NUM_SUMS, SMALL_INPUTS
from ..vectors.pointers import advance
from ..vectors.simd import lanes_of
from .barrier import begin_of
from .blocking import CHUNK_ROWS, MAX_CONSTANTS, PRODUCTS_COST, panel_of
from .costs import call_cost
from .fields import (
    RUN,
    before_at,
    constants_at,
    counts_at,
    dots_at,
    layer_at,
    looks_at,
    neuron_squares_at,
    number_at,
    order_at,
    parameters_at,
    put,
    right_at,
    row_squares_at,
    slopes_at,
    work_at,
    x_at,
)
from .gauge import call_gauge, count_small
from .rows import copy, gather
from .squares import add_change_squares, add_squares, row_products, row_squares
from .update import add_products, update_weights

ROW_SLOTS = 3  # of row_squares (num_layers, ROW_SLOTS, rows): BEFORE, DELTA,
PRODUCTS = 2  # and what each row has in |Σ δ aᵀ|²
NEURON_SLOTS = 3  # of neuron_squares (NEURON_SLOTS, num_neurons): NABLA_W, NABLA_B, CHANGE
COUNTS = 2  # of counts (threads, num_layers, COUNTS): FLATTENED, SMALL_INPUTS


@part
def rows_at(run, l, slot, first):
    """Where a layer's sums of one kind begin, from row `first` on."""
    return row_squares_at(run, (l * ROW_SLOTS + slot) * run.capacity + first)


@part
def neurons_at(run, slot, place):
    """Where the sums of one kind begin for a neuron and those behind it."""
    return neuron_squares_at(run, (slot - NABLA_W) * run.num_neurons + place)


@part
def counts_of(run, thread, l, kind):
    """Where a thread counts, in one layer, what is flat or small."""
    return counts_at(run, (thread * run.num_layers + l) * COUNTS + kind - FLATTENED)


@kernel(no_cpython_wrapper=True)
def look_forward(run: RUN, l: SIZE, thread: SIZE, place: SIZE, first: SIZE, m: SIZE):
    """What is small among the inputs of a layer, and |σ'(z^l)|, before dropout; at the output |∇ₐC| too.

    - rows first .. first + m - 1, samples order[place + first] and following
    """
    layer = layer_at(run, l)
    start, order = first * layer.ld, order_at(run, place + first)
    inputs, z = work_at(run, layer.input + first * layer.ld_input), work_at(run, layer.z + start)
    a = work_at(run, layer.output + start)
    if layer.blocks:  # only the nonzeros have been fetched
        gather(x_at(run, 0), layer.n_in, order, m, inputs, layer.ld_input)
    count_small(inputs, m, layer.n_in, layer.ld_input, counts_of(run, thread, l, SMALL_INPUTS))
    if layer.gauge:
        call_gauge(
            address=layer.gauge, m=m, n=layer.n_out, z=z, a=a, ld=layer.ld,
            slopes=slopes_at(run, thread * run.num_neurons + layer.neurons),
            flat=counts_of(run, thread, l, FLATTENED),
        )  # fmt: skip
    if l == run.num_layers - 1 and run.nabla_squares:
        call_cost(
            address=run.nabla_squares, m=m, n=layer.n_out, a=a, delta=z, ld=layer.ld, order=order, labels=run.labels,
            targets=run.targets, weights=run.weights, costs=rows_at(run, l, BEFORE, first), right=right_at(run, first),
        )  # fmt: skip


@kernel(no_cpython_wrapper=True)
def look_back(run: RUN, l: SIZE, slot: SIZE, first: SIZE, m: SIZE):
    """|δ^l|² of each row: before σ' and dropout are multiplied in, or after."""
    layer = layer_at(run, l)
    row_squares(work_at(run, layer.delta + first * layer.ld), m, layer.n_out, layer.ld, rows_at(run, l, slot, first))


@part
def clear_neurons(run, layer, slot, begin, end):
    """Begin sums of neurons begin .. end - 1 at 0."""
    for j in range(begin, end):
        put(neurons_at(run, slot, layer.neurons + j), 0.0)


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


@part
def add_look(run, l, kind, amount):
    """Add to a sum of the run's."""
    place = looks_at(run, l * NUM_SUMS + kind)
    put(place, number_at(place) + amount)


@part
def sum_of_rows(run, l, slot, first, m):
    """One number of m rows, added up in their order."""
    total = 0.0
    for i in range(first, first + m):
        total += number_at(rows_at(run, l, slot, i))
    return total


@part
def sum_of_neurons(run, layer, slot):
    """One number of all neurons, added up in their order."""
    total = 0.0
    for j in range(layer.n_out):
        total += number_at(neurons_at(run, slot, layer.neurons + j))
    return total


@kernel(no_cpython_wrapper=True)
def add_looks(run: RUN, m: SIZE, first: SIZE, batch: SIZE, share: DOUBLE):
    """Add this mini-batch to the sums of the run: by one thread.

    - batch: mini-batch of this call; share: what a sample's gradient counts in C
    """
    factor = share
    if run.straight:  # δ holds -η/m δ by now
        rate = number_at(constants_at(run, run.first_constants + batch * run.constants_step))
        if rate == 0.0:
            return  # and nothing is left of it
        factor = 1.0 / rate
    last = run.num_layers - 1
    for l in range(run.num_layers):
        layer = layer_at(run, l)
        for slot in (BEFORE, DELTA):
            # Where the cost cancels σ', there is nothing before it.
            cancels = l == last and run.nabla_squares == 0
            add_look(run, l, slot, sum_of_rows(run, l, DELTA if cancels else slot, first, m) / m)
        nabla_w = sum_of_neurons(run, layer, NABLA_W)
        if not run.fused and few_rows(layer, m):
            nabla_w = sum_of_rows(run, l, PRODUCTS, first, m)
        add_look(run, l, NABLA_W, nabla_w * factor * factor)
        add_look(run, l, NABLA_B, sum_of_neurons(run, layer, NABLA_B) * factor * factor)
        add_look(run, l, CHANGE, nabla_w if run.straight else sum_of_neurons(run, layer, CHANGE))
    add_look(run, run.num_layers, 0, 1.0)
    add_look(run, run.num_layers, 1, float(m))


LOOK_FORWARD, LOOK_BACK, ADD_LOOKS = (Callee(f.py_func) for f in (look_forward, look_back, add_looks))
LOOK_AT_GRADIENT, LOOK_AT_CHANGE, LOOK_AND_UPDATE = (
    Callee(f.py_func) for f in (look_at_gradient, look_at_change, look_and_update)
)
call_look_forward, call_look_back, call_add_looks = LOOK_FORWARD.call, LOOK_BACK.call, ADD_LOOKS.call
call_look_at_gradient, call_look_at_change, call_look_and_update = (
    LOOK_AT_GRADIENT.call,
    LOOK_AT_CHANGE.call,
    LOOK_AND_UPDATE.call,
)
