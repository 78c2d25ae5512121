"""Activation functions a = σ(z) and their derivatives σ'(z).

`prime` gets z and a, because most derivatives are cheapest from a. NaN in z stays NaN in a:
a diverging network must show.
"""

# mypy: disable-error-code="no-any-return"
# (NumPy types its ufuncs and operators as Any.)

import math
from collections.abc import Callable
from typing import Literal, NamedTuple

import numpy as np

from . import Array

# The names in the table; a type checker finds a misspelt one.
HiddenName = Literal["sigmoid", "tanh", "relu", "identity"]
OutputName = Literal["sigmoid", "tanh", "relu", "identity", "softmax"]


class Activation(NamedTuple):
    """One row of ACTIVATIONS: a = σ(z), applied to every entry of z (m, n)."""

    name: str
    function: Callable[[Array], Array]
    # None where an output depends on every z of its row, so that σ' is a Jacobian.
    prime: Callable[[Array, Array], Array] | None
    # Of the weights in front of it, where a user names none. For relu he_normal was worse than this at every depth from
    # 1 to 10 hidden layers that was tried, see benchmarks/README.md.
    initializer: str = "glorot_uniform"
    low: float = -math.inf  # what a comes near, or reaches: targets beyond are refused
    high: float = math.inf


def sigmoid(z: Array) -> Array:
    """σ(z) = 1 / (1 + e⁻ᶻ)."""
    # e^-|z| cannot overflow, and keeps the small values of σ at negative z exact.
    e = np.exp(-np.abs(z))
    return np.where(z < 0, e, np.ones_like(e)) / (1 + e)


def sigmoid_prime(z: Array, a: Array) -> Array:
    """σ'(z) = a (1 - a)."""
    return a * (1 - a)


def tanh(z: Array) -> Array:
    """σ(z) = tanh z."""
    return np.tanh(z)


def tanh_prime(z: Array, a: Array) -> Array:
    """σ'(z) = 1 - a²."""
    return 1 - a * a


def relu(z: Array) -> Array:
    """σ(z) = max(0, z)."""
    # max(0, z) would turn NaN into 0 and hide divergence.
    return np.where(z <= 0, np.zeros_like(z), z)


def relu_prime(z: Array, a: Array) -> Array:
    """σ'(z) = 1 where z > 0, else 0; σ'(0) = 0."""
    return np.where(z <= 0, np.zeros_like(z), np.ones_like(z))


def identity(z: Array) -> Array:
    """σ(z) = z."""
    return z


def identity_prime(z: Array, a: Array) -> Array:
    """σ'(z) = 1."""
    return np.ones_like(z)


def softmax(z: Array) -> Array:
    """a_j = e^(z_j) / Σ_k e^(z_k), over each row; ∂a_j/∂z_k = a_j (δ_jk - a_k)."""
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


ACTIVATIONS: dict[str, Activation] = {
    row.name: row
    for row in (
        Activation("sigmoid", sigmoid, sigmoid_prime, "scaled_normal", 0, 1),
        Activation("tanh", tanh, tanh_prime, low=-1, high=1),
        Activation("relu", relu, relu_prime, low=0),
        Activation("identity", identity, identity_prime),
        Activation("softmax", softmax, None, low=0, high=1),
    )
}
