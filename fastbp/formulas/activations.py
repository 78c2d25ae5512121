"""Activation functions a = σ(z) and their derivatives σ'(z): a row each, and the row is all there is to one.

A row is written in NumPy's syntax. Called with arrays it is what the reference computes; kernels are made from it by
`expression.trace`. `prime` gets z and a, because most derivatives are cheapest from a: where it does not use z, no z
is kept. NaN in z stays NaN in a: a diverging network must show.
"""

# mypy: disable-error-code="no-any-return"
# (NumPy types its ufuncs and operators as Any.)

import inspect
import math
from collections.abc import Callable, Sequence
from dataclasses import KW_ONLY, dataclass
from typing import Any, Literal

import numpy as np

from . import Array, lookup, number
from .dual import derivative_of
from .proof import check_prime
from .special import erf as gauss_erf

# The names in the table; a type checker finds a misspelt one.
HiddenName = Literal[
    "sigmoid", "tanh", "relu", "identity", "leaky_relu", "elu", "gelu", "gelu_tanh", "silu", "softplus", "mish"
]
OutputName = Literal[HiddenName, "softmax"]


@dataclass(frozen=True, eq=False)
class Activation:
    """a = σ(z), for every entry of z: ``fastbp.Activation("steady", lambda z: np.tanh(z) + z / 2)``.

    Parameters
    ----------
    name
        how files and reports call it
    function
        σ of z (m, n), written with NumPy's functions for whole arrays
    prime
        σ' of z and a = σ(z). None: derived from the function
    initializer
        of the weights in front of it, where a network names none
    low, high
        what a comes near, or reaches: targets beyond are refused
    kinks
        the z where σ' jumps: the checkers pass over them

    Raises
    ------
    TypeError
        where the function takes what kernels cannot be made of
    ValueError
        where prime is not the derivative

    """

    name: str
    function: Callable[[Array], Array]
    prime: Callable[[Array, Array], Array] | None = None
    _: KW_ONLY
    initializer: str = "glorot_uniform"
    low: float = -math.inf
    high: float = math.inf
    kinks: tuple[float, ...] = ()
    fast: Callable[[Array], Array] | None = None  # the function in a form that kernels compute faster
    over_rows: bool = False  # an output depends on every z of its row: σ' is a Jacobian, and kernels have it by name

    def __post_init__(self) -> None:
        check_prime(self)

    @property
    def is_probability(self) -> bool:
        """Whether a is between 0 and 1, and so may stand for a label."""
        return (self.low, self.high) == (0, 1)

    def value(self, z: Array) -> Array:
        """σ(z), in the dtype and shape of z."""
        return _like(z, self.function(z))

    def slope(self, z: Array, a: Array) -> Array:
        """σ'(z), in the dtype and shape of z; a is σ(z)."""
        return _like(z, self.derivative(z, a))

    @property
    def derivative(self) -> Callable[[Array, Array], Array]:
        """σ' of z and a, as it is written or derived."""
        if self.prime is not None:
            return self.prime
        derived = derivative_of(self.function)
        return lambda z, a: derived(z)


class Row(Activation):
    """An activation of this package: tests check it, not every import."""

    def __post_init__(self) -> None:
        """Trust it."""


def _like(z: Array, found: Any) -> Array:
    found = np.asarray(found, z.dtype)
    return found if found.shape == z.shape else np.broadcast_to(found, z.shape)


def named(make: Callable[..., Activation], **parameters: float) -> str:
    """Return the name of a row with parameters; those that are the default are left out."""
    usual = inspect.signature(make).parameters
    told = [f"{name}={value!r}" for name, value in parameters.items() if value != usual[name].default]
    return f"{make.__name__}({', '.join(told)})" if told else make.__name__


def sigmoid(z: Array) -> Array:
    """σ(z) = 1 / (1 + e⁻ᶻ)."""
    # e^-|z| cannot overflow, and keeps the small values of σ at negative z exact.
    e = np.exp(-np.abs(z))
    return np.where(z < 0, e, np.ones_like(e)) / (1 + e)


def softplus(z: Array) -> Array:
    """σ(z) = ln(1 + e^z)."""
    return np.maximum(z, 0) + np.log1p(np.exp(-np.abs(z)))


def softmax(z: Array) -> Array:
    """a_j = e^(z_j) / Σ_k e^(z_k), over each row; ∂a_j/∂z_k = a_j (δ_jk - a_k)."""
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


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
    Row("softmax", softmax, low=0, high=1, over_rows=True),
)  # fmt: skip
ACTIVATIONS: dict[str, Activation] = {row.name: row for row in ROWS}
# Those with parameters, which are part of the row's name: leaky_relu(slope=0.2)
FACTORIES: dict[str, Callable[..., Activation]] = {make.__name__: make for make in (leaky_relu, elu)}


def find_activation(name: object, own: Sequence[Activation] = ()) -> Activation:
    """Return the row of this name: of one's own, of the table, or of the table with parameters in brackets."""
    for row in own:
        if row.name == name:
            return row
    head, bracket, rest = name.partition("(") if isinstance(name, str) else ("", "", "")
    if bracket and head in FACTORIES:
        return _with_parameters(head, rest)
    if callable(name):
        raise TypeError(f'activation is a mere function; write fastbp.Activation("mine", function), got {name!r}')
    return lookup("activation", ACTIVATIONS, name)


def _with_parameters(head: str, rest: str) -> Activation:
    """Read leaky_relu(slope=0.2)."""
    make = FACTORIES[head]
    pairs = [part.split("=") for part in rest.removesuffix(")").split(",")]
    known = list(inspect.signature(make).parameters)
    try:
        values = {name.strip(): float(value) for name, value in pairs}
    except ValueError:
        values = {"": 0.0}
    if not rest.endswith(")") or not values.keys() <= set(known):
        raise ValueError(f"cannot read activation {head}({rest}; write {head}({', '.join(f'{n}=0.1' for n in known)})")
    return make(**values)
