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


@intrinsic
def array_at(typing_context, address, length, like):
    """The array (length,) of the dtype of `like` at an address; its owner is someone else."""
    kind = types.Array(like.dtype, 1, "C")

    def codegen(context, builder, signature, arguments):
        address, length, _ = arguments
        array = context.make_array(kind)(context, builder)  # zeros: no parent, no count of references
        array.data, array.nitems = builder.inttoptr(address, array.data.type), length
        array.itemsize = length.type(context.get_abi_sizeof(context.get_data_type(kind.dtype)))
        array.shape = cgutils.pack_array(builder, [length])
        array.strides = cgutils.pack_array(builder, [array.itemsize])
        return array._getvalue()

    return kind(types.intp, types.intp, like), codegen


@intrinsic
def ask(typing_context, address):
    """Ask for the cache line at an address, without waiting for it."""

    def codegen(context, builder, signature, arguments):
        emit_prefetch(builder, builder.inttoptr(arguments[0], ir.IntType(8).as_pointer()))
        return context.get_dummy_value()

    return types.void(types.intp), codegen


def emit_prefetch(builder, place):
    """Ask for the cache line at pointer `place`, without waiting for it."""
    i32 = ir.IntType(32)
    byte = builder.bitcast(place, ir.IntType(8).as_pointer())
    kind = ir.FunctionType(ir.VoidType(), [byte.type, i32, i32, i32])
    function = cgutils.get_or_insert_function(builder.module, kind, "llvm.prefetch.p0")
    builder.call(function, [byte, i32(0), i32(3), i32(1)])
