"""The fused engine against the reference: the same numbers, to rounding, over odd shapes."""

import copy
import itertools
import pickle
import subprocess
import sys

import numpy as np
import pytest

from fastbp import SGD, Adam
from fastbp.checking.cross import OPTIMIZERS, cross_check
from fastbp.formulas.activations import ACTIVATIONS
from fastbp.formulas.costs import COSTS
from fastbp.kernels.blocking import SUM_ROWS
from fastbp.networks.fast import Network
from fastbp.training.loop import NOTHING, Data, Plan

WIDTHS = (1, 2, 3, 15, 16, 17, 31, 33, 100)
# Layers of exp one behind the other leave all numbers: tests/test_looks.py has one of them.
HIDDEN = sorted({*ACTIVATIONS} - {"softmax", "exp"})
ANY_OUTPUT = ("sigmoid", "tanh", "relu", "identity")  # of a cost that takes any
PAIRS = [("softmax", "quadratic")]
PAIRS += [(output, row.name) for row in COSTS.values() for output in row.outputs or ANY_OUTPUT]


def make_case(depth, hidden, pair, dtype, turn):
    """Build a network and a batch whose widths and batch size walk through WIDTHS."""
    output, cost = pair
    sizes = [WIDTHS[(turn + 4 * i) % len(WIDTHS)] for i in range(depth + 1)]
    row = COSTS[cost]
    if output == "softmax" or row.sums_to_one:
        sizes[-1] = max(sizes[-1], 2)
    net = Network(
        sizes, activation=hidden, output=output, cost=cost, dtype=dtype, seed=turn,
        initializer="glorot_uniform", l1=1e-4 * (turn % 2), l2=1e-3 * (turn % 3),
    )  # fmt: skip
    rng = np.random.default_rng(turn)
    m = WIDTHS[(turn * 2 + 1) % len(WIDTHS)]
    x = 0.5 * rng.normal(size=(m, sizes[0]))
    if not row.for_probabilities and (turn % 2 or cost == "poisson"):
        return net, x, rng.random((m, sizes[-1]))
    if sizes[-1] == 1:
        return net, x, rng.integers(0, 2, (m, 1)).astype(float)
    return net, x, rng.integers(0, sizes[-1], m)


TABLE = [
    (1 + (turn // 2 + turn // 7) % 4, *case, turn)
    for turn, case in enumerate(itertools.product(HIDDEN, PAIRS, ("float32", "float64")))
]


@pytest.mark.parametrize(("depth", "hidden", "pair", "dtype", "turn"), TABLE)
def test_network_agrees_with_reference(depth, hidden, pair, dtype, turn):
    net, x, y = make_case(depth, hidden, pair, dtype, turn)
    optimizer = OPTIMIZERS[turn % len(OPTIMIZERS)]
    report = cross_check(net, x, y, batch_size=WIDTHS[turn % len(WIDTHS)], optimizer=optimizer)
    assert report.passed, report


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=str)
@pytest.mark.parametrize("hidden", HIDDEN)
def test_every_optimizer_agrees_with_reference(hidden, optimizer, dtype):
    net, x, y = make_case(3, hidden, ("softmax", "cross_entropy"), dtype, 5)
    report = cross_check(net, x, y, batch_size=7, optimizer=optimizer)
    assert report.passed, report


@pytest.mark.parametrize("m", [1, 2, 127, 128, 129, 300])
def test_rows_beyond_one_block_agree_with_reference(m):
    net = Network([5, 40, 3], activation="tanh", output="softmax", cost="cross_entropy", dtype="float64", seed=1)
    rng = np.random.default_rng(m)
    x, y = rng.normal(size=(m, 5)), rng.integers(0, 3, m)
    report = cross_check(net, x, y, batch_size=m, steps=3)
    assert report.passed, report


def parameters(net):
    return [*net.weights, *net.biases]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_dropout_and_sample_weights_agree_with_reference(dtype):
    net = Network([9, 33, 17, 4], activation="tanh", output="sigmoid", dropout=0.3, dtype=dtype, seed=3)
    twin = net.to_reference()
    rng = np.random.default_rng(0)
    x, y, w = rng.random((50, 9)), rng.integers(0, 4, 50), rng.random(50)
    w[:9] = 0
    for n in (net, twin):
        n.fit(x, y, epochs=3, batch_size=8, optimizer=SGD(0.3, momentum=0.5), sample_weight=w, verbose=0)
    atol = 1e-5 if dtype == "float32" else 1e-13
    for got, expected in zip(parameters(net), parameters(twin), strict=True):
        np.testing.assert_allclose(got, expected, atol=atol, rtol=0)


@pytest.mark.parametrize("batch_size", [1, 10])
def test_results_do_not_depend_on_how_many_mini_batches_a_call_covers(batch_size):
    rng = np.random.default_rng(0)
    x, y = rng.random((95, 6)).astype("float32"), rng.integers(0, 3, 95)
    order = np.random.default_rng(1).permutation(95)

    def run(pieces):
        net = Network([6, 20, 3], seed=1)
        session = net._session(Data(*net._checked(x, y)), Plan(Adam(0.01), batch_size))
        seen = NOTHING
        for first, count in pieces:
            seen = session.train(order, first, count, 7, seen)
        return [*parameters(net), np.array(seen)]

    once = run([(0, 10)])
    for got, expected in zip(run([(0, 1), (1, 4), (5, 5)]), once, strict=True):
        np.testing.assert_array_equal(got, expected)


def test_last_partial_mini_batch_is_trained_on():
    x, y = np.ones((11, 2)), np.linspace(0, 1, 11)
    x[10] = 7.0
    net, without = Network([2, 3, 1], seed=0), Network([2, 3, 1], seed=0)
    net.fit(x, y, epochs=1, batch_size=10, shuffle=False, verbose=0)
    without.fit(x[:10], y[:10], epochs=1, batch_size=10, shuffle=False, verbose=0)
    assert not np.array_equal(net.weights[0], without.weights[0])


def test_weights_are_snapshots():
    net = Network([2, 3, 1], seed=0)
    best = net.weights
    kept = [w.copy() for w in best]
    net.fit(np.ones((4, 2)), np.zeros((4, 1)), epochs=1, batch_size=2, verbose=0)
    for w, k in zip(best, kept, strict=True):
        np.testing.assert_array_equal(w, k)
    assert not np.array_equal(net.weights[0], kept[0])


def test_nan_reaches_the_output_through_every_activation():
    for hidden in HIDDEN:
        net = Network([2, 3, 1], activation=hidden, seed=0)
        weights = [w.copy() for w in net.weights]
        weights[0][:] = 3e38
        net.weights = weights
        with np.errstate(all="ignore"):
            z = net.forward(np.array([[3e38, -3e38]])).zs[0]
        assert np.isnan(z).all() or np.isinf(z).all()


ALLOCATIONS = """
import numpy as np
from numba.core.runtime import rtsys
from fastbp import SGD, Adam
from fastbp.networks.fast import Network
from fastbp.training.loop import Data, Plan
rng = np.random.default_rng(0)
y = rng.integers(0, 4, 2000)
for optimizer, n_in, zeros in ((SGD(0.1), 9, 0), (Adam(), 9, 0), (SGD(0.1), 100, 0.9)):
    x = rng.random((2000, n_in)).astype("float32")
    x[rng.random(x.shape) < zeros] = 0
    net = Network([n_in, 33, 17, 4], output="softmax", cost="cross_entropy", dropout=0.1, seed=0)
    session = net._session(Data(*net._checked(x, y)), Plan(optimizer, 10, epochs=2))
    assert bool(session.record["forward_entries"]) == bool(zeros)
    order = rng.permutation(2000)
    counts = []
    for batches in (1, 1, 200):
        before = rtsys.get_allocation_stats().alloc
        session.train(order, 0, batches, 1)
        counts.append(rtsys.get_allocation_stats().alloc - before)
    assert counts[1] == counts[2], counts
array = np.zeros(3)
from numba import njit
@njit
def allocate(): return np.zeros(3)
before = rtsys.get_allocation_stats().alloc
allocate()
assert rtsys.get_allocation_stats().alloc > before, "statistics are off: the test could not fail"
"""


def test_mini_batches_allocate_nothing():
    subprocess.run([sys.executable, "-c", ALLOCATIONS], check=True, env=env(NUMBA_NRT_STATS="1"), timeout=300)


def env(**values):
    import os

    return {**os.environ, **values}


LANES = """
import hashlib, numpy as np
from fastbp import Adam
from fastbp.networks.fast import Network
from fastbp.compiler.target import LANES
rng = np.random.default_rng(0)
digest = hashlib.sha256()
for dtype, n_in, zeros in [("float32", 33, 0), ("float64", 33, 0), ("float32", 100, 0.9), ("float64", 100, 0.9)]:
    x, y = rng.random((70, n_in)), rng.integers(0, 5, 70)
    x[rng.random(x.shape) < zeros] = 0
    net = Network([n_in, 17, 40, 5], activation=["tanh", "gelu"], output="softmax", cost="cross_entropy",
                  l2=1e-3, dtype=dtype, seed=0)
    for batch_size, clip_norm in (16, None), (1, None), (16, 0.1):
        net.fit(x, y, epochs=2, batch_size=batch_size, optimizer=Adam(0.01), clip_norm=clip_norm, verbose=0)
    for array in [*net.weights, *net.biases, net.predict(x)]:
        digest.update(array.tobytes())
print(LANES, digest.hexdigest())
"""


def test_bits_are_the_same_at_every_vector_width():
    said = []
    for width in ("16", "8", "4"):
        run = subprocess.run(
            [sys.executable, "-c", LANES], env=env(FASTBP_LANES=width), check=True, text=True, capture_output=True
        )
        said.append(run.stdout.split())
    assert [lanes for lanes, _ in said] == ["16", "8", "4"]
    assert len({digest for _, digest in said}) == 1, said


PLAIN = """
import hashlib, numpy as np
from fastbp import SGD, Adam
from fastbp.compiler.insides import MISSING
from fastbp.networks.fast import Network
rng = np.random.default_rng(0)
digest = hashlib.sha256()
x, y = rng.random((70, 33)), rng.integers(0, 5, 70)
x[:, :20][rng.random((70, 20)) < 0.9] = 0
for batch_size, optimizer, clip_norm in (8, Adam(0.01), None), (1, SGD(0.1), None), (9, SGD(0.1, 0.9), 0.1):
    net = Network([33, 17, 5], activation="silu", cost="cross_entropy", seed=0, threads=2)
    net.fit(x, y, epochs=2, batch_size=batch_size, optimizer=optimizer, clip_norm=clip_norm, verbose=0)
    for array in [*net.weights, *net.biases, net.predict(x), net.predict(x[0])]:
        digest.update(array.tobytes())
print(bool(MISSING), digest.hexdigest())
"""


def test_bits_are_the_same_by_plain_numba():
    said = []
    for plain in ("", "1"):
        run = subprocess.run(
            [sys.executable, "-c", PLAIN], env=env(FASTBP_PLAIN_NUMBA=plain), check=True, text=True, capture_output=True
        )
        said.append(run.stdout.split())
    assert [missing for missing, _ in said] == ["False", "True"]
    assert said[0][1] == said[1][1]


def as_it_is(x):
    return x


def among_others(x):
    return np.repeat(x, 3, axis=1)[:, ::3]


@pytest.mark.parametrize("layout", [as_it_is, np.asfortranarray, among_others])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("hidden", ["relu", "tanh"])
def test_predict_gives_a_row_the_same_bits_alone_and_in_any_batch(hidden, dtype, layout):
    net = Network([33, 40, 17, 3], activation=hidden, output="softmax", cost="cross_entropy", dtype=dtype, seed=0)
    x = np.random.default_rng(0).normal(size=(600, 33)).astype(dtype)
    alone = np.array([net.predict(row) for row in x])
    assert len(np.unique(alone[:, 0])) > 500
    for m in (1, 2, 7, 12, 13, 255, 256, 257, 600):
        for start in {0, (600 - m) // 3, 600 - m}:
            rows = slice(start, start + m)
            out = np.full((m, 3), np.nan, dtype)
            assert net.predict(layout(x[rows]), out=out) is out
            np.testing.assert_array_equal(out, alone[rows])
            np.testing.assert_array_equal(net.predict(layout(x[rows])), alone[rows])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_one_sample_gives_the_same_bits_in_any_form(dtype):
    net = Network([33, 40, 3], dtype=dtype, seed=0)
    x = np.random.default_rng(0).random(33).astype(dtype)
    expected = net.predict(x)
    for form in (x.tolist(), np.repeat(x, 2)[::2], np.array(x, dtype=">f8"), np.array(x, "float64")):
        np.testing.assert_array_equal(net.predict(form), expected)
    out = np.empty(3, dtype)
    assert net.predict(x, out=out) is out
    np.testing.assert_array_equal(out, expected)
    np.testing.assert_array_equal(net.predict(x[None, :])[0], expected)
    np.testing.assert_array_equal(net.forward(x[None, :]).activations[-1][0], expected)


@pytest.mark.parametrize("shift", [0, 1, 10])
def test_samples_may_be_overwritten_by_predictions(shift):
    net = Network([40, 20, 40], seed=0)
    memory = np.random.default_rng(0).random((600 + shift, 40), np.float32)
    x, out = memory[:600], memory[shift:]
    expected = net.predict(x)
    np.testing.assert_array_equal(net.predict(x, out=out), expected)
    one = expected[0].copy()
    np.testing.assert_array_equal(net.predict(one, out=one), net.predict(expected[0]))


def pickled(net):
    return pickle.loads(pickle.dumps(net))


@pytest.mark.parametrize("make_copy", [copy.copy, copy.deepcopy, pickled])
def test_a_network_is_copied_with_all_it_has_learnt(engine, make_copy):
    x, y = np.random.default_rng(0).random((30, 5)), np.arange(30) % 3
    net = engine([5, 6, 3], dropout=0.1, seed=2, threads=2)
    net.fit(x, y, epochs=2, verbose=0)
    net.predict(x)
    twin, before = make_copy(net), parameters(net)
    assert (type(twin), twin.spec, twin.threads, twin.epochs_trained) == (engine, net.spec, 2, 2)
    twin.fit(x, y, epochs=1, verbose=0)
    for got, expected in zip(parameters(net), before, strict=True):
        np.testing.assert_array_equal(got, expected)
    net.fit(x, y, epochs=1, verbose=0)
    for got, expected in zip(parameters(twin), parameters(net), strict=True):
        np.testing.assert_array_equal(got, expected)


@pytest.mark.parametrize("bad", [np.nan, np.inf, 1e300])
def test_predict_refuses_one_sample_that_is_not_finite(bad):
    net = Network([3, 2], seed=0)
    with pytest.raises(ValueError, match=r"x\[0, 1\]"):
        net.predict(np.array([0.0, bad, 0.0]))


def test_kernels_leave_denormals_as_they_found_them():
    net = Network([3, 4, 2], seed=0)
    net.fit(np.ones((4, 3)), np.ones((4, 2)) / 2, epochs=1, batch_size=2, verbose=0)
    net.predict(np.ones(3, np.float32))
    net.predict(np.ones((2, 3)))
    assert (np.array([1e-40], np.float32) * np.float32(0.5))[0] > 0


def test_many_small_terms_are_not_lost():
    """Each sample's share of an update is far below the rounding of the weight that it changes."""
    rng = np.random.default_rng(0)
    x, y = rng.random((3000, 40)), rng.integers(0, 5, 3000)
    moved = []
    for dtype in ("float32", "float64"):
        net = Network([40, 20, 5], activation="tanh", output="softmax", cost="cross_entropy", dtype=dtype, seed=0)
        before = [w.astype(np.float64) for w in net.weights]
        net.fit(x, y, epochs=1, batch_size=3000, optimizer=SGD(1e-4), verbose=0)
        moved.append(np.concatenate([(w - b).ravel() for w, b in zip(net.weights, before, strict=True)]))
    assert np.linalg.norm(moved[0] - moved[1]) < 0.05 * np.linalg.norm(moved[1])


@pytest.mark.parametrize("penalties", [{}, {"l1": 0.01, "l2": 0.1}], ids=["plain", "penalized"])
@pytest.mark.parametrize("rows", [SUM_ROWS, SUM_ROWS + 1, 3 * SUM_ROWS - 1])
def test_batches_added_up_in_blocks_agree_with_reference(rows, penalties):
    rng = np.random.default_rng(0)
    net = Network([33, 50, 17, 3], output="softmax", cost="cross_entropy", dtype="float64", seed=0, **penalties)
    report = cross_check(net, rng.random((rows, 33)), rng.integers(0, 3, rows), batch_size=rows)
    assert report.passed, report
