"""Costs of one sample C_x and ∇ₐC: a row each. C_x is a sum over the outputs, and C the mean over the samples.

Costs that take a logarithm clip a to [finfo(dtype).tiny, 1 - finfo(dtype).epsneg] first, before log and before
division, in the cost and in its derivative alike: both stay finite.

Where output activation and cost belong together (`pairs`), the error simplifies to δ = a - y, and the cost is computed
from z: exact where a itself has already rounded to 0 or 1.
"""

# mypy: disable-error-code="no-any-return"
# (NumPy types its ufuncs and operators as Any.)

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field
from typing import Literal, NamedTuple

import numpy as np

from . import Array, lookup
from .dual import derivative_of
from .proof import check_cost

CostName = Literal["quadratic", "binary_cross_entropy", "cross_entropy"]


class Pair(NamedTuple):
    """What a cost simplifies to behind one output activation."""

    function: Callable[..., Array]  # the term of one output in C_x, from z and y
    delta: Callable[[Array, Array], Array]  # δ, from a and y
    over_rows: bool = False  # the function is also given the largest z of the row and the largest a, (m, 1)


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
    pairs: Mapping[str, Pair] = field(default_factory=dict)  # by output activation

    def __post_init__(self) -> None:
        check_cost(self)

    @property
    def for_probabilities(self) -> bool:
        """Whether outputs and targets are between 0 and 1."""
        return (self.low, self.high) == (0, 1)

    @property
    def nabla(self) -> Callable[[Array, Array], Array]:
        """∇ₐC of a and y, as it is written or derived."""
        return derivative_of(self.function) if self.derivative is None else self.derivative

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


def _clipped(a: Array) -> Array:
    """Return a, kept off 0 and 1 by the least the dtype can express."""
    info = np.finfo(a.dtype)
    return np.clip(a, float(info.tiny), float(1 - info.epsneg))


def quadratic(a: Array, y: Array) -> Array:
    """½ (a - y)²."""
    return 0.5 * np.square(a - y)


def difference(a: Array, y: Array) -> Array:
    """A - y."""
    return a - y


def binary_cross_entropy(a: Array, y: Array) -> Array:
    """-(y ln a + (1 - y) ln(1 - a)), a clipped (see above)."""
    a = _clipped(a)
    return -(y * np.log(a) + (1 - y) * np.log(1 - a))


def binary_cross_entropy_derivative(a: Array, y: Array) -> Array:
    """(a - y) / (a (1 - a)), a clipped (see above)."""
    a = _clipped(a)
    return (a - y) / (a * (1 - a))


def sigmoid_binary_cross_entropy(z: Array, y: Array) -> Array:
    """max(z, 0) - z y + ln(1 + e^-|z|)."""
    return np.where(z <= 0, 0.0, z) - z * y + np.log1p(np.exp(-np.abs(z)))


def cross_entropy(a: Array, y: Array) -> Array:
    """-y ln a, a clipped (see above); y is one of a row of probabilities."""
    return -(y * np.log(_clipped(a)))


def cross_entropy_derivative(a: Array, y: Array) -> Array:
    """-y / a, a clipped (see above)."""
    return -y / _clipped(a)


def softmax_cross_entropy(z: Array, y: Array, top: Array, largest: Array) -> Array:
    """Y (ln Σ_k e^(z_k - top) - (z - top)), where the sum is 1 / largest, since a is e^(z - top) over it."""
    return y * (-np.log(largest) - (z - top))


ROWS = (
    Row("quadratic", quadratic, difference, half_square=True),
    Row(
        "binary_cross_entropy", binary_cross_entropy, binary_cross_entropy_derivative,
        outputs=("sigmoid", "softmax"), low=0, high=1, clips=True,
        pairs={"sigmoid": Pair(sigmoid_binary_cross_entropy, difference)},
    ),
    Row(
        "cross_entropy", cross_entropy, cross_entropy_derivative,
        outputs=("softmax", "sigmoid"), low=0, high=1, clips=True, sums_to_one=True,
        pairs={"softmax": Pair(softmax_cross_entropy, difference, over_rows=True)},
    ),
)  # fmt: skip
COSTS: dict[str, Cost] = {row.name: row for row in ROWS}


def find_cost(name: object, own: Sequence[Cost] = ()) -> Cost:
    """Return the row of this name: of one's own, or of the table."""
    for row in own:
        if row.name == name:
            return row
    if callable(name):
        raise TypeError(f'cost is a mere function; write fastbp.Cost("mine", function), got {name!r}')
    return lookup("cost", COSTS, name)
