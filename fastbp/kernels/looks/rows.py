"""What the rows of a mini-batch tell on their way forward and back."""

from ...compiler.callee import SIZE, Callee
from ...compiler.jit import kernel
from ...formulas.looks import BEFORE, FLATTENED, SMALL_INPUTS
from ..costs import call_cost
from ..fields import RUN, layer_at, order_at, right_at, slopes_at, work_at, x_at
from ..rows import gather
from ..squares import row_squares
from .gauge import call_gauge, count_small
from .places import counts_of, rows_at


@kernel(no_cpython_wrapper=True)
def look_forward(run: RUN, l: SIZE, thread: SIZE, place: SIZE, first: SIZE, m: SIZE):
    """What is small among the inputs of a layer, and |σ'(z^l)|, before dropout; at the output |∇ₐC| too.

    - rows first .. first + m - 1, samples order[place + first] and following
    """
    layer = layer_at(run, l)
    start, order = first * layer.ld, order_at(run, place + first)
    inputs, z = work_at(run, layer.input + first * layer.ld_input), work_at(run, layer.z + start)
    a = work_at(run, layer.output + start)
    if layer.blocks:  # only the nonzeros have been fetched
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


@kernel(no_cpython_wrapper=True)
def look_back(run: RUN, l: SIZE, slot: SIZE, first: SIZE, m: SIZE):
    """|δ^l|² of each row: before σ' and dropout are multiplied in, or after."""
    layer = layer_at(run, l)
    row_squares(work_at(run, layer.delta + first * layer.ld), m, layer.n_out, layer.ld, rows_at(run, l, slot, first))


LOOK_FORWARD, LOOK_BACK = Callee(look_forward.py_func), Callee(look_back.py_func)
call_look_forward, call_look_back = LOOK_FORWARD.call, LOOK_BACK.call
