"""Squares of numbers transposed in registers: exact copies, and nothing written outside."""

import itertools

import harness
import numpy as np
import pytest
from harness import NUMBERS, READ, Surrounded


def counted(rows, columns, dtype):
    """A matrix of numbers that are all different."""
    return np.arange(1, rows * columns + 1).reshape(rows, columns).astype(dtype)


@pytest.mark.parametrize("dtype", harness.DTYPES, ids=["float32", "float64"])
def test_transposed_squares_are_exact_and_nothing_is_written_outside(dtype):
    """Squares at any place of a matrix, of rows that lie at odd and even distances."""
    lanes = harness.lanes_of(dtype)
    for gap_source, gap_target in itertools.product((0, 1, 2, 7, 3 * lanes + 1), repeat=2):
        source = Surrounded(counted(2 * lanes + 3, 2 * lanes + 1, dtype), READ, gap_source)
        for i, j in itertools.product(range(lanes + 4), range(lanes + 2)):
            target = harness.target(lanes, lanes, dtype, gap_target)
            harness.transpose(source, i, j, target, ahead=(0, 1, 10**6)[(i + j) % 3])
            case = {"gaps": (gap_source, gap_target), "at": (i, j)}
            assert harness.same(target.numbers, source.numbers[i : i + lanes, j : j + lanes].T), case
            assert target.untouched(), case
        assert source.untouched()


@pytest.mark.parametrize("dtype", harness.DTYPES, ids=["float32", "float64"])
def test_panels_of_weights_are_turned_with_zeros_for_pads_and_nothing_is_written_outside(dtype):
    """For BP2: w of some inputs, (columns, inputs), for any number of inputs and outputs."""
    for n_in, n_out in itertools.product(NUMBERS, NUMBERS):
        w = counted(n_out, n_in, dtype)
        whole = np.zeros((harness.padded(n_out, harness.lanes_of(dtype)), n_in + harness.panel_of(dtype)), dtype)
        whole[:n_out, :n_in] = w
        reached = 0
        for j, turned in harness.transposed_panels(w):
            assert harness.same(turned.numbers, whole[:, j : j + turned.columns]), (n_in, n_out, j)
            assert turned.untouched(), (n_in, n_out, j)
            reached = j + turned.columns
        assert reached >= n_in
