"""Rows of numbers gathered, copied, cleared, scaled, added, checked: exact, and nothing written outside."""

import harness
import numpy as np
import pytest
from harness import NUMBERS, READ, WRITTEN, Surrounded

COUNTS = (0, *NUMBERS)


@pytest.fixture(params=harness.DTYPES, ids=["float32", "float64"])
def dtype(request):
    return request.param


def row(count, dtype, kind, seed=0):
    return Surrounded(np.random.default_rng(seed).normal(size=(1, count)).astype(dtype), kind)


@pytest.mark.parametrize("gap", [0, 5, 16])
def test_gathered_rows_are_exact_with_zeros_for_pads_and_nothing_is_written_outside(gap, dtype):
    rng = np.random.default_rng(1)
    for n in NUMBERS:
        x = Surrounded(rng.normal(size=(37, n)).astype(dtype), READ)
        width = harness.padded(n, harness.lanes_of(dtype))
        for m in (0, 1, 2, 3, 15, 16, 17, 37, 101):
            order = rng.integers(0, x.rows, m)
            order[m // 2 :] = order[m // 2 :][::-1] % 2 * (x.rows - 1)  # the first and the last row, again and again
            target = harness.target(m, width, dtype, gap)
            harness.gather_rows(x, Surrounded(order[None], READ), target)
            assert harness.same(target.numbers[:, :n], x.numbers[order]), (n, m)
            assert not target.numbers[:, n:].any(), (n, m)
            assert target.untouched(), (n, m)


def test_copied_numbers_are_exact_and_nothing_is_written_outside(dtype):
    for count in COUNTS:
        source, target = row(count, dtype, READ), harness.target(1, count, dtype)
        harness.copy_numbers(source, target)
        assert harness.same(target.numbers, source.numbers), count
        assert target.untouched(), count


def test_cleared_numbers_are_zero_and_nothing_is_written_outside(dtype):
    for count in COUNTS:
        target = harness.target(1, count, dtype)
        harness.clear_numbers(target)
        assert harness.same(target.numbers, np.zeros((1, count), dtype)), count
        assert target.untouched(), count


@pytest.mark.parametrize("factor", [0.1, -3.0, 0.0])
def test_scaled_numbers_are_rounded_once_and_nothing_is_written_outside(factor, dtype):
    """Whole vectors; the factor has the type of the numbers."""
    for vectors in COUNTS:
        target = row(vectors * harness.lanes_of(dtype), dtype, WRITTEN)
        expected = target.numbers * dtype(factor)
        harness.scale_numbers(target, factor)
        assert harness.same(target.numbers, expected), vectors
        assert target.untouched(), vectors


def test_added_numbers_are_rounded_once_and_nothing_is_written_outside(dtype):
    for vectors in COUNTS:
        count = vectors * harness.lanes_of(dtype)
        source, target = row(count, dtype, READ, seed=1), row(count, dtype, WRITTEN, seed=2)
        expected = source.numbers + target.numbers
        harness.add_numbers(source, target)
        assert harness.same(target.numbers, expected), vectors
        assert target.untouched(), vectors


def test_numbers_are_finite_unless_one_of_them_is_not(dtype):
    """At any place; the NaN around do not count, and the largest numbers are finite."""
    for vectors in (*range(10), 37):
        a = row(vectors * harness.lanes_of(dtype), dtype, READ)
        a.numbers[...] = np.finfo(dtype).max * np.sign(a.numbers)
        assert harness.are_finite(a), vectors
        for place in range(a.columns):
            for value in (np.nan, np.inf, -np.inf):
                before, a.numbers[0, place] = a.numbers[0, place], value
                assert not harness.are_finite(a), (vectors, place, value)
                a.numbers[0, place] = before
        assert a.untouched(), vectors
