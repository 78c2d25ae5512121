"""Numbers that are not finite are caught at once and named; extreme ones that are finite raise nothing.

The short forms are samples of the long ones (`pytest -m soak`).
"""

import time
import warnings

import numpy as np
import pytest

from fastbp import SGD, Adam, DivergenceError, Network, ReferenceNetwork
from fastbp.networks.run import Run

M, BATCH = 96, 8
RNG = np.random.default_rng(0)
X, LABELS = RNG.normal(size=(M, 6)), RNG.integers(0, 4, M)
KINDS = ["weight", "bias", "input", "state"]
ACTIVATIONS = ["sigmoid", "tanh", "relu", "gelu"]


class Injection:
    """A number that is not finite, written somewhere before the call that begins with a certain mini-batch."""

    def __init__(self, case, monkeypatch):
        draw = np.random.default_rng(case)
        self.kind, self.value = KINDS[case % 4], [np.nan, np.inf, -np.inf][case % 3]
        self.epoch, self.batch = int(draw.integers(1, 4)), int(draw.integers(M // BATCH))
        self.optimizer = Adam(0.01) if self.kind == "state" else [SGD(0.1), Adam(0.01)][case % 2]
        self.net = Network(
            [6, 9, 7, 4], activation=ACTIVATIONS[case // 4 % 4], output="softmax", cost="cross_entropy", seed=case,
            dtype=["float32", "float64"][case // 8 % 2], threads=1 + case // 16 % 2,
        )  # fmt: skip
        self.layer, self.x = int(draw.integers(3)), X.astype(self.net.dtype)
        self.draw, self.calls, self.after = draw, 0, 0
        train, written = Run.train, []

        def train_and_write(run, order, first, count, *rest):
            if not written and self.net.epochs_trained + 1 == self.epoch and first + count > self.batch:
                written.append(first)
                self.first, self.count = first, count
                self.write(run, order, first, count)
            elif written and not self.caught(run):
                self.after += 1
            return train(run, order, first, count, *rest)

        monkeypatch.setattr(Run, "train", train_and_write)

    def caught(self, run):
        """Whether the run has gone back, to find the mini-batch."""
        return bool(np.isfinite(run.parameters.buffer).all())

    def write(self, run, order, first, count):
        layer = self.net._parameters.layers[self.layer]
        k, j = int(self.draw.integers(layer["n_in"])), int(self.draw.integers(layer["n_out"]))
        if self.kind == "input":
            self.row = int(order[self.batch * BATCH + int(self.draw.integers(BATCH))])
            self.x[self.row, 2] = self.value
            return
        parameters = self.net._parameters
        weights, biases = parameters.read(parameters.buffer if self.kind != "state" else run.state.slots[0])
        if self.kind == "bias":
            biases[self.layer][j] = self.value
        else:
            weights[self.layer][j, k] = self.value
        parameters.write(parameters.buffer if self.kind != "state" else run.state.slots[0], weights, biases)

    def check(self):
        before = self.net.weights
        with pytest.raises(DivergenceError) as caught:
            self.net.fit(self.x, LABELS, 4, BATCH, self.optimizer, verbose=0)
        error = caught.value
        assert error.epoch == self.epoch, self.kind
        if self.kind == "input":
            assert error.batch == self.batch + 1
            assert error.layer == 0
        else:
            assert self.first < error.batch <= self.first + self.count
            # An infinite weight leaves a saturated neuron finite, and by the end of the call has spread downwards.
            assert error.layer == self.layer or (error.layer < self.layer and not np.isnan(self.value)), self.kind
        assert self.after == 0  # it was caught by the very call
        assert all(np.isfinite(w).all() for w in self.net.weights + self.net.biases)
        if error.kept == 0:
            assert all(np.array_equal(a, b) for a, b in zip(before, self.net.weights, strict=True))


@pytest.mark.parametrize("case", range(32))
def test_what_is_not_finite_is_caught_and_named(case, monkeypatch):
    Injection(case, monkeypatch).check()


@pytest.mark.soak
@pytest.mark.parametrize("case", range(200))
def test_what_is_not_finite_is_caught_and_named_200_times(case, monkeypatch):
    Injection(case, monkeypatch).check()


def check_no_false_alarm(case):
    """Train at an extreme of everything; who says it diverged must be right: the reference, in as many bits, does."""
    draw = np.random.default_rng(case)
    cost, output = [("quadratic", "identity"), ("cross_entropy", "softmax"), ("huber", "identity")][case % 3]
    options = {
        "activation": ACTIVATIONS[case // 3 % 4], "output": output, "cost": cost, "seed": case,
        "dtype": ["float32", "float64"][case // 12 % 2],
    }  # fmt: skip
    top = 15 if options["dtype"] == "float32" else 120
    x = X[:24] * 10.0 ** draw.uniform(-top, top / 3)
    y = LABELS[:24] if cost == "cross_entropy" else draw.normal(size=(24, 4)) * 10.0 ** draw.uniform(-top / 3, top / 3)
    scale, rate = 10.0 ** draw.uniform(-top, top / 3), 10.0 ** draw.uniform(-20, top)
    optimizer = Adam(rate) if case % 2 else SGD(rate)
    ends = []
    for engine in (Network, ReferenceNetwork):
        net = engine([6, 9, 4], **options)
        net.weights = [w * scale for w in net.weights]
        try:
            with warnings.catch_warnings(action="ignore"), np.errstate(all="ignore"):
                net.fit(x, y, 2, 8, optimizer, verbose=0)
        except DivergenceError:
            ends.append("diverged")
        else:
            assert all(np.isfinite(w).all() for w in net.weights + net.biases)
            ends.append("finite")
    return ends


def test_no_false_alarm_in_100_extreme_runs():
    ends = [check_no_false_alarm(case) for case in range(100)]
    assert [case for case, (ours, truth) in enumerate(ends) if ours != truth] == []
    assert 5 < ends.count(["diverged", "diverged"]) < 95


@pytest.mark.soak
def test_no_false_alarm_in_1000_extreme_runs():
    ends = [check_no_false_alarm(case) for case in range(1000)]
    assert [case for case, (ours, truth) in enumerate(ends) if ours != truth] == []
    print(ends.count(["finite", "finite"]), "of 1000 remained finite")


def late_to_early(steps):
    """Return how many times as long the last steps take as the first, with relus of which most are dead."""
    net = Network([64, 100, 50, 10], output="softmax", cost="cross_entropy", activation="relu", seed=0)
    net.biases = [np.full(100, -3.0), np.full(50, -1.0), np.zeros(10)]
    x, y = np.random.default_rng(0).random((320, 64)) / 8, np.random.default_rng(1).integers(0, 10, 320)
    seconds = []

    def note(_, history):
        seconds.append(history.seconds[-1])

    with warnings.catch_warnings(action="ignore"):
        net.fit(x, y, steps // 10, 32, Adam(1e-3), callbacks=[note], verbose=0)
    assert (net.forward(x).activations[1] == 0).mean() > 0.9
    tenth = len(seconds) // 10
    return float(np.median(seconds[-tenth:]) / np.median(seconds[tenth : 2 * tenth]))


def test_dead_relus_slow_nothing_down():
    """What is left of the state of their weights decays into numbers that take a processor 100 times as long."""
    assert min(late_to_early(4000) for _ in range(3)) < 1.2


@pytest.mark.soak
def test_dead_relus_slow_nothing_down_in_20_000_steps():
    ratio = min(late_to_early(20_000) for _ in range(3))
    print(f"{ratio:.2f}")
    assert ratio < 1.2


@pytest.mark.soak
def test_arrays_of_more_than_two_to_the_31_numbers(tmp_path):
    """2.1 GB of zeros that take no room on the disk, and some numbers behind the 2^31st."""
    rows, n = 2**31 // 784 + 2000, 784
    x = np.lib.format.open_memmap(tmp_path / "x.npy", "w+", np.uint8, (rows, n))
    x[-1500:] = np.random.default_rng(0).integers(0, 255, (1500, n))
    y = np.zeros(rows, np.int64)
    y[-1500:] = np.random.default_rng(1).integers(0, 10, 1500)

    def make():
        return Network([n, 8, 10], output="softmax", cost="cross_entropy", seed=0)

    start = time.perf_counter()
    with warnings.catch_warnings(action="ignore"):  # inputs far from 1
        one, other = make(), make()
        assert np.array_equal(one.predict(x)[-1500:], other.predict(x[-1500:].copy()))
        weight = np.zeros(rows)
        weight[-1500:] = 1
        batch = 500
        first = rows % batch  # so that the last mini-batches hold the last samples
        one.fit(x[first:], y[first:], 1, batch, SGD(1e-3), shuffle=False, sample_weight=weight[first:], verbose=0)
        other.fit(x[-1500:].copy(), y[-1500:], 1, batch, SGD(1e-3), shuffle=False, verbose=0)
    assert all(np.allclose(a, b, rtol=1e-5) for a, b in zip(one.weights, other.weights, strict=True))
    assert not np.array_equal(one.weights[0], make().weights[0])
    print(f"{time.perf_counter() - start:.0f} s")
