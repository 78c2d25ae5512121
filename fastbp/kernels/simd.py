"""Explicit vector code: what LLVM will not write from a plain loop.

LLVM holds plain numba loops to 256-bit vectors on many CPUs, never keeps a tile of C in registers
across the k loop, and goes through a loop's scalar path where it cannot tell arrays apart. So the
innermost loops are emitted as LLVM vector IR. A vector must be born and die inside one `@intrinsic`,
because numba has no vector type of its own.
"""

from llvmlite import ir
from numba import types
from numba.core import cgutils

from .target import LANES

I32, I64 = ir.IntType(32), ir.IntType(64)
IR_TYPES = {types.float32: ir.FloatType(), types.float64: ir.DoubleType()}
FLAGS = ("contract", "nsz")  # as in jit.py


def lanes(dtype) -> int:
    """Numbers of `dtype` (a numba float type or a NumPy dtype) in one vector."""
    bits = dtype.bitwidth if hasattr(dtype, "bitwidth") else dtype.itemsize * 8
    return LANES * 32 // bits


class Vectors:
    """Loads, stores and arithmetic of one vector type, in one function body."""

    def __init__(self, builder, element, count):
        self.builder, self.element, self.count = builder, element, count
        self.type = ir.VectorType(element, count)
        self.alignment = 4 if isinstance(element, ir.FloatType) else 8
        self.suffix = f"v{count}f{8 * self.alignment}"

    def load(self, pointer):
        value = self.builder.load(self.builder.bitcast(pointer, self.type.as_pointer()))
        value.align = self.alignment
        return value

    def store(self, value, pointer):
        place = self.builder.bitcast(pointer, self.type.as_pointer())
        self.builder.store(value, place).align = self.alignment

    def broadcast(self, scalar):
        undefined = ir.Constant(self.type, ir.Undefined)
        first = self.builder.insert_element(undefined, scalar, I32(0))
        everywhere = ir.Constant(ir.VectorType(I32, self.count), None)
        return self.builder.shuffle_vector(first, undefined, everywhere)

    def zero(self):
        return ir.Constant(self.type, None)

    def fma(self, x, y, z):
        return self._call("fma", x, y, z)

    def sqrt(self, x):
        return self._call("sqrt", x)

    def _call(self, name, *operands):
        kind = ir.FunctionType(self.type, [self.type] * len(operands))
        name = f"llvm.{name}.{self.suffix}"
        function = cgutils.get_or_insert_function(self.builder.module, kind, name)
        return self.builder.call(function, operands)


class Number:
    """A vector in a formula: +, -, *, / and the functions below emit its instructions."""

    def __init__(self, simd, value):
        self.simd, self.value = simd, value

    def _with(self, emit, other):
        return Number(self.simd, emit(self.value, other.value, flags=FLAGS))

    def __add__(self, other):
        return self._with(self.simd.builder.fadd, other)

    def __sub__(self, other):
        return self._with(self.simd.builder.fsub, other)

    def __mul__(self, other):
        return self._with(self.simd.builder.fmul, other)

    def __truediv__(self, other):
        return self._with(self.simd.builder.fdiv, other)


def sqrt(x):
    """Square root of a Number, entry by entry."""
    return Number(x.simd, x.simd.sqrt(x.value))


def with_sign_of(x, size):
    """Size · sign x of two Numbers; 0 where x is 0."""
    builder, zero = x.simd.builder, x.simd.zero()
    below = builder.select(
        builder.fcmp_ordered("<", x.value, zero), builder.fsub(zero, size.value), zero
    )
    return Number(
        x.simd, builder.select(builder.fcmp_ordered(">", x.value, zero), size.value, below)
    )


class Loop:
    """A loop of `times` rounds (0 allowed), with values carried from round to round.

    `with Loop(builder, times, *first) as loop:` emits the body: `loop.values` are the round's values, and
    `loop.later` must be set to the next round's. After it `loop.values` are the last ones.
    """

    def __init__(self, builder, times, *first):
        self.builder, self.times, self.first = builder, times, [I64(0), *first]

    def __enter__(self):
        builder = self.builder
        self.before = builder.block
        self.body, self.done = builder.append_basic_block("body"), builder.append_basic_block("done")
        builder.cbranch(builder.icmp_signed(">", self.times, I64(0)), self.body, self.done)
        builder.position_at_end(self.body)
        self.phis = [builder.phi(value.type) for value in self.first]
        self.values = self.phis[1:]
        return self

    def __exit__(self, kind, error, trace):
        if error is not None:
            return
        builder, end = self.builder, self.builder.block
        later = [builder.add(self.phis[0], I64(1)), *self.later]
        for phi, first, last in zip(self.phis, self.first, later, strict=True):
            phi.add_incoming(first, self.before)
            phi.add_incoming(last, end)
        builder.cbranch(builder.icmp_signed("<", later[0], self.times), self.body, self.done)
        builder.position_at_end(self.done)
        self.values = []
        for first, last in zip(self.first[1:], later[1:], strict=True):
            phi = builder.phi(first.type)
            phi.add_incoming(first, self.before)
            phi.add_incoming(last, end)
            self.values.append(phi)


def function_apart(module, name, emit, operands):
    """The LLVM function `name`, which is not inlined; `emit(builder, *arguments)` emits it at its first use."""
    if name in module.globals:
        return module.globals[name]
    kind = ir.FunctionType(ir.VoidType(), [operand.type for operand in operands])
    function = ir.Function(module, kind, name)
    function.linkage = "internal"
    function.attributes.add("noinline")
    builder = ir.IRBuilder(function.append_basic_block())
    emit(builder, *function.args)
    builder.ret_void()
    return function
