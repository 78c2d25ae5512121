"""BP3, BP4 and the rule where a mini-batch is long and the network small: each chain of samples has its own gradient.

It is made while the chain's activations and errors are in the cache of the core that made them; `update.py` would
fetch them again, and from another core's cache where a team works. The sums are the same, in the same order.
"""

from ..compiler.callee import SIZE, Callee
from ..compiler.jit import kernel
from ..vectors.simd import lanes_of
from .barrier import begin_of
from .blocking import CHAIN_ROWS, CHUNK_ROWS, MAX_CONSTANTS, panel_of
from .fields import RUN, layer_at, parameters_at, work_at
from .rows import add, copy
from .update import add_products, update_weights


@kernel(no_cpython_wrapper=True)
def chain_gradient(run: RUN, first: SIZE, m: SIZE):
    """Σ δ aᵀ and Σ δ of samples first .. first + m - 1, one chain, laid out as the parameters are."""
    gradient = run.gradients + first // CHAIN_ROWS * run.num_parameters
    for l in range(run.num_layers):
        layer = layer_at(run, l)
        k = -1  # the bias
        while k < layer.n_in:
            rows = 1 if k < 0 else min(CHUNK_ROWS, layer.n_in - k)
            for j in range(0, layer.columns, panel_of(run)):
                width = min(panel_of(run), layer.columns - j)
                place = layer.bias + j if k < 0 else layer.weights + j * layer.rows + k * width
                target = work_at(run, gradient + place)
                add_products(run, layer, j, width, k, rows, first, first + m, False, target, target, 0, target)
            k += rows


@kernel(no_cpython_wrapper=True)
def update_from_chains(run: RUN, m: SIZE, thread: SIZE, team: SIZE):
    """The gradients of all chains added up, and the rule, for this thread's share of the parameters."""
    constants = run.scratch + thread * run.scratch_size
    g = work_at(run, constants + MAX_CONSTANTS)
    chains = (m + CHAIN_ROWS - 1) // CHAIN_ROWS
    biases = layer_at(run, 0).bias  # the first number that is not a weight
    lanes, size = lanes_of(run), run.num_parameters
    place, stop = begin_of(thread, team, size, lanes), begin_of(thread + 1, team, size, lanes)
    while place < stop:
        weights = place < biases
        count = min(CHUNK_ROWS * panel_of(run), (min(stop, biases) if weights else stop) - place)
        target = parameters_at(run, place) if run.straight else g
        if not run.straight:
            copy(work_at(run, run.gradients + place), g, count)
        for chain in range(0 if run.straight else 1, chains):
            add(work_at(run, run.gradients + chain * size + place), target, count)
        if not run.straight:
            update_weights(run, weights, place, count, g, work_at(run, constants))
        place += count


CHAIN_GRADIENT, UPDATE_FROM_CHAINS = Callee(chain_gradient.py_func), Callee(update_from_chains.py_func)
call_chain_gradient, call_update_from_chains = CHAIN_GRADIENT.call, UPDATE_FROM_CHAINS.call
