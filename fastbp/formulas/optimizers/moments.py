"""Adam and its kin: a mean of the gradients over the root of a mean of their squares."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from .. import Array
from .base import ANY, POSITIVE, SHARE, Constants, Row, decayed


@dataclass(frozen=True)
class Adam(Row):
    """w ← w - η m̂ / (√v̂ + ε), with m̂ = m / (1 - β₁ᵗ), v̂ = v / (1 - β₂ᵗ) (Kingma, Ba 2014).

    The moments are m ← β₁ m + (1 - β₁) g and v ← β₂ v + (1 - β₂) g². With `weight_decay` λ, g ← g + λ w first; with
    `amsgrad` the largest v so far takes the place of v (Reddi, Kale, Kumar 2018).
    """

    learning_rate: Any = 1e-3
    beta1: float = 0.9
    beta2: float = 0.999
    epsilon: float = 1e-8
    weight_decay: float = 0.0
    amsgrad: bool = False

    def __post_init__(self) -> None:
        self._check(learning_rate=ANY, beta1=SHARE, beta2=SHARE, epsilon=POSITIVE, weight_decay=ANY)
        self._check_truth("amsgrad")

    @property
    def slots(self) -> tuple[str, ...]:
        """The moments m and v, and the largest v where it is asked for."""
        return ("first_moment", "second_moment", "largest")[: 3 if self.amsgrad else 2]

    def constants(self, step: Any) -> Constants:
        """What weighs g, and takes the bias out of the moments."""
        return {
            "rest1": 1 - self.beta1,
            "rest2": 1 - self.beta2,
            "unbias1": 1 / (1 - self.beta1**step),
            "unbias2": 1 / np.sqrt(1 - self.beta2**step),
        }

    def rule(self, c: Any, g: Array, w: Array, *state: Array) -> Any:
        """Step w ← w - η m̂ / (√v̂ + ε)."""
        return self._step(c, decayed(self, c, g, w), w, *state)

    def _step(self, c: Any, g: Array, w: Array, *state: Array) -> Any:
        m = c.beta1 * state[0] + c.rest1 * g
        v = c.beta2 * state[1] + c.rest2 * (g * g)
        largest = np.maximum(state[2], v) if self.amsgrad else v
        new = w - c.learning_rate * c.unbias1 * (m / (c.unbias2 * np.sqrt(largest) + c.epsilon))
        return (new, m, v, largest) if self.amsgrad else (new, m, v)


@dataclass(frozen=True)
class AdamW(Adam):
    """Adam, with w ← w - η λ w besides: weight decay apart from the gradient (Loshchilov, Hutter 2017).

    λ is `weight_decay`; as in PyTorch it counts for biases too. `l2` of a network is the other kind, part of C.
    """

    weight_decay: float = 0.01

    def rule(self, c: Any, g: Array, w: Array, *state: Array) -> Any:
        """Step w ← (1 - η λ) w - η m̂ / (√v̂ + ε)."""
        return self._step(c, g, w - c.learning_rate * c.weight_decay * w, *state)


FIRST_PRODUCTS = 1024  # steps


@lru_cache(16)
def _products(beta1: float, decay: float, count: int) -> Array:
    """Π μ_i over i = 1 .. t, for t = 1 .. count, with μ_t = β₁ (1 - ½ 0.96^(t ψ)): multiplied in order."""
    return np.cumprod(beta1 * (1 - 0.5 * 0.96 ** (np.arange(1, count + 1) * decay)))


@dataclass(frozen=True)
class Nadam(Row):
    """Adam with Nesterov's momentum: w ← w - η (μ_(t+1) m / (1 - Π_(t+1)) + (1 - μ_t) g / (1 - Π_t)) / (√v̂ + ε) (Dozat 2016).

    μ_t = β₁ (1 - ½ 0.96^(t ψ)) with ψ the `momentum_decay`, Π_t the product of all μ so far; m, v as Adam's. With
    `weight_decay` λ, g ← g + λ w first, or, `decoupled`, w ← w - η λ w besides.
    """  # noqa: E501

    learning_rate: Any = 2e-3
    beta1: float = 0.9
    beta2: float = 0.999
    epsilon: float = 1e-8
    weight_decay: float = 0.0
    momentum_decay: float = 4e-3
    decoupled: bool = False

    def __post_init__(self) -> None:
        self._check(learning_rate=ANY, beta1=SHARE, beta2=SHARE, epsilon=POSITIVE, weight_decay=ANY, momentum_decay=ANY)
        self._check_truth("decoupled")

    @property
    def slots(self) -> tuple[str, ...]:
        """The moments m and v."""
        return ("first_moment", "second_moment")

    def constants(self, step: Any) -> Constants:
        """What weighs g and m, and takes the bias out."""
        steps = np.asarray(step)
        last, count = int(steps.max(initial=1)) + 1, FIRST_PRODUCTS
        while count < last:  # tables grow by doubling: the same numbers, however the steps are cut into calls
            count *= 2
        products = _products(self.beta1, self.momentum_decay, count)
        now = self.beta1 * (1 - 0.5 * 0.96 ** (steps * self.momentum_decay))
        following = self.beta1 * (1 - 0.5 * 0.96 ** ((steps + 1) * self.momentum_decay))
        return {
            "rest1": 1 - self.beta1,
            "rest2": 1 - self.beta2,
            "unbias2": 1 / np.sqrt(1 - self.beta2**step),
            "of_g": (1 - now) / (1 - products[steps - 1]),
            "of_m": following / (1 - products[steps - 1] * following),
        }

    def rule(self, c: Any, g: Array, w: Array, *state: Array) -> Any:
        """Step by m as it will be, and g."""
        if self.decoupled:
            w = w - c.learning_rate * c.weight_decay * w
        else:
            g = decayed(self, c, g, w)
        m = c.beta1 * state[0] + c.rest1 * g
        v = c.beta2 * state[1] + c.rest2 * (g * g)
        return w - c.learning_rate * ((c.of_m * m + c.of_g * g) / (c.unbias2 * np.sqrt(v) + c.epsilon)), m, v
