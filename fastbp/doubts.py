"""What makes one doubt a `fit`, before it begins and after it ended as it should: said in a warning, not in silence."""

from typing import Any

import numpy as np

from .errors import warn
from .history import History
from .spec import NetworkSpec
from .training import Task

CHANCE = 20  # right answers that guessing would give, of which training has none
LARGE = 10.0  # a mean or a deviation of targets that steps of usual size take long to reach


def say_before(spec: NetworkSpec, task: Task) -> None:
    """Warn of a network that cannot learn what it is given."""
    if (spec.activations[-1], spec.cost) == ("sigmoid", "cross_entropy") and task.y.ndim == 1:
        warn(
            'cost="cross_entropy" with output="sigmoid": nothing pushes the outputs of the other labels down; choose '
            'output="softmax", or cost="binary_cross_entropy"'
        )


def say_after(history: History[Any], task: Task, cost: str, *, moved: bool) -> None:
    """Warn of an outcome that most likely comes of a mistake in the call."""
    if not moved and task.optimizer.learning_rate > 0:
        warn(_still(history, task))
    elif history.accuracy[-1] == 0 and _guesses(task) >= CHANCE:
        warn(
            f"in the last epoch not one of {len(task.x)} answers was right, fewer than guessing would give; "
            "look whether y belongs to x, row by row, and at the learning rate: optimizer=fastbp.Adam(1e-3)"
        )
    else:
        _doubt_scale(history, task, cost)


def _still(history: History[Any], task: Task) -> str:
    rate = task.optimizer.learning_rate
    return (
        f"training changed no parameter in {len(history)} epoch{'s' * (len(history) > 1)}: the learning rate {rate:g} "
        "is too small, or every gradient is 0; write optimizer=fastbp.Adam(1e-3), or make the network anew if its "
        "relus are all dead"
    )


def _guesses(task: Task) -> float:
    """Return how many right answers guessing gives."""
    return len(task.y) / len(np.unique(task.y))


def _doubt_scale(history: History[Any], task: Task, cost: str) -> None:
    """Warn where targets are far from 1 and the network is worse than their mean would be."""
    if cost != "quadratic" or task.y.ndim == 1:
        return
    mean, deviation = float(np.mean(task.y)), float(np.std(task.y))
    constant = 0.5 * float(np.sum(np.var(task.y, axis=0, dtype=float)))
    if max(abs(mean), deviation) > LARGE and history.cost[-1] > constant:
        warn(
            f"after {len(history)} epochs the cost is {history.cost[-1]:.4g}, where the mean of y for every sample "
            f"would cost {constant:.4g}: y is about {mean:.3g} ± {deviation:.3g}, far from what steps of this size "
            "reach; train on (y - y.mean()) / y.std(), or for more epochs"
        )
