"""Inputs that are mostly 0 are skipped in the first layer: faster, and not a bit is different."""

import numpy as np
import pytest

from fastbp import SGD, Adam
from fastbp.checking.cross import OPTIMIZERS
from fastbp.memory.workspace import BLOCK_INPUTS, CHAIN_ROWS, SUM_ROWS
from fastbp.networks import fast as network
from fastbp.networks.fast import Network
from fastbp.networks.nonzeros import LEAST_BATCH, LOOKED_AT, MOST, NO_SHORT_FORM, find_nonzeros

INPUTS = (64, BLOCK_INPUTS - 1, BLOCK_INPUTS, BLOCK_INPUTS + 1, 3 * BLOCK_INPUTS + 17)
OUTPUTS = (1, 2, 3, 15, 16, 17, 31, 33, 100, 300)  # parts of a vector, of a panel, of some panels side by side
BATCHES = (LEAST_BATCH, 17, CHAIN_ROWS, CHAIN_ROWS + 1, SUM_ROWS, SUM_ROWS + 1, 2 * SUM_ROWS + 3)


def mostly_zeros(n, n_in, share=0.9, dtype="float32", seed=0):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, n_in)).astype(dtype)
    x[rng.random(x.shape) < share] = 0
    return x


def fit(net, x, **options):
    """Train; return all that training leaves behind."""
    y = np.random.default_rng(1).integers(0, net.spec.sizes[-1], len(x))
    if net.spec.sizes[-1] == 1:
        y = y.astype(float)[:, None]
    history = net.fit(x, y, **{"epochs": 2, "batch_size": 10, "optimizer": SGD(0.1), "verbose": 0, **options})
    return [*net.weights, *net.biases, np.array(history.cost), np.array(history.accuracy, float)]


def forms(monkeypatch):
    """Return the list of all short forms that are found from now on."""
    found = []
    monkeypatch.setattr(network, "find_nonzeros", lambda *args: found.append(find_nonzeros(*args)) or found[-1])
    return found


def with_and_without(monkeypatch, make, x, **options):
    """Train the same network twice, with zeros skipped and without; make sure that they were."""
    found = forms(monkeypatch)
    skipping = fit(make(), x, **options)
    assert found[0].blocks > 0
    monkeypatch.setattr(network, "find_nonzeros", lambda *_: NO_SHORT_FORM)
    return skipping, fit(make(), x, **options)


def assert_same_bits(one, other):
    *results, accuracy = zip(one, other, strict=True)
    for a, b in results:
        assert np.isfinite(a).all()
        np.testing.assert_array_equal(a, b)
    np.testing.assert_array_equal(*accuracy)  # NaN where answers are not right or wrong


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("n_out", OUTPUTS)
@pytest.mark.parametrize("n_in", INPUTS)
def test_skipping_zeros_changes_no_bit(monkeypatch, n_in, n_out, dtype):
    x = mostly_zeros(50, n_in, dtype=dtype)
    pair = with_and_without(monkeypatch, lambda: Network([n_in, n_out, 3], dtype=dtype, seed=1), x, batch_size=17)
    assert_same_bits(*pair)


@pytest.mark.parametrize("output", ["softmax", "sigmoid"])
def test_skipping_zeros_changes_no_bit_of_a_single_layer(monkeypatch, output):
    cost = {"softmax": "cross_entropy", "sigmoid": "quadratic"}[output]
    x = mostly_zeros(50, 100)
    pair = with_and_without(monkeypatch, lambda: Network([100, 17], output=output, cost=cost, seed=1), x)
    assert_same_bits(*pair)


@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=str)
@pytest.mark.parametrize("batch_size", BATCHES)
def test_skipping_zeros_changes_no_bit_for_any_batch_or_optimizer(monkeypatch, batch_size, optimizer):
    x = mostly_zeros(2 * batch_size + 1, 100)
    pair = with_and_without(
        monkeypatch, lambda: Network([100, 40, 3], l2=1e-3, dropout=0.2, seed=1), x,
        batch_size=batch_size, optimizer=optimizer,
    )  # fmt: skip
    assert_same_bits(*pair)


@pytest.mark.parametrize("threads", [2, 3, 8])
def test_skipping_zeros_changes_no_bit_for_any_number_of_threads(monkeypatch, threads):
    x = mostly_zeros(100, 500)
    found = forms(monkeypatch)
    one, team = (fit(Network([500, 70, 10], threads=n, seed=1), x, batch_size=40) for n in (1, threads))
    assert [form.blocks for form in found] == [6, 6]
    assert_same_bits(one, team)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("n_out", [1, 16, 17, 33, 64, 100, 300])  # shared out by outputs, where panels suffice, or not
@pytest.mark.parametrize("options", [{}, {"optimizer": Adam(0.01)}, {"clip_norm": 0.1}, {"batch_size": 300}], ids=str)
def test_no_way_to_share_out_the_nonzeros_changes_a_bit(n_out, dtype, options):
    x = mostly_zeros(600, 3 * BLOCK_INPUTS + 17, dtype=dtype)
    nets = [Network([x.shape[1], n_out, 3], dtype=dtype, seed=0, threads=threads) for threads in (1, 2, 3, 4)]
    one, *teams = (fit(net, x, **options) for net in nets)
    for several in teams:
        assert all(np.array_equal(a, b, equal_nan=True) for a, b in zip(one, several, strict=True))


@pytest.mark.parametrize("m", [1, 3, 33, 1024, 1025, 2500])
@pytest.mark.parametrize("share", [0.0, 0.9])
def test_a_view_gives_the_outputs_and_costs_of_the_moment(m, share):
    x, rng = mostly_zeros(m, 100, share, "float64"), np.random.default_rng(2)
    net = Network([100, 17, 3], dtype="float64", cost="cross_entropy", seed=0, threads=2)
    y = np.eye(3)[rng.integers(0, 3, m)]
    view = net._viewer(x, y)
    for _ in range(2):
        outputs, cost = view()
        np.testing.assert_array_equal(outputs, net.predict(x))
        np.testing.assert_allclose(cost / m, net.evaluate(x, y).cost, rtol=1e-12)
        net.weights = [w * 1.5 for w in net.weights]


@pytest.mark.parametrize("optimizer", [SGD(0.1), Adam()], ids=str)
def test_network_that_skips_zeros_agrees_with_reference(monkeypatch, optimizer):
    x, found = mostly_zeros(60, 200, dtype="float64"), forms(monkeypatch)
    net = Network([200, 33, 4], activation="tanh", dtype="float64", seed=1)
    expected = fit(net.to_reference(), x, optimizer=optimizer)
    got = fit(net, x, optimizer=optimizer)
    assert found[0].blocks > 0
    for one, other in zip(got, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=0, atol=1e-13)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("n", [1, 2, LOOKED_AT + 1, 1000])
def test_short_form_holds_every_input(n, dtype):
    x = mostly_zeros(n, 250, dtype=dtype)
    x[n // 2], x[0, -1] = 0, 1  # a row of nothing but zeros, unless it is the only one
    blocks, starts, entries = find_nonzeros(x, 10, 2)
    assert blocks == -(-250 // BLOCK_INPUTS)
    again = np.zeros_like(x)
    for sample, row in enumerate(again):
        for block in range(blocks):
            here = entries[starts[sample * blocks + block] : starts[sample * blocks + block + 1]]
            assert (here["place"] // BLOCK_INPUTS == block).all()
            row[here["place"]] = here["value"]
    np.testing.assert_array_equal(again, x)
    assert starts[-1] == np.count_nonzero(x)


@pytest.mark.parametrize(
    ("x", "batch_size", "epochs"),
    [
        (mostly_zeros(300, 100, share=1 - 1.5 * MOST), 10, 2),
        (mostly_zeros(300, 100), 10, 1),
        (mostly_zeros(300, 100), 1, 2),
        (mostly_zeros(300, 30), 10, 2),
    ],
    ids=["too few zeros", "one epoch", "one by one", "too few inputs"],
)
def test_no_short_form_where_it_would_not_pay(x, batch_size, epochs):
    assert find_nonzeros(x, batch_size, epochs) is NO_SHORT_FORM


def test_no_short_form_where_zeros_are_only_in_the_samples_looked_at():
    x = mostly_zeros(4 * LOOKED_AT, 100)
    assert find_nonzeros(x, 10, 2).blocks
    rest = np.arange(len(x)) % 4 != 0
    x[rest] = 1
    assert find_nonzeros(x, 10, 2) is NO_SHORT_FORM


@pytest.mark.filterwarnings("ignore:training moved no weight")  # biases only
def test_zeros_alone_are_learned_from():
    x = np.zeros((20, 100), np.float32)
    net = Network([100, 3], seed=0)
    before, bias = net.weights[0].copy(), net.biases[0].copy()
    fit(net, x)
    np.testing.assert_array_equal(net.weights[0], before)
    assert not np.array_equal(net.biases[0], bias)
