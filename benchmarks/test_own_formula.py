"""What a formula of one's own costs beside a built-in of the same arithmetic: a step of the same network with each."""

from dataclasses import dataclass

import numpy as np
import pytest

import fastbp
from fastbp.training.loop import Data, Plan


@dataclass(frozen=True)
class OwnAdam:
    """Adam, written anew."""

    learning_rate: float = 1e-3
    beta1: float = 0.9
    beta2: float = 0.999
    epsilon: float = 1e-8
    slots = ("first", "second")

    def constants(self, step):
        unbias = 1 / (1 - self.beta1**step), 1 / np.sqrt(1 - self.beta2**step)
        return {"rest1": 1 - self.beta1, "rest2": 1 - self.beta2, "unbias1": unbias[0], "unbias2": unbias[1]}

    def rule(self, c, g, w, first, second):
        first = c.beta1 * first + c.rest1 * g
        second = c.beta2 * second + c.rest2 * g * g
        return w - c.learning_rate * c.unbias1 * first / (c.unbias2 * np.sqrt(second) + c.epsilon), first, second


def own_silu_prime(z, a):
    s = 1 / (1 + np.exp(-z))
    return s + a * (1 - s)


OWN = {
    "tanh": fastbp.Activation("own tanh", np.tanh),
    "relu": fastbp.Activation("own relu", lambda z: np.maximum(z, 0), kinks=(0,)),
    "silu": fastbp.Activation("own silu", lambda z: z / (1 + np.exp(-z)), own_silu_prime),
}
OWN_COST = fastbp.Cost("own quadratic", lambda a, y: (a - y) ** 2 / 2)


@pytest.mark.benchmark(group="own")
@pytest.mark.parametrize("sizes", [[4, 16, 2], [20, 64, 64, 1], [784, 30, 10]], ids=str)
@pytest.mark.parametrize("activation", OWN)
@pytest.mark.parametrize("whose", ["built-in", "own"])
def test_step(benchmark, whose, activation, sizes):
    own = whose == "own"
    net = fastbp.Network(
        sizes, activation=OWN[activation] if own else activation, output="identity",
        cost=OWN_COST if own else "quadratic", seed=0, threads=1,
    )  # fmt: skip
    rng = np.random.default_rng(0)
    data = Data(*net._checked(rng.random((1024, sizes[0])), rng.random((1024, sizes[-1]))))
    session = net._session(data, Plan(OwnAdam() if own else fastbp.Adam(), 16, epochs=30))
    order = np.arange(1024)
    benchmark(session.train, order, 0, 64, 0)
    assert session.finite()
