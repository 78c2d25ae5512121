"""Everyone's steps on one thread, a group for each case: fused, reference, and every peer that is installed.

pytest benchmarks/test_steps.py --benchmark-sort=mean

Who computes something else than the reference is not timed. One comes after the other here; `python -m benchmarks`
takes them in turn, so that what else happens on the machine hits all alike.
"""

import numpy as np
import pytest

from . import run
from .cases import CASES
from .peers import PEERS
from .threads import limit_blas

DTYPE = "float32"
STEPS = {"tiny": 500, "predict1": 500, "big": 2}  # of a round: the call itself should not count; 20 of the others
GROUPS = [pytest.param(case, id=case.name, marks=pytest.mark.benchmark(group=case.name)) for case in CASES]


@pytest.mark.parametrize("name", ["fused", "reference", *PEERS])
@pytest.mark.parametrize("case", GROUPS)
@pytest.mark.filterwarnings("default")  # of other libraries
def test_steps(benchmark, case, name):
    if name in PEERS and (reason := PEERS[name].lacks):
        pytest.skip(reason)
    limit_blas(1)
    contenders, truth = run.build(case, DTYPE, 1, [name] if name in PEERS else [])
    contender = {"fused": contenders["fastbp"], "reference": truth, **contenders}.get(name)
    if contender is None:
        pytest.skip("it cannot do this case")
    rng, steps = np.random.default_rng(0), STEPS.get(case.name, 20)
    run.check_trajectories(contenders, truth, run.orders(rng, case, run.CHECKED_STEPS), DTYPE)
    order = run.orders(rng, case, steps)
    benchmark.extra_info["steps"] = steps
    benchmark.pedantic(contender.run, (order,), rounds=run.ROUNDS, warmup_rounds=1)
