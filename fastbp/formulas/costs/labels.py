"""Costs of targets that are labels or probabilities.

Those that take a logarithm clip a to [finfo(dtype).tiny, 1 - finfo(dtype).epsneg] first, before log and before
division, in the cost and in its derivative alike: both stay finite.

Where output activation and cost belong together (`pairs`), the error simplifies, to δ = a - y where nothing else is
said, and the cost is computed from z: exact where a itself has already rounded to 0 or 1.
"""

# mypy: disable-error-code="no-any-return"
# (NumPy types its ufuncs and operators as Any.)

import numpy as np

from .. import Array, number
from ..activations.base import named
from .base import Cost, Pair, Row
from .quantities import difference


def _clipped(a: Array) -> Array:
    """Return a, kept off 0 and 1 by the least the dtype can express."""
    info = np.finfo(a.dtype)
    return np.clip(a, float(info.tiny), float(1 - info.epsneg))


def _softplus(z: Array) -> Array:
    """Ln(1 + e^z)."""
    return np.where(z <= 0, 0.0, z) + np.log1p(np.exp(-np.abs(z)))


def _binary_cross_entropy(a: Array, y: Array) -> Array:
    """-(y ln a + (1 - y) ln(1 - a)), a clipped (see above)."""
    a = _clipped(a)
    return -(y * np.log(a) + (1 - y) * np.log(1 - a))


def _binary_cross_entropy_derivative(a: Array, y: Array) -> Array:
    """(a - y) / (a (1 - a)), a clipped (see above)."""
    a = _clipped(a)
    return (a - y) / (a * (1 - a))


def _sigmoid_binary_cross_entropy(z: Array, y: Array) -> Array:
    """max(z, 0) - z y + ln(1 + e^-|z|)."""
    return np.where(z <= 0, 0.0, z) - z * y + np.log1p(np.exp(-np.abs(z)))


def binary_cross_entropy(label_smoothing: float = 0.0) -> Cost:
    """-(y ln a + (1 - y) ln(1 - a)), where y, smoothed by ε, is (1 - ε) y + ε/2; 0 <= ε < 1 (Szegedy et al. 2016)."""
    label_smoothing = number("label_smoothing", label_smoothing, below=1.0)
    return Row(
        named(binary_cross_entropy, label_smoothing=label_smoothing),
        _binary_cross_entropy, _binary_cross_entropy_derivative,
        outputs=("sigmoid", "softmax"), low=0, high=1, clips=True, label_smoothing=label_smoothing,
        pairs={"sigmoid": Pair(_sigmoid_binary_cross_entropy, difference)},
    )  # fmt: skip


def _cross_entropy(a: Array, y: Array) -> Array:
    """-y ln a, a clipped (see above); y is one of a row of probabilities."""
    return -(y * np.log(_clipped(a)))


def _softmax_cross_entropy(z: Array, y: Array, top: Array, largest: Array) -> Array:
    """Y (ln Σ_k e^(z_k - top) - (z - top)), where the sum is 1 / largest, since a is e^(z - top) over it."""
    return y * (-np.log(largest) - (z - top))


def cross_entropy(label_smoothing: float = 0.0) -> Cost:
    """-y ln a, where y, smoothed by ε, is (1 - ε) y + ε/n over n outputs; 0 <= ε < 1 (Szegedy et al. 2016)."""
    label_smoothing = number("label_smoothing", label_smoothing, below=1.0)
    return Row(
        named(cross_entropy, label_smoothing=label_smoothing), _cross_entropy, lambda a, y: -y / _clipped(a),
        outputs=("softmax", "sigmoid"), low=0, high=1, clips=True, sums_to_one=True,
        label_smoothing=label_smoothing, pairs={"softmax": Pair(_softmax_cross_entropy, difference, over_rows=True)},
    )  # fmt: skip


def focal(gamma: float = 2.0) -> Cost:
    """-y (1 - a)^γ ln a: the cross-entropy, in which samples that are nearly right count little; γ >= 0 (Lin 2017)."""
    gamma = number("gamma", gamma)

    def function(a: Array, y: Array) -> Array:
        a = _clipped(a)
        return -(y * np.exp(gamma * np.log(1 - a)) * np.log(a))

    def derivative(a: Array, y: Array) -> Array:
        a = _clipped(a)
        return y * np.exp(gamma * np.log(1 - a)) * (gamma * np.log(a) / (1 - a) - 1 / a)

    return Row(
        named(focal, gamma=gamma), function, derivative, outputs=("softmax",), low=0, high=1, clips=True,
        sums_to_one=True,
    )  # fmt: skip


def binary_focal(gamma: float = 2.0) -> Cost:
    """-(y (1 - a)^γ ln a + (1 - y) a^γ ln(1 - a)); γ >= 0 (Lin et al. 2017)."""
    gamma = number("gamma", gamma)

    def function(a: Array, y: Array) -> Array:
        a = _clipped(a)
        yes, no = np.log(a), np.log(1 - a)
        return -(y * np.exp(gamma * no) * yes + (1 - y) * np.exp(gamma * yes) * no)

    def derivative(a: Array, y: Array) -> Array:
        a = _clipped(a)
        yes, no = np.log(a), np.log(1 - a)
        up = np.exp(gamma * no) * (gamma * yes / (1 - a) - 1 / a)
        return y * up + (1 - y) * np.exp(gamma * yes) * (1 / (1 - a) - gamma * no / a)

    def of_z(z: Array, y: Array) -> Array:
        yes, no = -_softplus(-z), -_softplus(z)
        return -(y * np.exp(gamma * no) * yes + (1 - y) * np.exp(gamma * yes) * no)

    def delta(a: Array, y: Array) -> Array:
        a = _clipped(a)
        yes, no = np.log(a), np.log(1 - a)
        up = np.exp(gamma * no) * (gamma * a * yes + a - 1)
        return y * up + (1 - y) * np.exp(gamma * yes) * (a - gamma * (1 - a) * no)

    return Row(
        named(binary_focal, gamma=gamma), function, derivative, outputs=("sigmoid",), low=0, high=1, clips=True,
        pairs={"sigmoid": Pair(of_z, delta)},
    )  # fmt: skip


def hinge(a: Array, y: Array) -> Array:
    """max(0, 1 - t a), where t = 2 y - 1 is 1 for the label's output and -1 for others (Cortes, Vapnik 1995)."""
    return np.maximum(0.0, 1 - (2 * y - 1) * a)


def _hinge_derivative(a: Array, y: Array) -> Array:
    """-t where t a < 1, else 0."""
    t = 2 * y - 1
    return np.where(t * a < 1, -t, 0.0)


ROWS = (
    binary_cross_entropy(),
    cross_entropy(),
    focal(),
    binary_focal(),
    Row("hinge", hinge, _hinge_derivative, outputs=("identity", "tanh"), low=0, high=1, kinks=(0, -1), threshold=0.0),
)
