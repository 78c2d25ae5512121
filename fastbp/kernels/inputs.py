"""∂C_x/∂x: BP2 once more below the first layer, where there is no σ'."""

from ..compiler.jit import kernel
from ..vectors.fpu import flush_denormals, restore_denormals
from .backward import errors_back
from .fields import layer_at
from .passes import rows_up_and_down


@kernel(no_cfunc_wrapper=True)
def input_errors(run, first, m):
    """δ¹ w¹, the error of the inputs, of samples order[first : first + m], left where the inputs were; run: (1,)."""
    old = flush_denormals()
    run = run[0]
    rows_up_and_down(run, 0, 0, first, 0, m, 1.0, False, False)
    bottom = layer_at(run, 0)
    errors_back(run, bottom, bottom.input, bottom.ld_input, 0, 0, m)
    restore_denormals(old)
