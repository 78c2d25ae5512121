"""The gradient of a real training step, dropout included, as the fused kernels or the reference leave it."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from ..formulas import Array
from ..formulas.dropout import keep_scales
from ..formulas.optimizers import SGD
from ..networks.base import BaseNetwork
from ..networks.reference import forward, output_delta, targets_of
from ..networks.trainer import Trainer


class Step(NamedTuple):
    """What one step on a mini-batch makes of C."""

    weights: list[Array]  # ∂C/∂w
    biases: list[Array]  # ∂C/∂b
    keeps: list[Array] | None  # what dropout multiplied each a by, x first


def fused_step(net: BaseNetwork, x: Array, y: Array) -> tuple[list[Array], list[Array]]:
    """Return ∂C/∂w and ∂C/∂b of `Trainer.step`, which goes other ways than the two halves: the first velocity."""
    twin = net._twin(type(net))
    trainer = Trainer(twin, SGD(1e-3, momentum=0.5))
    trainer.step(x, twin._named(y))
    velocity: tuple[list[Array], list[Array]] = trainer.state.get(0)
    return velocity


def without_bias(net: BaseNetwork, x: Array, y: Array, keeps: list[Array] | None) -> Iterator[Array]:
    """Yield δ^L (m, n_L) as the formulas have it: as it is, then if the bias of one layer is left out, for each layer.

    Where the first is as wrong as what a network has, a formula is, and no bias.
    """
    spec, (weights, biases) = net.spec, net._get_parameters()
    targets, rows = targets_of(spec, y, np.float64), spec.activation_rows
    for left_out in range(-1, len(biases)):
        rest = [b * (layer != left_out) for layer, b in enumerate(biases)]
        zs, activations = forward(x.astype(np.float64), weights, rest, rows, keeps)
        yield output_delta(zs[-1], activations[-1], targets, rows[-1], spec.cost_row)


def training_step(net: BaseNetwork, x: Array, y: Array) -> Step:
    """Return the gradient that a twin of the network would train on; the network itself is not changed."""
    twin = net._twin(type(net))
    trainer = Trainer(twin, SGD(1.0))
    flat = trainer.gradient(x, twin._named(y))
    weights, biases = twin._read_gradient(flat)
    spec = net.spec
    if not any(spec.dropouts):
        return Step(weights, biases, None)
    seed, places = trainer._seed(), np.arange(len(x))
    return Step(weights, biases, keep_scales(seed, places, spec.sizes, spec.dropouts, np.float64))
