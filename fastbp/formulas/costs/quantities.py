"""Costs of targets that are quantities. Each is a sum over the outputs, and C the mean over the samples.

PyTorch's losses are means over the outputs as well: theirs are these over n_L.
"""

# mypy: disable-error-code="no-any-return"
# (NumPy types its ufuncs and operators as Any.)

import math

import numpy as np

from .. import Array, number
from ..activations.base import named
from .base import Cost, Pair, Row


def quadratic(a: Array, y: Array) -> Array:
    """½ (a - y)²."""
    return 0.5 * np.square(a - y)


def difference(a: Array, y: Array) -> Array:
    """A - y."""
    return a - y


def huber(delta: float = 1.0) -> Cost:
    """½ d² where |d| <= δ, else δ (|d| - δ/2), d = a - y; δ > 0 (Huber 1964)."""
    delta = number("delta", delta, positive=True)

    def function(a: Array, y: Array) -> Array:
        d = np.abs(a - y)
        return np.where(d <= delta, 0.5 * d * d, delta * (d - 0.5 * delta))

    return Row(
        named(huber, delta=delta), function, lambda a, y: np.minimum(np.maximum(a - y, -delta), delta),
        default_output="identity",
    )  # fmt: skip


def log_cosh(a: Array, y: Array) -> Array:
    """Ln cosh(a - y) = |d| + ln(1 + e^(-2|d|)) - ln 2: half a square near 0, |d| far from it."""
    d = np.abs(a - y)
    return d + np.log1p(np.exp(-2 * d)) - math.log(2)


def quantile(q: float = 0.5) -> Cost:
    """Q (y - a) where y > a, else (1 - q) (a - y), best at the q-quantile of y; 0 < q < 1 (Koenker, Bassett 1978)."""
    q = number("q", q, below=1.0, positive=True)
    return Row(
        named(quantile, q=q), lambda a, y: np.maximum(q * (y - a), (1 - q) * (a - y)),
        lambda a, y: np.where(a < y, -q, 1 - q), kinks=(0,), default_output="identity",
    )  # fmt: skip


def _positive(a: Array) -> Array:
    """Return a, kept off 0 by the least the dtype can express."""
    return np.maximum(a, float(np.finfo(a.dtype).tiny))


def poisson(a: Array, y: Array) -> Array:
    """A - y ln a, a > 0: counts y of a Poisson distribution of mean a, without ln y!, which no weight changes."""
    return a - y * np.log(_positive(a))


ROWS = (
    Row("quadratic", quadratic, difference, half_square=True),
    Row(
        "mean_absolute", lambda a, y: np.abs(a - y), lambda a, y: np.sign(a - y), kinks=(0,), default_output="identity"
    ),
    huber(),
    Row("log_cosh", log_cosh, lambda a, y: np.tanh(a - y), default_output="identity"),
    quantile(),
    Row(
        "poisson", poisson, lambda a, y: 1 - y / _positive(a), outputs=("exp",), low=0,
        pairs={"exp": Pair(lambda z, y: np.exp(z) - y * z, difference)},
    ),
)  # fmt: skip
