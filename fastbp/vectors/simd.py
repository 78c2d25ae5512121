"""Explicit vector code: what LLVM will not write from a plain loop.

LLVM holds plain numba loops to 256-bit vectors on many CPUs, never keeps a tile of C in registers
across the k loop, and goes through a loop's scalar path where it cannot tell arrays apart. So the
innermost loops are emitted as LLVM vector IR. A vector must be born and die inside one `@intrinsic`,
because numba has no vector type of its own.
"""

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from ..compiler.target import LANES
from .flow import I64

I32 = ir.IntType(32)
IR_TYPES = {types.float32: ir.FloatType(), types.float64: ir.DoubleType()}


def lanes(dtype) -> int:
    """Numbers of `dtype` (a numba float type or a NumPy dtype) in one vector."""
    bits = dtype.bitwidth if hasattr(dtype, "bitwidth") else dtype.itemsize * 8
    return LANES * 32 // bits


def dtype_of(kind):
    """The numbers that an array holds, or that a run is made of: the record has a 1 of them."""
    return kind.typeof("one") if isinstance(kind, types.Record) else kind.dtype


def constant_of(number):
    """Make the function that gives number(dtype) of an array or a run: a constant, so LLVM divides with a shift."""

    @intrinsic
    def of(typing_context, buffer):
        def codegen(context, builder, signature, arguments):
            return I64(number(dtype_of(buffer)))

        return types.intp(buffer), codegen

    return of


lanes_of = constant_of(lanes)


class Vectors:
    """Vectors of one type in one function body: loads, stores, and what has no operator of its own."""

    def __init__(self, builder, dtype):
        self.builder, self.dtype, self.count = builder, dtype, lanes(dtype)
        self.element = IR_TYPES[dtype]
        self.type = ir.VectorType(self.element, self.count)
        self.alignment = dtype.bitwidth // 8

    def load(self, pointer):
        value = self.builder.load(self.builder.bitcast(pointer, self.type.as_pointer()))
        value.align = self.alignment
        return value

    def load_where(self, mask, pointer, otherwise):
        """Load the numbers that the mask names, and touch no others."""
        place = self.builder.bitcast(pointer, self.type.as_pointer())
        return self.call("masked.load", "p0", place, I32(self.alignment), mask, otherwise)

    def store(self, value, pointer):
        place = self.builder.bitcast(pointer, self.type.as_pointer())
        self.builder.store(value, place).align = self.alignment

    def constant(self, value):
        return ir.Constant(self.type, [float(self.dtype(value))] * self.count)

    def broadcast(self, scalar):
        """A vector of this scalar, of any type."""
        undefined = ir.Constant(ir.VectorType(scalar.type, self.count), ir.Undefined)
        first = self.builder.insert_element(undefined, scalar, I32(0))
        everywhere = ir.Constant(ir.VectorType(I32, self.count), None)
        return self.builder.shuffle_vector(first, undefined, everywhere)

    def zero(self):
        return ir.Constant(self.type, None)

    def vectors(self, n):
        """How many vectors n numbers fill, the last perhaps in part."""
        return self.builder.udiv(self.builder.add(n, I64(self.count - 1)), I64(self.count))

    def places(self, offset):
        """offset, offset + 1, ...: integers, one for each lane."""
        first = self.broadcast(self.builder.trunc(offset, I32))
        return self.builder.add(first, ir.Constant(first.type, list(range(self.count))))

    def compare(self, sign, places, scalar):
        """Mask of the places (int32) that are `sign` a 64-bit integer."""
        return self.builder.icmp_signed(sign, places, self.broadcast(self.builder.trunc(scalar, I32)))

    def any(self, mask):
        """Whether some entry of the mask is true."""
        bits = ir.IntType(self.count)
        return self.builder.icmp_unsigned("!=", self.builder.bitcast(mask, bits), bits(0))

    def maximum(self, vector):
        """The largest entry, as a scalar: halves against halves, which is the same in any order."""
        builder, size = self.builder, self.count // 2
        while size:
            turned = [(i + size) % self.count for i in range(self.count)]
            other = builder.shuffle_vector(vector, vector, ir.Constant(ir.VectorType(I32, self.count), turned))
            vector = builder.select(builder.fcmp_ordered(">", vector, other), vector, other)
            size //= 2
        return builder.extract_element(vector, I32(0))

    def add_in_order(self, total, vector, left):
        """The scalar `total` plus every entry, one after the other: the same bits at every vector width.

        - left: how many entries count; the others are 0, and left out in groups of four, or added
        """
        builder = self.builder
        group = min(self.count, 4)
        for first in range(0, self.count, group):
            before, skipped = total, builder.block
            with builder.if_then(builder.icmp_signed(">", left, I64(first))):
                for i in range(first, first + group):
                    entry = builder.extract_element(vector, I32(i))
                    entry = entry if entry.type == total.type else builder.fpext(entry, total.type)
                    total = builder.fadd(total, entry)
                added = builder.block
            sums = builder.phi(total.type)
            sums.add_incoming(before, skipped)
            sums.add_incoming(total, added)
            total = sums
        return total

    def fma(self, x, y, z):
        return self.call("fma", "", x, y, z)

    def call(self, name, also, *operands):
        """Call an intrinsic of LLVM that gives a vector; `also`: what its name ends with, after the vector's type."""
        kind = ir.FunctionType(self.type, [operand.type for operand in operands])
        name = ".".join(filter(None, ["llvm", name, f"v{self.count}f{self.dtype.bitwidth}", also]))
        return self.builder.call(cgutils.get_or_insert_function(self.builder.module, kind, name), operands)
