"""Many mini-batches in one call: gather, forward, BP1, BP2, then BP3, BP4 and update."""

import math

from ..workspace import CHAIN_ROWS
from .backward import hidden_delta, output_rows
from .dropout import drop
from .forward import place_of_z, squash, weighted_input
from .fpu import flush_denormals, restore_denormals
from .jit import kernel, part
from .pointers import call, pointer
from .rows import gather, scale
from .settings import EVALUATE, SCALED
from .team import barrier, begin_of
from .update import update_layer, write_constants

BLOCK_ROWS = 256  # rows taken through all layers together: few enough for the cache, and weights are read once for all


@part
def batch_weight(weights, order, first, m):
    """Σ of the samples' weights; m where all weigh 1."""
    if len(weights) == 0:
        return float(m)
    total = 0.0
    for i in range(first, first + m):
        total += weights[order[i]]
    return total


@part
def rows_up_and_down(
    settings, layers, parameters, state, work, thread, x, data, order, place, first, m, share, costs, right, pending
):  # fmt: skip
    """Forward, BP1 and BP2 for rows first .. first + m - 1, samples order[place + first] and following.

    - pending: make the update of the other row's sample on the way
    """
    last = len(layers) - 1
    bottom = layers[0]
    if bottom.blocks == 0:
        a = pointer(work, bottom.input + first * bottom.ld_input)
        gather(x, pointer(order, place + first), m, a, bottom.ld_input)
    dropping = settings.dropout > 0.0
    for l in range(last + 1):
        layer = layers[l]
        z = place_of_z(layer, first, l == last)
        if layer.blocks:
            call(settings.forward_entries, settings, layer, parameters, work, order, place + first, z, first, m)
        elif pending:
            call(settings.update_and_forward, settings, layer, parameters, state, work, z, first)
        else:
            weighted_input(settings.multiply, layer, parameters, work, z, first, m)
        squash(layer, work, z, first, m, l == last)
        if dropping and l < last:
            a = pointer(work, layer.output + first * layer.ld)
            drop(a, m, layer.ld, layer.n_out, l, place + first, settings.seed, settings.dropout)
    output_rows(settings, layers[last], work, data, order, place, first, m, costs, right)
    if settings.rule == EVALUATE:
        return
    for l in range(last, 0, -1):
        below = layers[l - 1]
        count = m * below.ld
        a = pointer(work, below.output + first * below.ld)
        if dropping:
            # σ' is a function of what σ gave, before dropout scaled it.
            scale(a, count, 1.0 - settings.dropout)
        hidden_delta(settings, layers[l], below, parameters, work, thread, first, m)
        if dropping:
            delta = pointer(work, below.delta + first * below.ld)
            drop(delta, m, below.ld, below.n_out, l - 1, place + first, settings.seed, settings.dropout)
            scale(a, count, 1.0 / (1.0 - settings.dropout))
    if settings.rule == SCALED:
        for l in range(last + 1):
            layer = layers[l]
            delta = pointer(work, layer.delta + first * layer.ld)
            scale(delta, m * layer.ld, -settings.learning_rate * share)


@kernel(no_cfunc_wrapper=True)
def train(
    settings,
    layers,
    parameters,
    state,
    work,
    x,
    targets,
    labels,
    weights,
    order,
    costs,
    right,
    sync,
    first,
    count,
    thread,
    team,
    seen,
):
    """Mini-batches first .. first + count - 1 of `order`, as thread `thread` of `team`.

    - settings: (1,) of SETTINGS; layers: (L,) of LAYER, which says what lies where in the buffers
    - x (n, n_0); targets (n, n_L) or labels (n,), the other empty; weights (n,) or empty; order (n,)
    - costs, right: scratch of the workspace, a number for each of its rows; sync: see team.barrier
    - seen: (4,) in and out: Σ weight · C_x, Σ weight of right answers, Σ weight; out: mini-batch that failed or -1
    """
    old = flush_denormals()
    settings = settings[0]
    data = (targets, labels, weights)
    # Alone, a thread is as fast or faster with update_layer: 10 000 x 4-32-16-4 810 us against 850; two 640, 530.
    apart = settings.gradients > 0 and team > 1
    # Samples that come one by one: the update for each is made beside the next one's forward pass, see online.py.
    online, pending = settings.update_and_forward > 0, False
    cost, answers, weight = seen[0], seen[1], seen[2]
    failed = -1
    for batch in range(first, first + count):
        place = batch * settings.batch_size
        m = min(settings.batch_size, len(order) - place)
        total = batch_weight(weights, order, place, m)
        share = 1.0 / total if total else 0.0
        # LOOP 4 over rows: each thread takes its part, in blocks. No row needs another.
        grain = CHAIN_ROWS if apart else 1
        row, stop = begin_of(thread, team, m, grain), begin_of(thread + 1, team, m, grain)
        turn = batch % 2 if online else 0
        while row < stop:
            rows = min(CHAIN_ROWS if apart else BLOCK_ROWS, stop - row)
            rows_up_and_down(
                settings, layers, parameters, state, work, thread, x, data, order,
                place - turn, row + turn, rows, share, costs, right, pending,
            )  # fmt: skip
            if apart and settings.rule != EVALUATE:
                call(settings.block_gradient, settings, layers, work, row, rows)
            row += rows
        if team > 1:
            barrier(sync, team, 2 * (batch - first))
        # Every thread adds up all rows in order: the same sum, the same decision.
        batch_cost = batch_right = 0.0
        for i in range(turn, turn + m):
            batch_cost += costs[i]
            batch_right += right[i]
        if not math.isfinite(batch_cost):
            failed = batch
            break
        if settings.rule != EVALUATE:
            step = settings.step + (batch - first) + 1
            # LOOP 3 over layers. All δ exist by now, so no product reads weights that have changed.
            if settings.rule != SCALED:
                write_constants(settings, step, share, work, thread)
            following = place + m
            m_following = min(settings.batch_size, len(order) - following) if batch + 1 < first + count else 0
            if apart:
                call(settings.update_from_blocks, settings, layers, parameters, state, work, m, thread, team)
            pending = online
            for l in range(0 if apart or online else len(layers)):
                update_layer(
                    settings, layers[l], parameters, state, work, m, thread, team,
                    x, order, following, m_following if l == 0 else 0,
                )  # fmt: skip
        cost += batch_cost
        answers += batch_right
        weight += total
        if team > 1:
            barrier(sync, team, 2 * (batch - first) + 1)
    if pending and failed < 0:
        for l in range(len(layers)):  # into the free row, where nobody will read
            z = place_of_z(layers[l], 1 - turn, False)
            call(settings.update_and_forward, settings, layers[l], parameters, state, work, z, 1 - turn)
    seen[0], seen[1], seen[2], seen[3] = cost, answers, weight, failed
    restore_denormals(old)
