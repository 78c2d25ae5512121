"""What C and δ mean, on the same small network: the two assumptions, the demon, saturation, and equation (32)."""

from typing import NamedTuple

import numpy as np

from ..formulas import Array
from ..formulas.optimizers import SGD
from .small import BIASES, LAYERS, WEIGHTS, X, Y, cost_from, small_network

OTHER = np.array([[-0.5, 1.0]]), np.array([[0.0, 1.0]])  # a second sample, for the mean
EXCHANGED = [2, 1, 0]  # the first hidden neuron and the last
PUSH = 0.1  # |Δz| of the demon
SHIFTS = (0.0, -5.0, 5.0)  # of the last bias: as it is, nearly right, sure of what is wrong
WEAK = np.array([[1.0, 0.01]])  # an input near 0
STEPS, ETA = 100, 1.0


class Neuron(NamedTuple):
    """The last output at one of its biases."""

    z: float
    a: float
    y: float
    slope: float  # σ'(z)
    delta: float


class Weak(NamedTuple):
    """What an input near 0 does."""

    delta: Array  # δ¹
    nabla_w: Array  # ∂C/∂w¹
    moved: Array  # w¹ after STEPS of gradient descent, less w¹ before

    @property
    def ratio(self) -> float:
        """How many times faster the weights from the first input learn than those from the second."""
        return _ratio(self.nabla_w)

    @property
    def moved_ratio(self) -> float:
        """How many times further they have gone."""
        return _ratio(self.moved)


def _ratio(w: Array) -> float:
    """The smallest |w_j1 / w_j2| of all rows."""
    return float(np.min(np.abs(w[:, 0] / w[:, 1])))


class Meaning(NamedTuple):
    """What the numbers of the small network mean."""

    costs: tuple[float, float, float]  # C_x of two samples, C of both together
    exchanged: float  # C of the first, with two hidden neurons exchanged
    pushes: list[tuple[Array, Array]]  # of each layer: Δz of each neuron, and ΔC
    neurons: list[Neuron]
    weak: Weak


def meaning() -> Meaning:
    """Try it out."""
    net = small_network()
    both = np.vstack([X, OTHER[0]]), np.vstack([Y, OTHER[1]])
    costs = (net.evaluate(X, Y).cost, net.evaluate(*OTHER).cost, net.evaluate(*both).cost)
    return Meaning(costs, _exchanged(), [_pushed(layer) for layer in LAYERS], [_shifted(by) for by in SHIFTS], _weak())


def _exchanged() -> float:
    net = small_network()
    net.weights = [WEIGHTS[0][EXCHANGED], WEIGHTS[1][:, EXCHANGED]]
    net.biases = [BIASES[0][EXCHANGED], BIASES[1]]
    return net.evaluate(X, Y).cost


def _pushed(layer: int) -> tuple[Array, Array]:
    """Let the demon push each neuron of a layer to where C falls."""
    net = small_network()
    z = net.forward(X).zs[layer]
    pushes = -PUSH * np.sign(net.backprop(X, Y).deltas[layer][0])
    before = cost_from(net, z, layer)
    changes = [cost_from(net, z + push * np.eye(len(pushes))[j], layer) - before for j, push in enumerate(pushes)]
    return pushes, np.array(changes)


def _shifted(by: float) -> Neuron:
    net = small_network()
    net.biases = [BIASES[0], BIASES[1] + [0, by]]
    zs, activations = net.forward(X)
    a = float(activations[-1][0, -1])
    return Neuron(float(zs[-1][0, -1]), a, float(Y[0, -1]), a * (1 - a), float(net.backprop(X, Y).deltas[-1][0, -1]))


def _weak() -> Weak:
    net = small_network()
    found = net.backprop(WEAK, Y)
    net.fit(WEAK, Y, epochs=STEPS, batch_size=1, optimizer=SGD(ETA), verbose=0)
    return Weak(found.deltas[0][0], found.nabla_w[0], net.weights[0] - WEIGHTS[0])
