"""What the lesson computes, live: a small network by hand, one neuron that learns, a deep network and a cure."""

from typing import Any, NamedTuple

import numpy as np

from ..datasets import load_digits
from ..formulas import Array
from ..formulas.activations import Activation
from ..formulas.optimizers import SGD
from ..insight.watch import Diagnostics
from ..networks.fast import Network
from ..networks.reference import ReferenceNetwork
from ..networks.trainer import Trainer

X, Y = np.array([[1.0, 0.5]]), np.array([[1.0, 0.0]])
OTHER = np.array([[-0.5, 1.0]]), np.array([[0.0, 1.0]])  # a second sample, for the mean
SMALL = np.array([[1.0, 0.01]])  # an input near 0
WEIGHTS = [np.array([[0.5, -0.3], [0.8, 0.2], [-0.6, 0.4]]), np.array([[0.7, -0.5, 0.2], [-0.4, 0.6, 0.9]])]
BIASES = [np.array([0.1, -0.2, 0.3]), np.array([0.05, -0.1])]
STEP = 1e-6  # of a numerical derivative

STARTS = ((0.6, 0.9), (2.0, 2.0))  # w and b of the one neuron, as in chapter 3
COSTS = ("quadratic", "binary_cross_entropy")
ETA, EPOCHS = 0.15, 300
DEEP = [64, 30, 30, 30, 10]
DEEP_ETA, DEEP_EPOCHS, LOOK_EVERY = 0.1, 20, 10
STEADY = Activation("steady", lambda z: np.tanh(z) + z / 2)


class Small(NamedTuple):
    """One pass forward and one back through 2-3-2, and numerical derivatives of the same."""

    zs: list[Array]
    activations: list[Array]
    cost: float
    costs: tuple[float, float, float]  # of this sample, of another one, of both together
    nabla_a: Array
    slopes: list[Array]  # σ'(z)
    back: Array  # wᵀ δ
    deltas: list[Array]
    nabla_w: list[Array]
    checked_b: list[Array]  # (C(b + h) - C(b - h)) / 2h
    checked_w: list[Array]
    slow: Array  # ∂C/∂w of layer 0 for SMALL


class Neuron(NamedTuple):
    """One neuron that learns to answer 0."""

    cost: str
    w: float
    b: float
    outputs: list[float]  # a before each epoch, and in the end
    speed: float  # |∂C/∂w| in the first epoch

    @property
    def half(self) -> int:
        """Epochs until a is below 0.5."""
        return next((epoch for epoch, a in enumerate(self.outputs) if a < 0.5), EPOCHS)


class Deep(NamedTuple):
    """A deep network that learns the digits."""

    activation: str
    speeds: list[list[float]]  # |∂C/∂b| of each layer, epoch by epoch
    accuracy: float  # on digits it was not trained on

    @property
    def slowdown(self) -> float:
        """How many times slower the first layer learns than the last hidden one, in the first epoch."""
        return self.speeds[0][-2] / self.speeds[0][0]


class Lesson(NamedTuple):
    """All numbers of the lesson."""

    small: Small
    neurons: list[Neuron]
    sigmoid: Deep
    steady: Deep


def run() -> Lesson:
    """Compute everything."""
    neurons = [neuron(cost, w, b) for cost in COSTS for w, b in STARTS]
    return Lesson(small(), neurons, deep("sigmoid"), deep(STEADY))


def small_network() -> ReferenceNetwork:
    """Make the network of the equations, in NumPy."""
    net = ReferenceNetwork([2, 3, 2], dtype="float64", seed=0)
    net.weights, net.biases = WEIGHTS, BIASES
    return net


def small() -> Small:
    """Go through 2-3-2 by hand: the book's equations, one sample."""
    net = small_network()
    zs, activations = net.forward(X)
    found = net.backprop(X, Y)
    slopes = [a * (1 - a) for a in activations[1:]]
    both = np.vstack([X, OTHER[0]]), np.vstack([Y, OTHER[1]])
    costs = (found.cost, float(net.evaluate(*OTHER).cost), float(net.evaluate(*both).cost))
    back = found.deltas[1] @ WEIGHTS[1]
    return Small(
        zs, activations, found.cost, costs, activations[-1] - Y, slopes, back, found.deltas, found.nabla_w,
        [numerical(net, "biases", layer) for layer in range(2)],
        [numerical(net, "weights", layer) for layer in range(2)],
        net.backprop(SMALL, Y).nabla_w[0],
    )  # fmt: skip


def numerical(net: ReferenceNetwork, name: str, layer: int) -> Array:
    """(C(θ + h) - C(θ - h)) / 2h for every weight or bias of a layer."""
    before = getattr(net, name)
    found: Array = np.zeros(np.shape(before[layer]))
    for place in np.ndindex(found.shape):
        ends = []
        for step in (STEP, -STEP):
            changed = [array.copy() for array in before]
            changed[layer][place] += step
            setattr(net, name, changed)
            ends.append(net.evaluate(X, Y).cost)
        found[place] = (ends[0] - ends[1]) / (2 * STEP)
    setattr(net, name, before)
    return found


def neuron(cost: Any, w: float, b: float) -> Neuron:
    """Let one neuron with input 1 learn to answer 0, by plain gradient descent."""
    net = Network([1, 1], output="sigmoid", cost=cost, dtype="float64", seed=0)
    net.weights, net.biases = [[[w]]], [[b]]
    x, y = np.ones((1, 1)), np.zeros((1, 1))
    speed = abs(float(net.backprop(x, y).nabla_w[0][0, 0]))
    trainer = Trainer(net, SGD(ETA))
    outputs = [float(net.predict(x)[0, 0])]
    for _ in range(EPOCHS):
        trainer.step(x, y)
        outputs.append(float(net.predict(x)[0, 0]))
    return Neuron(cost, w, b, outputs, speed)


def deep(activation: Any) -> Deep:
    """Train a deep network on the digits by plain SGD, and look at how fast each layer learns."""
    data = load_digits()
    net = Network(DEEP, activation=activation, output="softmax", cost="cross_entropy", seed=0)
    watch = Diagnostics(LOOK_EVERY)
    net.fit(data.x_train, data.y_train, DEEP_EPOCHS, optimizer=SGD(DEEP_ETA), callbacks=[watch], verbose=0)
    speeds = [[look.nabla_b for look in layers] for layers in watch.epochs]
    accuracy = net.evaluate(data.x_test, data.y_test).accuracy
    return Deep(net.spec.activations[0], speeds, float(accuracy or 0.0))
