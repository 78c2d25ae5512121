"""What an update rule is, and what a run asks of it.

An optimizer is a frozen dataclass with three things, and these are all there is to one:

- `slots`: names of the arrays of state, each of the parameters' shape, zeros before the first step;
- `constants(step)`: numbers by name that depend on the step, counted from 1; step may be an array of steps;
- `rule(c, g, w, *state)`: the new w, then the new state, in NumPy's syntax. g is ∂C/∂w; c has the constants, every
  number among the fields, and in `c.learning_rate` the rate of this step.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from types import SimpleNamespace
from typing import Any, ClassVar, Protocol

import numpy as np

from .. import Array, number
from ..expression import Formula, trace

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

    for_full_batches: ClassVar[bool] = False  # mini-batches mislead it

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

    def _check_truth(self, name: str) -> None:
        value = getattr(self, name)
        if not isinstance(value, (bool, np.bool_)):
            raise TypeError(f"{name} must be True or False, got {value!r}")


def decayed(optimizer: Any, c: Any, g: Array, w: Array) -> Array:
    """G + λ w, where there is weight decay: as if C had λ/2 w² of weights and biases (PyTorch's coupled kind)."""
    found: Array = g + c.weight_decay * w if optimizer.weight_decay else g
    return found


ANY: Mapping[str, Any] = {}
SHARE: Mapping[str, Any] = {"below": 1.0}
POSITIVE: Mapping[str, Any] = {"positive": True}


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
