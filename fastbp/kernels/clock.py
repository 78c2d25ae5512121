"""The time, for a team that must not take longer than fewer threads would."""

import ctypes
import os
import time

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from ..vectors.flow import I64

HAS_CLOCK = os.name == "posix" and hasattr(ctypes.CDLL(None), "clock_gettime") and ctypes.sizeof(ctypes.c_long) == 8
_WHICH = getattr(time, "CLOCK_MONOTONIC", 0)


def seconds_now() -> float:
    """Return what `now` does."""
    return time.clock_gettime(_WHICH) if HAS_CLOCK else 0.0


@intrinsic
def now(typing_context):
    """Seconds by a clock that never goes back; 0 where the system has none that can be called without Python.

    Some 25 ns: Linux answers without entering the kernel.
    """

    def codegen(context, builder, signature, arguments):
        if not HAS_CLOCK:
            return ir.Constant(ir.DoubleType(), 0.0)
        time_spec = cgutils.alloca_once(builder, ir.ArrayType(I64, 2))
        which = ir.IntType(32)
        kind = ir.FunctionType(which, [which, time_spec.type])
        builder.call(cgutils.get_or_insert_function(builder.module, kind, "clock_gettime"), [which(_WHICH), time_spec])
        parts = [builder.load(cgutils.gep_inbounds(builder, time_spec, 0, place)) for place in (0, 1)]
        seconds, nanoseconds = (builder.sitofp(part, ir.DoubleType()) for part in parts)
        return builder.fadd(seconds, builder.fmul(nanoseconds, ir.Constant(ir.DoubleType(), 1e-9)))

    return types.float64(), codegen
