"""BP3, BP4 and the optimizer's rule in one pass over the weights: the gradient is never stored whole.

A thread takes a run of inputs. Each weight's sum runs over the samples in one order, whoever computes it, so
the bits do not depend on the number of threads.
"""

import math

from ..parameters import ALIGNMENT
from ..workspace import CHAIN_ROWS, CHUNK_ROWS, MAX_CONSTANTS, SUM_ROWS
from .gemm import product
from .jit import part
from .pointers import advance, pointer
from .rules import CONSTANTS, apply_rule
from .settings import SCALED

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
        settings.learning_rate / (1.0 - math.pow(settings.beta1, float(step))),
        settings.momentum,
        settings.beta1,
        rest1 * share,
        settings.beta2,
        rest2 * share * share,
        1.0 / math.sqrt(1.0 - math.pow(settings.beta2, float(step))),
        settings.epsilon,
    )
    start = settings.scratch + thread * settings.scratch_size
    for i in range(len(constants)):
        work[start + i] = constants[i]


@part
def update_chunk(
    multiply, settings, layer, j, k, rows, a, ld_input, first, m, parameters, state, work, constants, g,
    hint, hint_step, hint_end,
):  # fmt: skip
    """BP4 for one block of samples; after the last the rule, for inputs k .. k + rows - 1 of the panel at j.

    - k = -1 is the bias: BP3 is BP4 for an input that is always 1
    - a: pointer to the inputs (m, rows), row stride ld_input; first: of the block's samples, of m in all
    - hint, hint_step, hint_end: lines to ask for on the way, see `panel_product`; step 0: none in particular
    - constants, g: places in work, of what the rule needs and of the gradient (rows, width)
    """
    width = min(settings.panel, layer.columns - j)
    place = layer.bias + j if k < 0 else layer.weights + j * layer.rows + k * width
    w, gradient = pointer(parameters, place), pointer(work, g)
    straight = settings.rule == SCALED  # δ holds -η/m δ already: the sum is the update
    target = w if straight else gradient
    for start in range(first, min(first + SUM_ROWS, m), CHAIN_ROWS):
        begun = straight or start > 0
        if hint_step == 0 or start > first:  # the errors of the next panel, far apart
            hint, hint_step = pointer(work, layer.delta + start * layer.ld + j + width), layer.ld
            hint_end = advance(hint, CHAIN_ROWS * layer.ld)
        product(
            multiply, rows, width // settings.lanes,
            advance(a, start * ld_input), 1, ld_input,
            pointer(work, layer.delta + start * layer.ld + j), layer.ld, 0,
            target if begun else pointer(work, settings.zeros), width if begun else 0,
            target, width,
            min(CHAIN_ROWS, first + SUM_ROWS - start, m - start),
            hint, hint_step, hint_end,
        )  # fmt: skip
    if first + SUM_ROWS >= m and not straight:
        slots = len(state) // settings.slot_size
        apply_rule(
            settings.rule,
            k >= 0 and (settings.l1 != 0.0 or settings.l2 != 0.0),
            pointer(work, constants),
            rows * width,
            gradient,
            w,
            pointer(state, place) if slots > 0 else w,
            pointer(state, settings.slot_size + place) if slots > 1 else w,
        )


@part
def update_layer(
    multiply, settings, layer, parameters, state, work, m, thread, team, x, order, following, m_following
):  # fmt: skip
    """BP3, BP4 and the rule for this thread's inputs of one layer; the first thread's begin with the bias.

    - order[following : following + m_following]: rows of x of the next mini-batch. They lie anywhere in memory; asked
      for while BP4 computes, they are in the cache when `gather` comes
    """
    constants = settings.scratch + thread * settings.scratch_size
    g = constants + MAX_CONSTANTS
    # LOOP 3 over chunks of inputs; LOOP 2 over blocks of samples, which stay in the cache for all panels; LOOP 1 over
    # panels. To pack activations and errors first, as a BLAS does, gained nothing (256 x 2048 x 2048 and smaller).
    panels = (layer.columns + settings.panel - 1) // settings.panel
    items = (layer.n_in + CHUNK_ROWS - 1) // CHUNK_ROWS * panels
    apart = m > SUM_ROWS  # the gradients of all panels are under way at once
    k = layer.n_in * thread // team if thread else -1
    stop = layer.n_in * (thread + 1) // team
    while k < stop:
        bias = k < 0
        rows = 1 if bias else min(CHUNK_ROWS, stop - k)
        a = pointer(work, settings.one if bias else layer.input + k)
        asked = 0 if bias else m_following
        for first in range(0, m, SUM_ROWS):
            for j in range(0, layer.columns, settings.panel):
                item = k // CHUNK_ROWS * panels + j // settings.panel
                hint, hint_step, hint_end = a, 0, a
                for i in range(asked * item // items, asked * (item + 1) // items):
                    row = order[following + i] * x.shape[1]
                    hint, hint_end = pointer(x, row), pointer(x, row + x.shape[1])
                    hint_step = ALIGNMENT // work.itemsize
                update_chunk(
                    multiply, settings, layer, j, k, rows, a, 0 if bias else layer.ld_input, first, m,
                    parameters, state, work, constants, g + (j * rows if apart else 0),
                    hint, hint_step, hint_end,
                )  # fmt: skip
        k += rows
