"""What an activation function is: σ, σ', and what is known of it."""

# mypy: disable-error-code="no-any-return"
# (NumPy types its ufuncs and operators as Any.)

import inspect
import math
from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass
from typing import Any

import numpy as np

from .. import Array
from ..dual import derivative_of
from ..proof import check_prime


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
    over_rows: bool = False  # an output depends on every z of its row: σ' is a Jacobian, and kernels have it by hand
    scale: float = 1.0  # of z in one that is over rows: 1 / temperature

    def __post_init__(self) -> None:
        check_prime(self)

    @property
    def family(self) -> str:
        """The name without parameters."""
        return self.name.partition("(")[0]

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


def named(make: Callable[..., Any], **parameters: float) -> str:
    """Return the name of a row with parameters; those that are the default are left out."""
    usual = inspect.signature(make).parameters
    told = [f"{name}={value!r}" for name, value in parameters.items() if value != usual[name].default]
    return f"{make.__name__}({', '.join(told)})" if told else make.__name__
