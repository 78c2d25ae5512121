"""Are the four equations right? Each against a numerical derivative of C.

The derivative of C is a central difference of a ReferenceNetwork in float64; the gradients under
check come from the network's own `backprop`. An array g passes against the numerical g* if

    max|g - g*| <= (1e-6 + T) max(|g|, |g*|) + 16 u₆₄ max C / h

with T what `cross_check` allows. The rest is for the difference itself: its truncation, and the
digits that C(θ + h) - C(θ - h) loses.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from ..formulas import Array
from ..formulas.activations import Activation
from ..formulas.costs import Cost
from ..formulas.penalties import penalty
from ..networks.base import BaseNetwork
from ..networks.reference import cost_per_sample, forward, one_hot
from ..networks.results import Forward
from .cross import ROUNDOFF, Quantities, compare, gradient_terms, references
from .report import CheckReport, Row

STEP = 6e-6  # ∛u₆₄: where truncation and lost digits are about equal
MAX_ROWS = 16  # of x
MAX_ENTRIES = 32  # of each array; each costs two passes over the rows


class Derivative(NamedTuple):
    """A numerical derivative of C, at one entry of an array or one column of it."""

    place: tuple[int | slice, ...]
    value: Array
    exists: Array  # False where C has a kink between the two points
    lost: float  # digits: what rounding may have added


def check_equations(net: BaseNetwork, x: object, y: object) -> CheckReport:
    """Check BP1 to BP4 against numerical derivatives, on the first rows of x.

    Large arrays are sampled. Entries are left out where C has no derivative: at the kink of relu,
    of |w| under l1, and where a cost clips its logarithm.
    """
    x, y = net._checked(x, y)
    truth, single = references(net)
    x, y = _smooth_rows(truth, x[:MAX_ROWS], y[:MAX_ROWS])

    def gradients(n: BaseNetwork) -> Quantities:
        found = n.backprop(x, n._named(y))
        return {"deltas": found.deltas, "nabla_b": found.nabla_b, "nabla_w": found.nabla_w}

    got, terms = gradients(net), gradient_terms(truth, x, y)
    allowed = {row[:2]: row.tolerance for row in compare(gradients, net, truth, single, len(x), terms=terms)}
    numeric = Numeric(truth, x, y)
    last = len(net.sizes) - 2
    rows = []
    for name, measure in numeric.measures.items():
        for layer in reversed(range(last + 1)):
            equation = {"nabla_b": "BP3", "nabla_w": "BP4"}.get(name, f"BP{2 - (layer == last)}")
            error, lost = _largest_error(got[name][layer], measure(layer))
            tolerance = 1e-6 + allowed[name, layer] + lost
            rows.append(Row(f"{name} ({equation})", layer, error, tolerance))
    rows.sort(key=lambda row: row.quantity[-4:])
    return CheckReport(f"{net!r} against numerical derivatives of C", tuple(rows))


class Numeric:
    """Numerical derivatives of C over a batch, by what C depends on."""

    def __init__(self, truth: BaseNetwork, x: Array, y: Array) -> None:
        self.spec = truth.spec
        self.rows = self.spec.activation_rows
        self.weights, self.biases = truth._get_parameters()
        self.y = one_hot(y, self.spec.sizes[-1], np.float64).astype(np.float64)
        self.states = self._onward(0, x.astype(np.float64))
        self.rng = np.random.default_rng(0)
        self.measures = {"deltas": self.deltas, "nabla_b": self.nabla_b, "nabla_w": self.nabla_w}

    def deltas(self, layer: int) -> Iterator[Derivative]:
        """∂C_x/∂z^l, for one neuron and all samples at a time."""
        for neuron in self._chosen(self.spec.sizes[layer + 1]):
            ends = []
            for step in (STEP, -STEP):
                z = self.states.zs[layer].copy()
                z[:, neuron] += step
                rest = self._onward(layer + 1, self.rows[layer].value(z))
                ends.append(self._costs(layer, Forward([z, *rest.zs], rest.activations)))
            (plus, one), (minus, other) = ends
            yield _difference((slice(None), neuron), plus, minus, _same(one, other), STEP)

    def nabla_b(self, layer: int) -> Iterator[Derivative]:
        """∂C/∂b^l."""
        return self._parameter(layer, self.biases[layer], STEP)

    def nabla_w(self, layer: int) -> Iterator[Derivative]:
        """∂C/∂w^l."""
        # A step that moves z by no more than STEP, however large the inputs are.
        step = STEP / max(1.0, float(np.max(np.abs(self.states.activations[layer]))))
        return self._parameter(layer, self.weights[layer], step)

    def _parameter(self, layer: int, array: Array, step: float) -> Iterator[Derivative]:
        for flat in self._chosen(array.size):
            place = tuple(int(i) for i in np.unravel_index(flat, array.shape))
            value, ends = array[place], []
            for shifted in (value + step, value - step):
                array[place] = shifted
                states = self._onward(layer, self.states.activations[layer])
                costs, sides = self._costs(layer, states)
                total = np.mean(costs) + penalty(self.weights, self.spec.l1, self.spec.l2)
                ends.append((np.asarray(total), sides))
            array[place] = value
            (plus, one), (minus, other) = ends
            kink_of_l1 = self.spec.l1 and array.ndim == 2 and abs(value) <= step
            exists = _same(one, other).all() and not kink_of_l1
            yield _difference(place, plus, minus, np.asarray(exists), step)

    def _onward(self, layer: int, a: Array) -> Forward:
        """Pass activations a of a layer through all layers behind it."""
        return forward(a, self.weights[layer:], self.biases[layer:], self.rows[layer:])

    def _costs(self, layer: int, states: Forward) -> tuple[Array, list[Array]]:
        """Return C_x, and on which side of every kink each z from `layer` on lies."""
        z, a = states.zs[-1], states.activations[-1]
        cost, output = self.spec.cost_row, self.rows[-1]
        sides = [z > kink for z, row in zip(states.zs, self.rows[layer:], strict=True) for kink in row.kinks]
        sides += [a - self.y > kink for kink in cost.kinks]
        sides.append(clipped(a, output, cost))
        return cost_per_sample(z, a, self.y, output, cost), sides

    def _chosen(self, n: int) -> list[int]:
        """Return at most MAX_ENTRIES of 0..n-1."""
        return sorted(self.rng.choice(n, min(n, MAX_ENTRIES), replace=False).tolist())


def clipped(a: Array, output: Activation, cost: Cost) -> Array:
    """Return which a (m, n_L) a cost clips before its logarithm, where it has one."""
    if not cost.clips or output.name in cost.pairs:
        return np.zeros(a.shape, bool)
    info = np.finfo(a.dtype)
    return np.asarray((a <= info.tiny) | (a >= 1 - info.epsneg))


def _smooth_rows(truth: BaseNetwork, x: Array, y: Array) -> tuple[Array, Array]:
    """Return the samples at which C has a derivative, a few steps around included."""
    zs, activations = truth.forward(x)
    rows, cost = truth.spec.activation_rows, truth.spec.cost_row
    keep = ~clipped(activations[-1], rows[-1], cost).any(axis=1)
    from_kinks = [z - kink for z, row in zip(zs, rows, strict=True) for kink in row.kinks]
    from_kinks += [activations[-1] - one_hot(y, truth.sizes[-1], np.float64) - kink for kink in cost.kinks]
    for distance in from_kinks:
        near = np.abs(distance) <= 4 * STEP
        dead = near.all(axis=0)  # near for every sample: not a reason to drop them all
        keep &= ~near[:, ~dead].any(axis=1)
    if not keep.any():
        raise ValueError(
            f"C has no derivative at any of the first {len(x)} samples: they lie at a kink of an activation "
            f"or {truth.spec.cost} clips its logarithm; give other samples or other weights"
        )
    return x[keep], y[keep]


def _same(one: list[Array], other: list[Array]) -> Array:
    """Which samples (m,) are on the same sides."""
    equal = [np.all(a == b, axis=1) for a, b in zip(one, other, strict=True)]
    return np.asarray(np.all(equal, axis=0))


def _difference(place: tuple[int | slice, ...], plus: Array, minus: Array, exists: Array, step: float) -> Derivative:
    lost = 16 * ROUNDOFF["float64"] * float(np.max(np.abs([plus, minus]))) / step
    return Derivative(place, (plus - minus) / (2 * step), exists, lost)


def _largest_error(g: Array, derivatives: Iterator[Derivative]) -> tuple[float, float]:
    """Return the largest error and the digits lost, relative to the largest entry.

    The error is NaN, which fails, if no entry has a derivative: nothing was checked.
    """
    errors, largest, lost = [], float(np.max(np.abs(g))), 0.0
    for d in derivatives:
        errors.extend(np.abs(g[d.place] - d.value)[d.exists].ravel())
        largest = max(largest, float(np.max(np.abs(d.value)[d.exists], initial=0.0)))
        lost = max(lost, d.lost)
    scale = largest or 1.0
    return float(np.max(errors)) / scale if errors else float("nan"), lost / scale
