"""Probabilities, hidden layers, derivatives by the inputs; a network inside compiled code of one's own."""

import os
import subprocess
import sys
import warnings

import numpy as np
import pytest
from numba import njit, prange
from numba.core.errors import NumbaWarning, TypingError
from numerical import derivative
from numpy.testing import assert_allclose, assert_array_equal

import fastbp
from fastbp.formulas.activations import ACTIVATIONS
from fastbp.formulas.costs import COSTS

ODD = (1, 2, 3, 15, 16, 17, 31, 33, 100)
ATOL = {"float64": 1e-13, "float32": 2e-5}


def make(engine=fastbp.Network, sizes=(5, 17, 9, 3), **options):
    return engine(
        list(sizes), **{"activation": "tanh", "cost": "cross_entropy", "dtype": "float64", "seed": 1, **options}
    )


def both(sizes=(5, 17, 9, 3), **options):
    return make(fastbp.Network, sizes, **options), make(fastbp.ReferenceNetwork, sizes, **options)


# Probabilities


def test_probabilities_of_classes_sum_to_1(engine, rng):
    x, y = rng.normal(size=(60, 5)), np.array(["ant", "bee", "cat"])[rng.integers(0, 3, 60)]
    net = make(engine)
    net.fit(x, y, epochs=2, verbose=0)
    found = net.predict_proba(x)
    assert_allclose(found.sum(axis=1), 1, atol=1e-12)
    assert_array_equal(net.classes[found.argmax(axis=1)], net.predict_labels(x))
    assert_allclose(net.predict_proba(x[0]), found[0], rtol=1e-13)


def test_one_sigmoid_has_two_probabilities(engine, rng):
    x, y = rng.normal(size=(60, 5)), rng.random(60) < 0.5
    net = make(engine, (5, 7, 1))
    net.fit(x, y, epochs=2, verbose=0)
    found = net.predict_proba(x)
    assert found.shape == (60, 2)
    assert_allclose(found[:, 1], net.predict(x)[:, 0])
    assert_allclose(found[:, 0], 1 - net.predict(x)[:, 0])
    assert_array_equal(net.classes[found.argmax(axis=1)], net.predict_labels(x))
    assert net.predict_proba(x[0]).shape == (2,)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"cost": "quadratic", "output": "identity"}, "no probabilities"),
        ({"cost": "binary_cross_entropy"}, "several labels at once"),
    ],
)
def test_what_need_not_sum_to_1_is_no_probability(options, message, engine):
    with pytest.raises(ValueError, match=message):
        make(engine, **options).predict_proba(np.zeros((2, 5)))


def test_hinge_tells_labels(engine, rng):
    """Of one output by its sign, of several by the largest."""
    x = rng.normal(size=(200, 5))
    for sizes, y in (((5, 9, 1), x[:, 0] > 0.3), ((5, 9, 3), np.digitize(x[:, 0], [-0.4, 0.4]))):
        net = make(engine, sizes, cost="hinge")
        history = net.fit(x, y, epochs=40, optimizer=fastbp.Adam(0.02), verbose=0)
        assert history.accuracy[-1] > 0.93
        assert net.evaluate(x, y).accuracy == np.mean(net.predict_labels(x) == y) > 0.93


# Hidden layers


def test_hidden_layers_are_those_of_forward(engine, rng):
    net, x = make(engine), rng.normal(size=(20, 5))
    activations = net.forward(x).activations
    for layer in (0, 1, 2, -1, -3):
        assert_array_equal(net.hidden(x, layer), activations[1:][layer])
        assert_array_equal(net.hidden(x[3], layer).shape, activations[1:][layer][3].shape)
    for wrong in (3, -4, 0.5, True, "last"):
        with pytest.raises(ValueError, match=r"layer must be 0..2, a place in net.weights"):
            net.hidden(x, wrong)


# Derivatives by the inputs


@pytest.mark.parametrize("dtype", ATOL)
@pytest.mark.parametrize("n", ODD)
def test_derivatives_by_the_inputs_agree_with_reference(n, dtype, rng):
    for sizes in ((n, 33, 3), (3, n, 4), (3, 17, n + 1)):
        nets = both(sizes, dtype=dtype)
        x, y = rng.normal(size=(n, sizes[0])), rng.integers(0, sizes[-1], n)
        for name, data in (("jacobian", (x,)), ("input_gradient", (x, y))):
            fast, slow = (getattr(net, name)(*data) for net in nets)
            assert fast.dtype == dtype
            assert_allclose(fast, slow, rtol=0, atol=ATOL[dtype])


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_the_jacobian_is_the_derivative(activation, engine):
    over_rows = ACTIVATIONS[activation].over_rows
    net = make(engine, activation="tanh" if over_rows else activation, output=activation, cost="quadratic")
    x = np.random.default_rng(3).normal(size=(4, 5)) * 0.7
    found = net.jacobian(x)
    assert found.shape == (4, 3, 5)
    for sample, row in zip(found, x, strict=True):
        assert_allclose(sample, derivative(net.predict, row).T, rtol=1e-8, atol=1e-8)
    assert_allclose(net.jacobian(x[1]), found[1], rtol=1e-13, atol=1e-14)


@pytest.mark.parametrize("cost", COSTS)
def test_the_input_gradient_is_the_derivative_of_each_samples_cost(cost, engine):
    net = make(engine, cost=cost, l2=0.1)  # of C_x alone, without penalties
    r = np.random.default_rng(3)
    x, y = r.normal(size=(4, 5)), r.random((4, 3))
    y /= y.sum(axis=1, keepdims=True)
    found = net.input_gradient(x, y)
    for place in range(4):

        def of_sample(row, place=place):
            return np.array([net.evaluate(row[None], y[place : place + 1]).cost])

        assert_allclose(found[place], derivative(of_sample, x[place])[:, 0], rtol=0, atol=1e-7)


def test_many_samples_are_taken_in_parts(rng):
    net = make(sizes=(5, 9, 100))
    x = rng.normal(size=(300, 5))
    parts = np.concatenate([net.jacobian(x[:150]), net.jacobian(x[150:])])
    assert_allclose(net.jacobian(x), parts, rtol=0, atol=1e-14)
    assert not net.epochs_trained


def test_labels_are_taken_by_name(engine, rng):
    x, y = rng.normal(size=(30, 5)), np.array(["ant", "bee", "cat"])[np.arange(30) % 3]
    net = make(engine)
    net.fit(x, y, epochs=1, verbose=0)
    assert_array_equal(net.input_gradient(x, y), net.input_gradient(x, np.eye(3)[np.arange(30) % 3]))


# A network inside compiled code


@njit
def run(f, x, out):
    for i in range(len(x)):
        f(x[i], out[i])


@pytest.mark.parametrize("dtype", ATOL)
@pytest.mark.parametrize("n", ODD)
def test_compiled_networks_have_the_bits_of_predict(n, dtype, rng):
    for sizes in ((n, 33, 3), (3, n, n), (2, 17, n)):
        net = make(sizes=sizes, dtype=dtype, output="sigmoid", cost="quadratic")
        x, out = rng.normal(size=(5, sizes[0])).astype(dtype), np.full((5, sizes[-1]), np.nan, dtype)
        run(net.compiled(), x, out)
        assert_array_equal(out, [net.predict(row) for row in x])


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_every_activation_is_compiled(activation, rng):
    hidden = "tanh" if activation == "softmax" else activation
    net = make(activation=hidden, output=activation, cost="quadratic")
    x, out = rng.normal(size=5), np.empty(3)
    net.compiled()(x, out)
    assert_array_equal(out, net.predict(x))


def test_compiled_networks_follow_training(rng):
    net = make()
    f, x, out = net.compiled(), rng.normal(size=(40, 5)), np.empty(3)
    assert net.compiled() is f
    for _ in range(2):
        net.fit(x, rng.integers(0, 3, 40), epochs=1, verbose=0)
        f(x[0], out)
        assert_array_equal(out, net.predict(x[0]))
    net.weights = [2 * w for w in net.weights]
    f(x[0], out)
    assert_array_equal(out, net.predict(x[0]))


def test_a_first_y_that_changes_the_output_is_told(rng):
    net = make()
    f = net.compiled()
    with pytest.warns(UserWarning, match=r"changed the network's output: call compiled\(\) again"):
        net.fit(rng.normal(size=(40, 5)), np.tile([[1, 1, 0], [0, 1, 1]], (20, 1)), epochs=1, verbose=0)
    assert net.compiled() is not f


@njit(parallel=True)
def together(f, x, out):
    for i in prange(len(x)):
        f(x[i], out[i])


def test_any_number_of_threads_may_be_in_it(rng):
    net = make(sizes=(50, 100, 100, 7), dtype="float32")
    x, out = rng.normal(size=(4000, 50)).astype("float32"), np.empty((4000, 7), "float32")
    f = net.compiled()
    for _ in range(3):
        out[:] = np.nan
        with warnings.catch_warnings(action="ignore"):
            together(f, x, out)
        alone = np.empty_like(out)
        run(f, x, alone)
        assert_array_equal(out, alone)


ALLOCATIONS = """
import numpy as np, fastbp
from numba import njit
from numba.core.runtime import rtsys
net = fastbp.Network([5, 17, 3], dtype="float64", seed=0)
f, x, out = net.compiled(), np.ones((100, 5)), np.empty((100, 3))
@njit
def run(x, out):
    for i in range(len(x)):
        f(x[i], out[i])
@njit
def allocate(n):
    return np.ones(n).sum()
run(x, out), allocate(3)
counts = []
for samples in (1, 100):  # a call of Python's takes its arrays along
    before = rtsys.get_allocation_stats().alloc
    run(x[:samples], out[:samples])
    counts.append(rtsys.get_allocation_stats().alloc - before)
assert counts[0] == counts[1], counts
before = rtsys.get_allocation_stats().alloc
allocate(5)
assert rtsys.get_allocation_stats().alloc > before, "statistics are off: the test could not fail"
"""


def test_nothing_is_allocated():
    subprocess.run(
        [sys.executable, "-c", ALLOCATIONS], check=True, env={**os.environ, "NUMBA_NRT_STATS": "1"}, timeout=300
    )


def test_wrong_arrays_are_refused():
    f = make().compiled()
    for x, out in ((np.zeros(4), np.zeros(3)), (np.zeros(5), np.zeros(2))):
        with pytest.raises(ValueError, match=r"x must be \(5,\), and out \(3,\)"):
            f(x, out)
    frozen = np.zeros(3)
    frozen.flags.writeable = False
    for x, out in ((np.zeros(5, "f4"), np.zeros(3)), (np.zeros(10)[::2], np.zeros(3)), (np.zeros((1, 5)), np.zeros(3)),
                   (np.zeros(5), frozen)):  # fmt: skip
        with pytest.raises(TypingError, match="must be a C-contiguous array"):
            f(x, out)


def test_networks_too_wide_for_a_stack_are_refused():
    with pytest.raises(ValueError, match=r"of at most 262,144 on a stack; write net.predict\(x, out=out\)"):
        make(sizes=(40_000, 1)).compiled()


SCRIPT = """
import numpy as np, fastbp, warnings
from numba import njit
net = fastbp.Network([5, 7, 3], cost="quadratic", activation="tanh", seed={seed})
f = net.compiled()
@njit(cache=True)
def g(x, out):
    f(x, out)
out = np.empty(3, "float32")
with warnings.catch_warnings(record=True) as said:
    warnings.simplefilter("always")
    g(np.ones(5, "float32"), out)
assert (out == net.predict(np.ones(5, "float32"))).all()
print(any("dynamic globals" in str(w.message) for w in said))
"""


def test_code_with_addresses_is_not_cached(tmp_path):
    """numba would find it again in another process, where something else lies there."""
    assert NumbaWarning
    for seed in (1, 2):
        script = tmp_path / "same.py"
        script.write_text(SCRIPT.replace("{seed}", str(seed)), encoding="utf-8")
        os.utime(script, (1, 1))
        done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, timeout=120)
        assert done.stdout.strip() == "True", done.stderr


def test_the_reference_is_not_compiled():
    with pytest.raises(TypeError, match=r"write net.to_fast\(\).compiled\(\)"):
        make(fastbp.ReferenceNetwork).compiled()


# The short way of one sample


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("place", [0, 4])
def test_one_sample_that_is_not_finite_is_refused(engine, bad, place):
    x = np.ones(5)
    x[place] = bad
    with pytest.raises(ValueError, match=rf"x\[0, {place}\] is {bad}"):
        make(engine).predict(x)


@pytest.mark.parametrize("n", [1, 2, 4, 100])
def test_one_sample_and_its_place_have_the_networks_sizes(engine, n):
    net = make(engine)
    with pytest.raises(ValueError, match=rf"x must be \(m, 5\).*got \({n},\)"):
        net.predict(np.ones(n))
    out = np.full(n, 7.0)
    with pytest.raises(ValueError, match=rf"out must be \(3,\).*got \({n},\)"):
        net.predict(np.ones(5), out)
    assert (out == 7).all()
