"""C and ∂C/∂w as a function of one flat vector, over all samples, in bounded memory."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from ..formulas import Array
from ..formulas.optimizers import SGD
from ..training.loop import NOTHING, Data, Plan, Progress
from .engine import Engine

AT_A_TIME = 1024  # samples whose activations are held


def flatten(weights: Sequence[Array], biases: Sequence[Array]) -> Array:
    """Return [w¹ | w² | ... | b¹ | b² | ...], each in C order, as float64."""
    return np.concatenate([array.ravel() for array in (*weights, *biases)]).astype(np.float64)


def unflatten(flat: Array, sizes: Sequence[int], dtype: Any) -> tuple[list[Array], list[Array]]:
    """Return weights (n_out, n_in) and biases (n_out,)."""
    shapes = [*zip(sizes[1:], sizes, strict=False), *((n,) for n in sizes[1:])]
    ends = np.cumsum([int(np.prod(shape)) for shape in shapes])
    parts = np.split(np.asarray(flat).astype(dtype), ends[:-1])
    arrays = [part.reshape(shape) for part, shape in zip(parts, shapes, strict=True)]
    return arrays[: len(sizes) - 1], arrays[len(sizes) - 1 :]


class Objective:
    """C with its penalties, without dropout, of a twin of a network, which is itself left alone."""

    def __init__(self, net: Any, data: Data) -> None:
        free = replace(net.spec, dropout=0.0, max_norm=None, nonnegative=False, monotone=None)
        self.twin = net._assemble(free, *net._get_parameters(), net.threads)
        batch_size = min(len(data.x), AT_A_TIME)
        self.order, self.batches = np.arange(len(data.x)), -(-len(data.x) // batch_size)
        # Mini-batches add up to one gradient; a rate of 0 changes nothing.
        self.session = self.twin._session(data, Plan(SGD(0.0), batch_size, accumulate=len(data.x) + 1))
        self.seen: Progress = NOTHING  # at the last vector

    def __call__(self, flat: Array) -> tuple[float, Array]:
        """Return C, and its gradient as float64; inf and zeros where C is not finite."""
        twin: Engine = self.twin
        twin._set_parameters(*unflatten(flat, twin.sizes, twin.dtype))
        seen = self.seen = self.session.train(self.order, 0, self.batches, 0)
        if seen.failed >= 0:
            return np.inf, np.zeros(len(flat))
        cost = seen.cost / seen.weight + self.twin._penalty()
        return float(cost), flatten(*self.session.whole_gradient())
