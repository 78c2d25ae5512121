"""C_x of every sample and ∇ₐC (BP1 up to σ'), row by row: a formula for each cost, chosen by its code.

`COST_CODES` must name every row of `formulas.costs.COSTS` (tests/test_kernels.py). Where output activation and cost
belong together (PAIRS), the formula gives δ itself.
"""

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from .activations import emit_row_maximum
from .flow import I64, Loop, call_apart, choose
from .numbers import absolute, numbers, where
from .simd import Vectors
from .vmath import exp, log, log1p

QUADRATIC, BINARY_CROSS_ENTROPY, CROSS_ENTROPY, SIGMOID_PAIR, SOFTMAX_PAIR = range(5)
COST_CODES = {
    "quadratic": QUADRATIC,
    "binary_cross_entropy": BINARY_CROSS_ENTROPY,
    "cross_entropy": CROSS_ENTROPY,
}
# (output activation, cost) -> what the pair simplifies to
PAIRS = {("sigmoid", "binary_cross_entropy"): SIGMOID_PAIR, ("softmax", "cross_entropy"): SOFTMAX_PAIR}

DOUBLE = ir.DoubleType()


def cost_code(cost: str, activation: str) -> int:
    """Code of a cost behind an output activation."""
    return PAIRS.get((activation, cost), COST_CODES[cost])


def clipped(a):
    """a, held to [tiny, 1 - epsneg] of the dtype; NaN stays NaN."""
    info = np.finfo(a.simd.dtype.name)
    low, high = float(info.tiny), 1.0 - float(info.epsneg)
    a = where(a < low, low, a)
    return where(a > high, high, a)


# Each formula: a, y, z of some outputs of a sample -> their share in C_x, ∇ₐC


def quadratic(a, y, z):
    """½ (a - y)²; a - y."""
    difference = a - y
    return 0.5 * (difference * difference), difference


def binary_cross_entropy(a, y, z):
    """-(y ln a + (1 - y) ln(1 - a)); (a - y) / (a (1 - a))."""
    a = clipped(a)
    rest = 1.0 - a
    return -(y * log(a) + (1.0 - y) * log(rest)), (a - y) / (a * rest)


def cross_entropy(a, y, z):
    """-y ln a; -y / a."""
    a = clipped(a)
    return -(y * log(a)), -y / a


def sigmoid_pair(a, y, z):
    """max(z, 0) - z y + ln(1 + e^-|z|), exact where a has rounded to 0 or 1; δ = a - y."""
    above = where(z <= 0.0, 0.0, z)
    return above - z * y + log1p(exp(-absolute(z))), a - y


def softmax_pair(a, y, z, largest, top):
    """y (ln Σ_k e^(z_k - top) - (z - top)), where the sum is 1 / largest, since a is e^(z - top) over it; δ = a - y.

    - largest, top: the largest a and z of the row
    """
    return y * (-log(largest) - (z - top)), a - y


FORMULAS = {
    QUADRATIC: quadratic,
    BINARY_CROSS_ENTROPY: binary_cross_entropy,
    CROSS_ENTROPY: cross_entropy,
    SIGMOID_PAIR: sigmoid_pair,
    SOFTMAX_PAIR: softmax_pair,
}


def emit_target(simd, places, j, label, target, given):
    """y of outputs j, j + 1, ...: one-hot at the label, but for the first `given` outputs what lies at `target`."""
    hot = simd.builder.uitofp(simd.compare("==", places, label), simd.type)
    return simd.load_where(simd.compare("<", places, given), simd.builder.gep(target, [j]), hot)


def emit_wrong(simd, places, n, a, y, label, chosen):
    """Whether one of the n outputs is larger than the label's, or as large and before it.

    - chosen: the label's output, everywhere. A single output is wrong where it and y are not on one side of 1/2
    """
    builder, half, counts = simd.builder, simd.constant(0.5), simd.compare("<", places, n)
    above, equal = builder.fcmp_ordered(">", a, chosen), builder.fcmp_ordered("==", a, chosen)
    better = builder.or_(above, builder.and_(equal, simd.compare("<", places, label)))
    apart = builder.xor(builder.fcmp_ordered(">", a, half), builder.fcmp_ordered(">", y, half))
    single = builder.icmp_signed("==", n, I64(1))
    return builder.select(single, *(simd.any(builder.and_(mask, counts)) for mask in (apart, better)))


def emit_row(simd, formula, n, a, delta, label, target, given, weight):
    """One sample: its ∇ₐC to `delta`, which holds z; C_x in double precision, and whether the answer is wrong."""
    builder, at, vectors = simd.builder, simd.builder.gep, simd.vectors(n)
    whole_row = ()
    if formula is softmax_pair:
        whole_row = numbers(simd, *(emit_row_maximum(simd, row, n, vectors) for row in (a, delta)))
    first = builder.select(builder.icmp_signed(">=", label, I64(0)), label, I64(0))
    chosen = simd.broadcast(builder.load(at(a, [first])))
    with Loop(builder, vectors, I64(0), DOUBLE(0.0), ir.IntType(1)(0)) as loop:
        j, total, wrong = loop.values
        places = simd.places(j)
        counts = simd.compare("<", places, n)
        y = emit_target(simd, places, j, label, target, given)
        a_j, z_j = simd.load(at(a, [j])), simd.load(at(delta, [j]))
        cost, derivative = formula(*numbers(simd, a_j, y, z_j), *whole_row)
        simd.store(where(counts, derivative * weight, 0.0).value, at(delta, [j]))
        loop.later = [
            builder.add(j, I64(simd.count)),
            simd.add_in_order(total, where(counts, cost, 0.0).value, builder.sub(n, j)),
            builder.or_(wrong, emit_wrong(simd, places, n, a_j, y, label, chosen)),
        ]
    return loop.values[1:]


def emit_rows(
    simd, formula, m, n, a, delta, ld, order, num_labels, labels, width, targets, num_weights, weights, costs, right
):  # fmt: skip
    """All rows of a block, see `cost_rows`; num_labels, width and num_weights are 0 where there are none."""
    builder, at = simd.builder, simd.builder.gep
    labelled = builder.icmp_signed("!=", num_labels, I64(0))
    weighted = builder.icmp_signed("!=", num_weights, I64(0))
    judged = builder.or_(labelled, builder.icmp_signed("==", n, I64(1)))  # other targets know no right and wrong
    given = builder.select(labelled, I64(0), n)
    with Loop(builder, m, a, delta, order, costs, right) as rows:
        a_i, delta_i, order_i, costs_i, right_i = rows.values
        sample = builder.load(order_i)

        def load_if(there, array, anything, default):
            """array[sample] where there is an array, else the default; `anything` can be read in any case."""
            return builder.select(there, builder.load(builder.select(there, at(array, [sample]), anything)), default)

        label = load_if(labelled, labels, order_i, I64(-1))
        weight = load_if(weighted, weights, a_i, simd.element(1.0))
        target = at(targets, [builder.mul(sample, width)])
        (of_sample,) = numbers(simd, weight)
        total, wrong = emit_row(simd, formula, n, a_i, delta_i, label, target, given, of_sample)
        weight = weight if weight.type == DOUBLE else builder.fpext(weight, DOUBLE)
        builder.store(builder.fmul(total, weight), costs_i)
        builder.store(builder.select(builder.and_(judged, builder.not_(wrong)), weight, DOUBLE(0.0)), right_i)
        rows.later = [at(a_i, [ld]), at(delta_i, [ld]), *(at(place, [I64(1)]) for place in (order_i, costs_i, right_i))]


@intrinsic
def cost_rows(typing_context, code, m, n, a, delta, ld, order, labels, targets, weights, costs, right):
    """costs ← weight · C_x, δ ← weight · ∇ₐC (δ itself for PAIRS), right ← weight where the answer is right, else 0.

    - a, delta: pointers to (m, ld), of which n columns count; δ holds z when called, and its pads become 0
    - order: pointer to (m,), the samples; labels (N,) or targets (N, n), the other empty; weights (N,) or empty
    - costs, right: pointers to (m,)
    """

    def codegen(context, builder, signature, arguments):
        code, *before, labels_, targets_, weights_, costs, right = arguments
        operands = before
        for kind, array in ((labels, labels_), (targets, targets_), (weights, weights_)):
            view = context.make_array(kind)(context, builder, value=array)
            operands += [builder.extract_value(view.shape, kind.ndim - 1), view.data]
        operands += [costs, right]

        def case(formula):
            def emit(inside, *operands):
                emit_rows(Vectors(inside, a.dtype), formula, *operands)

            call_apart(builder, f"fastbp_cost_{formula.__name__}_{a.dtype}", emit, operands)

        choose(builder, code, FORMULAS, case)
        return context.get_dummy_value()

    size = types.intp
    return types.void(size, size, size, a, delta, size, order, labels, targets, weights, costs, right), codegen
