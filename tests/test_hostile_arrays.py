"""Arrays of every kind, given to every public call: the bits of a plain array, or an error that names the argument.

In either case what was given is as it was. The long form (`pytest -m soak`) does so once more in a process that has
compiled nothing yet.
"""

import array
import collections
import os
import re
import subprocess
import sys
import warnings
from importlib.util import find_spec

import numpy as np
import pandas as pd
import polars as pl
import pytest
import scipy.sparse

import fastbp

M, N = 12, 7
PLAIN = np.random.default_rng(0).normal(size=(M, N)).round(3)
WHOLE = np.random.default_rng(1).integers(0, 100, (M, N))
LABELS = np.arange(M) % 3


class Subclass(np.ndarray):
    """Answers as it likes."""

    def __getitem__(self, item):
        return np.ndarray.__getitem__(self, item) * 2

    def __array_finalize__(self, other):
        pass

    def __eq__(self, other):
        return True

    __hash__ = None

    def min(self, *_, **__):
        return 0.0

    max = mean = any = all = min


class Interface:
    def __init__(self, values):
        self.values = values

    @property
    def __array_interface__(self):
        return self.values.__array_interface__


class Converted:
    def __init__(self, values):
        self.values = values

    def __array__(self, dtype=None, copy=None):
        return np.array(self.values, dtype)


class Changing:
    """Another array each time it is asked for."""

    def __init__(self, values):
        self.values, self.asked = values, 0

    def __array__(self, dtype=None, copy=None):
        self.asked += 1
        return np.array(self.values * self.asked, dtype)


class Raising:
    def __array__(self, dtype=None, copy=None):
        raise RuntimeError("broken")


class Lying:
    """Says it is as long as it is not."""

    shape, ndim, dtype, size = (M, N), 2, np.dtype(float), M * N

    def __len__(self):
        return M


def unaligned(values):
    raw = np.zeros(values.nbytes + 1, np.uint8)
    view = raw[1:].view(values.dtype).reshape(values.shape)
    view[...] = values
    return view


def read_only(values):
    values = values.copy()
    values.flags.writeable = False
    return values


def with_value(value, dtype=float):
    values = PLAIN.astype(dtype)
    values[3, 2] = value
    return values


def ring():
    values = [1.0]
    values.append(values)
    return values


# Of each kind: how it is made; what it is the same as. None: an error.
SAME = {
    "plain": (lambda: PLAIN.copy(), PLAIN),
    "Fortran's order": (lambda: np.asfortranarray(PLAIN), PLAIN),
    "transposed": (lambda: PLAIN.T.copy().T, PLAIN),
    "every second row": (lambda: np.repeat(PLAIN, 2, axis=0)[::2], PLAIN),
    "every second column": (lambda: np.repeat(PLAIN, 2, axis=1)[:, ::2], PLAIN),
    "backwards": (lambda: PLAIN[::-1, ::-1].copy()[::-1, ::-1], PLAIN),
    "one row again and again": (lambda: np.broadcast_to(PLAIN[:1], (M, N)), np.repeat(PLAIN[:1], M, axis=0)),
    "unaligned": (lambda: unaligned(PLAIN), PLAIN),
    "of the other byte order": (lambda: PLAIN.astype(PLAIN.dtype.newbyteorder()), PLAIN),
    "read-only": (lambda: read_only(PLAIN), PLAIN),
    "float16": (lambda: PLAIN.astype(np.float16), PLAIN.astype(np.float16)),
    "float32": (lambda: PLAIN.astype(np.float32), PLAIN.astype(np.float32)),
    "longdouble": (lambda: PLAIN.astype(np.longdouble), PLAIN),
    "int8": (lambda: WHOLE.astype(np.int8), WHOLE),
    "uint64": (lambda: WHOLE.astype(np.uint64), WHOLE),
    "bool": (lambda: WHOLE > 50, WHOLE > 50),
    "a field of a record array": (lambda: PLAIN.view([("a", float)])["a"], PLAIN),
    "a list of lists": (lambda: PLAIN.tolist(), PLAIN),
    "a tuple of arrays": (lambda: tuple(PLAIN.copy()), PLAIN),
    "a list of array.array": (lambda: [array.array("d", row) for row in PLAIN], PLAIN),
    "a memoryview": (lambda: memoryview(PLAIN.copy()), PLAIN),
    "a subclass that lies": (lambda: PLAIN.view(Subclass), PLAIN),
    "__array_interface__": (lambda: Interface(PLAIN.copy()), PLAIN),
    "__array__": (lambda: Converted(PLAIN.copy()), PLAIN),
    "a DataFrame": (lambda: pd.DataFrame(PLAIN), PLAIN),
    "a DataFrame of polars": (lambda: pl.DataFrame(PLAIN), PLAIN),
    "-0.0": (lambda: with_value(-0.0), with_value(-0.0)),
    "the smallest number": (lambda: with_value(5e-324), with_value(5e-324)),
    "an array that changes": (lambda: Changing(PLAIN.copy()), PLAIN),
}
if find_spec("torch"):
    SAME["a tensor"] = lambda: __import__("torch").tensor(PLAIN), PLAIN
ERRORS = {
    "NaN": lambda: with_value(np.nan),
    "inf": lambda: with_value(-np.inf),
    "NaN in float16": lambda: with_value(np.nan, np.float16),
    "beyond float32": lambda: with_value(1e39),
    "complex": lambda: PLAIN.astype(complex),
    "texts": lambda: PLAIN.astype(str),
    "bytes": lambda: PLAIN.astype(bytes),
    "dates": lambda: WHOLE.astype("datetime64[s]"),
    "records": lambda: PLAIN.view([(name, float) for name in "abcdefg"]),
    "objects that are not numbers": lambda: np.full((M, N), "a", object),
    "None as objects": lambda: np.full((M, N), None, object),
    "objects that are numbers": lambda: PLAIN.astype(object),
    "a masked array that masks nothing": lambda: np.ma.array(PLAIN),
    "a masked array": lambda: np.ma.array(PLAIN, mask=WHOLE > 50),
    "no rows": lambda: PLAIN[:0],
    "no columns": lambda: PLAIN[:, :0],
    "a number": lambda: np.array(1.0),
    "three axes": lambda: PLAIN[None],
    "other columns": lambda: PLAIN[:, 1:],
    "a ragged list": lambda: [[1.0] * N, [1.0] * (N - 1)],
    "a list that holds itself": ring,
    "a generator": lambda: (row for row in PLAIN),
    "a set": lambda: {1.0, 2.0},
    "a dict": lambda: {"x": PLAIN},
    "a deque of nothing": lambda: collections.deque(),
    "None": lambda: None,
    "a text": lambda: "numbers",
    "huge integers": lambda: [[10**400] * N] * M,
    "an __array__ that raises": lambda: Raising(),
    "what has a shape and nothing else": lambda: Lying(),
    "sparse with NaN": lambda: scipy.sparse.csr_matrix(np.where(WHOLE > 50, np.nan, 0)),
    "a DataFrame of texts": lambda: pd.DataFrame(PLAIN.astype(str)),
}


def net(cls=fastbp.Network, **options):
    return cls([N, 5, 3], output="softmax", cost="cross_entropy", seed=0, **options)


def fitted(x, **options):
    made = net(**options)
    made.fit(x, LABELS, 2, 5, fastbp.SGD(0.1), verbose=0)
    return made.weights


def fitted_net():
    made = net()
    made.fit(PLAIN, LABELS, 2, 5, fastbp.SGD(0.1), verbose=0)
    return made


def stepped(x):
    made = net()
    fastbp.Trainer(made, fastbp.SGD(0.1)).step(x, LABELS)
    return made.weights


def regression(cls=fastbp.Network):
    """A network whose targets have the shape of x."""
    return cls([N, 5, N], output="identity", seed=0)


def with_weights(x):
    made = fastbp.Network([N, M, 3], seed=0)
    made.weights = [x, np.ones((3, M))]
    return made.weights


# Of each call: the argument that it is given, and what it makes of it.
CALLS = {
    "predict": ("x", lambda x: net().predict(x)),
    "predict_labels": ("x", lambda x: net().predict_labels(x)),
    "predict_proba": ("x", lambda x: net().predict_proba(x)),
    "evaluate": ("x", lambda x: net().evaluate(x, LABELS)),
    "forward": ("x", lambda x: net().forward(x).zs),
    "backprop": ("x", lambda x: net().backprop(x, LABELS).nabla_w),
    "cost_and_gradient": ("x", lambda x: net().cost_and_gradient(net().flat, x, LABELS)),
    "input_gradient": ("x", lambda x: net().input_gradient(x, LABELS)),
    "jacobian": ("x", lambda x: net().jacobian(x)),
    "per_sample_gradients": ("x", lambda x: net().per_sample_gradients(x, LABELS).nabla_w),
    "gradient_norms": ("x", lambda x: fastbp.gradient_norms(net(), x, LABELS)),
    "hardest_samples": ("x", lambda x: fastbp.hardest_samples(fitted_net(), x, LABELS, epochs=1).rows),
    "diagnose": ("x", lambda x: [layer.delta for layer in fastbp.diagnose(net(), x, LABELS).layers]),
    "cross_check": ("x", lambda x: fastbp.cross_check(net(), x, LABELS).passed),
    "fit": ("x", fitted),
    "fit by two threads": ("x", lambda x: fitted(x, threads=2)),
    "validation": ("validation x", lambda x: validated((x, LABELS))),
    "step": ("x", stepped),
    "targets of backprop": ("y", lambda y: regression().backprop(PLAIN, y).nabla_w),
    "targets of fit": ("y", lambda y: regression().fit(PLAIN, y, 2, 5, verbose=0).cost),
    "targets of evaluate": ("y", lambda y: regression().evaluate(PLAIN, y)),
    "weights": ("weights[0]", with_weights),
    "the reference's predict": ("x", lambda x: net(fastbp.ReferenceNetwork).predict(x)),
    "the reference's backprop": ("x", lambda x: net(fastbp.ReferenceNetwork).backprop(x, LABELS).nabla_w),
    "the reference's targets": ("y", lambda y: regression(fastbp.ReferenceNetwork).evaluate(PLAIN, y)),
}


def validated(data):
    return net().fit(PLAIN, LABELS, 2, 5, validation_data=data, verbose=0).validation_cost


def flat(result):
    """Return all numbers of a result, as bytes."""
    if isinstance(result, (tuple, list)):
        return [part for item in result for part in flat(item)]
    return [np.asarray(result).tobytes() if not isinstance(result, (str, type(None))) else result]


def bytes_of(thing):
    """Return what a thing holds, as far as it can be seen."""
    if isinstance(thing, np.ndarray):
        return np.asarray(thing).tobytes() if not thing.dtype.hasobject else repr(thing.tolist())
    if scipy.sparse.issparse(thing):
        return thing.data.tobytes() + thing.indices.tobytes() + thing.indptr.tobytes()
    values = getattr(thing, "values", thing)
    return values.tobytes() if isinstance(values, np.ndarray) and not values.dtype.hasobject else repr(thing)[:2000]


def check_same(call, kind):
    make, plain = SAME[kind]
    thing = make()
    before = bytes_of(thing)
    with warnings.catch_warnings(action="ignore"):  # of inputs far from 1
        found = CALLS[call][1](thing)
        expected = CALLS[call][1](np.array(plain, float))
    assert flat(found) == flat(expected), (call, kind)
    assert bytes_of(thing) == before, (call, kind)


def check_error(call, kind):
    thing = ERRORS[kind]()
    before = bytes_of(thing)
    with warnings.catch_warnings(action="ignore"), pytest.raises((ValueError, TypeError)) as caught:
        CALLS[call][1](thing)
    message = str(caught.value)
    name = CALLS[call][0]
    assert re.search(rf"\b{re.escape(name)}|^column", message), (call, kind, message)
    assert len(message) < 1000, (call, kind)
    assert bytes_of(thing) == before, (call, kind)


@pytest.mark.parametrize("kind", SAME)
@pytest.mark.parametrize("call", CALLS)
def test_every_kind_of_array_has_the_bits_of_a_plain_one(call, kind):
    check_same(call, kind)


@pytest.mark.parametrize("kind", ERRORS)
@pytest.mark.parametrize("call", CALLS)
def test_what_is_no_samples_is_an_error_that_names_the_argument(call, kind):
    check_error(call, kind)


@pytest.mark.soak
def test_all_of_it_where_nothing_is_compiled_yet(tmp_path):
    script = "import sys, test_hostile_arrays as t\nfor c in t.CALLS:\n    for k in t.ERRORS: t.check_error(c, k)\n"
    script += "    for k in t.SAME: t.check_same(c, k)\n"
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path)}
    subprocess.run([sys.executable, "-c", script], check=True, env=environment, cwd=os.path.dirname(__file__))
