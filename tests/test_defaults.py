"""What is chosen where nothing is said: it learns, and it can be told in one table."""

import inspect

import numpy as np
import pytest
from numpy.testing import assert_array_equal

import fastbp
from fastbp import SGD, Adam, Network
from fastbp.border import defaults
from fastbp.formulas.costs import COSTS


@pytest.mark.parametrize(
    ("options", "n_out", "output", "cost"),
    [
        ({}, 3, "sigmoid", "quadratic"),
        ({"activation": "relu"}, 3, "identity", "quadratic"),
        ({"activation": ["sigmoid", "tanh"]}, 3, "identity", "quadratic"),
        ({"activation": ["sigmoid", "sigmoid"]}, 3, "sigmoid", "quadratic"),
        ({"activation": "relu", "sizes": [4, 3]}, 3, "identity", "quadratic"),
        ({"sizes": [4, 3]}, 3, "sigmoid", "quadratic"),
        ({"cost": "cross_entropy"}, 3, "softmax", "cross_entropy"),
        ({"cost": "cross_entropy"}, 1, "sigmoid", "binary_cross_entropy"),
        ({"cost": COSTS["cross_entropy"], "activation": "relu"}, 2, "softmax", "cross_entropy"),
        ({"cost": "binary_cross_entropy"}, 3, "sigmoid", "binary_cross_entropy"),
        ({"cost": "cross_entropy", "output": "sigmoid"}, 3, "sigmoid", "cross_entropy"),
        ({"output": "tanh"}, 3, "tanh", "quadratic"),
    ],
)
def test_the_output_follows_from_the_cost(engine, options, n_out, output, cost):
    options = {"sizes": [4, 6, 5, n_out], "seed": 0, **options}
    net = engine(options.pop("sizes"), **options)
    assert (net.spec.activations[-1], net.spec.cost) == (output, cost)


@pytest.mark.parametrize("activation", ["sigmoid", "tanh", "relu", "identity"])
def test_the_initializer_follows_from_the_activation(engine, activation):
    net = engine([5, 7, 6, 2], activation=activation, seed=3)
    name = "scaled_normal" if activation == "sigmoid" else "glorot_uniform"
    named = engine([5, 7, 6, 2], activation=activation, initializer=name, seed=3)
    for w, expected in zip(net.weights + net.biases, named.weights + named.biases, strict=True):
        assert_array_equal(w, expected)


def test_each_layer_has_the_initializer_of_its_activation(engine):
    net = engine([5, 7, 6, 2], activation=["sigmoid", "relu"], seed=3)
    assert net.spec.initializers == ["scaled_normal", "glorot_uniform", "glorot_uniform"]
    assert net.biases[0].any()
    assert not net.biases[1].any()


@pytest.mark.parametrize("optimizer", [None, "adam", "Adam"])
def test_adam_is_the_optimizer(engine, optimizer):
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(50, 4)), rng.integers(0, 3, 50)
    net, named = engine([4, 5, 3], seed=0), engine([4, 5, 3], seed=0)
    history = net.fit(x, y, 3, optimizer=optimizer)
    named.fit(x, y, 3, optimizer=Adam(1e-3))
    assert history.learning_rate == [1e-3] * 3
    assert_array_equal(net.weights[0], named.weights[0])


@pytest.mark.parametrize(("m", "epochs"), [(1, 10_000), (4, 2500), (120, 84), (333, 31), (334, 30), (60_000, 30)])
def test_a_few_samples_are_seen_more_often(m, epochs):
    assert defaults.epochs(m) == epochs


def test_fit_takes_its_epochs_from_the_defaults(engine):
    x = np.random.default_rng(0).normal(size=(400, 2))
    assert len(engine([2, 1], activation="relu", seed=0).fit(x, x[:, 0])) == 30
    assert len(engine([2, 1], activation="relu", seed=0).fit(x[:200], x[:200, 0])) == 50


def test_signatures_show_the_defaults():
    make, fit = (inspect.signature(call).parameters for call in (Network, Network.fit))
    assert [make[name].default for name in ("activation", "output", "cost", "initializer")] == [
        "sigmoid", None, "quadratic", None
    ]  # fmt: skip
    assert [fit[name].default for name in ("epochs", "batch_size", "optimizer", "shuffle")] == [None, 10, None, True]


# One line each, as a newcomer writes it


def blobs(classes, rows=240, inputs=13):
    """Standardised samples of overlapping classes, with labels 0..K-1."""
    rng = np.random.default_rng(1)
    y = rng.integers(0, classes, rows)
    x = rng.normal(size=(rows, inputs)) + 1.5 * rng.normal(size=(classes, inputs))[y]
    return (x - x.mean(axis=0)) / x.std(axis=0), y


@pytest.mark.parametrize("classes", [2, 3, 10])
@pytest.mark.parametrize("options", [{}, {"activation": "relu", "cost": "cross_entropy"}], ids=["plain", "relu"])
def test_one_line_learns_classes(engine, options, classes):
    x, y = blobs(classes)
    for seed in range(3):
        net = engine([13, 50, classes], seed=seed, **options)
        net.fit(x[:160], y[:160])
        assert net.evaluate(x[160:], y[160:]).accuracy > 0.9


@pytest.mark.parametrize("cost", ["cross_entropy", "binary_cross_entropy"])
def test_one_line_learns_two_classes_with_one_output(engine, cost):
    x, y = blobs(2)
    net = engine([13, 50, 1], activation="relu", cost=cost, seed=0)
    net.fit(x[:160], y[:160])
    assert np.mean(net.predict_labels(x[160:]) == y[160:]) > 0.9


@pytest.mark.parametrize("activation", ["relu", "tanh"])
def test_one_line_learns_quantities(engine, activation):
    x, _ = blobs(2)
    y = x @ np.linspace(-1, 1, 13) + 0.1 * np.random.default_rng(0).normal(size=len(x))
    net = engine([13, 100, 1], activation=activation, seed=0)
    net.fit(x[:160], y[:160])
    error = net.predict(x[160:])[:, 0] - y[160:]
    assert np.var(error) < 0.1 * np.var(y)


def test_xor_is_learnt_by_default(engine):
    x, y = np.array([[0, 0], [0, 1], [1, 0], [1, 1]]), [0, 1, 1, 0]
    net = engine([2, 16, 1], activation="tanh", cost="binary_cross_entropy", seed=0)
    net.fit(x, y)
    assert net.predict_labels(x).tolist() == y


# Several labels at once


def several(rows=200, labels=3):
    rng = np.random.default_rng(2)
    x = rng.normal(size=(rows, 6))
    return x, (x[:, :labels] > 0).astype(int)


@pytest.mark.parametrize("labels", [2, 3])
def test_several_labels_at_once_turn_a_default_softmax_into_sigmoids(engine, labels):
    x, y = several(labels=labels)
    net = engine([6, 30, labels], activation="relu", cost="cross_entropy", seed=0)
    before = net.weights
    assert net.spec.activations[-1] == "softmax"
    with pytest.raises(ValueError, match="cross_entropy takes rows of probabilities"):
        net.evaluate(x, y)  # which settles nothing
    net.fit(x, y, 60)
    assert (net.spec.activations[-1], net.spec.cost) == ("sigmoid", "binary_cross_entropy")
    assert np.mean((net.predict(x) > 0.5) == y) > 0.95
    assert not np.array_equal(net.weights[0], before[0])
    named = engine([6, 30, labels], activation="relu", output="sigmoid", cost="binary_cross_entropy", seed=0)
    named.fit(x, y, 60)
    assert_array_equal(net.weights[0], named.weights[0])


@pytest.mark.parametrize("options", [{"output": "softmax"}, {"trained": True}], ids=["named", "trained"])
def test_a_softmax_that_was_named_or_trained_stays(engine, options):
    x, y = several()
    net = engine([6, 3], cost="cross_entropy", output=options.get("output"), seed=0)
    if "trained" in options:
        net.fit(x, np.zeros(200, int), 1)
    with pytest.raises(ValueError, match="for several labels at once choose cost binary_cross_entropy"):
        net.fit(x, y)


# Defaults never say 3.0, which only the book's network bears


def test_no_message_suggests_a_rate_that_diverges(engine):
    net = engine([3, 4, 2], seed=0)
    for wrong in (3, "momentum", Adam, SGD, "sgd"):
        with pytest.raises((TypeError, ValueError)) as caught:
            net.fit(np.zeros((2, 3)), [0, 1], optimizer=wrong)
        assert "3.0" not in str(caught.value)


def test_sizes_one_by_one_are_answered_with_the_right_call(engine):
    with pytest.raises(TypeError, match=rf"{engine.__name__}\(\[13, 100, 3\]\)$"):
        engine(13, 100, 3)
    with pytest.raises(TypeError, match="all but sizes goes by name; write activation='relu'"):
        engine([13, 100, 3], "relu")


def test_names_of_numpy_are_plain_names(engine):
    net = engine([2, 3, 1], activation=np.str_("relu"), cost=np.str_("quadratic"), dtype=np.str_("float64"))
    assert "str_" not in repr(net)
    assert {type(name) for name in (*net.spec.activations, net.spec.cost, net.spec.dtype)} == {str}


# Σ w of the first layer, Σ b of the last; from before there were defaults.
BOOK = [-1.3622699699302419, -1.5118408252276632]


def test_the_book_is_as_it_was(engine):
    """The defaults of the book's network, explicitly, keep their bits."""
    rng = np.random.default_rng(5)
    x, y = rng.random((40, 6)), rng.integers(0, 3, 40)
    net = engine([6, 5, 3], output="sigmoid", initializer="scaled_normal", dtype="float64", seed=4)
    net.fit(x, y, epochs=2, batch_size=10, optimizer=fastbp.SGD(3.0))
    np.testing.assert_allclose([net.weights[0].sum(), net.biases[1].sum()], BOOK, rtol=1e-12)
