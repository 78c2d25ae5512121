"""The benchmark: that everyone does the same work, and what is made of the times. No test looks at a time."""

import json
import re
import subprocess
import sys

import numpy as np
import pytest

from fastbp import SGD, Adam, Network, cli
from fastbp.bench import CASES, Case, compare, fits, peers, run, sweeps, tables, threads
from fastbp.bench.cases import make_data
from fastbp.bench.machine import describe_machine
from fastbp.bench.result import Result, Time
from fastbp.bench.sweeps import SWEEPS, Sweep, doublings, growths
from fastbp.plotting import COLORS, plot_benchmark, plot_sweep

REGRESSION = Case("regression", [3, 5, 4, 2], "tanh", "identity", "quadratic", 4, Adam(0.01), samples=23)
SIGMOID = Case("sigmoid", [6, 5, 3], "sigmoid", "sigmoid", "quadratic", 3, SGD(0.5), samples=20, zeros=0.5)
LABELS = Case("labels", [6, 5, 3], "relu", "softmax", "cross_entropy", 5, SGD(0.1), samples=20)
ONE = SIGMOID._replace(name="one", batch_size=1, optimizer=None, samples=4)
SMALL = [REGRESSION, LABELS._replace(optimizer=Adam(0.01)), LABELS, SIGMOID, ONE]
RESULTS = [
    Result(SIGMOID, "float32", 1, {"fastbp": Time(2.0, 0.1), "jax": Time(5.0, 0.2), "numpy": Time(400.0, 9.6)}, 200.0),
    Result(LABELS, "float32", 1, {"fastbp": Time(20.0, 0.1), "numpy": Time(10.0, 0.2)}, 100.0),
]


@pytest.fixture(autouse=True)
def denormals():
    """PyTorch's peer flushes them in the whole process: leave them to the tests that follow."""
    yield
    if "torch" in sys.modules:
        sys.modules["torch"].set_flush_denormal(False)


@pytest.fixture
def quick(monkeypatch):
    """Rounds of a few steps, and nothing that lasts longer than the test."""
    monkeypatch.setattr(run, "SECONDS", 1e-4)
    monkeypatch.setattr(run, "SETTLE_SECONDS", 0.0)
    monkeypatch.setattr(threads, "limit_threads", lambda count: [])


@pytest.fixture
def only_numpy(monkeypatch):
    """Nothing optional is installed."""
    monkeypatch.setattr(peers, "find_spec", lambda name: None)


def test_multiply_adds():
    assert LABELS.macs == 5 * (2 * 6 * 5 + 3 * 5 * 3)  # forward, BP4; BP2 for the last layer only
    assert ONE.macs == 6 * 5 + 5 * 3
    assert CASES[-1].description == "sparse, 784-30-10, batch 10, SGD, 81% zeros"


def test_zeros_are_drawn():
    x, _ = make_data(SIGMOID, 1000)
    assert np.mean(x == 0) == pytest.approx(0.5, abs=0.03)
    assert np.all(make_data(LABELS, 1000)[0] != 0)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("case", SMALL, ids=lambda case: f"{case.name}-{type(case.optimizer).__name__}")
@pytest.mark.parametrize("name", [name for name in peers.PEERS if name != "torch compiled"])
@pytest.mark.filterwarnings("default")  # of other libraries
def test_every_peer_does_the_same_work(name, case, dtype):
    if reason := peers.PEERS[name].lacks:
        pytest.skip(reason)
    contenders, truth = run.build(case, dtype, 1, [name])
    if name not in contenders:
        pytest.skip("cannot do this case")
    run.check_trajectories(contenders, truth, run.orders(np.random.default_rng(0), case, 10), dtype)


@pytest.mark.filterwarnings("default")
def test_the_compiled_step_does_the_same_work():
    if reason := peers.PEERS["torch compiled"].lacks:
        pytest.skip(reason)
    contenders, truth = run.build(REGRESSION, "float64", 1, ["torch compiled"])
    run.check_trajectories(contenders, truth, run.orders(np.random.default_rng(0), REGRESSION, 5), "float64")


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


@pytest.fixture
def small_fits(quick, monkeypatch):
    monkeypatch.setattr(fits, "PAUSE", 0.0)
    monkeypatch.setattr(fits, "FITS", [fits.Fit(REGRESSION, 2), fits.Fit(LABELS, 1)])


def test_whole_fits_are_measured(small_fits, monkeypatch):
    done = []
    train = Network.fit

    def watched(net, *args, **options):
        done.append(net.threads)
        return train(net, *args, **options)

    monkeypatch.setattr(Network, "fit", watched)
    first, second = fits.measure_all(fits.FITS, "float32", 2, ["numpy"], rounds=3)
    assert list(first.ours) == ["auto", "1", "2"]
    assert done == 2 * 4 * ["auto", 1, 2]  # in turn; the first round is for compiling
    assert (list(first.peers), second.best_peer) == (["numpy"], "numpy")
    assert first.better == min(first.ours["1"].median, first.ours["2"].median)
    assert all(time.median > 0 for time in (*first.ours.values(), *second.peers.values()))


def test_peers_fit_the_same_number_of_samples(small_fits, monkeypatch):
    seen = []
    made = peers.Contender(lambda order: seen.append(sorted(order)), lambda: None)
    monkeypatch.setitem(peers.PEERS, "numpy", peers.Peer(lambda job: made, ()))
    fits.measure(fits.FITS[0], "float32", 2, ["numpy"], rounds=1)
    assert len(seen) == 2 * 2  # rounds, epochs
    assert {len(set(order)) for order in seen} == {20}  # of 23: whole mini-batches


def test_fits_are_a_table(small_fits, only_numpy, capsys):
    assert cli.main(["bench", "--fits", "--threads", "2", "--rounds", "2"]) == 0
    said = capsys.readouterr().out
    assert "| case | fit | threads=auto | threads=1 | threads=2 | best peer | auto / one thread |" in said
    assert "| regression, 3-5-4-2, batch 4, Adam | 23 samples, 2 epochs |" in said
    assert cli.main(["bench", "--fits", "--json", "--rounds", "1"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert [row["epochs"] for row in report["results"]] == [2, 1]
    assert cli.main(["bench", "--fits", "--sweep", "width"]) == 2


def test_compare(quick):
    result = compare(SIGMOID, "float64", 2, ["numpy", "book"], rounds=2)
    assert list(result.times) == ["fastbp", "numpy", "book"]
    assert result.best_peer in ("numpy", "book")
    assert result.peak > 0
    assert result.share == pytest.approx(result.gflops / result.peak / 2)
    assert compare(LABELS, "float32", 1, ["book"], rounds=1).ratio is None  # which the book's code cannot do


def test_the_peak_is_the_best_of_a_run(quick, monkeypatch):
    peaks = iter([3.0, 5.0, 4.0])
    monkeypatch.setattr(run, "peak_gflops", lambda dtype: next(peaks))
    results = run.compare_all([LABELS, SIGMOID, ONE], "float32", 1, ["numpy"], rounds=1)
    assert [result.peak for result in results] == [5.0, 5.0, 5.0]


def test_who_is_missing_is_named(monkeypatch, only_numpy):
    here, missing = peers.present()
    assert here == ["numpy", "book"]
    assert missing["torch"] == "torch is not installed"
    assert set(here) | set(missing) == set(peers.PEERS)
    monkeypatch.setattr(peers, "find_spec", lambda name: name)
    monkeypatch.setattr(peers.shutil, "which", lambda name: None)
    assert peers.present()[1] == {"torch compiled": "no C++ compiler is found"}


def test_table():
    lines = tables.comparison(RESULTS).splitlines()
    assert lines[0].startswith("| case | threads | dtype | fastbp | jax | numpy | ratio")
    assert lines[2].startswith(
        "| sigmoid, 6-5-3, batch 3, SGD, 50% zeros | 1 | float32 | 2.0 ± 0.1 | 5.0 ± 0.2 | 400 ± 10 |"
    )
    assert "| 2.50 (jax) |" in lines[2]
    assert "| 20.0 ± 0.1 | - | 10.0 ± 0.2 | 0.50 (numpy) |" in lines[3]
    assert lines[-1] == tables.SPARSE
    assert tables.SPARSE not in tables.comparison(RESULTS[1:])


def test_heading_says_where_it_was_measured():
    machine = describe_machine()
    text = " ".join(tables.heading(machine, RESULTS, 7).split())
    assert "float32, 1 thread, 7 rounds" in text
    assert "peak of one core 200 GFLOP/s" in text
    assert all(value in text for value in machine.values())
    assert re.search(r"numba [\d.]+", machine["versions"])


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


def test_bench_prints_a_table_and_names_who_is_missing(quick, only_numpy, monkeypatch, tmp_path, capsys):
    monkeypatch.chdir(tmp_path)
    argv = ["bench", "--cases", "tiny", "predict1", "--rounds", "1", "--plot", "b.png"]
    assert cli.main(argv) == 0
    shown = capsys.readouterr().out
    assert "| tiny, 4-16-2, batch 8, SGD | 1 | float32 |" in shown
    assert "torch (torch is not installed)" in shown
    assert (tmp_path / "b.png").stat().st_size > 1000
    assert cli.main([*argv, "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert set(report) == {"machine", "rounds", "results", "left_out", "notes"}
    first, last = report["results"]
    assert set(first["times"]) == {"fastbp", "numpy"}
    assert set(last["times"]) == {"fastbp", "numpy", "book"}
    assert set(first["times"]["numpy"]) == {"median", "spread"}
    assert (first["case"], first["sizes"], first["best_peer"]) == ("tiny", [4, 16, 2], "numpy")
    assert {"jax", "onnxruntime"} <= set(report["left_out"])


def test_bench_sweeps(quick, only_numpy, monkeypatch, tmp_path, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(SWEEPS, "width", Sweep([2, 4, 8], SWEEPS["width"].case))
    argv = ["bench", "--sweep", "width", "--rounds", "1", "--plot", "s.png"]
    assert cli.main(argv) == 0
    shown = capsys.readouterr().out
    assert "| width | fastbp | best peer | ratio | work |" in shown
    assert re.search(r"^\| 8 \| .* \(numpy\) \| .* \| x2\.\d \|", shown, re.M)
    assert "onnxruntime" not in shown.rpartition("Left out")[2]
    assert (tmp_path / "s.png").stat().st_size > 1000
    assert cli.main([*argv, "--json"]) == 0
    sweep = json.loads(capsys.readouterr().out)["sweep"]
    assert (sweep["of"], sweep["values"]) == ("width", [2, 4, 8])
    assert [growth and set(growth) for growth in sweep["growth"]] == [None, *[{"work", "ours", "peer", "cliff"}] * 2]


@pytest.mark.parametrize(
    ("argv", "sentence"),
    [
        (["--cases", "nothing"], "choose from tiny"),
        (["--threads", "0"], "must be 1 or more"),
        (["--sweep", "width", "--cases", "tiny"], "give it or --cases"),
        (["--plot", "b.doc"], "unknown kind of picture"),
    ],
)
def test_bench_refuses(argv, sentence, capsys):
    assert cli.main(["bench", *argv]) == 2
    assert sentence in capsys.readouterr().err


def test_threads_are_limited(tmp_path):
    """In a process of its own, since it is for good."""
    code = """
import os
from fastbp.bench import threads
print(threads.limit_threads(1), os.environ["XLA_FLAGS"])
threads.find_spec = lambda name: None
print(threads.limit_threads(2), os.environ["XLA_FLAGS"])
"""
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    one, two = shown.splitlines()
    assert "eigen=false" in one
    assert "intra_op_parallelism_threads=1" in one
    assert "eigen=true" in two
    assert threads.UNLIMITED in two


def test_benchmark_is_drawn():
    ax = plot_benchmark(RESULTS)
    assert [text.get_text() for text in ax.texts] == ["2.5x", "0.5x"]
    assert [text.get_text() for text in ax.figure.legends[0].get_texts()] == ["fastbp", "jax", "numpy"]
    assert ax.get_yscale() == "log"


def test_every_peer_has_a_colour():
    assert set(COLORS) == {"fastbp", *peers.PEERS}


def test_sweep_is_drawn():
    ax = plot_sweep("batch", [1, 2], RESULTS, [False, True])
    assert ax.get_legend_handles_labels()[1] == ["fastbp", "best peer", "best is jax", "best is numpy", "cliff"]
    assert list(ax.lines[0].get_ydata()) == [2.0, 20.0]
    alone = [result._replace(times={"fastbp": Time(1.0, 0.0)}) for result in RESULTS]
    assert plot_sweep("batch", [1, 2], alone, [False, False]).get_legend_handles_labels()[1] == ["fastbp"]
    assert not plot_benchmark(alone).texts


def test_onnx_predicts_as_the_network_does():
    onnx = pytest.importorskip("onnx")
    model = onnx.load_from_string(peers.onnx.model(Network([3, 4, 2], output="softmax", cost="cross_entropy", seed=0)))
    onnx.checker.check_model(model)
    assert [node.op_type for node in model.graph.node] == ["Gemm", "Sigmoid", "Gemm", "Softmax"]
