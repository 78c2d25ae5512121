"""How a case is timed. No test looks at a time."""

import numpy as np
import pytest

from fastbp import SGD

from . import peers, run
from .small import LABELS, ONE, REGRESSION, SIGMOID


def test_other_work_is_not_timed():
    contenders, _ = run.build(LABELS, "float32", 1, ["numpy"])
    _, truth = run.build(LABELS._replace(optimizer=SGD(0.11)), "float32", 1, [])
    with pytest.raises(ArithmeticError, match="fastbp computed something else"):
        run.check_trajectories(contenders, truth, run.orders(np.random.default_rng(0), LABELS, 4), "float32")


def test_mini_batches_are_whole():
    order = run.orders(np.random.default_rng(0), REGRESSION, 12)  # 23 samples: 5 mini-batches an epoch
    assert len(order) == 48
    assert len(set(order[:20])) == len(set(order[20:40])) == 20


def test_a_slow_contender_makes_fewer_steps(monkeypatch):
    monkeypatch.setattr(run, "SECONDS", 1.0)
    for microseconds, steps in ((1, run.MAX_STEPS), (1000, 1000), (10_000_000, 1)):
        monkeypatch.setattr(run, "_clock", lambda contender, order, each=microseconds: len(order) * each * 1e-6)
        contender = peers.Contender(lambda order: None, lambda: None)
        assert run.warm_up(contender, np.random.default_rng(0), ONE) == steps


def test_compare(quick):
    result = run.compare(SIGMOID, "float64", 2, ["numpy", "book"], rounds=2)
    assert list(result.times) == ["fastbp", "numpy", "book"]
    assert result.best_peer in ("numpy", "book")
    assert result.peak > 0
    assert result.share == pytest.approx(result.gflops / result.peak / 2)
    assert run.compare(LABELS, "float32", 1, ["book"], rounds=1).ratio is None  # which the book's code cannot do


def test_the_peak_is_the_best_of_a_run(quick, monkeypatch):
    peaks = iter([3.0, 5.0, 4.0])
    monkeypatch.setattr(run, "peak_gflops", lambda dtype: next(peaks))
    results = run.compare_all([LABELS, SIGMOID, ONE], "float32", 1, ["numpy"], rounds=1)
    assert [result.peak for result in results] == [5.0, 5.0, 5.0]
