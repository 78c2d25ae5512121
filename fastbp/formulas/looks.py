"""How each layer learns, as seen in mini-batches that were looked at: sums from either engine, and what they say."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from . import Array
from .activations import Activation
from .steepness import GONE, steepest

SMALL = 0.01  # |a_in| below it: weights from there hardly learn, whatever δ is (32)

# Sums over the mini-batches looked at. Of δ and what it comes from, mean squares over the samples:
BEFORE = 0  # Σ |wᵀ δ^(l+1)|² / m; at the output Σ |∇ₐC|² / m, or where the cost cancels σ' that of δ itself
DELTA = 1  # Σ |δ|² / m
NABLA_W, NABLA_B = 2, 3  # |∂C/∂w|², |∂C/∂b|² of the mini-batch, without penalties
CHANGE = 4  # |Δw|², of the update
FLATTENED = 5  # samples and neurons with a slope below FLAT of the steepest
SMALL_INPUTS = 6  # samples and inputs below SMALL
NUM_SUMS = 7


class LayerLook(NamedTuple):
    """How one layer learns, over the mini-batches looked at: norms are root mean squares over them."""

    layer: int  # place in net.weights
    activation: str
    neurons: int
    weight_norm: float  # |w|
    delta: float  # |δ| of a typical sample, √(Σ_x |δ_x|² / m)
    nabla_w: float  # |∂C/∂w| of a mini-batch, without penalties
    nabla_b: float  # |∂C/∂b|
    update_ratio: float | None  # |Δw| / |w| of one step
    saturated: float | None  # share of (sample, neuron) with |σ'(z)| < 0.04 max |σ'|
    dead: float | None  # share of neurons whose σ' is 0 for every sample seen
    small_inputs: float  # share of (sample, input) with |a_in| < 0.01
    by_weights: float | None  # |wᵀ δ^(l+1)| / |δ^(l+1)|, BP2's first factor; None at the output
    by_slope: float | None  # |δ| / |wᵀ δ^(l+1)|, its second, and dropout; at the output |δ| / |∇ₐC|, BP1's


class Looks:
    """What an engine adds up while it looks."""

    def __init__(self, sizes: Sequence[int]) -> None:
        self.count = 0  # mini-batches looked at
        self.samples = 0  # in them
        self.sums = np.zeros((len(sizes) - 1, NUM_SUMS))  # one row per computed layer
        self.slopes = [np.zeros(n) for n in sizes[1:]]  # (n,): the largest |σ'| of each neuron
        self.sizes = tuple(sizes)

    def layers(self, rows: Sequence[Activation], weights: Sequence[Array]) -> tuple[LayerLook, ...]:
        """Return what was seen, layer by layer; nothing if nothing was looked at."""
        if not self.count:
            return ()
        norms = np.sqrt(self.sums[:, : CHANGE + 1] / self.count)
        looks: list[LayerLook] = []
        for layer, (row, w) in enumerate(zip(rows, weights, strict=True)):
            before, delta, nabla_w, nabla_b, change = norms[layer].tolist()
            norm = float(np.sqrt(np.sum(np.square(w, dtype=np.float64))))
            n_in, n = self.sizes[layer], self.sizes[layer + 1]
            last = layer == len(weights) - 1
            looks.append(
                LayerLook(
                    layer, row.name, n, norm, delta, nabla_w, nabla_b,
                    update_ratio=_ratio(change, norm),
                    saturated=None if row.over_rows else float(self.sums[layer, FLATTENED]) / (self.samples * n),
                    dead=None if row.over_rows else float(np.mean(self.slopes[layer] < GONE * steepest(row))),
                    small_inputs=float(self.sums[layer, SMALL_INPUTS]) / (self.samples * n_in),
                    by_weights=None if last else _ratio(before, float(norms[layer + 1, DELTA])),
                    by_slope=_ratio(delta, before),
                )
            )  # fmt: skip
        return tuple(looks)


def _ratio(part: float, whole: float) -> float | None:
    return part / whole if whole > 0 and np.isfinite(whole) else None
