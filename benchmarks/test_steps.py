"""How much faster is the fused engine than the reference? One group per case.

pytest benchmarks --benchmark-group-by=group
"""

import numpy as np
import pytest

from fastbp import ReferenceNetwork, cross_check
from fastbp.bench.cases import CASES, make_data, make_network
from fastbp.network import Network

STEPS = 20
TRAINING = [case for case in CASES if case.optimizer is not None]
PREDICT1 = next(case for case in CASES if case.optimizer is None)


@pytest.mark.parametrize("engine", [Network, ReferenceNetwork], ids=["fused", "reference"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("case", TRAINING, ids=lambda case: case.name)
def test_training_step(benchmark, case, dtype, engine):
    """Time STEPS mini-batches; what is timed has passed the cross-check with the other engine."""
    benchmark.group = f"{case.name} {dtype}: {STEPS} steps"
    net = make_network(case, dtype, engine)
    x, y = make_data(case, case.batch_size * STEPS)
    rows = min(len(x), 64)
    if engine is Network:
        assert cross_check(net, x[:rows], y[:rows], steps=2, batch_size=min(case.batch_size, 16)).passed
    session = net._session(*net._checked(x, y), None, case.optimizer, case.batch_size)
    order = np.random.default_rng(0).permutation(len(x))
    session.train(order, 0, 1, 0)
    rounds = 7 if case.name != "big" else 2
    benchmark.pedantic(session.train, (order, 0, STEPS if case.name != "big" else 2, 0), rounds=rounds)
    benchmark.extra_info["samples_per_round"] = len(x)


@pytest.mark.parametrize("engine", [Network, ReferenceNetwork], ids=["fused", "reference"])
def test_predict_one_sample(benchmark, engine):
    benchmark.group = "predict1 float32"
    net = make_network(PREDICT1, "float32", engine)
    x = make_data(PREDICT1, 1)[0][0]
    benchmark(net.predict, x, np.empty(10, np.float32))
