"""Forward, BP1 and BP2 for some rows of a mini-batch, through all layers."""

from ..compiler.jit import part
from .backward import hidden_delta, output_delta
from .convert import convert_inputs
from .drop import call_drop_errors, call_drop_inputs
from .fields import constants_at, layer_at, number_at, order_at, work_at, x_at
from .forward import squash, weighted_input
from .online import call_update_and_forward
from .products.sparse import call_forward_entries
from .rows import gather, scale


@part
def rows_forward(run, place, first, m, pending, shared):
    """z and a of every layer, for rows first .. first + m - 1, samples order[place + first] and following.

    - pending: make the update of the other row's sample on the way, see online.py
    - shared: z¹ is there already, see update.shares_outputs
    """
    bottom = layer_at(run, 0)
    if bottom.blocks == 0:
        a = work_at(run, bottom.input + first * bottom.ld_input)
        gather(x_at(run, 0), bottom.n_in, order_at(run, place + first), m, a, bottom.ld_input)
    elif bottom.blocks < 0:
        convert_inputs(run, bottom, place + first, first, m)
    for l in range(run.num_layers):
        layer = layer_at(run, l)
        if run.drop_inputs:
            call_drop_inputs(address=run.drop_inputs, run=run, l=l, place=place, first=first, m=m)
        if layer.blocks > 0:
            if not shared:
                call_forward_entries(
                    address=run.forward_entries, run=run, layer=layer, place=place + first, first=first, m=m, begin=0,
                    end=layer.columns,
                )  # fmt: skip
        elif pending:
            call_update_and_forward(address=run.update_and_forward, run=run, layer=layer, row=first)
        else:
            weighted_input(run, layer, first, m)
        squash(run, layer, first, m)


@part
def rows_backward(run, thread, place, first, m):
    """δ of the hidden layers, last to first, for rows first .. first + m - 1."""
    for l in range(run.num_layers - 1, 0, -1):
        below = layer_at(run, l - 1)
        if run.drop_errors:
            call_drop_errors(address=run.drop_errors, run=run, l=l, place=place, first=first, m=m, prime_follows=True)
        hidden_delta(run, layer_at(run, l), below, thread, first, m)
        if run.drop_errors:
            call_drop_errors(address=run.drop_errors, run=run, l=l, place=place, first=first, m=m, prime_follows=False)


@part
def scale_deltas(run, first, m, factor):
    """δ ← factor δ in every layer, for rows first .. first + m - 1."""
    for l in range(run.num_layers):
        layer = layer_at(run, l)
        scale(work_at(run, layer.delta + first * layer.ld), m * layer.ld, factor)


@part
def rows_up_and_down(run, thread, batch, place, first, m, share, pending, shared):
    """Forward, BP1 and BP2 for rows first .. first + m - 1, samples order[place + first] and following.

    - batch: mini-batch of this call
    """
    rows_forward(run, place, first, m, pending, shared)
    output_delta(run, layer_at(run, run.num_layers - 1), place, first, m)
    if run.learns:
        rows_backward(run, thread, place, first, m)
        if run.straight:
            rate = number_at(constants_at(run, run.first_constants + batch * run.constants_step))
            scale_deltas(run, first, m, -rate * share)
