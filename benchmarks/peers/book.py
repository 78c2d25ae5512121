"""The code of Nielsen's book, chapter 1: one sample at a time, in column vectors.

As in its network.py, but for Python 3, and without a promotion of float32 to float64.
"""

from typing import Any

import numpy as np

from ..threads import limit_blas
from .contender import Contender, Job, one_by_one


def sigmoid(z: Any) -> Any:
    """σ(z) = 1 / (1 + exp(-z))."""
    return 1.0 / (1.0 + np.exp(-z))


def sigmoid_prime(z: Any) -> Any:
    """σ'(z)."""
    return sigmoid(z) * (1 - sigmoid(z))


class BookNetwork:
    """`Network` of the book, as far as it takes part."""

    def __init__(self, weights: Any, biases: Any) -> None:
        self.num_layers = len(weights) + 1
        self.weights = [w.copy() for w in weights]
        self.biases = [b[:, None].copy() for b in biases]

    def feedforward(self, a: Any) -> Any:
        """Return the output for a column vector."""
        for b, w in zip(self.biases, self.weights, strict=True):
            a = sigmoid(np.dot(w, a) + b)
        return a

    def update_mini_batch(self, mini_batch: Any, eta: float) -> None:
        """Make one step of gradient descent on a list of (x, y)."""
        nabla_b = [np.zeros_like(b) for b in self.biases]
        nabla_w = [np.zeros_like(w) for w in self.weights]
        for x, y in mini_batch:
            delta_nabla_b, delta_nabla_w = self.backprop(x, y)
            nabla_b = [nb + dnb for nb, dnb in zip(nabla_b, delta_nabla_b, strict=True)]
            nabla_w = [nw + dnw for nw, dnw in zip(nabla_w, delta_nabla_w, strict=True)]
        self.weights = [w - (eta / len(mini_batch)) * nw for w, nw in zip(self.weights, nabla_w, strict=True)]
        self.biases = [b - (eta / len(mini_batch)) * nb for b, nb in zip(self.biases, nabla_b, strict=True)]

    def backprop(self, x: Any, y: Any) -> tuple[list[Any], list[Any]]:
        """Return the gradients of one sample's cost."""
        nabla_b = [np.zeros_like(b) for b in self.biases]
        nabla_w = [np.zeros_like(w) for w in self.weights]
        activation = x
        activations = [x]
        zs = []
        for b, w in zip(self.biases, self.weights, strict=True):
            z = np.dot(w, activation) + b
            zs.append(z)
            activation = sigmoid(z)
            activations.append(activation)
        delta = (activations[-1] - y) * sigmoid_prime(zs[-1])
        nabla_b[-1] = delta
        nabla_w[-1] = np.dot(delta, activations[-2].T)
        for layer in range(2, self.num_layers):
            z = zs[-layer]
            delta = np.dot(self.weights[-layer + 1].T, delta) * sigmoid_prime(z)
            nabla_b[-layer] = delta
            nabla_w[-layer] = np.dot(delta, activations[-layer - 1].T)
        return nabla_b, nabla_w


def book(job: Job) -> Contender | None:
    """What the book has: sigmoid everywhere, the quadratic cost, plain gradient descent."""
    case, net = job.case, job.net
    if set(net.spec.activations) != {"sigmoid"} or case.cost != "quadratic" or hasattr(case.optimizer, "beta1"):
        return None
    limit_blas(job.threads)
    model = BookNetwork(net.weights, net.biases)
    if case.optimizer is None:
        return one_by_one(lambda x: model.feedforward(x[:, None]), job.x)
    data = [(x[:, None], y[:, None]) for x, y in zip(job.x, job.y, strict=True)]

    def run(order: Any) -> None:
        shuffled = [data[place] for place in order.tolist()]
        for start in range(0, len(shuffled), case.batch_size):
            model.update_mini_batch(shuffled[start : start + case.batch_size], case.optimizer.learning_rate)

    return Contender(run, lambda: model.weights[0])
