"""The gradient of a real training step, dropout included, as the fused kernels or the reference leave it."""

from typing import NamedTuple

import numpy as np

from ..formulas import Array
from ..formulas.dropout import keep_scale
from ..formulas.optimizers import SGD
from ..networks.base import BaseNetwork
from ..networks.trainer import Trainer


class Step(NamedTuple):
    """What one step on a mini-batch makes of C."""

    weights: list[Array]  # ∂C/∂w
    biases: list[Array]  # ∂C/∂b
    keeps: list[Array] | None  # what dropout multiplied each a by, x first


def training_step(net: BaseNetwork, x: Array, y: Array) -> Step:
    """Return the gradient that a twin of the network would train on; the network itself is not changed."""
    twin = net._twin(type(net))
    trainer = Trainer(twin, SGD(1.0))
    flat = trainer.gradient(x, twin._named(y))
    weights, biases = twin._read_gradient(flat)
    spec = net.spec
    if not spec.dropout:
        return Step(weights, biases, None)
    seed, places = trainer._seed(), np.arange(len(x))
    hidden = enumerate(spec.sizes[1:-1])
    keeps = [keep_scale(seed, layer, places, n, spec.dropout, np.float64) for layer, n in hidden]
    return Step(weights, biases, [np.ones((1, 1)), *keeps])
