"""Samples of other dtypes, which are converted as they are gathered: the bits of converting all of them first."""

import subprocess
import sys

import numpy as np
import pytest
from numpy.testing import assert_array_equal

import fastbp
from fastbp.border.arrays import _is_large
from fastbp.training.loop import shuffled_blocks

DTYPES = [
    "bool",
    "int8",
    "uint8",
    "int16",
    "uint16",
    "int32",
    "uint32",
    "int64",
    "uint64",
    "float16",
    "float32",
    "float64",
]
ODD = (1, 2, 3, 15, 16, 17, 31, 33, 100)


@pytest.fixture
def as_it_is(monkeypatch):
    """Keep every x of another dtype, however small."""
    monkeypatch.setattr("fastbp.border.arrays.LARGE", -1)


def samples(dtype, m=50, n=17):
    """Return numbers that the dtype takes, some of which are rounded on the way to float32."""
    r = np.random.default_rng(3)
    kind = np.dtype(dtype).kind
    if kind == "b":
        return r.random((m, n)) < 0.5
    if kind in "iu":
        info = np.iinfo(dtype)
        return r.integers(info.min, info.max, (m, n), dtype=dtype, endpoint=True)
    return (r.normal(size=(m, n)) * 3).astype(dtype)


def scaled_down(net, x):
    """Make the first layer's weights so small that outputs are not all saturated."""
    net.weights = [net.weights[0] / max(1.0, float(np.abs(x.astype(float)).max())), *net.weights[1:]]
    return net


def make(engine, dtype, x, sizes=(17, 9, 3), **options):
    given = {"activation": "tanh", "cost": "cross_entropy", "seed": 0, "dtype": dtype, **options}
    return scaled_down(engine(list(sizes), **given), x)


def everything(net, x, y, **options):
    """Return all that a network makes of x."""
    found = [net.predict(x), *net.forward(x).zs, *net.backprop(x, y).nabla_w, net.evaluate(x, y).cost]
    history = net.fit(x, y, **{"epochs": 2, "batch_size": 7, "verbose": 0, "optimizer": fastbp.SGD(1e-9), **options})
    return [*found, *net.weights, *net.biases, history.cost]


def assert_same(one, other):
    for a, b in zip(one, other, strict=True):
        assert_array_equal(a, b)


@pytest.mark.filterwarnings("ignore::UserWarning")  # inputs far from 1, no weight moved
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("kind", DTYPES)
def test_every_dtype_is_converted_as_numpy_does(kind, dtype, engine, as_it_is):
    x, y = samples(kind), np.random.default_rng(0).integers(0, 3, 50)
    kept = net = make(engine, dtype, x)
    found = everything(kept, x, y)
    net = make(engine, dtype, x)
    assert_same(found, everything(net, x.astype(dtype), y))


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("n", ODD)
@pytest.mark.parametrize("kind", ["uint8", "float16", "float64"])
def test_rows_of_every_length(kind, n, as_it_is):
    """Pads stay 0, whatever was there before."""
    x, y = samples(kind, n=n), np.random.default_rng(0).integers(0, 3, 50)
    results = [everything(make(fastbp.Network, "float32", x, (n, 9, 3)), each, y) for each in (x, x.astype("float32"))]
    assert_same(*results)


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize(
    "options",
    [{"threads": 2}, {"dropout": [0.2, 0.3]}, {"batch_size": 1}, {"validation_split": 0.3}, {"clip_norm": 0.1},
     {"callbacks": [fastbp.Diagnostics(3)]}, {"metrics": ["top_2"], "validation_split": 0.2}],
    ids=str,
)  # fmt: skip
def test_every_way_of_training_takes_them(options, as_it_is):
    network = {name: value for name, value in options.items() if name in ("threads", "dropout")}
    fit = {name: value for name, value in options.items() if name not in network}
    x, y = samples("uint8"), np.random.default_rng(0).integers(0, 3, 50)
    results = [
        everything(make(fastbp.Network, "float32", x, **network), each, y, **fit) for each in (x, x.astype("f4"))
    ]
    assert_same(*results)


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_steps_on_one_dtype_after_another(engine, as_it_is):
    """A trainer keeps its session, whatever comes next."""
    y = np.arange(50) % 3
    net, other = (make(engine, "float32", np.full((1, 17), 255)) for _ in range(2))
    one, two = (fastbp.Trainer(each, fastbp.SGD(0.1)) for each in (net, other))
    for kind in ("uint8", "float32", "float64", "uint8", "int16", "float32"):
        x = samples(kind)
        one.step(x, y)
        two.step(x.astype("float32"), y)
        assert_array_equal(net.weights[0], other.weights[0], err_msg=kind)


def test_arrays_in_another_order_are_converted_at_once(engine, as_it_is):
    x, y = samples("uint8"), np.random.default_rng(0).integers(0, 3, 50)
    results = [make(engine, "float64", x).evaluate(each, y) for each in (x, np.asfortranarray(x), x.astype(">u2"))]
    assert results[0] == results[1] == results[2]


@pytest.mark.parametrize(("kind", "value"), [("float64", 1e300), ("float64", np.nan), ("float16", np.inf)])
def test_what_is_not_finite_is_named(kind, value, engine, as_it_is, monkeypatch):
    monkeypatch.setattr("fastbp.border.arrays.PART", 17 * 4)
    x = samples(kind)
    x[33, 5] = value
    with pytest.raises(ValueError, match=r"x\[33, 5\] is .*, not a finite float32; clean or drop row 33"):
        make(engine, "float32", x[:3]).fit(x, np.arange(50) % 3, verbose=0)


MEMORY = """
import sys, numpy as np, fastbp
def anonymous():
    return next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("RssAnon")) / 1024
x = np.lib.format.open_memmap(sys.argv[1], "r")
y = np.arange(len(x)) % 10
net = fastbp.Network([784, 8, 10], cost="cross_entropy", activation="relu", seed=0, threads=1)
net.fit((x[:100] / 255).astype("f4"), y[:100], epochs=1, verbose=0)  # compiled
peaks = []
before = anonymous()
net.fit(x, y, epochs=1, batch_size=100, verbose=0, callbacks=[lambda net, h: peaks.append(anonymous())])
net.predict(x[:50_000])
print(max(peaks) - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_map_of_bytes_takes_little_memory(tmp_path):
    """64 MB of them would be 250 of float32."""
    path = tmp_path / "x.npy"
    x = np.lib.format.open_memmap(path, "w+", np.uint8, (80_000, 784))
    x[::7] = np.random.default_rng(0).integers(0, 2, 784)
    x.flush()
    del x
    script = [sys.executable, "-W", "ignore", "-c", MEMORY, str(path)]
    done = subprocess.run(script, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert float(done.stdout) < 16


# Tensors of other libraries


class Tensor:
    """What PyTorch's and JAX's arrays have, and no more."""

    def __init__(self, array, device=1, fails=None, requires_grad=False):
        self.array, self.device, self.fails, self.requires_grad = array, device, fails, requires_grad

    def __dlpack_device__(self):
        return self.device, 0

    def __dlpack__(self, **options):
        if self.fails:
            raise self.fails
        return self.array.__dlpack__()

    def __len__(self):
        return len(self.array)


def test_tensors_on_the_cpu_are_taken(engine, rng):
    x, y = rng.normal(size=(30, 17)), rng.integers(0, 3, 30)
    for dtype in ("float32", "float64"):
        given = x.astype(dtype)
        net = make(engine, "float32", x)
        assert_array_equal(net.predict(Tensor(given)), net.predict(given))
        assert net.evaluate(Tensor(given), Tensor(y)) == net.evaluate(given, y)
    net.fit(Tensor(given), Tensor(y), epochs=1, verbose=0)


def test_tensors_are_not_copied(rng):
    x = rng.normal(size=(30, 17)).astype("float32")
    found = fastbp.border.arrays.features("x", Tensor(x), 17, x.dtype)
    assert np.shares_memory(found, x)


@pytest.mark.parametrize(
    ("tensor", "message"),
    [
        ({"device": 2}, r"x is a Tensor that is not on the CPU; write x.cpu\(\)"),
        ({"device": "meta"}, r"x is a Tensor that cannot be read: .*'meta'; give a NumPy array of x"),
        ({"fails": BufferError("needs gradient"), "requires_grad": True}, r"needs gradient; write x.detach\(\)"),
        ({"fails": RuntimeError("bfloat16")}, "cannot be read: bfloat16; give a NumPy array of x"),
    ],
    ids=str,
)
def test_tensors_that_are_refused(tensor, message, engine):
    with pytest.raises(TypeError, match=message):
        make(engine, "float32", np.ones((2, 17))).predict(Tensor(np.ones((2, 17)), **tensor))


# Orders for files on disk


@pytest.mark.parametrize(("n", "row_bytes"), [(1, 8), (100, 2**18), (1000, 2**10), (70_000, 2**10), (5, 2**20)])
def test_blocks_hold_every_sample_once(n, row_bytes, rng):
    order = shuffled_blocks(n, row_bytes, rng)
    assert_array_equal(np.sort(order), np.arange(n))
    assert n < 10 or not np.array_equal(order, np.arange(n))


def test_blocks_are_read_in_long_pieces(rng):
    """Of 70 MB in rows of 1 KB: within 64 MB nothing is far, and what is read there lies in few places."""
    order = shuffled_blocks(70_000, 2**10, rng)
    group = np.sort(order[: 256 * 256])
    pieces = np.flatnonzero(np.diff(group) > 1).size + 1
    assert pieces <= 256
    assert np.abs(np.diff(order[:1000])).mean() > 10_000  # neighbours in time are none in the file


def test_blocks_are_an_order_like_any_other(engine, rng, monkeypatch):
    monkeypatch.setattr("fastbp.training.loop.BLOCK_BYTES", 17 * 4 * 8)
    monkeypatch.setattr("fastbp.training.loop.GROUP", 4)
    x, y = rng.normal(size=(500, 17)), rng.integers(0, 3, 500)
    nets = [make(engine, "float32", x) for _ in range(3)]
    for net, shuffle in zip(nets, ("blocks", "blocks", True), strict=True):
        net.fit(x, y, epochs=2, shuffle=shuffle, validation_split=0.2, verbose=0)
    assert_array_equal(nets[0].weights[0], nets[1].weights[0])
    assert not np.array_equal(nets[0].weights[0], nets[2].weights[0])
    with pytest.raises(TypeError, match="shuffle must be True or False, got 'block'"):
        nets[0].fit(x, y, shuffle="block")


@pytest.mark.parametrize("layout", ["strided", "Fortran", "unaligned"])
def test_a_large_array_of_any_layout_is_taken(layout, engine, as_it_is):
    x, y = samples("int16"), np.random.default_rng(0).integers(0, 3, 50)
    if layout == "strided":
        other = np.repeat(x, 2, axis=1)[:, ::2]
    elif layout == "Fortran":
        other = np.asfortranarray(x)
    else:
        other = np.frombuffer(b"." + x.tobytes(), "u1")[1:].view("int16").reshape(x.shape)
        assert not other.flags.aligned
    expected = make(engine, "float32", x).predict(x)
    net = make(engine, "float32", x)
    assert_array_equal(net.predict(other), expected)
    assert net.evaluate(other, y) == make(engine, "float32", x).evaluate(x, y)


# What is clean already


@pytest.mark.parametrize("kind", ["float32", "float64"])
def test_what_cannot_have_changed_is_not_read_again(kind, engine, tmp_path, monkeypatch):
    """A map for reading: checked by the first fit, not by others; forgotten with it."""
    np.save(tmp_path / "x.npy", np.random.default_rng(0).normal(size=(20_000, 17)).astype(kind))
    y, reads = np.arange(20_000) % 3, []
    finite = fastbp.border.arrays._finite
    monkeypatch.setattr("fastbp.border.arrays.LARGE_MAP", -1)
    monkeypatch.setattr("fastbp.border.arrays._finite", lambda name, *more: reads.append(name) or finite(name, *more))
    known = fastbp.border.clean.known
    for mode, again in (("r", False), ("c", True)):
        x = np.load(tmp_path / "x.npy", mmap_mode=mode)
        net = make(engine, "float32", np.ones((1, 1)))
        counts = []
        for _ in range(2):
            reads.clear()
            net.evaluate(x, y)
            counts.append(reads.count("x"))
        assert counts[0] > 0
        assert bool(counts[1]) == again
    before = len(known)
    del x
    assert len(known) <= before
    x = np.load(tmp_path / "x.npy", mmap_mode="r")
    reads.clear()
    net.evaluate(x, y)
    assert reads.count("x")  # another array


def test_arrays_that_are_written_to_are_read_again(engine):
    x, y = np.zeros((20_000, 17), "float32"), np.arange(20_000) % 3
    net = make(engine, "float32", x + 1)
    view = x.view()
    view.flags.writeable = False  # but its owner may be written to
    net.evaluate(view, y)
    x[77, 3] = np.nan
    with pytest.raises(ValueError, match=r"x\[77, 3\] is nan"):
        net.evaluate(view, y)


def test_a_copy_is_large_from_256_mb_on_and_that_of_a_map_from_32_mb_on(tmp_path):
    single = np.dtype("float32")
    with open(tmp_path / "map", "wb") as file:
        file.truncate(8 * (2**23 + 1))  # a hole
    kept = np.memmap(tmp_path / "map", "float64", "r")
    for array, many in ((np.empty(2**26 + 1), 2**26), (kept, 2**23)):  # nothing is written: it takes no memory
        assert not _is_large(array[:many], single)
        assert _is_large(array, single)
    assert not _is_large(np.empty(2**26 + 1, single), single)  # no copy
