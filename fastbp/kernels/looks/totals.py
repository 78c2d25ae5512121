"""What was seen in a mini-batch, added to the sums of the run."""

from ...compiler.callee import DOUBLE, SIZE, Callee
from ...compiler.jit import kernel, part
from ...formulas.looks import BEFORE, CHANGE, DELTA, NABLA_B, NABLA_W, NUM_SUMS
from ..fields import RUN, constants_at, layer_at, looks_at, number_at, put
from .gradient import few_rows
from .places import PRODUCTS, sum_of_neurons, sum_of_rows


@part
def add_look(run, l, kind, amount):
    """Add to a sum of the run's."""
    place = looks_at(run, l * NUM_SUMS + kind)
    put(place, number_at(place) + amount)


@kernel(no_cpython_wrapper=True)
def add_looks(run: RUN, m: SIZE, first: SIZE, batch: SIZE, share: DOUBLE):
    """Add this mini-batch to the sums of the run: by one thread.

    - batch: mini-batch of this call; share: what a sample's gradient counts in C
    """
    factor = share
    if run.straight:  # δ holds -η/m δ by now
        factor = 1.0 / number_at(constants_at(run, run.first_constants + batch * run.constants_step))
    last = run.num_layers - 1
    for l in range(run.num_layers):
        layer = layer_at(run, l)
        for slot in (BEFORE, DELTA):
            # Where the cost cancels σ', there is nothing before it.
            cancels = l == last and run.nabla_squares == 0
            add_look(run, l, slot, sum_of_rows(run, l, DELTA if cancels else slot, first, m) / m)
        nabla_w = sum_of_neurons(run, layer, NABLA_W)
        if not run.fused and few_rows(layer, m):
            nabla_w = sum_of_rows(run, l, PRODUCTS, first, m)
        add_look(run, l, NABLA_W, nabla_w * factor * factor)
        add_look(run, l, NABLA_B, sum_of_neurons(run, layer, NABLA_B) * factor * factor)
        add_look(run, l, CHANGE, nabla_w if run.straight else sum_of_neurons(run, layer, CHANGE))
    add_look(run, run.num_layers, 0, 1.0)
    add_look(run, run.num_layers, 1, float(m))


ADD_LOOKS = Callee(add_looks.py_func)
call_add_looks = ADD_LOOKS.call
