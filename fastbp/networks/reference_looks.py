"""What the reference notes of a mini-batch that is looked at: the definitions of formulas/looks.py, in NumPy."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from ..border.spec import NetworkSpec
from ..formulas import Array
from ..formulas.looks import BEFORE, CHANGE, DELTA, FLATTENED, NABLA_B, NABLA_W, SMALL, SMALL_INPUTS, Looks
from ..formulas.steepness import FLAT, steepest
from .results import Forward


class Passes(NamedTuple):
    """One mini-batch, forward and backward, before its update."""

    states: Forward  # a as σ gave it
    inputs: Sequence[Array]  # what each layer was given: a after dropout
    y: Array  # (m, n_L)
    deltas: Sequence[Array]  # weight · δ after dropout
    weight: Array  # (m,), of the samples


def add_look(looks: Looks, spec: NetworkSpec, weights: Sequence[Array], passes: Passes) -> None:
    """Add all but the update to the sums."""
    m = len(passes.y)
    share = 1 / (passes.weight.sum() or 1)
    looks.count += 1
    looks.samples += m
    for layer, row in enumerate(spec.activation_rows):
        sums, delta = looks.sums[layer], passes.deltas[layer]
        sums[DELTA] += _squares(delta) / m
        sums[NABLA_W] += _squares(share * delta.T @ passes.inputs[layer])
        sums[NABLA_B] += _squares(share * delta.sum(axis=0))
        sums[SMALL_INPUTS] += np.sum(np.abs(passes.inputs[layer]) < SMALL)
        sums[BEFORE] += _squares(_before_slope(spec, weights, passes, layer)) / m
        if not row.over_rows:
            slope = np.abs(row.slope(passes.states.zs[layer], passes.states.activations[layer + 1]))
            sums[FLATTENED] += np.sum(slope < FLAT * steepest(row))
            looks.slopes[layer] = np.maximum(looks.slopes[layer], slope.max(axis=0))


def add_change(looks: Looks, before: Sequence[Array], after: Sequence[Array]) -> None:
    """Add what an update changed."""
    for layer, (old, new) in enumerate(zip(before, after, strict=True)):
        looks.sums[layer, CHANGE] += _squares(new - old)


def _before_slope(spec: NetworkSpec, weights: Sequence[Array], passes: Passes, layer: int) -> Any:
    """Return what BP1 or BP2 multiplies by σ'."""
    if layer < len(weights) - 1:
        return passes.deltas[layer + 1] @ weights[layer + 1]
    if spec.cost_row.pair(spec.activation_rows[-1]):
        return passes.deltas[-1]
    return spec.cost_row.slope(passes.states.activations[-1], passes.y) * passes.weight[:, None]


def _squares(array: Any) -> float:
    return float(np.sum(np.square(array, dtype=np.float64)))
