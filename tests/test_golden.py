"""Both engines against training steps that PyTorch computed in float64 (data/make_golden.py)."""

from pathlib import Path

import numpy as np
import pytest

import fastbp
from fastbp.formulas.activations import ACTIVATIONS, find_activation
from fastbp.formulas.costs import COSTS, find_cost

GOLDEN = dict(np.load(Path(__file__).parent / "data" / "golden.npz"))
OUTPUTS = {"quadratic": "sigmoid", "binary_cross_entropy": "sigmoid", "cross_entropy": "softmax"}
OPTIMIZERS = {
    "sgd": fastbp.SGD(0.3),
    "momentum": fastbp.SGD(0.1, momentum=0.9),
    "nesterov": fastbp.SGD(0.1, momentum=0.9, nesterov=True),
    "adam": fastbp.Adam(0.02),
    "adamw": fastbp.AdamW(0.02, weight_decay=0.1),
    "rmsprop": fastbp.RMSprop(0.01, rho=0.9),
    "rmsprop_momentum": fastbp.RMSprop(0.003, rho=0.9, momentum=0.9),
    "clipped": fastbp.SGD(0.3),
}
CLIP_NORM = {"clipped": 0.3}
PAIRS = sorted({tuple(name.split(".")[1:3]) for name in GOLDEN if name.endswith(".weights.0")})
ATOL = {"float64": 1e-13, "float32": 2e-5}


@pytest.mark.parametrize("dtype", ATOL)
@pytest.mark.parametrize("engine", [fastbp.Network, fastbp.ReferenceNetwork])
@pytest.mark.parametrize(("activation", "optimizer"), PAIRS)
@pytest.mark.parametrize("cost", OUTPUTS)
def test_training_follows_pytorch(cost, activation, optimizer, engine, dtype):
    net = engine([6, 9, 5, 4], activation=activation, output=OUTPUTS[cost], cost=cost, dtype=dtype, seed=0)
    net.weights = [GOLDEN[f"start.{i}"] for i in range(3)]
    net.biases = [GOLDEN[f"start.{i}"] for i in range(3, 6)]
    how = {"optimizer": OPTIMIZERS[optimizer], "clip_norm": CLIP_NORM.get(optimizer), "shuffle": False, "verbose": 0}
    net.fit(GOLDEN["x"], GOLDEN["y"], epochs=1, batch_size=7, **how)
    for kind in ("weights", "biases"):
        for i, got in enumerate(getattr(net, kind)):
            expected = GOLDEN[f"{cost}.{activation}.{optimizer}.{kind}.{i}"]
            np.testing.assert_allclose(got, expected, atol=ATOL[dtype], rtol=0)


# Each row by itself (data/make_golden_rows.py)

ROWS = dict(np.load(Path(__file__).parent / "data" / "golden_rows.npz"))


def named(kind):
    return [name.removeprefix(kind) for name in ROWS if name.startswith(kind)]


def test_every_family_is_compared_with_pytorch():
    assert {name.partition("(")[0] for name in named("activation.")} == {*ACTIVATIONS} - {"identity"}
    assert {name.partition("/")[0].partition("(")[0] for name in named("cost.")} == {*COSTS}


@pytest.mark.parametrize("dtype", ATOL)
@pytest.mark.parametrize("name", named("activation."))
def test_activations_are_those_of_pytorch(name, engine, dtype):
    """σ, and ⊙ σ': of one layer whose weights are the identity, and whose cost's derivative is y."""
    a, slope = ROWS[f"activation.{name}"], ROWS[f"slope.{name}"]
    linear = fastbp.Cost("linear", lambda a, y: a * y)
    net = engine([4, 4], output=find_activation(name), cost=linear, dtype=dtype, seed=0)
    net.weights, net.biases = [np.eye(4)], [np.zeros(4)]
    scale = max(1, np.abs(a).max())
    np.testing.assert_allclose(net.predict(ROWS["z"]), a, rtol=0, atol=ATOL[dtype] * scale)
    deltas = net._backprop(ROWS["z"].astype(dtype), ROWS["y"].astype(dtype)).deltas
    np.testing.assert_allclose(deltas[0], slope, rtol=0, atol=ATOL[dtype] * scale)


@pytest.mark.parametrize("dtype", ATOL)
@pytest.mark.parametrize("name", named("cost."))
def test_costs_are_those_of_pytorch(name, engine, dtype):
    cost, delta = ROWS[f"cost.{name}"], ROWS[f"delta.{name}"]
    name, _, output = name.partition("/")
    net = engine([4, 4], output=find_activation(output), cost=find_cost(name), dtype=dtype, seed=0)
    net.weights, net.biases = [np.eye(4)], [np.zeros(4)]
    found = net._backprop(ROWS["z"].astype(dtype), ROWS["y"].astype(dtype))
    scale = max(1, np.abs(delta).max())
    np.testing.assert_allclose(found.deltas[0], delta, rtol=0, atol=ATOL[dtype] * scale)
    np.testing.assert_allclose(20 * found.cost, cost, rtol=ATOL[dtype], atol=0)
