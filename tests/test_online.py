"""Mini-batches of one sample make their updates beside the next sample's forward pass: not a bit is different."""

import numpy as np
import pytest

from fastbp import SGD
from fastbp.checking.cross import OPTIMIZERS
from fastbp.networks import run
from fastbp.networks.fast import Network

SIZES = ([1, 1], [2, 3, 1], [15, 16, 17, 3], [33, 31, 100, 2], [7, 65, 5])


@pytest.fixture
def one_after_the_other(monkeypatch):
    """Return a function from which on nothing is put off."""

    def switch():
        found = run.addresses
        monkeypatch.setattr(run, "addresses", lambda *names: found(*names) | {"update_and_forward": 0})

    return switch


def fit(net, n=20, **options):
    """Train on samples one by one; return all that training leaves behind."""
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(n, net.sizes[0])), rng.random((n, net.sizes[-1]))
    history = net.fit(x, y, **{"epochs": 2, "batch_size": 1, "optimizer": SGD(0.1), "verbose": 0, **options})
    return [*net.weights, *net.biases, np.array(history.cost)]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("options", [{}, {"l1": 1e-3}, {"l2": 1e-2, "dropout": 0.3}], ids=str)
@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=str)
@pytest.mark.parametrize("sizes", SIZES, ids=str)
def test_putting_updates_off_changes_no_bit(one_after_the_other, sizes, optimizer, options, dtype):
    def trained():
        return fit(Network(sizes, activation="tanh", dtype=dtype, seed=1, **options), optimizer=optimizer)

    put_off = trained()
    one_after_the_other()
    for got, expected in zip(put_off, trained(), strict=True):
        assert np.isfinite(got).all()
        np.testing.assert_array_equal(got, expected)


@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=str)
def test_network_that_learns_from_samples_one_by_one_agrees_with_reference(optimizer):
    net = Network([33, 17, 40, 3], activation="sigmoid", l2=1e-3, dropout=0.2, dtype="float64", seed=1)
    weights = np.random.default_rng(1).random(20)
    weights[3:5] = 0
    expected = fit(net.to_reference(), optimizer=optimizer, sample_weight=weights)
    for got, wanted in zip(fit(net, optimizer=optimizer, sample_weight=weights), expected, strict=True):
        np.testing.assert_allclose(got, wanted, rtol=0, atol=1e-13)


@pytest.mark.parametrize("n", [1, 2, 3])
def test_no_update_is_left_over_where_few_samples_are(one_after_the_other, n):
    few = fit(Network([3, 4, 2], seed=1), n, epochs=1)
    one_after_the_other()
    for got, expected in zip(few, fit(Network([3, 4, 2], seed=1), n, epochs=1), strict=True):
        np.testing.assert_array_equal(got, expected)
