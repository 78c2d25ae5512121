"""The reference against the book's loops, numerical derivatives and what its options mean."""

import numpy as np
import pytest
from numerical import derivative
from numpy.testing import assert_allclose, assert_array_equal

from fastbp import SGD, ReferenceNetwork
from fastbp.formulas.activations import ACTIVATIONS
from fastbp.formulas.costs import COSTS
from fastbp.formulas.dropout import keep_scale
from fastbp.formulas.penalties import penalty
from fastbp.networks.reference import backward, forward, hidden_delta, output_delta
from fastbp.training.loop import Data, Plan
from fastbp.training.streams import DROPOUT, stream

HIDDEN = [name for name, row in ACTIVATIONS.items() if not row.over_rows]
PAIRS = [
    *[(output, "quadratic") for output in ACTIVATIONS],
    *[(output, "binary_cross_entropy") for output in ("sigmoid", "softmax")],
    *[(output, "cross_entropy") for output in ("sigmoid", "softmax")],
]
SIZES = ([3, 2], [3, 4, 2], [2, 3, 4, 3])


def make(sizes, activation="tanh", output="sigmoid", cost="quadratic", **options):
    options = {"dtype": "float64", "seed": 4, **options}
    return ReferenceNetwork(sizes, activation=activation, output=output, cost=cost, **options)


def data(net, m, rng):
    """Samples, and targets that every cost takes: rows of probabilities."""
    y = rng.random((m, net.sizes[-1])) + 0.1
    return rng.normal(size=(m, net.sizes[0])), y / y.sum(axis=1, keepdims=True)


def cost_of(net, x, y):
    """C as a function of one parameter array, which is set for the call only."""

    def with_weights(layer):
        def function(w):
            kept = net.weights
            net.weights = [w if i == layer else v for i, v in enumerate(kept)]
            cost = net.evaluate(x, y).cost
            net.weights = kept
            return cost

        return function

    def with_biases(layer):
        def function(b):
            kept = net.biases
            net.biases = [b if i == layer else v for i, v in enumerate(kept)]
            cost = net.evaluate(x, y).cost
            net.biases = kept
            return cost

        return function

    return with_weights, with_biases


# The equations


@pytest.mark.parametrize("sizes", SIZES, ids=str)
@pytest.mark.parametrize("pair", PAIRS, ids=" ".join)
@pytest.mark.parametrize("hidden", HIDDEN)
def test_gradients_are_derivatives_of_c(hidden, pair, sizes, rng):
    net = make(sizes, hidden, *pair, initializer="scaled_normal", l1=0.01, l2=0.02)  # no z lies at the kink of relu
    x, y = data(net, 4, rng)
    gradients = net.backprop(x, y)
    with_weights, with_biases = cost_of(net, x, y)
    for layer in range(len(sizes) - 1):
        numeric = derivative(with_weights(layer), net.weights[layer], h=1e-4)
        assert_allclose(gradients.nabla_w[layer], numeric, rtol=1e-8, atol=1e-9)
        numeric = derivative(with_biases(layer), net.biases[layer], h=1e-4)
        assert_allclose(gradients.nabla_b[layer], numeric, rtol=1e-8, atol=1e-9)


@pytest.mark.parametrize("pair", PAIRS, ids=" ".join)
def test_output_delta_is_the_derivative_by_z(pair, rng):
    net = make([3, 4, 3], "tanh", *pair)
    x, y = data(net, 3, rng)
    z = net.forward(x).zs[-1]

    def cost(moved):
        a = ACTIVATIONS[pair[0]].value(moved)
        return net._costs(type(net.forward(x))([moved], [a]), y)

    numeric = derivative(cost, z, h=1e-4)  # (m, n, m): one sample's cost knows no other's z
    samples = np.arange(len(x))
    got = output_delta(z, net.predict(x), y, ACTIVATIONS[pair[0]], COSTS[pair[1]])
    assert_allclose(got, numeric[samples, :, samples], rtol=1e-8, atol=1e-9)


def books_backprop(net, x, y):
    """Chapter 2's program, for one sample of a sigmoid network and the quadratic cost."""

    def sigmoid(z):
        return 1.0 / (1.0 + np.exp(-z))

    def sigmoid_prime(z):
        return sigmoid(z) * (1 - sigmoid(z))

    weights, biases = net.weights, [b[:, None] for b in net.biases]
    nabla_b, nabla_w = [None] * len(biases), [None] * len(weights)
    activation, activations, zs = x[:, None], [x[:, None]], []
    for b, w in zip(biases, weights, strict=True):
        zs.append(np.dot(w, activation) + b)
        activation = sigmoid(zs[-1])
        activations.append(activation)
    delta = (activations[-1] - y[:, None]) * sigmoid_prime(zs[-1])
    nabla_b[-1], nabla_w[-1] = delta, np.dot(delta, activations[-2].T)
    for place in range(2, net.num_layers):
        delta = np.dot(weights[-place + 1].T, delta) * sigmoid_prime(zs[-place])
        nabla_b[-place], nabla_w[-place] = delta, np.dot(delta, activations[-place - 1].T)
    return [b[:, 0] for b in nabla_b], nabla_w


def test_one_sample_gives_the_books_gradients(rng):
    net = make([5, 4, 3, 2], "sigmoid")
    x, y = rng.random(5), rng.random(2)
    got = net.backprop(x[None], y[None])
    nabla_b, nabla_w = books_backprop(net, x, y)
    for mine, books in zip(got.nabla_w + got.nabla_b, nabla_w + nabla_b, strict=True):
        assert_allclose(mine, books, rtol=1e-12)
    for delta, nabla in zip(got.deltas, nabla_b, strict=True):
        assert_allclose(delta[0], nabla, rtol=1e-12)


def test_deltas_are_per_sample(rng):
    net = make([3, 4, 2])
    x, y = data(net, 6, rng)
    together = net.backprop(x, y).deltas
    for i in range(6):
        alone = net.backprop(x[i : i + 1], y[i : i + 1]).deltas
        for one, all_of_them in zip(alone, together, strict=True):
            assert_allclose(one[0], all_of_them[i], rtol=1e-12)


def test_gradients_are_means_over_samples(rng):
    net = make([3, 4, 2])
    x, y = data(net, 6, rng)
    whole, parts = net.backprop(x, y), [net.backprop(x[:2], y[:2]), net.backprop(x[2:], y[2:])]
    assert_allclose(whole.cost, (2 * parts[0].cost + 4 * parts[1].cost) / 6)
    for layer in range(2):
        mean = (2 * parts[0].nabla_w[layer] + 4 * parts[1].nabla_w[layer]) / 6
        assert_allclose(whole.nabla_w[layer], mean, rtol=1e-10)


def test_forward_begins_with_x_and_ends_with_the_prediction(rng):
    net = make([3, 4, 2], output="softmax")
    x, _ = data(net, 5, rng)
    zs, activations = net.forward(x)
    assert_array_equal(activations[0], x)
    assert_array_equal(activations[-1], net.predict(x))
    assert_allclose(zs[0], x @ net.weights[0].T + net.biases[0])
    assert_array_equal(activations[1], np.tanh(zs[0]))
    assert not any(np.shares_memory(x, a) for a in (*zs, *activations))


def test_labels_mean_one_hot(rng):
    net = make([3, 4, 5], output="softmax", cost="cross_entropy")
    x, labels = rng.normal(size=(7, 3)), rng.integers(0, 5, 7)
    one, other = net.backprop(x, labels), net.backprop(x, np.eye(5)[labels])
    assert one.cost == other.cost
    assert_array_equal(one.deltas[-1], net.predict(x) - np.eye(5)[labels])


def test_hidden_delta_on_paper():
    prime = ACTIVATIONS["tanh"].slope
    w, delta = np.array([[1.0, 2.0], [3.0, -1.0]]), np.array([[0.5, -1.0]])
    a = np.array([[0.5, 0.0]])
    got = hidden_delta(w, delta, np.arctanh(a), a, prime)
    assert_allclose(got, [[(0.5 - 3.0) * 0.75, (1.0 + 1.0) * 1.0]])


def test_diverged_numbers_show_without_a_warning():
    net = make([2, 3, 2], "relu", "identity")
    net.weights = [1e200 * w for w in net.weights]
    assert np.isinf(net.evaluate(np.full((1, 2), 1e200), [0]).cost)


# What training options mean, each against its definition


def one_step(net, x, y, optimizer=None, **options):
    """One mini-batch of all samples; the default moves by the gradient itself."""
    net.fit(x, y, epochs=1, batch_size=len(x), optimizer=optimizer or SGD(1.0), verbose=0, **options)
    return net


def assert_same_parameters(one, other, rtol=1e-12):
    for a, b in zip(one.weights + one.biases, other.weights + other.biases, strict=True):
        assert_allclose(a, b, rtol=rtol, atol=1e-15)


def test_a_step_of_sgd_is_the_gradient(rng):
    net = make([3, 4, 2], l1=0.01, l2=0.1)
    x, y = data(net, 6, rng)
    gradients, weights, biases = net.backprop(x, y), net.weights, net.biases
    one_step(net, x, y, SGD(0.5))
    for got, w, g in zip(net.weights, weights, gradients.nabla_w, strict=True):
        assert_allclose(got, w - 0.5 * g, rtol=1e-12)
    for got, b, g in zip(net.biases, biases, gradients.nabla_b, strict=True):
        assert_allclose(got, b - 0.5 * g, rtol=1e-12)


def test_penalties_add_to_c_and_to_the_weights_gradient(rng):
    plain, net = make([3, 4, 2]), make([3, 4, 2], l1=0.3, l2=0.7)
    x, y = data(net, 6, rng)
    one, other = plain.backprop(x, y), net.backprop(x, y)
    extra = penalty(net.weights, 0.3, 0.7)
    assert_allclose(other.cost, one.cost + extra)
    assert_allclose(net.evaluate(x, y).cost, plain.evaluate(x, y).cost + extra)
    for layer, w in enumerate(net.weights):
        assert_allclose(other.nabla_w[layer], one.nabla_w[layer] + 0.3 * np.sign(w) + 0.7 * w, rtol=1e-12)
        assert_array_equal(other.nabla_b[layer], one.nabla_b[layer])


def test_dropout_trains_the_masked_network(rng):
    """One step of fit against a numerical derivative of C with the mask written out."""
    net = make([3, 5, 4, 2], "tanh", dropout=0.4)
    x, y = data(net, 6, rng)
    seed = int(stream(net.spec.seed, DROPOUT, 0).integers(2**63))
    keeps = [keep_scale(seed, i, np.arange(6), n, 0.4, np.float64) for i, n in enumerate((5, 4))]
    weights, biases = net.weights, net.biases

    def cost(w, layer):
        chain = [w if i == layer else v for i, v in enumerate(weights)]
        a = x
        for i, b in enumerate(biases[:-1]):
            a = np.tanh(a @ chain[i].T + b) * keeps[i]
        a = 1 / (1 + np.exp(-(a @ chain[-1].T + biases[-1])))
        return np.mean(np.sum((a - y) ** 2, axis=1) / 2)

    one_step(net, x, y, shuffle=False)
    for layer, w in enumerate(weights):
        numeric = derivative(lambda moved, layer=layer: cost(moved, layer), w, h=1e-4)
        assert_allclose(w - net.weights[layer], numeric, rtol=1e-8, atol=1e-10)


def test_dropout_is_for_training_only(rng):
    net, plain = make([3, 50, 2], dropout=0.5), make([3, 50, 2])
    x, y = data(net, 6, rng)
    assert_array_equal(net.predict(x), plain.predict(x))
    assert_array_equal(net.backprop(x, y).nabla_w[0], plain.backprop(x, y).nabla_w[0])


def test_dropout_of_a_sample_depends_on_its_place_not_on_the_mini_batch(rng):
    net = make([3, 50, 2], dropout=0.5)
    x, y = data(net, 8, rng)
    checked = net._checked(x, y)
    whole = net._session(Data(*checked), Plan(SGD(0.0), 8))
    parts = net._session(Data(*checked), Plan(SGD(0.0), 3))
    order = np.arange(8)
    one, other = whole.train(order, 0, 1, 99), parts.train(order, 0, 3, 99)
    assert_allclose(one.cost, other.cost, rtol=1e-12)
    assert one.cost != whole.train(order, 0, 1, 100).cost


def test_backward_without_masks_is_backprop(rng):
    net = make([3, 4, 2])
    x, y = data(net, 5, rng)
    rows = [ACTIVATIONS[name] for name in net.spec.activations]
    states = forward(x, net.weights, net.biases, rows)
    deltas = backward(states, y, net.weights, net.spec)
    for one, other in zip(deltas, net.backprop(x, y).deltas, strict=True):
        assert_array_equal(one, other)


def test_float32_stays_float32(rng):
    net = make([3, 4, 2], dtype="float32", dropout=0.2, l1=0.1, l2=0.1)
    x, y = data(net, 5, rng)
    one_step(net, x, y, sample_weight=np.arange(5))
    zs, activations = net.forward(x)
    gradients = net.backprop(x, y)
    arrays = [*zs, *activations, *gradients.nabla_w, *gradients.nabla_b, *gradients.deltas]
    assert {a.dtype for a in [*arrays, *net.weights, net.predict(x)]} == {np.dtype("float32")}
