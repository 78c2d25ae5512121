"""The activations of this package, written in NumPy's syntax; those with parameters are made by functions."""

# mypy: disable-error-code="no-any-return"
# (NumPy types its ufuncs and operators as Any.)

import math
from typing import Any

import numpy as np

from .. import Array, number
from ..special import erf as gauss_erf
from .base import Activation, Row, named

SELU_SCALE, SELU_ALPHA = 1.0507009873554805, 1.6732632423543772  # Klambauer et al. 2017: mean 0 and variance 1 stay


def sigmoid(z: Array) -> Array:
    """σ(z) = 1 / (1 + e⁻ᶻ)."""
    # e^-|z| cannot overflow, and keeps the small values of σ at negative z exact.
    e = np.exp(-np.abs(z))
    return np.where(z < 0, e, np.ones_like(e)) / (1 + e)


def softplus(z: Array) -> Array:
    """σ(z) = ln(1 + e^z)."""
    return np.maximum(z, 0) + np.log1p(np.exp(-np.abs(z)))


def softmax(temperature: float = 1.0) -> Activation:
    """a_j = e^(z_j / T) / Σ_k e^(z_k / T), over each row; ∂a_j/∂z_k = a_j (δ_jk - a_k) / T; T > 0 (Hinton 2015)."""
    temperature = number("temperature", temperature, positive=True)
    scale = 1 / temperature

    def function(z: Array) -> Array:
        e = np.exp((z - z.max(axis=1, keepdims=True)) * scale)
        return e / e.sum(axis=1, keepdims=True)

    return Row(named(softmax, temperature=temperature), function, low=0, high=1, over_rows=True, scale=scale)


def relu(z: Array) -> Array:
    """σ(z) = max(0, z)."""
    # np.maximum(0, z) would be as good: both keep NaN.
    return np.where(z <= 0, np.zeros_like(z), z)


def leaky_relu(slope: float = 0.01) -> Activation:
    """σ(z) = z where z > 0, else slope · z; slope >= 0 (Maas, Hannun, Ng 2013)."""
    slope = number("slope", slope)
    return Row(
        named(leaky_relu, slope=slope),
        lambda z: np.where(z <= 0, slope * z, z),
        lambda z, a: np.where(a <= 0, slope, 1.0),
        low=-math.inf if slope else 0,
        kinks=(0,),
    )


def elu(alpha: float = 1.0) -> Activation:
    """σ(z) = z where z > 0, else α (e^z - 1); α > 0 (Clevert, Unterthiner, Hochreiter 2015)."""
    alpha = number("alpha", alpha, positive=True)
    return Row(
        named(elu, alpha=alpha),
        lambda z: np.where(z <= 0, alpha * np.expm1(np.minimum(z, 0)), z),
        lambda z, a: np.where(a <= 0, a + alpha, 1.0),
        low=-alpha,
        kinks=(0,),
    )


def _gelu_prime(z: Array, a: Array) -> Array:
    """½ (1 + erf(z/√2)) + z e^(-z²/2) / √(2π)."""
    return 0.5 + 0.5 * gauss_erf(z / math.sqrt(2)) + z * np.exp(-0.5 * z * z) / math.sqrt(2 * math.pi)


def _silu_prime(z: Array, a: Array) -> Array:
    """S + a (1 - s), with s = 1 / (1 + e⁻ᶻ)."""
    s = sigmoid(z)
    return s + a * (1 - s)


def _mish_prime(z: Array, a: Array) -> Array:
    """T + z (1 - t²) / (1 + e⁻ᶻ), with t = tanh ln(1 + e^z)."""
    t = np.tanh(softplus(z))
    return t + z * (1 - t * t) * sigmoid(z)


def _selu_prime(z: Array, a: Array) -> Any:
    """λ where z > 0, else a + λα."""
    return np.where(a <= 0, a + SELU_SCALE * SELU_ALPHA, SELU_SCALE)


def softsign(z: Array) -> Array:
    """σ(z) = z / (1 + |z|)."""
    return z / (1 + np.abs(z))


def log_sigmoid(z: Array) -> Array:
    """σ(z) = ln(1 / (1 + e⁻ᶻ))."""
    return np.minimum(z, 0) - np.log1p(np.exp(-np.abs(z)))


ROWS = (
    Row(
        "sigmoid", sigmoid, lambda z, a: a * (1 - a), initializer="scaled_normal", low=0, high=1,
        fast=lambda z: 1 / (1 + np.exp(-z)),
    ),
    Row("tanh", np.tanh, lambda z, a: 1 - a * a, low=-1, high=1),
    # For relu he_normal was worse than glorot_uniform at every depth from 1 to 10 hidden layers that was tried, see
    # benchmarks/README.md.
    Row("relu", relu, lambda z, a: np.where(a <= 0, 0.0, 1.0), low=0, kinks=(0,)),
    Row("identity", lambda z: z, lambda z, a: np.ones_like(z)),
    leaky_relu(),
    elu(),
    # Hendrycks, Gimpel 2016: z times the share of N(0, 1) below z, and its usual approximation
    Row("gelu", lambda z: 0.5 * z * (1 + gauss_erf(z / math.sqrt(2))), _gelu_prime, low=-0.17),
    Row(
        "gelu_tanh", lambda z: 0.5 * z * (1 + np.tanh(math.sqrt(2 / math.pi) * (z + 0.044715 * z * z * z))),
        low=-0.17005,
    ),
    Row("silu", lambda z: z * sigmoid(z), _silu_prime, low=-0.2785),  # Elfwing, Uchibe, Doya 2017; also called swish
    Row("softplus", softplus, lambda z, a: -np.expm1(-a), low=0),
    Row("mish", lambda z: z * np.tanh(softplus(z)), _mish_prime, low=-0.30885),  # Misra 2019
    Row(
        "selu", lambda z: np.where(z <= 0, SELU_SCALE * SELU_ALPHA * np.expm1(np.minimum(z, 0)), SELU_SCALE * z),
        _selu_prime, initializer="lecun_normal", low=-SELU_SCALE * SELU_ALPHA, kinks=(0,),
    ),
    Row(
        "hard_sigmoid", lambda z: np.minimum(np.maximum(z / 6 + 0.5, 0), 1),
        lambda z, a: np.where(a <= 0, 0.0, np.where(a >= 1, 0.0, 1 / 6)), low=0, high=1, kinks=(-3, 3),
    ),
    Row(
        "hard_tanh", lambda z: np.minimum(np.maximum(z, -1), 1),
        lambda z, a: np.where(a <= -1, 0.0, np.where(a >= 1, 0.0, 1.0)), low=-1, high=1, kinks=(-1, 1),
    ),
    # Not σ' but σ'' jumps at 0, which differences feel as well.
    Row("softsign", softsign, lambda z, a: np.square(1 - np.abs(a)), low=-1, high=1, kinks=(0,)),
    Row("log_sigmoid", log_sigmoid, lambda z, a: -np.expm1(a), high=0),
    Row("exp", np.exp, lambda z, a: a, low=0),
    softmax(),
)  # fmt: skip
