"""What may happen after each epoch: stopping, slower steps, logs, metrics; what is held out; Ctrl-C."""

import csv
import subprocess
import sys
import time

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.metrics import r2_score, roc_auc_score, top_k_accuracy_score

import fastbp
from fastbp import Adam, CSVLogger, EarlyStopping, MaxSeconds, ReduceOnPlateau
from fastbp.networks.fitting import held_out
from fastbp.training import metrics as measures


@pytest.fixture
def digits():
    return fastbp.datasets.load_digits()


@pytest.fixture
def noisy(rng):
    """A few samples that are soon known by heart."""
    x = rng.normal(size=(60, 5))
    return x, x[:, 0] + rng.normal(size=60)


def make(engine, **options):
    return engine([5, 40, 1], **{"activation": "tanh", "seed": 0, "dtype": "float64", **options})


def fit(net, data, **options):
    return net.fit(*data, **{"epochs": 60, "verbose": 0, "optimizer": Adam(0.02), "validation_split": 0.3, **options})


class Falls:
    """Changes what the history says, so that a test knows it."""

    def __init__(self, values, name="validation_cost"):
        self.values, self.name = values, name

    def __call__(self, net, history):
        history[self.name][-1] = self.values[len(history) - 1]


# Early stopping


def test_training_stops_when_validation_gets_no_better(engine, noisy):
    net, stop, seen = make(engine), EarlyStopping(patience=4), []
    history = fit(net, noisy, epochs=500, callbacks=[lambda net, h: seen.append(net.weights), stop])
    best = int(np.argmin(history.validation_cost))
    assert stop.best_epoch == best + 1
    assert stop.best == history.validation_cost[best]
    assert len(history) == best + 1 + 4 < 500
    assert_array_equal(net.weights[0], seen[best][0])


@pytest.mark.parametrize("restore_best", [True, False])
def test_the_best_parameters_come_back_however_a_run_ends(restore_best, engine, noisy):
    """Here at its last epoch, with more patience than there are epochs."""
    net, seen = make(engine), []
    history = fit(net, noisy, callbacks=[EarlyStopping(patience=100, restore_best=restore_best),
                                         lambda net, h: seen.append(net.weights)])  # fmt: skip
    best = int(np.argmin(history.validation_cost))
    assert best < 59
    assert_array_equal(net.weights[0], seen[best if restore_best else -1][0])


@pytest.mark.parametrize(
    ("settings", "values", "epochs"),
    [
        ({"patience": 2}, [5, 4, 3, 4, 5, 6], 5),
        ({"patience": 2, "min_delta": 0.5}, [5, 4.8, 4.6, 4.4, 4.2], 3),
        ({"patience": 2, "min_delta": 0.5}, [5, 4.8, 4.4, 4.2, 4.1], 5),
        ({"patience": 1}, [5, 5, 1], 2),
        ({"patience": 2}, [float("nan")] * 5, 2),
        ({"patience": 2, "monitor": "cost"}, [1, 2, 3, 4], 3),
        ({"patience": 2, "monitor": "validation_r2"}, [0.1, 0.2, 0.1, 0.1, 0.5], 4),
    ],
)  # fmt: skip
def test_patience_is_counted_in_epochs_without_a_new_best(settings, values, epochs, engine, noisy):
    values = [*values, *[values[-1]] * 20]
    stop = EarlyStopping(**settings)
    history = fit(make(engine), noisy, metrics=["r2"], callbacks=[Falls(values, stop.monitor), stop], epochs=20)
    assert len(history) == epochs


def test_a_callback_that_is_used_again_begins_afresh(noisy):
    stop, slow = EarlyStopping(patience=3), ReduceOnPlateau(patience=1)
    lengths = [len(fit(make(fastbp.Network), noisy, epochs=200, callbacks=[stop, slow])) for _ in range(2)]
    assert lengths[0] == lengths[1]


def test_what_is_not_measured_is_not_watched(engine, noisy):
    with pytest.raises(ValueError, match=r"watches 'validation_cost', and .* cost, rmse; write .*split=0.2"):
        fit(make(engine), noisy, validation_split=0.0, callbacks=[EarlyStopping()])
    with pytest.raises(ValueError, match="ReduceOnPlateau watches 'loss', and this run measures cost, rmse, va"):
        fit(make(engine), noisy, callbacks=[ReduceOnPlateau("loss")])
    with pytest.raises(ValueError, match=r"a larger validation_mine is better, nobody knows: .*larger_is_better"):
        fit(make(engine), noisy, metrics=[mine], callbacks=[EarlyStopping("validation_mine")])


def mine(y, a):
    return float(np.mean(a[:, 0] > y[:, 0]))


# Slower steps


def test_steps_shrink_on_a_plateau(engine, noisy):
    values = [5, 4, 4, 4, 3, 3, 3, 3, 3, 3]
    slow = ReduceOnPlateau(factor=0.5, patience=2)
    history = fit(make(engine), noisy, epochs=10, callbacks=[Falls(values), slow])
    #        epochs     1     2     3     4      5 (4, 4: two)
    assert history.learning_rate == pytest.approx([0.02, 0.02, 0.02, 0.02, 0.01, 0.01, 0.01, 0.005, 0.005, 0.0025])


def test_steps_of_a_schedule_shrink_too_and_no_further_than_they_may(engine, noisy):
    schedule = fastbp.schedules.exponential(0.02, 0.5)
    slow = ReduceOnPlateau(factor=0.1, patience=1, min_learning_rate=0.004)
    history = fit(
        make(engine), noisy, epochs=4, batch_size=60, optimizer=Adam(schedule), callbacks=[Falls([1] * 9), slow]
    )
    assert history.learning_rate == pytest.approx([0.02, 0.01, 0.004, 0.0025])  # the schedule itself may go below


def test_reduced_steps_are_those_that_are_made(engine, noisy):
    """As if the run had been two, the second with the smaller rate."""
    nets = make(engine), make(engine)
    slow = ReduceOnPlateau(factor=0.5, patience=1)
    sgd = fastbp.SGD(0.02)
    fit(nets[0], noisy, epochs=4, optimizer=sgd, callbacks=[Falls([1, 1, 1, 0]), slow])
    for rate in (0.02, 0.02, 0.01, 0.005):
        fit(nets[1], noisy, epochs=1, optimizer=fastbp.SGD(rate))
    assert_array_equal(nets[0].weights[0], nets[1].weights[0])


# Time, logs


def test_a_run_ends_when_its_time_is_over(engine, noisy):
    start = time.perf_counter()
    history = fit(make(engine), noisy, epochs=10_000_000, callbacks=[MaxSeconds(0.3)])
    assert 0.25 < time.perf_counter() - start < 30
    assert len(history) >= 1


def test_a_log_has_a_row_per_epoch(engine, noisy, tmp_path):
    log, seen = CSVLogger(tmp_path / "log.csv"), []

    def look(net, history):
        seen.append(len((tmp_path / "log.csv").read_text(encoding="utf-8").splitlines()))

    for epochs in (3, 5):  # a second run begins it anew
        seen.clear()
        history = fit(make(engine), noisy, epochs=epochs, metrics=["r2"], callbacks=[log, look])
        with open(tmp_path / "log.csv", newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        assert [row["epoch"] for row in rows] == [str(e + 1) for e in range(epochs)]
        assert [float(row["validation_r2"]) for row in rows] == history["validation_r2"]
        assert [float(row["cost"]) for row in rows] == history.cost
        assert rows[0]["accuracy"] == ""
        assert seen == list(range(2, epochs + 2))  # it is there as soon as the epoch is over


# What is held out


@pytest.mark.parametrize("share", [0.1, 0.25, 0.5])
def test_of_each_label_the_same_share_is_held_out(share, rng):
    labels = np.sort(rng.choice(4, 400, p=[0.7, 0.2, 0.08, 0.02]))  # a sorted set is no trap
    held = held_out(labels, share, rng)
    assert len(held) == len(set(held)) == round(400 * share)
    for label in range(4):
        there = np.sum(labels == label)
        assert abs(np.sum(labels[held] == label) - share * there) <= 1


def test_what_is_held_out_is_not_trained_on(engine, noisy):
    """Targets of rows that are held out may be anything."""
    x, y = noisy
    net, other = make(engine), make(engine)
    held = held_out(y[:, None], 0.3, fastbp.training.streams.stream(0, fastbp.training.streams.SPLIT))
    changed = y.copy()
    changed[held] = 100.0
    assert len(held) == 18
    histories = [fit(net, (x, y), epochs=3), fit(other, (x, changed), epochs=3)]
    assert_array_equal(net.weights[0], other.weights[0])
    assert histories[0].validation_cost != histories[1].validation_cost
    again = net.evaluate(x[held], y[held]).cost
    assert histories[0].validation_cost[-1] == pytest.approx(again, rel=1e-12)


def test_the_rest_is_trained_on_as_if_it_were_all(engine, noisy):
    x, y = noisy
    held = held_out(y[:, None], 0.3, fastbp.training.streams.stream(0, fastbp.training.streams.SPLIT))
    kept = np.setdiff1d(np.arange(60), held)
    nets = make(engine), make(engine)
    weight = np.random.default_rng(0).random(60)
    fit(nets[0], noisy, epochs=3, sample_weight=weight)
    fit(nets[1], (x[kept], y[kept]), epochs=3, sample_weight=weight[kept], validation_split=0.0)
    np.testing.assert_allclose(nets[0].weights[0], nets[1].weights[0], rtol=0, atol=1e-13)


def test_each_fit_holds_out_the_same(engine, noisy):
    net, seen = make(engine), []
    for _ in range(2):
        task = net._task(*noisy, fastbp.networks.fitting.Settings(
            3, 10, None, None, 0.3, True, (), None, None, None, 0, None, None, 1, None, ()
        ))  # fmt: skip
        seen.append(task.rows)
        fit(net, noisy, epochs=1)
    assert_array_equal(*seen)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"validation_split": 1.0}, ValueError, "validation_split must be >= 0 and < 1, got 1.0"),
        ({"validation_split": 0.001}, ValueError, "validation_split is 0.001, which leaves 60 of 60 samples"),
        ({"validation_data": (np.zeros((2, 5)), np.zeros(2))}, ValueError, "are two ways to validate; give one"),
        ({"validation_split": 0.0, "metrics": ["r2"]}, ValueError, "metrics are measured on validation data: write"),
        ({"metrics": ["r3"]}, ValueError, "unknown metric 'r3'; choose from mean_absolute_error, r2, roc_auc, top_5"),
        ({"metrics": "r2"}, TypeError, "metrics must be a list of names or functions, got 'r2'"),
        ({"metrics": [3]}, TypeError, "unknown metric 3"),
        ({"metrics": ["r2", "r2"]}, ValueError, "there are two metrics called 'r2'"),
        ({"metrics": ["roc_auc"]}, ValueError, "the metric roc_auc is of labels, and y has quantities"),
    ],
    ids=str,
)
def test_fits_that_are_refused(engine, options, error, message, noisy):
    with pytest.raises(error, match=message):
        fit(make(engine), noisy, **options)


# Metrics


def test_metrics_are_those_of_scikit_learn(rng):
    y, a = rng.normal(size=(50, 2)), rng.normal(size=(50, 2))
    assert measures.r2(y, a) == pytest.approx(r2_score(y, a))
    labels, scores = rng.integers(0, 6, 80), rng.random((80, 6))
    for k in (1, 2, 5):
        expected = top_k_accuracy_score(labels, scores, k=k)
        assert measures.top_k(k).function(labels, scores) == pytest.approx(expected)
    shares = scores / scores.sum(axis=1, keepdims=True)
    assert measures.roc_auc(labels, scores) == pytest.approx(roc_auc_score(labels, shares, multi_class="ovr"))
    two = labels % 2
    assert measures.roc_auc(two, scores[:, :1]) == pytest.approx(roc_auc_score(two, scores[:, 0]))
    assert measures.roc_auc(two, scores[:, :2]) == pytest.approx(roc_auc_score(two, scores[:, 1]))


def test_metrics_are_measured_after_each_epoch(engine, digits):
    """A function of one's own gets labels as fit was given them."""
    names = np.array([f"digit {k}" for k in range(10)])
    seen = []

    def own(y, a):
        seen.append(set(y))
        return float(np.mean(names[np.argmax(a, axis=1)] == y))

    net = engine([64, 20, 10], activation="relu", cost="cross_entropy", seed=0)
    history = net.fit(digits.x_train[:300], names[digits.y_train[:300]], epochs=3, validation_split=0.2, verbose=0,
                      metrics=["top_3", "roc_auc", own])  # fmt: skip
    assert seen[0] == set(names)
    assert history["validation_own"] == pytest.approx(history.validation_accuracy)
    assert all(0.5 < value <= 1 for value in history["validation_roc_auc"])
    assert all(t >= a for t, a in zip(history["validation_top_3"], history.validation_accuracy, strict=True))
    assert "validation_top_3" in str(history)
    assert set(history.to_dict()) >= {"validation_top_3", "validation_roc_auc", "validation_own"}
    with pytest.raises(KeyError, match="'r2'; there are cost, "):
        history["r2"]


# Ctrl-C


@pytest.mark.parametrize("metrics", [(), ("r2",)])
def test_an_epoch_that_ctrl_c_ends_in_its_validation_is_not_noted(engine, metrics, monkeypatch):
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(50, 3)), rng.normal(size=50)
    net, scored = engine([3, 4, 1], activation="tanh", seed=0), engine._score

    def interrupted(self, *data):
        if len(net.history) == 2:
            raise KeyboardInterrupt
        return scored(self, *data)

    monkeypatch.setattr(engine, "_score", interrupted)
    with pytest.raises(KeyboardInterrupt):
        net.fit(x, y, 5, validation_split=0.2, metrics=metrics, verbose=0)
    assert {name: len(net.history[name]) for name in net.history.columns} == dict.fromkeys(net.history.columns, 2)
    assert net.epochs_trained == 3


def test_an_epoch_that_ctrl_c_cuts_short_while_it_is_noted_is_forgotten():
    history = fastbp.History(*([1.0, 2.0] for _ in range(8)), metrics={"validation_r2": [1.0, 2.0]})
    history.cost.append(3.0)
    history.metrics["validation_r2"].append(3.0)
    history.settle()
    assert {len(history[name]) for name in history.columns} == {2}


CTRL_C = """
import os, signal, threading, sys
import numpy as np, fastbp
rng = np.random.default_rng(0)
x, y = rng.normal(size=(2000, 50)), rng.normal(size=2000)
net = fastbp.{engine}([50, 100, 1], activation="tanh", seed=0)
stop = fastbp.EarlyStopping(patience=10**9)
def interrupt(net, history):
    if len(history) == 3:
        threading.Timer(0.05, lambda: os.kill(os.getpid(), signal.SIGINT)).start()
try:
    net.fit(x, y, epochs=10**9, validation_split=0.2, callbacks=[interrupt, stop], verbose=0)
except KeyboardInterrupt:
    history = net.history
    assert len(history) >= 3 and len(history.seconds) == len(history.validation_cost) == len(history), history
    assert all(np.isfinite(w).all() for w in net.weights)
    net.fit(x, y, epochs=1, verbose=0)
    assert len(net.history) == 1
    print("ok", len(history))
"""


@pytest.mark.parametrize("engine", ["Network", "ReferenceNetwork"])
@pytest.mark.skipif(sys.platform == "win32", reason="sends a signal")
def test_ctrl_c_leaves_the_history_so_far(engine):
    done = subprocess.run(
        [sys.executable, "-c", CTRL_C.replace("{engine}", engine)], capture_output=True, text=True, timeout=120
    )
    assert done.stdout.startswith("ok"), done.stderr


def test_an_error_in_a_callback_leaves_a_usable_network(engine, noisy):
    net, calls = make(engine), []

    def fail(net, history):
        calls.append(1)
        if len(calls) == 3:
            raise RuntimeError("mine")

    with pytest.raises(RuntimeError, match="mine"):
        fit(net, noisy, callbacks=[fail, EarlyStopping()])
    assert len(net.history) == 3
    assert np.isfinite(net.predict(noisy[0])).all()
    fit(net, noisy, epochs=1)
