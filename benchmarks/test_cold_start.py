"""How long does a fresh process take until the first network is trained? Whole processes, one group to compare in.

pytest benchmarks/test_cold_start.py --benchmark-sort=mean

What fastbp adds is the distance from "import numba", which no user of numba can avoid.
"""

import os
import shutil
import subprocess
import sys

import pytest

FIT = """
import fastbp
data = fastbp.datasets.load_digits()
net = fastbp.Network([64, 30, 10], output="softmax", cost="cross_entropy", seed=0)
net.fit(data.x_train, data.y_train, epochs=1, optimizer=fastbp.SGD(0.5), verbose=0)
"""
ROUNDS = 3


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    """A folder for kernels, as the test before has left it."""
    return tmp_path_factory.mktemp("cache")


def process(code, cache):
    """Run code in a new interpreter that keeps its kernels in this folder, with bytecode, as packages are installed."""
    env = {**os.environ, "NUMBA_CACHE_DIR": str(cache), "PYTHONPYCACHEPREFIX": str(cache.parent / "bytecode")}
    env.pop("PYTHONDONTWRITEBYTECODE", None)
    subprocess.run([sys.executable, "-c", code], check=True, env=env)


@pytest.mark.parametrize("code", ["import numba", "import fastbp"])
def test_import(benchmark, cache, code):
    benchmark.group = "cold start"
    benchmark.pedantic(process, (code, cache), rounds=ROUNDS, warmup_rounds=1)


def test_first_fit_compiles(benchmark, cache):
    benchmark.group = "cold start"

    def fresh():
        shutil.rmtree(cache)
        cache.mkdir()
        return (FIT, cache), {}

    benchmark.pedantic(process, setup=fresh, rounds=ROUNDS)


def test_first_fit_in_a_second_process(benchmark, cache):
    benchmark.group = "cold start"
    process(FIT, cache)
    benchmark.pedantic(process, (FIT, cache), rounds=ROUNDS)
