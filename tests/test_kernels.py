"""The parts of the kernels, each against what NumPy says."""

import numpy as np
import pytest
from numba import njit, types
from numba.extending import intrinsic

from fastbp.formulas.activations import ACTIVATIONS
from fastbp.formulas.costs import COSTS, FUSED
from fastbp.kernels import vmath
from fastbp.kernels.activations import ACTIVATION_CODES
from fastbp.kernels.costs import COST_CODES, PAIRS
from fastbp.kernels.numbers import emit_map
from fastbp.kernels.pointers import pointer
from fastbp.kernels.simd import lanes
from fastbp.network import Network
from fastbp.parameters import Parameters
from fastbp.workspace import leading_dimension


def test_kernels_know_every_row_of_the_tables():
    assert set(ACTIVATION_CODES) == set(ACTIVATIONS)
    assert set(COST_CODES) == set(COSTS)
    assert set(PAIRS) == set(FUSED) - {("identity", "quadratic")}  # where σ' is 1: nothing to simplify


def vector_function(formula):
    """A formula of one vector as a function of arrays, whole vectors long."""

    @intrinsic
    def run(typing_context, x, out, count):
        def codegen(context, builder, signature, arguments):
            x_place, out_place, count = arguments
            emit_map(builder, out.dtype, formula, [x_place], out_place, count)
            return context.get_dummy_value()

        return types.void(x, out, types.intp), codegen

    @njit
    def apply(x, out):
        run(pointer(x, 0), pointer(out, 0), len(x))

    return apply


FUNCTIONS = {formula: vector_function(formula) for formula in (vmath.exp, vmath.tanh, vmath.log, vmath.log1p)}


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    ("formula", "truth", "ends", "ulps"),
    [
        (vmath.exp, np.exp, (-87, 88), 2), (vmath.exp, np.exp, (-1, 1), 2),
        (vmath.tanh, np.tanh, (-30, 30), 4), (vmath.tanh, np.tanh, (-1e-3, 1e-3), 4),
        (vmath.log, np.log, (1e-30, 1), 2), (vmath.log, np.log, (0.4, 2.5), 2), (vmath.log, np.log, (1, 1e30), 2),
        (vmath.log1p, np.log1p, (0, 1), 3), (vmath.log1p, np.log1p, (0, 1e-6), 3),
    ],
)  # fmt: skip
def test_elementary_functions_are_within_their_ulps(formula, truth, ends, ulps, dtype):
    x = np.linspace(*ends, 200_000).astype(dtype)
    got = np.full_like(x, np.nan)
    FUNCTIONS[formula](x, got)
    wide = np.longdouble if dtype is np.float64 else np.float64
    expected = truth(x.astype(wide))
    ulp = np.spacing(np.abs(expected).astype(dtype)).astype(wide)
    assert float(np.max(np.abs(got - expected) / ulp)) <= ulps


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_elementary_functions_keep_nan_and_saturate(dtype):
    x = np.array([np.nan, np.inf, -np.inf, 1e30, -1e30, 0, 1, np.finfo(dtype).tiny] * 2, dtype)
    got = np.empty_like(x)
    FUNCTIONS[vmath.tanh](x, got)
    np.testing.assert_array_equal(got[:6], np.array([np.nan, 1, -1, 1, -1, 0], dtype))
    FUNCTIONS[vmath.exp](x, got)
    assert np.isnan(got[0])
    assert got[1] > 1e38
    assert 0 <= got[2] < 1e-37
    assert got[5] == 1
    FUNCTIONS[vmath.log](x, got)
    assert np.isnan(got[0])
    assert got[6] == 0
    np.testing.assert_allclose(got[7], np.log(np.finfo(dtype).tiny), rtol=1e-6)


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
