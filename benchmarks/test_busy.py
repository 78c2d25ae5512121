"""How fits beside others are timed, and their table. No test looks at a time."""

import json
import subprocess

import pytest

from . import busy, command, neighbours
from .neighbours import Neighbours
from .small import LABELS


@pytest.fixture
def small_case(monkeypatch):
    monkeypatch.setattr(busy, "MEASURED", [LABELS])
    monkeypatch.setattr(busy, "SECONDS", (0.001, 0.002))
    monkeypatch.setattr(busy, "IN_ALL", 0.003)
    monkeypatch.setattr(command, "all_neighbours", lambda: [Neighbours("nobody", processes=0), Neighbours("a loop")])


def test_fits_beside_others_are_a_table(small_case, capsys):
    command.main(["--busy", "--rounds", "2"])
    said = capsys.readouterr().out
    assert "| beside | case | fit of | threads=1 |" in said
    assert "| a loop | labels | 2 ms |" in said
    command.main(["--busy", "--json", "--rounds", "1", "--dtype", "float64"])
    report = json.loads(capsys.readouterr().out)
    assert [row["neighbours"] for row in report["results"]] == ["nobody"] * 2 + ["a loop"] * 2
    assert all({"1", "auto"} < set(row["times"]) for row in report["results"])


def test_ratios_are_to_the_best_number_and_to_one_thread():
    times = {"1": busy.Time(10.0, 0.1), "2": busy.Time(25.0, 0.1), "auto": busy.Time(11.0, 0.2)}
    result = busy.Beside("nobody", LABELS, 0.02, times)
    assert result.auto_to_best == pytest.approx((1.1, 1.1 * (0.01**2 + (0.2 / 11) ** 2) ** 0.5))
    assert result.fixed_to_one == pytest.approx(2.5)
    assert "At most: auto / best 1.10 ± 0.02, 2 / 1 2.50." in busy.table([result])


def test_threads_cannot_be_chosen(capsys):
    with pytest.raises(SystemExit):
        command.main(["--busy", "--threads", "2"])
    assert "without --threads" in capsys.readouterr().err


@pytest.mark.parametrize("kind", ["loop", *(kind for kind in neighbours.TEAMS if kind != "torch")])
def test_neighbours_work_until_they_are_ended(kind, monkeypatch):
    started = []

    class Watched(subprocess.Popen):
        def __init__(self, *arguments, **options):
            super().__init__(*arguments, **options)
            started.append(self)

    monkeypatch.setattr(neighbours.subprocess, "Popen", Watched)
    with Neighbours(kind, kind, processes=2, threads=2).at_work():
        assert [process.poll() for process in started] == [None, None]
    assert all(process.poll() for process in started)


def test_all_neighbours_are_named():
    names = [others.name for others in neighbours.all_neighbours()]
    assert names[0] == "nobody"
    assert "a team of numpy" in names
    assert len(set(names)) == len(names)


def test_who_does_not_begin_is_told():
    with pytest.raises(RuntimeError, match="did not begin"), Neighbours("nothing", "nothing").at_work():
        pass
