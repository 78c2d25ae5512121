"""Squares of numbers, transposed in registers."""

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from ...vectors.flow import I64
from ...vectors.pointers import emit_prefetch
from ...vectors.simd import I32, Vectors


@intrinsic
def transpose_block(typing_context, source, ld_source, target, ld_target, ahead):
    """target[j, i] = source[i, j] for one square of `lanes` x `lanes` numbers, in registers.

    - ahead: how many numbers further on a later square lies, whose lines are asked for

    Stage s swaps blocks of s numbers between rows i and i + s: log2(lanes) stages of shuffles.
    """
    dtype = target.dtype
    pointer = types.CPointer(dtype)

    def codegen(context, builder, signature, arguments):
        source, ld_source, target, ld_target, ahead = arguments
        simd = Vectors(builder, dtype)
        count = simd.count
        rows = [simd.load(builder.gep(source, [builder.mul(ld_source, I64(i))])) for i in range(count)]
        for i in range(count):
            emit_prefetch(builder, builder.gep(source, [builder.add(ahead, builder.mul(ld_source, I64(i)))]))
        size = count // 2
        while size:
            block = [j // size % 2 for j in range(count)]
            low = [j if not b else count + j - size for j, b in enumerate(block)]
            high = [j + size if not b else count + j for j, b in enumerate(block)]
            masks = [ir.Constant(ir.VectorType(I32, count), mask) for mask in (low, high)]
            for i in range(count):
                if not i // size % 2:
                    pair = rows[i], rows[i + size]
                    rows[i], rows[i + size] = (builder.shuffle_vector(*pair, m) for m in masks)
            size //= 2
        for j in range(count):
            simd.store(rows[j], builder.gep(target, [builder.mul(ld_target, I64(j))]))
        return context.get_dummy_value()

    return types.void(pointer, types.intp, pointer, types.intp, types.intp), codegen
