"""BP3, BP4 and the optimizer's rule in one pass over the weights: the gradient is never stored whole.

Work is cut into chunks of CHUNK_ROWS inputs of one panel. A thread takes a run of chunks; what it
computes for a chunk does not depend on who else works, so neither do the bits.
"""

import math

from ..workspace import CHUNK_ROWS
from .forward import fetch_ahead
from .gemm import product
from .jit import part
from .pointers import pointer, vector
from .settings import ADAM, GRADIENT, MOMENTUM, NESTEROV
from .simd import transpose_block


@part
def apply_rule(settings, step, share, l1, l2, g, w, first, second):
    """W ← w - η · direction, by the rule's code, for ∂C/∂w = share · g + l1 sign w + l2 w.

    - g, w, first, second: (count,); g is Σ over the samples, first and second are the rule's state
    """
    T = type(w[0])
    rate, mu, scale = T(settings.learning_rate), T(settings.momentum), T(share)
    if l1 != 0.0 or l2 != 0.0:
        for i in range(len(w)):
            sign = T(1) if w[i] > T(0) else (T(-1) if w[i] < T(0) else T(0))
            g[i] = scale * g[i] + (T(l1) * sign + T(l2) * w[i])
        scale = T(1)
    if settings.rule == ADAM:
        beta1, beta2 = T(settings.beta1), T(settings.beta2)
        rest1, rest2 = T(1.0 - settings.beta1), T(1.0 - settings.beta2)
        rate = T(settings.learning_rate / (1.0 - settings.beta1**step))
        correction = T(1.0 / (1.0 - settings.beta2**step))
        epsilon = T(settings.epsilon)
        for i in range(len(w)):
            gradient = scale * g[i]
            first[i] = beta1 * first[i] + rest1 * gradient
            second[i] = beta2 * second[i] + rest2 * (gradient * gradient)
            w[i] -= rate * first[i] / (math.sqrt(correction * second[i]) + epsilon)
    elif settings.rule == MOMENTUM:
        for i in range(len(w)):
            first[i] = mu * first[i] + scale * g[i]
            w[i] -= rate * first[i]
    elif settings.rule == NESTEROV:
        for i in range(len(w)):
            gradient = scale * g[i]
            first[i] = mu * first[i] + gradient
            w[i] -= rate * (gradient + mu * first[i])
    elif settings.rule == GRADIENT:
        for i in range(len(w)):
            first[i] = scale * g[i]
    else:
        for i in range(len(w)):
            w[i] -= rate * (scale * g[i])


@part
def bias_gradient(layer, j, width, work, scratch, m):
    """BP3, ∂C/∂b = Σ_i δ_i, for one panel, to scratch."""
    g = vector(work, scratch, width)
    for c in range(width):
        g[c] = 0
    for i in range(m):
        delta = vector(work, layer.delta + i * layer.ld + j, width)
        for c in range(width):
            g[c] += delta[c]


@part
def add(source, target):
    """target ← target + source, both (count,)."""
    for i in range(len(source)):
        target[i] += source[i]


@part
def add_weight_gradient(multiply, settings, layer, j, width, k, rows, work, start, ld_start, target, m):
    """BP4, target = start + Σ_i δ_i a_iᵀ, for inputs k .. k + rows - 1 of the panel at j.

    - start, target: pointers to (rows, width); `start` has row stride ld_start, 0 for one row of zeros
    """
    product(
        multiply,
        rows,
        width // settings.lanes,
        pointer(work, layer.input + k),
        1,
        layer.ld_input,
        pointer(work, layer.delta + j),
        layer.ld,
        start,
        ld_start,
        target,
        width,
        m,
    )


@part
def refresh_transposed(settings, layer, j, width, k, rows, parameters, transposed):
    """wᵀ ← w for inputs k .. k + rows - 1 of the panel of outputs that begins at j."""
    panel, lanes = settings.panel, settings.lanes
    for row in range(k, k + rows, lanes):
        across = row // panel * panel
        across_width = min(panel, layer.rows - across)
        source = layer.weights + j * layer.rows + row * width
        target = layer.transposed + across * layer.columns + j * across_width + (row - across)
        for column in range(0, width, lanes):
            transpose_block(
                pointer(parameters, source + column),
                width,
                pointer(transposed, target + column * across_width),
                across_width,
            )


@part
def update_layer(
    multiply, settings, step, share, place, layer, parameters, transposed, state, work, m, thread, team,
    x, order, following, m_following,
):  # fmt: skip
    """BP3, BP4 and the rule for this thread's chunks of one layer.

    - place: index of the layer; share: what a sample's gradient counts in C, 1/m unless weighted
    - order[following : following + m_following]: the next mini-batch, whose rows of x are fetched ahead
    """
    scratch = settings.scratch + thread * settings.scratch_size
    size = settings.slot_size
    chunks = (layer.n_in + CHUNK_ROWS - 1) // CHUNK_ROWS + 1  # of a panel: its bias, then its weights
    panels = (layer.columns + settings.panel - 1) // settings.panel
    items = chunks * panels
    for item in range(items * thread // team, items * (thread + 1) // team):
        j = item // chunks * settings.panel
        width = min(settings.panel, layer.columns - j)
        if place == 0:
            fetch_ahead(x, order, following, m_following, item, items)
        k = (item % chunks - 1) * CHUNK_ROWS
        if k < 0:
            start, count = layer.bias + j, width
            bias_gradient(layer, j, width, work, scratch, m)
            if settings.scaled:
                add(vector(work, scratch, width), vector(parameters, start, width))
                continue
        else:
            rows = min(CHUNK_ROWS, layer.n_in - k)
            start, count = layer.weights + j * layer.rows + k * width, rows * width
            if settings.scaled:  # δ holds -η/m δ already: the sum is the update
                w = pointer(parameters, start)
                add_weight_gradient(multiply, settings, layer, j, width, k, rows, work, w, width, w, m)
                if place:
                    refresh_transposed(settings, layer, j, width, k, rows, parameters, transposed)
                continue
            zeros, g = pointer(work, settings.zeros), pointer(work, scratch)
            add_weight_gradient(multiply, settings, layer, j, width, k, rows, work, zeros, 0, g, m)
        # A mini-batch without weight says nothing, of penalties neither.
        penalized = k >= 0 and share > 0.0
        apply_rule(
            settings,
            step,
            share,
            settings.l1 if penalized else 0.0,
            settings.l2 if penalized else 0.0,
            vector(work, scratch, count),
            vector(parameters, start, count),
            vector(state, start, count if len(state) >= size else 0),
            vector(state, size + start, count if len(state) >= 2 * size else 0),
        )
        if place and k >= 0 and settings.rule != GRADIENT:
            refresh_transposed(settings, layer, j, width, k, rows, parameters, transposed)
