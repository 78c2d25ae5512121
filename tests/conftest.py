"""What all tests share."""

import signal

import numpy as np
import pytest

import fastbp


@pytest.fixture(params=[fastbp.ReferenceNetwork, fastbp.Network], ids=["reference", "fast"])
def engine(request):
    """Every engine: what a test asks of one, it asks of all."""
    return request.param


@pytest.fixture(autouse=True)
def many_cores(monkeypatch):
    """Teams of any size are wanted in tests, whatever the machine has; people are warned of those beyond its cores."""
    monkeypatch.setattr("fastbp.border.options.available_cores", lambda: 64)


@pytest.fixture
def rng():
    return np.random.default_rng(20)


@pytest.fixture(autouse=True, scope="session")
def _ctrl_c_is_heard():
    """A shell lets what it starts in the background ignore Ctrl-C, which tests press."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
