"""What weights may be, see formulas/constraints.py: an update that left it is brought back, in the parameters."""

import math

from numba import types
from numba.extending import intrinsic

from ..compiler.jit import part
from ..vectors.flow import I64, Loop
from ..vectors.numbers import emit_map, where
from ..vectors.pointers import advance
from ..vectors.simd import IR_TYPES, Vectors, lanes_of
from .barrier import begin_of
from .blocking import panel_of
from .fields import layer_at, number_at, parameters_at, put, signs_at, squares_at
from .squares import add_squares


def signed(w, sign):
    """W where it has the sign, else 0."""
    return where(w * sign < 0.0, 0.0, w)


@intrinsic
def keep_signs(typing_context, w, count, sign):
    """W ← w where it has the sign, else 0, `count` numbers, whole vectors, at a pointer; a sign of 0 allows any."""

    def codegen(context, builder, signature, arguments):
        place, count, sign = arguments
        emit_map(builder, w.dtype, signed, [place], place, count, sign)
        return context.get_dummy_value()

    return types.void(w, types.intp, w.dtype), codegen


@intrinsic
def scale_columns(typing_context, w, n, step, factors):
    """w_kj ← factor_j w_kj, for one vector of columns j.

    - w: pointer to (n, step); factors: to as many float64 as a vector has numbers
    """

    def codegen(context, builder, signature, arguments):
        first, n, step, factors = arguments
        simd, at = Vectors(builder, w.dtype), builder.gep
        vector = simd.zero()
        for i in range(simd.count):
            factor = builder.load(at(factors, [I64(i)]))
            factor = factor if factor.type == IR_TYPES[w.dtype] else builder.fptrunc(factor, IR_TYPES[w.dtype])
            vector = builder.insert_element(vector, factor, I64(i))
        with Loop(builder, n, first) as loop:
            (row,) = loop.values
            simd.store(builder.fmul(simd.load(row), vector), row)
            loop.later = [at(row, [step])]
        return context.get_dummy_value()

    return types.void(w, types.intp, types.intp, types.CPointer(types.float64)), codegen


@part
def limit_norms(run, layer, j, place, width):
    """√(Σ_k w_jk²) at most max_norm, for one vector of neurons j.

    - place: of their weights in the parameters: (n_in, width)
    """
    norms = squares_at(run, layer.neurons + j)
    for i in range(lanes_of(run)):
        put(advance(norms, i), 0.0)
    add_squares(parameters_at(run, place), layer.n_in, width, norms)
    longer = False
    for i in range(lanes_of(run)):
        norm = math.sqrt(number_at(advance(norms, i)))
        put(advance(norms, i), run.max_norm / norm if norm > run.max_norm else 1.0)
        longer = longer or norm > run.max_norm
    if longer:
        scale_columns(parameters_at(run, place), layer.n_in, width, norms)


@part
def constrain(run, thread, team):
    """Signs and norms of the weights into this thread's share of each layer's neurons."""
    lanes, panel, signs = lanes_of(run), panel_of(run), 0
    for l in range(run.num_layers):
        layer = layer_at(run, l)
        begin, end = begin_of(thread, team, layer.columns, panel), begin_of(thread + 1, team, layer.columns, panel)
        for j in range(begin, end, panel):
            place, width = layer.weights + j * layer.rows, min(panel, layer.columns - j)
            if run.signs:
                for k in range(layer.n_in):
                    keep_signs(parameters_at(run, place + k * width), width, number_at(signs_at(run, signs + k)))
            if run.max_norm < math.inf:
                for i in range(0, width, lanes):
                    limit_norms(run, layer, j + i, place + i, width)
        signs += layer.n_in
