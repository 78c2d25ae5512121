"""What all tests share."""

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
