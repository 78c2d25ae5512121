"""Forward alone: for many samples, and for one at the least cost of a call."""

import numpy as np

from ..parameters import LAYER
from .forward import forward_layer
from .fpu import flush_denormals, restore_denormals
from .jit import kernel
from .pointers import array_at, pointer, record_at
from .rows import all_finite, copy, gather

# What predicting one sample needs besides the sample. Arrays are given by address: to hand one over takes 0.1 us.
PLAN = np.dtype(
    [
        ("multiply", np.int64),  # address of gemm.panel_product
        ("num_layers", np.int64),
        ("layers", np.int64),  # addresses: (num_layers,) of LAYER
        ("parameters", np.int64),
        ("num_parameters", np.int64),
        ("work", np.int64),  # a workspace of one row
        ("work_size", np.int64),
    ]
)
plan_at, layer_at = record_at(PLAN), record_at(LAYER)
LAYER_SIZE = LAYER.itemsize


@kernel(no_cfunc_wrapper=True)
def predict(multiply, layers, parameters, work, x, order, first, m, keep_z):
    """a^L, and on the way every a^l, of samples order[first : first + m], left in the workspace.

    - keep_z: leave z^l too, in the memory of δ^l
    """
    old = flush_denormals()
    gather(x, pointer(order, first), m, pointer(work, layers[0].input), layers[0].ld_input)
    for place in range(len(layers)):
        forward_layer(multiply, layers[place], parameters, work, 0, m, keep_z)
    restore_denormals(old)


@kernel(no_cfunc_wrapper=True)
def predict_one(address, x, out):
    """out = a^L of the sample x; False, and nothing written, where x or out is not as it should be.

    - address: of a PLAN of the dtype of x; x: (n_0,), finite; out: (n_L,)
    """
    plan = plan_at(address)
    bottom = layer_at(plan.layers)
    top = layer_at(plan.layers + (plan.num_layers - 1) * LAYER_SIZE)
    if len(x) != bottom.n_in or len(out) != top.n_out:
        return False
    parameters, work = array_at(plan.parameters, plan.num_parameters, x), array_at(plan.work, plan.work_size, x)
    copy(pointer(x, 0), pointer(work, bottom.input), len(x))
    if not all_finite(pointer(work, bottom.input), bottom.ld_input):
        return False
    old = flush_denormals()
    for place in range(plan.num_layers):
        layer = layer_at(plan.layers + place * LAYER_SIZE)
        forward_layer(plan.multiply, layer, parameters, work, 0, 1, False)
    restore_denormals(old)
    copy(pointer(work, top.output), pointer(out, 0), len(out))
    return True
