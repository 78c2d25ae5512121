"""The cases of the benchmarks, from a handful of neurons to layers that fill the cache."""

from typing import Any, NamedTuple

import numpy as np

from fastbp import SGD, Adam


class Case(NamedTuple):
    """One network and its work: a step is one mini-batch, or one call of predict where there is no optimizer."""

    name: str
    sizes: list[int]
    activation: str
    output: str
    cost: str  # "quadratic": y is numbers; "cross_entropy": y is labels, and the output is softmax
    batch_size: int
    optimizer: Any
    samples: int = 20_000
    zeros: float = 0.0  # share of the inputs that are 0

    @property
    def macs(self) -> int:
        """Multiply-adds of one step: forward; for training also BP2 (not for the first layer) and BP4."""
        pairs = list(zip(self.sizes, self.sizes[1:], strict=False))
        forward = sum(n * k for n, k in pairs)
        training = 0 if self.optimizer is None else 2 * forward - pairs[0][0] * pairs[0][1]
        return self.batch_size * (forward + training)

    @property
    def description(self) -> str:
        """The network, the batch and the rule, as in "tiny, 4-16-2, batch 8, SGD"."""
        work = "predict" if self.optimizer is None else type(self.optimizer).__name__
        zeros = [f"{self.zeros:.0%} zeros"] if self.zeros else []
        return ", ".join([self.name, "-".join(map(str, self.sizes)), f"batch {self.batch_size}", work, *zeros])


NIELSEN = Case("nielsen", [784, 30, 10], "sigmoid", "sigmoid", "quadratic", 10, SGD(0.5))
CASES = [
    Case("tiny", [4, 16, 2], "tanh", "identity", "quadratic", 8, SGD(0.01)),
    NIELSEN,
    Case("tab", [20, 64, 64, 1], "relu", "identity", "quadratic", 32, Adam(1e-3)),
    Case("mid", [784, 128, 10], "relu", "softmax", "cross_entropy", 32, Adam(1e-3)),
    Case("deep", [784, 512, 512, 10], "relu", "softmax", "cross_entropy", 128, Adam(1e-3)),
    Case("big", [1024, 2048, 2048, 1000], "relu", "softmax", "cross_entropy", 256, SGD(0.01)),
    Case("expm", [4, 32, 16, 4], "tanh", "identity", "quadratic", 10_000, Adam(1e-3), samples=10_000),
    NIELSEN._replace(name="predict1", batch_size=1, optimizer=None, samples=16),  # all of them fit the L2 cache
    NIELSEN._replace(name="sparse", zeros=0.81),  # as many as in MNIST
]


def make_network(case: Case, dtype: str, engine: Any) -> Any:
    """Build the case's network."""
    return engine(
        case.sizes, activation=case.activation, output=case.output, cost=case.cost,
        initializer="glorot_uniform", dtype=dtype, seed=0,
    )  # fmt: skip


def make_data(case: Case, n: int) -> tuple[Any, Any]:
    """Draw n random samples: labels where the cost wants classes, else numbers."""
    rng = np.random.default_rng(0)
    x = rng.random((n, case.sizes[0]), np.float32)
    if case.zeros:
        x[rng.random(x.shape, np.float32) < case.zeros] = 0
    if case.cost == "cross_entropy":
        return x, rng.integers(0, case.sizes[-1], n)
    return x, rng.random((n, case.sizes[-1]), np.float32)
