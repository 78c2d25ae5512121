"""What a cost is: the term of one output in C_x, and its derivative."""

# mypy: disable-error-code="no-any-return"
# (NumPy types its ufuncs and operators as Any.)

import math
from collections.abc import Callable, Mapping
from dataclasses import KW_ONLY, dataclass, field
from typing import Any, NamedTuple

import numpy as np

from .. import Array
from ..activations.base import Activation
from ..dual import derivative_of
from ..proof import check_cost


class Pair(NamedTuple):
    """What a cost simplifies to behind one output activation."""

    function: Callable[..., Array] | None  # the term of one output in C_x, from z and y; None: the cost's own, of a
    delta: Callable[[Array, Array], Array]  # δ, from a and y
    over_rows: bool = False  # the function is also given the largest z of the row and the largest a, (m, 1)

    def scaled(self, scale: float) -> "Pair":
        """Of σ(scale · z)."""
        if scale == 1:
            return self
        plain = self.function

        def function(z: Array, y: Array, *of_row: Array) -> Array:
            assert plain
            top = (of_row[0] * scale, *of_row[1:]) if of_row else ()
            return plain(z * scale, y, *top)

        return self._replace(function=plain and function, delta=lambda a, y: scale * self.delta(a, y))


@dataclass(frozen=True, eq=False)
class Cost:
    """C_x = Σ_j f(a_j, y_j): ``fastbp.Cost("fourth", lambda a, y: (a - y) ** 4)``.

    Parameters
    ----------
    name
        how files and reports call it
    function
        the term of one output, from activations a and targets y (m, n), written with NumPy's functions for whole arrays
    derivative
        ∂f/∂a of a and y. None: derived from the function
    outputs
        names of the output activations that it takes, the default first. Empty: any
    low, high
        the targets that it takes
    kinks
        the a - y where the derivative jumps: the checkers pass over them

    Raises
    ------
    TypeError
        where the function takes what kernels cannot be made of
    ValueError
        where derivative is not the derivative

    """

    name: str
    function: Callable[[Array, Array], Array]
    derivative: Callable[[Array, Array], Array] | None = None
    _: KW_ONLY
    outputs: tuple[str, ...] = ()
    low: float = -math.inf
    high: float = math.inf
    kinks: tuple[float, ...] = ()
    clips: bool = False  # a, before a logarithm
    half_square: bool = False  # C_x is ½ |a - y|²: it has a root mean square error
    sums_to_one: bool = False  # each row of targets
    pairs: Mapping[str, Pair] = field(default_factory=dict)  # by the family of the output activation
    default_output: str | None = None  # where it takes any, and another than what suits the quadratic cost is better
    threshold: float | None = None  # a single output above it says yes, though it is no probability
    label_smoothing: float = 0.0

    def __post_init__(self) -> None:
        check_cost(self)

    @property
    def for_probabilities(self) -> bool:
        """Whether targets are between 0 and 1, so that they may be labels."""
        return (self.low, self.high) == (0, 1)

    @property
    def nabla(self) -> Callable[[Array, Array], Array]:
        """∇ₐC of a and y, as it is written or derived."""
        return derivative_of(self.function) if self.derivative is None else self.derivative

    def pair(self, activation: Activation) -> Pair | None:
        """Return what the cost simplifies to behind an output activation; None where it does not."""
        found = self.pairs.get(activation.family)
        return found and found.scaled(activation.scale)

    def smooth(self, y: Any, n: Any) -> Any:
        """Return (1 - ε) y + ε / n, ε being `label_smoothing`: y is (m, n); of several labels at once + ε / 2."""
        if not self.label_smoothing:
            return y
        return y * (1 - self.label_smoothing) + self.label_smoothing / (n if self.sums_to_one else 2.0)

    def terms(self, a: Array, y: Array) -> Array:
        """The terms (m, n) of C_x."""
        return np.broadcast_to(np.asarray(self.function(a, y), a.dtype), a.shape)

    def slope(self, a: Array, y: Array) -> Array:
        """∇ₐC (m, n)."""
        return np.broadcast_to(np.asarray(self.nabla(a, y), a.dtype), a.shape)


class Row(Cost):
    """A cost of this package: tests check it, not every import."""

    def __post_init__(self) -> None:
        """Trust it."""
