"""Flush-to-zero: arithmetic on denormals is up to 100 times slower, and nothing here needs them.

Dead ReLUs under momentum or Adam make denormals by the thousand. The setting belongs to the thread,
so a kernel restores what it found. x86 only; elsewhere both functions do nothing.
"""

import platform

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

ON_X86 = platform.machine() in ("x86_64", "AMD64")
FLUSH_TO_ZERO_AND_DENORMALS_ARE_ZERO = 0x8040
I32 = ir.IntType(32)


def _access(builder, name, slot):
    function = cgutils.get_or_insert_function(
        builder.module, ir.FunctionType(ir.VoidType(), [slot.type]), f"llvm.x86.sse.{name}"
    )
    builder.call(function, [slot])


@intrinsic
def flush_denormals(typing_context):
    """Set flush-to-zero; returns the old control word for `restore_denormals`."""

    def codegen(context, builder, signature, arguments):
        if not ON_X86:
            return I32(0)
        slot = cgutils.alloca_once(builder, I32)
        _access(builder, "stmxcsr", slot)
        old = builder.load(slot)
        builder.store(builder.or_(old, I32(FLUSH_TO_ZERO_AND_DENORMALS_ARE_ZERO)), slot)
        _access(builder, "ldmxcsr", slot)
        return old

    return types.int32(), codegen


@intrinsic
def restore_denormals(typing_context, old):
    """Undo `flush_denormals`."""

    def codegen(context, builder, signature, arguments):
        if ON_X86:
            slot = cgutils.alloca_once(builder, I32)
            builder.store(arguments[0], slot)
            _access(builder, "ldmxcsr", slot)
        return context.get_dummy_value()

    return types.void(types.int32), codegen
