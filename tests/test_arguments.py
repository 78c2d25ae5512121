"""The border: one row per bad input, with its error; one row per kind of input that works."""

import array

import numpy as np
import pytest
from numpy.testing import assert_array_equal

import fastbp
from fastbp import SGD, Adam

X = np.random.default_rng(1).normal(size=(6, 3))
LABELS = np.array([0, 1, 2, 3, 0, 1])
TARGETS = np.random.default_rng(2).random((6, 4))
ROWS = TARGETS / TARGETS.sum(axis=1, keepdims=True)


def make(engine, sizes=(3, 5, 4), **options):
    return engine(sizes, **{"seed": 1, **options})


def with_entry(value, place=(2, 1), source=X):
    changed = source.astype(np.result_type(source, type(value)))
    changed[place] = value
    return changed


def fit(engine, x=X, y=LABELS, net=None, **options):
    net = net or make(engine)
    return net.fit(x, y, **{"epochs": 1, "verbose": 0, **options})


class Sparse:
    """As much of SciPy's sparse matrices as tells them apart."""

    def toarray(self):
        return X


# The network itself: (id, call, error, message)

NETWORKS = [
    ("no list", {"sizes": 3}, TypeError, r"sizes must be a list like \[784, 30, 10\], got 3"),
    ("text", {"sizes": "3,4"}, TypeError, "sizes must be a list"),
    ("too large", {"sizes": [2**63, 2]}, MemoryError, r"sizes \[9223372036854775808, 2\] take 73,786,976,294.8 GB"),
    ("empty", {"sizes": []}, ValueError, r"an input and an output layer, got \[\]"),
    ("one layer", {"sizes": [3]}, ValueError, r"an input and an output layer, got \[3\]"),
    ("zero", {"sizes": [3, 0, 4]}, ValueError, "each of sizes must be at least 1, got 0"),
    ("negative", {"sizes": [3, -5, 4]}, ValueError, "each of sizes must be at least 1, got -5"),
    ("fraction", {"sizes": [3, 2.5, 4]}, TypeError, "each of sizes must be an integer, got 2.5"),
    ("whole float", {"sizes": [3, 5.0]}, TypeError, "each of sizes must be an integer, got 5.0"),
    ("bool", {"sizes": [3, True]}, TypeError, "each of sizes must be an integer, got True"),
    ("activation", {"activation": "sigmiod"}, ValueError,
     "unknown activation 'sigmiod'; choose from elu, exp, gelu, gelu_tanh, hard_sigmoid, .*, relu, selu, sigmoid"),
    ("activation function", {"activation": np.tanh}, TypeError, r'write fastbp.Activation\("mine", function\)'),
    ("cost function", {"cost": np.subtract}, TypeError, r'write fastbp.Cost\("mine", function\)'),
    ("activation kind", {"activation": 3}, TypeError, "activation must be a name, got 3"),
    ("too many", {"activation": ["relu", "relu"]}, ValueError,
     "2 activations for 1 hidden layers; give one name for all"),
    ("hidden softmax", {"activation": "softmax"}, ValueError,
     "softmax is for the output layer only; choose another for hidden layer 0"),
    ("output", {"output": "linear"}, ValueError, "unknown activation 'linear'; choose from"),
    ("cost", {"cost": "mse"}, ValueError,
     "unknown cost 'mse'; choose from binary_cross_entropy, binary_focal, cross_entropy, .*quadratic"),
    ("cost and output", {"cost": "cross_entropy", "output": "tanh"}, ValueError,
     "cross_entropy needs outputs between 0 and 1: choose output softmax or sigmoid, not tanh"),
    ("initializer", {"initializer": "xavier"}, ValueError,
     "unknown initializer 'xavier'; choose from constant, glorot_normal, glorot_uniform, he_normal, .*, scaled"),
    ("l1", {"l1": -1}, ValueError, "l1 must be >= 0 and finite, got -1"),
    ("l2", {"l2": np.nan}, ValueError, "l2 must be >= 0 and finite, got nan"),
    ("l2 kind", {"l2": "small"}, TypeError, "l2 must be a number, got 'small'"),
    ("dropout", {"dropout": 1.0}, ValueError, "dropout must be >= 0 and < 1, got 1.0"),
    ("dtype", {"dtype": "float16"}, ValueError,
     "unknown dtype 'float16'; choose from float32, float64"),
    ("dtype int", {"dtype": int}, ValueError, "unknown dtype 'int64'; choose from"),
    ("dtype nonsense", {"dtype": "fast"}, ValueError, "unknown dtype 'fast'; choose from"),
    ("dtype none", {"dtype": None}, ValueError, "unknown dtype 'None'; choose from"),
    ("seed", {"seed": -1}, ValueError, "seed must be at least 0, got -1"),
    ("seed kind", {"seed": 1.5}, TypeError, "seed must be an integer, got 1.5"),
    ("threads", {"threads": 0}, ValueError, r"threads \(if not \"auto\"\) must be at least 1"),
    ("softmax of one", {"sizes": [3, 1], "output": "softmax"}, ValueError,
     r"softmax of one output is always 1: make it Network\(\[..., 2\]\), or choose output sigmoid"),
    ("threads kind", {"threads": "all"}, TypeError, "threads .* must be an integer, got 'all'"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("options", "error", "message"), [row[1:] for row in NETWORKS], ids=[row[0] for row in NETWORKS]
)
def test_networks_that_are_refused(engine, options, error, message):
    with pytest.raises(error, match=message):
        make(engine, **options)


# x, wherever it is given

BAD_X = [
    ("features", X[:, :2], ValueError, r"x has 2 features, the network takes 3; got \(6, 2\)"),
    ("column", X[0][:, None], ValueError,
     r"x has 1 features, the network takes 3; got \(3, 1\); a column is .* write x.T"),
    ("three axes", X[None], ValueError, r"x must be \(m, 3\), one row a sample; got \(1, 6, 3\)"),
    ("scalar", 1.0, ValueError, r"x must be \(m, 3\), one row a sample; got \(\)"),
    ("no samples", X[:0], ValueError, r"x is empty: \(0, 3\); at least one sample is needed"),
    ("empty list", [], ValueError, r"x is empty: \(0,\)"),
    ("nan", with_entry(np.nan), ValueError, r"x\[2, 1\] is nan, not a finite .*drop row 2"),
    ("inf", with_entry(-np.inf, (4, 0)), ValueError, r"x\[4, 0\] is -inf, not a finite float"),
    ("masked", np.ma.masked_array(X, X > 1), TypeError, "x is a masked array, or holds some; fill or drop"),
    ("masked rows", [*X[1:], np.ma.masked_array(X[0], X[0] > 0)], TypeError, "x is a masked array, or holds some"),
    ("objects", X.astype(object), TypeError, "x must hold real numbers, got Python's own objects: write np.asarray"),
    ("an object", with_entry("?", source=X.astype(object)), TypeError,
     r"x must hold real numbers, got '\?' at \[2, 1\]"),
    ("complex", X.astype(complex), TypeError, "x must hold real numbers, got complex numbers"),
    ("texts", X.astype(str), TypeError, "x must hold real numbers, got text"),
    ("text", "data.csv", TypeError, "x must hold real numbers, got text"),
    ("dates", np.zeros((6, 3), "M8[s]"), TypeError, r"x must hold real numbers, got dates"),
    ("none", None, TypeError, "x is a NoneType; give an array or a list"),
    ("generator", (row for row in X), TypeError, r"x is a generator; write list\(x\)"),
    ("set", {1, 2}, TypeError, "x is a set; give an array or a list, in the samples' order"),
    ("book's columns", X[:, :, None], ValueError, r"got \(6, 3, 1\); write x.reshape\(len\(x\), -1\)"),
    ("ragged", [[1.0, 2.0, 3.0], [1.0]], ValueError, "x is ragged: its rows differ in length"),
    ("sparse", Sparse(), TypeError, r"x is a sparse matrix, .* write x.toarray\(\)"),
]  # fmt: skip
USES = {
    "predict": lambda net, x: net.predict(x),
    "forward": lambda net, x: net.forward(x),
    "backprop": lambda net, x: net.backprop(x, LABELS),
    "evaluate": lambda net, x: net.evaluate(x, LABELS),
    "fit": lambda net, x: net.fit(x, LABELS, verbose=0),
}


@pytest.mark.parametrize("use", USES.values(), ids=USES)
@pytest.mark.parametrize(("x", "error", "message"), [row[1:] for row in BAD_X], ids=[row[0] for row in BAD_X])
def test_x_that_is_refused(engine, use, x, error, message):
    with pytest.raises(error, match=message):
        use(make(engine), x)


def test_one_sample_alone_is_for_predict_only(engine):
    net = make(engine)
    assert net.predict(X[0]).shape == (4,)
    with pytest.raises(ValueError, match=r"got \(3,\); for one sample write x\[None, :\]"):
        net.forward(X[0])
    with pytest.raises(ValueError, match=r"got \(6,\); for samples of one feature write x\[:, No"):
        make(engine, [1, 4]).forward(X[:, 0])


def test_too_large_for_float32(engine):
    x = with_entry(1e300)
    with pytest.raises(ValueError, match=r"x\[2, 1\] is 1e\+300, not a finite float32"):
        make(engine).predict(x)
    assert np.isfinite(make(engine, dtype="float64").predict(x)).all()


# y

BAD_Y = [
    ("label -1", with_entry(-1, 3, LABELS % 2), {}, ValueError,
     r"y\[3\] is -1; labels are integers 0\.\.3, or 4 different ones; y has 3 different labels \(-1, 0, 1\)"),
    ("label K", with_entry(4, 5, LABELS % 2), {}, ValueError,
     r"y\[5\] is 4; labels are integers 0\.\.3, or 4 different ones; y has 3 .* Network\(\[..., 3\]\)"),
    ("label 1.5", with_entry(1.5, 1, LABELS), {}, ValueError,
     r"y\[1\] is 1.5; labels are integers 0\.\.3"),
    ("label nan", with_entry(np.nan, 1, LABELS), {}, ValueError, r"y\[1\] is nan; missing: drop row 1"),
    ("label 2**63", LABELS.astype(np.uint64) + np.uint64(2**63), {}, ValueError,
     r"y\[0\] is 9223372036854775808; labels are"),
    ("length", LABELS[:5], {}, ValueError, "y has 5 samples, x has 6"),
    ("length of targets", TARGETS[:5], {}, ValueError, "y has 5 samples, x has 6"),
    ("width", TARGETS[:, :3], {}, ValueError,
     r"y must be \(m,\) labels 0\.\.3 or \(m, 4\); got \(6, 3\)"),
    ("labels as a column", LABELS[:, None], {}, ValueError,
     r"got \(6, 1\); write y.ravel\(\)"),
    ("scalar", 1, {}, ValueError, r"y must be \(m,\) labels"),
    ("few texts", (LABELS % 2).astype(str), {}, ValueError,
     r"y has 2 different labels \('0', '1'\), the network has 4 outputs; make it Network\(\[..., 2\]\), or name all"),
    ("mixed", ["a", "b", 1, "d", "e", "f"], {}, TypeError, r"y\[2\] is 1 among strings; labels are all strings"),
    ("missing", np.array(["a", None, "c", "d", "e", "f"], object), {}, TypeError, r"y\[1\] is None, missing; .* row 1"),
    ("texts in rows", TARGETS.astype(str), {}, TypeError, "y must hold real numbers, got text"),
    ("none", None, {}, TypeError, "y is a NoneType; give an array"),
    ("generator", (label for label in LABELS), {}, TypeError, r"y is a generator; write list\(y\)"),
    ("set", set(LABELS), {}, TypeError, "y is a set; give an array or a list, in the samples' order"),
    ("book's columns", TARGETS[:, :, None], {}, ValueError, r"got \(6, 4, 1\); write y.reshape\(len\(y\), -1\)"),
    ("several", np.ones((6, 4)), {"cost": "cross_entropy", "output": "softmax"}, ValueError,
     r"y\[0\] is .*; for several labels at once choose cost binary_cross_entropy"),
    ("masked", np.ma.masked_array(LABELS), {}, TypeError, "y is a masked array"),
    ("nan", with_entry(np.nan, source=TARGETS), {}, ValueError,
     r"y\[2, 1\] is nan, not a finite float32; clean or drop row 2"),
    ("bce below 0", with_entry(-0.1, source=TARGETS), {"cost": "binary_cross_entropy"},
     ValueError, r"y\[2\] is .*; binary_cross_entropy takes targets in 0\.\.1"),
    ("bce above 1", with_entry(1.5, source=TARGETS), {"cost": "binary_cross_entropy"},
     ValueError, r"y\[2\] is .*; binary_cross_entropy takes targets in 0\.\.1"),
    ("rows", with_entry(0.9, source=ROWS), {"cost": "cross_entropy", "output": "softmax"},
     ValueError, r"y\[2\] is .*; cross_entropy takes rows of probabilities that sum to 1"),
    ("focal rows", with_entry(0.9, source=ROWS), {"cost": "focal", "output": "softmax"},
     ValueError, r"y\[2\] is .*; focal takes rows of probabilities that sum to 1"),
    ("negative rows", with_entry(-0.5, source=ROWS), {"cost": "cross_entropy"},
     ValueError, r"y\[2\] is .*; cross_entropy takes rows of probabilities"),
]  # fmt: skip


@pytest.mark.parametrize("use", ["backprop", "evaluate", "fit"])
@pytest.mark.parametrize(
    ("y", "options", "error", "message"), [row[1:] for row in BAD_Y], ids=[row[0] for row in BAD_Y]
)
def test_y_that_is_refused(engine, use, y, options, error, message):
    with pytest.raises(error, match=message):
        getattr(make(engine, **options), use)(X, y)


# fit

FITS = [
    ("epochs", {"epochs": 0}, ValueError, "epochs must be at least 1, got 0"),
    ("epochs kind", {"epochs": 2.0}, TypeError, "epochs must be an integer, got 2.0"),
    ("batch size", {"batch_size": 0}, ValueError, "batch_size must be at least 1, got 0"),
    ("batch size kind", {"batch_size": "all"}, TypeError, "batch_size must be an integer"),
    ("optimizer name", {"optimizer": "adams"}, ValueError,
     r"optimizer must be one of fastbp.SGD\(...\), fastbp.Adam\(...\), .*, like fastbp.Adam\(1e-3\), .*; got 'adams'"),
    ("optimizer class", {"optimizer": Adam}, TypeError, "optimizer must be one of"),
    ("sgd", {"optimizer": "sgd"}, ValueError, r"SGD has no default learning rate: write optimizer=fastbp.SGD\(0.1\)"),
    ("shuffle", {"shuffle": "no"}, TypeError, "shuffle must be True or False, got 'no'"),
    ("out of reach", {"y": with_entry(151, source=TARGETS)}, ValueError,
     r'y\[2, 1\] is 151, and sigmoid outputs only reach 0..1: choose output="identity", or scale y'),
    ("validation", {"validation_data": X}, TypeError, r"validation_data must be a pair \(x, y\)"),
    ("validation x", {"validation_data": (X[:, :2], LABELS)}, ValueError,
     "validation x has 2 features"),
    ("validation y", {"validation_data": (X, LABELS + 1)}, ValueError,
     r"validation y\[3\] is 4; the network's classes are 0, 1, 2, 3"),
    ("callback alone", {"callbacks": print}, TypeError, "callbacks must be a list of functions"),
    ("callback kind", {"callbacks": [3]}, TypeError, r"callbacks must be a list of functions"),
    ("verbose", {"verbose": 3}, ValueError, 'verbose must be "auto", 0, 1 or 2, got 3'),
    ("verbose kind", {"verbose": "loud"}, ValueError, "verbose must be"),
    ("weights length", {"sample_weight": np.ones(5)}, ValueError,
     r"sample_weight must be \(6,\), one per sample; got \(5,\)"),
    ("weights negative", {"sample_weight": np.arange(6) - 2}, ValueError,
     r"sample_weight\[0\] is -2; weights must be >= 0"),
    ("weights nan", {"sample_weight": np.full(6, np.nan)}, ValueError,
     r"sample_weight\[0\] is nan, not a finite"),
    ("weights zero", {"sample_weight": np.zeros(6)}, ValueError,
     "sample_weight is 0 for every sample; nothing would be learnt"),
    ("classes kind", {"class_weight": [1, 2]}, TypeError,
     "class_weight must be a dict from label to weight, or 'balanced'"),
    ("classes name", {"class_weight": "equal"}, TypeError, "class_weight must be a dict"),
    ("classes label", {"class_weight": {4: 1.0}}, ValueError,
     "class_weight has label 4; labels are 0, 1, 2, 3"),
    ("classes negative", {"class_weight": {0: -1.0}}, ValueError,
     r"the weight of class 0 must be >= 0 and finite, got -1.0"),
    ("classes of targets", {"y": TARGETS, "class_weight": "balanced"}, ValueError,
     "class_weight needs labels in y; give sample_weight instead"),
]  # fmt: skip


@pytest.mark.parametrize(("options", "error", "message"), [row[1:] for row in FITS], ids=[row[0] for row in FITS])
def test_fits_that_are_refused(engine, options, error, message):
    net = make(engine)
    before = net.weights
    with pytest.raises(error, match=message):
        fit(engine, net=net, **options)
    for w, kept in zip(net.weights, before, strict=True):
        assert_array_equal(w, kept)
    fit(engine, net=net)  # and it is not spoilt


# Parameters and out

W = [np.zeros((5, 3)), np.zeros((4, 5))]
PARAMETERS = [
    ("array", "weights", np.zeros((2, 2)), TypeError, "weights must be a list of arrays, got nda"),
    ("number", "weights", W[:1], ValueError, "weights has 1 arrays, the network has 2 layers"),
    ("shape", "weights", [W[0].T, W[1]], ValueError,
     r"weights\[0\] must be \(5, 3\), got \(3, 5\)"),
    ("nan", "weights", [W[0], W[1] + np.nan], ValueError, r"weights\[1\]\[0, 0\] is nan, not a f"),
    ("objects", "biases", [[None] * 5, [0] * 4], TypeError, r"biases\[0\] must hold real numbers"),
    ("column", "biases", [np.zeros((5, 1)), np.zeros((4, 1))], ValueError,
     r"biases\[0\] must be \(5,\), got \(5, 1\)"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "value", "error", "message"),
    [row[1:] for row in PARAMETERS],
    ids=[row[0] for row in PARAMETERS],
)
def test_parameters_that_are_refused(engine, name, value, error, message):
    with pytest.raises(error, match=message):
        setattr(make(engine), name, value)


def test_parameters_are_snapshots_and_copies(engine):
    net = make(engine)
    before = net.weights[0]
    with pytest.raises(ValueError, match="read-only"):
        before[0, 0] = 1.0
    mine = [np.ones((5, 3)), np.ones((4, 5))]
    net.weights = mine
    mine[0][:] = 7.0
    assert_array_equal(net.weights[0], np.ones((5, 3)))
    assert not np.array_equal(before, net.weights[0])


def read_only(shape):
    out = np.empty(shape, np.float32)
    out.flags.writeable = False
    return out


OUTS = [
    ("list", [[0.0] * 4] * 6, TypeError, "out must be a plain NumPy array, got list"),
    ("masked", np.ma.zeros((6, 4), np.float32), TypeError, "out must be a plain NumPy array, got MaskedArray"),
    ("shape", np.empty((6, 3), np.float32), ValueError, r"out must be \(6, 4\) of float32, got"),
    ("dtype", np.empty((6, 4)), ValueError, r"got \(6, 4\) of float64"),
    ("order", np.empty((6, 4), np.float32, order="F"), ValueError, "out must be C-contiguous"),
    ("strided", np.empty((6, 8), np.float32)[:, ::2], ValueError, "out must be C-contiguous"),
    ("read-only", read_only((6, 4)), ValueError, "out must be C-contiguous, aligned and writable"),
]


@pytest.mark.parametrize(("out", "error", "message"), [row[1:] for row in OUTS], ids=[row[0] for row in OUTS])
def test_outs_that_are_refused(engine, out, error, message):
    with pytest.raises(error, match=message):
        make(engine).predict(X, out=out)


def test_out_is_filled_and_returned(engine):
    net = make(engine)
    out = np.full((6, 4), np.nan, np.float32)
    assert net.predict(X, out=out) is out
    assert_array_equal(out, net.predict(X))
    one = np.full(4, np.nan, np.float32)
    assert net.predict(X[2], out=one) is one
    assert_array_equal(one, net.predict(X[2]))


def test_out_may_overlap_x(engine):
    """By all but one row: an engine that goes through x in parts would read what it wrote."""
    net = make(engine, [3, 5, 3])
    memory = np.resize(X, (5001, 3)).astype(np.float32)
    expected = net.predict(memory[:-1].copy())
    assert_array_equal(net.predict(memory[:-1], out=memory[1:]), expected)


# Kinds of input that work, and give the same bits

WHOLE = np.arange(18).reshape(6, 3) % 7


def unaligned(values):
    buffer = np.zeros(values.nbytes + 1, np.uint8)[1:]
    buffer[:] = np.frombuffer(values.tobytes(), np.uint8)
    return buffer.view(values.dtype).reshape(values.shape)


def frozen(values):
    values.flags.writeable = False
    return values


KINDS = {
    "list": lambda x: x.tolist(),
    "tuple": lambda x: tuple(map(tuple, x.tolist())),
    "buffers": lambda x: [array.array("d", row) for row in x],
    "fortran": np.asfortranarray,
    "strided": lambda x: np.repeat(np.repeat(x, 2, axis=0), 3, axis=1)[::2, ::3],
    "backwards": lambda x: x[::-1, ::-1].copy()[::-1, ::-1],
    "read-only": lambda x: frozen(x.copy()),
    "unaligned": unaligned,
    "big-endian": lambda x: x.astype(">f8"),
    "little-endian": lambda x: x.astype("<f4"),
    "float16": lambda x: x.astype(np.float16),
    "float32": lambda x: x.astype(np.float32),
    "longdouble": lambda x: x.astype(np.longdouble),
    "int8": lambda x: x.astype(np.int8),
    "uint8": lambda x: x.astype(np.uint8),
    "int64": lambda x: x.astype(np.int64),
    "big-endian int": lambda x: x.astype(">i4"),
    "uint64": lambda x: x.astype(np.uint64),
    "subclass": lambda x: x.view(type("Mine", (np.ndarray,), {})),
}


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_kinds_of_x_that_work(engine, kind, dtype):
    plain, given = WHOLE.astype(float), kind(WHOLE.astype(float))
    kept = np.array(given)
    net, other = make(engine, dtype=dtype), make(engine, dtype=dtype)
    fit(engine, plain, net=net)
    fit(engine, given, net=other)
    assert_array_equal(net.predict(plain), other.predict(given))
    assert net.evaluate(plain, LABELS) == other.evaluate(given, LABELS)
    assert type(other.predict(given)) is np.ndarray
    assert_array_equal(given, kept)


def test_memory_maps_work(engine, tmp_path):
    np.save(tmp_path / "x.npy", X)
    mapped = np.load(tmp_path / "x.npy", mmap_mode="r")
    net, other = make(engine), make(engine)
    fit(engine, mapped, net=net)
    fit(engine, X, net=other)
    assert_array_equal(net.predict(mapped), other.predict(X))


def test_booleans_work(engine):
    x = WHOLE > 3
    assert_array_equal(make(engine).predict(x), make(engine).predict(x.astype(float)))


LABEL_KINDS = {
    "list": lambda y: y.tolist(),
    "int8": lambda y: y.astype(np.int8),
    "uint64": lambda y: y.astype(np.uint64),
    "big-endian": lambda y: y.astype(">i8"),
    "whole floats": lambda y: y.astype(float),
    "strided": lambda y: np.repeat(y, 2)[::2],
    "backwards": lambda y: y[::-1].copy()[::-1],
    "read-only": lambda y: frozen(y.copy()),
    "one-hot": lambda y: np.eye(4)[y],
    "one-hot integers": lambda y: np.eye(4, dtype=int)[y],
    "one-hot booleans": lambda y: np.eye(4, dtype=bool)[y],
    "one-hot Fortran": lambda y: np.asfortranarray(np.eye(4)[y]),
}


@pytest.mark.parametrize("kind", LABEL_KINDS.values(), ids=LABEL_KINDS)
@pytest.mark.parametrize("cost", ["quadratic", "binary_cross_entropy", "cross_entropy"])
def test_kinds_of_labels_that_work(engine, kind, cost):
    output = "softmax" if cost == "cross_entropy" else "sigmoid"
    given = kind(LABELS)
    kept = np.array(given)
    net, other = make(engine, cost=cost, output=output), make(engine, cost=cost, output=output)
    fit(engine, net=net)
    fit(engine, y=given, net=other)
    assert net.evaluate(X, LABELS) == other.evaluate(X, given)
    assert other.evaluate(X, given).accuracy is not None
    assert_array_equal(given, kept)


def test_booleans_are_labels_of_two_classes(engine):
    y = LABELS > 0
    net = make(engine, [3, 2])
    assert net.evaluate(X, y) == net.evaluate(X, y.astype(int))


@pytest.mark.parametrize("kind", [np.asarray, np.ravel, np.ndarray.tolist], ids=str)
def test_targets_of_one_output(engine, kind):
    y = TARGETS[:, :1]
    net = make(engine, [3, 5, 1], output="identity")
    assert net.evaluate(X, kind(y)) == net.evaluate(X, y)


def test_rows_of_probabilities_are_targets(engine):
    net = make(engine, output="softmax", cost="cross_entropy")
    assert net.evaluate(X, ROWS).accuracy is None
    fit(engine, y=ROWS.astype(np.float32), net=net)


def test_checked_arrays_are_read_only_and_plain():
    net = make(fastbp.ReferenceNetwork)
    single = X.astype(np.float32)
    for given in (X, np.asfortranarray(X), single, unaligned(single), single.astype(">f4")):
        x, y = net._checked(given, LABELS)
        for checked in (x, y):
            assert checked.flags.c_contiguous
            assert checked.flags.aligned
            assert checked.dtype.isnative
            assert not checked.flags.writeable
        assert x.dtype == np.float32
        assert y.dtype == np.int64
        assert given.flags.writeable


@pytest.mark.parametrize(
    ("options", "names"),
    [
        ({}, ("sigmoid", "sigmoid", "sigmoid")),
        ({"activation": "tanh", "output": "softmax"}, ("tanh", "tanh", "softmax")),
        ({"activation": ["relu", "tanh"]}, ("relu", "tanh", "identity")),
        ({"activation": fastbp.formulas.activations.ACTIVATIONS["relu"]},
         ("relu", "relu", "identity")),
        ({"sizes": np.array([3, 5, 6, 4]), "dtype": np.float64}, ("sigmoid",) * 3),
        ({"sizes": range(3, 7), "dtype": np.dtype(">f4")}, ("sigmoid",) * 3),
    ],
)  # fmt: skip
def test_ways_to_describe_a_network(engine, options, names):
    net = make(engine, **{"sizes": (3, 5, 6, 4), **options})
    assert net.spec.activations == names
    assert net.sizes == list(options.get("sizes", [3, 5, 6, 4]))
    assert net.num_layers == 4
    assert net.dtype == np.dtype(net.spec.dtype)


def test_a_seed_is_drawn_and_kept(engine):
    nets = [make(engine, seed=None) for _ in range(2)]
    assert nets[0].spec.seed != nets[1].spec.seed
    again = make(engine, seed=nets[0].spec.seed)
    assert_array_equal(again.weights[0], nets[0].weights[0])


def test_engines_start_from_the_same_parameters():
    one, other = make(fastbp.ReferenceNetwork), make(fastbp.Network)
    for a, b in zip(one.weights + one.biases, other.weights + other.biases, strict=True):
        assert_array_equal(a, b)


def test_engines_are_exchanged_with_their_parameters(engine):
    net = make(engine, l2=0.1, threads=1)
    fit(engine, net=net, optimizer=SGD(0.1))
    for twin in (net.to_reference(), net.to_fast()):
        assert twin.spec == net.spec
        assert twin.epochs_trained == 1
        for a, b in zip(twin.weights + twin.biases, net.weights + net.biases, strict=True):
            assert_array_equal(a, b)
    assert type(net.to_reference()) is fastbp.ReferenceNetwork
    assert type(net.to_fast()) is fastbp.Network


def test_networks_are_saved_and_loaded(engine, tmp_path):
    net = make(engine, activation="tanh", output="softmax", cost="cross_entropy", l1=0.1,
               dropout=0.25, dtype="float64")  # fmt: skip
    fit(engine, net=net)
    net.save(tmp_path / "net.safetensors")
    again = engine.load(tmp_path / "net.safetensors")
    assert type(again) is engine
    assert again.spec == net.spec
    assert again.epochs_trained == net.epochs_trained
    assert_array_equal(again.predict(X), net.predict(X))
    fit(engine, net=net)
    fit(engine, net=again)
    assert_array_equal(again.predict(X), net.predict(X))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"activations": ["swish", "sigmoid"]}, "unknown activation 'swish'"),
        ({"cost": "triplet"}, "unknown cost 'triplet'"),
        ({"dropout": 2.0}, "dropout must be >= 0 and < 1, got 2.0"),
        ({"seed": -3}, "seed must be at least 0, got -3"),
        ({"epochs_trained": "many"}, "epochs_trained must be an integer"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_a_file_with_a_wrong_description_is_refused(engine, tmp_path, change, message):
    from fastbp.networks import storage

    path = tmp_path / "net.safetensors"
    make(engine).save(path)
    arrays, metadata = storage.read(path)
    storage.write(path, arrays, metadata | change)
    with pytest.raises(fastbp.ModelFileError, match=message):
        engine.load(path)
