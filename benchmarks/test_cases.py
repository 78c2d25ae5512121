"""The cases and their sweeps: what is counted, what is drawn, and what grows."""

import numpy as np
import pytest

from . import peers, sweeps
from .cases import CASES, make_data
from .result import Result, Time
from .small import LABELS, ONE, SIGMOID
from .sweeps import SWEEPS, doublings, growths


def test_multiply_adds():
    assert LABELS.macs == 5 * (2 * 6 * 5 + 3 * 5 * 3)  # forward, BP4; BP2 for the last layer only
    assert ONE.macs == 6 * 5 + 5 * 3
    assert CASES[-1].description == "sparse, 784-30-10, batch 10, SGD, 81% zeros"


def test_zeros_are_drawn():
    x, _ = make_data(SIGMOID, 1000)
    assert np.mean(x == 0) == pytest.approx(0.5, abs=0.03)
    assert np.all(make_data(LABELS, 1000)[0] != 0)


def test_growth_and_cliffs():
    def result(width, ours, peer):
        times = {"fastbp": Time(ours, 0.0), "jax": Time(peer, 0.0)}
        return Result(SWEEPS["batch"].case(width), "float32", 1, times, 100.0)

    grown = growths([result(1, 1.0, 4.0), result(2, 2.9, 8.0), result(4, 9.0, 8.0)])
    assert grown[0] is None
    assert grown[1] == pytest.approx((2.0, 2.9, 2.0))
    assert [growth.cliff for growth in grown[1:]] == [False, True]


def test_sweeps_double():
    assert doublings(16, 128) == [16, 32, 64, 128]
    for sweep in SWEEPS.values():
        macs = [sweep.case(value).macs for value in sweep.values]
        assert macs == sorted(macs)
    assert set(sweeps.PEERS) <= set(peers.PEERS)
