"""a ← a ⊙ keep, keep drawn by hashing (seed, layer, place in the epoch, neuron): see formulas/dropout.py."""

import numpy as np

from .jit import part

u8 = np.uint64
GOLDEN, MIX1, MIX2 = u8(0x9E3779B97F4A7C15), u8(0xBF58476D1CE4E5B9), u8(0x94D049BB133111EB)


@part
def drop(values, n, layer, first_place, seed, dropout):
    """Values ← values ⊙ keep / (1 - p), for a^l on the way up and δ^l on the way down.

    - values: (m, ld), n columns count; first_place: place of row 0 in the epoch's order
    """
    T = type(values[0, 0])
    threshold = u8(np.rint(dropout * 16777216.0))
    scale = T(1.0) / T(1.0 - dropout)
    for i in range(values.shape[0]):
        row = (u8(layer) << u8(56)) ^ (u8(first_place + i) << u8(24))
        for j in range(n):
            h = seed + (row ^ u8(j)) * GOLDEN
            h = (h ^ (h >> u8(30))) * MIX1
            h = (h ^ (h >> u8(27))) * MIX2
            h = h ^ (h >> u8(31))
            values[i, j] = values[i, j] * scale if (h >> u8(40)) >= threshold else T(0)
