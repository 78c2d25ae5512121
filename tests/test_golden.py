"""Both engines against training steps that PyTorch computed in float64 (data/make_golden.py)."""

from pathlib import Path

import numpy as np
import pytest

import fastbp

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
