"""Update rules: immutable specifications; their state belongs to the run.

An optimizer is a frozen dataclass with three things, and these are all there is to one:

- `slots`: names of the arrays of state, each of the parameters' shape, zeros before the first step;
- `constants(step)`: numbers by name that depend on the step, counted from 1; step may be an array of steps;
- `rule(c, g, w, *state)`: the new w, then the new state, in NumPy's syntax. g is ∂C/∂w; c has the constants, every
  number among the fields, and in `c.learning_rate` the rate of this step.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from types import SimpleNamespace
from typing import Any, Literal, Protocol

import numpy as np

from . import Array, number
from .expression import Formula, trace

Constants = Mapping[str, Any]


class Optimizer(Protocol):
    """What a run needs to know of an update rule; a user's own has the same."""

    @property
    def learning_rate(self) -> Any:
        """η: a number, or a schedule, see `schedules`."""

    @property
    def slots(self) -> tuple[str, ...]:
        """Names of the arrays of state."""

    def constants(self, step: Any) -> Constants:
        """What depends on the step besides the rate."""

    def rule(self, c: Any, g: Array, w: Array, *state: Array) -> Any:
        """Return the new w, then the new state."""


class Row:
    """What the optimizers of this package share."""

    @property
    def slots(self) -> tuple[str, ...]:
        """None."""
        return ()

    def constants(self, step: Any) -> Constants:
        """Nothing depends on the step."""
        return {}

    def _check(self, **ranges: Mapping[str, Any]) -> None:
        """Keep each field as a checked number; the learning rate may be a schedule."""
        for name, limits in ranges.items():
            value = getattr(self, name)
            if name != "learning_rate" or not callable(value):
                object.__setattr__(self, name, number(name, value, **limits))  # frozen: the one moment it may be set


ANY: Mapping[str, Any] = {}
SHARE: Mapping[str, Any] = {"below": 1.0}
POSITIVE: Mapping[str, Any] = {"positive": True}


@dataclass(frozen=True)
class SGD(Row):
    """w ← w - η v, v ← μ v + g; with nesterov w ← w - η (g + μ v) for the new v.

    η is `learning_rate`, μ is `momentum`; without momentum w ← w - η g.
    """

    learning_rate: Any
    momentum: float = 0.0
    nesterov: bool = False

    def __post_init__(self) -> None:
        self._check(learning_rate=ANY, momentum=SHARE)
        if not isinstance(self.nesterov, (bool, np.bool_)):
            raise TypeError(f"nesterov must be True or False, got {self.nesterov!r}")
        if self.nesterov and self.momentum == 0:
            raise ValueError("nesterov needs momentum > 0; try momentum=0.9")

    @property
    def slots(self) -> tuple[str, ...]:
        """The velocity v, where there is momentum."""
        return ("velocity",) if self.momentum > 0 else ()

    def rule(self, c: Any, g: Array, w: Array, *state: Array) -> Any:
        """Step w ← w - η g, or its form with momentum (see the class)."""
        if not state:
            return w - c.learning_rate * g
        v = c.momentum * state[0] + g
        return w - c.learning_rate * (g + c.momentum * v if self.nesterov else v), v


@dataclass(frozen=True)
class Adam(Row):
    """w ← w - η m̂ / (√v̂ + ε), with m̂ = m / (1 - β₁ᵗ), v̂ = v / (1 - β₂ᵗ) (Kingma, Ba 2014).

    The moments are m ← β₁ m + (1 - β₁) g and v ← β₂ v + (1 - β₂) g².
    """

    learning_rate: Any = 1e-3
    beta1: float = 0.9
    beta2: float = 0.999
    epsilon: float = 1e-8

    def __post_init__(self) -> None:
        self._check(learning_rate=ANY, beta1=SHARE, beta2=SHARE, epsilon=POSITIVE)

    @property
    def slots(self) -> tuple[str, ...]:
        """The moments m and v."""
        return ("first_moment", "second_moment")

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
        m = c.beta1 * state[0] + c.rest1 * g
        v = c.beta2 * state[1] + c.rest2 * (g * g)
        return w - c.learning_rate * c.unbias1 * (m / (c.unbias2 * np.sqrt(v) + c.epsilon)), m, v


@dataclass(frozen=True)
class AdamW(Adam):
    """Adam, with w ← w - η λ w besides: weight decay apart from the gradient (Loshchilov, Hutter 2017).

    λ is `weight_decay`; as in PyTorch it counts for biases too. `l2` of a network is the other kind, part of C.
    """

    weight_decay: float = 0.01

    def __post_init__(self) -> None:
        super().__post_init__()
        self._check(weight_decay=ANY)

    def rule(self, c: Any, g: Array, w: Array, *state: Array) -> Any:
        """Step w ← (1 - η λ) w - η m̂ / (√v̂ + ε)."""
        return super().rule(c, g, w - c.learning_rate * c.weight_decay * w, *state)


@dataclass(frozen=True)
class RMSprop(Row):
    """w ← w - η g / (√v + ε), v ← ρ v + (1 - ρ) g² (Tieleman, Hinton 2012); with momentum b ← μ b + g / (√v + ε), w ← w - η b.

    ρ is `rho` (PyTorch's alpha), μ is `momentum`.
    """  # noqa: E501

    learning_rate: Any = 1e-2
    rho: float = 0.99
    epsilon: float = 1e-8
    momentum: float = 0.0

    def __post_init__(self) -> None:
        self._check(learning_rate=ANY, rho=SHARE, epsilon=POSITIVE, momentum=SHARE)

    @property
    def slots(self) -> tuple[str, ...]:
        """The mean square v, and the velocity b where there is momentum."""
        return ("mean_square", "velocity") if self.momentum > 0 else ("mean_square",)

    def constants(self, step: Any) -> Constants:
        """What weighs g²."""
        return {"rest": 1 - self.rho}

    def rule(self, c: Any, g: Array, w: Array, *state: Array) -> Any:
        """Step w ← w - η g / (√v + ε)."""
        v = c.rho * state[0] + c.rest * (g * g)
        direction = g / (np.sqrt(v) + c.epsilon)
        if len(state) == 1:
            return w - c.learning_rate * direction, v
        b = c.momentum * state[1] + direction
        return w - c.learning_rate * b, v, b


@dataclass(frozen=True)
class ClippedByValue:
    """Another optimizer's rule for max(-c, min(g, c)), c being `clip_value`: PyTorch's clip_grad_value_."""

    optimizer: Any
    clip_value: float

    @property
    def learning_rate(self) -> Any:
        """The other's."""
        return self.optimizer.learning_rate

    @property
    def slots(self) -> tuple[str, ...]:
        """The other's."""
        slots: tuple[str, ...] = self.optimizer.slots
        return slots

    def constants(self, step: Any) -> Constants:
        """All that the other may ask for, but for the rate."""
        named = constants_at(self.optimizer, step, 0.0)
        return {name: value for name, value in named.items() if name != "learning_rate"}

    def rule(self, c: Any, g: Array, w: Array, *state: Array) -> Any:
        """Step as the other does, with g clipped."""
        return self.optimizer.rule(c, np.minimum(np.maximum(g, -c.clip_value), c.clip_value), w, *state)


MOST_CONSTANTS = 29  # numbers that a rule may ask of `c`: kernels have room for no more

OptimizerName = Literal["adam", "adamw", "rmsprop"]  # those whose fields all have a default

OPTIMIZERS: dict[str, type[Any]] = {row.__name__.lower(): row for row in (SGD, Adam, AdamW, RMSprop)}


def constants_at(optimizer: Optimizer, steps: Any, rates: Any) -> dict[str, Any]:
    """Return all that a rule may ask of `c` by name, the rate first: numbers, or arrays of one number per step."""
    named: dict[str, Any] = {"learning_rate": rates}
    for field in fields(optimizer):  # type: ignore[arg-type]
        value = getattr(optimizer, field.name)
        if isinstance(value, (int, float, np.number)) and not isinstance(value, bool) and field.name not in named:
            named[field.name] = float(value)
    return named | dict(optimizer.constants(steps))


def is_steady(optimizer: Optimizer) -> bool:
    """Whether the constants are the same in every step, but for the rate."""
    steps = np.array([1, 2, 1000])
    named = constants_at(optimizer, steps, np.zeros(3))
    return all(np.ndim(value) == 0 or np.all(np.asarray(value) == np.ravel(value)[0]) for value in named.values())


def traced_rule(optimizer: Optimizer, dtype: Any = np.float64) -> Formula:
    """Return the rule as a formula of share, Σ g, w, state.<name> and c.<name>; g is share · Σ g."""
    names = list(constants_at(optimizer, 1, 0.1))
    slots = optimizer.slots

    def rule(share: Any, total: Any, w: Any, *others: Any) -> Any:
        c = SimpleNamespace(**dict(zip(names, others[len(slots) :], strict=True)))
        return optimizer.rule(c, share * total, w, *others[: len(slots)])

    inputs = ["share", "total", "w", *(f"state.{name}" for name in slots), *(f"c.{name}" for name in names)]
    return trace(rule, inputs, dtype)


def update(optimizer: Optimizer, w: Array, g: Array, state: Sequence[Array], step: int, rate: float) -> None:
    """Change w and its state in place, given ∂C/∂w."""
    c = SimpleNamespace(**constants_at(optimizer, step, rate))
    found = optimizer.rule(c, g, w, *state)
    changed = found if isinstance(found, tuple) else (found,)
    for array, new in zip((w, *state), changed, strict=True):
        array[...] = new
