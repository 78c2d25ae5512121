"""scikit-learn's optimizers, where they differ from the papers': a row each, as in fastbp.formulas.optimizers."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..formulas import Array
from ..formulas.optimizers import SGD


@dataclass(frozen=True)
class MomentumSGD:
    """v ← μ v - η g, w ← w + v; with nesterov w ← w + μ v - η g for the new v: η is part of v."""

    learning_rate: Any
    momentum: float
    nesterov: bool

    slots = ("velocity",)

    def constants(self, step: Any) -> dict[str, Any]:
        """Nothing depends on the step."""
        return {}

    def rule(self, c: Any, g: Array, w: Array, *state: Array) -> Any:
        """Step by v, or by what it will be."""
        v = c.momentum * state[0] - c.learning_rate * g
        return (w + (c.momentum * v - c.learning_rate * g) if self.nesterov else w + v), v


@dataclass(frozen=True)
class UncorrectedAdam:
    """w ← w - η √(1 - β₂ᵗ) / (1 - β₁ᵗ) m / (√v + ε): ε beside the root that has its bias still."""

    learning_rate: Any
    beta1: float
    beta2: float
    epsilon: float

    slots = ("first_moment", "second_moment")

    def constants(self, step: Any) -> dict[str, Any]:
        """What weighs g, and takes the bias out."""
        return {
            "rest1": 1 - self.beta1,
            "rest2": 1 - self.beta2,
            "unbias": np.sqrt(1 - self.beta2**step) / (1 - self.beta1**step),
        }

    def rule(self, c: Any, g: Array, w: Array, *state: Array) -> Any:
        """Step by the moments."""
        m = c.beta1 * state[0] + c.rest1 * g
        v = c.beta2 * state[1] + c.rest2 * (g * g)
        return w - c.learning_rate * c.unbias * m / (np.sqrt(v) + c.epsilon), m, v


def rule_of(estimator: Any, rate: Any) -> Any:
    """Return the rule that an estimator asks for; `rate` is η, or a function of the time in epochs."""
    if estimator.solver == "adam":
        return UncorrectedAdam(rate, float(estimator.beta_1), float(estimator.beta_2), float(estimator.epsilon))
    if estimator.momentum == 0:
        return SGD(rate)
    return MomentumSGD(rate, float(estimator.momentum), bool(estimator.nesterovs_momentum))


class KeptState:
    """The state of scikit-learn's optimizer, where its own code would find it: carried into a run, and back."""

    def __init__(self, optimizer: Any, rule: Any) -> None:
        self.optimizer = optimizer
        self.names = {"velocity": "velocities", "first_moment": "ms", "second_moment": "vs"}
        self.names = {slot: self.names[slot] for slot in rule.slots}

    def load(self, trainer: Any) -> None:
        """Give a trainer what the optimizer remembers."""
        for place, name in enumerate(self.names.values()):
            arrays: Sequence[Array] = getattr(self.optimizer, name)
            half = len(arrays) // 2
            trainer.state.set(place, [w.T for w in arrays[:half]], arrays[half:])
        trainer.state.steps = getattr(self.optimizer, "t", 0)

    def keep(self, trainer: Any) -> None:
        """Take it back."""
        for place, name in enumerate(self.names.values()):
            weights, biases = trainer.state.get(place)
            setattr(self.optimizer, name, [*(np.array(w.T, order="C") for w in weights), *biases])
        if hasattr(self.optimizer, "t"):
            self.optimizer.t = trainer.state.steps
