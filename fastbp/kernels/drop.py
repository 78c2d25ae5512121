"""a ← a ⊙ keep, keep drawn by hashing (seed, layer, place in the epoch, neuron): see formulas/dropout.py."""

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from ..compiler.callee import FLAG, SIZE, Callee
from ..compiler.jit import kernel
from ..formulas.dropout import INPUTS
from ..vectors.flow import I64, Loop
from ..vectors.numbers import Number, numbers, where
from ..vectors.simd import Vectors
from .fields import RUN, layer_at, work_at
from .rows import scale

GOLDEN, MIX1, MIX2 = 0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB


def emit_hash(simd, seed, base, places):
    """Splitmix64 of seed and counter, counter = base ^ places: 64 bits for each lane."""
    builder = simd.builder
    kind = ir.VectorType(I64, simd.count)

    def constant(value):
        return ir.Constant(kind, [value] * simd.count)

    counter = builder.xor(simd.broadcast(base), builder.zext(places, kind))
    h = builder.add(simd.broadcast(seed), builder.mul(counter, constant(GOLDEN)))
    for shift, multiplier in ((30, MIX1), (27, MIX2)):
        h = builder.mul(builder.xor(h, builder.lshr(h, constant(shift))), constant(multiplier))
    return builder.xor(h, builder.lshr(h, constant(31)))


def emit_drop(simd, values, m, ld, n, layer, place, seed, dropout):
    """Rows of vectors: values · 1 / (1 - p), or 0 where the first 24 bits of the hash are below p."""
    builder = simd.builder
    kind = ir.FunctionType(dropout.type, [dropout.type])
    rint = cgutils.get_or_insert_function(builder.module, kind, "llvm.rint.f64")
    threshold = builder.fptoui(builder.call(rint, [builder.fmul(dropout, dropout.type(2.0**24))]), I64)
    kept = builder.fsub(dropout.type(1.0), dropout)
    kept = kept if kept.type == simd.element else builder.fptrunc(kept, simd.element)
    (scale,) = numbers(simd, builder.fdiv(simd.element(1.0), kept))
    with Loop(builder, m, values, place) as rows:
        row, at = rows.values
        base = builder.xor(builder.shl(layer, I64(56)), builder.shl(at, I64(24)))
        with Loop(builder, simd.vectors(n), I64(0)) as loop:
            (j,) = loop.values
            here = builder.gep(row, [j])
            bits = builder.lshr(emit_hash(simd, seed, base, simd.places(j)), simd.broadcast(I64(40)))
            keep = builder.icmp_unsigned(">=", bits, simd.broadcast(threshold))
            simd.store(where(keep, Number(simd, simd.load(here)) * scale, 0.0).value, here)
            loop.later = [builder.add(j, I64(simd.count))]
        rows.later = [builder.gep(row, [ld]), builder.add(at, I64(1))]


@intrinsic
def drop(typing_context, values, m, ld, n, layer, place, seed, dropout):
    """Values ← values ⊙ keep / (1 - p), for a^l on the way up and δ^l on the way down.

    - values: pointer to (m, ld), of which n columns count; place: of row 0 in the epoch's order
    """

    def codegen(context, builder, signature, arguments):
        emit_drop(Vectors(builder, values.dtype), *arguments)
        return context.get_dummy_value()

    size = types.intp
    return types.void(values, size, size, size, size, size, types.uint64, types.float64), codegen


@kernel(no_cpython_wrapper=True)
def drop_inputs(run: RUN, l: SIZE, place: SIZE, first: SIZE, m: SIZE):
    """Drop of what layer l is given, for rows first .. first + m - 1, samples order[place + first] and following."""
    layer = layer_at(run, l)
    if layer.dropout > 0.0:
        a = work_at(run, layer.input + first * layer.ld_input)
        drop(a, m, layer.ld_input, layer.n_in, (l - 1) & INPUTS, place + first, run.seed, layer.dropout)


@kernel(no_cpython_wrapper=True)
def drop_errors(run: RUN, l: SIZE, place: SIZE, first: SIZE, m: SIZE, prime_follows: FLAG):
    """Drop of δ^(l-1) what has been dropped of a^(l-1).

    - prime_follows: only take the scale out of a^(l-1) for now, since σ' is a function of what σ gave; it gets it back
    """
    layer = layer_at(run, l)
    kept, count = 1.0 - layer.dropout, m * layer.ld_input
    if layer.dropout > 0.0:
        a = work_at(run, layer.input + first * layer.ld_input)
        if prime_follows:
            scale(a, count, kept)
        else:
            below = layer_at(run, l - 1)
            delta = work_at(run, below.delta + first * below.ld)
            drop(delta, m, below.ld, below.n_out, l - 1, place + first, run.seed, layer.dropout)
            scale(a, count, 1.0 / kept)


DROP_INPUTS, DROP_ERRORS = Callee(drop_inputs.py_func), Callee(drop_errors.py_func)
call_drop_inputs, call_drop_errors = DROP_INPUTS.call, DROP_ERRORS.call
