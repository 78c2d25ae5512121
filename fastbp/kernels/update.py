"""BP3, BP4 and the optimizer's rule in one pass over the weights: the gradient is never stored whole.

A thread takes a run of inputs. Each weight's sum runs over the samples in one order, whoever computes it, so
the bits do not depend on the number of threads.
"""

import math

from ..parameters import ALIGNMENT
from ..workspace import BLOCK_INPUTS, CHAIN_ROWS, CHUNK_ROWS, MAX_CONSTANTS, SUM_ROWS
from .jit import part
from .pointers import advance, call, pointer
from .rules import CONSTANTS, apply_rule
from .settings import SCALED
from .simd import lanes_of, panel_of
from .team import begin_of

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
def add_products(
    settings, layer, j, width, k, rows, first, stop, begun, work, target, hint, hint_step, hint_end
):  # fmt: skip
    """BP4 for samples first .. stop - 1 and inputs k .. k + rows - 1: target = or += Σ δ a.

    - k = -1 is the bias: BP3 is BP4 for an input that is always 1
    - target: pointer to (rows, width), of the panel at j; begun: whether to add to it
    - hint, hint_step, hint_end: lines to ask for on the way, see `panel_product`; step 0: none in particular
    """
    ld_input = 0 if k < 0 else layer.ld_input
    a = settings.one if k < 0 else layer.input + k
    for start in range(first, stop, CHAIN_ROWS):
        if hint_step == 0 or start > first:  # the errors of the next panel, far apart
            hint, hint_step = pointer(work, layer.delta + start * layer.ld + j + width), layer.ld
            hint_end = advance(hint, CHAIN_ROWS * layer.ld)
        call(
            settings.multiply, rows, width // lanes_of(work),
            pointer(work, a + start * ld_input), 1, ld_input,
            pointer(work, layer.delta + start * layer.ld + j), layer.ld, 0,
            target if begun else pointer(work, settings.zeros), width if begun else 0,
            target, width,
            min(CHAIN_ROWS, stop - start),
            hint, hint_step, hint_end,
        )  # fmt: skip
        begun = True


@part
def update_weights(settings, penalized, place, count, gradient, parameters, state, constants):
    """The rule for `count` parameters at `place`, whose Σ g lies at the pointer `gradient`."""
    w = pointer(parameters, place)
    apply_rule(
        settings.rule,
        penalized and (settings.l1 != 0.0 or settings.l2 != 0.0),
        constants,
        count,
        gradient,
        w,
        pointer(state, place) if len(state) >= settings.slot_size else w,
        pointer(state, settings.slot_size + place) if len(state) > settings.slot_size else w,
    )


@part
def update_layer(settings, layer, parameters, state, work, m, thread, team, x, order, following, m_following):
    """BP3, BP4 and the rule for this thread's inputs of one layer; the first thread's begin with the bias.

    - order[following : following + m_following]: rows of x of the next mini-batch. They lie anywhere in memory; asked
      for while BP4 computes, they are in the cache when `gather` comes
    """
    scratch = settings.scratch + thread * settings.scratch_size
    g = scratch + MAX_CONSTANTS
    straight = settings.rule == SCALED  # δ holds -η/m δ already: the sum is the update
    # LOOP 3 over chunks of inputs; LOOP 2 over blocks of samples, which stay in the cache for all panels; LOOP 1 over
    # panels. To pack activations and errors first, as a BLAS does, gained nothing (256 x 2048 x 2048 and smaller).
    panel = panel_of(work)
    panels = (layer.columns + panel - 1) // panel
    items = (layer.n_in + CHUNK_ROWS - 1) // CHUNK_ROWS * panels
    apart = m > SUM_ROWS  # the gradients of all panels are under way at once
    chunk, grain = (BLOCK_INPUTS, BLOCK_INPUTS) if layer.blocks else (CHUNK_ROWS, 1)
    k = begin_of(thread, team, layer.n_in, grain) if thread else -1
    stop = begin_of(thread + 1, team, layer.n_in, grain)
    while k < stop:
        bias = k < 0
        rows = 1 if bias else min(chunk, stop - k)
        asked = 0 if bias else m_following
        for first in range(0, m, SUM_ROWS):
            last = min(first + SUM_ROWS, m)
            for j in range(0, layer.columns, panel):
                width = min(panel, layer.columns - j)
                place = layer.bias + j if bias else layer.weights + j * layer.rows + k * width
                gradient = pointer(work, g + (j * rows if apart else 0))
                target = pointer(parameters, place) if straight else gradient
                begun = straight or first > 0
                if layer.blocks and not bias:
                    call(
                        settings.add_entries, settings, layer, j, width, k, rows, first, last, begun, work, target,
                        pointer(work, scratch + settings.turned), order, following, asked if j == 0 else 0,
                    )  # fmt: skip
                else:
                    item = k // CHUNK_ROWS * panels + j // panel
                    hint, hint_step, hint_end = target, 0, target
                    for i in range(begin_of(item, items, asked, 1), begin_of(item + 1, items, asked, 1)):
                        row = order[following + i] * x.shape[1]
                        hint, hint_end = pointer(x, row), pointer(x, row + x.shape[1])
                        hint_step = ALIGNMENT // work.itemsize
                    add_products(
                        settings, layer, j, width, k, rows, first, last, begun, work, target,
                        hint, hint_step, hint_end,
                    )  # fmt: skip
                if last == m and not straight:
                    update_weights(
                        settings, not bias, place, rows * width, gradient, parameters, state, pointer(work, scratch)
                    )  # fmt: skip
        k += rows
