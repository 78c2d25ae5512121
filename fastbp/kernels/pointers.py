"""Addresses inside the buffers: borrowed views and calls by address.

A slice of a numba array counts references with atomic instructions, at every slice, and two threads
that do so fight over one cache line. A borrowed view is an array without an owner: the caller's
Python objects keep the buffers alive.
"""

from llvmlite import ir
from numba import carray, types
from numba.core import cgutils
from numba.extending import intrinsic

from .jit import inline_kernel

I64 = ir.IntType(64)


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


@inline_kernel
def vector(buffer, offset, length):
    """buffer[offset : offset + length], borrowed."""
    return carray(pointer(buffer, offset), (length,))


@inline_kernel
def matrix(buffer, offset, rows, columns):
    """buffer[offset : offset + rows * columns] as (rows, columns), borrowed."""
    return carray(pointer(buffer, offset), (rows, columns))


@intrinsic
def prefetch(typing_context, place):
    """Ask for the cache line at pointer `place`, without waiting for it."""

    def codegen(context, builder, signature, arguments):
        i32 = ir.IntType(32)
        byte = builder.bitcast(arguments[0], ir.IntType(8).as_pointer())
        kind = ir.FunctionType(ir.VoidType(), [byte.type, i32, i32, i32])
        function = cgutils.get_or_insert_function(builder.module, kind, "llvm.prefetch.p0")
        builder.call(function, [byte, i32(0), i32(3), i32(1)])
        return context.get_dummy_value()

    return types.void(place), codegen
