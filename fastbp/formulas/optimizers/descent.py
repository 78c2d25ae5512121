"""Along the gradient, or by its sign alone."""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from .. import Array
from .base import ANY, POSITIVE, SHARE, Constants, Row, decayed


@dataclass(frozen=True)
class SGD(Row):
    """w ← w - η v, v ← μ v + g; with nesterov w ← w - η (g + μ v) for the new v.

    η is `learning_rate`, μ is `momentum`; without momentum w ← w - η g. With `weight_decay` λ, g ← g + λ w first.
    """

    learning_rate: Any
    momentum: float = 0.0
    nesterov: bool = False
    weight_decay: float = 0.0

    def __post_init__(self) -> None:
        self._check(learning_rate=ANY, momentum=SHARE, weight_decay=ANY)
        self._check_truth("nesterov")
        if self.nesterov and self.momentum == 0:
            raise ValueError("nesterov needs momentum > 0; try momentum=0.9")

    @property
    def slots(self) -> tuple[str, ...]:
        """The velocity v, where there is momentum."""
        return ("velocity",) if self.momentum > 0 else ()

    def rule(self, c: Any, g: Array, w: Array, *state: Array) -> Any:
        """Step w ← w - η g, or its form with momentum (see the class)."""
        g = decayed(self, c, g, w)
        if not state:
            return w - c.learning_rate * g
        v = c.momentum * state[0] + g
        return w - c.learning_rate * (g + c.momentum * v if self.nesterov else v), v


@dataclass(frozen=True)
class Lion(Row):
    """w ← w - η (sign(β₁ m + (1 - β₁) g) + λ w), m ← β₂ m + (1 - β₂) g (Chen et al. 2023).

    Every step is η long in each weight, so rates are 3 to 10 times smaller than Adam's. λ is `weight_decay`.
    """

    learning_rate: Any = 1e-4
    beta1: float = 0.9
    beta2: float = 0.99
    weight_decay: float = 0.0

    def __post_init__(self) -> None:
        self._check(learning_rate=ANY, beta1=SHARE, beta2=SHARE, weight_decay=ANY)

    @property
    def slots(self) -> tuple[str, ...]:
        """The moment m."""
        return ("first_moment",)

    def constants(self, step: Any) -> Constants:
        """What weighs g."""
        return {"rest1": 1 - self.beta1, "rest2": 1 - self.beta2}

    def rule(self, c: Any, g: Array, w: Array, *state: Array) -> Any:
        """Step by the sign of the moment that is to come."""
        (m,) = state
        direction = np.sign(c.beta1 * m + c.rest1 * g)
        if self.weight_decay:
            direction = direction + c.weight_decay * w
        return w - c.learning_rate * direction, c.beta2 * m + c.rest2 * g


@dataclass(frozen=True)
class Rprop(Row):
    """w ← w - sign(g) s, each weight with a step s of its own, for full batches (Riedmiller, Braun 1993).

    Where g has the sign it had, s ← s η⁺; where it has the other, s ← s η⁻, and the weight waits a step. s begins as
    `learning_rate` and stays between `smallest` and `largest`. Signs of small batches are noise, which shrinks every
    step: fit(..., batch_size=len(x)).
    """

    for_full_batches: ClassVar[bool] = True

    learning_rate: Any = 1e-2
    shrink: float = 0.5
    grow: float = 1.2
    smallest: float = 1e-6
    largest: float = 50.0

    def __post_init__(self) -> None:
        self._check(learning_rate=ANY, shrink=SHARE, grow={"low": 1.0}, smallest=POSITIVE, largest=POSITIVE)
        if callable(self.learning_rate):
            raise TypeError("Rprop's learning_rate is the size of the first step only: give a number, not a schedule")
        if not self.smallest <= self.largest:
            raise ValueError(f"smallest is {self.smallest:g}, and largest {self.largest:g}; it must not be below it")

    @property
    def slots(self) -> tuple[str, ...]:
        """The gradient before, and the steps s."""
        return ("gradient", "step_size")

    def constants(self, step: Any) -> Constants:
        """1 in the first step."""
        return {"first": (np.asarray(step) == 1) * 1.0}

    def rule(self, c: Any, g: Array, w: Array, *state: Array) -> Any:
        """Step by the sign of g."""
        before, s = state
        s = s + c.first * c.learning_rate
        agree = g * before
        factor = np.where(agree < 0, c.shrink, np.where(agree > 0, c.grow, 1.0))
        s = np.minimum(np.maximum(s * factor, c.smallest), c.largest)
        g = np.where(agree < 0, 0.0, g)
        return w - np.sign(g) * s, g, s
