"""The second half of a step, where the fused rule (update.py) is not all there is to it.

The fused step never has the gradient whole. It is wanted whole for the norm over all of it, to be added up over several
mini-batches, and by people who send it to other machines. After the rule, weights may be constrained and averaged.
"""

import math

from ..compiler.callee import DOUBLE, SIZE, Callee
from ..compiler.jit import kernel, part
from ..vectors.fpu import flush_denormals, restore_denormals
from ..vectors.simd import lanes_of
from .barrier import begin_of, meet
from .blocking import panel_of
from .constrain import constrain
from .fields import (
    RUN,
    average_at,
    constants_at,
    costs_at,
    gathered_at,
    journal_at,
    layer_at,
    number_at,
    parameters_at,
    put,
    second_state_at,
    squares_at,
    whole_at,
    work_at,
)
from .rows import add_scaled, approach, copy_scaled
from .rules import call_rule
from .squares import add_squares
from .update import batch_weight, write_constants


@part
def square_sums(run, thread, team, of_gradient):
    """Σ_k (∂C/∂w_jk)² + (∂C/∂b_j)² of every neuron j, or Σ_k w_jk²; this thread's of each layer."""
    lanes, panel = lanes_of(run), panel_of(run)
    for l in range(run.num_layers):
        layer = layer_at(run, l)
        first, stop = begin_of(thread, team, layer.columns, panel), begin_of(thread + 1, team, layer.columns, panel)
        for j in range(first, stop, lanes):
            front = j // panel * panel  # of the panel
            width = min(panel, layer.columns - front)
            weights, place = layer.weights + front * layer.rows + j - front, squares_at(run, layer.neurons + j)
            for i in range(lanes):
                put(squares_at(run, layer.neurons + j + i), 0.0)
            if of_gradient:
                add_squares(whole_at(run, weights), layer.n_in, width, place)
                add_squares(whole_at(run, layer.bias + j), 1, width, place)
            else:
                add_squares(parameters_at(run, weights), layer.n_in, width, place)


@part
def squares_of_layers(run, first, stop):
    """The sum over the neurons of layers first .. stop - 1, in one order, whoever adds them up."""
    total = 0.0
    for l in range(first, stop):
        layer = layer_at(run, l)
        for j in range(layer.n_out):
            total += number_at(squares_at(run, layer.neurons + j))
    return total


@part
def clip_factor(run, first, stop):
    """What brings |∇C|, over the layers first .. stop - 1, down to clip_norm."""
    norm = math.sqrt(squares_of_layers(run, first, stop))
    return run.clip_norm / norm if norm > run.clip_norm else 1.0


@part
def update_part(run, place, count, factor, thread, team):
    """The second rule for this thread's share of `count` parameters at `place`, the gradient scaled by a factor."""
    constants = work_at(run, run.scratch + thread * run.scratch_size)
    put(constants, factor)  # the share: g is whole by now
    lanes = lanes_of(run)
    first, stop = place + begin_of(thread, team, count, lanes), place + begin_of(thread + 1, team, count, lanes)
    call_rule(
        address=run.second_rule, c=constants, count=stop - first, total=whole_at(run, first),
        w=parameters_at(run, first), state=second_state_at(run, first), slot_size=run.num_parameters,
    )  # fmt: skip


@part
def update_from_whole(run, thread, team, met):
    """The rule for this thread's share of the parameters, the gradient scaled down to clip_norm where it is longer.

    - met: see barrier.meet; returns the next
    """
    clips = run.clip_norm < math.inf
    if clips:
        square_sums(run, thread, team, True)
        met = meet(run, team, met)
    if run.second_rule and run.clip_layers:
        for l in range(run.num_layers):
            layer, factor = layer_at(run, l), clip_factor(run, l, l + 1)
            update_part(run, layer.weights, layer.rows * layer.columns, factor, thread, team)
            update_part(run, layer.bias, layer.columns, factor, thread, team)
    elif run.second_rule:
        factor = clip_factor(run, 0, run.num_layers) if clips else 1.0
        update_part(run, 0, run.num_parameters, factor, thread, team)
    return met


@part
def add_up(run, batch, weight, thread, team):
    """Gathered ← gathered + part · ∂C/∂w of this mini-batch; the last of a group leaves the sum as the whole gradient.

    - weight: Σ of the weights of the mini-batch's samples; part: its share of those of the group

    Returns whether an update is due.
    """
    first = batch // run.accumulate * run.accumulate
    begin, end = first * run.batch_size, min((first + run.accumulate) * run.batch_size, run.num_samples)
    total = batch_weight(run, begin, end - begin)
    part = weight / total if total else 0.0
    lanes, size = lanes_of(run), run.num_parameters
    place = begin_of(thread, team, size, lanes)
    count, whole, gathered = (
        begin_of(thread + 1, team, size, lanes) - place,
        whole_at(run, place),
        gathered_at(run, place),
    )
    if batch == first:
        copy_scaled(whole, gathered, count, part)
    else:
        add_scaled(whole, gathered, count, part)
    due = batch == first + run.accumulate - 1 or (batch + 1) * run.batch_size >= run.num_samples
    if due:
        copy_scaled(gathered, whole, count, 1.0)
    return due


@part
def finish(run, row, thread, team, met):
    """The rule for the whole gradient, if there is one; then constraints and the average.

    - row: of the constants of this step
    """
    if run.whole:
        met = meet(run, team, update_from_whole(run, thread, team, met))
    if run.signs or run.max_norm < math.inf:
        constrain(run, thread, team)
        met = meet(run, team, met)
    if run.average:
        lanes, size = lanes_of(run), run.num_parameters
        place = begin_of(thread, team, size, lanes)
        share = number_at(constants_at(run, run.first_constants + row * run.constants_step + run.num_constants))
        count = begin_of(thread + 1, team, size, lanes) - place
        approach(parameters_at(run, place), average_at(run, place), count, share)
    return met


@part
def write_journal(run, batch, thread, team, met):
    """journal ← (Σ weight · C_x of this mini-batch, Σ w² before it): the latter of the next one, after this update."""
    square_sums(run, thread, team, False)
    met = meet(run, team, met)
    if thread == 0:
        cost = 0.0
        for i in range(min(run.batch_size, run.num_samples - batch * run.batch_size)):
            cost += number_at(costs_at(run, i))
        put(journal_at(run, 2 * batch), cost)
        put(journal_at(run, 2 * batch + 3), squares_of_layers(run, 0, run.num_layers))
    return met


@kernel(no_cpython_wrapper=True)
def second_half(
    run: RUN, first: SIZE, batch: SIZE, weight: DOUBLE, thread: SIZE, team: SIZE, met: SIZE
) -> SIZE:  # fmt: skip
    """What follows the fused pass of mini-batch `batch`, in a call that began with `first`.

    - weight: Σ of the weights of its samples; met: see barrier.meet; returns the next
    """
    met = meet(run, team, met)  # BP4 and the fused rule are shared out otherwise
    if run.accumulate > 1:
        due = add_up(run, batch, weight, thread, team)
        met = meet(run, team, met)
        if not due:
            return met
    met = finish(run, batch - first, thread, team, met)
    if run.journal:
        met = write_journal(run, batch, thread, team, meet(run, team, met))
    return met


@kernel(no_cfunc_wrapper=True)
def apply_gradient(run, thread, team):
    """The second half alone, with the constants of the first mini-batch of this call."""
    old = flush_denormals()
    run = run[0]
    write_constants(run, 0, 1.0, thread)
    finish(run, 0, thread, team, 0)
    restore_denormals(old)


SECOND_HALF = Callee(second_half.py_func)
call_second_half = SECOND_HALF.call
