"""Every array that a mini-batch needs, allocated once."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..formulas import Array
from ..kernels.barrier import DONE, SYNC_SIZE
from ..kernels.blocking import BLOCK_INPUTS, CHAIN_ROWS, CHUNK_ROWS, LINE, MAX_CONSTANTS, OUTER_PANELS, SUM_ROWS
from .parameters import Parameters, aligned, padded


def leading_dimension(n: int, lanes: int, itemsize: int) -> int:
    """Numbers from one row to the next: whole vectors, and never a multiple of 1 KiB.

    Rows a power of two apart fall into the same sets of the cache and push each other out.
    """
    n = padded(n, lanes)
    return n + LINE // itemsize if n * itemsize % 1024 == 0 else n


class Workspace:
    """Activations and errors of up to `rows` samples, and scratch memory for `threads` threads."""

    def __init__(
        self,
        parameters: Parameters,
        rows: int,
        threads: int = 1,
        input_blocks: int = 0,
        *,
        train: bool,
        keep_z: Sequence[bool] = (),
    ) -> None:
        dtype = parameters.buffer.dtype
        lanes = parameters.panel // 2
        rows = max(rows, 2) if train else rows  # samples that come one by one take turns, see kernels/online.py
        self.layers: Any = parameters.layers.copy()
        sizes = [*self.layers["n_in"].tolist(), int(self.layers["n_out"][-1])]
        strides = [leading_dimension(n, lanes, dtype.itemsize) for n in sizes]
        size = 0

        def place(numbers: int) -> int:
            nonlocal size
            start = size
            size += padded(numbers, LINE // dtype.itemsize)
            return start

        self.zeros = place(parameters.panel)  # (panel,): what products without a bias start from
        outputs = [place(rows * strides[0])]  # a^l, inputs first
        deltas, zs = [], []
        for ld, keep in zip(strides[1:], keep_z or [False] * len(self.layers), strict=True):
            outputs.append(place(rows * ld))
            deltas.append(place(rows * ld))
            zs.append(place(rows * ld) if keep and train else outputs[-1])
        if train:
            zs[-1] = deltas[-1]  # the cost has it from there, see kernels/costs.py
        self.layers["input"], self.layers["ld_input"] = outputs[:-1], strides[:-1]
        self.layers["output"], self.layers["delta"], self.layers["z"] = outputs[1:], deltas, zs
        self.layers["ld"] = strides[1:]
        self.layers["blocks"][0] = input_blocks
        rows_end = size
        # Of each thread: [constants of the rule | gradient of a chunk (panels, CHUNK_ROWS, panel): of one panel, or of
        # all where a mini-batch is added up in blocks | w turned (n_out, panel) | sums over nonzeros (OUTER_PANELS,
        # BLOCK_INPUTS, panel)]
        widest = int(self.layers["columns"].max())
        block = OUTER_PANELS * BLOCK_INPUTS if input_blocks else 0
        self.turned = MAX_CONSTANTS + max(CHUNK_ROWS * (widest if rows > SUM_ROWS else parameters.panel),
                                          block * parameters.panel)  # fmt: skip
        self.sums = self.turned + widest * parameters.panel
        self.scratch_size = self.sums + block * parameters.panel if train else 0
        self.scratch = place(threads * self.scratch_size)
        # Of each CHAIN_ROWS samples: gradient (parameters,), where it is small beside their activations and errors
        chains, gradient = -(-rows // CHAIN_ROWS), parameters.buffer.size
        apart = train and threads > 1 and not input_blocks and rows > SUM_ROWS and 2 * chains * gradient < rows_end
        self.gradients = place(chains * gradient) if apart else 0
        self.buffer = aligned(size, dtype)
        self.costs = np.zeros(rows)  # (m,): weight · C_x
        self.right = np.zeros(rows)  # (m,): weight where the answer is right, else 0
        self.picked = np.zeros(rows * (input_blocks + 1) if input_blocks else 0, np.int64)  # see products/nonzeros.py
        # See kernels/barrier.py, and behind it for each thread kernels/pieces.py
        self.sync = np.zeros(SYNC_SIZE + threads * padded(1 + len(self.layers), DONE), np.int64)
        self.seen = np.zeros((threads, 4))  # of each thread, see kernels/epoch.py

    @property
    def nbytes(self) -> int:
        """Bytes of all arrays together."""
        arrays: tuple[Array, ...] = (self.buffer, self.costs, self.right, self.picked, self.sync, self.seen)
        return sum(array.nbytes for array in (*arrays, self.layers))

    def matrix(self, name: str, layer: Any, rows: int) -> Array:
        """Return a copy of "input", "output" or "delta" of one layer: (rows, n)."""
        ld = int(layer["ld_input" if name == "input" else "ld"])
        n = int(layer["n_in" if name == "input" else "n_out"])
        block = self.buffer[layer[name] :][: rows * ld].reshape(rows, ld)
        return np.ascontiguousarray(block[:, :n])
