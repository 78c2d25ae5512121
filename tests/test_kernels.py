"""The parts of the kernels, each against what NumPy says."""

import numpy as np
import pytest

from fastbp.memory.parameters import Parameters
from fastbp.memory.workspace import leading_dimension
from fastbp.networks.fast import Network
from fastbp.vectors.simd import lanes


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
