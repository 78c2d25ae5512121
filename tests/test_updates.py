"""What limits a gradient, what is added up to one update, what weights may be, and the average of them."""

import itertools

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import fastbp
from fastbp import SGD, Adam, Network, ReferenceNetwork, Trainer
from fastbp.formulas.averages import newest_share
from fastbp.formulas.constraints import rises
from fastbp.formulas.dropout import INPUTS, keep_scale
from fastbp.training.loop import Data, Plan, Task

SIZES = [9, 33, 17, 3]
UPDATES = {
    "by value": ({}, {"clip_value": 0.01}),
    "by norm": ({}, {"clip_norm": 0.1}),
    "by layer": ({}, {"clip_layer_norm": 0.03}),
    "accumulated": ({"l2": 0.01, "l1": 0.001}, {"accumulate": 3}),
    "accumulated and clipped": ({"dropout": 0.2}, {"accumulate": 4, "clip_layer_norm": 0.03}),
    "averaged": ({}, {"ema": 0.9}),
    "averaged one by one": ({}, {"ema": 0.99, "batch_size": 1}),
    "max-norm": ({"max_norm": 0.6}, {}),
    "max-norm one by one": ({"max_norm": 0.6}, {"batch_size": 1}),
    "nonnegative": ({"nonnegative": True, "max_norm": 1.0}, {"clip_value": 0.01}),
    "monotone": ({"monotone": [1, -1, 0] * 3, "output": "sigmoid", "cost": "quadratic"}, {"ema": 0.9, "accumulate": 2}),
    "dropout of inputs": ({"dropout": [0.2, 0.5, 0.1], "activation": "gelu"}, {}),
    "dropout here and there": ({"dropout": [0.2, 0, 0.3]}, {"batch_size": 1}),
}
OPTIMIZERS = [SGD(0.1), SGD(0.01, momentum=0.9), Adam(0.01)]
TOLERANCE = {"float32": 2e-5, "float64": 1e-13}


@pytest.fixture
def data(rng):
    return rng.normal(size=(103, SIZES[0])), rng.integers(0, 3, 103)


def make(engine=Network, sizes=SIZES, **options):
    return engine(sizes, **{"activation": "tanh", "cost": "cross_entropy", "dtype": "float64", "seed": 1, **options})


def all_of(net):
    return [*net.weights, *net.biases]


def assert_same(one, other):
    for a, b in zip(all_of(one), all_of(other), strict=True):
        assert_array_equal(a, b)


def fit(net, data, **options):
    return net.fit(*data, **{"epochs": 2, "batch_size": 8, "verbose": 0, "optimizer": SGD(0.3), **options})


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=str)
@pytest.mark.parametrize("update", UPDATES)
def test_updates_agree_with_reference(update, optimizer, dtype, data):
    options, settings = UPDATES[update]
    weight = np.random.default_rng(5).random(len(data[0]))
    nets = [make(engine, dtype=dtype, **options) for engine in (Network, ReferenceNetwork)]
    histories = [
        fit(net, data, optimizer=optimizer, validation_data=data, sample_weight=weight, **settings) for net in nets
    ]
    for fast, slow in zip(all_of(nets[0]), all_of(nets[1]), strict=True):
        assert_allclose(fast, slow, rtol=0, atol=TOLERANCE[dtype] * max(1, np.abs(slow).max()))
    for name in ("cost", "validation_cost", "accuracy"):
        assert_allclose(getattr(histories[0], name), getattr(histories[1], name), rtol=10 * TOLERANCE[dtype])


@pytest.mark.parametrize("update", UPDATES)
def test_updates_have_the_same_bits_on_any_number_of_threads(update, data):
    options, settings = UPDATES[update]
    nets = [make(dtype="float32", threads=threads, **options) for threads in (1, 2, 5)]
    for net in nets:
        fit(net, data, **{"batch_size": 30, **settings})
    assert_same(nets[0], nets[1])
    assert_same(nets[0], nets[2])


@pytest.mark.parametrize(("n", "m"), list(itertools.product((1, 2, 3, 15, 16, 17, 31, 33, 100), (1, 7))))
def test_updates_of_odd_shapes_agree_with_reference(n, m, rng):
    """Layers that fill no vector, a panel, or several; mini-batches of one sample."""
    data = rng.normal(size=(9, n)), rng.normal(size=(9, 2))
    nets = [
        engine([n, n, 2], activation="tanh", max_norm=0.5, dropout=[0.1, 0.2], dtype="float64", seed=1)
        for engine in (Network, ReferenceNetwork)
    ]
    for net in nets:
        fit(net, data, batch_size=m, clip_layer_norm=0.2, accumulate=2, ema=0.8)
    for fast, slow in zip(all_of(nets[0]), all_of(nets[1]), strict=True):
        assert_allclose(fast, slow, rtol=0, atol=1e-13)


# Limits of the gradient


def moved(net, data, **limits):
    """Return by how much one step of length 1 moves weights and biases."""
    before = all_of(net)
    Trainer(net, SGD(1.0), **limits).step(*data)
    return [b - a for a, b in zip(all_of(net), before, strict=True)]


def test_no_entry_moves_further_than_the_value(engine, data):
    net = make(engine)
    found = net.backprop(*data)
    for step, g in zip(moved(net, data, clip_value=0.02), [*found.nabla_w, *found.nabla_b], strict=True):
        assert np.abs(g).max() > 0.02
        assert_allclose(step, np.clip(g, -0.02, 0.02), rtol=0, atol=1e-14)


def test_each_layer_is_clipped_by_itself(engine, data):
    net = make(engine)
    found = net.backprop(*data)
    lengths = [np.sqrt(np.sum(w**2) + np.sum(b**2)) for w, b in zip(found.nabla_w, found.nabla_b, strict=True)]
    limit = sorted(lengths)[1]  # one layer is longer, one shorter
    steps = moved(net, data, clip_layer_norm=limit)
    for layer, length in enumerate(lengths):
        step = np.sqrt(np.sum(steps[layer] ** 2) + np.sum(steps[layer + 3] ** 2))
        assert step == pytest.approx(min(limit, length), rel=1e-10)
    assert min(lengths) < limit < max(lengths)


def test_limits_hold_in_two_halves_too(engine, data):
    nets = make(engine, max_norm=0.5), make(engine, max_norm=0.5)
    for limits in ({"clip_value": 0.01}, {"clip_layer_norm": 0.01}):
        whole, halves = (Trainer(net, SGD(1.0), ema=0.5, **limits) for net in nets)
        for _ in range(2):
            whole.step(*data)
            halves.apply(halves.gradient(*data))
        for one, other in zip(all_of(whole.averaged()), all_of(halves.averaged()), strict=True):
            assert_allclose(one, other, rtol=0, atol=1e-13)


# Mini-batches that are added up


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize(("batch_size", "accumulate"), [(10, 4), (1, 8), (33, 2), (60, 3)])
def test_mini_batches_add_up_to_a_large_one(engine, batch_size, accumulate, weighted, data, rng):
    """Groups that end early, and samples without weight, included."""
    weight = rng.integers(0, 3, len(data[0])) if weighted else None
    nets = make(engine, l2=0.01, dropout=0.3), make(engine, l2=0.01, dropout=0.3)
    histories = [
        fit(net, data, batch_size=size, accumulate=group, optimizer=Adam(0.02), sample_weight=weight)
        for net, size, group in ((nets[0], batch_size, accumulate), (nets[1], batch_size * accumulate, 1))
    ]
    for one, other in zip(all_of(nets[0]), all_of(nets[1]), strict=True):
        assert_allclose(one, other, rtol=0, atol=1e-12)
    assert_allclose(histories[0].cost, histories[1].cost, rtol=1e-12)


def test_a_group_has_the_rate_that_it_begins_with(engine, data):
    x, y = (array[:100] for array in data)
    nets = make(engine), make(engine)
    for net, size, group in ((nets[0], 5, 4), (nets[1], 20, 1)):
        schedule = fastbp.schedules.cosine(0.02, epochs=2)
        fit(net, (x, y), batch_size=size, accumulate=group, optimizer=Adam(schedule))
    for one, other in zip(all_of(nets[0]), all_of(nets[1]), strict=True):
        assert_allclose(one, other, rtol=0, atol=1e-12)


def test_looking_and_accumulating_do_not_go_together(engine, data):
    with pytest.raises(ValueError, match="Diagnostics looks at mini-batches that make an update each"):
        fit(make(engine), data, accumulate=2, callbacks=[fastbp.Diagnostics()])


# The average of the weights


def test_the_average_forgets_the_initial_weights():
    shares = [newest_share(0.9, t) for t in range(1, 200)]
    assert shares[0] == 1  # the first update's weights are all there is
    assert shares[1] == pytest.approx(1 / 1.9)
    assert shares[-1] == pytest.approx(0.1)


def test_the_average_is_that_of_the_weights_after_each_update(engine, data):
    net, decay = make(engine), 0.8
    trainer = Trainer(net, Adam(0.05), ema=decay)
    seen = []
    for _ in range(6):
        trainer.step(*data)
        seen.append(net.weights)
    counts = decay ** np.arange(5, -1, -1)
    for layer, mean in enumerate(trainer.averaged().weights):
        expected = sum(c * w[layer] for c, w in zip(counts, seen, strict=True)) / counts.sum()
        assert_allclose(mean, expected, rtol=0, atol=1e-13)


def test_who_looks_between_epochs_sees_the_average(engine, data):
    net, raw = make(engine), make(engine)
    costs, weights = [], []

    def look(net, history):
        costs.append(net.evaluate(*data).cost)
        weights.append(net.weights)

    options = {"epochs": 3, "shuffle": False, "optimizer": Adam(0.05)}
    history = fit(net, data, ema=0.9, validation_data=data, callbacks=[look], **options)
    assert history.validation_cost == pytest.approx(costs)
    assert net.evaluate(*data).cost == costs[-1]
    # training itself went on from the weights
    trainer = Trainer(raw, Adam(0.05), ema=0.9)
    for _ in range(3):
        for start in range(0, len(data[0]), 8):
            trainer.step(data[0][start : start + 8], data[1][start : start + 8])
    for one, other in zip(weights[-1], trainer.averaged().weights, strict=True):
        assert_allclose(one, other, rtol=0, atol=1e-12)
    assert np.abs(raw.weights[0] - net.weights[0]).max() > 1e-3


def test_an_average_learns_more_quietly(rng):
    """With a rate that is too large, weights jump about the minimum; their average does not."""
    x = rng.normal(size=(400, 5))
    y = np.tanh(x @ rng.normal(size=(5, 1))) + 0.3 * rng.normal(size=(400, 1))
    test = x[300:], y[300:]
    costs = []
    for ema in (None, 0.99):
        net = Network([5, 30, 1], activation="tanh", seed=0)
        history = net.fit(x[:300], y[:300], epochs=40, optimizer=Adam(0.03), validation_data=test, ema=ema, verbose=0)
        costs.append(np.mean(history.validation_cost[-10:]))
    assert costs[1] < 0.9 * costs[0]


def test_a_run_that_diverges_leaves_the_average_of_good_epochs(engine, data):
    net, seen = make(engine, activation="relu", cost="quadratic", output="identity"), []

    def explode(net, history):
        seen.append(net.weights)
        return False

    x, y = data[0], np.ones((103, 3))
    schedule = lambda t: np.where(np.asarray(t) < 2, 0.01, 1e30)  # noqa: E731
    with pytest.raises(fastbp.DivergenceError):
        fit(net, (x, y), epochs=4, ema=0.9, optimizer=SGD(schedule), callbacks=[explode])
    for one, other in zip(net.weights, seen[1], strict=True):
        assert_allclose(one, other, rtol=0, atol=1e-14)


def test_a_run_keeps_weights_and_average_apart(engine, data):
    """Between epochs the network has the average, and what is kept of the run is none the wiser."""
    net, kept = make(engine), []
    trainer = Trainer(net, Adam(0.05), ema=0.9)
    for _ in range(3):
        trainer.step(*data)
    session = net._session(
        fastbp.training.loop.Data(*net._checked(*data)), trainer._sessions["step"].plan, trainer.state
    )
    for shown in (False, True, True, False):
        session.show_average(shown)
        kept.append(trainer.state_dict())
        looked_at = "average.weights.1" if shown else "weights.1"
        assert_array_equal(net.weights[1], kept[-1][looked_at])
    for name, array in kept[0].items():
        assert all(np.array_equal(array, other[name]) for other in kept[1:]), name
    assert not np.array_equal(kept[0]["weights.1"], kept[0]["average.weights.1"])


def test_an_average_is_kept_with_a_run(engine, data):
    one, two = (Trainer(make(engine), Adam(0.05), ema=0.9) for _ in range(2))
    one.step(*data)
    two.load_state_dict(one.state_dict())
    for trainer in (one, two):
        trainer.step(*data)
    assert_same(one.averaged(), two.averaged())
    with pytest.raises(ValueError, match=r"there is no average: write Trainer\(..., ema=0.999\)"):
        Trainer(make(engine)).averaged()


# What weights may be


def test_weights_into_a_neuron_stay_short(engine, data):
    net = make(engine, max_norm=0.4)
    for epochs in (0, 2):
        if epochs:
            fit(net, data, epochs=epochs)
        norms = np.concatenate([np.linalg.norm(w, axis=1) for w in net.weights])
        assert norms.max() <= 0.4 * (1 + 1e-12)
    assert (norms > 0.39).any()  # some would be longer
    assert (norms < 0.39).any()  # and those that are not are left alone


def test_nonnegative_weights_stay_so(engine, data):
    net = make(engine, nonnegative=True)
    assert all((w > 0).mean() > 0.99 for w in net.weights)
    fit(net, data)
    assert all((w >= 0).all() for w in net.weights)
    assert any((w == 0).any() for w in net.weights)  # some would be below


def test_monotone_networks_rise_and_fall_as_they_must(engine, rng):
    """Fitted to data that say otherwise here and there, outputs still never turn back."""
    x = rng.uniform(-1, 1, (300, 3))
    y = np.tanh(2 * x[:, 0]) - x[:, 1] ** 3 + np.sin(4 * x[:, 2]) + 0.5 * rng.normal(size=300)
    options = {"sizes": [3, 20, 10, 1], "activation": "tanh", "dtype": "float64", "seed": 0}
    net, free = engine(**options, monotone=[1, -1, 0]), engine(**options)
    for each in (net, free):
        each.fit(x, y, epochs=60, optimizer=Adam(0.01), batch_size=20, verbose=0)
    points = rng.uniform(-1, 1, (200, 1, 3)).repeat(50, axis=1)
    turns = {}
    for place in range(3):
        grid = points.copy()
        grid[:, :, place] = np.linspace(-1, 1, 50)
        steps = [np.diff(each.predict(grid.reshape(-1, 3)).reshape(200, 50), axis=1) for each in (net, free)]
        turns[place] = [((step < -1e-12).any(), (step > 1e-12).any()) for step in steps]
    assert turns[0][0] == (False, True)
    assert turns[1][0] == (True, False)
    assert turns[2][0] == (True, True)
    assert turns[0][1] == turns[1][1] == (True, True)  # without the constraint it bends to the noise
    truth = np.tanh(2 * x[:, 0]) - x[:, 1] ** 3 + np.sin(4 * x[:, 2])
    assert np.mean((net.predict(x)[:, 0] - truth) ** 2) < 0.15 * truth.var()


def test_constraints_are_kept_in_files_and_copies(engine, data, tmp_path):
    net = make(engine, monotone=[1, 0, -1] * 3, cost="binary_cross_entropy", max_norm=2.0, dropout=[0.1, 0.2, 0.0])
    net.save(tmp_path / "net.safetensors")
    for again in (engine.load(tmp_path / "net.safetensors"), net._twin(engine)):
        assert again.spec == net.spec
        assert again.spec.dropouts == (0.1, 0.2, 0.0)
        assert again.spec.monotone == (1, 0, -1) * 3


def test_a_file_with_weights_of_the_wrong_sign_is_refused(engine, tmp_path):
    net = make(engine, nonnegative=True)
    other = make(engine)
    other.spec = net.spec
    other.save(tmp_path / "net.safetensors")
    with pytest.raises(fastbp.ModelFileError, match=r"net\.safetensors: weights\[0\].* must be >= 0, as nonnegative"):
        engine.load(tmp_path / "net.safetensors")


def test_weights_of_the_wrong_sign_are_refused(engine):
    net = make(engine, nonnegative=True)
    wrong = [w.copy() for w in net.weights]
    wrong[1][2, 5] = -0.25
    with pytest.raises(ValueError, match=r"weights\[1\]\[2, 5\] is -0.25; it must be >= 0, as nonnegative says"):
        net.weights = wrong


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"max_norm": 0}, ValueError, "max_norm must be > 0 and finite, got 0"),
        ({"nonnegative": "yes"}, TypeError, "nonnegative must be True or False, got 'yes'"),
        ({"monotone": [1, 0]}, ValueError, "monotone must be 1 .rises., 0 .free. or -1 .falls. for each of 9 inputs"),
        ({"monotone": [2] * 9}, ValueError, "for each of 9 inputs"),
        ({"monotone": "up"}, TypeError, "monotone must be a list of 1, 0 or -1 for each input, got 'up'"),
        ({"monotone": [1] * 9, "nonnegative": True}, ValueError, "leave out nonnegative"),
        ({"monotone": [1] * 9, "activation": "gelu"}, ValueError, "gelu of layer 0 does; choose tanh, sigmoid, relu"),
        ({"monotone": [1] * 9}, ValueError, "outputs of softmax cannot all rise"),
        ({"dropout": [0.1, 0.2]}, ValueError, "dropout has 2 shares; give one number for all hidden layers, or a list"),
        ({"dropout": [0.1, 0.2, 1.0]}, ValueError, "each of dropout must be >= 0 and < 1, got 1.0"),
    ],
    ids=str,
)  # fmt: skip
def test_networks_that_are_refused(engine, options, error, message):
    with pytest.raises(error, match=message):
        make(engine, **options)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"clip_value": -1}, ValueError, "clip_value must be > 0 and finite, got -1"),
        ({"clip_value": 1, "clip_norm": 1}, ValueError, "clip_norm and clip_value are two ways to limit a gradient"),
        ({"accumulate": 0}, ValueError, "accumulate must be at least 1, got 0"),
        ({"ema": 1}, ValueError, "ema must be >= 0 and < 1, got 1"),
    ],
    ids=str,
)
def test_fits_that_are_refused(engine, options, error, message, data):
    with pytest.raises(error, match=message):
        fit(make(engine), data, **options)


def test_every_activation_that_rises_is_known_as_such():
    names = {row.name for row in map(fastbp.formulas.activations.find_activation, ("sigmoid", "relu", "elu", "mish"))}
    assert {name for name in names if rises(fastbp.formulas.activations.find_activation(name))} == names - {"mish"}


# Dropout by layer


def test_the_inputs_have_their_own_share_of_dropout(data):
    """Only the weights of a sample's kept inputs move: a step on one sample shows its mask."""
    x, y = np.abs(data[0]) + 0.1, data[1]
    net = make(dropout=[0.5, 0, 0], seed=4)
    trainer = Trainer(net, SGD(1.0))
    kept = keep_scale(trainer._seed(), INPUTS, np.arange(1), SIZES[0], 0.5, np.float64)[0]
    gradient, _ = net._read_gradient(trainer.gradient(x[:1], y[:1]))
    assert_array_equal(np.abs(gradient[0]).sum(axis=0) > 0, kept > 0)
    assert 0 < (kept > 0).sum() < SIZES[0]


def test_equations_hold_with_dropout_by_layer(engine, data):
    net = make(engine, dropout=[0.3, 0, 0.4])
    assert fastbp.check_equations(net, data[0][:20], data[1][:20]).passed


def test_one_share_for_all_leaves_the_inputs_alone(data):
    nets = make(dropout=0.3), make(dropout=[0, 0.3, 0.3])
    for net in nets:
        fit(net, data)
    assert_same(*nets)


def test_inputs_with_zeros_are_dropped_too(rng):
    """81 % zeros are trained on in a short form, but not where dropout makes others."""
    x = rng.random((300, 120)) * (rng.random((300, 120)) > 0.81)
    y = rng.integers(0, 3, 300)
    nets = [engine([120, 20, 3], dropout=[0.2, 0.1], dtype="float64", seed=0) for engine in (Network, ReferenceNetwork)]
    for net in nets:
        fit(net, (x, y), batch_size=20, epochs=10)
    for fast, slow in zip(all_of(nets[0]), all_of(nets[1]), strict=True):
        assert_allclose(fast, slow, rtol=0, atol=1e-12)


# What other programs ask of a run: an order from outside, penalties over a mini-batch, a journal


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("sizes", [[1, 1], [2, 3, 1], [15, 16, 17], [31, 33, 2], [100, 3, 15]], ids=str)
@pytest.mark.parametrize("batch", [1, 7, 16])
@pytest.mark.parametrize("rule", [fastbp.SGD(0.1), fastbp.SGD(0.1, momentum=0.5), fastbp.Adam(0.01)], ids=str)
def test_engines_agree_on_a_run_of_another_program(sizes, dtype, batch, threads, rule):
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=(33, sizes[0])).astype(dtype), rng.normal(size=(33, sizes[-1])).astype(dtype)
    weight = rng.uniform(0, 2, 33).astype(dtype)
    journals, parameters = [], []
    for engine in (fastbp.ReferenceNetwork, fastbp.Network):
        net = engine(sizes, output="identity", l1=0.01, l2=0.3, dtype=dtype, seed=0, threads=threads)
        journal = np.full((-(-33 // batch) + 1, 2), np.nan)
        orders = np.random.default_rng(2)
        plan = Plan(rule, batch, epochs=3, penalty_per_batch=True, journal=journal)
        net._train(Task(Data(x, y, weight), plan, order=lambda orders=orders: orders.permutation(33)))
        journals.append(journal)
        parameters.append(net.flat)
    limits = {"rtol": 1e-12, "atol": 1e-13} if dtype == "float64" else {"rtol": 1e-4, "atol": 1e-5}
    np.testing.assert_allclose(parameters[1], parameters[0], **limits)
    np.testing.assert_allclose(journals[1].ravel()[[0, *range(2, journals[0].size)]],
                               journals[0].ravel()[[0, *range(2, journals[0].size)]], **limits)  # fmt: skip
    count = sum(n * k for n, k in zip(sizes, sizes[1:], strict=False))
    np.testing.assert_allclose(journals[1][-1, 1], np.sum(parameters[1][:count] ** 2), rtol=1e-6)


def test_penalties_over_a_mini_batch_count_once():
    """One step of SGD: w ← w - η (Σ g + λ w) / m."""
    x, y = np.ones((4, 1)), np.zeros((4, 1))
    for engine in (fastbp.ReferenceNetwork, fastbp.Network):
        net = engine([1, 1], output="identity", l2=0.8, dtype="float64", seed=0, threads=1)
        net.weights, net.biases = [[[2.0]]], [[0.0]]
        net._train(Task(Data(x, y), Plan(fastbp.SGD(0.1), 4, penalty_per_batch=True)))
        np.testing.assert_allclose(net.weights[0], 2.0 - 0.1 * (4 * 2.0 + 0.8 * 2.0) / 4, rtol=1e-15)


@pytest.mark.parametrize("output", ["softmax", "sigmoid"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_engines_agree_on_scikit_learns_losses(output, dtype, rng):
    """Costs that are computed from a, though δ is a - y behind their output."""
    from fastbp.sklearn.losses import BINARY_LOG_LOSS, LOG_LOSS

    cost = LOG_LOSS if output == "softmax" else BINARY_LOG_LOSS
    net = Network([4, 17, 3], output=output, cost=cost, dtype=dtype, seed=0)
    x, y = rng.normal(size=(33, 4)) * 30, np.eye(3)[rng.integers(0, 3, 33)]
    assert fastbp.cross_check(net, x, y).passed
    assert fastbp.check_equations(net, x, y).passed
