"""The cases of the benchmarks, from a handful of neurons to layers that fill the cache."""

from typing import Any, NamedTuple

import numpy as np

from ..formulas.optimizers import SGD, Adam


class Case(NamedTuple):
    """One network with its mini-batch; "labels" and "numbers" say what y is."""

    name: str
    sizes: list[int]
    activation: str
    output: str
    cost: str
    batch_size: int
    optimizer: Any


CASES = [
    Case("tiny", [4, 16, 2], "tanh", "identity", "quadratic", 8, SGD(0.01)),
    Case("nielsen", [784, 30, 10], "sigmoid", "sigmoid", "quadratic", 10, SGD(0.5)),
    Case("tab", [20, 64, 64, 1], "relu", "identity", "quadratic", 32, Adam(1e-3)),
    Case("mid", [784, 128, 10], "relu", "softmax", "cross_entropy", 32, Adam(1e-3)),
    Case("deep", [784, 512, 512, 10], "relu", "softmax", "cross_entropy", 128, Adam(1e-3)),
    Case("big", [1024, 2048, 2048, 1000], "relu", "softmax", "cross_entropy", 256, SGD(0.01)),
    Case("expm", [4, 32, 16, 4], "tanh", "identity", "quadratic", 10_000, Adam(1e-3)),
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
    if case.cost == "cross_entropy":
        return x, rng.integers(0, case.sizes[-1], n)
    return x, rng.random((n, case.sizes[-1]), np.float32)
