"""What a run tells its kernels, apart from the arrays: one record."""

from typing import Any

import numpy as np

# SCALED is plain SGD without penalties, which adds -η/m δ aᵀ straight to w.
SCALED, PLAIN, MOMENTUM, NESTEROV, ADAM, GRADIENT, EVALUATE = range(7)

SETTINGS = np.dtype(
    [
        ("multiply", np.int64),  # address of gemm.panel_product
        ("zeros", np.int64),  # offset in work of (panel,) zeros
        ("one", np.int64),  # offset in work of the number 1
        ("scratch", np.int64),  # offset in work of (threads, scratch_size)
        ("scratch_size", np.int64),
        ("turned", np.int64),  # offset in a thread's scratch of a transposed panel
        ("forward_entries", np.int64),  # addresses of kernels/skipping.py, if the first layer has blocks
        ("add_entries", np.int64),
        ("starts", np.int64),  # addresses of the arrays in kernels/nonzeros.py
        ("entries", np.int64),
        ("picked", np.int64),
        ("gradients", np.int64),  # offset in work of (blocks of samples, slot_size), see kernels/blocks.py; 0: none
        ("block_gradient", np.int64),  # addresses of kernels/blocks.py, if there are
        ("update_from_blocks", np.int64),
        ("update_and_forward", np.int64),  # address, if updates wait for the next sample: see kernels/online.py
        ("slot_size", np.int64),  # numbers in the parameters, in one state slot, and in one block's gradient
        ("batch_size", np.int64),
        ("cost", np.int64),  # code of C_x, see costs.cost_code
        ("rule", np.int64),  # SCALED .. ADAM change the parameters; GRADIENT writes state, EVALUATE nothing
        ("step", np.int64),  # updates made before this call
        ("seed", np.uint64),  # of dropout in this epoch
        ("learning_rate", np.float64),
        ("momentum", np.float64),
        ("beta1", np.float64),
        ("beta2", np.float64),
        ("epsilon", np.float64),
        ("l1", np.float64),
        ("l2", np.float64),
        ("dropout", np.float64),
    ]
)


def settings(**values: Any) -> Any:
    """Return a record (1,) of these values, zeros elsewhere."""
    record = np.zeros(1, SETTINGS)
    for name, value in values.items():
        record[name] = value
    return record
