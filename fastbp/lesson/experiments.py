"""The book's experiments, live: one neuron that learns (chapter 3), a deep network (chapter 5), and a cure."""

from typing import Any, NamedTuple

import numpy as np

from ..checking.equations import check_equations
from ..datasets import load_digits
from ..formulas.activations import Activation
from ..formulas.looks import LayerLook
from ..formulas.optimizers import SGD
from ..insight.watch import Diagnostics
from ..networks.fast import Network
from ..networks.trainer import Trainer
from .meaning import Meaning, meaning
from .small import Small, small

STARTS = ((0.6, 0.9), (2.0, 2.0))  # w and b of the one neuron: a little wrong, and badly
QUADRATIC, CROSS_ENTROPY = "quadratic", "binary_cross_entropy"
ETA, BOOK_ETA, EPOCHS = 0.15, 0.005, 300  # the book takes the second for the cross-entropy
DEEP = [64, 30, 30, 30, 10]
DEEP_ETA, LARGE_ETA, DEEP_EPOCHS, LOOK_EVERY = 0.1, 1.0, 20, 10
STEADY = Activation("steady", lambda z: np.tanh(z) + z / 2)


class Learner(NamedTuple):
    """One neuron that learns to answer 0."""

    cost: str
    eta: float
    w: float
    b: float
    outputs: list[float]  # a before each epoch, and in the end
    nabla_w: float  # ∂C/∂w in the first epoch

    @property
    def half(self) -> int | None:
        """Epochs until a is below 0.5."""
        return next((epoch for epoch, a in enumerate(self.outputs) if a < 0.5), None)

    @property
    def step(self) -> float:
        """How far w goes in the first epoch."""
        return self.eta * abs(self.nabla_w)


class Deep(NamedTuple):
    """A deep network that learns the digits."""

    activation: str
    eta: float
    looks: list[tuple[LayerLook, ...]]  # of each epoch, a layer each
    accuracy: float  # on digits it was not trained on
    checks: int  # comparisons of check_equations, before training
    failed: int  # of them

    @property
    def slowdown(self) -> float:
        """How many times slower the first layer learns than the last hidden one, in the first epoch."""
        return self.looks[0][-2].nabla_b / self.looks[0][0].nabla_b


class Lesson(NamedTuple):
    """All numbers of the lesson."""

    small: Small
    meaning: Meaning
    learners: list[Learner]  # near and far: quadratic, cross-entropy, cross-entropy with the book's η
    sigmoid: Deep
    impatient: Deep  # sigmoids, with a large η
    steady: Deep


def run() -> Lesson:
    """Compute everything."""
    runs = ((QUADRATIC, ETA), (CROSS_ENTROPY, ETA), (CROSS_ENTROPY, BOOK_ETA))
    learners = [learn(cost, eta, w, b) for cost, eta in runs for w, b in STARTS]
    deeps = (deep("sigmoid", DEEP_ETA), deep("sigmoid", LARGE_ETA), deep(STEADY, DEEP_ETA))
    return Lesson(small(), meaning(), learners, *deeps)


def learn(cost: Any, eta: float, w: float, b: float) -> Learner:
    """Let one neuron with input 1 learn to answer 0, by gradient descent."""
    net = Network([1, 1], output="sigmoid", cost=cost, dtype="float64", seed=0)
    net.weights, net.biases = [[[w]]], [[b]]
    x, y = np.ones((1, 1)), np.zeros((1, 1))
    slope = float(net.backprop(x, y).nabla_w[0][0, 0])
    trainer = Trainer(net, SGD(eta))
    outputs = [float(net.predict(x)[0, 0])]
    for _ in range(EPOCHS):
        trainer.step(x, y)
        outputs.append(float(net.predict(x)[0, 0]))
    return Learner(cost, eta, w, b, outputs, slope)


def deep_network(activation: Any) -> Network:
    """Make the deep network: the same weights whatever σ is."""
    return Network(
        DEEP, activation=activation, output="softmax", cost="cross_entropy", initializer="scaled_normal", seed=0
    )


def deep(activation: Any, eta: float) -> Deep:
    """Check a deep network's equations, train it on the digits, and look at how each layer learns."""
    data = load_digits()
    net = deep_network(activation)
    report = check_equations(net, data.x_train, data.y_train)
    watch = Diagnostics(LOOK_EVERY)
    net.fit(data.x_train, data.y_train, DEEP_EPOCHS, optimizer=SGD(eta), callbacks=[watch], verbose=0)
    accuracy = net.evaluate(data.x_test, data.y_test).accuracy
    failed = sum(not row.passed for row in report.rows)
    name = net.spec.activations[0]
    return Deep(name, eta, watch.epochs, float(accuracy or 0.0), len(report.rows), failed)
