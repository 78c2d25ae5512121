"""Each weight by the size of its own gradients."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from .. import Array
from .base import ANY, POSITIVE, SHARE, Constants, Row, decayed


@dataclass(frozen=True)
class RMSprop(Row):
    """w ← w - η g / (√v + ε), v ← ρ v + (1 - ρ) g² (Tieleman, Hinton 2012); with momentum b ← μ b + g / (√v + ε), w ← w - η b.

    ρ is `rho` (PyTorch's alpha), μ is `momentum`. With `weight_decay` λ, g ← g + λ w first; `centered`: √(v - ḡ²) takes
    the place of √v, ḡ ← ρ ḡ + (1 - ρ) g (Graves 2013).
    """  # noqa: E501

    learning_rate: Any = 1e-2
    rho: float = 0.99
    epsilon: float = 1e-8
    momentum: float = 0.0
    weight_decay: float = 0.0
    centered: bool = False

    def __post_init__(self) -> None:
        self._check(learning_rate=ANY, rho=SHARE, epsilon=POSITIVE, momentum=SHARE, weight_decay=ANY)
        self._check_truth("centered")

    @property
    def slots(self) -> tuple[str, ...]:
        """The mean square v, the velocity b where there is momentum, the mean ḡ where v is centered."""
        slots = {"mean_square": True, "velocity": self.momentum > 0, "mean": self.centered}
        return tuple(name for name, there in slots.items() if there)

    def constants(self, step: Any) -> Constants:
        """What weighs g²."""
        return {"rest": 1 - self.rho}

    def rule(self, c: Any, g: Array, w: Array, *state: Array) -> Any:
        """Step w ← w - η g / (√v + ε)."""
        slots = dict(zip(self.slots, state, strict=True))
        g = decayed(self, c, g, w)
        v = c.rho * slots["mean_square"] + c.rest * (g * g)
        spread, new = v, [v]
        if self.centered:
            mean = c.rho * slots["mean"] + c.rest * g
            spread = np.maximum(v - mean * mean, 0.0)  # not below 0 by rounding
        direction = g / (np.sqrt(spread) + c.epsilon)
        if self.momentum > 0:
            direction = c.momentum * slots["velocity"] + direction
            new.append(direction)
        return (w - c.learning_rate * direction, *new, *([mean] if self.centered else []))


@dataclass(frozen=True)
class Adagrad(Row):
    """w ← w - η g / (√v + ε), v ← v + g² (Duchi, Hazan, Singer 2011); η / (1 + (t - 1) `rate_decay`) in step t.

    v begins as `start` (PyTorch's initial_accumulator_value). With `weight_decay` λ, g ← g + λ w first.
    """

    learning_rate: Any = 1e-2
    rate_decay: float = 0.0
    weight_decay: float = 0.0
    start: float = 0.0
    epsilon: float = 1e-10

    def __post_init__(self) -> None:
        self._check(learning_rate=ANY, rate_decay=ANY, weight_decay=ANY, start=ANY, epsilon=POSITIVE)

    @property
    def slots(self) -> tuple[str, ...]:
        """The sum of squares v."""
        return ("sum_of_squares",)

    def constants(self, step: Any) -> Constants:
        """What is left of the rate, and what v begins with, in the first step; where they are asked for."""
        found: dict[str, Any] = {}
        if self.rate_decay:
            found["left"] = 1 / (1 + (step - 1) * self.rate_decay)
        if self.start:
            found["begin"] = (np.asarray(step) == 1) * self.start
        return found

    def rule(self, c: Any, g: Array, w: Array, *state: Array) -> Any:
        """Step w ← w - η g / (√v + ε)."""
        g = decayed(self, c, g, w)
        v = (state[0] + c.begin if self.start else state[0]) + g * g
        rate = c.learning_rate * c.left if self.rate_decay else c.learning_rate
        return w - rate * (g / (np.sqrt(v) + c.epsilon)), v


@dataclass(frozen=True)
class Adadelta(Row):
    """w ← w - η d, d = √(u + ε) / √(v + ε) · g, v ← ρ v + (1 - ρ) g², u ← ρ u + (1 - ρ) d² (Zeiler 2012).

    With `weight_decay` λ, g ← g + λ w first.
    """

    learning_rate: Any = 1.0
    rho: float = 0.9
    epsilon: float = 1e-6
    weight_decay: float = 0.0

    def __post_init__(self) -> None:
        self._check(learning_rate=ANY, rho=SHARE, epsilon=POSITIVE, weight_decay=ANY)

    @property
    def slots(self) -> tuple[str, ...]:
        """The mean squares v, of gradients, and u, of steps."""
        return ("mean_square", "mean_square_step")

    def constants(self, step: Any) -> Constants:
        """What weighs the newest squares."""
        return {"rest": 1 - self.rho}

    def rule(self, c: Any, g: Array, w: Array, *state: Array) -> Any:
        """Step by g in units of the weights."""
        g = decayed(self, c, g, w)
        v = c.rho * state[0] + c.rest * (g * g)
        d = np.sqrt(state[1] + c.epsilon) / np.sqrt(v + c.epsilon) * g
        return w - c.learning_rate * d, v, c.rho * state[1] + c.rest * (d * d)
