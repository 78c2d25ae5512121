"""Gradients of single samples, and the samples that are hard."""

import numpy as np
import pytest

import fastbp
from fastbp.formulas.activations import ACTIVATIONS
from fastbp.formulas.costs import COSTS

DIGITS = fastbp.datasets.load_digits()
PAIRS = [(row, cost.name) for cost in COSTS.values() for row in cost.outputs or ACTIVATIONS]
SHAPES = [(1, 1), (2, 3), (3, 15, 2), (15, 16, 17, 3), (17, 31, 33, 2), (33, 1, 2)]


def make(sizes, engine="fast", **options):
    net = fastbp.Network(list(sizes), **{"activation": "tanh", "seed": 0, "dtype": "float64"} | options)
    return net if engine == "fast" else net.to_reference()


def data(sizes, m=19):
    rng = np.random.default_rng(1)
    y = rng.random((m, sizes[-1])) * 0.9
    return rng.normal(size=(m, sizes[0])), y / y.sum(axis=1, keepdims=True) if sizes[-1] > 1 else y


@pytest.mark.parametrize("engine", ["fast", "reference"])
@pytest.mark.parametrize("sizes", SHAPES, ids=str)
def test_gradients_of_samples_are_backprop_of_each(sizes, engine):
    net, (x, y) = make(sizes, engine), data(sizes)
    found = net.per_sample_gradients(x, y)
    for i in range(len(x)):
        one = net.backprop(x[i : i + 1], y[i : i + 1])
        for layer in range(len(sizes) - 1):
            np.testing.assert_allclose(found.nabla_w[layer][i], one.nabla_w[layer], rtol=1e-12, atol=1e-15)
            np.testing.assert_allclose(found.nabla_b[layer][i], one.nabla_b[layer], rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize(("output", "cost"), PAIRS, ids=str)
def test_their_mean_is_the_gradient_without_penalties(output, cost):
    sizes = (7, 16, 3)
    x, y = data(sizes)
    found = make(sizes, output=output, cost=cost, l1=0.1, l2=0.1).per_sample_gradients(x, y)
    whole = make(sizes, output=output, cost=cost).backprop(x, y)
    for mean, g in zip((*found.nabla_w, *found.nabla_b), (*whole.nabla_w, *whole.nabla_b), strict=True):
        np.testing.assert_allclose(mean.mean(axis=0), g, rtol=1e-11, atol=1e-14)


@pytest.mark.parametrize("engine", ["fast", "reference"])
@pytest.mark.parametrize("sizes", SHAPES, ids=str)
def test_norms_need_no_gradients(sizes, engine):
    net, (x, y) = make(sizes, engine), data(sizes)
    found = net.per_sample_gradients(x, y)
    for layer, norms in enumerate(fastbp.gradient_norms(net, x, y).T):
        w, b = found.nabla_w[layer].reshape(len(x), -1), found.nabla_b[layer]
        np.testing.assert_allclose(norms, np.sqrt((w**2).sum(axis=1) + (b**2).sum(axis=1)), rtol=1e-12)


def test_norms_of_many_samples_take_little_memory():
    import tracemalloc

    net = fastbp.Network([300, 100, 10], cost="cross_entropy", seed=0)
    x, y = np.zeros((20_000, 300), np.float32), np.zeros(20_000, np.int64)
    fastbp.gradient_norms(net, x[:10], y[:10])
    tracemalloc.start()
    norms = fastbp.gradient_norms(net, x, y)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert norms.shape == (20_000, 2)
    assert peak < 20e6  # all gradients at once would take 2.5 GB


def planted(seed, k=72):
    """Digits of which k labels are wrong, and where."""
    rng = np.random.default_rng(seed)
    y = DIGITS.y_train.copy()
    wrong = rng.choice(len(y), k, replace=False)
    y[wrong] = (y[wrong] + rng.integers(1, 10, k)) % 10
    return y, wrong


def precision(found, wrong):
    return np.isin(found.rows, wrong).mean()


def test_planted_label_errors_are_found():
    """72 of 1442: chance would find 5 %."""
    y, wrong = planted(0)
    net = fastbp.Network([64, 100, 10], activation="relu", cost="cross_entropy", seed=0)
    net.fit(DIGITS.x_train, y, epochs=200, verbose=0)  # until it knows the wrong ones by heart
    by_itself = fastbp.hardest_samples(net, DIGITS.x_train, y, len(wrong), folds=0)
    found = fastbp.hardest_samples(net, DIGITS.x_train, y, len(wrong))
    assert precision(found, wrong) > 0.85
    assert precision(found, wrong) > precision(by_itself, wrong) + 0.2


def test_the_ranking_is_by_cost():
    net = fastbp.Network([64, 30, 10], cost="cross_entropy", seed=0)
    x, y = DIGITS.x_test, DIGITS.y_test
    net.fit(DIGITS.x_train, DIGITS.y_train, epochs=2, verbose=0)
    found = fastbp.hardest_samples(net, x, y, 5, folds=0)
    chance = net.predict(x)[np.arange(len(y)), y]
    np.testing.assert_allclose(found.scores, -np.log(chance), rtol=1e-4, atol=1e-6)
    assert list(found.rows) == list(np.argsort(chance, kind="stable")[:5])
    first = found.samples[0]
    assert (first.given, first.answer) == (y[first.row], net.predict_labels(x[first.row])[0])
    assert first.probability == pytest.approx(chance[first.row])
    assert first.norm == pytest.approx(np.linalg.norm(fastbp.gradient_norms(net, x, y)[first.row]))


def test_labels_of_any_kind_are_named():
    names = np.array(["salmon", "trout", "carp"])
    rng = np.random.default_rng(0)
    x = rng.normal(size=(60, 3))
    y = names[np.argmax(x, axis=1)]
    net = fastbp.Network([3, 20, 3], activation="relu", cost="cross_entropy", seed=0)
    net.fit(x, y, verbose=0)
    found = fastbp.hardest_samples(net, x, y, 4)
    assert {sample.given for sample in found.samples} <= set(names)
    assert str(found).splitlines()[2].split()[:3] == ["row", "given", "answer"]
    assert len({len(line) for line in str(found).splitlines()[2:]}) == 1
    assert "<table>" in found._repr_html_()


def test_one_output_says_yes_or_no():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(40, 3))
    y = np.where(x[:, 0] > 0, "yes", "no")
    net = fastbp.Network([3, 5, 1], activation="relu", cost="binary_cross_entropy", seed=0)
    net.fit(x, y, verbose=0)
    first = fastbp.hardest_samples(net, x, y, 1, folds=0).samples[0]
    a = net.predict(x[first.row])[0]
    assert first.given == y[first.row]
    assert first.answer == ("yes" if a > 0.5 else "no")
    assert first.probability == pytest.approx(a if first.given == "yes" else 1 - a)


def test_quantities_are_ranked_too():
    rng = np.random.default_rng(0)
    x = rng.uniform(-1, 1, (100, 2))
    y = x[:, 0] * x[:, 1]
    y[17] += 5
    net = fastbp.Network([2, 30, 1], activation="tanh", seed=0)
    found = fastbp.hardest_samples(net, x, y, 3)
    assert found.rows[0] == 17
    assert found.samples[0].given is None
    assert "-" in str(found)


def test_the_network_is_not_changed():
    net = fastbp.Network([64, 10], cost="cross_entropy", seed=0)
    before = net.weights[0]
    fastbp.hardest_samples(net, DIGITS.x_test[:50], DIGITS.y_test[:50], folds=2)
    assert np.array_equal(net.weights[0], before)
    assert net.epochs_trained == 0


@pytest.mark.parametrize("folds", [1, 51])
def test_folds_are_checked(folds):
    net = fastbp.Network([64, 10], cost="cross_entropy", seed=0)
    with pytest.raises(ValueError, match="folds must be 0, or 2 to the number of samples, 50"):
        fastbp.hardest_samples(net, DIGITS.x_test[:50], DIGITS.y_test[:50], folds=folds)
