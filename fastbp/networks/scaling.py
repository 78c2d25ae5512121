"""Features and targets on a scale that training likes, folded into the network that is saved.

With x' = (x - shift) / scale the first layer computes w x' + b = (w / scale) x + (b - w shift / scale),
and an output a' means a = scale a' + shift: so a saved network takes and gives plain numbers.
"""

from typing import NamedTuple

import numpy as np

from ..formulas import Array
from .base import BaseNetwork

MODES = ("auto", "standard", "none")


class Scaling(NamedTuple):
    """One shift and one scale per column, or one of each for all."""

    shift: Array
    scale: Array

    def __call__(self, values: Array) -> Array:
        """Return (values - shift) / scale."""
        scaled: Array = (values - self.shift) / self.scale
        return scaled


def standard(values: Array) -> Scaling:
    """Mean 0 and standard deviation 1 per column; a constant column is only shifted."""
    shift = np.mean(values, axis=0, dtype=float)
    scale = np.std(values, axis=0, dtype=float)
    return Scaling(shift, np.where(scale > 0, scale, 1.0))


def choose(x: Array, mode: str) -> Scaling | None:
    """Return how to scale features; "auto" leaves -1..1 alone, and brings bytes to 0..1."""
    if mode == "none" or (mode == "auto" and np.abs(x).max() <= 1):
        return None
    if mode == "auto" and x.dtype == np.uint8:
        return Scaling(np.zeros(1, np.float32), np.full(1, 255, np.float32))
    flags = np.all((x == 0) | (x == 1), axis=0)  # one-hot and yes or no: rare ones would become huge
    shift, scale = standard(x)
    return Scaling(np.where(flags, 0.0, shift), np.where(flags, 1.0, scale))


def fold_into_inputs(net: BaseNetwork, scaling: Scaling) -> None:
    """Change the first layer: w ← w / scale, b ← b - w shift / scale."""
    weights, biases = net.weights, net.biases
    w = weights[0] / scaling.scale
    net.weights = [w, *weights[1:]]
    net.biases = [biases[0] - np.sum(w * scaling.shift, axis=1), *biases[1:]]


def fold_into_outputs(net: BaseNetwork, scaling: Scaling) -> None:
    """Change the last layer, which is linear: w ← scale w, b ← scale b + shift."""
    weights, biases = net.weights, net.biases
    net.weights = [*weights[:-1], weights[-1] * scaling.scale[:, None]]
    net.biases = [*biases[:-1], biases[-1] * scaling.scale + scaling.shift]
