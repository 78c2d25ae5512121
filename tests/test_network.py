"""The fused engine against the reference: the same numbers, to rounding, over odd shapes."""

import itertools
import subprocess
import sys

import numpy as np
import pytest

from fastbp import SGD, Adam
from fastbp.checking import OPTIMIZERS, cross_check
from fastbp.network import Network

WIDTHS = (1, 2, 3, 15, 16, 17, 31, 33, 100)
HIDDEN = ("sigmoid", "tanh", "relu", "identity")
OUTPUTS = {
    "quadratic": ("sigmoid", "tanh", "relu", "identity", "softmax"),
    "binary_cross_entropy": ("sigmoid",),
    "cross_entropy": ("softmax", "sigmoid"),
}
PAIRS = [(output, cost) for cost, outputs in OUTPUTS.items() for output in outputs]


def make_case(depth, hidden, pair, dtype, turn):
    """Build a network and a batch whose widths and batch size walk through WIDTHS."""
    output, cost = pair
    sizes = [WIDTHS[(turn + 4 * i) % len(WIDTHS)] for i in range(depth + 1)]
    if output == "softmax" or cost == "cross_entropy":
        sizes[-1] = max(sizes[-1], 2)
    net = Network(
        sizes, activation=hidden, output=output, cost=cost, dtype=dtype, seed=turn,
        initializer="glorot_uniform", l1=1e-4 * (turn % 2), l2=1e-3 * (turn % 3),
    )  # fmt: skip
    rng = np.random.default_rng(turn)
    m = WIDTHS[(turn * 2 + 1) % len(WIDTHS)]
    x = rng.normal(size=(m, sizes[0]))
    if cost == "quadratic" and turn % 2:
        return net, x, rng.random((m, sizes[-1]))
    if sizes[-1] == 1:
        return net, x, rng.integers(0, 2, (m, 1)).astype(float)
    return net, x, rng.integers(0, sizes[-1], m)


TABLE = [
    (*case, turn)
    for turn, case in enumerate(itertools.product((1, 2, 3, 4), HIDDEN, PAIRS, ("float32", "float64")))
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
    net = Network([9, 33, 17, 4], activation="tanh", dropout=0.3, dtype=dtype, seed=3)
    twin = net.to_reference()
    rng = np.random.default_rng(0)
    x, y, w = rng.random((50, 9)), rng.integers(0, 4, 50), rng.random(50)
    w[:9] = 0
    for n in (net, twin):
        n.fit(x, y, epochs=3, batch_size=8, optimizer=SGD(0.3, momentum=0.5), sample_weight=w, verbose=0)
    atol = 1e-5 if dtype == "float32" else 1e-13
    for got, expected in zip(parameters(net), parameters(twin), strict=True):
        np.testing.assert_allclose(got, expected, atol=atol, rtol=0)


def test_results_do_not_depend_on_how_many_mini_batches_a_call_covers():
    rng = np.random.default_rng(0)
    x, y = rng.random((95, 6)).astype("float32"), rng.integers(0, 3, 95)
    order = np.random.default_rng(1).permutation(95)

    def run(pieces):
        net = Network([6, 20, 3], seed=1)
        session = net._session(*net._checked(x, y), None, Adam(0.01), 10)
        for first, count in pieces:
            session.train(order, first, count, 7)
        return parameters(net)

    once = run([(0, 10)])
    for got, expected in zip(run([(0, 1), (1, 4), (5, 5)]), once, strict=True):
        np.testing.assert_array_equal(got, expected)


def test_last_partial_mini_batch_is_trained_on():
    x, y = np.ones((11, 2)), np.ones((11, 1))
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
from fastbp.network import Network
rng = np.random.default_rng(0)
x, y = rng.random((2000, 9)).astype("float32"), rng.integers(0, 4, 2000)
for optimizer in (SGD(0.1), Adam()):
    net = Network([9, 33, 17, 4], output="softmax", cost="cross_entropy", dropout=0.1, seed=0)
    session = net._session(*net._checked(x, y), None, optimizer, 10)
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
    subprocess.run(
        [sys.executable, "-c", ALLOCATIONS], check=True, env=env(NUMBA_NRT_STATS="1"), timeout=300
    )


def env(**values):
    import os

    return {**os.environ, **values}


LANES = """
import hashlib, numpy as np
from fastbp import Adam
from fastbp.network import Network
from fastbp.kernels.target import LANES
rng = np.random.default_rng(0)
digest = hashlib.sha256()
for dtype in ("float32", "float64"):
    x, y = rng.random((70, 33)), rng.integers(0, 5, 70)
    net = Network([33, 17, 40, 5], activation=["tanh", "sigmoid"], output="softmax", cost="cross_entropy",
                  l2=1e-3, dtype=dtype, seed=0)
    net.fit(x, y, epochs=2, batch_size=16, optimizer=Adam(0.01), verbose=0)
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


@pytest.mark.parametrize("optimizer", [SGD(0.1), Adam(0.01)], ids=["plain", "adam"])
def test_bits_are_the_same_for_any_number_of_threads(optimizer):
    rng = np.random.default_rng(0)
    x, y = rng.random((101, 70)), rng.integers(0, 5, 101)
    results = []
    for threads in (1, 2, 3, 5, 8):
        net = Network([70, 100, 33, 5], output="softmax", cost="cross_entropy", dropout=0.2, seed=1, threads=threads)
        assert net._team(25) == threads
        history = net.fit(x, y, epochs=2, batch_size=25, optimizer=optimizer, verbose=0)
        results.append([*parameters(net), np.array(history.cost)])
    for other in results[1:]:
        for got, expected in zip(other, results[0], strict=True):
            np.testing.assert_array_equal(got, expected)


def test_predict_gives_a_row_the_same_bits_alone_and_in_any_batch():
    net = Network([33, 40, 17, 3], activation="tanh", output="softmax", cost="cross_entropy", seed=0)
    x = np.random.default_rng(0).normal(size=(300, 33)).astype("float32")
    together = net.predict(x)
    for i in (0, 1, 11, 12, 255, 256, 299):
        np.testing.assert_array_equal(net.predict(x[i]), together[i])
        np.testing.assert_array_equal(net.predict(x[i : i + 7])[0], together[i])


@pytest.mark.parametrize("bad", [np.nan, np.inf, 1e300])
def test_predict_refuses_one_sample_that_is_not_finite(bad):
    net = Network([3, 2], seed=0)
    with pytest.raises(ValueError, match=r"x\[0, 1\]"):
        net.predict(np.array([0.0, bad, 0.0]))


def test_networks_train_in_several_threads_at_once():
    import threading

    rng = np.random.default_rng(0)
    x, y = rng.random((200, 20)), rng.integers(0, 4, 200)
    nets = [Network([20, 30, 4], seed=7, threads=2) for _ in range(5)]

    def work(net):
        net.fit(x, y, epochs=3, batch_size=16, verbose=0)

    workers = [threading.Thread(target=work, args=(net,)) for net in nets[1:]]
    for worker in workers:
        worker.start()
    work(nets[0])
    for worker in workers:
        worker.join()
    for net in nets[1:]:
        for got, expected in zip(parameters(net), parameters(nets[0]), strict=True):
            np.testing.assert_array_equal(got, expected)


def test_kernels_leave_denormals_as_they_found_them():
    net = Network([3, 4, 2], seed=0)
    net.fit(np.ones((4, 3)), np.ones((4, 2)) / 2, epochs=1, batch_size=2, verbose=0)
    net.predict(np.ones(3, np.float32))
    net.predict(np.ones((2, 3)))
    assert (np.array([1e-40], np.float32) * np.float32(0.5))[0] > 0
