"""Matrix products: the right numbers, bit for bit, from nothing but their operands, and nothing written outside."""

import itertools
from fractions import Fraction

import harness
import numpy as np
import pytest
from harness import GROUPS, ITSELF, MATRIX, MAX_ROWS, NUMBERS, PANEL_VECTORS, READ, ROW, SIZES, Surrounded


@pytest.fixture(scope="module", params=harness.DTYPES, ids=["float32", "float64"])
def products(request):
    return harness.Products(request.param)


def gap(*numbers):
    """How far apart rows lie beyond their width: 0, too, now and then."""
    return sum(numbers) % 6


def test_what_products_are_compared_with_is_a_chain_of_fused_multiply_adds(products):
    """Each sum rounded once, k in order, in exact arithmetic; rows and columns far apart stand for all."""
    k = 20
    for i, j in itertools.product((0, 1, len(products.a) - 1), (0, 7, products.b.shape[1] - 1)):
        total = products.dtype(0)
        for l in range(k):  # noqa: E741
            exact = Fraction(float(products.a[i, l])) * Fraction(float(products.b[l, j])) + Fraction(float(total))
            total = harness.nearest(exact, products.dtype)
            assert products.chains[l, i, j] == total, (l, i, j)


def test_what_products_are_compared_with_is_near_what_numpy_says(products):
    """A chain of k roundings is off by γ_k |A| |B| at most, γ_k = k u / (1 - k u)."""
    a, b = products.a.astype(np.longdouble), products.b.astype(np.longdouble)
    exact, size = np.zeros_like(products.chains[0], np.longdouble), np.zeros_like(products.chains[0], np.longdouble)
    u = (np.finfo(products.dtype).eps + np.finfo(np.longdouble).eps) / 2  # both sides are rounded
    for k, chain in enumerate(products.chains, 1):
        column, row = a[:, k - 1, None], b[k - 1]
        exact, size = exact + column * row, size + abs(column) * abs(row)
        assert (abs(chain - exact) <= k * u / (1 - k * u) * size).all(), k


@pytest.mark.parametrize("dtype", harness.DTYPES, ids=["float32", "float64"])
@pytest.mark.parametrize("transposed", [False, True], ids=["plain", "transposed"])
def test_panel_products_agree_with_numpy(transposed, dtype):
    """|error| <= γ_(k+1) (|A| |B| + |I|): the chain's k roundings, and the one of the sum with I."""
    rng = np.random.default_rng(9)
    u = np.finfo(dtype).eps
    for m, vectors, k in itertools.product((1, 2, 3, 7, 13, 31), (1, PANEL_VECTORS), (1, 2, 5, 64, 101)):
        width = vectors * harness.lanes_of(dtype)
        a, b, init = (rng.normal(size=size).astype(dtype) for size in ((m, k), (k, width), (m, width)))
        c = harness.target(m, width, dtype, gap=3)
        harness.multiply(
            Surrounded(a.T if transposed else a, READ, 1), Surrounded(b, READ, 2), Surrounded(init, READ, 4), c,
            transposed=transposed,
        )  # fmt: skip
        a, b, init = (x.astype(np.float64) for x in (a, b, init))
        bound = (k + 1) * u / (1 - (k + 1) * u) * (abs(a) @ abs(b) + abs(init))  # u, not u / 2: NumPy rounds as well
        assert (abs(c.numbers - (a @ b + init)) <= bound).all(), (m, vectors, k)
        assert c.untouched(), (m, vectors, k)


def test_tiles_of_every_size_give_every_bit_and_write_nothing_outside(products):
    cases = [
        (rows, rows * tiles, vectors, k, transposed, init, gap(rows, tiles, k))
        for (rows, vectors), tiles, k, transposed, init in itertools.product(
            SIZES, range(1, 5), NUMBERS, (0, 1), (ROW, MATRIX, ITSELF)
        )
    ]
    assert products.wrong_products(cases) is None


def test_panel_products_give_every_bit_and_write_nothing_outside(products):
    """One panel or a part of it for any number of rows, some side by side for few."""
    cases = [
        (0, m, vectors, k, transposed, init, gap(m, vectors, k))
        for m, vectors, k, transposed, init in itertools.product(
            NUMBERS, (1, *(PANEL_VECTORS * panels for panels in (1, 2, 4))), NUMBERS, (0, 1), (ROW, MATRIX, ITSELF)
        )
        if vectors <= PANEL_VECTORS * (GROUPS[m] if m < len(GROUPS) else 1)
    ]
    assert products.wrong_products(cases) is None


def test_products_over_all_panels_give_every_bit_and_write_nothing_outside(products):
    cases = [(m, n, k, gap(m, n, k)) for m, n, k in itertools.product(NUMBERS, NUMBERS, NUMBERS)]
    assert products.wrong_panels(cases) is None


def test_tiles_come_in_all_sizes_that_products_ask_for():
    """A size that is missing from the switch would leave C as it was."""
    few = range(1, len(GROUPS))
    wanted = set(itertools.product(range(1, MAX_ROWS + 1), (1, PANEL_VECTORS)))
    wanted |= {(m, PANEL_VECTORS * panels) for m in few for panels in (1, 2, 4) if panels <= GROUPS[m]}
    assert wanted <= set(SIZES)
