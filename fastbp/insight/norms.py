"""Norms of the gradients of single samples, for free from δ and a.

The gradient of one sample is an outer product (BP4), so its norm needs no gradient: |∂C_x/∂w|² = |δ|² |a|². By BP3
|∂C_x/∂b|² = |δ|².
"""

from collections.abc import Iterator

import numpy as np

from ..formulas import Array
from ..networks.base import BaseNetwork

CHUNK = 1024  # samples at a time


def gradient_norms(net: BaseNetwork, x: object, y: object) -> Array:
    """|∂C_x| = √(|δ|² (|a|² + 1)) of each sample and layer, weights and biases together: (m, L), float64.

    Of C_x, without penalties and dropout, as `net.per_sample_gradients` has it; but no gradient is made, and 1024
    samples are in memory at a time. Over all layers it is ``np.linalg.norm(norms, axis=1)``.
    """
    x, y = net._checked(x, y)
    return np.concatenate([_norms(net, *part) for part in chunks(x, y)])


def _norms(net: BaseNetwork, x: Array, y: Array) -> Array:
    deltas, inputs = net._backprop(x, y).deltas, net._forward(x).activations[:-1]
    with np.errstate(all="ignore"):  # what is not finite shows in the norm
        pairs = [(_squares(delta), _squares(a)) for delta, a in zip(deltas, inputs, strict=True)]
        return np.asarray(np.sqrt(np.stack([delta * (a + 1) for delta, a in pairs], axis=1)))


def _squares(array: Array) -> Array:
    return np.asarray(np.sum(np.square(array, dtype=np.float64), axis=1))


def chunks(x: Array, y: Array) -> Iterator[tuple[Array, Array]]:
    """Yield samples and answers, a part at a time."""
    for start in range(0, len(x), CHUNK):
        yield x[start : start + CHUNK], y[start : start + CHUNK]
