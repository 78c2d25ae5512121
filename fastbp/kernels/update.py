"""BP3, BP4 and the optimizer's rule in one pass over the weights: the gradient is never stored whole.

Work is cut into chunks of CHUNK_ROWS inputs of one panel. A thread takes a run of chunks; what it
computes for a chunk does not depend on who else works, so neither do the bits.
"""

import math

from ..workspace import CHUNK_ROWS, MAX_CONSTANTS
from .forward import fetch_ahead
from .gemm import product
from .jit import part
from .pointers import pointer
from .rules import CONSTANTS, apply_rule
from .settings import GRADIENT, SCALED
from .transpose import transpose_block

assert len(CONSTANTS) <= MAX_CONSTANTS


@part
def write_constants(settings, step, share, work, thread):
    """Leave what the rule needs in this step, as named by CONSTANTS, at the start of the thread's scratch.

    - step: counts updates from 1; share: what a sample's gradient counts in C
    """
    # A mini-batch without weight says nothing, of penalties neither.
    per_share = 1.0 / share if share > 0.0 else 0.0
    rest1, rest2 = 1.0 - settings.beta1, 1.0 - settings.beta2  # both 1 for a rule without them
    constants = (
        share,
        settings.l1 * per_share,
        settings.l2 * per_share,
        settings.learning_rate / (1.0 - settings.beta1**step),
        settings.momentum,
        settings.beta1,
        rest1 * share,
        settings.beta2,
        rest2 * share * share,
        1.0 / math.sqrt(1.0 - settings.beta2**step),
        settings.epsilon,
    )
    start = settings.scratch + thread * settings.scratch_size
    for i in range(len(constants)):
        work[start + i] = constants[i]


@part
def refresh_transposed(settings, layer, j, width, k, rows, parameters, transposed):
    """wᵀ ← w for inputs k .. k + rows - 1 of the panel of outputs that begins at j."""
    panel, lanes = settings.panel, settings.lanes
    for row in range(k, k + rows, lanes):
        across = row // panel * panel
        across_width = min(panel, layer.rows - across)
        source = layer.weights + j * layer.rows + row * width
        target = layer.transposed + across * layer.columns + j * across_width + (row - across)
        for column in range(0, width, lanes):
            transpose_block(
                pointer(parameters, source + column),
                width,
                pointer(transposed, target + column * across_width),
                across_width,
            )


@part
def update_layer(
    multiply, settings, place, layer, parameters, transposed, state, work, m, thread, team,
    x, order, following, m_following,
):  # fmt: skip
    """BP3, BP4 and the rule for this thread's chunks of one layer.

    - place: index of the layer
    - order[following : following + m_following]: the next mini-batch, whose rows of x are fetched ahead
    """
    scratch = settings.scratch + thread * settings.scratch_size
    penalized = settings.l1 != 0.0 or settings.l2 != 0.0
    slots = len(state) // settings.slot_size
    chunks = (layer.n_in + CHUNK_ROWS - 1) // CHUNK_ROWS + 1  # of a panel: its bias, then its weights
    panels = (layer.columns + settings.panel - 1) // settings.panel
    items = chunks * panels
    for item in range(items * thread // team, items * (thread + 1) // team):
        if place == 0:
            fetch_ahead(x, order, following, m_following, item, items)
        j = item // chunks * settings.panel
        width = min(settings.panel, layer.columns - j)
        k = (item % chunks - 1) * CHUNK_ROWS
        # BP3 is BP4 for an input that is always 1.
        bias = k < 0
        rows = 1 if bias else min(CHUNK_ROWS, layer.n_in - k)
        start = layer.bias + j if bias else layer.weights + j * layer.rows + k * width
        w, g = pointer(parameters, start), pointer(work, scratch + MAX_CONSTANTS)
        straight = settings.rule == SCALED  # δ holds -η/m δ already: the sum is the update
        product(
            multiply, rows, width // settings.lanes,
            pointer(work, settings.one if bias else layer.input + k), 1, 0 if bias else layer.ld_input,
            pointer(work, layer.delta + j), layer.ld,
            w if straight else pointer(work, settings.zeros), width if straight else 0,
            w if straight else g, width,
            m,
        )  # fmt: skip
        if not straight:
            apply_rule(
                settings.rule,
                penalized and not bias,
                pointer(work, scratch),
                rows * width,
                g,
                w,
                pointer(state, start) if slots > 0 else w,
                pointer(state, settings.slot_size + start) if slots > 1 else w,
            )
        if place and not bias and settings.rule != GRADIENT:
            refresh_transposed(settings, layer, j, width, k, rows, parameters, transposed)
