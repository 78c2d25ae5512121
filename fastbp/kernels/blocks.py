"""BP3, BP4 and the rule where a mini-batch is long and the network small: each block of samples has its own gradient.

It is made while the block's activations and errors are in the cache of the core that made them; `update.py` would
fetch them again, and from another core's cache where a team works. The sums are the same, in the same order.
"""

from ..workspace import CHAIN_ROWS, CHUNK_ROWS, MAX_CONSTANTS
from .jit import part
from .pointers import pointer
from .rows import add, copy
from .settings import SCALED
from .update import add_products, update_weights


@part
def block_gradient(multiply, settings, layers, work, first, m):
    """Σ δ aᵀ and Σ δ of samples first .. first + m - 1, one block, laid out as the parameters are."""
    gradient = settings.blocks + first // CHAIN_ROWS * settings.slot_size
    for l in range(len(layers)):
        layer = layers[l]
        for j in range(0, layer.columns, settings.panel):
            width = min(settings.panel, layer.columns - j)
            add_products(
                multiply, settings, layer, j, width, -1, 1, first, first + m, False,
                work, pointer(work, gradient + layer.bias + j), pointer(work, 0), 0, pointer(work, 0),
            )  # fmt: skip
            for k in range(0, layer.n_in, CHUNK_ROWS):
                rows = min(CHUNK_ROWS, layer.n_in - k)
                target = pointer(work, gradient + layer.weights + j * layer.rows + k * width)
                add_products(
                    multiply, settings, layer, j, width, k, rows, first, first + m, False,
                    work, target, target, 0, target,
                )  # fmt: skip


@part
def update_from_blocks(settings, layers, parameters, state, work, m, thread, team):
    """The gradients of all blocks added up, and the rule, for this thread's share of the parameters."""
    constants = settings.scratch + thread * settings.scratch_size
    g = pointer(work, constants + MAX_CONSTANTS)
    blocks = (m + CHAIN_ROWS - 1) // CHAIN_ROWS
    biases = layers[0].bias  # the first number that is not a weight
    vectors = len(parameters) // settings.lanes
    place, stop = vectors * thread // team * settings.lanes, vectors * (thread + 1) // team * settings.lanes
    while place < stop:
        weights = place < biases
        count = min(CHUNK_ROWS * settings.panel, (min(stop, biases) if weights else stop) - place)
        straight = settings.rule == SCALED
        target = pointer(parameters, place) if straight else g
        if not straight:
            copy(pointer(work, settings.blocks + place), g, count)
        for block in range(0 if straight else 1, blocks):
            add(pointer(work, settings.blocks + block * settings.slot_size + place), target, count)
        if not straight:
            update_weights(settings, weights, place, count, g, parameters, state, pointer(work, constants))
        place += count
