"""`fit`, on every engine: what it trains on, what it records, and how it stops."""

import json
import os
import pickle
import threading

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import fastbp
from fastbp import SGD, Adam, DivergenceError
from fastbp.formulas.optimizers import update
from fastbp.training import loop as training

OPTIMIZERS = [SGD(0.5), SGD(0.1, momentum=0.9), SGD(0.1, 0.9, nesterov=True), Adam(0.01)]


@pytest.fixture
def data(rng):
    """Two classes that a small network can tell apart."""
    x = rng.normal(size=(43, 4))
    return x, (x[:, 0] + x[:, 1] > 0).astype(int)


def make(engine, **options):
    options = {"dtype": "float64", "seed": 7, **options}
    return engine([4, 6, 2], **options)


def fit(net, x, y, **options):
    options = {"epochs": 2, "optimizer": SGD(0.5), "verbose": 0, **options}
    return net.fit(x, y, **options)


def assert_same_parameters(one, other):
    for a, b in zip(one.weights + one.biases, other.weights + other.biases, strict=True):
        assert_array_equal(a, b)


def assert_close_parameters(one, other):
    for a, b in zip(one.weights + one.biases, other.weights + other.biases, strict=True):
        assert_allclose(a, b, rtol=1e-9, atol=1e-12)


# What is learnt


@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=str)
def test_training_lowers_the_cost(engine, data, optimizer):
    net = make(engine)
    before = net.evaluate(*data)
    fit(net, *data, epochs=60, optimizer=optimizer)
    after = net.evaluate(*data)
    assert after.cost < before.cost / 2
    assert after.accuracy > 0.9


def test_the_last_short_mini_batch_is_trained_on(engine, data):
    x, y = data
    net, by_hand = make(engine), make(engine)
    fit(net, x, y, epochs=1, batch_size=20, shuffle=False)
    for rows in (slice(0, 20), slice(20, 40), slice(40, 43)):
        fit(by_hand, x[rows], y[rows], epochs=1, batch_size=20, shuffle=False)
    assert_close_parameters(net, by_hand)


def test_a_mini_batch_larger_than_the_data_is_all_of_it(engine, data):
    net, other = make(engine), make(engine)
    fit(net, *data, batch_size=10**9)
    fit(other, *data, batch_size=len(data[0]))
    assert_same_parameters(net, other)


def test_each_epoch_sees_every_sample_once(data):
    x, y = data
    net = make(fastbp.ReferenceNetwork)
    orders = []
    net._session = lambda *_: Recorder(orders)
    fit(net, x, y, epochs=3)
    assert len(orders) == 3
    assert all(sorted(order) == list(range(43)) for order in orders)
    assert len({tuple(order) for order in orders}) == 3


class Recorder:
    """A session that learns nothing and remembers the order of the samples."""

    def __init__(self, orders):
        self.orders = orders

    def train(self, order, first, count, seed, so_far, rates):
        if first == 0:
            self.orders.append(order.tolist())
        return training.Progress(1.0, 1.0, 1.0, -1)

    def finite(self):
        return True

    def show_average(self, shown):
        pass

    def snapshot(self, into=None):
        pass

    def moved(self, snapshot):
        return True


def test_a_seed_fixes_everything(engine, data):
    nets = [make(engine, seed=s, dropout=0.2, dtype="float32") for s in (3, 3, 4)]
    for net in nets:
        fit(net, *data)
    assert_same_parameters(nets[0], nets[1])
    assert not np.array_equal(nets[0].weights[0], nets[2].weights[0])


def test_a_resumed_run_draws_what_it_would_have_drawn(engine, data):
    whole, parts = make(engine, dropout=0.3), make(engine, dropout=0.3)
    fit(whole, *data, epochs=4)
    fit(parts, *data, epochs=1)
    fit(parts, *data, epochs=3)
    assert whole.epochs_trained == parts.epochs_trained == 4
    assert_same_parameters(whole, parts)


@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=str)
def test_results_do_not_depend_on_how_calls_are_cut(engine, data, optimizer, monkeypatch):
    nets = []
    for seconds in (0.0, 1e9):  # one mini-batch a call; twice as many with each call
        monkeypatch.setattr(training, "CALL_SECONDS", seconds)
        net = make(engine, dropout=0.2)
        fit(net, *data, epochs=3, batch_size=4, optimizer=optimizer)
        nets.append(net)
    assert_same_parameters(*nets)


def test_calls_never_exceed_their_time(data, monkeypatch):
    """By a clock on which a mini-batch takes 30 ms."""
    now, counts = [0.0], []

    class Slow(Recorder):
        def train(self, order, first, count, seed, so_far, rates):
            counts.append(count)
            now[0] += 0.03 * count
            return super().train(order, first, count, seed, so_far, rates)

    monkeypatch.setattr(training, "perf_counter", lambda: now[0])
    net = make(fastbp.ReferenceNetwork)
    net._session = lambda *_: Slow([])
    fit(net, *data, epochs=2, batch_size=4)  # 11 mini-batches
    assert counts == [1, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 1]


# Weights of samples


def test_weight_2_is_the_sample_twice(engine, data):
    x, y = data
    weight = np.arange(43) % 3
    net, repeated = make(engine), make(engine)
    fit(net, x, y, epochs=1, batch_size=43, sample_weight=weight, shuffle=False)
    rows = np.repeat(np.arange(43), weight)
    fit(repeated, x[rows], y[rows], epochs=1, batch_size=99, shuffle=False)
    assert_close_parameters(net, repeated)


def test_the_scale_of_weights_does_not_matter(engine, data):
    net, other = make(engine), make(engine)
    fit(net, *data)
    fit(other, *data, sample_weight=np.full(43, 0.25))
    assert_close_parameters(net, other)


@pytest.mark.parametrize("scale", [1e-300, 1e-38, 1e36, 1e300])
def test_weights_beyond_float32_are_weights_all_the_same(engine, data, scale):
    net, other = (make(engine, dtype="float32") for _ in range(2))
    weight = np.where(np.arange(43) == 5, 0.0, np.arange(43) % 3 + 0.5)
    expected = fit(net, *data, sample_weight=weight)
    history = fit(other, *data, sample_weight=weight * scale)
    for a, b in zip(net.weights + net.biases, other.weights + other.biases, strict=True):
        assert_allclose(a, b, rtol=1e-4, atol=1e-6)
    assert_allclose(history.cost, expected.cost, rtol=1e-5)


def test_labels_changed_by_a_callback_are_not_those_that_are_trained_on(engine, data):
    """Kernels use labels as places in memory: one that is changed during a run would crash the process."""
    x, y = data
    net, other = make(engine), make(engine)
    mine = np.array(y, np.int64)
    fit(net, x, mine, epochs=2, callbacks=[lambda *_: mine.fill(10**12)])
    fit(other, x, y, epochs=2)
    assert_same_parameters(net, other)


@pytest.mark.parametrize("strength", [0.0, 0.1], ids=["plain", "penalties"])
@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=str)
def test_a_mini_batch_without_weight_has_gradient_0(engine, data, optimizer, strength):
    """Its parameters move by what momentum or Adam remember, penalties notwithstanding."""
    x, y = data
    net = make(engine, l1=strength, l2=strength)
    weight = np.ones(43)
    weight[20:40] = 0
    fit(net, x, y, epochs=1, batch_size=20, shuffle=False, sample_weight=weight,
        optimizer=optimizer)  # fmt: skip
    by_hand = make(fastbp.ReferenceNetwork, l1=strength, l2=strength)
    arrays = [*by_hand._weights, *by_hand._biases]
    state = [[np.zeros_like(p) for _ in optimizer.slots] for p in arrays]
    for step, rows in enumerate((slice(0, 20), None, slice(40, 43)), start=1):
        gradients = [np.zeros_like(p) for p in arrays]
        if rows is not None:
            found = by_hand.backprop(x[rows], y[rows])
            gradients = found.nabla_w + found.nabla_b
        for p, g, s in zip(arrays, gradients, state, strict=True):
            update(optimizer, p, g, s, step, optimizer.learning_rate)
    assert_close_parameters(net, by_hand)


def test_class_weights_are_sample_weights(engine, data):
    x, y = data
    net, other = make(engine), make(engine)
    fit(net, x, y, class_weight={1: 3.0}, sample_weight=np.arange(43))
    fit(other, x, y, sample_weight=np.where(y == 1, 3.0, 1.0) * np.arange(43))
    assert_same_parameters(net, other)


@pytest.mark.parametrize("few", [1, 3])
def test_balanced_classes_count_alike(engine, rng, few):
    y = np.array([0] * (12 - few) + [1] * few)
    x = rng.normal(size=(12, 4))
    net, other = (make(engine) for _ in range(2))
    fit(net, x, y, class_weight="balanced")
    fit(other, x, y, class_weight={0: 12 / (2 * (12 - few)), 1: 12 / (2 * few)})
    assert_same_parameters(net, other)


# What is recorded


def test_history_has_an_entry_per_epoch(engine, data):
    x, y = data
    history = fit(make(engine), x, y, epochs=3, validation_data=(x[:9], y[:9]))
    assert len(history) == 3
    assert {len(column) for column in history.to_dict().values()} == {3}
    assert history.learning_rate == [0.5] * 3
    assert all(seconds > 0 for seconds in history.seconds)
    assert json.loads(json.dumps(history.to_dict())) == history.to_dict()


def test_history_holds_running_means(engine, data):
    """At rate 0 nothing moves, so they are the means of the network as it is."""
    net = make(engine, l1=0.01, l2=0.1)
    history = fit(net, *data, optimizer=SGD(0.0), batch_size=4)
    cost, accuracy = net.evaluate(*data)
    assert_allclose(history.cost, cost, rtol=1e-12)
    assert_allclose(history.accuracy, accuracy, rtol=1e-12)


def test_running_means_are_weighted(engine, data):
    x, y = data
    weight = np.zeros(43)
    weight[:5] = 2.0
    net = make(engine)
    history = fit(net, x, y, optimizer=SGD(0.0), sample_weight=weight)
    cost, accuracy = net.evaluate(x[:5], y[:5])
    assert_allclose(history.cost, cost, rtol=1e-12)
    assert_allclose(history.accuracy, accuracy, rtol=1e-12)


def test_validation_is_what_evaluate_says_after_each_epoch(engine, data):
    x, y = data
    seen = []
    history = fit(
        make(engine), x, y, validation_data=(x[:9], y[:9]),
        callbacks=[lambda net, _: seen.append(net.evaluate(x[:9], y[:9]))],
    )  # fmt: skip
    assert history.validation_cost == [e.cost for e in seen]
    assert history.validation_accuracy == [e.accuracy for e in seen]


def test_without_validation_there_is_none(engine, data):
    history = fit(make(engine), *data)
    assert history.validation_cost == history.validation_accuracy == [None, None]


@pytest.mark.parametrize("y", [[[1, 0.5], [0.25, 1]], [[1], [1]]], ids=["others are not 0", "one output"])
def test_targets_with_a_single_1_in_each_row_are_not_always_labels(engine, y):
    y = np.array(y, float)
    net, x = engine([4, 6, y.shape[1]], dtype="float64", seed=0), np.zeros((2, 4))
    expected = np.mean(np.sum((net.predict(x) - y) ** 2, axis=1) / 2)
    assert_allclose(net.evaluate(x, y).cost, expected, rtol=1e-12)


def test_regression_has_no_accuracy(engine, rng):
    x, y = rng.normal(size=(9, 4)), rng.normal(size=(9, 2))
    net = make(engine, output="identity")
    assert fit(net, x, y).accuracy == [None, None]
    assert net.evaluate(x, y).accuracy is None


def test_one_sigmoid_is_right_on_the_side_of_its_target(engine):
    net = engine([1, 1], cost="binary_cross_entropy", seed=0)
    net.weights, net.biases = [[[1.0]]], [[0.0]]
    x, y = np.array([[3.0], [2.0], [-1.0], [-2.0]]), np.array([1, 0, 0, 0])
    assert net.evaluate(x, y).accuracy == 0.75
    assert net.evaluate(x, y * 0.5).accuracy is None
    assert fit(net, x, y, optimizer=SGD(0.0)).accuracy == [0.75, 0.75]


def test_history_reads_as_a_table(engine, data):
    text = repr(fit(make(engine), *data, epochs=12)).splitlines()
    assert text[0].split() == ["epoch", "cost", "accuracy", "learning_rate", "seconds"]  # what was measured
    assert [line.split()[0] for line in text[1:]] == [
        "1", "2", "3", "4", "5", "...", "8", "9", "10", "11", "12",
    ]  # fmt: skip


def test_verbose_2_writes_a_line_per_epoch(engine, data, capsys):
    fit(make(engine), *data, verbose=2)
    out, err = capsys.readouterr()
    assert out == ""
    assert [line.split("  ")[0] for line in err.splitlines()] == ["epoch 1/2", "epoch 2/2"]


@pytest.mark.parametrize("verbose", ["auto", 0])
def test_silent_where_nobody_looks(engine, data, capsys, verbose):
    fit(make(engine), *data, verbose=verbose)
    assert capsys.readouterr() == ("", "")


def test_verbose_1_draws_a_bar_that_ends_full(engine, data, capsys):
    fit(make(engine), *data, verbose=1)
    out, err = capsys.readouterr()
    assert out == ""
    assert "100%" in err
    assert "epoch 2/2" in err


# How it stops


def test_the_time_to_compile_is_not_counted(engine, data, monkeypatch):
    now, net = [0.0], make(engine)
    begin = net._session

    def slowly(*arguments):
        now[0] += 4.0
        return begin(*arguments)

    monkeypatch.setattr(training, "perf_counter", lambda: now[0])
    net._session = slowly
    assert fit(net, *data).seconds == [0.0, 0.0]
    assert now == [4.0]


def test_a_callback_stops_training_and_all_of_them_are_called(engine, data):
    calls = []

    def stop(net, history):
        calls.append(len(history))
        return len(history) == 2

    net = make(engine)
    history = fit(net, *data, epochs=9, callbacks=[stop, lambda *_: calls.append("last")])
    assert len(history) == net.epochs_trained == 2
    assert calls == [1, "last", 2, "last"]


def test_a_callback_may_set_parameters(engine, data):
    best = make(engine, seed=1)

    def reset(net, history):
        net.weights, net.biases = best.weights, best.biases

    net, other = make(engine), make(engine, seed=1)
    fit(net, *data, epochs=2, callbacks=[reset])
    assert_same_parameters(net, best)
    resumed = make(engine)
    fit(resumed, *data, epochs=2, callbacks=[lambda n, h: len(h) == 1 and reset(n, h)])
    other.epochs_trained = 1
    other.spec = resumed.spec  # of the same seed for shuffles
    fit(other, *data, epochs=1)
    assert_same_parameters(resumed, other)


def test_ctrl_c_in_a_callback_keeps_the_parameters(engine, data):
    def interrupt(net, history):
        if len(history) == 2:
            raise KeyboardInterrupt

    net, other = make(engine), make(engine)
    with pytest.raises(KeyboardInterrupt):
        fit(net, *data, epochs=9, callbacks=[interrupt])
    fit(other, *data, epochs=2)
    assert_same_parameters(net, other)
    fit(net, *data)  # and it can go on


def test_ctrl_c_in_the_middle_of_an_update_goes_back_before_it(data, monkeypatch):
    net = make(fastbp.ReferenceNetwork)
    before = net.weights
    calls = []

    def interrupted(optimizer, parameter, *_):
        parameter += 1.0
        calls.append(1)
        if len(calls) == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr("fastbp.networks.reference.update", interrupted)
    with pytest.raises(KeyboardInterrupt):
        fit(net, *data)
    assert len(calls) == 2
    for w, kept in zip(net.weights, before, strict=True):
        assert_array_equal(w, kept)


def test_a_network_is_trained_by_one_fit_at_a_time(engine, data):
    def nested(net, history):
        fit(net, *data)

    with pytest.raises(RuntimeError, match="being trained already; train a copy"):
        fit(make(engine), *data, callbacks=[nested])


def test_parameters_are_not_set_while_another_thread_trains(engine, data):
    net, said = make(engine), []

    def set_parameters():
        for name in ("weights", "biases", "flat"):
            with pytest.raises(RuntimeError, match="another thread is training this network; set parameters before or"):
                setattr(net, name, getattr(net, name))
            said.append(name)

    def elsewhere(net, history):
        thread = threading.Thread(target=set_parameters)
        thread.start()
        thread.join()

    fit(net, *data, epochs=1, callbacks=[elsewhere])
    assert said == ["weights", "biases", "flat"]
    set_here = [np.ones_like(w) for w in net.weights]
    fit(net, *data, epochs=1, callbacks=[lambda net, history: setattr(net, "weights", set_here)])  # a callback may
    assert_array_equal(net.weights[0], set_here[0])


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
@pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning")
def test_a_child_forked_in_training_may_train(engine, data):
    codes = []

    def fork(net, history):
        child = os.fork()
        if child == 0:
            try:
                fit(net, *data, epochs=1)
            except BaseException:
                os._exit(1)
            os._exit(0)
        codes.append(os.waitpid(child, 0)[1])

    fit(make(engine), *data, epochs=1, callbacks=[fork])
    assert codes == [0]


# Divergence


def diverging(kind):
    """Data whose sample 10 does it, and the optimizer that it takes."""
    rng = np.random.default_rng(5)
    x, y = rng.normal(size=(21, 4)), rng.normal(size=(21, 2))
    if kind == "parameters":  # the cost is finite, its gradient times η is not
        x, y = 1e-30 * x, 0 * y
        x[10] = 3e18
        return x, y, SGD(1000.0)
    x[10] = 1e30  # ½|a - y|² overflows
    return x, y, SGD(0.01) if kind == "cost" else Adam(0.01)


@pytest.mark.parametrize("seconds", [0.0, 1e9], ids=["short calls", "long calls"])
@pytest.mark.parametrize("kind", ["cost", "parameters", "adam"])
@pytest.mark.parametrize("batch_size", [1, 3])
def test_divergence_in_the_first_epoch_leaves_the_network_as_it_was(engine, batch_size, kind, seconds, monkeypatch):
    monkeypatch.setattr(training, "CALL_SECONDS", seconds)
    monkeypatch.setattr(training, "SNAPSHOT_SECONDS", seconds)
    x, y, optimizer = diverging(kind)
    net = make(engine, activation="identity", output="identity", dtype="float32")
    net.biases = [np.zeros(6), np.zeros(2)]
    before = pickle.loads(pickle.dumps(net))
    with pytest.raises(DivergenceError) as caught:
        fit(net, x, y, epochs=1, batch_size=batch_size, shuffle=False, optimizer=optimizer)
    error = caught.value
    assert (error.epoch, error.batch) == (1, 10 // batch_size + 1)
    assert 0 <= error.layer < 2
    assert error.learning_rate == optimizer.learning_rate
    assert f"at a learning rate of {optimizer.learning_rate:g}: layer" in str(error)
    assert "the network has its parameters from before fit; write optimizer=fastbp.Adam(0.001)" in str(error)
    assert_same_parameters(net, before)
    assert net.epochs_trained == 0


def test_after_divergence_the_message_can_be_followed(engine, data):
    """As a person would: a rate that is far too large, then what the message says to write."""
    x, y = data
    net = make(engine, activation="relu", output="softmax", cost="cross_entropy", dtype="float32")
    with pytest.raises(DivergenceError, match=r"write optimizer=fastbp.Adam\(0.001\)"):
        fit(net, x, y, epochs=30, optimizer=SGD(1e6))
    history = fit(net, x, y, epochs=200, batch_size=5, optimizer=Adam(0.001))
    assert history.accuracy[-1] > 0.9


@pytest.mark.parametrize("seconds", [0.0, 1e9], ids=["short calls", "long calls"])
def test_divergence_in_a_later_epoch_goes_back_to_the_end_of_the_one_before(engine, data, seconds, monkeypatch):
    monkeypatch.setattr(training, "SNAPSHOT_SECONDS", seconds)
    x, y = data
    x = x.copy()

    def explode(net, history):
        if len(history) == 2:
            kept.append(pickle.loads(pickle.dumps(net)))
            x[40] = 1e38  # of a later mini-batch

    kept = []
    net = make(engine, activation="identity", output="identity", dtype="float32")
    x = x.astype(np.float32)  # which is used as it is
    options = {"epochs": 5, "batch_size": 10, "optimizer": SGD(0.01), "callbacks": [explode], "shuffle": False}
    with pytest.raises(DivergenceError, match=r"in epoch 3, mini-batch 5, .* its parameters of the end of epoch 2"):
        fit(net, x, y, **options)
    assert net.epochs_trained == 2
    assert_same_parameters(net, kept[0])


@pytest.mark.parametrize("layer", [0, 1, 2])
def test_divergence_names_the_first_layer(engine, layer):
    net = engine([4, 5, 6, 2], activation="relu", output="identity", seed=0)
    weights = [np.full_like(w, 1e-3) for w in net.weights]
    weights[layer][:] = 3e38
    net.weights, net.biases = weights, [np.full_like(b, 1.0) for b in net.biases]
    with pytest.raises(DivergenceError) as caught:
        fit(net, np.full((3, 4), 10.0), [0, 1, 0])
    assert caught.value.layer == layer


def test_divergence_errors_survive_pickling():
    error = pickle.loads(pickle.dumps(DivergenceError(7, 4, 1, 0.5, 5)))
    assert (error.epoch, error.batch, error.layer, error.learning_rate, error.kept) == (7, 4, 1, 0.5, 5)
    assert "epoch 7, mini-batch 4, at a learning rate of 0.5: layer 1 (weights[1], zs[1])" in str(error)
    assert "has its parameters of the end of epoch 5" in str(error)
