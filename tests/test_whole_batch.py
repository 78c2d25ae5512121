"""Methods that take all samples at once: L-BFGS, Levenberg-Marquardt, and whatever takes a cost and its gradient."""

import numpy as np
import pytest
from numerical import derivative
from numpy.testing import assert_allclose, assert_array_equal
from scipy.optimize import minimize

import fastbp
from fastbp import LBFGS, Adam, EarlyStopping, LevenbergMarquardt, Trainer
from fastbp.networks.whole_batch import ByLevenbergMarquardt
from fastbp.training.loop import Data

ODD = (1, 2, 3, 15, 16, 17, 31, 33)


@pytest.fixture
def wave():
    x = np.linspace(-1, 1, 120)[:, None]
    return x, np.sin(4 * x[:, 0]) * np.exp(-(x[:, 0] ** 2))


def make(engine=fastbp.Network, sizes=(1, 10, 8, 1), **options):
    return engine(list(sizes), **{"activation": "tanh", "dtype": "float64", "seed": 0, **options})


def flat_gradient(found):
    return np.concatenate([g.ravel() for g in (*found.nabla_w, *found.nabla_b)])


# Cost and gradient of one vector


@pytest.mark.parametrize(
    "options", [{}, {"l1": 0.01, "l2": 0.1}, {"cost": "log_cosh", "dropout": 0.5, "max_norm": 0.1}], ids=str
)
def test_the_gradient_is_that_of_backprop(options, engine, wave):
    """Over more samples than are taken at a time; the network keeps its parameters, and dropout is off."""
    x, y = np.tile(wave[0], (20, 1)), np.tile(wave[1], 20)
    net = make(engine, **options)
    flat = net.flat
    cost, gradient = net.cost_and_gradient(flat, x, y)
    found = net.backprop(x, y)
    assert cost == pytest.approx(found.cost, rel=1e-12)
    assert_allclose(gradient, flat_gradient(found), rtol=0, atol=1e-14)
    moved = flat + 0.1
    net.cost_and_gradient(moved, x, y)
    assert_array_equal(net.flat, flat)
    net.flat = moved
    assert_array_equal(net.flat, moved)
    assert_array_equal(net.weights[1].ravel(), moved[10 : 10 + 80])


def test_the_gradient_is_the_derivative_with_sample_weights(engine, wave, rng):
    net, weight = make(engine, l2=0.01), rng.random(120)
    _, gradient = net.cost_and_gradient(net.flat, *wave, sample_weight=weight)
    numeric = derivative(lambda flat: np.array([net.cost_and_gradient(flat, *wave, sample_weight=weight)[0]]), net.flat)
    assert_allclose(gradient, numeric[:, 0], rtol=0, atol=1e-9)


def test_a_users_own_optimizer_minimizes_it(engine, wave):
    net = make(engine)
    before, _ = net.cost_and_gradient(net.flat, *wave)
    result = minimize(net.cost_and_gradient, net.flat, wave, jac=True, method="CG", options={"maxiter": 40})
    assert result.fun < 0.1 * before
    net.flat = result.x
    assert net.evaluate(*wave).cost == pytest.approx(result.fun)


@pytest.mark.parametrize("wrong", [np.zeros(3), np.zeros((116, 1))])
def test_vectors_of_another_length_are_refused(wrong, engine, wave):
    net = make(engine)
    with pytest.raises(ValueError, match=r"flat must be \(117,\), all weights and then all biases"):
        net.flat = wrong
    with pytest.raises(ValueError, match="flat must be"):
        net.cost_and_gradient(wrong, *wave)


# L-BFGS


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_lbfgs_fits_a_smooth_function(dtype, engine, wave):
    net, seen = make(engine, dtype=dtype), []
    history = net.fit(*wave, epochs=300, optimizer=LBFGS(), verbose=0, callbacks=[lambda net, h: seen.append(net.flat)])
    assert history.cost[-1] < 1e-4
    assert all(b <= a for a, b in zip(history.cost, history.cost[1:], strict=False))
    assert history.cost[-1] == pytest.approx(net.evaluate(*wave).cost, rel=1e-3)
    assert len(history) == len(seen) == len(history.seconds) == net.epochs_trained <= 300
    assert_array_equal(seen[-1], net.flat)


def test_lbfgs_is_scipys(wave):
    net, other = make(), make()
    net.fit(*wave, epochs=20, optimizer=LBFGS(memory=7, tolerance=0.0), verbose=0)
    result = minimize(other.cost_and_gradient, other.flat, wave, jac=True, method="L-BFGS-B",
                      options={"maxiter": 20, "maxcor": 7, "ftol": 0, "gtol": 0})  # fmt: skip
    assert_allclose(net.flat, result.x, rtol=0, atol=1e-9)


def test_lbfgs_classifies_too(engine):
    digits = fastbp.datasets.load_digits()
    net = engine([64, 20, 10], activation="tanh", cost="cross_entropy", l2=1e-4, seed=0)
    history = net.fit(digits.x_train, digits.y_train, epochs=60, optimizer="lbfgs", verbose=0,
                      validation_data=(digits.x_test, digits.y_test))  # fmt: skip
    assert history.validation_accuracy[-1] > 0.93
    assert net.evaluate(digits.x_test, digits.y_test).accuracy == history.validation_accuracy[-1]


@pytest.mark.parametrize("method", [LBFGS(), LevenbergMarquardt()], ids=str)
def test_callbacks_stop_it(method, engine, wave, rng):
    y = wave[1] + rng.normal(size=120)
    net, stop = make(engine), EarlyStopping(patience=3)
    history = net.fit(wave[0], y, epochs=500, optimizer=method, validation_split=0.3, callbacks=[stop], verbose=0)
    assert len(history) == stop.best_epoch + 3
    held = np.setdiff1d(np.arange(120), net._task(wave[0], y, SETTINGS).rows)
    assert net.evaluate(wave[0][held], y[held]).cost == pytest.approx(stop.best)


SETTINGS = fastbp.networks.fitting.Settings(
    1, 10, None, None, 0.3, True, (), None, None, None, 0, None, None, 1, None, ()
)  # fmt: skip


# Levenberg-Marquardt


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("options", [{}, {"output": "sigmoid", "l2": 0.01}, {"activation": "softplus"}], ids=str)
def test_its_equations_are_those_of_the_jacobian(options, dtype, engine, rng):
    """H and ∂C/∂w from J by differences of the outputs, sample by sample."""
    net = make(engine, (2, 5, 3, 2), dtype=dtype, **options)
    x, y, weight = rng.normal(size=(7, 2)), rng.random((7, 2)), rng.random(7)
    session = ByLevenbergMarquardt(net, Data(x.astype(dtype), y.astype(dtype), weight), LevenbergMarquardt())
    gram, gradient = session.normal_equations(net.flat)
    twin = net._assemble(fastbp.networks.objective.replace(net.spec, dtype="float64"), *net._get_parameters())

    def outputs(flat):
        twin.flat = flat
        return twin.predict(x.astype(dtype).astype(float))

    j = np.moveaxis(derivative(outputs, net.flat), 0, -1)  # (7, 2, P)
    share = weight / weight.sum()
    expected = np.einsum("i,ijp,ijq->pq", share, j, j) + np.diag(session.decay)
    residual = outputs(net.flat) - y.astype(dtype)
    assert_allclose(gram, expected, rtol=0, atol=1e-9)
    assert_allclose(
        gradient, np.einsum("i,ijp,ij->p", share, j, residual) + session.decay * net.flat, rtol=0, atol=1e-9
    )
    assert session.decay.any() == bool(net.spec.l2)


@pytest.mark.parametrize("n", ODD)
def test_both_engines_make_the_same_steps(n, rng):
    x, y = rng.normal(size=(n + 3, 2)), rng.normal(size=(n + 3, 3))
    nets = [make(engine, (2, n, 3), l2=1e-3) for engine in (fastbp.Network, fastbp.ReferenceNetwork)]
    for net in nets:
        net.fit(x, y, epochs=3, optimizer=LevenbergMarquardt(), verbose=0)
    assert_allclose(nets[0].flat, nets[1].flat, rtol=0, atol=1e-9)


def test_samples_are_taken_in_parts(monkeypatch, wave):
    one, other = make(), make()
    one.fit(*wave, epochs=3, optimizer=LevenbergMarquardt(), verbose=0)
    monkeypatch.setattr("fastbp.networks.whole_batch.BLOCK", 117 * 50)
    other.fit(*wave, epochs=3, optimizer=LevenbergMarquardt(), verbose=0)
    assert_allclose(one.flat, other.flat, rtol=0, atol=1e-9)


def test_it_reaches_what_adam_does_not(wave):
    """1-20-20-1: 60 steps, against 100 times as many epochs of Adam with a rate that falls to 0."""
    nets = [make(sizes=(1, 20, 20, 1)) for _ in range(2)]
    steps = nets[0].fit(*wave, epochs=60, optimizer=LevenbergMarquardt(), verbose=0)
    adam = Adam(fastbp.schedules.cosine(0.01, epochs=6000))
    epochs = nets[1].fit(*wave, epochs=6000, batch_size=120, optimizer=adam, verbose=0)
    assert steps.cost[-1] < 0.1 * min(epochs.cost)
    assert all(b <= a for a, b in zip(steps.cost, steps.cost[1:], strict=False))  # no step that raises C is made


def test_linear_least_squares_are_solved_at_once(engine, rng):
    x, noise = rng.normal(size=(50, 4)), rng.normal(size=50)
    y = x @ [1.0, -2.0, 3.0, 0.5] + 2 + 0.1 * noise
    net = make(engine, (4, 1))
    history = net.fit(x, y, epochs=30, optimizer=LevenbergMarquardt(damping=1e-9), verbose=0)
    solution, *_ = np.linalg.lstsq(np.column_stack([x, np.ones(50)]), y, rcond=None)
    assert_allclose(net.flat, solution, atol=1e-6)
    assert len(history) <= 4  # it stops where nothing is left to gain


# What is refused


@pytest.mark.parametrize("method", [LBFGS(), LevenbergMarquardt()], ids=str)
@pytest.mark.parametrize(
    ("options", "network", "message"),
    [
        ({"clip_norm": 1.0}, {}, "clip_norm must be left out"),
        ({"ema": 0.9}, {}, "ema must be left out"),
        ({"accumulate": 2}, {}, "accumulate must be left out"),
        ({"batch_size": 7}, {}, "a batch_size must be left out"),
        ({}, {"dropout": 0.1}, "dropout must be left out"),
        ({}, {"max_norm": 1.0}, "monotone weights must be left out"),
        ({"callbacks": [fastbp.Diagnostics()]}, {}, "Diagnostics must be left out"),
        ({"callbacks": [fastbp.Checkpoint("never")]}, {}, "Checkpoint must be left out"),
        ({"callbacks": [fastbp.ReduceOnPlateau("cost")]}, {}, "ReduceOnPlateau must be left out"),
    ],
    ids=str,
)
def test_what_makes_no_sense_is_refused(options, network, message, method, engine, wave):
    with pytest.raises(ValueError, match=message):
        make(engine, **network).fit(*wave, optimizer=method, verbose=0, **options)


def test_levenberg_marquardt_is_for_small_networks_and_squares(engine, wave):
    with pytest.raises(ValueError, match=r"is for cost quadratic, not huber; try fastbp.LBFGS\(\)"):
        make(engine, cost="huber").fit(*wave, optimizer=LevenbergMarquardt(), verbose=0)
    with pytest.raises(ValueError, match="takes l2, not l1"):
        make(engine, l1=0.1).fit(*wave, optimizer=LevenbergMarquardt(), verbose=0)
    with pytest.raises(ValueError, match=r"a number for each pair of parameters: 12,001 of these would take 1.1 GiB"):
        make(engine, (1, 4000, 1)).fit(*wave, optimizer=LevenbergMarquardt(), verbose=0)


@pytest.mark.parametrize("method", [LBFGS(), LevenbergMarquardt()], ids=str)
def test_a_trainer_takes_steps_only(method, engine):
    with pytest.raises(TypeError, match="takes all samples at once, not a step at a time"):
        Trainer(make(engine), method)


@pytest.mark.parametrize(
    ("create", "message"),
    [
        (lambda: LBFGS(memory=0), "memory must be an integer of at least 1, got 0"),
        (lambda: LBFGS(tolerance=-1), "tolerance must be >= 0"),
        (lambda: LevenbergMarquardt(damping=0), "damping must be > 0"),
    ],
)
def test_settings_that_are_refused(create, message):
    with pytest.raises(ValueError, match=message):
        create()
