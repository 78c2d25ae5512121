"""Dropout masks as a pure function of integers: any engine, in any order, draws the same bits."""

# mypy: disable-error-code="no-any-return"
# (NumPy types its ufuncs and operators as Any.)

from collections.abc import Sequence
from typing import Any

import numpy as np

from . import Array

GOLDEN = np.uint64(0x9E3779B97F4A7C15)
MIX1 = np.uint64(0xBF58476D1CE4E5B9)
MIX2 = np.uint64(0x94D049BB133111EB)
INPUTS = 255  # the layer that the inputs count as: -1, in eight bits


def keep_scale(seed: int, layer: int, rows: Array, n: int, dropout: float, dtype: Any) -> Array:
    """Return 1/(1 - p) where a neuron is kept, 0 where it is dropped: (m, n), for a ← a ⊙ keep.

    - seed: of the epoch; - layer: index of the computed layer, from 0, or INPUTS;
    - rows (m,): places of the samples in the epoch's order; - n: neurons; - dropout: p
    """
    places: Array = rows.astype(np.uint64)[:, None] << np.uint64(24)
    neurons: Array = np.arange(n, dtype=np.uint64)
    counter = (np.uint64(layer) << np.uint64(56)) ^ places ^ neurons
    h = _splitmix64(np.uint64(seed) + counter * GOLDEN)
    keep = (h >> np.uint64(40)) >= np.uint64(round(dropout * 2**24))
    return keep.astype(dtype) / (1 - dropout)


def keep_scales(seed: int, rows: Array, sizes: Sequence[int], shares: Sequence[float], dtype: Any) -> list[Array]:
    """Return `keep_scale` of what each layer is given, x first; where nothing is dropped, 1 (1, 1).

    - sizes: neurons per layer, inputs first; - shares: p of each, but for the output
    """
    layers = [INPUTS, *range(len(shares) - 1)]
    return [
        keep_scale(seed, layer, rows, n, p, dtype) if p else np.ones((1, 1), dtype)
        for layer, n, p in zip(layers, sizes, shares, strict=False)
    ]


def _splitmix64(z: Array) -> Array:
    """Mix 64 bits: the finalizer of Steele, Lea and Flood's SplitMix64."""
    z = (z ^ (z >> np.uint64(30))) * MIX1
    z = (z ^ (z >> np.uint64(27))) * MIX2
    return z ^ (z >> np.uint64(31))
