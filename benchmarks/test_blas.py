"""Peers are not handicapped: what slows their BLAS is dropped before it is loaded, and refused afterwards."""

import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from . import blas

ROOT = Path(__file__).parent.parent
SLOW = {"OPENBLAS_CORETYPE": "Prescott", "OPENBLAS_L2_SIZE": "32768"}


def python(*words, **environment):
    env = {name: value for name, value in os.environ.items() if name not in SLOW} | environment
    return subprocess.run([sys.executable, *words], cwd=ROOT, env=env, capture_output=True, text=True)


def test_numpy_gets_its_own_kernels():
    pytest.importorskip("threadpoolctl")
    code = "from benchmarks import blas; print(blas.free()); import numpy; print(blas.kernels())"
    usual = python("-c", code).stdout.splitlines()
    freed = python("-c", code, **SLOW).stdout.splitlines()
    assert usual[0] == "[]"
    assert freed == [str(list(SLOW)), *usual[1:]]


def test_it_is_said_what_was_dropped():
    said = python("-m", "benchmarks", "--help", **SLOW)
    assert said.returncode == 0
    assert said.stderr == (
        "OPENBLAS_CORETYPE and OPENBLAS_L2_SIZE dropped: NumPy and scikit-learn would be slower with that\n"
    )


def test_it_is_too_late_once_numpy_is_loaded(monkeypatch):
    monkeypatch.setenv("OPENBLAS_L2_SIZE", "32768")
    with pytest.raises(RuntimeError, match="`env -u OPENBLAS_CORETYPE -u OPENBLAS_L2_SIZE`"):
        blas.free()
    said = python("-m", "pytest", "-p", "numpy", "benchmarks/test_tables.py", **SLOW)
    assert said.returncode == 4
    assert "NumPy was loaded with OPENBLAS_CORETYPE and OPENBLAS_L2_SIZE" in said.stdout + said.stderr


def test_kernels_are_named(monkeypatch):
    numpy = {"user_api": "blas", "filepath": "/venv/numpy.libs/lib.so", "internal_api": "openblas", "version": "0.3.31"}
    team = {"user_api": "openmp", "filepath": "/venv/lib.so", "internal_api": "openmp", "version": None}
    other = {"user_api": "blas", "filepath": "/usr/lib/lib.so", "internal_api": "mkl", "version": None}
    found = [numpy | {"architecture": "SkylakeX"}, team, other]
    monkeypatch.setitem(sys.modules, "threadpoolctl", SimpleNamespace(threadpool_info=lambda: found))
    monkeypatch.setattr(blas, "find_spec", lambda name: name)
    monkeypatch.delitem(sys.modules, "torch", raising=False)
    assert blas.kernels() == "mkl, numpy openblas 0.3.31 SkylakeX"
    torch = SimpleNamespace(backends=SimpleNamespace(mkl=SimpleNamespace(is_available=lambda: True)))
    monkeypatch.setitem(sys.modules, "torch", torch)
    found.clear()
    assert blas.kernels() == "torch mkl (kernels not told)"
    monkeypatch.setattr(blas, "find_spec", lambda name: None)
    assert blas.kernels() == "unknown (install threadpoolctl)"
