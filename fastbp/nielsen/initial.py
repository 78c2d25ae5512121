"""Initial parameters, drawn from `np.random` in the book's order: all biases, and then all weights."""

from collections.abc import Sequence

import numpy as np

from ..formulas import Array


def normal_parameters(sizes: Sequence[int], *, scaled: bool = False) -> tuple[list[Array], list[Array]]:
    """Return biases (n, 1) and weights (n, k), normal with deviation 1; `scaled`: those of weights 1/√k."""
    pairs = list(zip(sizes[:-1], sizes[1:], strict=True))
    draw = np.random.randn
    biases = [draw(n, 1) for n in sizes[1:]]
    weights = [draw(n, k) / (np.sqrt(k) if scaled else 1.0) for k, n in pairs]
    return biases, weights
