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


@pytest.mark.parametrize("threads", [2, 3])
def test_norms_are_the_same_on_any_number_of_threads(threads):
    x, y = np.tile(DIGITS.x_train, (2, 1)), np.tile(DIGITS.y_train, 2)  # more than one chunk
    nets = [fastbp.Network([64, 33, 10], cost="cross_entropy", seed=0, threads=n) for n in (1, threads)]
    one, several = (fastbp.gradient_norms(net, x, y) for net in nets)
    assert np.array_equal(one, several)
    np.testing.assert_allclose(one[:1442], one[1442:], rtol=1e-5)  # wherever in a chunk a sample lies


def test_a_sample_that_is_not_finite_spoils_no_other(engine):
    x, y = DIGITS.x_test[:40].copy(), DIGITS.y_test[:40]
    net = engine([64, 33, 10], activation="relu", cost="cross_entropy", seed=0)
    whole = fastbp.gradient_norms(net, x, y)
    x[7] = 3e38
    spoiled = fastbp.gradient_norms(net, x, y)
    assert not np.isfinite(spoiled[7]).all()
    np.testing.assert_array_equal(np.delete(spoiled, 7, axis=0), np.delete(whole, 7, axis=0))


def planted(seed, k=72):
    """Digits of which k labels are wrong, and where."""
    rng = np.random.default_rng(seed)
    y = DIGITS.y_train.copy()
    wrong = rng.choice(len(y), k, replace=False)
    y[wrong] = (y[wrong] + rng.integers(1, 10, k)) % 10
    return y, wrong


def precision(found, wrong):
    return np.isin(found.rows, wrong).mean()


@pytest.mark.parametrize(("hidden", "seed"), [([100], 0), ([200, 200], 1)], ids=str)
def test_planted_label_errors_are_found(hidden, seed):
    """72 of 1442: chance would find 5 %; ranked by the network's own C_x it is about half."""
    y, wrong = planted(seed)
    net = fastbp.Network([64, *hidden, 10], activation="relu", cost="cross_entropy", seed=seed)
    net.fit(DIGITS.x_train, y, epochs=200 // len(hidden), verbose=0)  # until it knows the wrong ones by heart
    by_itself = fastbp.hardest_samples(net, DIGITS.x_train, y, len(wrong), epochs=0)
    found = fastbp.hardest_samples(net, DIGITS.x_train, y, len(wrong))
    assert precision(found, wrong) > 0.85
    assert precision(found, wrong) > precision(by_itself, wrong) + 0.2


def test_planted_label_errors_are_found_with_the_book_s_network():
    y, wrong = planted(2)
    found = fastbp.hardest_samples(fastbp.Network([64, 100, 10], seed=2), DIGITS.x_train, y, len(wrong))
    assert precision(found, wrong) > 0.8


def test_the_network_as_it_is_ranks_by_its_cost():
    net = fastbp.Network([64, 30, 10], cost="cross_entropy", seed=0)
    x, y = DIGITS.x_test, DIGITS.y_test
    net.fit(DIGITS.x_train, DIGITS.y_train, epochs=2, verbose=0)
    found = fastbp.hardest_samples(net, x, y, 5, epochs=0)
    chance = net.predict(x)[np.arange(len(y)), y]
    np.testing.assert_allclose(found.scores, -np.log(chance), rtol=1e-4, atol=1e-6)
    assert list(found.rows) == list(np.argsort(chance, kind="stable")[:5])
    first = found.samples[0]
    assert (first.given, first.answer) == (y[first.row], net.predict_labels(x[first.row])[0])
    assert first.probability == pytest.approx(chance[first.row])
    assert first.cost == found.scores[first.row]


def test_scores_are_means_over_the_epochs_of_a_fresh_twin(engine):
    net = engine([64, 16, 10], activation="relu", cost="cross_entropy", seed=3, l2=1e-4, dropout=0.1)
    x, y = DIGITS.x_test, DIGITS.y_test
    twin = engine([64, 16, 10], activation="relu", cost="cross_entropy", seed=3, l2=1e-4, dropout=0.1)
    outputs = []
    twin.fit(x, y, epochs=3, callbacks=[lambda net, history: outputs.append(net.predict(x).astype(float))], verbose=0)
    chances = np.array(outputs)[:, np.arange(len(y)), y]
    net.fit(x, y, epochs=1, verbose=0)  # makes no difference
    found = fastbp.hardest_samples(net, x, y, 4, epochs=3)
    np.testing.assert_allclose(found.scores, -np.log(chances).mean(axis=0), rtol=1e-4, atol=1e-6)
    first = found.samples[0]
    assert first.answer == np.argmax(np.mean(outputs, axis=0)[first.row])
    assert first.probability == pytest.approx(chances[:, first.row].mean())
    assert "mean of 3 epochs" in str(found)


@pytest.mark.parametrize("outputs", [1, 2])
@pytest.mark.parametrize("trained", [False, True])
def test_labels_are_named_as_they_were_given(outputs, trained):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(60, 3))
    y = np.where(x[:, 0] > 0, "salmon", "carp")
    y[5] = "carp" if y[5] == "salmon" else "salmon"
    net = fastbp.Network([3, 20, outputs], activation="relu", cost="cross_entropy", seed=0)
    if trained:
        net.fit(x, y, verbose=0)
    found = fastbp.hardest_samples(net, x, y, 4)
    (first,) = [sample for sample in found.samples if sample.row == 5]
    assert (first.given, {first.answer}) == (y[5], {"salmon", "carp"} - {y[5]})
    assert first.probability < 0.5
    assert str(found).splitlines()[2].split()[:3] == ["row", "given", "answer"]
    assert len({len(line) for line in str(found).splitlines()[2:]}) == 1
    assert "<td>salmon</td>" in found._repr_html_()


def test_one_output_says_yes_or_no():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(40, 3))
    y = np.where(x[:, 0] > 0, "yes", "no")
    net = fastbp.Network([3, 5, 1], activation="relu", cost="binary_cross_entropy", seed=0)
    net.fit(x, y, verbose=0)
    first = fastbp.hardest_samples(net, x, y, 1, epochs=0).samples[0]
    a = net.predict(x[first.row])[0]
    assert first.given == y[first.row]
    assert first.answer == ("yes" if a > 0.5 else "no")
    assert first.probability == pytest.approx(a if first.given == "yes" else 1 - a)


def test_quantities_are_ranked_too():
    rng = np.random.default_rng(0)
    x = rng.uniform(-1, 1, (100, 2))
    y = x[:, 0] * x[:, 1]
    y[17] += 5
    found = fastbp.hardest_samples(fastbp.Network([2, 30, 1], activation="tanh", seed=0), x, y, 3)
    first = found.samples[0]
    assert (first.row, first.probability) == (17, None)
    assert first.given == pytest.approx(y[17])
    assert abs(first.answer) < 2
    assert f"{y[17]:.3g}" in str(found)


@pytest.mark.parametrize("trained", [False, True])
def test_several_labels_at_once_are_ranked_too(trained):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(80, 5))
    y = (x > 0).astype(int)
    y[11] = 1 - y[11]
    net = fastbp.Network([5, 30, 5], activation="relu", cost="cross_entropy", seed=0)
    if trained:
        net.fit(x, y, verbose=0)
    first = fastbp.hardest_samples(net, x, y, 3).samples[0]
    assert (first.row, first.given) == (11, tuple(y[11].tolist()))
    assert np.abs(np.array(first.answer) - y[11]).mean() > 0.5
    assert " ".join(map(str, y[11, :4])) + " ..." in str(fastbp.hardest_samples(net, x, y, 3))


def test_tables_are_taken_as_fit_takes_them():
    pd = pytest.importorskip("pandas")
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"a": rng.normal(size=60), "kind": pd.Categorical(rng.choice(["u", "v"], 60))})
    y = np.where(table.a > 0, "yes", "no")
    net = fastbp.Network([3, 10, 2], activation="relu", cost="cross_entropy", seed=0)
    untrained = fastbp.hardest_samples(net, table, y, 3)
    assert net.columns is None
    assert net.classes is None
    net.fit(table, y, epochs=1, verbose=0)
    swapped = table[["kind", "a"]]
    np.testing.assert_array_equal(fastbp.hardest_samples(net, swapped, y, 3).scores, untrained.scores)


def test_the_network_is_not_changed():
    net = fastbp.Network([64, 10], cost="cross_entropy", seed=0)
    before = net.weights[0]
    fastbp.hardest_samples(net, DIGITS.x_test[:50], DIGITS.y_test[:50], epochs=1)
    assert np.array_equal(net.weights[0], before)
    assert net.epochs_trained == 0


def test_hardest_samples_checks_its_numbers():
    net = fastbp.Network([64, 10], cost="cross_entropy", seed=0)
    x, y = DIGITS.x_test[:5], DIGITS.y_test[:5]
    with pytest.raises(ValueError, match="epochs must be at least 0, got -1"):
        fastbp.hardest_samples(net, x, y, epochs=-1)
    with pytest.raises(ValueError, match="count must be at least 1, got 0"):
        fastbp.hardest_samples(net, x, y, 0)
    assert len(fastbp.hardest_samples(net, x, y, 99, epochs=0).rows) == 5  # all there are
