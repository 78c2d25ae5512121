"""Batches that come one by one."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import fastbp
from fastbp import Adam, EarlyStopping, ReduceOnPlateau


@pytest.fixture
def data(rng):
    x = rng.normal(size=(83, 5))
    return x, np.array(["ant", "bee", "cat"])[rng.integers(0, 3, 83)]


def make(engine=fastbp.Network, **options):
    net = engine(
        [5, 17, 3], **{"activation": "tanh", "cost": "cross_entropy", "dtype": "float64", "seed": 0, **options}
    )
    net.classes = ["ant", "bee", "cat"]
    return net


def batches(data, sizes=(10,) * 8 + (3,)):
    start = 0
    for size in sizes:
        yield tuple(array[start : start + size] for array in data)
        start += size


@pytest.mark.parametrize("options", [{}, {"optimizer": Adam(0.02)}, {"ema": 0.9}, {"clip_norm": 0.1}], ids=str)
def test_batches_train_as_mini_batches(options, engine, data):
    """A list, a function, something with a length: the history, and the parameters, are those of the samples."""
    nets = [make(engine, l2=0.01) for _ in range(3)]
    usual = {"epochs": 3, "verbose": 0, "validation_data": data, "metrics": ["top_2"], **options}
    histories = [
        nets[0].fit(*data, shuffle=False, **usual),
        nets[1].fit(list(batches(data)), **usual),
        nets[2].fit(lambda: batches(data), **usual),
    ]
    for net, history in zip(nets[1:], histories[1:], strict=True):
        assert_allclose(net.weights[0], nets[0].weights[0], rtol=0, atol=1e-13)
        assert_allclose(history.cost, histories[0].cost, rtol=1e-12)
        assert history.accuracy == pytest.approx(histories[0].accuracy)
        assert_allclose(history.validation_cost, histories[0].validation_cost, rtol=1e-12)
        assert net.epochs_trained == 3


def test_batches_of_any_size_and_weight(engine, data, rng):
    weight = rng.random(83)
    sizes = (1, 40, 2, 17, 23)
    net, other = make(engine), make(engine)
    net.fit([(x, y, w) for x, y, w in batches((*data, weight), sizes)], epochs=2, verbose=0, optimizer=Adam(0.02))
    trainer = fastbp.Trainer(other, Adam(0.02))
    for x, y, w in list(batches((*data, weight), sizes)) * 2:  # as many samples of each kind as weights say
        session = trainer._session("step", other._data(x, y, w, None))
        session.train(np.arange(len(x)), 0, 1, 0)
    assert_allclose(net.weights[0], other.weights[0], rtol=0, atol=1e-13)


def test_steps_on_more_and_more_samples(engine, data):
    """Of each mini-batch all are taken, though the first one was small."""
    x, y = data
    nets = make(engine), make(engine)
    growing = fastbp.Trainer(nets[0], fastbp.SGD(0.1))
    for size in (1, 10, 83):
        growing.step(x[:size], y[:size])
        fastbp.Trainer(nets[1], fastbp.SGD(0.1)).step(x[:size], y[:size])
    assert_allclose(nets[0].weights[0], nets[1].weights[0], rtol=0, atol=1e-14)


def test_a_schedule_goes_by_the_number_of_batches(engine, data):
    rate = fastbp.schedules.cosine(0.02, epochs=2)
    nets = make(engine), make(engine)
    nets[0].fit(*data, epochs=2, shuffle=False, optimizer=Adam(rate), verbose=0)
    nets[1].fit(list(batches(data)), epochs=2, optimizer=Adam(rate), verbose=0)
    assert_allclose(nets[0].weights[0], nets[1].weights[0], rtol=0, atol=1e-13)
    with pytest.raises(ValueError, match="a schedule goes by epochs; say how long one is"):
        make(engine).fit(lambda: batches(data), epochs=2, optimizer=Adam(rate), verbose=0)


def test_an_iterator_is_good_for_one_epoch(engine, data):
    net, other = make(engine), make(engine)
    history = net.fit(batches(data), verbose=0)
    assert len(history) == 1
    other.fit(list(batches(data)), epochs=1, verbose=0)
    assert_array_equal(net.weights[0], other.weights[0])
    with pytest.raises(ValueError, match=r"x is a generator, which can be swept once, and epochs is 2: give a list"):
        make(engine).fit(batches(data), epochs=2, verbose=0)


def test_callbacks_have_their_say(engine, data):
    net, stop, slow = make(engine), EarlyStopping("cost", patience=2), ReduceOnPlateau("cost", patience=1)
    batch = [(data[0][:10], data[1][:10])] * 3
    history = net.fit(batch, epochs=300, verbose=0, callbacks=[stop, slow], optimizer=Adam(1.0))
    assert len(history) < 300
    assert slow.reductions


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        ([], ValueError, "there is no batch: x yields nothing"),
        ([(np.zeros((2, 4)), ["ant", "bee"])], ValueError, "x has 4 features, the network takes 5"),
        ([np.zeros((2, 5))], TypeError, r"batch 1 must be \(x, y\) or \(x, y, sample_weight\), got ndarray"),
        ([(np.zeros((2, 5)), ["ant", "bee"]), (np.full((2, 5), np.nan), ["ant", "bee"])], ValueError,
         r"batch 2: x\[0, 0\] is nan, not a finite"),
        ([(np.zeros((2, 5)), ["ant", "bee"]), (np.zeros((2, 5)), ["ant", "dog"])], ValueError, "batch 2: y"),
    ],
)  # fmt: skip
def test_batches_that_are_refused(given, error, message, engine):
    with pytest.raises(error, match=message):
        make(engine).fit(given, epochs=1, verbose=0)


@pytest.mark.parametrize(
    "options",
    [{"validation_split": 0.2}, {"accumulate": 2}, {"class_weight": "balanced"}, {"callbacks": [fastbp.Diagnostics()]},
     {"callbacks": [fastbp.Checkpoint("never")]}, {"optimizer": fastbp.LBFGS()}],
    ids=str,
)  # fmt: skip
def test_what_has_no_meaning_for_batches_is_refused(options, engine, data):
    with pytest.raises(ValueError, match="batches"):
        make(engine).fit(list(batches(data)), epochs=2, verbose=0, **options)


def test_divergence_is_named(engine, data):
    net = make(engine, activation="relu", cost="quadratic", output="identity")
    net.classes = None
    x = np.ones((10, 5))
    before = net.weights
    with pytest.raises(fastbp.DivergenceError, match=r"in epoch 1, mini-batch"):
        net.fit([(x, np.ones((10, 3)))] * 400, epochs=1, optimizer=fastbp.SGD(1e9), verbose=0)
    assert_array_equal(net.weights[0], before[0])


def test_samples_without_targets_are_no_batches(engine, data):
    with pytest.raises(TypeError):
        make(engine).fit(data[0])
