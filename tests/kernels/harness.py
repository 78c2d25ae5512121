"""What the tests of kernels know of the kernels: names, operands, layouts. What moves in the package moves here alone.

Operands lie in memory that holds a NaN everywhere else. Around what is read it is a quiet one, which shows in every
result that it reaches. Around what is written it is another, a signalling one, which arithmetic would turn into a
quiet one: no sum, not even a sum of NaNs, is stored there unseen.
"""

import os
from fractions import Fraction

import numpy as np
from numba import types
from numba.extending import intrinsic

from fastbp.compiler.callee import NUMBERS as NUMBERS_AT
from fastbp.compiler.callee import SIZE, Callee
from fastbp.compiler.jit import kernel
from fastbp.compiler.target import CHOICES, LANES
from fastbp.kernels.backward import transpose_panel
from fastbp.kernels.barrier import DONE, SYNC_SIZE, barrier, begin_of
from fastbp.kernels.blocking import BLOCK_INPUTS, CHAIN_ROWS, GROUPS, MAX_ROWS, PANEL_VECTORS
from fastbp.kernels.fields import layer_at, parameters_at, sync_at, work_at
from fastbp.kernels.pieces import take
from fastbp.kernels.products import nonzeros
from fastbp.kernels.products.dense import call_product, panels_product
from fastbp.kernels.products.sparse import WIDTHS, call_add_entries, call_forward_entries
from fastbp.kernels.products.tiles import SIZES, product_tiles
from fastbp.kernels.products.transpose import transpose_block
from fastbp.kernels.records import Record
from fastbp.kernels.rows import add, all_finite, clear, copy, gather, scale
from fastbp.memory.parameters import Parameters, padded
from fastbp.networks.run import addresses, product_address
from fastbp.vectors.pointers import pointer
from fastbp.vectors.simd import lanes

__all__ = [
    "BLOCK_INPUTS", "CHAIN_ROWS", "CHOICES", "GROUPS", "LANES", "MAX_ROWS", "PANEL_VECTORS", "SIZES", "WIDTHS",
    "lanes", "padded",
]  # fmt: skip

DTYPES = (np.float32, np.float64)
PRIMES = (23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89, 97, 101)
FEW = "FASTBP_FEW_NUMBERS"  # set where the tables are gone through once more, see test_widths.py
NUMBERS = (*range(1, 21), *(PRIMES[::8] if FEW in os.environ else PRIMES))
GUARD = 131  # numbers before and behind: odd, so that operands lie anywhere, and more than a row of the widest tile
READ, WRITTEN = 0, 1  # what the NaN is around
NANS = {4: (0x7FC0FACE, 0x7F80DEAD), 8: (0x7FF80000CAFEFACE, 0x7FF00000DEADBEEF)}


class Surrounded:
    """A matrix (rows, columns) of row stride ld, with NaN before it, behind it and between its rows.

    - before: so many rows of NaN come first
    """

    def __init__(self, values, kind, gap=0, before=0):
        values = np.asarray(values)
        self.rows, self.columns = values.shape
        self.ld, self.before = self.columns + gap, before
        size = values.dtype.itemsize
        self.nan = np.dtype(f"i{size}").type(NANS[size][kind])
        self.bits = np.full(2 * GUARD + (before + self.rows) * self.ld, self.nan)
        self.memory = self.bits.view(values.dtype)
        self.window(self.memory)[...] = values

    def window(self, memory):
        start = GUARD + self.before * self.ld
        return memory[start:][: self.rows * self.ld].reshape(self.rows, self.ld)[:, : self.columns]

    @property
    def numbers(self):
        return self.window(self.memory)

    def untouched(self):
        """Whether the NaN around are as they were, bit for bit."""
        bits = self.bits.copy()
        self.window(bits)[...] = self.nan
        return bool((bits == self.nan).all())


def target(rows, columns, dtype, gap=0, before=0):
    """A matrix to write to: what is forgotten stays NaN."""
    return Surrounded(np.full((rows, columns), np.nan, dtype), WRITTEN, gap, before)


def same(one, other):
    """Whether two arrays are equal, bit for bit."""
    one, other = np.ascontiguousarray(one), np.ascontiguousarray(other)
    return one.dtype == other.dtype and one.shape == other.shape and one.tobytes() == other.tobytes()


def lanes_of(dtype):
    return lanes(np.dtype(dtype))


def panel_of(dtype):
    return PANEL_VECTORS * lanes_of(dtype)


def record_for(dtype, **values):
    """A run's record, with the product that all others need."""
    name = np.dtype(dtype).name
    return Record(name, product=product_address(name), **values)


def nearest(exact, dtype):
    """The number of `dtype` nearest to a Fraction, of two the even one."""
    near = dtype(float(exact))  # rounded twice for float32: perhaps to a neighbour
    candidates = [near, np.nextafter(near, dtype(-np.inf)), np.nextafter(near, dtype(np.inf))]
    bits = np.dtype(f"i{near.itemsize}")
    return min(candidates, key=lambda number: (abs(Fraction(float(number)) - exact), int(number.view(bits)) % 2))


# Products: C = A B + I


@intrinsic
def scalar_fma(typing_context, x, y, z):
    def codegen(context, builder, signature, arguments):
        return builder.fma(*arguments)

    return z(x, y, z), codegen


@kernel(cache=False)
def _chains(a, b, out):
    zero = a[0, 0] - a[0, 0]
    for i in range(len(a)):
        for j in range(b.shape[1]):
            total = zero
            for l in range(len(b)):  # noqa: E741
                total = scalar_fma(a[i, l], b[l, j], total)
                out[l, i, j] = total


@kernel(cache=False, no_cpython_wrapper=True)
def tiles(
    rows: SIZE, vectors: SIZE, m: SIZE,
    a: NUMBERS_AT, ras: SIZE, kas: SIZE,
    b: NUMBERS_AT, ldb: SIZE, ldp: SIZE,
    init: NUMBERS_AT, ldi: SIZE,
    c: NUMBERS_AT, ldc: SIZE,
    k: SIZE,
    hint: NUMBERS_AT, hint_step: SIZE, hint_end: NUMBERS_AT,
):  # fmt: skip
    product_tiles(
        rows, vectors, m // rows, a, ras, kas, b, ldb, ldp, init, ldi, c, ldc, k, hint, hint_step, hint_end
    )  # fmt: skip


TILES = Callee(tiles.py_func)
call_tiles = TILES.call


@kernel(cache=False)
def _fill(bits, count, nan):
    for i in range(count):
        bits[i] = nan


@kernel(cache=False)
def _place(values, rows, columns, memory, start, row_stride, column_stride):
    for i in range(rows):
        for j in range(columns):
            memory[start + i * row_stride + j * column_stride] = values[i, j]


@kernel(cache=False)
def _wrong(m, n, width, sums, init, repeated, numbers, bits, ld, size, nan):
    """The first wrong entry of C (row, column), or (-1, place) of the first NaN around that is not as it was."""
    expected = numbers[-1:], bits[-1:]
    for i in range(m):
        for j in range(width):
            place = GUARD + i * ld + j
            start = init[0 if repeated else i, j]
            expected[0][0] = sums[i, j] + start if j < n else start - start
            if bits[place] != expected[1][0]:
                return i, j
            bits[place] = nan
    for place in range(size):
        if bits[place] != nan:
            return -1, place - GUARD
    return 0, -1


ROW, MATRIX, ITSELF = range(3)  # what I is


@kernel(cache=False)
def _run_products(tiles, product, lanes, cases, a, b, init, chains, memory, bits, nans):
    """The first case that goes wrong, and where; (-1, 0, 0): none."""
    for at in range(len(cases)):
        case = cases[at]
        rows, m, vectors, k, turned, start, gap = case[0], case[1], case[2], case[3], case[4], case[5], case[6]
        width = vectors * lanes
        panel = min(width, PANEL_VECTORS * lanes)
        ras, kas = (1, m + gap) if turned else (k + gap, 1)
        _fill(bits[0], 2 * GUARD + (k * kas if turned else m * ras), nans[READ])
        _place(a, m, k, memory[0], GUARD, ras, kas)
        ldb = panel + gap
        ldp = k * ldb + gap
        _fill(bits[1], 2 * GUARD + width // panel * ldp, nans[READ])
        for p in range(width // panel):
            _place(b[:, p * panel :], k, panel, memory[1], GUARD + p * ldp, ldb, 1)
        ldc = width + gap
        size = 2 * GUARD + (m + MAX_ROWS) * ldc
        _fill(bits[3], size, nans[WRITTEN])
        source, ldi = (3, ldc) if start == ITSELF else (2, 0 if start == ROW else width + gap + 1)
        _fill(bits[2], 2 * GUARD + (1 if start == ROW else m) * (width + gap + 1), nans[READ])
        _place(init, 1 if start == ROW else m, width, memory[source], GUARD, ldi, 1)

        a_0, b_0, init_0 = pointer(memory[0], GUARD), pointer(memory[1], GUARD), pointer(memory[source], GUARD)
        c_0 = pointer(memory[3], GUARD)
        hint_end = pointer(memory[2], GUARD * (at % 3))
        if rows:
            call_tiles(
                address=tiles, rows=rows, vectors=vectors, m=m, a=a_0, ras=ras, kas=kas, b=b_0, ldb=ldb, ldp=ldp,
                init=init_0, ldi=ldi, c=c_0, ldc=ldc, k=k,
                hint=pointer(memory[2], 0), hint_step=gap, hint_end=hint_end,
            )  # fmt: skip
        else:
            call_product(
                address=product, m=m, vectors=vectors, a=a_0, ras=ras, kas=kas, b=b_0, ldb=ldb, ldp=ldp,
                init=init_0, ldi=ldi, c=c_0, ldc=ldc, k=k,
                hint=pointer(memory[2], 0), hint_step=gap, hint_end=hint_end,
            )  # fmt: skip
        row, column = _wrong(
            m, width, width, chains[k - 1], init, start == ROW, memory[3], bits[3], ldc, size, nans[WRITTEN]
        )  # fmt: skip
        if column != -1 or row:
            return at, row, column
    return -1, 0, 0


@kernel(cache=False)
def _run_panels(run, lanes, cases, a, b, init, chains, memory, bits, nans):
    """As `_run_products`, for the product over all panels, whose last columns are pads."""
    run = run[0]
    for at in range(len(cases)):
        case = cases[at]
        m, n, k, gap = case[0], case[1], case[2], case[3]
        columns = (n + lanes - 1) // lanes * lanes
        panel = PANEL_VECTORS * lanes
        lda, ldc, rows_b = k + gap, columns + gap, k + gap
        _fill(bits[0], 2 * GUARD + m * lda, nans[READ])
        _fill(bits[1], 2 * GUARD + rows_b * columns, nans[READ])
        _fill(bits[2], 2 * GUARD + columns, nans[READ])
        _place(a, m, k, memory[0], GUARD, lda, 1)
        for j in range(0, columns, panel):
            width = min(panel, columns - j)
            start = GUARD + j * rows_b
            for l in range(k):  # noqa: E741
                for c in range(width):
                    memory[1][start + l * width + c] = b[l, j + c] if j + c < n else 0
        for j in range(columns):
            memory[2][GUARD + j] = init[0, j] if j < n else 0
        size = 2 * GUARD + (m + MAX_ROWS) * ldc
        _fill(bits[3], size, nans[WRITTEN])

        panels_product(
            run, m, k, columns, pointer(memory[0], GUARD), lda, pointer(memory[1], GUARD), rows_b,
            pointer(memory[2], GUARD), pointer(memory[3], GUARD), ldc,
        )  # fmt: skip
        row, column = _wrong(
            m, n, columns, chains[k - 1], init, True,
            memory[3], bits[3], ldc, size, nans[WRITTEN],
        )  # fmt: skip
        if column != -1 or row:
            return at, row, column
    return -1, 0, 0


class Products:
    """Matrices of one dtype, what all their products are, and the memory to compute them in.

    chains[k - 1, :m, :n] is A[:m, :k] B[:k, :n]: for each entry one chain of fused multiply-adds, k in order.
    """

    def __init__(self, dtype):
        self.dtype, self.lanes = dtype, lanes_of(dtype)
        most, width = max(NUMBERS), padded(max(NUMBERS), 4 * panel_of(dtype))
        rows = max(most, 4 * MAX_ROWS)
        rng = np.random.default_rng(8)
        self.a = rng.normal(size=(rows, most)).astype(dtype)
        self.b = rng.normal(size=(most, width)).astype(dtype)
        self.init = rng.normal(size=(rows, width)).astype(dtype)
        self.chains = np.empty((most, rows, width), dtype)
        _chains(self.a, self.b, self.chains)
        self.nans = np.array(NANS[np.dtype(dtype).itemsize], f"i{np.dtype(dtype).itemsize}")
        self.record = record_for(dtype)
        self.tiles = TILES.address(tiles, getattr(types, np.dtype(dtype).name))

    def memory(self, numbers):
        memory = np.empty((4, 2 * GUARD + numbers), self.dtype)
        return memory, memory.view(self.nans.dtype)

    def wrong_products(self, cases):
        """The first case (rows of a tile or 0, m, vectors, k, A transposed, I, gap) that goes wrong, or None."""
        _, m, vectors, k, _, _, gap = np.array(cases).max(axis=0)
        width = vectors * self.lanes + gap + 1
        memory = self.memory(max((m + MAX_ROWS + 1) * max(width, k + gap), (k + 1) * (m + gap), (k + 1) * 4 * width))
        found = _run_products(
            self.tiles, self.record["product"], self.lanes, np.array(cases), self.a, self.b, self.init, self.chains,
            *memory, self.nans,
        )  # fmt: skip
        return self.named(("rows", "m", "vectors", "k", "transposed", "init", "gap"), cases, found)

    def wrong_panels(self, cases):
        """The first case (m, n, k, gap) of the product over all panels that goes wrong, or None."""
        m, n, k, gap = np.array(cases).max(axis=0)
        width = padded(n, panel_of(self.dtype)) + gap
        memory = self.memory(max((m + MAX_ROWS + 1) * width, (m + 1) * (k + gap), (k + gap) * width))
        found = _run_panels(
            self.record.array, self.lanes, np.array(cases), self.a, self.b, self.init, self.chains, *memory, self.nans
        )  # fmt: skip
        return self.named(("m", "n", "k", "gap"), cases, found)

    @staticmethod
    def named(names, cases, found):
        at, row, column = found
        if at < 0:
            return None
        where = f"entry ({row}, {column})" if row >= 0 else f"{column} numbers from the start of C, outside"
        return f"{where}: {dict(zip(names, map(int, cases[at]), strict=True))}"


@kernel(cache=False)
def _multiply(product, m, vectors, a, ras, kas, b, ldb, init, ldi, c, ldc, k):
    a = pointer(a, GUARD)
    call_product(
        address=product, m=m, vectors=vectors, a=a, ras=ras, kas=kas, b=pointer(b, GUARD), ldb=ldb, ldp=0,
        init=pointer(init, GUARD), ldi=ldi, c=pointer(c, GUARD), ldc=ldc, k=k,
        hint=a, hint_step=0, hint_end=a,
    )  # fmt: skip


def multiply(a, b, init, c, *, transposed=False):
    """C = A B + I for one panel, all Surrounded; I has one row, or as many as C."""
    m, k, ras, kas = (a.columns, a.rows, 1, a.ld) if transposed else (a.rows, a.columns, a.ld, 1)
    _multiply(
        product_address(a.memory.dtype.name), m, c.columns // lanes_of(a.memory.dtype), a.memory, ras, kas,
        b.memory, b.ld, init.memory, init.ld if init.rows > 1 else 0, c.memory, c.ld, k,
    )  # fmt: skip


# Transposes


@kernel(cache=False)
def _transpose(source, s, ld_source, target, t, ld_target, ahead):
    transpose_block(pointer(source, s), ld_source, pointer(target, t), ld_target, ahead)


def transpose(source, i, j, target, ahead):
    """Transpose the square of a Surrounded at (i, j) into another."""
    _transpose(source.memory, GUARD + i * source.ld + j, source.ld, target.memory, GUARD, target.ld, ahead)


@kernel(cache=False)
def _transpose_panel(run, j, width):
    run = run[0]
    transpose_panel(run, layer_at(run, 0), j, width, 0)


def layer_of(w, bias):
    """A layer of these weights (n_out, n_in) and biases: its record, and its parameters, which are Surrounded."""
    store = Parameters([w.shape[1], w.shape[0]], w.dtype, lanes_of(w.dtype))
    store.set([w], [bias])
    return store.layers, Surrounded(store.buffer[None], READ)


def transposed_panels(w):
    """For each panel of inputs: where it begins, and w (columns, width) there, as BP2 turns it."""
    layers, parameters = layer_of(w, np.zeros(len(w), w.dtype))
    record = Record(w.dtype.name)
    rows, columns = int(layers[0]["rows"]), int(layers[0]["columns"])
    for j in range(0, rows, panel_of(w.dtype)):
        turned = target(columns, min(panel_of(w.dtype), rows - j), w.dtype)
        record.hold(layers=layers, parameters=parameters.numbers, work=turned.numbers)
        _transpose_panel(record.array, j, turned.columns)
        yield j, turned


# Products over the inputs that are not 0


class ShortForm:
    """The entries of x (samples, inputs), found with room for `room` of them."""

    def __init__(self, x, room):
        self.n, self.n_in = x.shape
        self.blocks = -(-self.n_in // BLOCK_INPUTS)
        self.starts = Surrounded(np.full((1, self.n * self.blocks + 1), -1), WRITTEN)
        kind = nonzeros.entry_type(x.dtype)
        integer = f"i{x.dtype.itemsize}"
        self.memory = Surrounded(np.full((1, 2 * room), -1, integer), WRITTEN)
        self.entries = self.memory.numbers[0].view(kind)
        x = x.view()
        x.flags.writeable = False
        self.found = nonzeros.find(x, self.starts.numbers[0], self.entries)

    def untouched(self):
        return self.starts.untouched() and self.memory.untouched()

    def of(self, sample, block):
        """Places and values of a sample's entries in a block of inputs."""
        starts = self.starts.numbers[0]
        here = self.entries[starts[sample * self.blocks + block] : starts[sample * self.blocks + block + 1]]
        return here["place"], here["value"]


@kernel(cache=False)
def _forward_entries(run, place, first, m, begin, end):
    run = run[0]
    call_forward_entries(
        address=run.forward_entries, run=run, layer=layer_at(run, 0), place=place, first=first, m=m, begin=begin,
        end=end,
    )  # fmt: skip


@kernel(cache=False)
def _add_entries(run, j, panels, width, k, rows, first, stop, begun, target, ldt, scratch, place, m_order):
    run = run[0]
    call_add_entries(
        address=run.add_entries, run=run, layer=layer_at(run, 0), j=j, panels=panels, width=width, k=k, rows=rows,
        first=first, stop=stop, begun=begun, target=pointer(target, GUARD), ldt=ldt, scratch=pointer(scratch, GUARD),
        place=place, m_order=m_order,
    )  # fmt: skip


@kernel(cache=False)
def _dense_forward(run, m, a, k):
    run = run[0]
    layer = layer_at(run, 0)
    panels_product(
        run, m, k, layer.columns, pointer(a, GUARD), k, parameters_at(run, layer.weights), layer.rows,
        parameters_at(run, layer.bias), work_at(run, layer.z), layer.ld,
    )  # fmt: skip


class Skipping:
    """The first layer's products with x (samples, inputs), of which a mini-batch takes order[place : place + m]."""

    def __init__(self, x, w, bias, order, place, batch_size):
        self.x, self.order, self.place = x, order, place
        self.form = ShortForm(x, x.size + x.shape[1])
        self.layers, self.parameters = layer_of(w, bias)
        self.layers["blocks"] = self.form.blocks
        self.columns = int(self.layers[0]["columns"])
        self.picked = Surrounded(np.zeros((1, batch_size * (self.form.blocks + 1)), np.int64), WRITTEN)
        kernels = addresses(x.dtype.name, "forward_entries", "add_entries")
        self.record = record_for(x.dtype, batch_size=batch_size, num_samples=len(order), **kernels)
        self.record.hold(
            layers=self.layers, parameters=self.parameters.numbers, order=self.order, picked=self.picked.numbers,
            starts=self.form.starts.numbers, entries=self.form.entries,
        )  # fmt: skip

    def rows(self, first, m):
        """Inputs of rows first .. first + m - 1 of the mini-batch."""
        return np.ascontiguousarray(self.x[self.order[self.place + first : self.place + first + m]])

    def forward(self, first, m, gap, cuts=()):
        """Weighted inputs of these rows, over the entries; cut into ranges of outputs."""
        z = self.weighted_inputs(m, gap, before=first)
        ends = [0, *cuts, self.columns]
        for begin, end in zip(ends, ends[1:], strict=False):
            _forward_entries(self.record.array, self.place + first, first, m, begin, end)
        return z

    def dense_forward(self, first, m, gap):
        """The same over all inputs."""
        z, a = self.weighted_inputs(m, gap), Surrounded(self.rows(first, m), READ)
        _dense_forward(self.record.array, m, a.memory, a.columns)
        return z

    def weighted_inputs(self, m, gap, before=0):
        """Where z of m rows comes to lie, behind the rows before them."""
        z = target(m, self.columns, self.x.dtype, gap, before)
        self.layers["z"], self.layers["ld"] = 0, z.ld
        self.record.hold(work=z.memory[GUARD:])
        return z

    def gradient(self, delta, j, panels, width, block, first, stop, start):
        """Σ δ a of panels from column j on, one below the other, added to `start` if there is one; and the scratch."""
        k = block * BLOCK_INPUTS
        rows = min(BLOCK_INPUTS, self.x.shape[1] - k)
        g = target(panels * rows, width, self.x.dtype) if start is None else Surrounded(start, WRITTEN)
        scratch = Surrounded(np.zeros((panels * rows, width), self.x.dtype), WRITTEN)
        self.layers["ld"], self.layers["delta"] = delta.ld, 0
        self.record.hold(work=delta.numbers)
        _add_entries(
            self.record.array, j, panels, width, k, rows, first, stop, int(start is not None), g.memory, rows * width,
            scratch.memory, self.place, stop,
        )  # fmt: skip
        return g, scratch

    def dense_gradient(self, delta, j, width, block, first, stop, start):
        """The same over all inputs, CHAIN_ROWS rows after the other."""
        a = self.rows(0, stop)[:, block * BLOCK_INPUTS :][:, :BLOCK_INPUTS]
        g = target(a.shape[1], width, self.x.dtype) if start is None else Surrounded(start, WRITTEN)
        zeros = Surrounded(np.zeros((1, width), self.x.dtype), READ)
        for i in range(first, stop, CHAIN_ROWS):
            last = min(i + CHAIN_ROWS, stop)
            d = Surrounded(delta.numbers[i:last, j : j + width], READ)
            init = zeros if start is None and i == first else g
            multiply(Surrounded(a[i:last], READ), d, init, g, transposed=True)
        return g


# Teams


@kernel(cache=False)
def _begins(team, count, grain, out):
    for thread in range(team + 1):
        out[thread] = begin_of(thread, team, count, grain)


def begins(team, count, grain):
    """Where the parts of all threads begin, and where the last one's ends."""
    out = np.full(team + 1, -1)
    _begins(team, count, grain, out)
    return out


@kernel(cache=False)
def meet(sync, thread, team, rounds, arrived, work):
    """Meet 2 * rounds times; return how often somebody was seen who had not come, or had gone on.

    - arrived (team, DONE): rounds that each thread has begun; work (team, DONE): is worked on, by some for longer
    """
    wrong = 0
    for i in range(rounds):
        for _ in range((thread + i) % team * 500):
            work[thread, 0] = work[thread, 0] * 5 + 1
        arrived[thread, 0] = i + 1
        barrier(pointer(sync, 0), team, 2 * i)
        for other in range(team):
            wrong += arrived[other, 0] != i + 1
        barrier(pointer(sync, 0), team, 2 * i + 1)
    return wrong


def new_sync():
    """What a team needs to meet, and room for a number of each of `team` threads on a cache line of its own."""
    return np.zeros(SYNC_SIZE, np.int64)


def numbers_apart(team):
    return np.zeros((team, DONE), np.int64)


@kernel(cache=False)
def _take_all(run, thread, team, rounds, sizes, taken):
    run = run[0]
    for met in range(rounds):
        for turn in range(team):
            owner = (thread + turn) % team
            for kind in range(sizes.shape[1]):
                piece = take(run, owner, kind, met, sizes[owner, kind])
                while piece >= 0:
                    taken[thread, met, owner, kind, piece] += 1
                    piece = take(run, owner, kind, met, sizes[owner, kind])
        barrier(sync_at(run, 0), team, met)


class Pieces:
    """A team that takes pieces: of each owner's part of each kind there are sizes[owner, kind] of them.

    - taken (team, rounds, team, kinds, pieces): by whom, and how often
    """

    def __init__(self, sizes, rounds):
        team, kinds = sizes.shape
        self.sizes, self.rounds, self.team = sizes, rounds, team
        self.sync = np.zeros(SYNC_SIZE + team * padded(kinds, DONE), np.int64)
        self.record = Record("float64", num_layers=kinds - 1)
        self.record.hold(sync=self.sync)
        self.taken = np.zeros((team, rounds, team, kinds, int(sizes.max())), np.int64)

    def compile(self):
        """So that the threads begin together."""
        _take_all(self.record.array, 0, self.team, 0, self.sizes, self.taken)

    def take(self, thread):
        """Take whatever is left, round after round."""
        _take_all(self.record.array, thread, self.team, self.rounds, self.sizes, self.taken)


def let_go(sync):
    """Let everybody pass who waits, now and later."""
    sync[DONE] = 2**40


def gone(sync):
    """Whether they were let go."""
    return sync[DONE] >= 2**40


# Rows


@kernel(cache=False)
def _gather(x, n, order, m, target, ld):
    gather(pointer(x, GUARD), n, pointer(order, GUARD), m, pointer(target, GUARD), ld)


def gather_rows(x, order, target):
    """Gather the rows of a Surrounded without gaps that `order`, also Surrounded, names."""
    _gather(x.memory, x.columns, order.memory, order.columns, target.memory, target.ld)


@kernel(cache=False)
def _copy(source, target, start, count):
    copy(pointer(source, start), pointer(target, start), count)


@kernel(cache=False)
def _clear(target, start, count):
    clear(pointer(target, start), count)


@kernel(cache=False)
def _scale(target, start, count, factor):
    scale(pointer(target, start), count, factor)


@kernel(cache=False)
def _add(source, target, start, count):
    add(pointer(source, start), pointer(target, start), count)


@kernel(cache=False)
def _all_finite(a, start, count):
    return all_finite(pointer(a, start), count)


def copy_numbers(source, target):
    _copy(source.memory, target.memory, GUARD, source.columns)


def clear_numbers(target):
    _clear(target.memory, GUARD, target.columns)


def scale_numbers(target, factor):
    _scale(target.memory, GUARD, target.columns, factor)


def add_numbers(source, target):
    _add(source.memory, target.memory, GUARD, source.columns)


def are_finite(a):
    return _all_finite(a.memory, GUARD, a.columns)
