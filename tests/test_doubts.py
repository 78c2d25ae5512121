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
    assert "moved no weight to speak of in 2 epochs: the learning rate 1e-12 is too small" in message
    assert "write optimizer=fastbp.Adam(1e-3)" in message


@pytest.mark.parametrize("activation", ["relu", "tanh", "sigmoid"])
@pytest.mark.parametrize("optimizer", [SGD(1e-9), Adam(1e-12)], ids=str)
def test_biases_that_begin_at_0_are_no_movement(engine, activation, optimizer):
    net = engine([4, 5, 3], activation=activation, cost="cross_entropy", seed=0, dtype="float64")
    (message,) = said(lambda: net.fit(X, Y, 2, optimizer=optimizer))
    assert "moved no weight to speak of" in message


def test_a_network_that_has_learnt_all_is_no_doubt(engine):
    net = engine([4, 5, 3], activation="relu", cost="cross_entropy", seed=0)
    net.weights, net.biases = [np.zeros((5, 4)), np.zeros((3, 5))], [np.ones(5), np.array([1e4, 0.0, 0.0])]
    assert said(lambda: net.fit(X, np.zeros(100, int), 2)) == []


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


@pytest.mark.parametrize(
    ("x", "words"),
    [
        (5 * X + 2000, "is about 2e+03 ±"),
        (X * [1, 1, 1e6, 1], "x[:, 2] is about"),
        (X * [1, 0.01, 1, 1] + [0, 9, 0, 0], "x[:, 1] is about 9 ± 0.0"),
        (np.abs(X * 100).astype(np.uint8), "or x / 255 for images"),
    ],
    ids=["years", "one column", "off centre", "bytes"],
)
def test_inputs_far_from_1(engine, x, words):
    net = engine([4, 5, 3], activation="relu", cost="cross_entropy", seed=0)
    (message,) = said(lambda: net.fit(x, Y, 1))
    assert words in message
    assert "write (x - x.mean(axis=0)) / x.std(axis=0)" in message
    assert said(lambda: net.fit((x - x.mean(axis=0)) / x.std(axis=0), Y, 1)) == []


@pytest.mark.parametrize("extra", [{"l2": 5.0}, {"l1": 5.0}])
def test_penalties_are_no_doubt(engine, extra):
    """They are part of the cost, and not of the error."""
    net = engine([4, 1], activation="relu", seed=0, **extra)
    net.weights = [[[30.0, 0.0, 0.0, 0.0]]]
    assert said(lambda: net.fit(X, X[:, 0] * 30, 1, optimizer=SGD(1e-4))) == []


def test_targets_are_judged_by_the_weights_of_their_samples(engine):
    y, weight = np.where(np.arange(100) < 50, 1000.0, 0.0), (np.arange(100) >= 50).astype(float)
    y[50:] = 20 + X[50:, 0]
    (message,) = said(lambda: engine([4, 5, 1], activation="relu", seed=0).fit(X, y, 1, sample_weight=weight))
    assert f"would cost {np.var(y[50:]) / 2:.4g}" in message


def test_many_targets_are_judged_by_some(engine):
    x, y = RNG.normal(size=(2500, 4)), 1e4 + RNG.normal(size=2500)
    (message,) = said(lambda: engine([4, 5, 1], activation="relu", seed=0).fit(x, y, 1))
    assert "would cost 0." in message  # half of a variance of 1
    weight = np.zeros(2500)
    weight[1] = 1.0  # none of those that are looked at
    assert said(lambda: engine([4, 5, 1], activation="relu", seed=0).fit(x, y, 1, sample_weight=weight)) == []


def test_tiny_targets(engine):
    (message,) = said(lambda: engine([4, 5, 1], activation="relu", seed=0).fit(X, 1e-6 * X[:, 0], 5))
    assert "train on (y - y.mean()) / y.std()" in message


def test_large_targets_that_are_learnt_are_no_doubt(engine):
    net = engine([4, 5, 1], activation="relu", seed=0)
    assert said(lambda: net.fit(X, X[:, 0] * 30, 200, optimizer=Adam(0.1))) == []


@pytest.mark.parametrize("cost", ["quadratic", "cross_entropy"])
def test_what_is_learnt_is_silent(engine, cost):
    net = engine([4, 5, 3], cost=cost, activation="relu", seed=0)
    assert said(lambda: net.fit(X, Y)) == []


def test_more_threads_than_cores(engine, monkeypatch):
    monkeypatch.setattr("fastbp.border.options.available_cores", lambda: 2)
    (message,) = said(lambda: engine([4, 5, 3], seed=0, threads=64))
    assert 'threads is 64, and this process may use 2 cores: write threads="auto"' in message
    assert said(lambda: engine([4, 5, 3], seed=0, threads=2)) == []
    monkeypatch.setattr("fastbp.border.options.available_cores", lambda: 1)
    net = engine([4, 5, 3], seed=0, threads=1)
    net.threads = 8
    assert said(lambda: net.to_reference().to_fast()) == []  # once is enough
