"""How looks are timed, and their table; and the same by pytest-benchmark. No test looks at a time."""

import json

import numpy as np
import pytest

from . import command, looks
from .cases import NIELSEN, make_data
from .small import LABELS, REGRESSION


@pytest.fixture
def small_cases(quick, monkeypatch):
    monkeypatch.setattr(looks, "LOOKED_AT", [REGRESSION, LABELS])


def test_looks_are_a_table(small_cases, capsys):
    command.main(["--looks", "--rounds", "2"])
    said = capsys.readouterr().out
    assert "| case | us a step | one in ten looked at | | every one | |" in said
    assert "| labels, 6-5-3, batch 5, SGD |" in said
    command.main(["--looks", "--json", "--rounds", "1", "--dtype", "float64"])
    report = json.loads(capsys.readouterr().out)
    assert [set(row["times"]) for row in report["results"]] == [{"0", "10", "1"}] * 2
    assert {row["dtype"] for row in report["results"]} == {"float64"}


def test_a_share_is_what_looking_adds():
    times = {0: looks.Time(10.0, 0.1), 10: looks.Time(10.4, 0.1), 1: looks.Time(14.0, 0.2)}
    look = looks.Look(LABELS, "float32", 1, times)
    assert look.share(10) == pytest.approx(0.04)
    assert "| 10.4 ± 0.1 | +4.0% | 14 ± 0.2 | +40.0% |" in looks.table([look])


@pytest.mark.benchmark(group="looks")
@pytest.mark.parametrize("every", looks.EVERY)
def test_step(benchmark, every):
    session = looks._session(NIELSEN, "float32", 1, *make_data(NIELSEN, 1000), every)
    benchmark(session.train, np.arange(1000), 0, 100, 0)
    assert session.finite()
