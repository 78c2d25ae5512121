"""C_x of every sample, and BP1's δ^L, row by row: a function for each cost behind each output, called by address."""

from functools import cache
from typing import Any

from llvmlite import ir

from ..compiler.callee import DOUBLES, INTEGERS, NUMBERS, SIZE, Emitted
from ..compiler.native import address_of
from ..formulas.activations import Activation
from ..formulas.costs import Cost
from ..formulas.expression import Formula, times_slope, trace
from ..vectors.compute import compute
from ..vectors.flow import I64, Loop
from ..vectors.numbers import numbers, where
from ..vectors.simd import Vectors
from .softmax import emit_row_maximum

DOUBLE = ir.DoubleType()


@Emitted
def COST(body: Any) -> Any:
    """Make a function of a cost."""

    def output_costs(
        m: SIZE, n: SIZE, a: NUMBERS, delta: NUMBERS, ld: SIZE,
        order: INTEGERS, labels: SIZE, targets: SIZE, weights: SIZE,
        costs: DOUBLES, right: DOUBLES,
    ):  # fmt: skip
        """costs ← weight · C_x, δ ← weight · δ^L (BP1), right ← weight where the answer is right, else 0.

        - a, delta: pointers to (m, ld), of which n columns count; δ holds z when called, and its pads become 0
        - order: pointer to (m,), the samples
        - labels, targets, weights: addresses of (N,), (N, n) and (N,), or 0; there are labels or targets
        - costs, right: pointers to (m,)
        """
        body(m, n, a, delta, ld, order, labels, targets, weights, costs, right)

    return output_costs


call_cost = COST.call


def cost_formula(cost: Cost, activation: Activation, dtype: Any) -> Formula:
    """The term of one output in C_x, and its δ: from a, y, z, the sample's weight, the row's largest z and a, and n.

    For softmax without a cost of its own, δ is ∇ₐC, and its Jacobian follows: `activate.prime_address`.
    """
    pair = cost.pair(activation)

    def function(a: Any, y: Any, z: Any, weight: Any, top: Any, largest: Any, outputs: Any) -> Any:
        y = cost.smooth(y, outputs)
        if pair:
            if pair.function is None:
                term = cost.function(a, y)
            else:
                term = pair.function(z, y, top, largest) if pair.over_rows else pair.function(z, y)
            return term, pair.delta(a, y) * weight
        nabla = cost.nabla(a, y) * weight
        return cost.function(a, y), nabla if activation.over_rows else times_slope(nabla, activation.derivative(z, a))

    return trace(function, ["a", "y", "z", "weight", "top", "largest", "outputs"], dtype.name)


@cache
def cost_address(cost: Cost, activation: Activation, dtype: Any) -> int:
    """Return the address of a cost behind an output activation."""
    formula = cost_formula(cost, activation, dtype)

    def emit(builder, *operands):
        emit_rows(Vectors(builder, dtype), formula, *operands, threshold=threshold)

    threshold = 0.5 if cost.threshold is None else cost.threshold
    key = formula.digest if cost.threshold is None else f"{formula.digest}-{threshold}"
    return address_of(COST, dtype, key, emit)


def jacobian_follows(cost: Cost, activation: Activation) -> bool:
    """Whether what a cost leaves is ∇ₐC, and not δ yet."""
    return activation.over_rows and not cost.pair(activation)


def emit_target(simd, places, j, label, target, given):
    """y of outputs j, j + 1, ...: one-hot at the label, but for the first `given` outputs what lies at `target`."""
    hot = simd.builder.uitofp(simd.compare("==", places, label), simd.type)
    return simd.load_where(simd.compare("<", places, given), simd.builder.gep(target, [j]), hot)


def emit_wrong(simd, places, n, a, y, label, chosen, threshold):
    """Whether one of the n outputs is larger than the label's, or as large and before it.

    - chosen: the label's output, everywhere. A single output is wrong where it alone is above the threshold, or y alone
      above 1/2
    """
    builder, half, counts = simd.builder, simd.constant(0.5), simd.compare("<", places, n)
    above, equal = builder.fcmp_ordered(">", a, chosen), builder.fcmp_ordered("==", a, chosen)
    better = builder.or_(above, builder.and_(equal, simd.compare("<", places, label)))
    differ = builder.xor(builder.fcmp_ordered(">", a, simd.constant(threshold)), builder.fcmp_ordered(">", y, half))
    single = builder.icmp_signed("==", n, I64(1))
    return builder.select(single, *(simd.any(builder.and_(mask, counts)) for mask in (differ, better)))


def emit_row(simd, formula, n, a, delta, label, target, given, weight, threshold):
    """One sample: its δ to `delta`, which holds z; C_x in double precision, and whether the answer is wrong."""
    builder, at, vectors = simd.builder, simd.builder.gep, simd.vectors(n)
    of_row = {"weight": weight}
    for name, row in (("largest", a), ("top", delta)):
        if formula.uses(name):
            (of_row[name],) = numbers(simd, emit_row_maximum(simd, row, n, vectors))
    if formula.uses("outputs"):
        (of_row["outputs"],) = numbers(simd, builder.sitofp(n, simd.element))
    first = builder.select(builder.icmp_signed(">=", label, I64(0)), label, I64(0))
    chosen = simd.broadcast(builder.load(at(a, [first])))
    with Loop(builder, vectors, I64(0), DOUBLE(0.0), ir.IntType(1)(0)) as loop:
        j, total, wrong = loop.values
        places = simd.places(j)
        counts = simd.compare("<", places, n)
        y_j = emit_target(simd, places, j, label, target, given)
        a_j, z_j = simd.load(at(a, [j])), simd.load(at(delta, [j]))
        values = dict(zip(("a", "y", "z"), numbers(simd, a_j, y_j, z_j), strict=True))
        cost, error = compute(simd, formula, values | of_row)
        simd.store(where(counts, error, 0.0).value, at(delta, [j]))
        loop.later = [
            builder.add(j, I64(simd.count)),
            simd.add_in_order(total, where(counts, cost, 0.0).value, builder.sub(n, j)),
            builder.or_(wrong, emit_wrong(simd, places, n, a_j, y_j, label, chosen, threshold)),
        ]
    return loop.values[1:]


def emit_rows(simd, formula, m, n, a, delta, ld, order, labels, targets, weights, costs, right, threshold=0.5):
    """All rows of a block, see COST."""
    builder, at = simd.builder, simd.builder.gep
    labelled = builder.icmp_signed("!=", labels, I64(0))
    weighted = builder.icmp_signed("!=", weights, I64(0))
    judged = builder.or_(labelled, builder.icmp_signed("==", n, I64(1)))  # other targets know no right and wrong
    given = builder.select(labelled, I64(0), n)
    labels = builder.inttoptr(labels, I64.as_pointer())
    # No numbers are loaded from where there are no targets, but from address 0 an AMD processor takes 100 ns for that.
    targets = builder.select(labelled, a, builder.inttoptr(targets, a.type))
    weights = builder.inttoptr(weights, a.type)
    with Loop(builder, m, a, delta, order, costs, right) as rows:
        a_i, delta_i, order_i, costs_i, right_i = rows.values
        sample = builder.load(order_i)

        def load_if(there, array, anything, default):
            """array[sample] where there is an array, else the default; `anything` can be read in any case."""
            return builder.select(there, builder.load(builder.select(there, at(array, [sample]), anything)), default)

        label = load_if(labelled, labels, order_i, I64(-1))
        weight = load_if(weighted, weights, a_i, simd.element(1.0))
        target = at(targets, [builder.select(labelled, I64(0), builder.mul(sample, n))])
        (of_sample,) = numbers(simd, weight)
        total, wrong = emit_row(simd, formula, n, a_i, delta_i, label, target, given, of_sample, threshold)
        weight = weight if weight.type == DOUBLE else builder.fpext(weight, DOUBLE)
        builder.store(builder.fmul(total, weight), costs_i)
        builder.store(builder.select(builder.and_(judged, builder.not_(wrong)), weight, DOUBLE(0.0)), right_i)
        rows.later = [at(a_i, [ld]), at(delta_i, [ld]), *(at(place, [I64(1)]) for place in (order_i, costs_i, right_i))]
