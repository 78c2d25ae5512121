"""Addresses inside the buffers.

A slice of a numba array counts references with atomic instructions, at every slice, and two threads
that do so fight over one cache line. The caller's Python objects keep the buffers alive.
"""

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic


@intrinsic
def pointer(typing_context, buffer, offset):
    """Pointer to buffer[offset]; `buffer` is a contiguous array."""
    signature = types.CPointer(buffer.dtype)(buffer, types.intp)

    def codegen(context, builder, signature, arguments):
        array = context.make_array(signature.args[0])(context, builder, value=arguments[0])
        return builder.gep(array.data, [arguments[1]])

    return signature, codegen


@intrinsic
def advance(typing_context, place, count):
    """Pointer `place` moved on by `count` numbers."""

    def codegen(context, builder, signature, arguments):
        return builder.gep(arguments[0], [arguments[1]])

    return place(place, types.intp), codegen


def emit_prefetch(builder, place):
    """Ask for the cache line at pointer `place`, without waiting for it."""
    i32 = ir.IntType(32)
    byte = builder.bitcast(place, ir.IntType(8).as_pointer())
    kind = ir.FunctionType(ir.VoidType(), [byte.type, i32, i32, i32])
    function = cgutils.get_or_insert_function(builder.module, kind, "llvm.prefetch.p0")
    builder.call(function, [byte, i32(0), i32(3), i32(1)])
