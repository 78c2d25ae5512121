"""Sparse samples: what training on the dense ones gives, without making them."""

import subprocess
import sys

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse

import fastbp
from fastbp.border.sparse import SparseRows

ATOL = {"float32": 1e-5, "float64": 1e-13}


def samples(m=60, n=200, share=0.05, dtype=float):
    """Return a CSR matrix with rows that are empty, and labels."""
    r = np.random.default_rng(0)
    x = r.normal(size=(m, n)) * (r.random((m, n)) < share)
    x[::9] = 0
    return sparse.csr_matrix(x.astype(dtype)), r.integers(0, 3, m)


def make(engine=fastbp.Network, n=200, **options):
    return engine(
        [n, 17, 3], **{"activation": "tanh", "cost": "cross_entropy", "dtype": "float64", "seed": 0, **options}
    )


def fit(net, x, y, **options):
    return net.fit(x, y, **{"epochs": 2, "batch_size": 8, "verbose": 0, "optimizer": fastbp.Adam(0.01), **options})


def assert_close(one, other, atol=1e-13):
    for a, b in zip([*one.weights, *one.biases], [*other.weights, *other.biases], strict=True):
        assert_allclose(a, b, rtol=0, atol=atol)


@pytest.mark.parametrize("dtype", ATOL)
@pytest.mark.parametrize(
    "options",
    [{}, {"batch_size": 1}, {"validation_split": 0.25, "metrics": ["top_2"]}, {"clip_norm": 0.1, "ema": 0.9},
     {"shuffle": "blocks"}, {"accumulate": 3}, {"optimizer": fastbp.SGD(0.1)}],
    ids=str,
)  # fmt: skip
def test_sparse_samples_train_as_dense_ones(options, dtype, engine):
    x, y = samples()
    nets = make(engine, dtype=dtype, l2=1e-3), make(engine, dtype=dtype, l2=1e-3)
    histories = [fit(net, each, y, **options) for net, each in zip(nets, (x, x.toarray()), strict=True)]
    assert_close(*nets, atol=ATOL[dtype])
    assert_allclose(histories[0].cost, histories[1].cost, rtol=10 * ATOL[dtype])
    if "metrics" in options:
        assert_allclose(histories[0].validation_cost, histories[1].validation_cost, rtol=10 * ATOL[dtype])
        assert histories[0]["validation_top_2"] == histories[1]["validation_top_2"]


@pytest.mark.parametrize("threads", [2, 5])
def test_any_number_of_threads_makes_the_same_bits(threads):
    x, y = samples()
    nets = [make(dtype="float32", threads=each) for each in (1, threads)]
    for net in nets:
        fit(net, x, y, batch_size=30)
    assert_array_equal(nets[0].weights[0], nets[1].weights[0])


@pytest.mark.parametrize("n", [1, 2, 3, 15, 16, 17, 31, 33, 95, 96, 97, 193])
def test_inputs_of_every_number(n):
    x, y = samples(n=n, share=0.3)
    nets = make(n=n), make(n=n)
    fit(nets[0], x, y)
    fit(nets[1], x.toarray(), y)
    assert_close(*nets)


def test_sparse_samples_are_evaluated_and_predicted(engine):
    x, y = samples(m=700)
    net = make(engine)
    out = np.empty((700, 3))
    assert_allclose(net.predict(x), net.predict(x.toarray()), rtol=0, atol=1e-14)
    assert net.predict(x, out=out) is out
    assert_allclose(out, net.predict(x), rtol=0, atol=0)
    assert_array_equal(net.predict_labels(x), net.predict_labels(x.toarray()))
    one, other = net.evaluate(x, y), net.evaluate(x.toarray(), y)
    assert one.cost == pytest.approx(other.cost, rel=1e-13)
    assert one.accuracy == other.accuracy


@pytest.mark.parametrize(
    "kind", ["csc", "coo", "lil", "dok", "bsr", "csr_array", "int64", "twice", "unsorted", "zeros", "bool"]
)
def test_every_kind_of_sparse_matrix(kind):
    x, y = samples()
    given = x
    if kind == "twice":  # entries that add up
        given = sparse.csr_matrix((np.repeat(x.data / 2, 2), np.repeat(x.indices, 2), 2 * x.indptr), x.shape)
    elif kind == "unsorted":
        given = sparse.csr_matrix(
            (x.data[::-1].copy(), x.indices[::-1].copy(), (x.nnz - x.indptr)[::-1].copy()), x.shape
        )
        x = given.copy()
        x.sort_indices()
        given.has_sorted_indices = False
    elif kind == "zeros":
        given = x.copy()
        given.data[::3] = 0
        x = given
    elif kind == "bool":
        given = x != 0
        x = given
    elif kind == "int64":
        given = sparse.csr_matrix((x.data, x.indices.astype(np.int64), x.indptr.astype(np.int64)), x.shape)
    elif kind == "csr_array":
        given = sparse.csr_array(x)
    else:
        given = x.asformat(kind)
    before = given.copy()
    nets = make(), make()
    fit(nets[0], given, y)
    fit(nets[1], x.toarray(), y)
    assert_close(*nets)
    assert (given != before).nnz == 0


class OfAnotherLibrary:
    """Rows that say of themselves only what every such matrix does."""

    format = "csr"

    def __init__(self, matrix):
        self.indptr, self.indices, self.data = matrix.indptr, matrix.indices, matrix.data
        self.shape, self.dtype = matrix.shape, matrix.dtype

    def toarray(self):
        raise AssertionError("they are taken as they are")

    tocsr = copy = toarray


def test_rows_of_another_library_are_taken_as_they_are(engine):
    x = sparse.csr_array(np.random.default_rng(0).normal(size=(30, 40)) * (np.arange(40) % 7 == 0))
    net = engine([40, 3], seed=0)
    assert_array_equal(net.predict(OfAnotherLibrary(x)), net.predict(x))
    assert_array_equal(np.asarray(SparseRows.read("x", OfAnotherLibrary(x), np.dtype(float))), x.toarray())


def test_rows_are_taken_by_place_and_slice():
    x, _ = samples()
    rows = SparseRows.read("x", x, np.dtype(float))
    for chosen in (slice(3, 40, 4), np.array([5, 5, 0, 59]), slice(0, 0), np.arange(60) % 2 == 0):
        assert_array_equal(np.asarray(rows[chosen]), x.toarray()[chosen])
    assert rows.nbytes < 24 * (x.nnz + 61)


@pytest.mark.parametrize("value", [np.nan, np.inf, 1e300])
def test_what_is_not_finite_is_named(value, engine):
    x, y = samples()
    x = x.tolil()
    x[33, 5] = value
    with pytest.raises(ValueError, match=r"x\[33, 5\] is .*, not a finite float32; clean or drop row 33"):
        fit(make(engine, dtype="float32"), x.tocsr(), y)


def test_what_has_no_sparse_form_is_refused(engine):
    x, y = samples()
    with pytest.raises(TypeError, match="x is a sparse matrix, which fit, evaluate and predict take; here write x"):
        make(engine).backprop(x, y)
    with pytest.raises(TypeError, match="x is a sparse matrix"):
        make(engine).jacobian(x)
    with pytest.raises(TypeError, match="x is a sparse matrix"):
        fastbp.Trainer(make(engine)).step(x, y)
    with pytest.raises(ValueError, match="dropout of inputs and a sparse x do not go together"):
        fit(make(engine, dropout=[0.1, 0.1]), x, y)
    with pytest.raises(ValueError, match="Diagnostics and a sparse x do not go together"):
        fit(make(engine), x, y, callbacks=[fastbp.Diagnostics()])
    with pytest.raises(ValueError, match="x has 200 features, the network takes 5"):
        fit(make(engine, n=5), x, y)
    with pytest.warns(UserWarning, match="a sparse matrix of mostly nonzeros"):
        make(engine).evaluate(sparse.csr_matrix(np.ones((3, 200))), y[:3])


MEMORY = """
import resource, numpy as np, fastbp
from scipy import sparse
x = sparse.random(20_000, 50_000, 0.001, "csr", np.float32, np.random.default_rng(0))
y = np.arange(20_000) % 2
net = fastbp.Network([50_000, 8, 1], activation="relu", cost="binary_cross_entropy", seed=0, threads=1)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
net.fit(x, y, epochs=1, batch_size=500, optimizer=fastbp.SGD(0.1), verbose=0)
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads kilobytes, which other systems count otherwise")
def test_memory_goes_by_the_nonzeros():
    """20 000 x 50 000 would be 4 GB dense; a million numbers are there."""
    script = [sys.executable, "-W", "ignore", "-c", MEMORY]
    done = subprocess.run(script, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert float(done.stdout) < 300
