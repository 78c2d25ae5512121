"""Update rules: immutable specifications; their state belongs to the run.

`update` changes one parameter array w in place, given its gradient g of the same shape, the
`num_slots` state arrays of that shape (zeros before the first step) and the step, counted from 1.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np

from . import Array, number


class Optimizer(Protocol):
    """What a run needs to know of an update rule."""

    @property
    def learning_rate(self) -> float:
        """η."""

    @property
    def num_slots(self) -> int:
        """How many state arrays each parameter array has."""

    def update(self, parameter: Array, gradient: Array, state: Sequence[Array], step: int) -> None:
        """Change `parameter` and `state` in place."""


@dataclass(frozen=True)
class SGD:
    """w ← w - η v, v ← μ v + g; with nesterov w ← w - η (g + μ v) for the new v.

    η is `learning_rate`, μ is `momentum`; without momentum w ← w - η g.
    """

    learning_rate: float
    momentum: float = 0.0
    nesterov: bool = False

    def __post_init__(self) -> None:
        _keep_checked(self, "learning_rate", number("learning_rate", self.learning_rate))
        _keep_checked(self, "momentum", number("momentum", self.momentum, below=1.0))
        if not isinstance(self.nesterov, (bool, np.bool_)):
            raise TypeError(f"nesterov must be True or False, got {self.nesterov!r}")
        if self.nesterov and self.momentum == 0:
            raise ValueError("nesterov needs momentum > 0; try momentum=0.9")

    @property
    def num_slots(self) -> int:
        """1 (the velocity v), or 0 without momentum."""
        return int(self.momentum > 0)

    def update(self, parameter: Array, gradient: Array, state: Sequence[Array], step: int) -> None:
        """Step w ← w - η g, or its form with momentum (see the class)."""
        direction = gradient
        if self.momentum > 0:
            (velocity,) = state
            velocity *= self.momentum
            velocity += gradient
            direction = gradient + self.momentum * velocity if self.nesterov else velocity
        parameter -= self.learning_rate * direction


@dataclass(frozen=True)
class Adam:
    """w ← w - η m̂ / (√v̂ + ε), with m̂ = m / (1 - β₁ᵗ), v̂ = v / (1 - β₂ᵗ).

    The moments are m ← β₁ m + (1 - β₁) g and v ← β₂ v + (1 - β₂) g².
    """

    learning_rate: float = 1e-3
    beta1: float = 0.9
    beta2: float = 0.999
    epsilon: float = 1e-8

    def __post_init__(self) -> None:
        _keep_checked(self, "learning_rate", number("learning_rate", self.learning_rate))
        _keep_checked(self, "beta1", number("beta1", self.beta1, below=1.0))
        _keep_checked(self, "beta2", number("beta2", self.beta2, below=1.0))
        _keep_checked(self, "epsilon", number("epsilon", self.epsilon, positive=True))

    @property
    def num_slots(self) -> int:
        """2: the moments m and v."""
        return 2

    def update(self, parameter: Array, gradient: Array, state: Sequence[Array], step: int) -> None:
        """Step w ← w - η m̂ / (√v̂ + ε)."""
        first_moment, second_moment = state
        first_moment *= self.beta1
        first_moment += (1 - self.beta1) * gradient
        second_moment *= self.beta2
        second_moment += (1 - self.beta2) * np.square(gradient)
        m_hat = first_moment / (1 - self.beta1**step)
        v_hat = second_moment / (1 - self.beta2**step)
        parameter -= self.learning_rate * m_hat / (np.sqrt(v_hat) + self.epsilon)


def _keep_checked(optimizer: object, name: str, value: float) -> None:
    object.__setattr__(optimizer, name, value)  # frozen: the one moment it may be set


OptimizerName = Literal["adam"]  # those whose fields all have a default

OPTIMIZERS: dict[str, type[SGD] | type[Adam]] = {"sgd": SGD, "adam": Adam}
