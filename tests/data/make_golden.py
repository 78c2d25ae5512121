"""Make golden.npz: training steps computed by PyTorch in float64, which shares no code with fastbp.

Run once: python tests/data/make_golden.py (needs torch; the tests do not).
"""

from pathlib import Path

import numpy as np
import torch
from torch import nn

STEPS, BATCH = 12, 7
SIZES = [6, 9, 5, 4]
OUTPUT_AND_LOSS = {
    "quadratic": (nn.Sigmoid(), lambda a, y: ((a - y) ** 2).sum(1).mean() / 2),
    "binary_cross_entropy": (nn.Identity(), lambda z, y: nn.BCEWithLogitsLoss(reduction="none")(z, y).sum(1).mean()),
    "cross_entropy": (nn.Identity(), lambda z, y: nn.CrossEntropyLoss()(z, y)),
}
ACTIVATIONS = {
    "sigmoid": nn.Sigmoid, "tanh": nn.Tanh, "relu": nn.ReLU, "leaky_relu": nn.LeakyReLU, "elu": nn.ELU, "gelu": nn.GELU,
    "gelu_tanh": lambda: nn.GELU("tanh"), "silu": nn.SiLU, "softplus": nn.Softplus, "mish": nn.Mish,
}  # fmt: skip
OPTIMIZERS = {
    "sgd": lambda p: torch.optim.SGD(p, 0.3),
    "momentum": lambda p: torch.optim.SGD(p, 0.1, momentum=0.9),
    "nesterov": lambda p: torch.optim.SGD(p, 0.1, momentum=0.9, nesterov=True),
    "adam": lambda p: torch.optim.Adam(p, 0.02),
    "adamw": lambda p: torch.optim.AdamW(p, 0.02, weight_decay=0.1),
    "rmsprop": lambda p: torch.optim.RMSprop(p, 0.01, alpha=0.9),
    "rmsprop_momentum": lambda p: torch.optim.RMSprop(p, 0.003, alpha=0.9, momentum=0.9),
    "clipped": lambda p: torch.optim.SGD(p, 0.3),
}
CLIP_NORM = 0.3


def pairs() -> list[tuple[str, str]]:
    """Every activation with every old optimizer would be a megabyte: each new one of either takes its turn once."""
    old = [(a, o) for a in list(ACTIVATIONS)[:3] for o in list(OPTIMIZERS)[:4]]
    return old + [(a, "adam") for a in list(ACTIVATIONS)[3:]] + [("tanh", o) for o in list(OPTIMIZERS)[4:]]


def main() -> None:
    """Train every combination from the same parameters, and write parameters before and after."""
    torch.set_default_dtype(torch.float64)
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(STEPS * BATCH - 3, SIZES[0])), rng.random((STEPS * BATCH - 3, SIZES[-1]))
    y /= y.sum(1, keepdims=True)  # rows of probabilities serve every cost
    start = [rng.normal(size=(n, k)) / k**0.5 for k, n in zip(SIZES, SIZES[1:], strict=False)]
    start += [rng.normal(size=n) for n in SIZES[1:]]
    arrays = {"x": x, "y": y} | {f"start.{i}": p for i, p in enumerate(start)}
    for cost, (output, loss) in OUTPUT_AND_LOSS.items():
        for activation, name in pairs():
            layers = [nn.Linear(k, n) for k, n in zip(SIZES, SIZES[1:], strict=False)]
            with torch.no_grad():
                for layer, w, b in zip(layers, start[:3], start[3:], strict=True):
                    layer.weight.copy_(torch.from_numpy(w))
                    layer.bias.copy_(torch.from_numpy(b))
            net = nn.Sequential(
                layers[0], ACTIVATIONS[activation](), layers[1], ACTIVATIONS[activation](), layers[2], output
            )
            optimizer = OPTIMIZERS[name](net.parameters())
            for i in range(0, len(x), BATCH):
                optimizer.zero_grad()
                loss(net(torch.from_numpy(x[i : i + BATCH])), torch.from_numpy(y[i : i + BATCH])).backward()
                if name == "clipped":
                    norm = nn.utils.get_total_norm([p.grad for p in net.parameters()])
                    for p in net.parameters():  # clip_grad_norm_ would divide by the norm + 1e-6
                        p.grad *= min(1.0, CLIP_NORM / float(norm))
                optimizer.step()
            for i, layer in enumerate(layers):
                arrays[f"{cost}.{activation}.{name}.weights.{i}"] = layer.weight.detach().numpy()
                arrays[f"{cost}.{activation}.{name}.biases.{i}"] = layer.bias.detach().numpy()
    np.savez_compressed(Path(__file__).with_name("golden.npz"), **arrays)


if __name__ == "__main__":
    main()
