"""What training takes and gives back. NumPy reports its arrays to tracemalloc, so peaks are seen to the byte."""

import gc
import tracemalloc

import numpy as np
import pytest
from processes import apart

from fastbp import SGD, Adam
from fastbp.networks.fast import Network
from fastbp.training.loop import Data, Plan

KIB, MIB = 2**10, 2**20
OPTIMIZERS = [SGD(0.1), SGD(0.1, momentum=0.9), Adam()]


def data(rows, n_in, classes):
    rng = np.random.default_rng(0)
    return rng.random((rows, n_in), np.float32), rng.integers(0, classes, rows)


def fit(net, x, y, optimizer=OPTIMIZERS[0], **options):
    net.fit(x, y, **{"epochs": 2, "batch_size": 128, "optimizer": optimizer, "verbose": 0, **options})


def nbytes(net):
    return sum(p.nbytes for p in net.weights + net.biases)


# What it takes


def test_training_stays_within_its_memory():
    peak, stated = apart(train_deep)
    assert stated < peak < 1.2 * stated


def train_deep():
    """Return the peak of memory, and parameters + optimizer state + workspace + data."""

    def train():
        x, y = data(4000, 784, 10)
        net = Network([784, 512, 512, 10], activation="relu", output="softmax", cost="cross_entropy", seed=0)
        tracemalloc.reset_peak()
        fit(net, x, y, Adam())
        return net, x, y

    train()  # compiles or loads these very kernels: code, not data
    gc.collect()
    tracemalloc.start()
    net, x, y = train()
    _, peak = tracemalloc.get_traced_memory()
    return peak, nbytes(net) + net.workspace_bytes(128, Adam()) + x.nbytes + y.nbytes


@pytest.mark.parametrize("threads", [1, 16])
@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=str)
def test_workspace_bytes_are_what_fit_takes(optimizer, threads):
    taken, stated, parameters = apart(take, optimizer, threads)
    looking = parameters // 4  # one bool per parameter: is it finite?
    assert stated <= taken - looking < stated + 64 * KIB  # the order of the samples, and small objects


def take(optimizer, threads):
    """Return what fit allocates, what it is stated to, and the bytes of the parameters."""
    net, (x, y) = Network([700, 900, 10], threads=threads, seed=0), data(700, 700, 10)
    fit(net, x, y, optimizer, epochs=1)  # loads the kernels
    tracemalloc.start()
    fit(net, x, y, optimizer, epochs=3)
    _, peak = tracemalloc.get_traced_memory()
    return peak, net.workspace_bytes(128, optimizer), net._parameters.buffer.nbytes


@pytest.mark.parametrize("wrong", [0, -1, 2.5, "128"])
def test_workspace_bytes_refuse_what_is_no_batch_size(wrong):
    with pytest.raises((TypeError, ValueError), match="batch_size must be"):
        Network([2, 1], seed=0).workspace_bytes(wrong)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_data_of_the_right_kind_are_not_copied(dtype):
    net = Network([30, 4], dtype=dtype, seed=0)
    x, y = data(50, 30, 4)
    x, targets, weight = x.astype(dtype), x[:, :4].astype(dtype), np.ones(50, dtype)
    for given in (y, targets):
        run = net._session(Data(*net._checked(x, given), weight), Plan(SGD(0.1), 10))
        held = run.record.held
        assert np.shares_memory(held["x"], x)
        assert given is y or np.shares_memory(held["targets"], given)  # labels are places in memory: always copied
        assert np.shares_memory(held["weights"], weight)
        assert not held["x"].flags.writeable


def test_checking_data_takes_little():
    assert apart(check) < 4 * MIB


def check():
    net, (x, y) = Network([1000, 4], seed=0), data(20_000, 1000, 4)  # 80 MB
    tracemalloc.start()
    net._checked(x, y)
    return tracemalloc.get_traced_memory()[1]


# What it gives back


@pytest.mark.parametrize("threads", [1, 2])
def test_fits_leave_nothing_behind(threads):
    assert apart(fit_many_times, threads) < 24_000  # 24 bytes a fit: no object is as small


def fit_many_times(threads, times=1000):
    """Return the bytes that are left of a thousand fits and predictions."""
    net, (x, y) = Network([2, 3, 2], threads=threads, seed=0), data(8, 2, 2)

    def work(times):
        for _ in range(times):
            fit(net, x, y, epochs=1, batch_size=4)
            net.predict(x)
            net.predict(x[0])
        gc.collect()

    tracemalloc.start()
    work(300)
    before, _ = tracemalloc.get_traced_memory()
    work(times)
    return tracemalloc.get_traced_memory()[0] - before


def test_memory_does_not_grow_over_ten_thousand_fits():
    pytest.importorskip("resource")
    assert apart(grow_over_fits) < 512  # KiB: 50 bytes a fit


def grow_over_fits():
    """Return how far the process grows, in KiB, over the last nine of ten thousand fits."""
    import resource
    import sys

    net, (x, y) = Network([2, 3, 2], seed=0), data(8, 2, 2)
    peaks = []
    for turn in range(10_000):
        fit(net, x, y, epochs=1, batch_size=4)
        if turn in (1000, 9999):
            peaks.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
    return (peaks[1] - peaks[0]) / (1024 if sys.platform == "darwin" else 1)
