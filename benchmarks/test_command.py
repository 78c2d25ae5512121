"""`python -m benchmarks` as its user sees it."""

import json
import re
import shlex
from pathlib import Path

import pytest

from . import command
from .sweeps import SWEEPS, Sweep


def test_it_prints_a_table_and_names_who_is_missing(quick, only_numpy, monkeypatch, tmp_path, capsys):
    monkeypatch.chdir(tmp_path)
    argv = ["--cases", "tiny", "predict1", "--rounds", "1", "--plot", "b.png"]
    command.main(argv)
    shown = capsys.readouterr().out
    assert "| tiny, 4-16-2, batch 8, SGD | 1 | float32 |" in shown
    assert "torch (torch is not installed)" in shown
    assert (tmp_path / "b.png").stat().st_size > 1000
    command.main([*argv, "--json"])
    report = json.loads(capsys.readouterr().out)
    assert set(report) == {"machine", "rounds", "results", "left_out", "notes"}
    first, last = report["results"]
    assert set(first["times"]) == {"fastbp", "numpy"}
    assert set(last["times"]) == {"fastbp", "numpy", "book"}
    assert set(first["times"]["numpy"]) == {"median", "spread"}
    assert (first["case"], first["sizes"], first["best_peer"]) == ("tiny", [4, 16, 2], "numpy")
    assert {"jax", "onnxruntime"} <= set(report["left_out"])


def test_sweeps_are_a_table(quick, only_numpy, monkeypatch, tmp_path, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(SWEEPS, "width", Sweep([2, 4, 8], SWEEPS["width"].case))
    argv = ["--sweep", "width", "--rounds", "1", "--plot", "s.png"]
    command.main(argv)
    shown = capsys.readouterr().out
    assert "| width | fastbp | best peer | ratio | work |" in shown
    assert re.search(r"^\| 8 \| .* \(numpy\) \| .* \| x2\.\d \|", shown, re.M)
    assert "onnxruntime" not in shown.rpartition("Left out")[2]
    assert (tmp_path / "s.png").stat().st_size > 1000
    command.main([*argv, "--json"])
    sweep = json.loads(capsys.readouterr().out)["sweep"]
    assert (sweep["of"], sweep["values"]) == ("width", [2, 4, 8])
    assert [growth and set(growth) for growth in sweep["growth"]] == [None, *[{"work", "ours", "peer", "cliff"}] * 2]


@pytest.mark.parametrize(
    ("argv", "sentence"),
    [
        (["--cases", "nothing"], "argument --cases: invalid choice: 'nothing' (choose from "),
        (["--threads", "0"], "argument --threads: must be 1 or more"),
        (["--rounds", "many"], "argument --rounds: must be 1 or more, not many"),
        (["--fits", "--sweep", "width"], "not allowed with argument --fits"),
        (["--fits", "--plot", "b.png"], "--fits has no picture"),
        (["--sweep", "width", "--cases", "tiny"], "argument --cases: not allowed with argument --sweep"),
        (["--plot", "b.doc"], "unknown kind of picture"),
    ],
)
def test_what_cannot_be_meant_is_refused(argv, sentence, capsys):
    with pytest.raises(SystemExit, match="2"):
        command.main(argv)
    assert sentence in capsys.readouterr().err


def test_commands_in_the_readme_are_accepted():
    text = (Path(__file__).parent / "README.md").read_text(encoding="utf-8")
    examples = re.findall(r"^python -m benchmarks ([^#\n]+)", text, re.M)
    assert len(examples) >= 4
    for words in examples:
        command.make_parser().parse_args(shlex.split(words))
