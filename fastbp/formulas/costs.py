"""Cost of one sample C_x and its derivative ∇ₐC; C is the mean of C_x over the samples.

Costs that take a logarithm clip a to [finfo(dtype).tiny, 1 - finfo(dtype).epsneg] first, before
log and before division, in the cost and in its derivative alike: both stay finite.

Where output activation and cost belong together (FUSED), the error simplifies to δ = a - y, and
the cost is computed from z: exact where a itself has already rounded to 0 or 1.
"""

# mypy: disable-error-code="no-any-return"
# (NumPy types its ufuncs and operators as Any.)

from collections.abc import Callable
from typing import Literal, NamedTuple

import numpy as np

from . import Array

CostName = Literal["quadratic", "binary_cross_entropy", "cross_entropy"]


class Cost(NamedTuple):
    """One row of COSTS: C_x (m,) from activations a (m, n) and targets y (m, n), and ∇ₐC (m, n)."""

    name: str
    function: Callable[[Array, Array], Array]
    derivative: Callable[[Array, Array], Array]
    outputs: tuple[str, ...] = ()  # activations it takes, the default first; a logarithm needs 0..1; (): any


class FusedPair(NamedTuple):
    """One row of FUSED: C_x (m,) from z (m, n) and y (m, n), and δ (m, n) from a and y."""

    function: Callable[[Array, Array], Array]
    delta: Callable[[Array, Array], Array]


def _clipped(a: Array) -> Array:
    """Return a, kept off 0 and 1 by the least the dtype can express."""
    info = np.finfo(a.dtype)
    return np.clip(a, info.tiny, 1 - info.epsneg)


def quadratic(a: Array, y: Array) -> Array:
    """C_x = ½ Σ_j (a_j - y_j)²."""
    return np.sum(np.square(a - y), axis=1) / 2


def quadratic_derivative(a: Array, y: Array) -> Array:
    """∇ₐC = a - y."""
    return a - y


def binary_cross_entropy(a: Array, y: Array) -> Array:
    """C_x = -Σ_j (y_j ln a_j + (1 - y_j) ln(1 - a_j)), a clipped (see above)."""
    a = _clipped(a)
    return -np.sum(y * np.log(a) + (1 - y) * np.log(1 - a), axis=1)


def binary_cross_entropy_derivative(a: Array, y: Array) -> Array:
    """∇ₐC = (a - y) / (a (1 - a)), a clipped (see above)."""
    a = _clipped(a)
    return (a - y) / (a * (1 - a))


def cross_entropy(a: Array, y: Array) -> Array:
    """C_x = -Σ_j y_j ln a_j, a clipped (see above); y is a row of probabilities."""
    return -np.sum(y * np.log(_clipped(a)), axis=1)


def cross_entropy_derivative(a: Array, y: Array) -> Array:
    """∇ₐC = -y / a, a clipped (see above)."""
    return -y / _clipped(a)


def sigmoid_binary_cross_entropy(z: Array, y: Array) -> Array:
    """C_x = Σ_j (max(z_j, 0) - z_j y_j + ln(1 + e^-|z_j|))."""
    return np.sum(np.maximum(z, 0) - z * y + np.log1p(np.exp(-np.abs(z))), axis=1)


def softmax_cross_entropy(z: Array, y: Array) -> Array:
    """C_x = Σ_j y_j (ln Σ_k e^(z_k) - z_j)."""
    z = z - z.max(axis=1, keepdims=True)
    log_total = np.log(np.sum(np.exp(z), axis=1, keepdims=True))
    return np.sum(y * (log_total - z), axis=1)


def difference(a: Array, y: Array) -> Array:
    """δ = a - y."""
    return a - y


COSTS: dict[str, Cost] = {
    row.name: row
    for row in (
        Cost("quadratic", quadratic, quadratic_derivative),
        Cost("binary_cross_entropy", binary_cross_entropy, binary_cross_entropy_derivative, ("sigmoid", "softmax")),
        Cost("cross_entropy", cross_entropy, cross_entropy_derivative, ("softmax", "sigmoid")),
    )
}

# (output activation, cost) -> what the pair simplifies to
FUSED: dict[tuple[str, str], FusedPair] = {
    ("sigmoid", "binary_cross_entropy"): FusedPair(sigmoid_binary_cross_entropy, difference),
    ("softmax", "cross_entropy"): FusedPair(softmax_cross_entropy, difference),
    ("identity", "quadratic"): FusedPair(quadratic, difference),
}
