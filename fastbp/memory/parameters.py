"""Where every weight and bias lives: one aligned buffer, in the layout that the kernels like.

Weights of one layer lie in panels: columns of up to two vectors of outputs, each (n_in, width) with
inputs outermost, so that a product reads them in one straight line. Outputs are padded to whole
vectors, inputs to whole squares; pads hold zeros for ever, because their gradients are zero. BP2
transposes a panel at a time.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from ..formulas import Array
from ..kernels.blocking import LINE, PANEL_VECTORS
from ..kernels.records import LAYER


def padded(n: int, multiple: int) -> int:
    """Return the least multiple that holds n."""
    return -(-n // multiple) * multiple


def aligned(size: int, dtype: Any) -> Array:
    """Return `size` zeros that begin on a cache line."""
    dtype = np.dtype(dtype)
    raw = np.zeros(size * dtype.itemsize + LINE, np.uint8)
    start = -raw.ctypes.data % LINE
    return raw[start : start + size * dtype.itemsize].view(dtype)


class Parameters:
    """All weights and biases of a network."""

    def __init__(self, sizes: Sequence[int], dtype: Any, lanes: int) -> None:
        self.panel = PANEL_VECTORS * lanes  # numbers across a full panel
        self.layers = np.zeros(len(sizes) - 1, LAYER)
        size = 0
        for layer, n_in, n_out in zip(self.layers, sizes, sizes[1:], strict=False):
            layer["n_in"], layer["n_out"] = n_in, n_out
            layer["rows"], layer["columns"] = padded(n_in, lanes), padded(n_out, lanes)
            layer["weights"] = size
            size += int(layer["rows"] * layer["columns"])
        for layer in self.layers:
            layer["bias"] = size
            layer["neurons"] = size - int(self.layers[0]["bias"])
            size += int(layer["columns"])
        self.buffer = aligned(size, dtype)  # [w¹ | w² | … | b¹ | b² | …]

    def get(self) -> tuple[list[Array], list[Array]]:
        """Return copies: weights (n_out, n_in) and biases (n_out,)."""
        return self.read(self.buffer)

    def read(self, buffer: Array) -> tuple[list[Array], list[Array]]:
        """Return copies of what lies in any buffer of this layout, gradients say."""
        weights, biases = [], []
        for layer in self.layers:
            w = np.empty((layer["columns"], layer["rows"]), buffer.dtype)
            for columns, panel in self._panels(layer, buffer):
                w[columns] = panel.T
            weights.append(np.ascontiguousarray(w[: layer["n_out"], : layer["n_in"]]))
            biases.append(buffer[layer["bias"] :][: layer["n_out"]].copy())
        return weights, biases

    def set(self, weights: Sequence[Array], biases: Sequence[Array]) -> None:
        """Copy weights (n_out, n_in) and biases (n_out,) in."""
        self.write(self.buffer, weights, biases)

    def write(self, buffer: Array, weights: Sequence[Array], biases: Sequence[Array]) -> None:
        """Copy weights and biases, or what has their shapes, into any buffer of this layout."""
        for layer, w, b in zip(self.layers, weights, biases, strict=True):
            for columns, panel in self._panels(layer, buffer):
                part = w[columns]
                panel[: layer["n_in"], : len(part)] = part.T
            buffer[layer["bias"] :][: layer["n_out"]] = b

    def _panels(self, layer: Any, buffer: Array) -> Iterator[tuple[slice, Array]]:
        for j in range(0, layer["columns"], self.panel):
            width = min(self.panel, layer["columns"] - j)
            start = layer["weights"] + j * layer["rows"]
            panel = buffer[start : start + layer["rows"] * width].reshape(-1, width)
            yield slice(j, j + width), panel
