"""The peers: that everyone does the same work, and who is missing."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from fastbp import Network

from . import peers, run, threads
from .small import REGRESSION, SMALL

ROOT = Path(__file__).parent.parent


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("case", SMALL, ids=lambda case: f"{case.name}-{type(case.optimizer).__name__}")
@pytest.mark.parametrize("name", [name for name in peers.PEERS if name != "torch compiled"])
@pytest.mark.filterwarnings("default")  # of other libraries
def test_every_peer_does_the_same_work(name, case, dtype):
    if reason := peers.PEERS[name].lacks:
        pytest.skip(reason)
    contenders, truth = run.build(case, dtype, 1, [name])
    if name not in contenders:
        pytest.skip("cannot do this case")
    run.check_trajectories(contenders, truth, run.orders(np.random.default_rng(0), case, 10), dtype)


@pytest.mark.filterwarnings("default")
def test_the_compiled_step_does_the_same_work():
    if reason := peers.PEERS["torch compiled"].lacks:
        pytest.skip(reason)
    contenders, truth = run.build(REGRESSION, "float64", 1, ["torch compiled"])
    run.check_trajectories(contenders, truth, run.orders(np.random.default_rng(0), REGRESSION, 5), "float64")


def test_who_is_missing_is_named(monkeypatch, only_numpy):
    here, missing = peers.present()
    assert here == ["numpy", "book"]
    assert missing["torch"] == "torch is not installed"
    assert set(here) | set(missing) == set(peers.PEERS)
    monkeypatch.setattr(peers, "find_spec", lambda name: name)
    monkeypatch.setattr(peers.shutil, "which", lambda name: None)
    assert peers.present()[1] == {"torch compiled": "no C++ compiler is found"}


def test_onnx_predicts_as_the_network_does():
    onnx = pytest.importorskip("onnx")
    model = onnx.load_from_string(peers.onnx.model(Network([3, 4, 2], output="softmax", cost="cross_entropy", seed=0)))
    onnx.checker.check_model(model)
    assert [node.op_type for node in model.graph.node] == ["Gemm", "Sigmoid", "Gemm", "Softmax"]


def test_threads_are_limited(tmp_path):
    """In a process of its own, since it is for good."""
    code = """
import os
from benchmarks import threads
print(threads.limit_threads(1), os.environ["XLA_FLAGS"])
threads.find_spec = lambda name: None
print(threads.limit_threads(2), os.environ["XLA_FLAGS"])
"""
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT).stdout
    one, two = shown.splitlines()
    assert "eigen=false" in one
    assert "intra_op_parallelism_threads=1" in one
    assert "eigen=true" in two
    assert threads.UNLIMITED in two
