"""A training that is killed, again and again, ends as one that was not: `kill -9` at any instant, and resume.

The short form kills 6 times, the long one (`pytest -m soak`) 200 times.
"""

import os
import random
import signal
import subprocess
import sys
import time

import pytest

import fastbp

pytestmark = pytest.mark.skipif(os.name != "posix", reason="kill -9")
TRAINING = """
import os, sys
import fastbp
path, epochs = sys.argv[1], int(sys.argv[2])
data = fastbp.datasets.load_digits()
x, y = data.x_train[:600], data.y_train[:600]
checkpoint = fastbp.Checkpoint(path)
if os.path.exists(path):
    net, history = fastbp.resume(path, x, y)
else:
    net = fastbp.Network([64, 17, 10], activation="relu", cost="cross_entropy", dropout=0.1, seed=0)
    history = net.fit(x, y, epochs, 16, fastbp.Adam(1e-3), callbacks=[checkpoint], verbose=0)
print(len(history))
net.save(path + ".end")
"""


def start(path, epochs):
    return subprocess.Popen([sys.executable, "-c", TRAINING, str(path), str(epochs)], stdout=subprocess.PIPE, text=True)


def begun(process, path):
    """Wait until a run has saved something new, so that kills fall into its work and not into its imports."""
    before, deadline = stamp(path), time.monotonic() + 60
    while process.poll() is None and stamp(path) == before and time.monotonic() < deadline:
        time.sleep(0.001)


def stamp(path):
    return path.stat().st_mtime_ns if path.exists() else 0


def survive(folder, epochs, kills):
    """Kill a training so often; let it end; return how often it was killed before its end."""
    path, killed, rng = folder / "run.safetensors", 0, random.Random(1)
    while True:
        process = start(path, epochs)
        if killed < kills:
            begun(process, path)
            time.sleep(rng.uniform(0, 0.02))
            process.kill()
        printed, _ = process.communicate()
        if process.returncode == 0:
            assert printed == f"{epochs}\n"
            return killed
        assert process.returncode == -signal.SIGKILL
        killed += 1
        assert fastbp.load(path).epochs_trained >= 0  # a whole file at every instant


def assert_as_if_nothing_had_happened(tmp_path, epochs, kills):
    calm, rough = tmp_path / "calm", tmp_path / "rough"
    calm.mkdir()
    rough.mkdir()
    assert survive(calm, epochs, 0) == 0
    assert survive(rough, epochs, kills) == kills
    name = "run.safetensors.end"
    assert (rough / name).read_bytes() == (calm / name).read_bytes()
    assert not list(rough.glob(".fastbp-*"))


def test_a_training_that_is_killed_ends_to_the_bit_as_one_that_is_not(tmp_path):
    assert_as_if_nothing_had_happened(tmp_path, epochs=120, kills=6)


@pytest.mark.soak
def test_a_training_that_is_killed_200_times(tmp_path):
    assert_as_if_nothing_had_happened(tmp_path, epochs=2500, kills=200)
