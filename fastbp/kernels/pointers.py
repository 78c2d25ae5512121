"""Addresses inside the buffers: borrowed views and calls by address.

A slice of a numba array counts references with atomic instructions, at every slice, and two threads
that do so fight over one cache line. A borrowed view is an array without an owner: the caller's
Python objects keep the buffers alive.
"""

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic
from numba.np.arrayobj import populate_array

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


def _borrow(context, builder, kind, buffer_type, buffer, offset, shape):
    """An array of type `kind` at buffer[offset], without an owner."""
    source = context.make_array(buffer_type)(context, builder, value=buffer)
    array = context.make_array(kind)(context, builder)
    itemsize = I64(context.get_abi_sizeof(context.get_data_type(kind.dtype)))
    strides = [itemsize]
    for size in reversed(shape[1:]):
        strides.insert(0, builder.mul(strides[0], size))
    populate_array(
        array,
        data=builder.gep(source.data, [offset]),
        shape=shape,
        strides=strides,
        itemsize=itemsize,
        meminfo=None,
    )
    return array._getvalue()


@intrinsic
def vector(typing_context, buffer, offset, length):
    """buffer[offset : offset + length], borrowed."""
    kind = types.Array(buffer.dtype, 1, "C")

    def codegen(context, builder, signature, arguments):
        return _borrow(context, builder, kind, signature.args[0], *arguments[:2], arguments[2:])

    return kind(buffer, types.intp, types.intp), codegen


@intrinsic
def matrix(typing_context, buffer, offset, rows, columns):
    """buffer[offset : offset + rows * columns] as (rows, columns), borrowed."""
    kind = types.Array(buffer.dtype, 2, "C")

    def codegen(context, builder, signature, arguments):
        return _borrow(context, builder, kind, signature.args[0], *arguments[:2], arguments[2:])

    return kind(buffer, types.intp, types.intp, types.intp), codegen


def emit_prefetch(builder, place):
    """Ask for the cache line at pointer `place`, without waiting for it."""
    i32 = ir.IntType(32)
    byte = builder.bitcast(place, ir.IntType(8).as_pointer())
    kind = ir.FunctionType(ir.VoidType(), [byte.type, i32, i32, i32])
    function = cgutils.get_or_insert_function(builder.module, kind, "llvm.prefetch.p0")
    builder.call(function, [byte, i32(0), i32(3), i32(1)])


@intrinsic
def prefetch(typing_context, place):
    """Ask for the cache line at pointer `place`, without waiting for it."""

    def codegen(context, builder, signature, arguments):
        emit_prefetch(builder, *arguments)
        return context.get_dummy_value()

    return types.void(place), codegen
