"""Make golden_rows.npz: activations, and δ of output layers behind costs, by PyTorch's own functions and autograd.

Run once: python tests/data/make_golden_rows.py (needs torch; the tests do not).
"""

from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional as f

ACTIVATIONS = {
    "sigmoid": f.sigmoid, "tanh": f.tanh, "relu": f.relu, "leaky_relu(slope=0.2)": lambda z: f.leaky_relu(z, 0.2),
    "elu(alpha=0.5)": lambda z: f.elu(z, 0.5), "gelu": f.gelu, "gelu_tanh": lambda z: f.gelu(z, approximate="tanh"),
    "silu": f.silu, "softplus": f.softplus, "mish": f.mish, "selu": f.selu,
    "hard_sigmoid": lambda z: f.relu6(z + 3) / 6,  # the slope of f.hardsigmoid is 1/6 in float32 only
    "hard_tanh": f.hardtanh, "softsign": f.softsign, "log_sigmoid": f.logsigmoid, "exp": torch.exp,
    "softmax(temperature=2.5)": lambda z: f.softmax(z / 2.5, dim=1),
}  # fmt: skip


def focal(z, y):
    """Lin et al. 2017, of probabilities."""
    p = f.softmax(z, dim=1)
    return -(y * (1 - p) ** 1.5 * torch.log(p)).sum()


def binary_focal(z, y):
    """The same, of each output by itself."""
    p = torch.sigmoid(z)
    return -(y * (1 - p) ** 2 * torch.log(p) + (1 - y) * p**2 * torch.log(1 - p)).sum()


COSTS = {  # of z and y: "cost/output"
    "quadratic/identity": lambda z, y: 0.5 * f.mse_loss(z, y, reduction="sum"),
    "mean_absolute/identity": lambda z, y: f.l1_loss(z, y, reduction="sum"),
    "huber(delta=0.3)/identity": lambda z, y: f.huber_loss(z, y, reduction="sum", delta=0.3),
    "log_cosh/tanh": lambda z, y: torch.log(torch.cosh(torch.tanh(z) - y)).sum(),
    "quantile(q=0.9)/identity": lambda z, y: torch.maximum(0.9 * (y - z), 0.1 * (z - y)).sum(),
    "poisson/exp": lambda z, y: f.poisson_nll_loss(z, y, log_input=True, reduction="sum"),
    "hinge/identity": lambda z, y: torch.relu(1 - (2 * y - 1) * z).sum(),
    "focal(gamma=1.5)/softmax": focal,
    "binary_focal/sigmoid": binary_focal,
    "cross_entropy/softmax": lambda z, y: f.cross_entropy(z, y, reduction="sum"),
    "cross_entropy(label_smoothing=0.2)/softmax": lambda z, y: f.cross_entropy(
        z, y, reduction="sum", label_smoothing=0.2
    ),
    "cross_entropy(label_smoothing=0.2)/softmax(temperature=0.5)": lambda z, y: f.cross_entropy(
        z / 0.5, y, reduction="sum", label_smoothing=0.2
    ),
    "binary_cross_entropy/sigmoid": lambda z, y: f.binary_cross_entropy_with_logits(z, y, reduction="sum"),
    "binary_cross_entropy(label_smoothing=0.2)/sigmoid": lambda z, y: f.binary_cross_entropy_with_logits(
        z, 0.8 * y + 0.1, reduction="sum"
    ),
}


def main() -> None:
    """Write values and derivatives at the same places."""
    torch.set_default_dtype(torch.float64)
    rng = np.random.default_rng(0)
    z, y = rng.normal(size=(20, 4)) * 3, rng.random((20, 4))
    y /= y.sum(1, keepdims=True)
    arrays = {"z": z, "y": y}
    for name, function in ACTIVATIONS.items():
        place = nn.Parameter(torch.from_numpy(z.copy()))
        a = function(place)
        (a * torch.from_numpy(y)).sum().backward()  # y ⊙ σ'(z), or of softmax Jᵀ y
        arrays |= {f"activation.{name}": a.detach().numpy(), f"slope.{name}": place.grad.numpy()}
    for name, function in COSTS.items():
        place = nn.Parameter(torch.from_numpy(z.copy()))
        cost = function(place, torch.from_numpy(y))
        cost.backward()
        arrays |= {f"cost.{name}": cost.detach().numpy(), f"delta.{name}": place.grad.numpy()}
    np.savez_compressed(Path(__file__).with_name("golden_rows.npz"), **arrays)


if __name__ == "__main__":
    main()
