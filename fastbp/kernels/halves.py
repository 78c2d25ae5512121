"""The second half of a step, where the first has left the gradient whole: its norm is clipped, then comes the rule.

The fused step (update.py) never has the gradient whole. It is wanted whole for the norm over all of it, and by people
who add gradients up, or send them to other machines.
"""

import math

from ..compiler.jit import kernel, part
from ..vectors.fpu import flush_denormals, restore_denormals
from ..vectors.simd import lanes_of
from .barrier import begin_of, meet
from .blocking import panel_of
from .fields import layer_at, number_at, parameters_at, put, second_state_at, squares_at, whole_at, work_at
from .rules import call_rule
from .squares import add_squares
from .update import write_constants


@part
def square_sums(run, thread, team):
    """Σ_k (∂C/∂w_jk)² + (∂C/∂b_j)² of every neuron j, this thread's of each layer, left one layer behind the other."""
    start, lanes, panel = 0, lanes_of(run), panel_of(run)
    for l in range(run.num_layers):
        layer = layer_at(run, l)
        first, stop = begin_of(thread, team, layer.columns, panel), begin_of(thread + 1, team, layer.columns, panel)
        for j in range(first, stop, lanes):
            front = j // panel * panel  # of the panel
            width = min(panel, layer.columns - front)
            place = squares_at(run, start + j)
            for i in range(lanes):
                put(squares_at(run, start + j + i), 0.0)
            add_squares(whole_at(run, layer.weights + front * layer.rows + j - front), layer.n_in, width, place)
            add_squares(whole_at(run, layer.bias + j), 1, width, place)
        start += layer.columns


@part
def norm_of_gradient(run):
    """|∇C|, over all weights and biases: each thread adds up the neurons in one order."""
    start, total = 0, 0.0
    for l in range(run.num_layers):
        layer = layer_at(run, l)
        for j in range(layer.n_out):
            total += number_at(squares_at(run, start + j))
        start += layer.columns
    return math.sqrt(total)


@part
def update_from_whole(run, thread, team, met):
    """The rule for this thread's share of the parameters, the gradient scaled down to clip_norm where it is longer.

    - met: see team.meet; returns the next
    """
    met = meet(run, team, met)
    factor = 1.0
    if run.clip_norm < math.inf:
        square_sums(run, thread, team)
        met = meet(run, team, met)
        norm = norm_of_gradient(run)
        if norm > run.clip_norm:
            factor = run.clip_norm / norm
    if run.second_rule:
        constants = work_at(run, run.scratch + thread * run.scratch_size)
        put(constants, factor)  # the share: g is whole by now
        lanes, size = lanes_of(run), run.num_parameters
        place = begin_of(thread, team, size, lanes)
        call_rule(
            address=run.second_rule, c=constants, count=begin_of(thread + 1, team, size, lanes) - place,
            total=whole_at(run, place), w=parameters_at(run, place), state=second_state_at(run, place), slot_size=size,
        )  # fmt: skip
    return met


@kernel(no_cfunc_wrapper=True)
def apply_gradient(run, thread, team):
    """The second half alone, with the constants of the first mini-batch of this call."""
    old = flush_denormals()
    run = run[0]
    write_constants(run, 0, 1.0, thread)
    update_from_whole(run, thread, team, 0)
    restore_denormals(old)
