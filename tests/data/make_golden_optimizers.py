"""Make golden_optimizers.npz: parameters after each step of each optimizer, and rates of schedules, by PyTorch.

Run once: python tests/data/make_golden_optimizers.py (needs torch; the tests do not). Lion, which PyTorch lacks, is
written out here as its paper has it.
"""

from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.optim import lr_scheduler as schedules

STEPS, BATCH, SIZES = 14, 6, (3, 5, 2)
OPTIMIZERS = {
    "sgd_decay": lambda p: torch.optim.SGD(p, 0.1, weight_decay=0.1),
    "momentum_decay": lambda p: torch.optim.SGD(p, 0.1, momentum=0.9, weight_decay=0.1),
    "nesterov_decay": lambda p: torch.optim.SGD(p, 0.1, momentum=0.9, weight_decay=0.1, nesterov=True),
    "adam": lambda p: torch.optim.Adam(p, 0.05),
    "adam_decay": lambda p: torch.optim.Adam(p, 0.05, weight_decay=0.1),
    "amsgrad": lambda p: torch.optim.Adam(p, 0.05, betas=(0.5, 0.6), amsgrad=True),
    "adamw_amsgrad": lambda p: torch.optim.AdamW(p, 0.05, betas=(0.5, 0.6), amsgrad=True, weight_decay=0.1),
    "nadam": lambda p: torch.optim.NAdam(p),
    "nadam_decay": lambda p: torch.optim.NAdam(p, 0.05, weight_decay=0.1, momentum_decay=0.1),
    "nadam_decoupled": lambda p: torch.optim.NAdam(p, 0.05, weight_decay=0.1, decoupled_weight_decay=True),
    "rmsprop": lambda p: torch.optim.RMSprop(p),
    "rmsprop_decay": lambda p: torch.optim.RMSprop(p, 0.01, alpha=0.9, weight_decay=0.1),
    "rmsprop_centered": lambda p: torch.optim.RMSprop(p, 0.01, alpha=0.9, centered=True, eps=1e-3),
    "rmsprop_all": lambda p: torch.optim.RMSprop(p, 0.01, 0.9, 1e-3, weight_decay=0.1, momentum=0.8, centered=True),
    "adagrad": lambda p: torch.optim.Adagrad(p),
    "adagrad_all": lambda p: torch.optim.Adagrad(p, 0.1, 0.2, 0.1, initial_accumulator_value=0.3, eps=1e-6),
    "adadelta": lambda p: torch.optim.Adadelta(p),
    "adadelta_decay": lambda p: torch.optim.Adadelta(p, 0.5, 0.8, 1e-4, weight_decay=0.1),
    "rprop": lambda p: torch.optim.Rprop(p),
    "rprop_all": lambda p: torch.optim.Rprop(p, 0.03, etas=(0.6, 1.5), step_sizes=(0.01, 0.05)),
    "lion": lambda p: Lion(p, 1e-4, 0.9, 0.99, 0.0),
    "lion_decay": lambda p: Lion(p, 0.01, 0.8, 0.9, 0.1),
}
SCHEDULES = {
    "step": lambda o: schedules.StepLR(o, 3, 0.5),
    "exponential": lambda o: schedules.ExponentialLR(o, 0.9),
    "cosine": lambda o: schedules.CosineAnnealingLR(o, 12),
    "restarts": lambda o: schedules.CosineAnnealingWarmRestarts(o, 3, 1, 0.01),
    "growing": lambda o: schedules.CosineAnnealingWarmRestarts(o, 2, 2),
    "one_cycle": lambda o: schedules.OneCycleLR(o, 0.1, total_steps=13, pct_start=0.25),
    "warmup": lambda o: schedules.LinearLR(o, 1e-12, 1.0, 5),
}


class Lion:
    """Chen et al. 2023, algorithm 2."""

    def __init__(self, parameters, rate, beta1, beta2, decay) -> None:
        self.parameters = list(parameters)
        self.settings = rate, beta1, beta2, decay
        self.moments = [torch.zeros_like(p) for p in self.parameters]

    def zero_grad(self) -> None:
        for p in self.parameters:
            p.grad = None

    def step(self) -> None:
        rate, beta1, beta2, decay = self.settings
        with torch.no_grad():
            for p, m in zip(self.parameters, self.moments, strict=True):
                update = torch.sign(beta1 * m + (1 - beta1) * p.grad)
                p -= rate * (update + decay * p)
                m.copy_(beta2 * m + (1 - beta2) * p.grad)


def main() -> None:
    """Train with each from the same parameters."""
    torch.set_default_dtype(torch.float64)
    rng = np.random.default_rng(0)
    n_in, hidden, n_out = SIZES
    x, y = rng.normal(size=(STEPS, BATCH, n_in)), rng.normal(size=(STEPS, BATCH, n_out))
    start = [rng.normal(size=shape) for shape in ((hidden, n_in), (n_out, hidden), (hidden,), (n_out,))]
    arrays = {"x": x, "y": y} | {f"start.{i}": p for i, p in enumerate(start)}
    for name, make in OPTIMIZERS.items():
        net = nn.Sequential(nn.Linear(n_in, hidden), nn.Tanh(), nn.Linear(hidden, n_out))
        parameters = [net[0].weight, net[2].weight, net[0].bias, net[2].bias]
        with torch.no_grad():
            for p, value in zip(parameters, start, strict=True):
                p.copy_(torch.from_numpy(value))
        optimizer, seen = make(net.parameters()), []
        for batch in range(STEPS):
            optimizer.zero_grad()
            ((net(torch.from_numpy(x[batch])) - torch.from_numpy(y[batch])) ** 2).sum(1).mean().mul(0.5).backward()
            optimizer.step()
            seen.append(torch.cat([p.detach().ravel() for p in parameters]).numpy())
        arrays[f"optimizer.{name}"] = np.array(seen)
    for name, make in SCHEDULES.items():
        optimizer = torch.optim.SGD([nn.Parameter(torch.zeros(1))], 0.1)
        schedule, rates = make(optimizer), []
        for _ in range(13):
            rates.append(optimizer.param_groups[0]["lr"])
            optimizer.step()
            schedule.step() if len(rates) < 13 else None
        arrays[f"schedule.{name}"] = np.array(rates)
    np.savez_compressed(Path(__file__).with_name("golden_optimizers.npz"), **arrays)


if __name__ == "__main__":
    main()
