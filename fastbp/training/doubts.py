"""What makes one doubt a `fit`, before it begins and after it ended as it should: said in a warning, not in silence."""

from typing import Any

import numpy as np

from ..border.spec import NetworkSpec
from ..errors import warn
from ..formulas import Array
from .history import History
from .loop import Task

CHANCE = 20  # right answers that guessing would give, of which training has none
LARGE, SMALL = 10.0, 0.01  # a mean or a deviation of targets that steps of usual size take long to reach
FAR, OFF_CENTRE = 30.0, 10.0  # inputs, and means in deviations, that the first layer's weights do not suit
JUDGED_BY = 1000  # samples that tell what the mean of the targets would cost: copies of all could be as large as x
LOOKED_AT = 64  # samples that tell on what scale the inputs are: all would be felt by a fit of 2 ms


def say_before(spec: NetworkSpec, task: Task) -> None:
    """Warn of a network that cannot learn what it is given."""
    output, cost = spec.activation_rows[-1], spec.cost_row
    if cost.sums_to_one and not output.over_rows and task.data.y.ndim == 1:
        warn(
            f'cost="{cost.name}" with output="{output.name}": nothing pushes the outputs of the other labels down; '
            'choose output="softmax", or cost="binary_cross_entropy"'
        )
    optimizer, m = task.plan.optimizer, task.samples
    if getattr(optimizer, "for_full_batches", False) and task.plan.batch_size < m / 2:
        warn(
            f"{type(optimizer).__name__} learns from the signs of gradients, which in mini-batches of "
            f"{task.plan.batch_size} are mostly noise: write batch_size={m}, or take another optimizer"
        )


def say_after(spec: NetworkSpec, history: History[Any], task: Task, penalty: float, *, moved: bool) -> None:
    """Warn of an outcome that most likely comes of a mistake in the call."""
    learnt_all = history.accuracy[-1] == 1 or history.cost[-1] <= penalty
    if not moved and _rate(task) > 0 and not learnt_all:
        warn(_still(history, task))
    elif history.accuracy[-1] == 0 and _guesses(task) >= CHANCE:
        warn(
            f"in the last epoch not one of {task.samples} answers was right, fewer than guessing would give; "
            "look whether y belongs to x, row by row, and at the learning rate: optimizer=fastbp.Adam(1e-3)"
        )
    elif words := _odd_inputs(task.data.x) or _odd_targets(spec, history, task, penalty):
        warn(words)


def _still(history: History[Any], task: Task) -> str:
    rate = _rate(task)
    return (
        f"training moved no weight to speak of in {len(history)} epoch{'s' * (len(history) > 1)}: the learning rate "
        f"{rate:g} is too small, or every gradient is 0; write optimizer=fastbp.Adam(1e-3), or make the network anew "
        "if its relus are all dead"
    )


def _rate(task: Task) -> float:
    """Return the learning rate, of a schedule in the middle of the first epoch."""
    rate = task.plan.optimizer.learning_rate
    return float(np.ravel(rate(0.5))[0]) if callable(rate) else float(rate)


def _guesses(task: Task) -> float:
    """Return how many right answers guessing gives."""
    return task.samples / len(np.unique(task.data.y))


def _odd_inputs(x: Array) -> str:
    """Say which input is far from -1..1, or off centre; '' if none is."""
    few = np.asarray(x[:: -(-len(x) // LOOKED_AT)], float)
    mean, deviation = few.mean(axis=0), few.std(axis=0)
    far = np.maximum(np.abs(few).max(axis=0) / FAR, np.abs(mean) / (OFF_CENTRE * np.maximum(deviation, 0.1)))
    column = int(np.argmax(far))
    if len(few) < 2 or far[column] <= 1:
        return ""
    return (
        f"x[:, {column}] is about {mean[column]:.3g} ± {deviation[column]:.2g}; inputs of about -1..1 are learnt from "
        "best: write (x - x.mean(axis=0)) / x.std(axis=0), with the same two numbers for whatever is predicted later, "
        "or x / 255 for images"
    )


def _odd_targets(spec: NetworkSpec, history: History[Any], task: Task, penalty: float) -> str:
    """Say that targets are far from 1, if the network is worse than their mean would be."""
    if not spec.cost_row.half_square or task.data.y.ndim == 1:
        return ""
    step = -(-len(task.data.y) // JUDGED_BY)
    y, weights = np.asarray(task.data.y[::step], float), task.data.sample_weight
    weights = None if weights is None else weights[::step]
    if weights is not None and not weights.any():
        return ""
    mean = np.average(y, axis=0, weights=weights)
    constant = 0.5 * float(np.sum(np.average((y - mean) ** 2, axis=0, weights=weights)))
    deviation, cost = float(y.std()), history.cost[-1] - penalty
    odd = max(float(np.abs(mean).max()), deviation) > LARGE or 0 < deviation < SMALL
    if not odd or cost <= constant:
        return ""
    return (
        f"after {len(history)} epochs the cost is {cost:.4g}, where the mean of y for every sample would cost "
        f"{constant:.4g}: y is about {y.mean():.3g} ± {deviation:.3g}, far from what steps of usual size suit; train "
        "on (y - y.mean()) / y.std(), or for more epochs"
    )
