"""Penalties on the weights (never on the biases), and the gradient they add.

Conversions of l2: the book's λ = l2 · n (n training samples), scikit-learn's
alpha = l2 · batch size, PyTorch's weight_decay = l2.
"""

# mypy: disable-error-code="no-any-return"
# (NumPy types its ufuncs and operators as Any.)

from collections.abc import Sequence

import numpy as np

from . import Array


def penalty(weights: Sequence[Array], l1: float, l2: float) -> float:
    """l1 Σ|w| + l2/2 Σ w², over all weights, summed in float64."""
    total = 0.0
    with np.errstate(over="ignore"):
        for w in weights:
            total += l1 * float(np.sum(np.abs(w), dtype=np.float64)) if l1 else 0.0
            total += l2 / 2 * float(np.sum(np.square(w, dtype=np.float64))) if l2 else 0.0
    return total


def penalty_gradient(w: Array, l1: float, l2: float) -> Array:
    """l2 w + l1 sign(w), with sign(0) = 0."""
    return l2 * w + l1 * np.sign(w)
