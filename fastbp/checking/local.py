"""Each equation by itself: what a network computed at one place, from its own numbers at the place before.

So a fault is found where it is, and not in all that is computed from it. σ' and ∇ₐC come from numerical derivatives of
σ and of C_x: the formulas that the network uses for them have no part in it. An array g passes against the right g*, if
everywhere

    |g - g*| <= 32 u √n · (the same sum with every term positive)  +  the error of the numerical derivative

- u: unit roundoff of the dtype; - n: terms in the sum, or 16 where it has fewer
"""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import numpy as np

from ..border.spec import NetworkSpec
from ..formulas import Array
from ..formulas.activations import Activation
from ..formulas.costs import Cost
from ..formulas.steepness import steepest
from ..networks.reference import cost_per_sample
from ..networks.results import Forward, Gradients
from .cross import ROUNDOFF
from .numeric import Slope, slope, slope_by_rows, times

SHARP = 1e-7  # below 1, a is so coarse that 1 - a has lost half of its digits
FLUSHED = 1e-6
LEAST_TERMS = 16  # σ and C_x take some operations, too


class Comparison(NamedTuple):
    """An array that a network computed, and what it should be."""

    equation: str  # "(25)", "BP1" .. "BP4"
    layer: int
    quantity: str  # as the network calls the array
    given: str  # what it was computed from
    found: Array
    right: Array
    allowed: Array  # of |found - right|
    exists: Array  # where a derivative exists
    suspects: Mapping[str, Array] = {}  # what would have come out, had something certain gone wrong


class Numbers(NamedTuple):
    """A network's own numbers for some samples, in float64."""

    spec: NetworkSpec
    weights: list[Array]
    biases: list[Array]
    x: Array
    y: Array  # (m, n_L)
    states: Forward
    gradients: Gradients

    @property
    def roundoff(self) -> float:
        """Of one operation, with all that goes with it."""
        return 32 * ROUNDOFF[self.spec.dtype]


def comparisons(own: Numbers) -> Iterator[Comparison]:
    """Yield every equation in every layer, in the order in which they are computed."""
    layers = range(len(own.weights))
    for layer in layers:
        yield weighted_input(own, layer)
        yield activation(own, layer)
    yield output_delta(own)
    for layer in reversed(layers[:-1]):
        yield hidden_delta(own, layer)
    for layer in reversed(layers):
        yield bias_gradient(own, layer)
        yield weight_gradient(own, layer)


def weighted_input(own: Numbers, layer: int) -> Comparison:
    """z^l = w^l a^(l-1) + b^l    (25)."""
    w, b, a = own.weights[layer], own.biases[layer], own.states.activations[layer]
    right = a @ w.T + b
    terms = np.abs(a) @ np.abs(w).T + np.abs(b)
    suspects = {"the bias was left out": a @ w.T}
    if w.shape[0] == w.shape[1]:
        suspects["w was transposed"] = a @ w + b
    return _compare("(25)", layer, "zs", f"activations[{layer}]", own, own.states.zs[layer], right, terms, w.shape[1],
                    suspects=suspects)  # fmt: skip


def activation(own: Numbers, layer: int) -> Comparison:
    """a^l = σ(z^l)    (25)."""
    row, z = own.spec.activation_rows[layer], own.states.zs[layer]
    right = row.value(z)
    # The rounding of z, which a formula may begin with, is that of σ' · z.
    terms = np.abs(right) + (row.scale if row.over_rows else steepest(row)) * np.minimum(np.abs(z), 100)
    found = own.states.activations[layer + 1]
    suspects = {"σ was left out": z}
    return _compare("(25)", layer, "activations", f"zs[{layer}]", own, found, right, terms, suspects=suspects)


def output_delta(own: Numbers) -> Comparison:
    """δ^L = ∇ₐC ⊙ σ'(z^L)    (BP1)."""
    layer = len(own.weights) - 1
    z, a, y, row = own.states.zs[-1], own.states.activations[-1], own.y, own.spec.activation_rows[-1]
    cost = own.spec.cost_row
    suspects = {}
    if cost.pair(row):  # C_x is computed from z, and δ simplifies
        numeric = slope_by_rows(lambda z: cost_per_sample(z, row.value(z), y, row, cost), z)
        terms = (np.abs(a) + np.abs(y)) * row.scale + np.abs(numeric.value)
    else:
        nabla = nabla_a(cost, row, a, y)
        size = np.abs(nabla.value)
        if row.over_rows:
            numeric = slope_by_rows(lambda z: np.sum(nabla.value * row.function(z), axis=1), z)
            terms = row.scale * a * (size + np.sum(a * size, axis=1, keepdims=True))
            off = a * (nabla.error + np.sum(a * nabla.error, axis=1, keepdims=True))
            tiny = float(np.finfo(own.spec.dtype).tiny)  # a nearer to it has been rounded, or flushed to 0
            exists = numeric.exists & (nabla.exists & ((a > tiny / FLUSHED) | (a == 0))).all(axis=1, keepdims=True)
            numeric = Slope(numeric.value, numeric.error + off, exists)
        else:
            prime = slope(row.function, z, row.kinks)
            numeric = times(nabla, prime)
            terms = size * np.maximum(np.abs(prime.value), steepest(row) / 4)
        for kink in cost.kinks:
            numeric = numeric._replace(exists=numeric.exists & (np.abs(a - y - kink) > 1e-4))
        suspects = {"σ' was left out": nabla.value, "δ was taken for a - y": a - y}
    return _compare("BP1", layer, "deltas", f"zs[{layer}]", own, own.gradients.deltas[-1], numeric.value, terms,
                    numeric=numeric, suspects=suspects)  # fmt: skip


def nabla_a(cost: Cost, output: Activation, a: Array, y: Array) -> Slope:
    """∂C_x/∂a (m, n_L)."""
    if not cost.clips:
        return slope(lambda a: cost.terms(a, y), a)
    exists = ~clipped(a, output, cost, SHARP)
    inside = np.where(exists, a, 0.5)
    # 1/a and 1/(1 - a) vary as fast as a and 1 - a are small
    noise = np.where(inside > 0.5, 1 / (1 - inside), 1.0)  # of the logarithm
    found = slope(lambda a: cost.terms(a, y), inside, scale=np.minimum(inside, 1 - inside), noise=noise)
    return found._replace(exists=found.exists & exists)


def hidden_delta(own: Numbers, layer: int) -> Comparison:
    """δ^l = ((w^(l+1))ᵀ δ^(l+1)) ⊙ σ'(z^l)    (BP2)."""
    row, z, w = own.spec.activation_rows[layer], own.states.zs[layer], own.weights[layer + 1]
    behind = own.gradients.deltas[layer + 1]
    numeric = slope(row.function, z, row.kinks)
    back = behind @ w
    terms = (np.abs(behind) @ np.abs(w)) * np.maximum(np.abs(numeric.value), steepest(row) / 4)
    suspects = {"σ' was left out": back}
    if w.shape[0] == w.shape[1]:
        suspects["w was not transposed"] = (behind @ w.T) * numeric.value
    exact = Slope(back, np.zeros(back.shape), np.ones(back.shape, bool))
    return _compare("BP2", layer, "deltas", f"deltas[{layer + 1}]", own, own.gradients.deltas[layer],
                    back * numeric.value, terms, w.shape[0], times(exact, numeric), suspects)  # fmt: skip


def bias_gradient(own: Numbers, layer: int) -> Comparison:
    """∂C/∂b^l = δ^l    (BP3), averaged over the samples."""
    delta = own.gradients.deltas[layer]
    terms = np.abs(delta).mean(axis=0)
    return _compare("BP3", layer, "nabla_b", f"deltas[{layer}]", own, own.gradients.nabla_b[layer], delta.mean(axis=0),
                    terms, len(delta))  # fmt: skip


def weight_gradient(own: Numbers, layer: int) -> Comparison:
    """∂C/∂w^l_jk = a^(l-1)_k δ^l_j    (BP4), averaged over the samples, and the penalties' share."""
    delta, a, w = own.gradients.deltas[layer], own.states.activations[layer], own.weights[layer]
    l1, l2 = own.spec.l1, own.spec.l2
    right = data = delta.T @ a / len(delta)
    terms = np.abs(delta).T @ np.abs(a) / len(delta)
    numeric, suspects = None, {}
    if w.shape[0] == w.shape[1]:
        suspects["δ and a changed places"] = data.T
    if l1 or l2:
        numeric = slope(lambda w: l1 * np.abs(w) + l2 / 2 * w * w, w, (0.0,) if l1 else ())
        right, terms = data + np.where(numeric.exists, numeric.value, 0), terms + l1 + l2 * np.abs(w)
        suspects["the penalty was left out"] = data
    given = f"deltas[{layer}], activations[{layer}]"
    found = own.gradients.nabla_w[layer]
    return _compare("BP4", layer, "nabla_w", given, own, found, right, terms, len(delta), numeric, suspects)


def clipped(a: Array, output: Activation, cost: Cost, margin: float = 0.0) -> Array:
    """Return which a (m, n_L) a cost clips before its logarithm, where it has one; or that are so near below 1."""
    if not cost.clips or cost.pair(output):
        return np.zeros(a.shape, bool)
    info = np.finfo(a.dtype)
    return np.asarray((a <= info.tiny) | (a >= 1 - max(float(info.epsneg), margin)))


def _compare(
    equation: str,
    layer: int,
    quantity: str,
    given: str,
    own: Numbers,
    found: Array,
    right: Array,
    terms: Array,
    n: int = LEAST_TERMS,
    numeric: Slope | None = None,
    suspects: Mapping[str, Array] | None = None,
) -> Comparison:
    info = np.finfo(own.spec.dtype)
    allowed = own.roundoff * np.sqrt(max(n, LEAST_TERMS)) * terms + LEAST_TERMS * n * float(info.tiny)
    exists = np.ones(right.shape, bool)
    if numeric is not None:
        allowed, exists = allowed + numeric.error, numeric.exists
    return Comparison(equation, layer, quantity, given, found, right, allowed, exists, suspects or {})
