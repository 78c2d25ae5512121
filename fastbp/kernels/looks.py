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
from .blocking import CHUNK_ROWS, MAX_CONSTANTS, panel_of
from .costs import call_cost
from .fields import (
    RUN,
    before_at,
    constants_at,
    counts_at,
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
from .squares import add_change_squares, add_squares, row_squares
from .update import add_products

ROW_SLOTS = 2  # of row_squares (num_layers, ROW_SLOTS, rows): BEFORE, DELTA
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
def look_at_panel(run, layer, j, width, first, m, g):
    """Σ_k (∂C/∂w_jk)² and (∂C/∂b_j)² of the neurons of one panel, by BP4 and BP3.

    - g: pointer to scratch memory (CHUNK_ROWS, width)
    """
    lanes = lanes_of(run)
    for i in range(width):
        put(neurons_at(run, NABLA_W, layer.neurons + j + i), 0.0)
        put(neurons_at(run, NABLA_B, layer.neurons + j + i), 0.0)
    k = -1  # the bias
    while k < layer.n_in:
        rows = 1 if k < 0 else min(CHUNK_ROWS, layer.n_in - k)
        add_products(run, layer, j, width, k, rows, first, first + m, False, g, g, 0, g)
        for i in range(0, width, lanes):
            out = neurons_at(run, NABLA_B if k < 0 else NABLA_W, layer.neurons + j + i)
            add_squares(advance(g, i), rows, width, out)
        k += rows


@kernel(no_cpython_wrapper=True)
def look_at_gradient(run: RUN, first: SIZE, m: SIZE, thread: SIZE, team: SIZE):
    """|∂C/∂w|², |∂C/∂b|² of a thread's share of the neurons, and a copy of the parameters, which the update changes.

    - first: the row that the mini-batch begins with
    """
    g = work_at(run, run.scratch + thread * run.scratch_size + MAX_CONSTANTS)
    panel = panel_of(run)
    for l in range(run.num_layers):
        layer = layer_at(run, l)
        panels = (layer.columns + panel - 1) // panel
        for p in range(begin_of(thread, team, panels, 1), begin_of(thread + 1, team, panels, 1)):
            look_at_panel(run, layer, p * panel, min(panel, layer.columns - p * panel), first, m, g)
    if not run.straight:
        place, stop = begin_of(thread, team, run.num_parameters, 1), begin_of(thread + 1, team, run.num_parameters, 1)
        copy(parameters_at(run, place), before_at(run, place), stop - place)


@kernel(no_cpython_wrapper=True)
def look_at_change(run: RUN, thread: SIZE, team: SIZE):
    """Σ_k (Δw_jk)² of this thread's share of the neurons."""
    lanes, panel = lanes_of(run), panel_of(run)
    for l in range(run.num_layers):
        layer = layer_at(run, l)
        first, stop = begin_of(thread, team, layer.columns, panel), begin_of(thread + 1, team, layer.columns, panel)
        for j in range(first, stop, lanes):
            front = j // panel * panel  # of the panel
            place = layer.weights + front * layer.rows + j - front
            out = neurons_at(run, CHANGE, layer.neurons + j)
            for i in range(lanes):
                put(neurons_at(run, CHANGE, layer.neurons + j + i), 0.0)
            width = min(panel, layer.columns - front)
            add_change_squares(parameters_at(run, place), before_at(run, place), layer.n_in, width, out)


@part
def add_look(run, l, kind, amount):
    """Add to a sum of the run's."""
    place = looks_at(run, l * NUM_SUMS + kind)
    put(place, number_at(place) + amount)


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
        for slot in range(ROW_SLOTS):
            # Where the cost cancels σ', there is nothing before it.
            cancels = l == last and run.nabla_squares == 0
            rows = rows_at(run, l, DELTA if cancels else slot, first)
            total = 0.0
            for i in range(m):
                total += number_at(advance(rows, i))
            add_look(run, l, slot, total / m)
        nabla_w = sum_of_neurons(run, layer, NABLA_W)
        add_look(run, l, NABLA_W, nabla_w * factor * factor)
        add_look(run, l, NABLA_B, sum_of_neurons(run, layer, NABLA_B) * factor * factor)
        add_look(run, l, CHANGE, nabla_w if run.straight else sum_of_neurons(run, layer, CHANGE))
    add_look(run, run.num_layers, 0, 1.0)
    add_look(run, run.num_layers, 1, float(m))


LOOK_FORWARD, LOOK_BACK, ADD_LOOKS = (Callee(f.py_func) for f in (look_forward, look_back, add_looks))
LOOK_AT_GRADIENT, LOOK_AT_CHANGE = Callee(look_at_gradient.py_func), Callee(look_at_change.py_func)
call_look_forward, call_look_back, call_add_looks = LOOK_FORWARD.call, LOOK_BACK.call, ADD_LOOKS.call
call_look_at_gradient, call_look_at_change = LOOK_AT_GRADIENT.call, LOOK_AT_CHANGE.call
