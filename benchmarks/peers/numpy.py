"""Batched NumPy as fast as it gets: all memory is allocated before, everything happens in place."""

from collections.abc import Callable
from typing import Any

import numpy as np

from ..threads import limit_blas
from .contender import Contender, Job, one_by_one


def sigmoid(z: Any) -> None:
    """1 / (1 + exp(-z)), in place."""
    np.negative(z, out=z)
    np.exp(z, out=z)
    z += 1
    np.reciprocal(z, out=z)


def softmax(z: Any) -> None:
    """exp(z_j) / Σ_k exp(z_k), in place."""
    z -= z.max(axis=1, keepdims=True)
    np.exp(z, out=z)
    z /= z.sum(axis=1, keepdims=True)


FUNCTIONS: dict[str, Callable[[Any], Any]] = {
    "sigmoid": sigmoid,
    "tanh": lambda z: np.tanh(z, out=z),
    "relu": lambda z: np.maximum(z, 0, out=z),
    "softmax": softmax,
    "identity": lambda z: None,
}
PRIMES: dict[str, Callable[[Any], Any]] = {  # of the activation a
    "sigmoid": lambda a: a * (1 - a),
    "tanh": lambda a: 1 - a * a,
    "relu": lambda a: a > 0,
}


class Flat:
    """Weights and biases as views of one array, so that the update is a handful of calls."""

    def __init__(self, sizes: list[int], dtype: Any) -> None:
        shapes = [shape for n, k in zip(sizes, sizes[1:], strict=False) for shape in ((k, n), (k,))]
        ends = np.cumsum([np.prod(shape) for shape in shapes])
        self.all = np.zeros(ends[-1], dtype)
        views = [part.reshape(shape) for part, shape in zip(np.split(self.all, ends[:-1]), shapes, strict=True)]
        self.weights, self.biases = views[0::2], views[1::2]


def batched(job: Job) -> Contender:
    """One matrix product per layer and equation."""
    limit_blas(job.threads)
    case, net = job.case, job.net
    functions = [FUNCTIONS[name] for name in net.spec.activations]
    primes = [PRIMES.get(name) for name in net.spec.activations]
    theta = Flat(case.sizes, net.dtype)
    for target, source in zip([*theta.weights, *theta.biases], [*net.weights, *net.biases], strict=True):
        target[...] = source
    layers = list(zip(theta.weights, theta.biases, functions, strict=True))
    if case.optimizer is None:

        def predict(a: Any) -> Any:
            for w, b, function in layers:
                a = w @ a
                a += b
                function(a)
            return a

        return one_by_one(predict, job.x)

    nabla = Flat(case.sizes, net.dtype)
    activations = [np.empty((case.batch_size, n), net.dtype) for n in case.sizes]
    deltas = [np.empty_like(a) for a in activations[1:]]
    every_row = np.arange(case.batch_size)
    update = (adam if hasattr(case.optimizer, "beta1") else sgd)(case.optimizer, theta.all, nabla.all)

    def step(rows: Any) -> None:
        np.take(job.x, rows, axis=0, out=activations[0], mode="clip")  # "raise" would take a copy
        for place, (w, b, function) in enumerate(layers):
            z = np.matmul(activations[place], w.T, out=activations[place + 1])
            z += b
            function(z)
        delta = deltas[-1]
        if job.y.ndim == 1:
            delta[...] = activations[-1]
            delta[every_row, job.y[rows]] -= 1
        else:
            np.subtract(activations[-1], job.y[rows], out=delta)
            if primes[-1] is not None:
                delta *= primes[-1](activations[-1])
        delta /= case.batch_size
        for place in range(len(layers) - 1, -1, -1):
            delta = deltas[place]
            np.matmul(delta.T, activations[place], out=nabla.weights[place])
            np.sum(delta, axis=0, out=nabla.biases[place])
            if place:
                np.matmul(delta, theta.weights[place], out=deltas[place - 1])
                deltas[place - 1] *= primes[place - 1](activations[place])  # type: ignore[misc]
        update()

    def run(order: Any) -> None:
        for start in range(0, len(order), case.batch_size):
            step(order[start : start + case.batch_size])

    return Contender(run, lambda: theta.weights[0])


def sgd(rule: Any, theta: Any, nabla: Any) -> Callable[[], None]:
    """Return w ← w - η g."""

    def update() -> None:
        np.multiply(nabla, rule.learning_rate, out=nabla)
        np.subtract(theta, nabla, out=theta)

    return update


def adam(rule: Any, theta: Any, nabla: Any) -> Callable[[], None]:
    """Return w ← w - η m̂ / (√v̂ + ε), with the corrections for the start in the factors."""
    m, v, scratch = np.zeros_like(theta), np.zeros_like(theta), np.empty_like(theta)
    step = 0

    def update() -> None:
        nonlocal step
        step += 1
        np.multiply(m, rule.beta1, out=m)
        np.add(m, np.multiply(nabla, 1 - rule.beta1, out=scratch), out=m)
        np.multiply(nabla, nabla, out=nabla)
        np.multiply(v, rule.beta2, out=v)
        np.add(v, np.multiply(nabla, 1 - rule.beta2, out=nabla), out=v)
        np.sqrt(np.multiply(v, 1 / (1 - rule.beta2**step), out=scratch), out=scratch)
        np.add(scratch, rule.epsilon, out=scratch)
        np.divide(m, scratch, out=scratch)
        np.multiply(scratch, rule.learning_rate / (1 - rule.beta1**step), out=scratch)
        np.subtract(theta, scratch, out=theta)

    return update
