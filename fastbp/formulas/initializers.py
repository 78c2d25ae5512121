"""Initial weights w (n_out, n_in) and biases b (n_out,), drawn in float64: a function each."""

# mypy: disable-error-code="no-any-return"
# (NumPy types its ufuncs and operators as Any.)

from collections.abc import Callable
from functools import partial
from typing import Any, Literal

import numpy as np

from . import Array, lookup, number, with_parameters

InitializerName = Literal[
    "normal", "scaled_normal", "glorot_uniform", "glorot_normal", "he_uniform", "he_normal", "lecun_uniform",
    "lecun_normal", "orthogonal", "torch_uniform", "zeros", "constant",
]  # fmt: skip

Initializer = Callable[[np.random.Generator, int, int], tuple[Array, Array]]


def normal(rng: np.random.Generator, n_in: int, n_out: int) -> tuple[Array, Array]:
    """Draw w, b ~ N(0, 1): the book's "large" weights."""
    return rng.standard_normal((n_out, n_in)), rng.standard_normal(n_out)


def scaled_normal(rng: np.random.Generator, n_in: int, n_out: int) -> tuple[Array, Array]:
    """Draw w ~ N(0, 1/n_in), b ~ N(0, 1): the book's default."""
    w, b = normal(rng, n_in, n_out)
    return w / np.sqrt(n_in), b


def _uniform(variance: Callable[..., float], rng: Any, n_in: int, n_out: int) -> tuple[Array, Array]:
    """Draw w ~ U(-r, r) of this variance, r² / 3; b = 0."""
    r = np.sqrt(variance(n_in, n_out, 3))
    return rng.uniform(-r, r, (n_out, n_in)), np.zeros(n_out)


def _normal(variance: Callable[..., float], rng: Any, n_in: int, n_out: int) -> tuple[Array, Array]:
    """Draw w ~ N(0, variance), b = 0."""
    return rng.standard_normal((n_out, n_in)) * np.sqrt(variance(n_in, n_out)), np.zeros(n_out)


def _glorot(n_in: int, n_out: int, times: int = 1) -> float:
    """2 / (n_in + n_out): activations keep their variance on the way up, and errors theirs on the way down (2010)."""
    return 2 * times / (n_in + n_out)


def _he(n_in: int, n_out: int, times: int = 1) -> float:
    """2 / n_in: half of what comes in is 0 behind relus (He et al. 2015)."""
    return 2 * times / n_in


def _lecun(n_in: int, n_out: int, times: int = 1) -> float:
    """1 / n_in: activations keep their variance (LeCun et al. 1998)."""
    return times / n_in


def orthogonal(rng: np.random.Generator, n_in: int, n_out: int) -> tuple[Array, Array]:
    """Draw w with orthonormal rows, or columns where there are fewer of these, b = 0 (Saxe et al. 2013)."""
    q, r = np.linalg.qr(rng.standard_normal((max(n_in, n_out), min(n_in, n_out))))
    q = q * np.sign(np.diag(r))  # else the draw is not uniform
    return (q if n_out >= n_in else q.T), np.zeros(n_out)


def torch_uniform(rng: np.random.Generator, n_in: int, n_out: int) -> tuple[Array, Array]:
    """Draw w, b ~ U(-r, r) with r = 1 / √n_in: the default of PyTorch's Linear."""
    r = 1 / np.sqrt(n_in)
    return rng.uniform(-r, r, (n_out, n_in)), rng.uniform(-r, r, n_out)


def constant(value: float = 0.1) -> Initializer:
    """All w are the value, b = 0."""
    value = number("value", value, low=-np.inf)

    def initializer(rng: np.random.Generator, n_in: int, n_out: int) -> tuple[Array, Array]:
        return np.full((n_out, n_in), value), np.zeros(n_out)

    return initializer


INITIALIZERS: dict[str, Initializer] = {
    "normal": normal,
    "scaled_normal": scaled_normal,
    "glorot_uniform": partial(_uniform, _glorot),
    "glorot_normal": partial(_normal, _glorot),
    "he_uniform": partial(_uniform, _he),
    "he_normal": partial(_normal, _he),
    "lecun_uniform": partial(_uniform, _lecun),
    "lecun_normal": partial(_normal, _lecun),
    "orthogonal": orthogonal,
    "torch_uniform": torch_uniform,
    "zeros": constant(0.0),
    "constant": constant(),
}
FACTORIES: dict[str, Callable[..., Initializer]] = {"constant": constant}
SYMMETRIC = ("zeros", "constant")  # all neurons of a layer begin alike, and stay so


def find_initializer(name: object) -> Initializer:
    """Return the row of this name, or of the name with parameters in brackets: constant(value=0.5)."""
    return with_parameters("initializer", FACTORIES, name) or lookup("initializer", INITIALIZERS, name)
