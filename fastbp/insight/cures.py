"""What may be done about a sign: each is tried, in a network of its own, before anybody is advised to."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from ..formulas import Array
from ..formulas.optimizers import Optimizer

PAIRS = {"sigmoid": "binary_cross_entropy", "softmax": "cross_entropy"}  # outputs and costs that belong together


class Case(NamedTuple):
    """A network as it would be made anew, its data, and how it is trained."""

    arguments: Mapping[str, Any]  # of the network, sizes among them
    x: Array
    optimizer: Optimizer
    parameters: tuple[list[Array], list[Array]] | None = None  # None: fresh ones


class Cure(NamedTuple):
    """A change, in words and as a function; None where it does not apply."""

    text: str
    apply: Callable[[Case], Case | None]

    def words(self, case: Case) -> str:
        """Say what to change."""
        return self.text.format(cost=PAIRS.get(case.arguments["output"].name))


def _fresh(case: Case) -> Case:
    return case._replace(parameters=None)


def _with(**changes: Any) -> Callable[[Case], Case | None]:
    """Return a cure that makes the network anew with other arguments, where it has others."""

    def apply(case: Case) -> Case | None:
        return _fresh(case)._replace(arguments={**case.arguments, **changes})

    return apply


def _initializer(name: str) -> Callable[[Case], Case | None]:
    def apply(case: Case) -> Case | None:
        same = case.arguments["initializer"] == name
        return None if same else _with(initializer=name)(case)

    return apply


def _hidden(name: str) -> Callable[[Case], Case | None]:
    def apply(case: Case) -> Case | None:
        hidden = case.arguments["activation"]
        same = not hidden or all(row.name == name for row in hidden)
        return None if same else _with(activation=name, initializer=None)(case)

    return apply


def _leaky(case: Case) -> Case | None:
    hidden = case.arguments["activation"]
    if not any(row.name == "relu" for row in hidden):
        return None
    return _with(activation=["leaky_relu" if row.name == "relu" else row for row in hidden])(case)


def _cross_entropy(case: Case) -> Case | None:
    """Let the cost cancel σ', and keep the weights."""
    output, cost = case.arguments["output"].name, case.arguments["cost"].name
    if output not in PAIRS or cost == PAIRS[output]:
        return None
    return case._replace(arguments={**case.arguments, "cost": PAIRS[output]})


def _scaled(case: Case) -> Case | None:
    """Bring each column of x to mean 0 and deviation 1, as far as it varies, with fresh weights."""
    deviation = case.x.std(axis=0)
    x = (case.x - case.x.mean(axis=0)) / np.where(deviation > 0, deviation, 1)
    return _fresh(case)._replace(x=np.ascontiguousarray(x, case.x.dtype))


def _rate_over(factor: float) -> Callable[[Case], Case | None]:
    def apply(case: Case) -> Case | None:
        rate = case.optimizer.learning_rate
        if callable(rate):
            return None
        return case._replace(optimizer=replace(case.optimizer, learning_rate=rate / factor))  # type: ignore[type-var]

    return apply


CURES = {
    "cross_entropy": Cure("the cost that belongs to the output, cost={cost!r}, in which σ' cancels", _cross_entropy),
    "leaky_relu": Cure('activation="leaky_relu", which leaves nobody dead', _leaky),
    "scaled": Cure("x scaled to mean 0 and deviation 1 in each column", _scaled),
    "glorot_uniform": Cure('initializer="glorot_uniform"', _initializer("glorot_uniform")),
    "he_normal": Cure('initializer="he_normal"', _initializer("he_normal")),
    "tanh": Cure('activation="tanh"', _hidden("tanh")),
    "relu": Cure('activation="relu"', _hidden("relu")),
    "fresh": Cure("fresh initial weights", lambda case: None if case.parameters is None else _fresh(case)),
    "rate / 10": Cure("a learning rate 10 times smaller", _rate_over(10)),
    "rate / 100": Cure("a learning rate 100 times smaller", _rate_over(100)),
    "rate / 1000": Cure("a learning rate 1000 times smaller", _rate_over(1000)),
}
