"""Where a run notes what it sees in the mini-batches that are looked at."""

from collections.abc import Sequence

import numpy as np

from ..formulas.looks import FLATTENED, NUM_SUMS, SMALL_INPUTS, Looks
from ..kernels.blocking import CHUNK_ROWS
from ..kernels.looks.places import COUNTS, NEURON_SLOTS, ROW_SLOTS
from .parameters import Parameters, aligned


class LookArrays:
    """Arrays by the names of a record's fields, see kernels/records.py."""

    def __init__(self, parameters: Parameters, capacity: int, threads: int, *, whole: bool) -> None:
        layers, neurons = len(parameters.layers), int(parameters.layers["columns"].sum())
        dtype = parameters.buffer.dtype
        self.layers = parameters.layers
        self.looks = np.zeros((layers + 1, NUM_SUMS))
        self.row_squares = np.zeros((layers, ROW_SLOTS, capacity))
        self.neuron_squares = np.zeros((NEURON_SLOTS, neurons))
        self.slopes = np.zeros((threads, neurons), dtype)
        self.counts = np.zeros((threads, layers, COUNTS), np.int64)
        self.dots = np.zeros((threads, 2, capacity))
        self.before = aligned(parameters.buffer.size if whole else threads * CHUNK_ROWS * parameters.panel, dtype)

    def take(self, sizes: Sequence[int]) -> Looks:
        """Return what was seen since the last time, and begin anew."""
        found = Looks(sizes)
        found.count, found.samples = self.looks[-1, :2].astype(int).tolist()
        found.sums[:] = self.looks[:-1]
        found.sums[:, FLATTENED : SMALL_INPUTS + 1] = self.counts.sum(axis=0)
        largest = self.slopes.max(axis=0)
        found.slopes = [largest[layer["neurons"] :][: layer["n_out"]].astype(float) for layer in self.layers]
        for array in (self.looks, self.slopes, self.counts):
            array[...] = 0
        return found
