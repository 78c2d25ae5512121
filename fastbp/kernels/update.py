"""BP3, BP4 and the optimizer's rule in one pass over the weights: the gradient is never stored whole.

A thread takes a run of inputs. Each weight's sum runs over the samples in one order, whoever computes it, so
the bits do not depend on the number of threads.
"""

from ..compiler.jit import part
from ..vectors.pointers import advance
from ..vectors.simd import lanes_of
from .barrier import begin_of
from .blocking import (
    BLOCK_INPUTS,
    CHAIN_ROWS,
    CHUNK_ROWS,
    MANY_PANELS,
    MAX_CONSTANTS,
    OUTER_PANELS,
    SUM_ROWS,
    line_of,
    panel_of,
)
from .fields import (
    constants_at,
    layer_at,
    number_at,
    one_of,
    order_at,
    parameters_at,
    put,
    state_at,
    weights_at,
    work_at,
    x_at,
)
from .products.dense import call_product
from .products.sparse import call_add_entries
from .rows import clear
from .rules import FIXED, call_penalty, call_rule

NUM_FIXED = len(FIXED)


@part
def batch_weight(run, first, m):
    """Σ of the samples' weights; m where all weigh 1."""
    if run.weights == 0:
        return float(m)
    total = 0.0
    for i in range(first, first + m):
        total += number_at(weights_at(run, number_at(order_at(run, i))))
    return total


@part
def write_constants(run, batch, share, thread):
    """Leave what the rule needs in this step, see rules.FIXED, at the start of the thread's scratch.

    - batch: mini-batch of this call; share: what a sample's gradient counts in C
    """
    # A mini-batch without weight says nothing, of penalties neither.
    per_share = 1.0 / share if share > 0.0 else 0.0
    if run.penalty_per_batch and share > 0.0:
        per_share = 1.0
    start = run.scratch + thread * run.scratch_size
    put(work_at(run, start), share)
    put(work_at(run, start + 1), run.l1 * per_share)
    put(work_at(run, start + 2), run.l2 * per_share)
    first = run.first_constants + batch * run.constants_step
    for i in range(run.num_constants):
        put(work_at(run, start + NUM_FIXED + i), number_at(constants_at(run, first + i)))


@part
def add_products(run, layer, j, width, k, rows, first, stop, begun, target, hint, hint_step, hint_end):
    """BP4 for samples first .. stop - 1 and inputs k .. k + rows - 1: target = or += Σ δ a.

    - k = -1 is the bias: BP3 is BP4 for an input that is always 1
    - target: pointer to (rows, width), of the panel at j; begun: whether to add to it
    - hint, hint_step, hint_end: lines to ask for on the way, see `panel_product`; step 0: none in particular
    """
    ld_input = 0 if k < 0 else layer.ld_input
    for start in range(first, stop, CHAIN_ROWS):
        if hint_step == 0 or start > first:  # the errors of the next panel, far apart
            hint, hint_step = work_at(run, layer.delta + start * layer.ld + j + width), layer.ld
            hint_end = advance(hint, CHAIN_ROWS * layer.ld)
        a = one_of(run) if k < 0 else work_at(run, layer.input + k + start * ld_input)
        init, ldi = (target, width) if begun else (work_at(run, run.zeros), 0)
        call_product(
            address=run.product, m=rows, vectors=width // lanes_of(run),
            a=a, ras=1, kas=ld_input,
            b=work_at(run, layer.delta + start * layer.ld + j), ldb=layer.ld, ldp=0,
            init=init, ldi=ldi,
            c=target, ldc=width,
            k=min(CHAIN_ROWS, stop - start),
            hint=hint, hint_step=hint_step, hint_end=hint_end,
        )  # fmt: skip
        begun = True


@part
def update_weights(run, penalized, place, count, gradient, constants):
    """The rule for `count` parameters at `place`, whose Σ g lies at the pointer `gradient`."""
    w = parameters_at(run, place)
    if penalized and run.penalty:
        call_penalty(address=run.penalty, c=constants, count=count, total=gradient, w=w)
    call_rule(
        address=run.rule, c=constants, count=count, total=gradient, w=w, state=state_at(run, place),
        slot_size=run.num_parameters,
    )  # fmt: skip


@part
def shares_outputs(run, team):
    """Whether a first layer whose nonzeros are known is shared out by its outputs, not by samples and inputs.

    Each thread has weights of its own then, which stay in its cache: what one has changed another need not fetch.
    784-30-10 in float64 on two threads takes 23 us a step without, 14 with (Zen 3).
    """
    bottom = layer_at(run, 0)
    panels = (bottom.columns + panel_of(run) - 1) // panel_of(run)
    return team > 1 and bottom.blocks > 0 and (panels % team == 0 or panels >= MANY_PANELS * team)


@part
def begin_sums(run, thread):
    """Leave 0 where the sums over the nonzeros are made."""
    if layer_at(run, 0).blocks > 0:
        start = run.scratch + thread * run.scratch_size + run.sums
        clear(work_at(run, start), OUTER_PANELS * BLOCK_INPUTS * panel_of(run))


@part
def update_block(run, layer, m, k, rows, begin, end, scratch, at_once, following, m_following):
    """BP4 and the rule for inputs k .. k + rows - 1 of a first layer in short form, and outputs begin .. end - 1."""
    panel, gradients = panel_of(run), scratch + MAX_CONSTANTS
    for first in range(0, m, SUM_ROWS):
        last = min(first + SUM_ROWS, m)
        j = begin
        while j < end:
            panels = min(OUTER_PANELS, (end - j) // panel)
            while panels & (panels - 1):  # 3 are 2 and 1
                panels -= 1
            panels = max(panels, 1)
            width = min(panel, end - j)
            where, gradient = layer.weights + j * layer.rows + k * width, gradients + (j * rows if at_once else 0)
            if run.straight:
                target, ldt, begun = parameters_at(run, where), layer.rows * width, 1
            else:
                target, ldt, begun = work_at(run, gradient), rows * width, first
            m_order = m_following if j == begin else 0
            call_add_entries(
                address=run.add_entries, run=run, layer=layer, j=j, panels=panels, width=width, k=k, rows=rows,
                first=first, stop=last, begun=begun, target=target, ldt=ldt,
                scratch=work_at(run, scratch + run.sums), place=following, m_order=m_order,
            )  # fmt: skip
            for p in range(0 if run.straight or last < m else panels):
                update_weights(
                    run, True, where + p * layer.rows * width, rows * width,
                    work_at(run, gradient + p * rows * width), work_at(run, scratch),
                )  # fmt: skip
            j += panels * width


@part
def update_inputs(run, place, m, k, stop, thread, team, following, m_following):
    """BP4 and the rule for inputs k .. stop - 1 of one layer; k = -1 begins with BP3 and the bias.

    - place: of the layer
    - order[following : following + m_following]: rows of x of the next mini-batch. They lie anywhere in memory; asked
      for while BP4 computes, they are in the cache when `gather` comes
    """
    layer, n_0 = layer_at(run, place), layer_at(run, 0).n_in
    scratch = run.scratch + thread * run.scratch_size
    g = scratch + MAX_CONSTANTS
    # LOOP 3 over chunks of inputs; LOOP 2 over blocks of samples, which stay in the cache for all panels; LOOP 1 over
    # panels. To pack activations and errors first, as a BLAS does, gained nothing (256 x 2048 x 2048 and smaller).
    panel = panel_of(run)
    panels = (layer.columns + panel - 1) // panel
    items = (layer.n_in + CHUNK_ROWS - 1) // CHUNK_ROWS * panels
    at_once = m > SUM_ROWS  # the gradients of all panels are under way together
    chunk = BLOCK_INPUTS if layer.blocks > 0 else CHUNK_ROWS
    begin, end = 0, layer.columns
    if layer.blocks > 0 and shares_outputs(run, team):
        begin, end = begin_of(thread, team, layer.columns, panel), begin_of(thread + 1, team, layer.columns, panel)
        k, stop = min(k, 0), layer.n_in
    while k < stop:
        bias = k < 0
        rows = 1 if bias else min(chunk, stop - k)
        if layer.blocks > 0 and not bias:
            update_block(run, layer, m, k, rows, begin, end, scratch, at_once, following, m_following)
            k += rows
            continue
        asked = 0 if bias else m_following
        for first in range(0, m, SUM_ROWS):
            last = min(first + SUM_ROWS, m)
            for j in range(0, layer.columns, panel):
                width = min(panel, layer.columns - j)
                where = layer.bias + j if bias else layer.weights + j * layer.rows + k * width
                gradient = work_at(run, g + (j * rows if at_once else 0))
                # δ holds -η/m δ where the rule is straight: the sum is the update.
                target = parameters_at(run, where) if run.straight else gradient
                begun = run.straight or first > 0
                item = k // CHUNK_ROWS * panels + j // panel
                hint, hint_step, hint_end = target, 0, target
                for i in range(begin_of(item, items, asked, 1), begin_of(item + 1, items, asked, 1)):
                    row = number_at(order_at(run, following + i)) * n_0
                    hint, hint_end = x_at(run, row), x_at(run, row + n_0)
                    hint_step = line_of(run)
                add_products(run, layer, j, width, k, rows, first, last, begun, target, hint, hint_step, hint_end)
                if last == m and not run.straight:
                    update_weights(run, not bias, where, rows * width, gradient, work_at(run, scratch))
        k += rows


@part
def update_layer(run, place, m, thread, team, following, m_following):
    """BP3, BP4 and the rule for this thread's inputs of one layer; the first thread's begin with the bias."""
    layer = layer_at(run, place)
    grain = BLOCK_INPUTS if layer.blocks > 0 else 1
    k = begin_of(thread, team, layer.n_in, grain) if thread else -1
    update_inputs(run, place, m, k, begin_of(thread + 1, team, layer.n_in, grain), thread, team, following, m_following)
