"""The commands as a user sees them: exit code, one sentence or one JSON object, files."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import fastbp
from fastbp import cli
from fastbp.cli import train, warmup
from fastbp.cli.data import Choice
from fastbp.cli.data import load as load_data
from fastbp.compiler import native
from fastbp.formulas.activations import ACTIVATIONS

QUICK = ["--sizes", "8", "--epochs", "1"]


@pytest.fixture(autouse=True)
def _empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def run(capsys):
    """Run a command with --json; return what it printed, which must be one object."""

    def run(*argv, code=0):
        assert cli.main([*argv, "--json"]) == code
        out = capsys.readouterr().out
        assert out.count("\n") == 1
        return json.loads(out)

    return run


@pytest.fixture
def fail(capsys):
    """Run a command that fails; return the one sentence on stderr."""

    def fail(*argv, code=1):
        assert cli.main(argv) == code
        captured = capsys.readouterr()
        assert not captured.out
        assert captured.err.count("\n") == 1
        assert captured.err.startswith("fastbp")
        return captured.err

    return fail


@pytest.fixture
def digits(run):
    return run("train", *QUICK)


def write_csv(path, rows, header=""):
    lines = [",".join(map(str, row)) for row in rows]
    path.write_text("\n".join([header] * bool(header) + lines) + "\n")


# The main job


def test_main_job_reaches_its_accuracy(run):
    said = run("train")
    assert said["test_accuracy"] >= 0.98
    assert said["cross_check"]["passed"] is True
    assert said["samples_per_second"] > 0
    assert said["compile_seconds"] >= 0
    assert said["model"] == "digits.safetensors"
    data = fastbp.datasets.load_digits()
    score = fastbp.load("digits.safetensors").evaluate(data.x_test, data.y_test)
    assert score.accuracy == said["test_accuracy"]


def test_text_names_what_was_done(capsys):
    assert cli.main(["train", *QUICK]) == 0
    captured = capsys.readouterr()
    for words in ("64-8-10 (610 parameters)", "passed", "samples per second", "digits.safetensors"):
        assert words in captured.out
    assert "% right (" in captured.out
    assert not captured.err  # no bar where there is no terminal


def test_options_reach_the_network(run):
    options = """
        --sizes 7 5 --activation tanh --cost quadratic --l2 0.01 --dropout 0.1 --dtype float64
        --optimizer sgd --learning-rate 0.5 --momentum 0.5 --nesterov --epochs 2 --batch-size 50
        --threads 1 --seed 3 --output a.safetensors
    """
    said = run("train", *options.split())
    net = fastbp.load("a.safetensors")
    assert net.sizes == said["sizes"] == [64, 7, 5, 10]
    assert net.spec.activations == ("tanh", "tanh", "sigmoid")
    assert (net.spec.cost, net.spec.l2, net.spec.dropout) == ("quadratic", 0.01, 0.1)
    assert (net.spec.dtype, net.spec.seed) == ("float64", 3)
    same = fastbp.Network([64, 7, 5, 10], activation="tanh", output="sigmoid",
        l2=0.01, dropout=0.1, dtype="float64", seed=3)  # fmt: skip
    data = fastbp.datasets.load_digits()
    same.fit(data.x_train, data.y_train, 2, 50, fastbp.SGD(0.5, 0.5, nesterov=True), verbose=0)
    assert all(np.array_equal(a, b) for a, b in zip(same.weights, net.weights, strict=True))


def test_plot_is_a_picture(run, tmp_path):
    run("train", *QUICK, "--plot", "curve.png")
    assert (tmp_path / "curve.png").read_bytes().startswith(b"\x89PNG")


def test_a_failed_check_is_a_failure(monkeypatch, run):
    failed = fastbp.CheckReport("title", (fastbp.checking.report.Row("zs", 0, np.nan, 1.0),))
    monkeypatch.setattr("fastbp.checking.cross.cross_check", lambda *args, **kwargs: failed)
    said = run("train", *QUICK, code=1)
    assert said["cross_check"]["passed"] is False
    assert said["cross_check"]["rows"][0]["error"] is None  # JSON has no NaN
    assert run("check", code=1)["passed"] is False


# Data of one's own


def test_classes_keep_their_names(run, capsys, tmp_path):
    rng = np.random.default_rng(0)
    x = rng.normal(50, 10, (300, 3))
    names = np.where(x[:, 0] > 50, "yes, please", "no")
    write_csv(tmp_path / "t.csv", [[*row, f'"{n}"'] for row, n in zip(x, names, strict=True)], "a,b,c,goal")
    said = run("train", "--data", "t.csv", "--target", "goal")
    assert said["model"] == "t.safetensors"
    assert (said["training_samples"], said["test_samples"]) == (240, 60)
    assert "held out" in said["data"]
    assert said["test_accuracy"] > 0.9
    said = run("predict", "t.safetensors", "t.csv")
    assert set(said["predictions"]) == {"yes, please", "no"}
    assert np.mean(np.array(said["predictions"]) == names) == said["accuracy"] > 0.9
    assert cli.main(["predict", "t.safetensors", "t.csv", "--output", "p.csv"]) == 0
    assert "300 predictions" in capsys.readouterr().out
    assert '"yes, please"' in (tmp_path / "p.csv").read_text().splitlines()
    assert run("check", "t.safetensors", "--data", "t.csv")["passed"] is True


def test_numbers_are_predicted_on_their_own_scale(run, tmp_path):
    rng = np.random.default_rng(0)
    x = rng.normal(1000, [1, 100], (400, 2))
    y = 5000 + 40 * (x[:, 0] - 1000) + (x[:, 1] - 1000)
    np.savez(tmp_path / "t.npz", x=x, y=y)
    said = run("train", "--data", "t.npz", "--dtype", "float64")
    assert said["sizes"] == [2, 64, 64, 1]
    assert said["test_accuracy"] is None
    assert said["test_r2"] > 0.98
    assert said["test_rmse"] < 0.2 * np.std(y)
    values = run("predict", "t.safetensors", "t.npz")["predictions"]
    assert np.shape(values) == (400, 1)
    assert np.std(np.ravel(values) - y) < 0.2 * np.std(y)
    assert run("check", "t.safetensors")["passed"] is True  # on random numbers: two inputs


def test_separate_test_part_and_images(run, tmp_path):
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (50, 4, 4), np.uint8)
    labels = (images.mean(axis=(1, 2)) > 127).astype(np.uint8) * 7  # classes 0 and 7
    parts = {"x_train": images[:40], "y_train": labels[:40], "x_test": images[40:], "y_test": labels[40:]}
    np.savez(tmp_path / "t.npz", **parts)
    said = run("train", "--data", "t.npz")
    assert (said["sizes"][0], said["sizes"][-1]) == (16, 2)
    assert (said["training_samples"], said["test_samples"]) == (40, 10)
    assert "held out" not in said["data"]
    said = run("predict", "t.safetensors", "t.npz", "--values")
    assert (said["samples"], np.shape(said["values"])) == (10, (10, 2))
    assert set(said["predictions"]) <= {0, 7}


def test_mnist_folder(run, tmp_path):
    rng = np.random.default_rng(0)
    for part, m in (("train", 60), ("t10k", 20)):
        images, labels = rng.integers(0, 256, (m, 3, 3), np.uint8), np.arange(m, dtype=np.uint8) % 4
        head = bytes([0, 0, 8, 3]) + np.array(images.shape, ">i4").tobytes()
        (tmp_path / f"{part}-images-idx3-ubyte").write_bytes(head + images.tobytes())
        head = bytes([0, 0, 8, 1]) + np.array(labels.shape, ">i4").tobytes()
        (tmp_path / f"{part}-labels-idx1-ubyte").write_bytes(head + labels.tobytes())
    said = run("train", "--data", ".", *QUICK, "--output", "m.safetensors")
    assert said["sizes"] == [9, 8, 4]
    assert run("predict", "m.safetensors", ".")["samples"] == 20


@pytest.mark.parametrize(
    ("y", "options", "sizes"),
    [
        (np.arange(150), [], [2, 64, 64, 1]),  # too many whole numbers to be names
        (np.arange(150) % 3, [], [2, 256, 256, 3]),
        (np.arange(150) % 3, ["--task", "regression"], [2, 64, 64, 1]),
        (np.arange(150) % 2 == 0, [], [2, 256, 256, 2]),
        (np.arange(150) % 3 * 1.0, ["--task", "classification"], [2, 256, 256, 3]),
        (np.eye(4)[np.arange(150) % 4], [], [2, 256, 256, 4]),  # one-hot
        (np.arange(300).reshape(150, 2) / 300, [], [2, 64, 64, 2]),
        (np.array([b"a", b"b"])[np.arange(150) % 2], [], [2, 256, 256, 2]),
    ],
)
def test_the_target_says_what_kind_of_task_it_is(run, tmp_path, y, options, sizes):
    np.savez(tmp_path / "t.npz", x=np.random.default_rng(0).random((150, 2)), y=y)
    assert run("train", "--data", "t.npz", "--epochs", "1", *options)["sizes"] == sizes


def test_predictions_are_plain_lines(capsys, digits, tmp_path):
    data = fastbp.datasets.load_digits()
    net = fastbp.load(digits["model"])
    expected = [str(k) for k in np.argmax(net.predict(data.x_test[:5]), axis=1)]
    np.savetxt(tmp_path / "x.csv", data.x_test[:5], delimiter=",")
    for name, columns in (("x.csv", data.x_test[:5]), ("xy.csv", np.c_[data.x_test, data.y_test][:5])):
        np.savetxt(tmp_path / name, columns, delimiter=",")
        assert cli.main(["predict", "digits.safetensors", name]) == 0
        assert capsys.readouterr().out.split() == expected
    assert cli.main(["predict", "digits.safetensors", "x.csv", "--values"]) == 0
    header, *rows = [line.split(",") for line in capsys.readouterr().out.splitlines()]
    assert header == [str(k) for k in range(10)]
    np.testing.assert_allclose(np.array(rows, float), net.predict(data.x_test[:5]), rtol=1e-5)


@pytest.mark.parametrize("sizes", [[64, 5, 10], [3, 4, 2], [3, 1]])
def test_any_saved_network_can_be_checked(run, sizes):
    fastbp.Network(sizes, seed=0).save("any.safetensors")
    said = run("check", "any.safetensors")
    assert said["cross_check"]["passed"]
    assert said["equations"]["passed"]


def test_check_shows_every_comparison_on_demand(capsys):
    assert cli.main(["check"]) == 0
    short = capsys.readouterr().out
    assert cli.main(["check", "--verbose"]) == 0
    long = capsys.readouterr().out
    assert "nabla_w[0]" in long
    assert short.count("\n") == 4 < long.count("\n")


def test_held_out_samples_have_the_classes_of_all():
    np.savez("t.npz", x=np.arange(30)[:, None], y=np.arange(30) % 3 // 2)
    data = load_data("t.npz")
    assert np.bincount(data.y_test).tolist() == [4, 2]
    assert np.bincount(data.y_train).tolist() == [16, 8]
    assert sorted([*data.x_train[:, 0], *data.x_test[:, 0]]) == list(range(30))
    assert not np.array_equal(data.x_test, load_data("t.npz", Choice(seed=1)).x_test)
    np.testing.assert_array_equal(data.x_test, load_data("t.npz", Choice(seed=0)).x_test)


# Failures


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        ("train --data nowhere.csv", "nowhere.csv: no such file"),
        ("train --data nowhere.txt", "nowhere.txt: no such file"),
        ("train --data bad.csv", "bad.csv line 2, column 1: 'x' is not a number"),
        ("train --data bad.csv --target age", "no column 'age'; choose from 0..2"),
        ("train --data bad.doc", "unknown kind of data '.doc'; give a table (.csv"),
        ("train --data bad.npz", "cannot be read as .npz"),
        ("train --data empty.csv", "empty"),
        ("train --data nan.npz", "NaN or inf in row 1"),
        ("train --data text.csv --task regression", "text"),
        ("train --data one.csv", "every sample is of class a"),
        ("train --data .", "MNIST"),
        ("train --output bad.csv", "no model of fastbp"),
        ("train --output nowhere/a.safetensors", "no such folder"),
        ("train --plot curve.doc", "unknown kind of picture"),
        ("train --optimizer sgd --learning-rate 1e9 --dropout 0", "try --optimizer adam --learning-rate 0.001"),
        ("predict bad.csv bad.csv", "bad.csv"),
        ("predict nowhere bad.csv", "nowhere: no such file"),
        ("check bad.csv", "bad.csv"),
    ],
)
def test_failures_say_why(fail, tmp_path, argv, words):
    (tmp_path / "bad.csv").write_text("1,2,3\n4,x,5\n")
    (tmp_path / "bad.doc").write_text("?")
    (tmp_path / "bad.npz").write_bytes(b"PK\x03\x04 not a zip")
    (tmp_path / "empty.csv").write_text("")
    (tmp_path / "one.csv").write_text("1,a\n2,a\n3,a\n")
    (tmp_path / "text.csv").write_text("1,a\n2,b\n3,c\n")
    np.savez(tmp_path / "nan.npz", x=[[1.0], [np.nan]], y=[0, 1])
    before = {file: file.read_bytes() for file in tmp_path.iterdir()}
    assert words in fail(*argv.split())
    assert before == {file: file.read_bytes() for file in tmp_path.iterdir()}


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        ("", "COMMAND"),
        ("nonsense", "invalid choice"),
        ("bench --cases tiny", "the benchmarks live in the repository: python -m benchmarks"),
        ("train --nonsense", "--nonsense"),
        ("train --optimizer magic", "adam"),
        ("train --activation sigmiod", "choose from elu, exp, gelu, gelu_tanh, hard_sigmoid"),
        ("train --cost magic", "choose from"),
        ("train --dtype int8", "float32, float64"),
        ("train --epochs 0", "epochs must be at least 1"),
        ("train --batch-size 0", "batch_size must be at least 1"),
        ("train --sizes 0", "sizes"),
        ("train --dropout 1", "dropout"),
        ("train --learning-rate -1", "learning_rate"),
        ("train --threads many", "--threads"),
        ("train --momentum 0.9", "--momentum is not for --optimizer adam; choose --optimizer sgd"),
        ("train --optimizer adamw --nesterov", "--nesterov is not for --optimizer adamw"),
        ("train --seed -1", "seed"),
        ("predict", "MODEL, DATA"),
        ("predict a.safetensors x.csv --output x.csv", "overwrite"),
        ("check a.safetensors --dtype float64", "fresh"),
    ],
)
def test_wrong_commands_exit_with_2(fail, tmp_path, argv, words):
    assert words in fail(*argv.split(), code=2)
    assert not list(tmp_path.iterdir())


def test_failures_as_json(run):
    assert "nowhere.csv" in run("train", "--data", "nowhere.csv", code=1)["error"]
    assert "--nonsense" in run("train", "--nonsense", code=2)["error"]


def test_an_earlier_model_may_be_overwritten(digits, run):
    assert run("train", *QUICK, "--seed", "1")["model"] == digits["model"]
    assert fastbp.load(digits["model"]).spec.seed == 1


def test_answers_unknown_to_the_model(run, fail, digits, tmp_path):
    write_csv(tmp_path / "x.csv", [[0] * 64 + ["ten"]])
    said = run("predict", "digits.safetensors", "x.csv")
    assert said["accuracy"] is None
    assert "'ten' are none of the network's classes 0, 1, 2" in said["notes"][-1]
    write_csv(tmp_path / "x.csv", [[0] * 64 + ["ten"], [0] * 64 + said["predictions"]])
    said = run("predict", "digits.safetensors", "x.csv")
    assert said["accuracy"] == 0.5
    assert "count as wrong" in said["notes"][-1]
    assert "the answer 'ten' is none" in fail("check", "digits.safetensors", "--data", "x.csv")


def test_a_fault_of_ours_is_a_sentence_too(fail, monkeypatch):
    def broken(options):
        raise KeyError("inner")

    monkeypatch.setattr(train, "run", broken)
    assert "unexpected KeyError: 'inner'; this is a fault in fastbp" in fail("train")
    with pytest.raises(KeyError):
        cli.main(["train", "--traceback"])


def test_interrupt(fail, monkeypatch, tmp_path):
    def interrupted(*args, **kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr(fastbp.Network, "fit", interrupted)
    assert "interrupted; nothing was saved" in fail("train", code=130)
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs a pipe with a name")
def test_ctrl_c_in_a_running_program():
    os.mkfifo("slow.csv")  # a file whose end does not come
    code = """
import signal, sys
from fastbp.cli import main
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job ignores it
sys.exit(main(["train", "--data", "slow.csv"]))
"""
    argv = [sys.executable, "-c", code]
    with subprocess.Popen(argv, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            with open("slow.csv", "w"):  # returns when the program has opened it
                time.sleep(0.2)  # a signal between open and read would only be seen when something can be read
                process.send_signal(signal.SIGINT)
                out, err = process.communicate(timeout=60)
        finally:
            process.kill()
    assert process.returncode == 130
    assert err.strip() == "fastbp train: interrupted; nothing was saved"
    assert not out


# The other commands


def test_doctor(run, capsys, monkeypatch):
    monkeypatch.setenv("NUMBA_DISABLE_JIT", "1")
    said = run("doctor")
    assert {"numpy", "numba"} <= set(said["versions"])
    assert said["processor"]["lanes"] in (4, 8, 16)
    assert isinstance(said["kernels"]["writable"], bool)
    assert said["threads"]["allowed"] >= 1
    assert said["environment"]["NUMBA_DISABLE_JIT"] == "1"
    assert any("NUMBA_DISABLE_JIT" in problem for problem in said["problems"])
    assert cli.main(["doctor"]) == 0
    assert "lanes" in capsys.readouterr().out


def test_warmup_compiles_all_there_is(run):
    said = run("warmup")
    assert set(said["seconds"]) == {"float32", "float64"}
    everything = [kernel for kernel in _compiled_kernels() if kernel.signatures]
    before = {id(kernel): len(kernel.signatures) for kernel in everything}
    functions = set(native._known)
    data = fastbp.datasets.load_digits()
    for dtype in warmup.DTYPES:
        for optimizer in (fastbp.SGD(0.1, 0.9), fastbp.Adam()):
            net = fastbp.Network([64, 9, 10], dtype=dtype, dropout=0.5, l1=0.1, seed=0)
            net.fit(data.x_train[:50], data.y_train[:50], 1, 7, optimizer, sample_weight=np.ones(50))
        for activation in ACTIVATIONS:
            if activation != "softmax":
                net = fastbp.Network([64, 9, 10], activation=activation, cost="cross_entropy", dtype=dtype, seed=0)
                net.fit(data.x_train[:9], data.y_train[:9], 1, 9, warmup.OPTIMIZERS[len(activation) % 6], clip_norm=1.0)
        net.backprop(data.x_test, data.y_test)
        trainer = fastbp.Trainer(net)
        trainer.apply(trainer.gradient(data.x_test, data.y_test))
        net.forward(data.x_test)
        net.evaluate(data.x_test, data.y_test)
        net.predict(data.x_test[0].astype(dtype))
        net.fit(data.x_train * (data.x_train > 0.95), data.y_train, 2)
        fastbp.Network([64, 9, 10], dtype=dtype, threads=2).fit(data.x_train, data.y_train, 1, len(data.x_train))
    assert {id(kernel): len(kernel.signatures) for kernel in _compiled_kernels() if kernel.signatures} == before
    assert set(native._known) == functions


def _compiled_kernels():
    from numba.core.dispatcher import Dispatcher

    modules = [module for name, module in list(sys.modules.items()) if name.startswith("fastbp.kernels.")]
    return [v for module in modules for v in vars(module).values() if isinstance(v, Dispatcher)]


def test_warmup_fails_where_nothing_can_be_kept(run, monkeypatch):
    from fastbp.compiler import folders

    nowhere = folders.CacheInfo(None, False, 0, {"/x": "read-only"})
    monkeypatch.setattr(folders, "cache_info", lambda: nowhere)
    assert run("warmup", code=1)["kept"] is False


def test_module_runs_as_a_program():
    argv = [sys.executable, "-m", "fastbp"]
    shown = subprocess.run([*argv, "--help"], capture_output=True, text=True, check=True)
    assert all(name in shown.stdout for name in cli.COMMANDS)
    shown = subprocess.run([*argv, "--version"], capture_output=True, text=True, check=True)
    assert shown.stdout.startswith("fastbp ")


def test_a_reader_that_stops_is_no_error(digits):
    np.savez("x.npz", x=np.zeros((30000, 64)))
    argv = [sys.executable, "-m", "fastbp", "predict", "digits.safetensors", "x.npz", "--values"]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == ""


@pytest.mark.filterwarnings("always")
def test_what_the_library_warns_of_is_a_sentence_too(capsys, monkeypatch):
    monkeypatch.setattr("fastbp.border.options.available_cores", lambda: 2)
    assert cli.main(["train", "--threads", "64", "--sizes", "8", "--epochs", "1", "--no-plot"]) == 0
    lines = [line for line in capsys.readouterr().err.splitlines() if "threads is 64" in line]
    assert len(lines) == 1
    assert lines[0].startswith("fastbp train: warning: threads is 64, and this process may use 2 cores: write threads=")


def test_a_message_repeats_no_cell_of_thousands_of_digits(tmp_path, capsys):
    rows = "\n".join(f"{i},{i % 2}" for i in range(30))
    for cell, name in (("9" * 5000, "a"), ("z" * 5000, "a"), ("1", "n" * 5000)):
        path = tmp_path / "table.csv"
        path.write_text(f"{name},y\n{rows}\n{cell},x\n")
        assert cli.main(["train", str(path), "--epochs", "1", "--output", str(tmp_path / "m.safetensors")]) in (0, 1)
        assert all(len(line) < 1200 for line in capsys.readouterr().err.splitlines())


@pytest.mark.filterwarnings("ignore:Glyph 27")  # the picture has no letter for it
@pytest.mark.parametrize("terminal", [True, False])
def test_a_terminal_shows_what_is_in_a_file_and_does_not_obey_it(terminal, run, capsys, monkeypatch):
    lines = [f"{x},{['no', chr(27) + '[2J'][x > 0]}" for x in (-2, -1, 1, 2) for _ in range(10)]
    Path("data.csv").write_text("\n".join(["x,answer", *lines]) + "\n")
    model = run("train", "data.csv", *QUICK)["model"]
    monkeypatch.setattr(sys.stdout, "isatty", lambda: terminal, raising=False)
    assert cli.main(["predict", model, "data.csv"]) == 0
    captured = capsys.readouterr()
    assert ("\\x1b[2J" in captured.out) == terminal
    assert ("\x1b" in captured.out) == (not terminal)
    assert "\x1b" not in captured.err
