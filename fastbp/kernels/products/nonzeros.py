"""Inputs that are mostly 0, in short form: those that are not, each with its place.

`entries` holds them, sample after sample; starts[sample * blocks + c] says where those from input c * BLOCK_INPUTS on
begin. `picked` holds the starts of a mini-batch's rows, (rows, blocks + 1). The settings have the three addresses.
"""

from typing import Any

import numpy as np
from llvmlite import ir

from ...compiler.jit import kernel, part
from ...vectors.flow import I64, Loop
from ...vectors.pointers import ask, emit_prefetch
from ...vectors.simd import Vectors
from ..blocking import BLOCK_INPUTS, LINE
from ..fields import number_at, order_at, picked_at, put, starts_at

I32 = ir.IntType(32)


def entry_type(dtype: Any) -> Any:
    """The NumPy type of an entry; place and value have the same size, so that nothing lies between."""
    return np.dtype([("place", f"i{dtype.itemsize}"), ("value", dtype)])


@kernel(no_cfunc_wrapper=True)
def find(x, starts, entries):
    """Write down the inputs of x (n, n_in) that are not 0; False if `entries` has no room for them.

    - starts (n * blocks + 1,) out; entries out: room for one more row than there will be
    """
    n, blocks = x.shape[1], (len(starts) - 1) // len(x)
    count = np.uint64(0)  # without a sign: numba would allow for negative places
    for sample in range(len(x)):
        if count + n > len(entries):
            return False
        for block in range(blocks):
            starts[sample * blocks + block] = count
            for k in range(block * BLOCK_INPUTS, min((block + 1) * BLOCK_INPUTS, n)):
                value = x[sample, k]
                # A 0 is written too, and the next one comes over it: a branch would be mispredicted.
                entries[count].place = k
                entries[count].value = value
                count += np.uint64(value != 0)
    starts[len(starts) - 1] = count
    return True


@part
def pick(run, blocks, place, first, m):
    """Note where samples order[place : place + m] begin, as rows first .. first + m - 1."""
    for i in range(m):
        following = number_at(order_at(run, min(place + i + run.batch_size, run.num_samples - 1)))
        ask(run.starts + 8 * following * blocks)
        sample = number_at(order_at(run, place + i))
        for c in range(blocks + 1):
            put(picked_at(run, (first + i) * (blocks + 1) + c), number_at(starts_at(run, sample * blocks + c)))


class Row:
    """One row in emitted code: entries[starts[0]] .. entries[starts[blocks] - 1]."""

    def __init__(self, simd, starts, blocks, entries):
        builder, at = simd.builder, simd.builder.gep
        first, last = builder.load(starts), builder.load(at(starts, [blocks]))
        self.simd, self.first, self.count = simd, at(entries, [first]), builder.sub(last, first)

    def loop(self, *values):
        """A loop over the entries, which carries these values besides the entry's address."""
        return Loop(self.simd.builder, self.count, self.first, *values)

    def entry(self, loop):
        """The round's place, a vector of its value, and the address of the next entry."""
        builder, here = self.simd.builder, loop.values[0]
        place, value = (builder.load(builder.gep(here, [I32(0), I32(field)])) for field in (0, 1))
        place = place if place.type == I64 else builder.sext(place, I64)
        return place, self.simd.broadcast(value), builder.gep(here, [I64(1)])

    def ask(self):
        """Ask for the lines that hold the entries."""
        builder = self.simd.builder
        in_line = I64(LINE // (2 * self.simd.alignment))
        lines = builder.add(builder.udiv(self.count, in_line), I64(1))
        with Loop(builder, lines, self.first) as loop:
            emit_prefetch(builder, loop.values[0])
            loop.later = [builder.gep(loop.values[0], [in_line])]


def emit_pointers(builder, dtype, starts, entries):
    """Two addresses as pointers to starts and to entries."""
    entry = ir.LiteralStructType([ir.IntType(dtype.bitwidth), Vectors(builder, dtype).element])
    return builder.inttoptr(starts, I64.as_pointer()), builder.inttoptr(entries, entry.as_pointer())
