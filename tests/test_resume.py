"""A run goes on from its checkpoint, in another process, to the bit as if it had not been stopped."""

import json
import shutil
import subprocess
import sys
from dataclasses import dataclass

import numpy as np
import pytest
from numpy.testing import assert_array_equal

import fastbp
from fastbp import SGD, Adam, Checkpoint, EarlyStopping, ReduceOnPlateau
from fastbp.formulas.optimizers import OPTIMIZERS
from fastbp.networks import storage

EPOCHS, STOP = 7, 3
ROWS = [
    *(row() for name, row in OPTIMIZERS.items() if name not in ("sgd", "rprop")),
    SGD(0.05), SGD(0.05, momentum=0.9), Adam(fastbp.schedules.cosine(0.01, EPOCHS, warmup=1)), Adam(0.01, amsgrad=True),
    fastbp.Nadam(0.01, weight_decay=0.1), fastbp.Adagrad(0.1, start=0.1, rate_decay=0.1),
]  # fmt: skip
SETTINGS = {
    "plain": {},
    "averaged": {"ema": 0.9, "accumulate": 2},
    "clipped": {"clip_norm": 0.1},
    "in order": {"shuffle": False, "clip_value": 0.01},
}


class Stop(Exception):
    """What ends a run without warning."""


class Crash:
    """Ends a run after an epoch."""

    def __call__(self, net, history):
        if len(history) == STOP + 1:
            raise Stop


@pytest.fixture
def data(rng):
    x = rng.normal(size=(83, 9))
    return x, rng.integers(0, 3, 83)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "run.safetensors"


def make(engine=fastbp.Network, **options):
    given = {"activation": "tanh", "cost": "cross_entropy", "dropout": [0.1, 0.2], "seed": 4, **options}
    return engine([9, 17, 3], **given)


def watchers():
    return [EarlyStopping(patience=3), ReduceOnPlateau(patience=1, factor=0.7)]


def run(net, data, path=None, **options):
    """Train; with a path, until it crashes, and on from there."""
    options = {
        "epochs": EPOCHS,
        "batch_size": 8,
        "verbose": 0,
        "validation_split": 0.2,
        "metrics": ["top_2"],
        **options,
    }
    callbacks = options.pop("callbacks", watchers())
    if path is None:
        return net, net.fit(*data, callbacks=callbacks, **options)
    with pytest.raises(Stop):
        net.fit(*data, callbacks=[*callbacks, Checkpoint(path), Crash()], **options)
    with pytest.warns(UserWarning, match="the run had a callback of your own, Crash: give it again"):
        return fastbp.resume(path, *data, engine=type(net), verbose=0, sample_weight=options.get("sample_weight"))


def assert_same(one, other):
    for a, b in zip([*one[0].weights, *one[0].biases], [*other[0].weights, *other[0].biases], strict=True):
        assert_array_equal(a, b)
    kept = [{name: v for name, v in run[1].to_dict().items() if name != "seconds"} for run in (one, other)]
    assert kept[0] == kept[1]
    assert one[0].epochs_trained == other[0].epochs_trained


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("optimizer", ROWS, ids=str)
def test_a_resumed_run_is_the_uninterrupted_one(optimizer, dtype, engine, data, path):
    straight = run(make(engine, dtype=dtype), data, optimizer=optimizer)
    assert_same(straight, run(make(engine, dtype=dtype), data, path, optimizer=optimizer))


@pytest.mark.parametrize("settings", SETTINGS)
def test_every_setting_is_kept(settings, engine, data, path):
    options = {**SETTINGS[settings], "sample_weight": np.random.default_rng(0).random(83), "optimizer": Adam(0.02)}
    assert_same(run(make(engine, l2=0.01), data, **options), run(make(engine, l2=0.01), data, path, **options))


def test_functions_of_ones_own_are_asked_for_and_called_again(engine, data, path, tmp_path):
    calls = []

    def note(net, history):
        calls.append(len(history))
        if len(calls) == STOP + 1:
            raise Stop

    with pytest.raises(Stop):
        make(engine).fit(*data, EPOCHS, 8, callbacks=[Checkpoint(path), note], verbose=0)
    shutil.copy(path, tmp_path / "again")
    with pytest.warns(UserWarning, match="a function of your own as a callback: give it again, resume"):
        fastbp.resume(path, *data, verbose=0)
    assert len(calls) == STOP + 1
    fastbp.resume(tmp_path / "again", *data, verbose=0, callbacks=[note])
    assert calls[STOP + 1 :] == [*range(STOP + 1, EPOCHS + 1)]  # once after each epoch that was left


def test_early_stopping_stops_where_it_would_have(engine, data, path):
    """The best epoch may lie before the checkpoint, and its parameters are in it."""
    options = {"epochs": 200, "optimizer": Adam(0.05)}
    one, other = run(make(engine), data, **options), run(make(engine), data, path, **options)
    assert STOP < len(one[1]) < 200
    assert_same(one, other)


PROCESS = """
import sys, numpy as np, fastbp
rng = np.random.default_rng(0)
x, y = rng.normal(size=(83, 9)), rng.integers(0, 3, 83)
path, what, stop = sys.argv[1], sys.argv[2], int(sys.argv[3])
def die(net, history):
    if len(history) == stop:
        import os; os._exit(3)
if what == "resume":
    net, history = fastbp.resume(path, x, y, callbacks=[lambda net, history: None], verbose=0, threads=2)
else:
    net = fastbp.Network([9, 33, 3], cost="cross_entropy", activation="gelu", dropout=0.2, seed=4, threads=1)
    history = net.fit(x, y, epochs=6, batch_size=8, validation_split=0.2, verbose=0, ema=0.95,
        optimizer=fastbp.Nadam(fastbp.schedules.one_cycle(0.01, 6)),
        callbacks=[fastbp.EarlyStopping(), fastbp.Checkpoint(path), die, fastbp.CSVLogger(path + ".csv")])
print(net.weights[0].tobytes().hex()[:400], history.validation_cost, sum(1 for _ in open(path + ".csv")))
"""


def test_a_run_goes_on_in_a_new_process(tmp_path):
    def process(*arguments):
        return subprocess.run(
            [sys.executable, "-c", PROCESS, *map(str, arguments)], capture_output=True, text=True, timeout=300
        )

    straight = process(tmp_path / "a", "fit", 99)
    died = process(tmp_path / "b", "fit", 4)
    assert died.returncode == 3, died.stderr
    resumed = process(tmp_path / "b", "resume", 99)
    assert straight.returncode == resumed.returncode == 0, straight.stderr + resumed.stderr
    assert straight.stdout == resumed.stdout
    assert straight.stdout.strip().endswith(" 7")  # rows of the log: each epoch once


def test_a_checkpoint_is_a_model_file(engine, data, path):
    """People see the average; training goes on from what is averaged."""
    net, seen = make(engine), []
    options = {"epochs": 4, "ema": 0.9, "verbose": 0, "validation_split": 0.2}
    net.fit(*data, callbacks=[lambda net, h: seen.append(net.weights), Checkpoint(path, every=3)], **options)
    again = engine.load(path)
    for a, b in zip(again.weights, net.weights, strict=True):
        assert_array_equal(a, b)
    assert again.spec == net.spec
    assert_array_equal(again.classes, net.classes)
    done, history = fastbp.resume(path, *data, engine=engine)  # nothing is left to do
    assert len(history) == 4
    assert_array_equal(done.weights[0], seen[-1][0])


def test_every_so_many_epochs(engine, data, path):
    lengths = []

    def look(net, history):
        if path.exists():
            lengths.append(len(fastbp.networks.resume.Kept(*fastbp.networks.model_file.read_run(path)[1:]).history))

    make(engine).fit(*data, epochs=8, verbose=0, callbacks=[Checkpoint(path, every=3), look])
    look(None, None)
    assert lengths == [3, 3, 3, 6, 6, 8]  # asked before the file of an epoch is written, and at the end


def test_a_run_may_go_on_for_longer(engine, data, path):
    options = {"optimizer": Adam(0.01), "callbacks": [], "validation_split": 0.0, "metrics": []}
    straight = run(make(engine), data, epochs=6, **options)
    make(engine).fit(*data, epochs=3, batch_size=8, verbose=0, optimizer=Adam(0.01), callbacks=[Checkpoint(path)])
    assert_same(straight, fastbp.resume(path, *data, engine=engine, epochs=6, verbose=0))


# What no file can hold


@dataclass(frozen=True)
class Mine(SGD):
    """An optimizer of one's own."""


@pytest.mark.parametrize("optimizer", [Mine(0.1), Adam(lambda t: 0.01 / (1 + t))], ids=["rule", "schedule"])
def test_an_optimizer_of_ones_own_is_given_again(optimizer, engine, data, path):
    straight = run(make(engine), data, optimizer=optimizer)
    net = make(engine)
    with pytest.raises(Stop):
        net.fit(*data, epochs=EPOCHS, batch_size=8, verbose=0, validation_split=0.2, metrics=["top_2"],
                optimizer=optimizer, callbacks=[*watchers(), Checkpoint(path), Crash()])  # fmt: skip
    with pytest.raises(ValueError, match=r"an optimizer or a schedule of your own: write resume\(..., optimizer="), \
            pytest.warns(UserWarning, match="Crash"):  # fmt: skip
        fastbp.resume(path, *data, engine=engine)
    with pytest.warns(UserWarning, match="Crash"):
        assert_same(straight, fastbp.resume(path, *data, engine=engine, optimizer=optimizer, verbose=0))


def mine(y, a):
    return float(np.mean(np.argmax(a, axis=1) == y))


def test_formulas_and_metrics_of_ones_own_are_given_again(engine, data, path):
    steady = fastbp.Activation("steady", lambda z: np.tanh(z) + z / 2)
    options = {"epochs": 4, "verbose": 0, "validation_split": 0.2, "metrics": [mine]}
    make(engine, activation=steady).fit(*data, callbacks=[Checkpoint(path)], **options)
    with pytest.raises(fastbp.ModelFileError, match=r"load\(path, formulas=\[...\]\)"):
        fastbp.resume(path, *data)
    with pytest.raises(ValueError, match="unknown metric 'mine'"):
        fastbp.resume(path, *data, formulas=[steady], engine=engine)
    _, history = fastbp.resume(path, *data, formulas=[steady], metrics=[mine], engine=engine, epochs=6, verbose=0)
    assert len(history["validation_mine"]) == 6


# What is refused


def test_a_file_sends_nobody_to_other_places(engine, data, path, tmp_path):
    """A file by somebody else may name any path; it may have been moved, too."""
    places = {name: tmp_path / name for name in ("second", "log", "moved")}
    callbacks = [Checkpoint(path), Checkpoint(places["second"], every=2), fastbp.CSVLogger(places["log"])]
    make(engine).fit(*data, epochs=2, batch_size=8, verbose=0, callbacks=callbacks)
    path.rename(places["moved"])
    places["second"].unlink()
    places["log"].write_text("my diary")
    with pytest.warns(UserWarning, match="the run also wrote to '.*', where a file must not") as warned:
        net, _ = fastbp.resume(places["moved"], *data, engine=engine, epochs=3, verbose=0)
    assert [str(w.message).partition("callbacks=")[2].partition("(")[0] for w in warned] == [
        "[fastbp.Checkpoint", "[fastbp.CSVLogger",
    ]  # fmt: skip
    assert places["log"].read_text() == "my diary"
    assert not path.exists()
    assert not places["second"].exists()
    assert engine.load(places["moved"]).epochs_trained == net.epochs_trained == 3
    given = [fastbp.CSVLogger(places["log"]), Checkpoint(places["second"])]
    fastbp.resume(places["moved"], *data, engine=engine, epochs=4, verbose=0, callbacks=given)
    assert len(places["log"].read_text().splitlines()) == 5
    assert engine.load(places["second"]).epochs_trained == 4


def test_other_data_are_refused(engine, data, path):
    x, y = data
    make(engine).fit(x, y, epochs=2, verbose=0, callbacks=[Checkpoint(path)])
    with pytest.raises(ValueError, match="x is not what the run was trained on; to train on other data"):
        fastbp.resume(path, x + 1e-3, y, engine=engine)
    with pytest.raises(ValueError, match="y is not what the run was trained on"):
        fastbp.resume(path, x, (y + 1) % 3, engine=engine)
    with pytest.raises(ValueError, match="sample_weight is not what the run was trained on"):
        fastbp.resume(path, x, y, sample_weight=np.ones(83), engine=engine)


def test_a_file_without_a_run_is_refused(engine, data, path):
    net = make(engine)
    net.save(path)
    with pytest.raises(fastbp.ModelFileError, match=r"a network, and no run that could go on: write net.fit\(x, y\)"):
        fastbp.resume(path, *data)


@pytest.mark.parametrize(
    "change",
    [
        lambda run: run.pop("optimizer"),
        lambda run: run.update(optimizer={"name": "nothing"}),
        lambda run: run.update(steps=-1),
        lambda run: run.update(limit=3),
        lambda run: run.update(callbacks=[{"name": "EarlyStopping", "settings": {"patience": 0}, "state": {}}]),
        lambda run: run.update(batch_size="many"),
        lambda run: run.update(callbacks=3),
        lambda run: run.update(unmeasured=3),
        lambda run: run.update(limit="0x1p99999"),
        lambda run: run.pop("digests"),
        lambda run: run.update(digests=3),
        lambda run: run["callbacks"][0]["state"].update(epochs="many"),
        lambda run: run["callbacks"][0]["state"].update(best_epoch=-1),
        lambda run: run["callbacks"][0]["state"].pop("best"),
        lambda run: run["callbacks"][1]["state"].update(reductions=-1),
    ],
)
def test_a_damaged_run_is_refused(change, data, path):
    kept_run(data, path)
    arrays, metadata = storage.read(path)
    change(metadata["run"])
    storage.write(path, arrays, json.loads(json.dumps(metadata)))
    with pytest.raises(
        (fastbp.ModelFileError, TypeError), match=r"not a run that can go on|batch_size must be an integer"
    ):
        fastbp.resume(path, *data, epochs=3)


def kept_run(data, path):
    make().fit(*data, epochs=2, verbose=0, validation_split=0.2, callbacks=[*watchers(), Checkpoint(path)])


@pytest.mark.parametrize(
    ("name", "array"),
    [
        ("run.history.cost", np.zeros(1)),
        ("run.history.cost", np.zeros((2, 1))),
        ("run.callback.0.weights.0", np.zeros((2, 2), np.float32)),
        ("run.callback.0.weights.1", np.full((3, 17), np.nan, np.float32)),
        ("run.trainer.first_moment.weights.0", np.zeros((1, 1), np.float32)),
        ("run.trainer.first_moment.weights.0", np.full((17, 9), np.inf, np.float32)),
    ],
)
def test_arrays_that_are_not_of_this_run_are_refused(name, array, data, path):
    kept_run(data, path)
    arrays, metadata = storage.read(path)
    assert name in arrays
    storage.write(path, {**arrays, name: array}, metadata)
    with pytest.raises(fastbp.ModelFileError, match="not a run that can go on"):
        fastbp.resume(path, *data, epochs=3)


def test_a_failed_write_leaves_the_old_file(data, path, monkeypatch):
    net = make()
    net.fit(*data, epochs=2, verbose=0, callbacks=[Checkpoint(path)])
    content = path.read_bytes()
    monkeypatch.setattr("os.replace", lambda *_: (_ for _ in ()).throw(OSError("no room")))
    with pytest.raises(OSError, match="no room"):
        net.fit(*data, epochs=2, verbose=0, callbacks=[Checkpoint(path)])
    assert path.read_bytes() == content
