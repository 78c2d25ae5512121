"""BP1 and BP2: the error δ of every layer, for a block of rows.

Costs and their derivatives are `formulas/costs.py`, one sample at a time; `COST_CODES` must name
every row of its table.
"""

import math

from .elementwise import IDENTITY, SIGMOID, SOFTMAX, multiply_by_prime
from .gemm import product
from .jit import part
from .pointers import matrix, pointer, vector
from .transpose import transpose_block
from .vmath import exp

QUADRATIC, BINARY_CROSS_ENTROPY, CROSS_ENTROPY = range(3)
COST_CODES = {
    "quadratic": QUADRATIC,
    "binary_cross_entropy": BINARY_CROSS_ENTROPY,
    "cross_entropy": CROSS_ENTROPY,
}


@part
def difference(a, target, label, n, delta):
    """A - y, for one sample: y is `target` (n_L,), or one-hot at `label` where that is >= 0."""
    T = type(a[0])
    if label >= 0:
        for j in range(n):
            delta[j] = a[j]
        delta[label] -= T(1)
    else:
        for j in range(n):
            delta[j] = a[j] - target[j]


@part
def clipped(a, tiny, epsneg):
    """a, held to [tiny, 1 - epsneg]; NaN stays NaN."""
    T = type(a)
    a = T(tiny) if a < T(tiny) else a
    return T(1) - T(epsneg) if a > T(1) - T(epsneg) else a


@part
def output_sample(cost, activation, limits, a, target, label, n, delta):
    """C_x of the cross-entropies, and BP1: δ^L = ∇ₐC ⊙ σ'(z^L), for one sample; `delta` holds z^L when called.

    - a, delta: (n_L,); target (n_L,) and label: see `difference`; limits: (tiny, epsneg) of the dtype
    """
    T = type(a[0])
    total = 0.0
    if cost == BINARY_CROSS_ENTROPY and activation == SIGMOID:
        # From z: exact where a has rounded to 0 or 1. max(z, 0) - z y + ln(1 + e^-|z|)
        for j in range(n):
            z = delta[j]
            y = T(j == label) if label >= 0 else target[j]
            size = -z if z < T(0) else z
            above = T(0) if z <= T(0) else z
            total += above - z * y + math.log1p(exp(-size))
        difference(a, target, label, n, delta)
    elif cost == CROSS_ENTROPY and activation == SOFTMAX:
        # Σ_j y_j (ln Σ_k e^(z_k - max z) - (z_j - max z)); the sum is 1 / max a, since a is e^(z - max z) over it.
        top = 0
        for j in range(1, n):
            top = j if delta[j] > delta[top] else top
        log_sum = -math.log(a[top])
        if label >= 0:
            total = log_sum - (delta[label] - delta[top])
        else:
            for j in range(n):
                total += target[j] * (log_sum - (delta[j] - delta[top]))
        difference(a, target, label, n, delta)
    else:
        tiny, epsneg = limits
        for j in range(n):
            y = T(j == label) if label >= 0 else target[j]
            p = clipped(a[j], tiny, epsneg)
            q = T(1) - p
            if cost == BINARY_CROSS_ENTROPY:
                total -= y * math.log(p) + (T(1) - y) * math.log(q)
                delta[j] = (p - y) / (p * q)
            else:
                total -= y * math.log(p)
                delta[j] = -y / p
        general_delta(activation, a, n, delta)
    return float(total)


@part
def general_delta(activation, a, n, delta):
    """δ = ∇ₐC ⊙ σ'(z), or Jᵀ ∇ₐC = a ⊙ (∇ₐC - a·∇ₐC) for softmax; `delta` holds ∇ₐC when called."""
    if activation == SOFTMAX:
        mean = a[0] * delta[0]
        for j in range(1, n):
            mean += a[j] * delta[j]
        for j in range(n):
            delta[j] = a[j] * (delta[j] - mean)
    elif activation != IDENTITY:
        multiply_by_prime(activation, a, delta)


@part
def is_right(a, target, label, n):
    """Whether the largest output is the label's; for one output, both above 1/2 or neither."""
    if n == 1:
        return (a[0] > 0.5) == (target[0] > 0.5)
    top = 0
    for j in range(1, n):
        top = j if a[j] > a[top] else top
    return top == label


@part
def quadratic_rows(layer, work, data, order, first_place, first, m, costs):
    """C_x = ½ Σ (a - y)², and BP1: δ^L = (a - y) ⊙ σ'(z^L), for rows first .. first + m - 1.

    A loop of its own: outputs are few, and what is asked anew for each sample costs more than its arithmetic.
    """
    targets, labels, _ = data
    n, ld = layer.n_out, layer.ld
    T = type(work[0])
    a = matrix(work, layer.output + first * ld, m, ld)
    delta = matrix(work, layer.delta + first * ld, m, ld)
    for i in range(m):
        sample = order[first_place + first + i]
        label = labels[sample] if len(labels) else -1
        square = T(0)
        for j in range(n):
            y = targets[sample, j] if label < 0 else T(j == label)
            difference = a[i, j] - y
            delta[i, j] = difference
            square += difference * difference
        costs[first + i] = 0.5 * square
    if layer.activation == SOFTMAX:
        for i in range(m):
            start = first + i
            general_delta(
                SOFTMAX, vector(work, layer.output + start * ld, n), n, vector(work, layer.delta + start * ld, n)
            )
    else:
        general_delta(
            layer.activation,
            vector(work, layer.output + first * ld, m * ld), n, vector(work, layer.delta + first * ld, m * ld),
        )  # fmt: skip


@part
def weigh_rows(layer, work, weights, order, first_place, first, m, costs):
    """δ ← weight · δ, and the same for the cost, for rows first .. first + m - 1."""
    for i in range(first, first + m):
        weight = weights[order[first_place + i]]
        costs[i] = costs[i] * weight if weight else costs[i] * 0.0
        delta = vector(work, layer.delta + i * layer.ld, layer.n_out)
        for j in range(len(delta)):
            delta[j] *= weight


@part
def output_rows(settings, layer, work, data, order, first_place, first, m, costs, right):
    """BP1 for rows first .. first + m - 1: δ^L, weight · C_x and weight · (answer is right).

    - data: (targets, labels, weights), of which targets or labels is empty, and weights may be
    - order[first_place + i]: the sample in row i
    """
    targets, labels, weights = data
    limits = (settings.tiny, settings.epsneg)
    n = layer.n_out
    if settings.cost == QUADRATIC:
        quadratic_rows(layer, work, data, order, first_place, first, m, costs)
    else:
        for i in range(first, first + m):
            sample = order[first_place + i]
            a = vector(work, layer.output + i * layer.ld, n)
            delta = vector(work, layer.delta + i * layer.ld, n)
            label = labels[sample] if len(labels) else -1
            target = vector(targets, sample * n, n) if len(targets) else a
            costs[i] = output_sample(settings.cost, layer.activation, limits, a, target, label, n, delta)
    if len(weights):
        weigh_rows(layer, work, weights, order, first_place, first, m, costs)
    known = n == 1 or len(labels) > 0  # targets that are neither know no right and wrong
    for i in range(first, first + m):
        right[i] = 0.0
        if known:
            sample = order[first_place + i]
            a = vector(work, layer.output + i * layer.ld, n)
            label = labels[sample] if len(labels) else -1
            target = vector(targets, sample * n, n) if len(targets) else a
            if is_right(a, target, label, n):
                right[i] = weights[sample] if len(weights) else 1.0


@part
def transpose_panel(settings, layer, j, width, parameters, work, target):
    """Leave w^l of inputs j .. j + width - 1 at work[target:]: (columns, width).

    Made anew for each block of rows. A second copy of all weights, kept by the update, cost more: with
    1024-2048-2048-1000 the two did not fit into the cache together.
    """
    lanes = settings.lanes
    for column in range(0, layer.columns, settings.panel):
        ld = min(settings.panel, layer.columns - column)
        source = layer.weights + column * layer.rows + j * ld
        for row in range(0, width, lanes):
            for c in range(0, ld, lanes):
                transpose_block(
                    pointer(parameters, source + row * ld + c), ld,
                    pointer(work, target + (column + c) * width + row), width,
                )  # fmt: skip


@part
def hidden_delta(multiply, settings, layer, below, parameters, work, thread, first, m):
    """BP2: δ^(l-1) = (δ^l w^l) ⊙ σ'(z^(l-1)) for rows first .. first + m - 1.

    - layer: l, with δ^l; below: l - 1, whose δ is written
    """
    panel = settings.scratch + thread * settings.scratch_size + settings.turned
    zeros = pointer(work, settings.zeros)
    for j in range(0, layer.rows, settings.panel):
        width = min(settings.panel, layer.rows - j)
        transpose_panel(settings, layer, j, width, parameters, work, panel)
        product(
            multiply, m, width // settings.lanes,
            pointer(work, layer.delta + first * layer.ld), layer.ld, 1,
            pointer(work, panel), width, 0,
            zeros, 0,
            pointer(work, below.delta + first * below.ld + j), below.ld,
            layer.n_out,
            zeros, zeros,
        )  # fmt: skip
    count = m * below.ld
    a = vector(work, below.output + first * below.ld, count)
    delta = vector(work, below.delta + first * below.ld, count)
    multiply_by_prime(below.activation, a, delta)
