"""The four equations on a network small enough to be followed by hand: 2-3-2, sigmoids, the quadratic cost."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from ..checking.equations import check_equations
from ..formulas import Array
from ..networks.reference import ReferenceNetwork

X, Y = np.array([[1.0, 0.5]]), np.array([[1.0, 0.0]])
WEIGHTS = [np.array([[0.5, -0.3], [0.8, 0.2], [-0.6, 0.4]]), np.array([[0.7, -0.5, 0.2], [-0.4, 0.6, 0.9]])]
BIASES = [np.array([0.1, -0.2, 0.3]), np.array([0.05, -0.1])]
LAYERS = (0, 1)
STEP = 1e-6  # h of a numerical derivative


class Derivatives(NamedTuple):
    """∂C/∂z, ∂C/∂b and ∂C/∂w of both layers: by the equations, or by differences."""

    deltas: list[Array]
    nabla_b: list[Array]
    nabla_w: list[Array]


class Small(NamedTuple):
    """One pass forward and one back."""

    zs: list[Array]
    activations: list[Array]
    cost: float
    nabla_a: Array  # ∂C/∂a at the output
    slopes: list[Array]  # σ'(z)
    back: Array  # wᵀ δ
    equations: Derivatives
    differences: Derivatives
    checks: int  # comparisons of check_equations
    failed: int  # of them

    @property
    def worst(self) -> float:
        """The largest distance between the equations and the differences."""
        equations, found = ([array for arrays in one for array in arrays] for one in (self.equations, self.differences))
        pairs = zip(equations, found, strict=True)
        return max(float(np.max(np.abs(np.ravel(one) - np.ravel(other)))) for one, other in pairs)


def small_network() -> ReferenceNetwork:
    """Make the network, in NumPy."""
    net = ReferenceNetwork([2, 3, 2], dtype="float64", seed=0)
    net.weights, net.biases = WEIGHTS, BIASES
    return net


def small() -> Small:
    """Go through the network, forward and back, and check it."""
    net = small_network()
    zs, activations = net.forward(X)
    cost, nabla_w, nabla_b, deltas = net.backprop(X, Y)
    report = check_equations(net, X, Y)
    return Small(
        zs, activations, cost, activations[-1] - Y, [a * (1 - a) for a in activations[1:]], deltas[1] @ WEIGHTS[1],
        Derivatives(deltas, nabla_b, nabla_w),
        Derivatives(
            [differences(lambda z, layer=layer: cost_from(net, z, layer), zs[layer]) for layer in LAYERS],  # type: ignore[misc]
            [by_parameter(net, "biases", layer) for layer in LAYERS],
            [by_parameter(net, "weights", layer) for layer in LAYERS],
        ),
        len(report.rows), sum(not row.passed for row in report.rows),
    )  # fmt: skip


def differences(cost: Callable[[Array], float], at: Array) -> Array:
    """(C(θ + h) - C(θ - h)) / 2h, for every entry of θ: the shape of θ."""
    found: Array = np.zeros_like(at)
    for place in np.ndindex(at.shape):
        step = np.zeros_like(at)
        step[place] = STEP
        found[place] = (cost(at + step) - cost(at - step)) / (2 * STEP)
    return found


def cost_from(net: ReferenceNetwork, z: Array, layer: int) -> float:
    """C as a function of the weighted inputs z of a layer, (1, n_l): only what comes after them is computed."""
    rows = net.spec.activation_rows
    a = rows[layer].value(z)
    for later in range(layer + 1, len(rows)):
        a = rows[later].value(a @ net.weights[later].T + net.biases[later])
    return float(0.5 * np.sum((a - Y) ** 2))


def by_parameter(net: ReferenceNetwork, name: str, layer: int) -> Array:
    """∂C/∂b or ∂C/∂w of a layer: each entry is changed, and the network goes forward again."""
    before = getattr(net, name)

    def cost(changed: Array) -> float:
        setattr(net, name, [*before[:layer], changed, *before[layer + 1 :]])
        return net.evaluate(X, Y).cost

    found = differences(cost, before[layer])
    setattr(net, name, before)
    return found
