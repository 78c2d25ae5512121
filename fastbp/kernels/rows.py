"""Rows of numbers: gathered, copied, scaled, checked."""

from functools import reduce

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from ..vectors.flow import I64, Loop
from ..vectors.numbers import emit_map
from ..vectors.pointers import emit_prefetch
from ..vectors.simd import IR_TYPES, Vectors
from .blocking import ROWS_AHEAD


@intrinsic
def gather(typing_context, x, n, order, m, target, ld):
    """a⁰ = the rows of x that a mini-batch names, their pads 0.

    - x: pointer to (N, n); order: pointer to (m,), the samples
    - target: pointer to (m, ld). A copy, for it is read twice, at a stride that suits the cache.
    """

    def codegen(context, builder, signature, arguments):
        first, n, order, m, target, ld = arguments
        simd, at = Vectors(builder, x.dtype), builder.gep
        last = at(order, [builder.sub(m, I64(1))])
        with Loop(builder, m, order, target) as rows:
            here, row = rows.values
            later = at(here, [I64(ROWS_AHEAD)])
            later = builder.select(builder.icmp_unsigned("<", later, last), later, last)
            emit_prefetch(builder, at(first, [builder.mul(builder.load(later), n)]))
            source = at(first, [builder.mul(builder.load(here), n)])
            with Loop(builder, builder.udiv(n, I64(simd.count)), I64(0)) as loop:
                (j,) = loop.values
                simd.store(simd.load(at(source, [j])), at(row, [j]))
                loop.later = [builder.add(j, I64(simd.count))]
            (j,) = loop.values
            with builder.if_then(builder.icmp_signed("<", j, n)):  # a masked load for all took half as long again
                inside = simd.compare("<", simd.places(j), n)
                simd.store(simd.load_where(inside, at(source, [j]), simd.zero()), at(row, [j]))
            rows.later = [at(here, [I64(1)]), at(row, [ld])]
        return context.get_dummy_value()

    return types.void(x, types.intp, types.CPointer(types.int64), types.intp, x, types.intp), codegen


@intrinsic
def copy(typing_context, source, target, count):
    """Target ← source, `count` numbers at two pointers."""

    def codegen(context, builder, signature, arguments):
        source, place, count = arguments
        size = context.get_abi_sizeof(context.get_data_type(target.dtype))
        cgutils.raw_memcpy(builder, place, source, count, ir.Constant(count.type, size))
        return context.get_dummy_value()

    return types.void(source, target, types.intp), codegen


@intrinsic
def clear(typing_context, target, count):
    """Target ← 0, `count` numbers at a pointer."""

    def codegen(context, builder, signature, arguments):
        place, count = arguments
        size = context.get_abi_sizeof(context.get_data_type(target.dtype))
        cgutils.memset(builder, place, builder.mul(count, I64(size)), 0)
        return context.get_dummy_value()

    return types.void(target, types.intp), codegen


def in_kind_of(builder, place, number):
    """A float64 as a number of what a pointer points to."""
    kind = IR_TYPES[place.dtype]
    return number if number.type == kind else builder.fptrunc(number, kind)


def scaled(x, factor):
    """x · factor."""
    return x * factor


@intrinsic
def scale(typing_context, a, count, factor):
    """a ← factor · a, `count` numbers, whole vectors, at a pointer."""

    def codegen(context, builder, signature, arguments):
        place, count, factor = arguments
        emit_map(builder, a.dtype, scaled, [place], place, count, in_kind_of(builder, a, factor))
        return context.get_dummy_value()

    return types.void(a, types.intp, types.float64), codegen


def sum_of_two(x, y):
    """x + y."""
    return x + y


@intrinsic
def add(typing_context, source, target, count):
    """Target ← target + source, `count` numbers, whole vectors, at two pointers."""

    def codegen(context, builder, signature, arguments):
        source, place, count = arguments
        emit_map(builder, target.dtype, sum_of_two, [source, place], place, count)
        return context.get_dummy_value()

    return types.void(source, target, types.intp), codegen


def sum_with_scaled(x, total, factor):
    """total + factor x."""
    return x * factor + total


@intrinsic
def add_scaled(typing_context, source, target, count, factor):
    """Target ← target + factor · source, `count` numbers, whole vectors, at two pointers."""

    def codegen(context, builder, signature, arguments):
        source, place, count, factor = arguments
        factor = in_kind_of(builder, target, factor)
        emit_map(builder, target.dtype, sum_with_scaled, [source, place], place, count, factor)
        return context.get_dummy_value()

    return types.void(source, target, types.intp, types.float64), codegen


@intrinsic
def copy_scaled(typing_context, source, target, count, factor):
    """Target ← factor · source, `count` numbers, whole vectors, at two pointers."""

    def codegen(context, builder, signature, arguments):
        source, place, count, factor = arguments
        emit_map(builder, target.dtype, scaled, [source], place, count, in_kind_of(builder, target, factor))
        return context.get_dummy_value()

    return types.void(source, target, types.intp, types.float64), codegen


def moved_towards(x, mean, share):
    """mean + share (x - mean)."""
    return (x - mean) * share + mean


@intrinsic
def approach(typing_context, source, target, count, share):
    """Target ← target + share · (source - target), `count` numbers, whole vectors, at two pointers."""

    def codegen(context, builder, signature, arguments):
        source, place, count, share = arguments
        share = in_kind_of(builder, target, share)
        emit_map(builder, target.dtype, moved_towards, [source, place], place, count, share)
        return context.get_dummy_value()

    return types.void(source, target, types.intp, types.float64), codegen


@intrinsic
def all_finite(typing_context, a, count):
    """Whether `count` numbers, whole vectors, at a pointer are finite: x - x is NaN otherwise.

    Vector code, because a sum in order, as LLVM must keep it, takes 3 cycles a number.
    """

    def codegen(context, builder, signature, arguments):
        place, count = arguments
        simd = Vectors(builder, a.dtype)
        with Loop(builder, builder.udiv(count, I64(simd.count)), place, simd.zero()) as loop:
            here, total = loop.values
            x = simd.load(here)
            loop.later = [builder.gep(here, [I64(simd.count)]), builder.fadd(total, builder.fsub(x, x))]
        total = loop.values[1]
        entries = [builder.extract_element(total, I64(i)) for i in range(simd.count)]
        return builder.fcmp_ordered("ord", *(reduce(builder.fadd, entries),) * 2)

    return types.boolean(a, types.intp), codegen
