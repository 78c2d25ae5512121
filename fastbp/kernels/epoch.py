"""Many mini-batches in one call: gather, forward, BP1, BP2, then BP3, BP4 and update."""

import math

from ..compiler.jit import kernel, part
from ..vectors.fpu import flush_denormals, restore_denormals
from ..vectors.pointers import advance
from .barrier import begin_of, end_if_late, ends, meet
from .blocking import CHAIN_ROWS, ROWS_AT_ONCE, panel_of
from .chains import call_chain_gradient, call_update_from_chains
from .fields import (
    constants_at,
    costs_at,
    layer_at,
    number_at,
    put,
    right_at,
    seen_at,
)
from .halves import call_second_half
from .looks.gradient import call_look_and_update, call_look_at_change, call_look_at_gradient
from .looks.rows import call_look_rows
from .looks.totals import call_add_looks
from .online import call_update_and_forward
from .passes import rows_up_and_down
from .pieces import call_take_rows, call_take_updates
from .products.sparse import call_forward_entries
from .update import batch_weight, begin_sums, shares_outputs, update_layer, write_constants


@part
def looks_at(run, batch, first):
    """Whether this mini-batch is looked at; not where a rate of 0 leaves nothing of δ."""
    if (batch + run.look_from) % run.look_every != 0:
        return False
    place = run.first_constants + (batch - first) * run.constants_step
    return not (run.straight and number_at(constants_at(run, place)) == 0.0)


@part
def update_all(run, batch, m, share, thread, team, together, following, m_following, met):
    """BP3, BP4 and the rule, for this thread's part of every layer."""
    if not run.straight:
        write_constants(run, batch, share, thread)
    if together:
        call_update_from_chains(address=run.update_from_chains, run=run, m=m, thread=thread, team=team)
        return
    if run.take_updates and team > 1:
        call_take_updates(
            address=run.take_updates, run=run, m=m, thread=thread, team=team, following=following,
            m_following=m_following, met=met,
        )  # fmt: skip
        return
    # LOOP 3 over layers. All δ exist by now, so no product reads weights that have changed.
    for l in range(run.num_layers):
        update_layer(run, l, m, thread, team, following, m_following if l == 0 else 0)


@part
def flush(run, free):
    """Make the update that waits for the next sample: what goes into the free row, nobody will read."""
    for l in range(run.num_layers):
        call_update_and_forward(address=run.update_and_forward, run=run, layer=layer_at(run, l), row=free)


@kernel(no_cfunc_wrapper=True)
def train(run, first, count, thread, team):
    """Mini-batches first .. first + count - 1 of the order, as thread `thread` of `team`.

    - run: (1,), see run.py. run.seen[thread] is (4,) in and out: Σ weight · C_x, Σ weight of right answers, Σ weight;
      out: mini-batch that failed, or -1
    """
    old = flush_denormals()
    run = run[0]
    # Alone, a thread is as fast or faster with update_layer: 10 000 x 4-32-16-4 810 us against 850; two 640, 530.
    together = run.gradients > 0 and team > 1
    # Samples that come one by one: the update for each is made beside the next one's forward pass, see online.py.
    online, pending = run.update_and_forward > 0, False
    begin_sums(run, thread)
    shared = shares_outputs(run, team)
    begin = begin_of(thread, team, layer_at(run, 0).columns, panel_of(run))
    end = begin_of(thread + 1, team, layer_at(run, 0).columns, panel_of(run))
    turn = met = 0
    seen = seen_at(run, 4 * thread)
    cost, answers, weight = number_at(seen), number_at(advance(seen, 1)), number_at(advance(seen, 2))
    failed = -1
    for batch in range(first, first + count):
        place = batch * run.batch_size
        m = min(run.batch_size, run.num_samples - place)
        total = batch_weight(run, place, m)
        share = 1.0 / total if total else 0.0
        # LOOP 4 over rows: each thread takes its part, in blocks. No row needs another.
        grain = CHAIN_ROWS if together else 1
        row, stop = begin_of(thread, team, m, grain), begin_of(thread + 1, team, m, grain)
        turn = batch % 2 if online else 0
        looked_at = run.look_every > 0 and looks_at(run, batch, first)
        if shared and not looked_at:
            bottom = layer_at(run, 0)
            call_forward_entries(
                address=run.forward_entries, run=run, layer=bottom, place=place, first=0, m=m, begin=begin, end=end
            )
            met = meet(run, team, met)
        taken = run.take_rows > 0 and team > 1 and not looked_at
        if taken:
            call_take_rows(
                address=run.take_rows, run=run, thread=thread, batch=batch - first, place=place, m=m, share=share,
                team=team, met=met,
            )  # fmt: skip
        while row < stop and not taken:
            rows = min(CHAIN_ROWS if together else ROWS_AT_ONCE, stop - row)
            if looked_at:
                call_look_rows(
                    address=run.look_rows, run=run, thread=thread, batch=batch - first, place=place - turn,
                    first=row + turn, m=rows, share=share, pending=pending,
                )  # fmt: skip
            else:
                rows_up_and_down(run, thread, batch - first, place - turn, row + turn, rows, share, pending, shared)
            if together and run.learns:
                call_chain_gradient(address=run.chain_gradient, run=run, first=row, m=rows)
            row += rows
        met = meet(run, team, met)
        if team > 1 and thread == 0:
            end_if_late(run, batch + 1 - first)
        # Every thread adds up all rows in order: the same sum, the same decision.
        batch_cost = batch_right = 0.0
        for i in range(turn, turn + m):
            batch_cost += number_at(costs_at(run, i))
            batch_right += number_at(right_at(run, i))
        if not math.isfinite(batch_cost):
            failed = batch
            break
        if looked_at and not run.fused:
            call_look_at_gradient(address=run.look_at_gradient, run=run, first=turn, m=m, thread=thread, team=team)
            met = meet(run, team, met)
        if looked_at and run.fused:
            write_constants(run, batch - first, share, thread)
            call_look_and_update(address=run.look_and_update, run=run, first=turn, m=m, thread=thread, team=team)
            pending = False
        elif online:
            if not run.straight:
                write_constants(run, batch - first, share, thread)
            pending = not looked_at
            if looked_at:  # its update is not put off
                flush(run, 1 - turn)
        elif run.learns:
            following = place + m
            m_following = min(run.batch_size, run.num_samples - following) if batch + 1 < first + count else 0
            update_all(run, batch - first, m, share, thread, team, together, following, m_following, met)
        if run.second_half:
            met = call_second_half(
                address=run.second_half, run=run, first=first, batch=batch, weight=total, thread=thread, team=team,
                met=met,
            )  # fmt: skip
        cost += batch_cost
        answers += batch_right
        weight += total
        met = meet(run, team, met)
        if looked_at:
            if run.whole:
                call_look_at_change(address=run.look_at_change, run=run, thread=thread, team=team)
                met = meet(run, team, met)
            if thread == 0:
                call_add_looks(address=run.add_looks, run=run, m=m, first=turn, batch=batch - first, share=share)
            met = meet(run, team, met)
        if team > 1 and ends(run):
            break
    if pending and failed < 0:
        flush(run, 1 - turn)
    put(seen, cost)
    put(advance(seen, 1), answers)
    put(advance(seen, 2), weight)
    put(advance(seen, 3), float(failed))
    restore_denormals(old)
