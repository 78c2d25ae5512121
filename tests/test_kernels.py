"""The parts of the kernels, each against what NumPy says."""

import numpy as np
import pytest
from numba import njit

from fastbp.formulas.activations import ACTIVATIONS
from fastbp.formulas.costs import COSTS
from fastbp.kernels.backward import COST_CODES
from fastbp.kernels.elementwise import ACTIVATION_CODES
from fastbp.kernels.simd import lanes
from fastbp.kernels.vmath import exp, tanh
from fastbp.network import Network
from fastbp.parameters import Parameters
from fastbp.workspace import leading_dimension


def test_kernels_know_every_row_of_the_tables():
    assert set(ACTIVATION_CODES) == set(ACTIVATIONS)
    assert set(COST_CODES) == set(COSTS)


@njit
def apply_exp(x, out):
    for i in range(len(x)):
        out[i] = exp(x[i])


@njit
def apply_tanh(x, out):
    for i in range(len(x)):
        out[i] = tanh(x[i])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    ("function", "truth", "ends"),
    [(apply_exp, np.exp, (-87, 88)), (apply_exp, np.exp, (-1, 1)), (apply_tanh, np.tanh, (-30, 30)),
     (apply_tanh, np.tanh, (-1e-3, 1e-3))],
)  # fmt: skip
def test_elementary_functions_are_within_their_ulps(function, truth, ends, dtype):
    x = np.linspace(*ends, 200_001).astype(dtype)
    got = np.empty_like(x)
    function(x, got)
    wide = np.longdouble if dtype is np.float64 else np.float64
    expected = truth(x.astype(wide))
    ulp = np.spacing(np.abs(expected).astype(dtype)).astype(wide)
    bound = 2 if function is apply_exp else 4
    assert float(np.max(np.abs(got - expected) / ulp)) <= bound


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_elementary_functions_keep_nan_and_saturate(dtype):
    x = np.array([np.nan, np.inf, -np.inf, 1e30, -1e30, 0], dtype)
    got = np.empty_like(x)
    apply_tanh(x, got)
    np.testing.assert_array_equal(got, np.array([np.nan, 1, -1, 1, -1, 0], dtype))
    apply_exp(x, got)
    assert np.isnan(got[0])
    assert got[1] > 1e38
    assert 0 <= got[2] < 1e-37
    assert got[5] == 1


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("sizes", [[1, 1], [784, 30, 10], [33, 17, 100, 3], [16, 32, 64]])
def test_parameters_come_back_as_they_were_set(sizes, dtype):
    store = Parameters(sizes, dtype, lanes(np.dtype(dtype)))
    rng = np.random.default_rng(0)
    weights = [rng.random((n, k)).astype(dtype) for k, n in zip(sizes, sizes[1:], strict=False)]
    biases = [rng.random(n).astype(dtype) for n in sizes[1:]]
    store.set(weights, biases)
    for got, expected in zip([*store.get()[0], *store.get()[1]], [*weights, *biases], strict=True):
        np.testing.assert_array_equal(got, expected)


@pytest.mark.parametrize("optimizer", ["plain", "adam"])
def test_training_keeps_pads_at_zero(optimizer):
    from fastbp import SGD, Adam

    net = Network([5, 33, 17, 3], activation="tanh", seed=0)
    rng = np.random.default_rng(0)
    rule = SGD(0.5) if optimizer == "plain" else Adam(0.01)
    net.fit(rng.random((40, 5)), rng.integers(0, 3, 40), epochs=2, batch_size=8, optimizer=rule, verbose=0)
    store = net._parameters
    blank = Parameters([5, 33, 17, 3], net.dtype, lanes(net.dtype))
    blank.set(*store.get())
    np.testing.assert_array_equal(blank.buffer, store.buffer)


def test_rows_never_lie_a_kib_apart():
    for n in range(1, 3000):
        assert leading_dimension(n, 16, 4) * 4 % 1024
        assert leading_dimension(n, 16, 4) >= n
