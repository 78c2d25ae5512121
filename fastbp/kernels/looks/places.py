"""Where sums and counts lie, see kernels/records.py."""

from ...compiler.jit import part
from ...formulas.looks import FLATTENED, NABLA_W
from ..fields import counts_at, neuron_squares_at, number_at, put, row_squares_at

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


@part
def clear_neurons(run, layer, slot, begin, end):
    """Begin sums of neurons begin .. end - 1 at 0."""
    for j in range(begin, end):
        put(neurons_at(run, slot, layer.neurons + j), 0.0)


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
