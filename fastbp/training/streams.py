"""Independent streams of random numbers, derived from (seed, purpose, epoch).

No generator state is ever kept: a run that is resumed at epoch e draws what it would have drawn.
"""

import numpy as np

WEIGHTS, SHUFFLE, DROPOUT, SPLIT = 0, 1, 2, 3


def stream(seed: int, purpose: int, epoch: int = 0) -> np.random.Generator:
    """Return the generator for one purpose in one epoch."""
    return np.random.default_rng([seed, purpose, epoch])
