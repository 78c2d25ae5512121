"""The gradients of C as a whole, against numerical derivatives of C: by every parameter or along random directions.

C is computed in float64, by the forward pass alone. The derivative along a direction is a complex step where every
formula takes complex numbers, else the best of a sweep of central differences. An array passes if

    |<g, v> - D_v C| <= T max|g| √(entries of v)  +  what the difference may be off

with T what `cross_check` allows. A direction over a whole array finds an error anywhere in it.
"""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

from ..formulas import Array
from ..formulas.penalties import penalty
from ..networks.base import BaseNetwork
from ..networks.reference import cost_per_sample, targets_of
from .local import SHARP, clipped
from .numeric import IMAGINARY, analytic

STEPS = (6e-5, 6e-6, 6e-7)  # ∛u₆₄ is 6e-6: where truncation and lost digits are about equal
ALL_ENTRIES = 300  # of an array: more are sampled, and checked along random directions
SOME_ENTRIES, DIRECTIONS = 12, 6


class Derivative(NamedTuple):
    """A numerical derivative of C along a direction in one array."""

    place: tuple[int, ...] | None  # of its one entry, if it has but one
    direction: Array
    value: float
    off: float  # how far it may be off


class Passed(NamedTuple):
    """C for parameters that were moved a little: C itself, and on which side of each kink everything lies."""

    cost: Any
    sides: list[Array]


class Overall:
    """Numerical derivatives of C over a batch, with the masks of dropout if there are any."""

    def __init__(self, truth: BaseNetwork, x: Array, y: Array, keeps: list[Array] | None = None) -> None:
        self.spec = truth.spec
        self.weights, self.biases = truth._get_parameters()
        self.x, self.keeps = x.astype(np.float64), keeps
        self.y = targets_of(self.spec, y, np.float64)
        self.rng = np.random.default_rng(0)
        self.forms: list[Callable[[Array], Array]] = [row.value for row in self.spec.activation_rows]
        # What comes through to C of the rounding of a; ln 1 = 0 loses all digits of what is near it
        self.coarse = 1.0 if self.spec.cost_row.for_probabilities else 0.0
        self.is_analytic = self._find_analytic_forms()

    def of(self, name: str, layer: int) -> Iterator[Derivative]:
        """Yield derivatives of C by "weights" or "biases" of one layer."""
        array = (self.weights if name == "weights" else self.biases)[layer]
        for direction in self._directions(array.shape):
            yield self._derivative(name, layer, direction)

    def _directions(self, shape: tuple[int, ...]) -> Iterator[Array]:
        size = int(np.prod(shape))
        few = size <= ALL_ENTRIES
        chosen = range(size) if few else np.sort(self.rng.choice(size, SOME_ENTRIES, replace=False)).tolist()
        for flat in chosen:
            direction = np.zeros(size)
            direction[flat] = 1
            yield direction.reshape(shape)
        for _ in range(DIRECTIONS if size > 1 else 0):
            yield self.rng.choice([-1.0, 1.0], shape) / np.sqrt(size)

    def _derivative(self, name: str, layer: int, direction: Array) -> Derivative:
        entries = np.flatnonzero(direction)
        place = tuple(map(int, np.unravel_index(entries[0], direction.shape))) if len(entries) == 1 else None
        if self.is_analytic:
            cost = self._pass(name, layer, 1j * IMAGINARY * direction).cost
            value = float(cost.imag / IMAGINARY)
            size = (1 + abs(float(cost.real))) * max(1.0, self._reach(name, layer, direction))
            return Derivative(place, direction, value, 64 * np.finfo(np.float64).eps * size)
        return Derivative(place, direction, *self._swept(name, layer, direction))

    def _swept(self, name: str, layer: int, direction: Array) -> tuple[float, float]:
        """Return the best of several differences; infinitely far off where every step crosses a kink."""
        # Steps that move no z by more than STEPS, however large the inputs are.
        reach = self._reach(name, layer, direction)
        found, best = (0.0, np.inf), None
        for step in STEPS:
            h = step / max(1.0, reach)
            plus, minus = (self._pass(name, layer, sign * h * direction) for sign in (1, -1))
            if not all(np.array_equal(one, other) for one, other in zip(plus.sides, minus.sides, strict=True)):
                best = None
                continue
            value = float((plus.cost - minus.cost) / (2 * h))
            lost = 16 * np.finfo(np.float64).eps * (float(max(abs(plus.cost), abs(minus.cost))) + self.coarse) / h
            off = lost + abs(value - best) if best is not None else np.inf
            if off < found[1]:
                found = value, off
            best = value
        return found

    def _reach(self, name: str, layer: int, direction: Array) -> float:
        """How far z moves, at most, for a step of 1."""
        size = np.abs(direction)
        return float(np.max(np.abs(self._inputs[layer]) @ size.T if name == "weights" else size))

    def _pass(self, name: str, layer: int, change: Array) -> Passed:
        weights, biases = list(self.weights), list(self.biases)
        arrays = weights if name == "weights" else biases
        arrays[layer] = arrays[layer] + change
        a, zs = self.x, []
        for place, form in enumerate(self.forms):
            a = a if self.keeps is None else a * self.keeps[place]
            zs.append(a @ weights[place].T + biases[place])
            a = form(zs[-1])
        rows, cost = self.spec.activation_rows, self.spec.cost_row
        per_sample = cost_per_sample(zs[-1], a, self.y, rows[-1], cost)
        with np.errstate(invalid="ignore"):
            total = np.mean(per_sample) + _penalty(weights, self.spec.l1, self.spec.l2)
        sides = [z > kink for z, row in zip(zs, rows, strict=True) for kink in row.kinks]
        sides += [a - self.y > kink for kink in cost.kinks]
        sides += [clipped(a.real, rows[-1], cost)]
        sides += [w > 0 for w in weights] if self.spec.l1 else []
        return Passed(total, sides)

    def _find_analytic_forms(self) -> bool:
        """Find forms that take complex numbers, and whether C as a whole does."""
        rows, self._inputs = self.spec.activation_rows, [self.x]
        found = []
        with np.errstate(all="ignore"):
            for place, row in enumerate(rows):
                a = self._inputs[-1] if self.keeps is None else self._inputs[-1] * self.keeps[place]
                self._inputs[-1] = a
                z = a @ self.weights[place].T + self.biases[place]
                found.append(analytic(row, z))
                self._inputs.append(row.value(z))
            if self.spec.cost_row.clips and not self.spec.cost_row.pair(rows[-1]):
                highest = float(np.max(self._inputs[-1]))
                self.coarse = 1 / (1 - highest) if highest < 1 - SHARP else np.inf
            if self.spec.l1 or any(form is None for form in found):
                return False
            if rows[-1].over_rows and _ties(z):
                return False  # which of the two is the largest, a complex step may decide
            self.forms = [form for form in found if form is not None]
            return self._takes_complex_numbers()

    def _takes_complex_numbers(self) -> bool:
        """Whether a complex step of C agrees with a difference, for each bias at the output."""
        layer = len(self.weights) - 1
        for direction in np.eye(len(self.biases[-1]))[:8] if len(self.biases[-1]) > 1 else np.ones((1, 1)):
            try:
                exact = float(self._pass("biases", layer, 1j * IMAGINARY * direction).cost.imag / IMAGINARY)
            except TypeError:
                return False
            value, off = self._swept("biases", layer, direction)
            if not abs(exact - value) <= 1e-6 * max(1.0, abs(value)) + off or not np.isfinite(off):
                self.forms = [row.value for row in self.spec.activation_rows]
                return False
        return True


def _ties(z: Array) -> bool:
    """Whether the two largest of some row are as good as equal."""
    first, second = np.sort(z, axis=1)[:, -1], np.sort(z, axis=1)[:, -2]
    return bool(np.any(first - second < 1e-9))


def _penalty(weights: list[Array], l1: float, l2: float) -> Any:
    if any(np.iscomplexobj(w) for w in weights):
        return l2 / 2 * sum(np.sum(w * w) for w in weights)  # there is no complex step with l1
    return penalty(weights, l1, l2)
