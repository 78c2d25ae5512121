"""Training inputs that are mostly 0, in a short form that is kept beside the data."""

from typing import NamedTuple

import numpy as np

from ..border.sparse import SparseRows
from ..formulas import Array
from ..kernels.blocking import BLOCK_INPUTS
from ..kernels.products.nonzeros import entry_type, find

# Of all inputs, how many may differ from 0. At 0.25 steps take 0.6 to 0.95 of their time, at 0.3 some take longer
# (Zen 4; 784-30-10, 784-128-10 and 784-512-512-10, both dtypes, vectors of 8 and of 16).
MOST = 0.25
LOOKED_AT = 256  # samples that tell how many do
LEAST_INPUTS = 64
LEAST_BATCH = 3  # 784-128-10, 1 to 4 samples: 12.5, 14.5, 16.6, 19.5 us a step; 6.4, 12.9, 16.7, 21.0 without
LEAST_EPOCHS = 2  # to find them takes as long as is gained in one epoch of 784-30-10


class Nonzeros(NamedTuple):
    """The inputs that are not 0; kernels/products/nonzeros.py says how they lie."""

    blocks: int  # of BLOCK_INPUTS inputs; 0: there is no short form
    starts: Array  # (n * blocks + 1,)
    entries: Array


def of_sparse(x: SparseRows) -> Nonzeros:
    """Return the short form of samples that come in one already."""
    blocks = -(-x.n // BLOCK_INPUTS)
    entries = np.empty(len(x.values), entry_type(x.dtype))
    entries["place"], entries["value"] = x.places, x.values
    block = np.repeat(np.arange(len(x)) * blocks, np.diff(x.starts)) + x.places // BLOCK_INPUTS
    return Nonzeros(blocks, np.searchsorted(block, np.arange(len(x) * blocks + 1)), entries)


NO_SHORT_FORM = Nonzeros(0, np.zeros(0, np.int64), np.zeros(0))


def find_nonzeros(x: Array, batch_size: int, epochs: int) -> Nonzeros:
    """Return the short form of x (n, n_in) if it makes training faster."""
    n, n_in = x.shape
    few = x[:: -(-n // LOOKED_AT)]
    if epochs < LEAST_EPOCHS or batch_size < LEAST_BATCH or n_in < LEAST_INPUTS:
        return NO_SHORT_FORM
    if np.count_nonzero(few) > MOST * few.size:
        return NO_SHORT_FORM
    blocks = -(-n_in // BLOCK_INPUTS)
    starts = np.empty(n * blocks + 1, np.int64)
    entries = np.empty(int(MOST * x.size) + n_in, entry_type(x.dtype))  # the system gives memory only where it is used
    x = x.view()
    x.flags.writeable = False  # one kind of input, to be compiled for once
    return Nonzeros(blocks, starts, entries) if find(x, starts, entries) else NO_SHORT_FORM
