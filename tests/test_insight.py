"""Advice: what slows learning down is found, what is advised helps, and sound networks are left in peace."""

import json

import numpy as np
import pytest

import fastbp
from fastbp.insight.cures import CURES
from fastbp.insight.diagnosis import HELPS, MOST_SAMPLES
from fastbp.insight.signs import SIGNS

DIGITS = fastbp.datasets.load_digits()
X, Y = DIGITS.x_train[:300], DIGITS.y_train[:300]
MEASURES = {sign.kind: sign for sign in SIGNS}


def network(*hidden, weights=1.0, bias=0.0, **arguments):
    net = fastbp.Network([64, *hidden, 10], **{"seed": 0, "cost": "binary_cross_entropy"} | arguments)
    net.weights = [weights * w for w in net.weights]
    net.biases = [net.biases[0] + bias, *net.biases[1:]]
    return net


def sure_and_wrong():
    net = fastbp.Network([64, 30, 10], seed=0)
    net.biases = [net.biases[0], net.biases[1] + 8]
    return net


# A network and its data, each with one thing planted that slows it down: the kind, the layer, and what must be advised
CASES = {
    "deep sigmoids": (lambda: network(30, 30, 30, 30), X, None, "slow", 0, "tanh"),
    "saturated by its bias": (lambda: network(30, bias=12), X, None, "slow", 0, "fresh"),
    "weights far too small": (
        lambda: network(30, 30, 30, weights=0.01, activation="tanh"), X, None, "slow", 0, "fresh",
    ),
    "inputs not scaled": (lambda: network(30), 255 * X, None, "slow", 0, "scaled"),
    "inputs near 0": (lambda: network(30), 1e-3 * X, None, "small inputs", 0, "scaled"),
    "dead relus": (lambda: network(30, activation="relu", bias=-20), X, None, "dead", 0, "fresh"),
    "zero weights": (lambda: network(30, activation="tanh", weights=0), X, None, "slow", 0, "fresh"),
    "sure and wrong": (sure_and_wrong, X, None, "output", 1, "cross_entropy"),
    "a far too large rate": (lambda: network(30), X, fastbp.SGD(300.0), "large steps", 1, "rate / 1000"),
}  # fmt: skip
planted = pytest.mark.parametrize("case", CASES.values(), ids=CASES)


@planted
def test_what_was_planted_is_found_in_its_layer(case):
    make, x, optimizer, kind, layer, cure = case
    found = fastbp.diagnose(make(), x, Y, optimizer)
    advice = {advice.kind: advice for advice in found.advice}
    assert advice[kind].layer == layer
    assert cure in advice[kind].cures
    assert advice[kind].text in str(found)
    assert f"layer {layer}" in advice[kind].text or layer == 0 or kind == "output"


@planted
def test_every_cure_that_is_advised_was_worth_taking(case):
    make, x, optimizer, *_ = case
    found = fastbp.diagnose(make(), x, Y, optimizer)
    for advice in found.advice:
        assert advice.cures, advice.text
        for name, left in advice.cures.items():
            assert left <= HELPS * advice.measure
            assert CURES[name].text.split("{")[0] in advice.text or name not in list(advice.cures)[:2]


# Advice taken by hand, as a reader would: the network made anew, diagnosed anew.
TAKEN = {
    "deep sigmoids": ("slow", lambda: network(30, 30, 30, 30, activation="tanh"), X),
    "saturated by its bias": ("slow", lambda: network(30), X),
    "weights far too small": ("slow", lambda: network(30, 30, 30, activation="tanh"), X),
    "inputs not scaled": ("slow", lambda: network(30), (X - X.mean(axis=0)) / np.maximum(X.std(axis=0), 1e-9)),
    "inputs near 0": ("small inputs", lambda: network(30), (X - X.mean(axis=0)) / np.maximum(X.std(axis=0), 1e-9)),
    "dead relus": ("dead", lambda: network(30, activation="relu"), X),
    "sure and wrong": ("output", lambda: network(30, bias=0), X),
}


@pytest.mark.parametrize("name", TAKEN)
def test_advice_taken_shrinks_what_was_wrong(name):
    make, x, *_ = CASES[name]
    kind, better, scaled = TAKEN[name]
    before, after = fastbp.diagnose(make(), x, Y), fastbp.diagnose(better(), scaled, Y)
    assert kind in [advice.kind for advice in before.advice]
    assert kind not in [advice.kind for advice in after.advice]


@pytest.mark.filterwarnings("ignore:x|training moved no weight")  # fit says some of it by itself
@pytest.mark.parametrize("name", TAKEN)
def test_advice_taken_makes_training_faster(name):
    """What counts in the end: the accuracy after the same ten epochs of plain SGD."""
    make, x, *_ = CASES[name]
    _, better, scaled = TAKEN[name]
    slow, fast = make(), better()
    slow.fit(x, Y, 10, 10, fastbp.SGD(0.1), verbose=0)
    fast.fit(scaled, Y, 10, 10, fastbp.SGD(0.1), verbose=0)
    assert fast.evaluate(scaled, Y).accuracy > slow.evaluate(x, Y).accuracy + 0.3


@pytest.mark.parametrize("engine", ["fast", "reference"])
@pytest.mark.parametrize(
    ("hidden", "arguments"),
    [
        ((100,), {"activation": "relu", "cost": "cross_entropy"}),
        ((30,), {}),
        ((30,), {"cost": "quadratic"}),
        ((64, 64), {"activation": "tanh", "cost": "cross_entropy"}),
        ((30,) * 8, {"activation": "tanh", "cost": "cross_entropy"}),
        ((64, 64), {"activation": "gelu", "cost": "cross_entropy", "dtype": "float64"}),
        ((50,), {"activation": "elu", "cost": "cross_entropy", "dropout": 0.5, "l2": 1e-4}),
        ((), {"cost": "cross_entropy"}),
    ],
    ids=str,
)
def test_sound_networks_are_left_in_peace(hidden, arguments, engine):
    net = fastbp.Network([64, *hidden, 10], seed=0, **arguments)
    net = net if engine == "fast" else net.to_reference()
    assert fastbp.diagnose(net, X, Y).advice == ()
    net.fit(X, Y, epochs=3, verbose=0)
    found = fastbp.diagnose(net, X, Y)
    assert found.advice == ()
    assert "Nothing here stands in the way" in str(found)


def test_a_network_that_has_learned_all_it_can_is_left_in_peace():
    net = fastbp.Network([64, 100, 10], activation="relu", cost="cross_entropy", seed=0)
    net.fit(X, Y, epochs=300, verbose=0)
    assert fastbp.diagnose(net, X, Y).advice == ()


def test_errors_of_samples_that_cancel_are_no_slow_layer():
    """∂C/∂b at the output is near 0 in a network that has learned: not because δ is."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(40, 3))
    net = fastbp.Network([3, 5, 2], activation="relu", cost="cross_entropy", seed=0)
    net.fit(x, x[:, 0] > 0, verbose=0)
    found = fastbp.diagnose(net, x, x[:, 0] > 0)
    assert found.layers[1].nabla_b < found.layers[0].nabla_b / 10
    assert found.advice == ()


def test_quantities_and_one_output_are_diagnosed():
    rng = np.random.default_rng(0)
    x = rng.uniform(-1, 1, (200, 2))
    net = fastbp.Network([2, 50, 1], activation="tanh", seed=0)
    found = fastbp.diagnose(net, x, np.sin(3 * x[:, 0]))
    assert found.layers[-1].by_slope == pytest.approx(1)
    assert found.samples == 200


def test_the_network_is_not_changed():
    net = network(30, dropout=0.2)
    before, epochs = net.weights + net.biases, net.epochs_trained
    found = fastbp.diagnose(net, X, Y)
    assert all(np.array_equal(one, other) for one, other in zip(net.weights + net.biases, before, strict=True))
    assert net.epochs_trained == epochs
    assert fastbp.diagnose(net, X, Y).to_dict() == found.to_dict()


def test_engines_agree_on_a_diagnosis():
    net = network(30, 30, weights=20, dtype="float64")
    one, other = fastbp.diagnose(net, X, Y).to_dict(), fastbp.diagnose(net.to_reference(), X, Y).to_dict()
    assert one["layers"][0].keys() == other["layers"][0].keys()
    for layer, twin in zip(one["layers"], other["layers"], strict=True):
        for name, value in layer.items():
            assert value == (pytest.approx(twin[name], rel=1e-9) if isinstance(value, float) else twin[name])
    assert [advice["text"] for advice in one["advice"]] == [advice["text"] for advice in other["advice"]]


def test_many_samples_are_thinned_out_evenly():
    x, y = np.tile(X, (10, 1)), np.tile(Y, 10)
    found = fastbp.diagnose(network(30), x, y)
    assert found.samples == MOST_SAMPLES
    assert f"{MOST_SAMPLES} of 3000 samples" in found.title


def test_a_diagnosis_is_readable_and_json():
    found = fastbp.diagnose(network(30, 30, 30, 30), X, Y)
    assert json.loads(json.dumps(found.to_dict()))["advice"][0]["kind"] == "slow"
    lines = str(found).splitlines()
    table = lines[2:8]
    assert len({len(line) for line in table}) == 1
    assert [line.split()[0] for line in table] == ["layer", "0", "1", "2", "3", "4"]
    assert "<table>" in found._repr_html_()


def test_schedules_and_names_of_optimizers_are_taken():
    rate = fastbp.schedules.cosine(0.1, epochs=3)
    assert fastbp.diagnose(network(30), X, Y, fastbp.SGD(rate)).layers[0].update_ratio > 0
    assert "Adam" in fastbp.diagnose(network(30), X, Y, "adam").title


def test_what_is_not_finite_is_refused_with_a_way_out():
    net = network(30, activation="relu", cost="quadratic", output="identity", weights=1e25)
    with pytest.raises(ValueError, match="C is not finite at these samples, from layer 0 on"):
        fastbp.diagnose(net, 1e20 * X, Y)


def test_diagnostics_says_what_it_saw():
    watch = fastbp.Diagnostics(every=5)
    assert "nothing yet" in str(watch)
    network(30, 30, 30, 30).fit(X, Y, epochs=2, verbose=0, callbacks=[watch])
    assert len(watch.epochs) == 2
    assert "Layer 0 learns" in str(watch)
    assert "times slower" in str(watch)
    assert "<table>" in watch._repr_html_()
