"""What all of them share. NumPy must not be loaded before this file: see `blas`."""

import sys

import pytest

from . import blas, threads

DROPPED = blas.free()
threads.limit_jax(1)


def pytest_terminal_summary(terminalreporter):
    dropped = f"{' and '.join(DROPPED)} dropped; " if DROPPED else ""
    terminalreporter.write_line(f"{dropped}BLAS: {blas.kernels()}")


@pytest.fixture(autouse=True)
def denormals():
    """PyTorch's peer flushes them in the whole process: leave them to the tests that follow."""
    yield
    if "torch" in sys.modules:
        sys.modules["torch"].set_flush_denormal(False)


@pytest.fixture
def quick(monkeypatch):
    """Rounds of a few steps, as many cores as are asked for, and nothing that lasts longer than the test."""
    monkeypatch.setattr("benchmarks.run.SECONDS", 1e-4)
    monkeypatch.setattr("benchmarks.run.SETTLE_SECONDS", 0.0)
    monkeypatch.setattr("benchmarks.command.limit_threads", lambda count: [])
    monkeypatch.setattr("fastbp.border.options.available_cores", lambda: 64)


@pytest.fixture
def only_numpy(monkeypatch):
    """Nothing optional is installed."""
    monkeypatch.setattr("benchmarks.peers.find_spec", lambda name: None)
