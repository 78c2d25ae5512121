"""The loop that the programs of Nielsen's book run, sample by sample in NumPy: what `fastbp.nielsen` stands in for.

Written anew, from the book's equations: the same operations in the same order on the same streams of random numbers.
"""

import random

import numpy as np


def sigmoid(z):
    return 1.0 / (1.0 + np.exp(-z))


def sigmoid_prime(z):
    return sigmoid(z) * (1 - sigmoid(z))


class Chapter1:
    """The first chapter's: quadratic cost."""

    scaled = False

    def __init__(self, sizes):
        self.biases = [np.random.randn(n, 1) for n in sizes[1:]]
        self.weights = [
            np.random.randn(n, k) / (np.sqrt(k) if self.scaled else 1) for k, n in zip(sizes[:-1], sizes[1:])
        ]

    def feedforward(self, a):
        for b, w in zip(self.biases, self.weights):
            a = sigmoid(np.dot(w, a) + b)
        return a

    def error(self, z, a, y):
        return (a - y) * sigmoid_prime(z)

    def backprop(self, x, y):
        zs, activations = [], [x]
        for b, w in zip(self.biases, self.weights):
            zs.append(np.dot(w, activations[-1]) + b)
            activations.append(sigmoid(zs[-1]))
        nabla_b = [np.zeros(b.shape) for b in self.biases]
        nabla_w = [np.zeros(w.shape) for w in self.weights]
        delta = self.error(zs[-1], activations[-1], y)
        for l in range(1, len(zs) + 1):
            if l > 1:
                delta = np.dot(self.weights[-l + 1].transpose(), delta) * sigmoid_prime(zs[-l])
            nabla_b[-l] = delta
            nabla_w[-l] = np.dot(delta, activations[-l - 1].transpose())
        return nabla_b, nabla_w

    def update_mini_batch(self, mini_batch, eta, decay=0.0):
        sum_b = [np.zeros(b.shape) for b in self.biases]
        sum_w = [np.zeros(w.shape) for w in self.weights]
        for x, y in mini_batch:
            nabla_b, nabla_w = self.backprop(x, y)
            sum_b = [s + n for s, n in zip(sum_b, nabla_b)]
            sum_w = [s + n for s, n in zip(sum_w, nabla_w)]
        step = eta / len(mini_batch)
        self.weights = [(1 - eta * decay) * w - step * s for w, s in zip(self.weights, sum_w)]
        self.biases = [b - step * s for b, s in zip(self.biases, sum_b)]

    def epoch(self, data, size, eta, decay=0.0):
        random.shuffle(data)
        for start in range(0, len(data), size):
            self.update_mini_batch(data[start : start + size], eta, decay)

    def right(self, data):
        return sum(int(np.argmax(self.feedforward(x)) == (y if np.ndim(y) == 0 else np.argmax(y))) for x, y in data)

    def SGD(self, data, epochs, size, eta, test_data=None):
        """Print nothing; return how many of the test data are right after each epoch."""
        found = []
        for _ in range(epochs):
            self.epoch(data, size, eta)
            found += [self.right(test_data)] if test_data else []
        return found


class Chapter3(Chapter1):
    """The third chapter's: cross-entropy and L2."""

    scaled = True

    def error(self, z, a, y):
        return a - y

    def total_cost(self, data, lmbda):
        total = 0.0
        for x, y in data:
            a = self.feedforward(x)
            if np.ndim(y) == 0:
                y = np.eye(len(a))[:, [y]]
            with np.errstate(divide="ignore", invalid="ignore"):
                total += np.sum(np.nan_to_num(-y * np.log(a) - (1 - y) * np.log(1 - a))) / len(data)
        return total + 0.5 * (lmbda / len(data)) * sum(np.linalg.norm(w) ** 2 for w in self.weights)

    def SGD(self, data, epochs, size, eta, lmbda=0.0, evaluation_data=None):
        """Return costs and right answers, of the evaluation data and of the training data, after each epoch."""
        found = ([], [], [], [])
        for _ in range(epochs):
            self.epoch(data, size, eta, lmbda / len(data))
            numbers = [
                self.total_cost(evaluation_data, lmbda), self.right(evaluation_data), self.total_cost(data, lmbda),
                self.right(data),
            ]  # fmt: skip
            for each, number in zip(found, numbers):
                each.append(number)
        return found
