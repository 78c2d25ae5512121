"""Forward alone: for many samples, and for one at the least cost of a call."""

from ..compiler.jit import kernel
from ..vectors.fpu import flush_denormals, restore_denormals
from ..vectors.pointers import pointer
from .convert import convert_inputs
from .fields import layer_at, order_at, run_at, work_at, x_at
from .forward import forward_layer
from .rows import all_finite, copy, gather


@kernel(no_cfunc_wrapper=True)
def predict(run, first, m):
    """a^L, and on the way every a^l, of samples order[first : first + m], left in the workspace; run: (1,)."""
    old = flush_denormals()
    run = run[0]
    bottom = layer_at(run, 0)
    if run.gather_from:
        convert_inputs(run, bottom, first, 0, m)
    else:
        gather(x_at(run, 0), bottom.n_in, order_at(run, first), m, work_at(run, bottom.input), bottom.ld_input)
    for l in range(run.num_layers):
        forward_layer(run, layer_at(run, l), 0, m)
    restore_denormals(old)


@kernel(no_cfunc_wrapper=True)
def predict_one(address, x, out):
    """out = a^L of the sample x; False, and nothing written, where x or out is not as it should be.

    - address: of the record of a run, of the dtype of x; x: (n_0,), finite; out: (n_L,)
    """
    run = run_at(address, x)
    bottom, top = layer_at(run, 0), layer_at(run, run.num_layers - 1)
    if len(x) != bottom.n_in or len(out) != top.n_out:
        return False
    copy(pointer(x, 0), work_at(run, bottom.input), len(x))
    if not all_finite(work_at(run, bottom.input), bottom.ld_input):
        return False
    old = flush_denormals()
    for l in range(run.num_layers):
        forward_layer(run, layer_at(run, l), 0, 1)
    restore_denormals(old)
    copy(work_at(run, top.output), pointer(out, 0), len(out))
    return True
