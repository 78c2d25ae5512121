"""What each layer says of how it learns: the same from both engines, and training is the same with and without."""

import math
import os
import subprocess
import sys

import numpy as np
import pytest
from processes import SECONDS

import fastbp
from fastbp.formulas.activations import ACTIVATIONS
from fastbp.formulas.costs import COSTS
from fastbp.formulas.steepness import flattens, steepest

SAMPLES, EVERY, TOLERANCE = 57, 2, 1e-9
OPTIMIZERS = [fastbp.SGD(0.01), fastbp.SGD(0.01, momentum=0.9), fastbp.Adam(1e-2)]
PAIRS = [
    (row.name, cost.name)
    for row in ACTIVATIONS.values()
    for cost in COSTS.values()
    if not cost.outputs or row.name in cost.outputs
]
rng = np.random.default_rng(0)


def trained(engine, optimizer=OPTIMIZERS[0], sizes=(17, 33, 16, 3), samples=SAMPLES, batch_size=10, fit=(), **more):
    """Train for two epochs; return the network and what was seen."""
    net = fastbp.Network(list(sizes), **{"seed": 1, "dtype": "float64", "threads": 1} | more)
    net = net if engine == "fast" else net.to_reference()
    data = np.random.default_rng(2)
    x, y = data.normal(size=(samples, sizes[0])), data.integers(0, sizes[-1], samples)
    if sizes[-1] == 1:
        y = y + data.random(samples)
    watch = fastbp.Diagnostics(EVERY)
    net.fit(x, y, 2, batch_size, optimizer, callbacks=[watch], verbose=0, **dict(fit))
    return net, watch.epochs


def assert_agree(one, other, tolerance=TOLERANCE):
    assert len(one) == len(other) == 2
    for layers, same in zip(one, other, strict=True):
        for layer, twin in zip(layers, same, strict=True):
            for name, value in layer._asdict().items():
                wanted = getattr(twin, name)
                if isinstance(value, float):
                    assert value == pytest.approx(wanted, rel=tolerance, abs=1e-300), (layer.layer, name)
                else:
                    assert value == wanted, (layer.layer, name)


@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=["sgd", "momentum", "adam"])
@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"batch_size": 1},
        {"batch_size": 57},
        {"sizes": (1, 1, 1), "output": "identity"},
        {"sizes": (3, 2)},
        {"sizes": (31, 15, 100, 2, 1), "activation": "tanh"},
        {"dropout": 0.3},
        {"dropout": 0.3, "activation": "gelu", "batch_size": 1},
        {"l1": 0.01, "l2": 0.1},
        {"activation": "tanh", "output": "gelu"},
        {"threads": 2, "batch_size": 30},
        {"threads": 2, "samples": 700, "batch_size": 700, "sizes": (4, 9, 5, 3)},
        {"samples": 300, "batch_size": 300},
        {"fit": {"clip_norm": 0.1}.items()},
        {"fit": {"sample_weight": rng.random(SAMPLES)}.items()},
        {"fit": {"sample_weight": rng.random(SAMPLES) < 0.3}.items(), "output": "softmax"},
    ],
    ids=str,
)
def test_both_engines_see_the_same(settings, optimizer):
    assert_agree(trained("fast", optimizer, **settings)[1], trained("reference", optimizer, **settings)[1])


@pytest.mark.filterwarnings("ignore:cost=")  # which pairs make sense is another matter
@pytest.mark.parametrize(("output", "cost"), PAIRS, ids=map(str, PAIRS))
def test_both_engines_see_the_same_behind_every_output(output, cost):
    settings = {"output": output, "cost": cost, "sizes": (5, 17, 3), "activation": "elu"}
    assert_agree(trained("fast", **settings)[1], trained("reference", **settings)[1])


@pytest.mark.parametrize("name", [row.name for row in ACTIVATIONS.values() if not row.over_rows])
def test_both_engines_see_the_same_of_every_activation(name):
    gentle = {"sizes": (17, 33, 3), "optimizer": fastbp.SGD(1e-5)} if name == "exp" else {}  # which grows very fast
    assert_agree(trained("fast", activation=name, **gentle)[1], trained("reference", activation=name, **gentle)[1])


def test_inputs_of_mostly_zeros_are_seen_whole():
    data = np.random.default_rng(0)
    x = data.normal(size=(200, 100)) * (data.random((200, 100)) < 0.1)
    y = data.integers(0, 3, 200)
    seen = []
    fast = fastbp.Network([100, 20, 3], dtype="float64", seed=0, threads=1)
    for net in (fast, fast.to_reference()):
        watch = fastbp.Diagnostics(3)
        net.fit(x, y, 2, 20, fastbp.SGD(0.1), callbacks=[watch], verbose=0)
        seen.append(watch.epochs)
    assert_agree(*seen)
    assert seen[0][0][0].small_inputs > 0.85


@pytest.mark.parametrize("batch_size", [1, 10])
@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=["sgd", "momentum", "adam"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_training_has_the_same_bits_whether_it_is_looked_at_or_not(dtype, optimizer, batch_size):
    x, y = rng.normal(size=(60, 20)), rng.integers(0, 3, 60)
    nets = [fastbp.Network([20, 33, 3], dtype=dtype, seed=0, dropout=0.1) for _ in range(2)]
    for net, callbacks in zip(nets, ([], [fastbp.Diagnostics(3)]), strict=True):
        net.fit(x, y, 3, batch_size, optimizer, callbacks=callbacks, verbose=0)
    for one, other in zip(*(net.weights + net.biases for net in nets), strict=True):
        assert np.array_equal(one, other)


def test_the_same_is_seen_by_any_team():
    def seen(threads, optimizer, dtype="float32"):
        return trained("fast", optimizer, threads=threads, dtype=dtype, batch_size=30, dropout=0.2)[1]

    for optimizer in OPTIMIZERS:
        one = seen(1, optimizer)
        assert all(seen(threads, optimizer) == one for threads in (2, 3, 5))


SEEN = """
import numpy as np, fastbp
rng = np.random.default_rng(0)
x, y = rng.normal(size=(50, 20)), rng.integers(0, 3, 50)
for dtype in ("float32", "float64"):
    watch = fastbp.Diagnostics(2)
    net = fastbp.Network([20, 33, 17, 3], activation="relu", dtype=dtype, seed=0)
    net.fit(x, y, 1, 10, fastbp.SGD(0.1), callbacks=[watch], verbose=0)
    print([value.hex() if isinstance(value, float) else value for look in watch.epochs[0] for value in look])
"""


def test_the_same_is_seen_at_every_vector_width():
    def seen(lanes):
        environment = {**os.environ, "FASTBP_LANES": lanes}
        run = subprocess.run(
            [sys.executable, "-c", SEEN], env=environment, timeout=SECONDS, capture_output=True, text=True, check=True
        )
        return run.stdout

    assert seen("4") == seen("8") == seen("16")


def test_what_is_seen_is_what_the_equations_say():
    """One step on all samples, against backprop of the very network."""
    net = fastbp.Network([7, 20, 5], dtype="float64", seed=3)
    x, y = rng.normal(size=(40, 7)), rng.integers(0, 5, 40)
    activations = net.forward(x).activations
    found, w = net.backprop(x, y), net.weights
    watch = fastbp.Diagnostics(1)
    net.fit(x, y, 1, 40, fastbp.SGD(0.5), callbacks=[watch], verbose=0)
    hidden, output = watch.epochs[0]
    after = net.weights[1]
    nabla_a = activations[2] - np.eye(5)[y]
    slopes = [a * (1 - a) for a in activations[1:]]
    back = found.deltas[1] @ w[1]
    assert hidden.delta == pytest.approx(np.linalg.norm(found.deltas[0]) / math.sqrt(40))
    assert output.nabla_w == pytest.approx(np.linalg.norm(found.nabla_w[1]))
    assert hidden.nabla_b == pytest.approx(np.linalg.norm(found.nabla_b[0]))
    assert output.update_ratio == pytest.approx(np.linalg.norm(after - w[1]) / np.linalg.norm(after))
    assert hidden.by_weights == pytest.approx(np.linalg.norm(back) / np.linalg.norm(found.deltas[1]))
    assert hidden.by_slope == pytest.approx(np.linalg.norm(back * slopes[0]) / np.linalg.norm(back))
    assert output.by_slope == pytest.approx(np.linalg.norm(nabla_a * slopes[1]) / np.linalg.norm(nabla_a))
    assert hidden.saturated == np.mean(slopes[0] < 0.01)
    assert hidden.small_inputs == np.mean(np.abs(x) < 0.01)


def test_vanishing_gradients_do_not_vanish_from_sight():
    """Squares of 1e-25 are beyond float32, and the update is lost in rounding; the norm is not."""
    net = fastbp.Network([4, 10, 3], seed=0)
    net.weights = [net.weights[0], net.weights[1] * 1e-24]
    watch = fastbp.Diagnostics(1)
    x, y = rng.normal(size=(20, 4)), rng.integers(0, 3, 20)
    expected = np.linalg.norm(net.to_reference().backprop(x, y).nabla_w[0].astype(float))
    net.fit(x, y, 1, 20, fastbp.SGD(1e-3), callbacks=[watch], verbose=0)
    assert watch.epochs[0][0].nabla_w == pytest.approx(expected, rel=1e-4)
    assert 1e-27 < expected < 1e-23


def test_a_dead_neuron_is_one_that_no_sample_wakes():
    net = fastbp.Network([3, 4, 2], activation="relu", dtype="float64", seed=0)
    net.biases = [np.array([-1e3, 0.0, 1.0, 0.0]), net.biases[1]]
    watch = fastbp.Diagnostics(1)
    net.fit(rng.normal(size=(100, 3)), rng.integers(0, 2, 100), 1, 10, callbacks=[watch], verbose=0)
    assert watch.epochs[0][0].dead == 0.25


def test_a_neuron_is_dead_below_a_millionth_of_the_steepest_slope():
    net = fastbp.Network([1, 3, 2], activation="sigmoid", dtype="float64", seed=0)
    net.weights = [np.zeros((3, 1)), net.weights[1]]
    slopes = np.array([0.9e-6, 1.1e-6, 1.0]) / 4  # σ' = a (1 - a) is about a, where a is small
    net.biases = [np.array([*np.log(slopes[:2]), 0.0]), net.biases[1]]
    watch = fastbp.Diagnostics(1)
    net.fit(np.ones((10, 1)), np.arange(10) % 2, 1, 10, fastbp.SGD(1e-3), callbacks=[watch], verbose=0)
    assert watch.epochs[0][0].dead == 1 / 3


def test_a_schedule_that_begins_at_nothing_hides_nothing():
    watch = fastbp.Diagnostics(1)
    net = fastbp.Network([3, 4, 2], seed=0)
    rate = fastbp.schedules.cosine(0.1, epochs=2, warmup=1)
    net.fit(rng.normal(size=(40, 3)), rng.integers(0, 2, 40), 2, 10, fastbp.SGD(rate), callbacks=[watch], verbose=0)
    for look in (look for layers in watch.epochs for look in layers):
        assert 1e-3 < look.nabla_b < 10
        assert look.small_inputs < 0.1


def test_one_fit_has_one_pace():
    net = fastbp.Network([3, 4, 2], seed=0)
    with pytest.raises(ValueError, match="every Diagnostics the same"):
        net.fit(np.zeros((4, 3)), [0, 1, 0, 1], callbacks=[fastbp.Diagnostics(2), fastbp.Diagnostics(3)])


@pytest.mark.parametrize("every", [0, -1, 2.5, "often"])
def test_every_is_a_number_of_mini_batches(every):
    with pytest.raises((TypeError, ValueError), match="every"):
        fastbp.Diagnostics(every)


def test_where_a_slope_is_steepest_and_where_it_is_flat():
    assert steepest(ACTIVATIONS["sigmoid"]) == 0.25
    assert steepest(ACTIVATIONS["tanh"]) == steepest(ACTIVATIONS["relu"]) == steepest(ACTIVATIONS["identity"]) == 1
    assert flattens(ACTIVATIONS["sigmoid"]) == flattens(ACTIVATIONS["tanh"]) == (True, True)
    assert flattens(ACTIVATIONS["relu"]) == flattens(ACTIVATIONS["gelu"]) == (True, False)
    assert flattens(fastbp.Activation("steady", lambda z: np.tanh(z) + z / 2)) == (False, False)


def test_mini_batches_are_counted_through_all_epochs():
    """Where an epoch is one mini-batch, one epoch in so many is looked at."""
    x, y = rng.normal(size=(20, 3)), rng.integers(0, 2, 20)
    fast = fastbp.Network([3, 4, 2], seed=0)
    for net in (fast, fast.to_reference()):
        watch = fastbp.Diagnostics(3)
        net.fit(x, y, 7, 20, fastbp.SGD(0.1), callbacks=[watch], verbose=0)
        norms = [layers[0].delta for layers in watch.epochs]
        assert len(set(norms)) == 3
        assert norms[0] == norms[1] == norms[2] != norms[3] == norms[4] == norms[5] != norms[6]
