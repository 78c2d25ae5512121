import json
import subprocess
import sys

import numpy as np
import pytest

import fastbp
from fastbp.cli import main


@pytest.fixture
def digits(tmp_path, monkeypatch, capsys):
    """Train the main job in an empty folder; return what it said as JSON."""
    monkeypatch.chdir(tmp_path)
    assert main(["train", "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_main_job_reaches_its_accuracy(digits):
    assert digits["test_accuracy"] >= 0.97
    assert digits["cross_check"]["passed"] is True
    assert digits["samples_per_second"] > 0
    data = fastbp.datasets.load_digits()
    loaded = fastbp.load(digits["model"])
    assert loaded.evaluate(data.x_test, data.y_test).accuracy == digits["test_accuracy"]


def test_saved_model_predicts_and_checks(digits, tmp_path, capsys):
    data = fastbp.datasets.load_digits()
    np.savez(tmp_path / "x.npz", x=data.x_test[:5])
    assert main(["predict", "digits.safetensors", "x.npz"]) == 0
    expected = np.argmax(fastbp.load("digits.safetensors").predict(data.x_test[:5]), axis=1)
    assert capsys.readouterr().out.split() == [str(v) for v in expected]
    np.savetxt("x.csv", data.x_test[:5], delimiter=",")
    assert main(["predict", "digits.safetensors", "x.csv", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["predictions"] == expected.tolist()
    assert main(["check", "digits.safetensors", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["passed"] is True


def test_text_names_what_was_done(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["train", "--epochs", "2", "--plot", "curve.png"]) == 0
    out = capsys.readouterr().out
    for word in ("64-256-10", "cross-check  passed", "samples per second", "digits.safetensors"):
        assert word in out
    assert (tmp_path / "curve.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("labels", [True, False])
def test_csv_is_trained_on(tmp_path, monkeypatch, capsys, labels):
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    x = rng.normal(size=(200, 3))
    y = np.where(x[:, 0] > 0, "yes", "no") if labels else x @ [1.0, 2.0, 3.0]
    rows = ["a,b,c,goal"] + [",".join(map(str, [*row, value])) for row, value in zip(x, y, strict=True)]
    (tmp_path / "t.csv").write_text("\n".join(rows))
    assert main(["train", "--data", "t.csv", "--target", "goal", "--sizes", "16", "--dropout", "0",
                 "--learning-rate", "0.02", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["sizes"] == [3, 16, 2 if labels else 1]
    assert said["test_accuracy"] > 0.9 if labels else said["test_cost"] < 1.0


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["train", "--data", "nowhere.csv"], "nowhere.csv"),
        (["train", "--data", "bad.csv"], "'x' in row 2 is not a number"),
        (["train", "--data", "bad.txt"], "unknown kind of data"),
        (["train", "--data", "empty.csv"], "empty"),
        (["train", "--activation", "sigmiod"], "choose from"),
        (["train", "--epochs", "0"], "epochs"),
        (["train", "--output", "bad.csv"], "no model of fastbp"),
        (["train", "--optimizer", "sgd", "--learning-rate", "1e9", "--epochs", "3", "--dropout", "0"], "layer"),
        (["predict", "bad.csv", "bad.csv"], "bad.csv"),
    ],
)
def test_failures_say_why_in_one_line(tmp_path, monkeypatch, capsys, argv, message):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "bad.csv").write_text("1,2,3\n4,x,5\n")
    (tmp_path / "bad.txt").write_text("?")
    (tmp_path / "empty.csv").write_text("")
    assert main(argv) == 1
    captured = capsys.readouterr()
    assert message in captured.err
    assert captured.err.count("\n") == 1
    assert not captured.out
    assert (tmp_path / "bad.csv").read_text().startswith("1,2,3")


def test_usage_errors_exit_with_2(capsys):
    for argv in ([], ["nonsense"], ["train", "--optimizer", "magic"]):
        with pytest.raises(SystemExit) as error:
            main(argv)
        assert error.value.code == 2
    capsys.readouterr()


def test_interrupt_exits_with_130(monkeypatch, capsys):
    def interrupted(*args, **kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr(fastbp.Network, "fit", interrupted)
    assert main(["train"]) == 130
    assert "interrupted" in capsys.readouterr().err


def test_doctor_and_warmup(capsys):
    assert main(["doctor", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert {"versions", "features", "lanes", "cache", "cores"} <= set(said)
    assert main(["warmup"]) == 0
    assert main(["doctor"]) == 0


def test_module_runs_as_a_program():
    run = subprocess.run([sys.executable, "-m", "fastbp", "--help"], capture_output=True, text=True, check=True)
    assert "train" in run.stdout
