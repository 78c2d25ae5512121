"""BP3, BP4 and the rule where a mini-batch is long and the network small: each block of samples has its own gradient.

It is made while the block's activations and errors are in the cache of the core that made them; `update.py` would
fetch them again, and from another core's cache where a team works. The sums are the same, in the same order.
"""

from typing import Any

from numba import types
from numba.np import numpy_support

from ..parameters import LAYER
from ..workspace import CHAIN_ROWS, CHUNK_ROWS, MAX_CONSTANTS
from .jit import address, kernel
from .pointers import pointer
from .rows import add, copy
from .settings import SCALED, SETTINGS
from .simd import lanes_of, panel_of
from .team import begin_of
from .update import add_products, update_weights


@kernel(no_cpython_wrapper=True)
def block_gradient(settings, layers, work, first, m):
    """Σ δ aᵀ and Σ δ of samples first .. first + m - 1, one block, laid out as the parameters are."""
    gradient = settings.gradients + first // CHAIN_ROWS * settings.slot_size
    for l in range(len(layers)):
        layer = layers[l]
        k = -1  # the bias
        while k < layer.n_in:
            rows = 1 if k < 0 else min(CHUNK_ROWS, layer.n_in - k)
            for j in range(0, layer.columns, panel_of(work)):
                width = min(panel_of(work), layer.columns - j)
                place = layer.bias + j if k < 0 else layer.weights + j * layer.rows + k * width
                target = pointer(work, gradient + place)
                add_products(
                    settings, layer, j, width, k, rows, first, first + m, False, work, target,
                    target, 0, target,
                )  # fmt: skip
            k += rows


@kernel(no_cpython_wrapper=True)
def update_from_blocks(settings, layers, parameters, state, work, m, thread, team):
    """The gradients of all blocks added up, and the rule, for this thread's share of the parameters."""
    constants = settings.scratch + thread * settings.scratch_size
    g = pointer(work, constants + MAX_CONSTANTS)
    blocks = (m + CHAIN_ROWS - 1) // CHAIN_ROWS
    biases = layers[0].bias  # the first number that is not a weight
    lanes = lanes_of(work)
    place, stop = begin_of(thread, team, len(parameters), lanes), begin_of(thread + 1, team, len(parameters), lanes)
    while place < stop:
        weights = place < biases
        count = min(CHUNK_ROWS * panel_of(work), (min(stop, biases) if weights else stop) - place)
        straight = settings.rule == SCALED
        target = pointer(parameters, place) if straight else g
        if not straight:
            copy(pointer(work, settings.gradients + place), g, count)
        for block in range(0 if straight else 1, blocks):
            add(pointer(work, settings.gradients + block * settings.slot_size + place), target, count)
        if not straight:
            update_weights(settings, weights, place, count, g, parameters, state, pointer(work, constants))
        place += count


def addresses(dtype: Any) -> tuple[int, int]:
    """Addresses of block_gradient and update_from_blocks for a numba type; who does not need them does not wait."""
    size, array = types.intp, dtype[::1]
    settings, layers = numpy_support.from_dtype(SETTINGS), numpy_support.from_dtype(LAYER)[::1]
    return (
        address(block_gradient, types.void(settings, layers, array, size, size)),
        address(update_from_blocks, types.void(settings, layers, array, array, array, size, size, size)),
    )
