"""Products over the inputs that are not 0: every bit of the products over all, and nothing written outside."""

import itertools

import harness
import numpy as np
import pytest
from harness import BLOCK_INPUTS, CHAIN_ROWS, READ, WIDTHS, ShortForm, Surrounded

INPUTS = (1, 2, 17, BLOCK_INPUTS - 1, BLOCK_INPUTS, BLOCK_INPUTS + 1, 2 * BLOCK_INPUTS + 1)


@pytest.fixture(params=harness.DTYPES, ids=["float32", "float64"])
def dtype(request):
    return request.param


def inputs(samples, n_in, dtype, seed=0):
    """Rows that are mostly 0, and some that are empty, full, or end in a number."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(samples, n_in)).astype(dtype)
    x[rng.random(x.shape) < 0.8] = 0
    x[::5] = 0
    x[1::5] = rng.normal(size=x[1::5].shape)
    x[2::5, -1] = 1
    return x


@pytest.mark.parametrize("n_in", INPUTS)
def test_short_form_holds_every_number_that_is_not_zero_and_nothing_is_written_outside(n_in, dtype):
    for samples in (1, 2, 3, 7, 20):
        x = inputs(samples, n_in, dtype)
        x[-1, 0], x[0, -1], x[-1, -1] = -0.0, np.finfo(dtype).smallest_subnormal, np.nan
        form = ShortForm(x, np.count_nonzero(x) + n_in)
        assert form.found, samples
        assert form.untouched(), samples
        for sample, block in itertools.product(range(samples), range(form.blocks)):
            here = x[sample, block * BLOCK_INPUTS : (block + 1) * BLOCK_INPUTS]
            places, values = form.of(sample, block)
            expected = np.flatnonzero(here)
            assert (places == block * BLOCK_INPUTS + expected).all(), (samples, sample, block)
            assert harness.same(values, here[expected]), (samples, sample, block)


def test_short_form_is_found_where_there_is_room_for_it_and_nothing_is_written_outside(dtype):
    """Room for the numbers before the last row, and for a whole row."""
    x = inputs(7, 97, dtype)
    least = np.count_nonzero(x[:-1]) + x.shape[1]
    for room in (0, 1, 96, 97, 98, least - 1, least, least + 1):
        form = ShortForm(x, room)
        assert form.found == (room >= least), room
        assert form.untouched(), room


@pytest.mark.parametrize("n_in", INPUTS)
def test_forward_over_entries_gives_every_bit_and_writes_nothing_outside(n_in, dtype):
    rng = np.random.default_rng(2)
    lanes = harness.lanes_of(dtype)
    x = inputs(23, n_in, dtype)
    for vectors in range(1, 2 * WIDTHS[-1] + 2):  # all widths, and what is left beside them
        n_out = vectors * lanes - vectors % lanes
        w, bias = rng.normal(size=(n_out, n_in)).astype(dtype), rng.normal(size=n_out).astype(dtype)
        order = rng.permutation(len(x))
        for place, first, m in ((0, 0, 1), (3, 0, 20), (0, 2, 7), (22, 0, 1)):
            skipping = harness.Skipping(x, w, bias, order, place, batch_size=first + m)
            cuts = [2 * lanes] if place and vectors > 2 else []  # a panel for one thread, the others for another
            got, expected = skipping.forward(first, m, vectors % 4, cuts), skipping.dense_forward(first, m, gap=0)
            case = {"outputs": n_out, "place": place, "first": first, "rows": m}
            assert harness.same(got.numbers, expected.numbers), case
            assert np.isfinite(got.numbers).all(), case
            assert got.untouched(), case
            assert skipping.picked.untouched(), case


@pytest.mark.parametrize("n_in", INPUTS)
def test_gradients_over_entries_give_every_bit_and_write_nothing_outside(n_in, dtype):
    """Errors times inputs, set or added, for runs of samples in one chain and in some."""
    rng = np.random.default_rng(3)
    lanes, panel = harness.lanes_of(dtype), harness.panel_of(dtype)
    x = inputs(2 * CHAIN_ROWS + 9, n_in, dtype)
    n_out = 6 * panel + lanes
    w, bias = np.zeros((n_out, n_in), dtype), np.zeros(n_out, dtype)
    place = 3
    for first, stop in ((0, 1), (0, 20), (5, 7), (0, CHAIN_ROWS), (0, CHAIN_ROWS + 1), (2, 2 * CHAIN_ROWS + 5)):
        skipping = harness.Skipping(x, w, bias, rng.permutation(len(x)), place, batch_size=stop)
        skipping.forward(0, stop, gap=0)  # notes where the samples begin
        delta = Surrounded(rng.normal(size=(stop, n_out)).astype(dtype), READ, gap=3)
        for (j, panels, width), block, begun in itertools.product(
            ((0, 1, panel), (panel, 4, panel), (2 * panel, 2, panel), (6 * panel, 1, lanes)),
            range(skipping.form.blocks),
            (False, True),
        ):
            rows = min(BLOCK_INPUTS, n_in - block * BLOCK_INPUTS)
            start = rng.normal(size=(panels * rows, width)).astype(dtype) if begun else None
            got, scratch = skipping.gradient(
                delta, j, panels, width, block, first, stop, None if start is None else start.copy()
            )
            parts = np.split(start, panels) if begun else [None] * panels
            expected = np.concatenate([
                skipping.dense_gradient(delta, j + p * width, width, block, first, stop, part).numbers
                for p, part in enumerate(parts)
            ])  # fmt: skip
            case = {"rows": (first, stop), "column": j, "panels": panels, "block": block, "begun": begun}
            assert harness.same(got.numbers, expected), case
            assert not scratch.numbers.any(), case
            assert np.isfinite(got.numbers).all(), case
            assert got.untouched(), case
            assert scratch.untouched(), case


@pytest.mark.parametrize("n_in", INPUTS)
def test_products_over_entries_agree_with_numpy(n_in, dtype):
    """|error| <= γ_(k+1) (|A| |B| + |I|), see the tests of products."""
    rng = np.random.default_rng(4)
    x = inputs(23, n_in, dtype)
    w, bias = rng.normal(size=(40, n_in)).astype(dtype), rng.normal(size=40).astype(dtype)
    order = rng.permutation(len(x))
    got = harness.Skipping(x, w, bias, order, 0, batch_size=len(x)).forward(0, len(x), gap=0).numbers[:, :40]
    a, b, init = x[order].astype(np.float64), w.T.astype(np.float64), bias.astype(np.float64)
    u = np.finfo(dtype).eps  # not half of it: NumPy rounds as well
    bound = (n_in + 1) * u / (1 - (n_in + 1) * u) * (abs(a) @ abs(b) + abs(init))
    assert (abs(got - (a @ b + init)) <= bound).all()
