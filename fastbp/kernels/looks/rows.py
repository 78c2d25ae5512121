"""What the rows of a mini-batch tell on their way forward and back.

`look_rows` is `passes.rows_up_and_down` once more, with BP2 in its two factors and a look at each place. To ask at each
place of the other whether to look took 0.05 us of the 0.71 that a step of 4-16-2 takes.
"""

from ...compiler.callee import DOUBLE, FLAG, SIZE, Callee
from ...compiler.jit import kernel, part
from ...formulas.looks import BEFORE, DELTA, FLATTENED, SMALL_INPUTS
from ..activate import call_prime
from ..backward import errors_back, output_delta
from ..convert import convert_inputs
from ..costs import call_cost
from ..drop import call_drop_errors, call_drop_inputs
from ..fields import RUN, constants_at, layer_at, number_at, order_at, right_at, slopes_at, work_at, x_at
from ..forward import squash, weighted_input
from ..online import call_update_and_forward
from ..products.sparse import call_forward_entries
from ..rows import gather, scale
from ..squares import row_squares
from .gauge import call_gauge, count_small
from .places import counts_of, rows_at


@part
def look_forward(run, l, thread, place, first, m):
    """What is small among the inputs of a layer, and |σ'(z^l)|, before dropout; at the output |∇ₐC| too.

    - rows first .. first + m - 1, samples order[place + first] and following
    """
    layer = layer_at(run, l)
    start, order = first * layer.ld, order_at(run, place + first)
    inputs, z = work_at(run, layer.input + first * layer.ld_input), work_at(run, layer.z + start)
    a = work_at(run, layer.output + start)
    if layer.blocks > 0:  # only the nonzeros have been fetched
        gather(x_at(run, 0), layer.n_in, order, m, inputs, layer.ld_input)
    count_small(inputs, m, layer.n_in, layer.ld_input, counts_of(run, thread, l, SMALL_INPUTS))
    if layer.gauge:
        call_gauge(
            address=layer.gauge, m=m, n=layer.n_out, z=z, a=a, ld=layer.ld,
            slopes=slopes_at(run, thread * run.num_neurons + layer.neurons),
            flat=counts_of(run, thread, l, FLATTENED),
        )  # fmt: skip
    if l == run.num_layers - 1 and run.nabla_squares:
        call_cost(
            address=run.nabla_squares, m=m, n=layer.n_out, a=a, delta=z, ld=layer.ld, order=order, labels=run.labels,
            targets=run.targets, weights=run.weights, costs=rows_at(run, l, BEFORE, first), right=right_at(run, first),
        )  # fmt: skip


@part
def look_back(run, l, slot, first, m):
    """|δ^l|² of each row: before σ' and dropout are multiplied in, or after."""
    layer = layer_at(run, l)
    row_squares(work_at(run, layer.delta + first * layer.ld), m, layer.n_out, layer.ld, rows_at(run, l, slot, first))


@part
def forward_looking(run, thread, place, first, m, pending):
    """z and a of every layer, as `passes.rows_forward`."""
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
            call_forward_entries(
                address=run.forward_entries, run=run, layer=layer, place=place + first, first=first, m=m, begin=0,
                end=layer.columns,
            )  # fmt: skip
        elif pending:
            call_update_and_forward(address=run.update_and_forward, run=run, layer=layer, row=first)
        else:
            weighted_input(run, layer, first, m)
        squash(run, layer, first, m)
        look_forward(run, l, thread, place, first, m)


@part
def times_prime(run, below, first, m):
    """The second factor of BP2: δ^(l-1) ← δ^(l-1) ⊙ σ'(z^(l-1)) for rows first .. first + m - 1."""
    if below.prime:
        start = first * below.ld
        delta = work_at(run, below.delta + start)
        call_prime(
            address=below.prime, m=m, n=below.n_out, z=work_at(run, below.z + start),
            a=work_at(run, below.output + start), delta=delta, out=delta, ld=below.ld,
        )  # fmt: skip


@part
def backward_looking(run, thread, place, first, m):
    """δ of the hidden layers, as `passes.rows_backward`."""
    for l in range(run.num_layers - 1, 0, -1):
        below = layer_at(run, l - 1)
        if run.drop_errors:
            call_drop_errors(address=run.drop_errors, run=run, l=l, place=place, first=first, m=m, prime_follows=True)
        errors_back(run, layer_at(run, l), below.delta + first * below.ld, below.ld, thread, first, m)
        look_back(run, l - 1, BEFORE, first, m)
        times_prime(run, below, first, m)
        if run.drop_errors:
            call_drop_errors(address=run.drop_errors, run=run, l=l, place=place, first=first, m=m, prime_follows=False)
        look_back(run, l - 1, DELTA, first, m)


@kernel(no_cpython_wrapper=True)
def look_rows(run: RUN, thread: SIZE, batch: SIZE, place: SIZE, first: SIZE, m: SIZE, share: DOUBLE, pending: FLAG):
    """Forward, BP1 and BP2, as `passes.rows_up_and_down`, which has the same operands."""
    forward_looking(run, thread, place, first, m, pending)
    last = run.num_layers - 1
    output_delta(run, layer_at(run, last), place, first, m)
    look_back(run, last, DELTA, first, m)
    backward_looking(run, thread, place, first, m)
    if run.straight:
        rate = number_at(constants_at(run, run.first_constants + batch * run.constants_step))
        for l in range(run.num_layers):
            layer = layer_at(run, l)
            scale(work_at(run, layer.delta + first * layer.ld), m * layer.ld, -rate * share)


LOOK_ROWS = Callee(look_rows.py_func)
call_look_rows = LOOK_ROWS.call
