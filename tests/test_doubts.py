"""What a fit leaves doubtful is said, at the line that called it; what is sound is silent."""

import warnings

import numpy as np
import pytest

from fastbp import SGD, Adam

RNG = np.random.default_rng(0)
X = RNG.normal(size=(100, 4))
Y = RNG.integers(0, 3, 100)


def said(call):
    """Return the warnings of a call, each of which must name this file."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        call()
    assert {warning.filename for warning in caught} <= {__file__}
    return [str(warning.message) for warning in caught]


def test_a_rate_that_moves_nothing(engine):
    net = engine([4, 5, 3], seed=0, dtype="float32")
    (message,) = said(lambda: net.fit(X, Y, 2, optimizer=SGD(1e-12)))
    assert "changed no parameter in 2 epochs: the learning rate 1e-12 is too small" in message
    assert "write optimizer=fastbp.Adam(1e-3)" in message


def test_a_network_of_dead_relus(engine):
    net = engine([4, 5, 3], activation="relu", output="relu", seed=0)
    net.biases = [np.full(5, -100.0), np.full(3, -100.0)]
    (message,) = said(lambda: net.fit(X, Y, 3))
    assert "every gradient is 0" in message


def test_not_one_right_answer(engine):
    net = engine([4, 5, 3], activation="tanh", cost="cross_entropy", seed=0)
    net.biases = [net.biases[0], np.array([1e4, 0.0, 0.0])]
    y = 1 + Y % 2
    (message,) = said(lambda: net.fit(X, y, 1, optimizer=SGD(1e-6)))
    assert "not one of 100 answers was right" in message


def test_labels_with_sigmoids_and_cross_entropy(engine):
    net = engine([4, 5, 3], output="sigmoid", cost="cross_entropy", seed=0)
    (message,) = said(lambda: net.fit(X, Y, 1))
    assert 'choose output="softmax", or cost="binary_cross_entropy"' in message


@pytest.mark.parametrize("y", [X[:, 0] * 77 + 152, X[:, 0] + 1e4], ids=["like diabetes", "far off"])
def test_targets_far_from_1(engine, y):
    net = engine([4, 5, 1], activation="relu", seed=0)
    (message,) = said(lambda: net.fit(X, y, 5))
    assert "the mean of y for every sample would cost" in message
    assert "train on (y - y.mean()) / y.std()" in message
    net = engine([4, 5, 1], activation="relu", seed=0)
    assert said(lambda: net.fit(X, (y - y.mean()) / y.std(), 5)) == []


def test_large_targets_that_are_learnt_are_no_doubt(engine):
    net = engine([4, 5, 1], activation="relu", seed=0)
    assert said(lambda: net.fit(X, X[:, 0] * 30, 200, optimizer=Adam(0.1))) == []


@pytest.mark.parametrize("cost", ["quadratic", "cross_entropy"])
def test_what_is_learnt_is_silent(engine, cost):
    net = engine([4, 5, 3], cost=cost, activation="relu", seed=0)
    assert said(lambda: net.fit(X, Y)) == []


def test_more_threads_than_cores(engine, monkeypatch):
    monkeypatch.setattr("fastbp.options.available_cores", lambda: 2)
    (message,) = said(lambda: engine([4, 5, 3], seed=0, threads=64))
    assert 'threads is 64, and this process may use 2 cores: write threads="auto"' in message
    assert said(lambda: engine([4, 5, 3], seed=0, threads=2)) == []
