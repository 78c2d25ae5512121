"""a⁰ from samples of another dtype than the network's: each row is converted as it is gathered, whatever x takes.

Rounded as NumPy's astype does: integers and float64 once, to nearest.
"""

from functools import cache
from typing import Any

import numpy as np
from llvmlite import binding, ir

from ..compiler.callee import INTEGERS, NUMBERS, SIZE, Emitted
from ..compiler.jit import part
from ..compiler.native import address_of
from ..vectors.flow import I64, Loop
from ..vectors.simd import Vectors
from .fields import order_at, work_at

FLOATS = {"float16": ir.HalfType(), "float32": ir.FloatType(), "float64": ir.DoubleType()}
INTEGER_KINDS = "bui"


@Emitted
def GATHER(body: Any) -> Any:
    """Make a function of a dtype."""

    def gather_from(x: SIZE, n: SIZE, order: INTEGERS, m: SIZE, target: NUMBERS, ld: SIZE):
        """a⁰ = the rows of x that a mini-batch names, converted, their pads 0.

        - x: address of (N, n); order: pointer to (m,), the samples; target: pointer to (m, ld)
        """
        body(x, n, order, m, target, ld)

    return gather_from


call_gather_from = GATHER.call


def can_convert(dtype: np.dtype[Any]) -> bool:
    """Whether rows of this dtype can be gathered; float16 where the processor converts it."""
    if dtype.name == "float16":
        return bool(binding.get_host_cpu_features().get("f16c"))
    return dtype.isnative and (dtype.kind in INTEGER_KINDS or dtype.name in FLOATS) and dtype.itemsize <= 8


@cache
def gather_address(source: np.dtype[Any], dtype: Any) -> int:
    """Return the address of the function that gathers rows of `source`."""

    def emit(builder, x, n, order, m, target, ld):
        emit_rows(Vectors(builder, dtype), source, x, n, order, m, target, ld)

    return address_of(GATHER, dtype, f"gather-{source.name}", emit)


def emit_number(builder, source, element, value):
    """A number, or a vector of them, of the source's dtype as one of the network's."""
    kind = ir.VectorType(element, value.type.count) if isinstance(value.type, ir.VectorType) else element
    if source.kind in INTEGER_KINDS:
        return (builder.sitofp if source.kind == "i" else builder.uitofp)(value, kind)
    if source.itemsize * 8 == 64 and isinstance(element, ir.FloatType):
        return builder.fptrunc(value, kind)
    return value if value.type == kind else builder.fpext(value, kind)


def emit_rows(simd, source, x, n, order, m, target, ld):
    """Whole vectors, then number by number; pads of the last vector are 0."""
    builder, at = simd.builder, simd.builder.gep
    number = FLOATS[source.name] if source.kind == "f" else ir.IntType(8 * source.itemsize)
    first = builder.inttoptr(x, number.as_pointer())
    several = ir.VectorType(number, simd.count)
    with Loop(builder, m, order, target) as rows:
        here, row = rows.values
        start = at(first, [builder.mul(builder.load(here), n)])
        with Loop(builder, builder.udiv(n, I64(simd.count)), I64(0)) as loop:
            (j,) = loop.values
            value = builder.load(builder.bitcast(at(start, [j]), several.as_pointer()))
            value.align = source.itemsize
            simd.store(emit_number(builder, source, simd.element, value), at(row, [j]))
            loop.later = [builder.add(j, I64(simd.count))]
        (j,) = loop.values
        with builder.if_then(builder.icmp_signed("<", j, n)):
            simd.store(simd.zero(), at(row, [j]))
            with Loop(builder, builder.sub(n, j), j) as rest:
                (k,) = rest.values
                builder.store(emit_number(builder, source, simd.element, builder.load(at(start, [k]))), at(row, [k]))
                rest.later = [builder.add(k, I64(1))]
        rows.later = [at(here, [I64(1)]), at(row, [ld])]


@part
def convert_inputs(run, bottom, place, first, m):
    """Gather rows first .. first + m - 1 from x of another dtype, samples order[place] and following."""
    call_gather_from(
        address=run.gather_from, x=run.x, n=bottom.n_in, order=order_at(run, place), m=m,
        target=work_at(run, bottom.input + first * bottom.ld_input), ld=bottom.ld_input,
    )  # fmt: skip
