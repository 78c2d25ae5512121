"""Each row of each table against a numerical derivative, values by hand, and its extremes."""

import dataclasses
import math

import numpy as np
import pytest
from numerical import derivative
from numpy.testing import assert_allclose, assert_array_equal

import fastbp
from fastbp.formulas import dual, lookup, number
from fastbp.formulas.activations import ACTIVATIONS, find_activation
from fastbp.formulas.activations.rows import SELU_ALPHA, SELU_SCALE
from fastbp.formulas.costs import COSTS
from fastbp.formulas.dropout import keep_scale
from fastbp.formulas.initializers import INITIALIZERS, find_initializer
from fastbp.formulas.optimizers import SGD, Adam, AdamW, RMSprop, update
from fastbp.formulas.penalties import penalty, penalty_gradient
from fastbp.networks.reference import cost_per_sample

DTYPES = ("float32", "float64")
ELEMENTWISE = [row for row in ACTIVATIONS.values() if not row.over_rows]
FUSED = {(output, cost.name): pair for cost in COSTS.values() for output, pair in cost.pairs.items()}
TABLES = {"activation": ACTIVATIONS, "cost": COSTS}


def name_of(row):
    return row.name


@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)
def test_rows_are_found_by_their_own_name(table):
    assert all(row.name == name for name, row in table.items())


# Activations

BY_HAND = {
    "sigmoid": [(0, 0.5), (math.log(3), 0.75), (-50, math.exp(-50)), (1000, 1), (-1000, 0)],
    "tanh": [(0, 0), (math.atanh(0.5), 0.5), (1000, 1), (-1000, -1)],
    "relu": [(2, 2), (0, 0), (-3, 0), (1000, 1000)],
    "identity": [(2, 2), (-3, -3)],
    "leaky_relu": [(2, 2), (0, 0), (-3, -0.03), (-1000, -10)],
    "elu": [(2, 2), (0, 0), (-math.log(2), -0.5), (-1000, -1)],
    "gelu": [(0, 0), (1, 0.5 * (1 + math.erf(0.5**0.5))), (-1, -0.5 * math.erfc(0.5**0.5)), (1000, 1000), (-1000, 0)],
    "gelu_tanh": [(0, 0), (1, 0.5 * (1 + math.tanh(1.044715 * (2 / math.pi) ** 0.5))), (1000, 1000), (-1000, 0)],
    "silu": [(0, 0), (math.log(3), 0.75 * math.log(3)), (1000, 1000), (-1000, 0)],
    "softplus": [(0, math.log(2)), (math.log(3), math.log(4)), (1000, 1000), (-1000, 0)],
    "mish": [(0, 0), (math.log(3), 15 / 17 * math.log(3)), (1000, 1000), (-1000, 0)],
    "selu": [
        (2, 2 * SELU_SCALE),
        (0, 0),
        (-math.log(2), -SELU_SCALE * SELU_ALPHA / 2),
        (-1000, -SELU_SCALE * SELU_ALPHA),
    ],
    "hard_sigmoid": [(0, 0.5), (1.5, 0.75), (3, 1), (-3, 0), (1000, 1), (-1000, 0)],
    "hard_tanh": [(0, 0), (-0.5, -0.5), (2, 1), (-2, -1)],
    "softsign": [(0, 0), (1, 0.5), (-3, -0.75)],
    "log_sigmoid": [(0, -math.log(2)), (math.log(3), math.log(0.75)), (-1000, -1000), (1000, 0)],
    "exp": [(0, 1), (math.log(3), 3), (-1000, 0)],
}


@pytest.mark.parametrize("row", ELEMENTWISE, ids=name_of)
def test_activation_values(row):
    z, a = np.array(BY_HAND[row.name], dtype=float).T
    assert_allclose(row.value(z), a, rtol=1e-15, atol=1e-15 if row.name != "sigmoid" else 0)


@pytest.mark.parametrize("row", ELEMENTWISE, ids=name_of)
def test_prime_is_the_derivative(row):
    z = np.array([[-3.1, -1.1, -0.2, 0.3, 0.9, 4.2]])
    numeric = np.array([derivative(row.value, [v])[0, 0] for v in z[0]])
    assert_allclose(row.slope(z, row.value(z))[0], numeric, atol=1e-11)
    derived = dual.derivative_of(row.function)(z)
    assert_allclose(np.broadcast_to(derived, z.shape)[0], numeric, atol=1e-11)


@pytest.mark.parametrize("row", ELEMENTWISE, ids=name_of)
def test_values_lie_between_low_and_high_and_come_near_them(row):
    z = np.concatenate([np.linspace(-30, 30, 60001), [-1e6, 1e6]])
    with np.errstate(over="ignore"):
        a = row.value(z)
    for bound, nearest, inward in ((row.low, a.min(), 1), (row.high, a.max(), -1)):
        if math.isinf(bound):
            assert -inward * nearest >= 1e4
        else:
            assert 0 <= inward * (nearest - bound) < 1e-4


def test_relu_has_slope_0_at_0():
    row = ACTIVATIONS["relu"]
    assert_array_equal(row.slope(np.array([0.0, -0.0]), np.zeros(2)), 0)


@pytest.mark.parametrize("row", ACTIVATIONS.values(), ids=name_of)
@pytest.mark.parametrize("dtype", DTYPES)
def test_activation_keeps_dtype_and_nan(row, dtype):
    z = np.array([[1, np.nan, -2]], dtype=dtype)
    a = row.value(z)
    assert a.dtype == dtype
    assert np.isnan(a[0, 1])
    if not row.over_rows:
        assert row.slope(z, a).dtype == dtype


softmax = ACTIVATIONS["softmax"].value


def test_softmax_values():
    a = softmax(np.log([[1.0, 2.0, 5.0], [3.0, 3.0, 2.0]]))
    assert_allclose(a, [[0.125, 0.25, 0.625], [0.375, 0.375, 0.25]], rtol=1e-15)
    assert_array_equal(softmax(np.array([[1000.0, -1000.0, 0.0]])), [[1, 0, 0]])


def test_softmax_jacobian():
    z = np.array([0.3, -1.2, 2.0])
    a = softmax(z[None, :])[0]
    numeric = derivative(lambda moved: softmax(moved[None, :])[0], z)
    assert_allclose(np.diag(a) - np.outer(a, a), numeric, atol=1e-11)


@pytest.mark.parametrize("temperature", [0.25, 1.0, 3.0])
def test_a_temperature_flattens_softmax(temperature):
    row = fastbp.activations.softmax(temperature)
    z = np.array([[0.3, -1.2, 2.0]])
    assert_allclose(row.value(z), softmax(z / temperature), rtol=1e-14)
    assert row is not ACTIVATIONS["softmax"]
    assert find_activation(row.name).scale == row.scale == 1 / temperature


# Costs

A = np.array([[0.2, 0.5, 0.3], [0.1, 0.8, 0.1]])
Y = np.array([[0.0, 1.0, 0.0], [0.25, 0.25, 0.5]])
COSTS_BY_HAND = {
    "quadratic": [0.19, 0.2425],
    "binary_cross_entropy": [
        -math.log(0.8) - math.log(0.5) - math.log(0.7),
        -0.25 * math.log(0.1) - 0.75 * math.log(0.9) - 0.25 * math.log(0.8)
        - 0.75 * math.log(0.2) - 0.5 * math.log(0.1) - 0.5 * math.log(0.9),
    ],
    "cross_entropy": [math.log(2), -0.75 * math.log(0.1) - 0.25 * math.log(0.8)],
    "mean_absolute": [0.2 + 0.5 + 0.3, 0.15 + 0.55 + 0.4],
    "huber": [0.19, 0.2425],
    "log_cosh": [sum(math.log(math.cosh(d)) for d in row) for row in ((0.2, 0.5, 0.3), (0.15, 0.55, 0.4))],
    "quantile": [0.5, 0.55],
    "poisson": [1 - math.log(0.5), 1 - 0.25 * math.log(0.1) - 0.25 * math.log(0.8) - 0.5 * math.log(0.1)],
    "focal": [0.25 * math.log(2), -(0.25 + 0.5) * 0.81 * math.log(0.1) - 0.25 * 0.04 * math.log(0.8)],
    "binary_focal": [
        -0.04 * math.log(0.8) - 0.25 * math.log(0.5) - 0.09 * math.log(0.7),
        sum(-y * (1 - a) ** 2 * math.log(a) - (1 - y) * a**2 * math.log(1 - a)
            for a, y in ((0.1, 0.25), (0.8, 0.25), (0.1, 0.5))),
    ],
    "hinge": [1.2 + 0.5 + 1.3, 1.05 + 1.4 + 1],
}  # fmt: skip


@pytest.mark.parametrize("row", COSTS.values(), ids=name_of)
def test_cost_values(row):
    assert_allclose(row.terms(A, Y).sum(axis=1), COSTS_BY_HAND[row.name], rtol=1e-14)


@pytest.mark.parametrize("row", COSTS.values(), ids=name_of)
def test_cost_derivative(row):
    numeric = [
        derivative(lambda moved, y=y: row.terms(moved[None], y[None])[0].sum(), a) for a, y in zip(A, Y, strict=True)
    ]
    assert_allclose(row.slope(A, Y), numeric, rtol=1e-6, atol=1e-10)
    assert_allclose(dual.derivative_of(row.function)(A, Y), numeric, rtol=1e-6, atol=1e-10)


costs, activations = fastbp.costs, fastbp.activations


@pytest.mark.parametrize(
    ("row", "terms"),
    [
        (costs.huber(0.25), [[0.02, 0.25 * (0.5 - 0.125), 0.25 * (0.3 - 0.125)],
                             [0.5 * 0.15**2, 0.25 * (0.55 - 0.125), 0.25 * (0.4 - 0.125)]]),
        (costs.quantile(0.9), [[0.02, 0.45, 0.03], [0.135, 0.055, 0.36]]),
        (costs.focal(1.0), [[0, -0.5 * math.log(0.5), 0],
                            [-0.225 * math.log(0.1), -0.05 * math.log(0.8), -0.45 * math.log(0.1)]]),
        (costs.binary_focal(1.0), [[-0.2 * math.log(0.8), -0.5 * math.log(0.5), -0.3 * math.log(0.7)],
                                   [-0.225 * math.log(0.1) - 0.075 * math.log(0.9),
                                    -0.05 * math.log(0.8) - 0.6 * math.log(0.2),
                                    -0.45 * math.log(0.1) - 0.05 * math.log(0.9)]]),
    ],
    ids=str,
)  # fmt: skip
def test_cost_of_another_parameter(row, terms):
    assert_allclose(row.terms(A, Y), terms, rtol=1e-14)
    test_cost_derivative(row)


def test_smoothed_targets():
    assert_allclose(costs.cross_entropy(0.3).smooth(Y, 3), 0.7 * Y + 0.1, rtol=1e-15)
    assert_allclose(costs.binary_cross_entropy(0.3).smooth(Y, 3), 0.7 * Y + 0.15, rtol=1e-15)
    assert costs.cross_entropy(0.0).smooth(Y, 3) is Y


@pytest.mark.parametrize(
    ("make", "name", "good", "bad"),
    [
        (costs.huber, "delta", [1e-9, 1e9], [0, -1, math.inf]),
        (costs.quantile, "q", [1e-9, 0.999], [0, 1, -0.5]),
        (costs.cross_entropy, "label_smoothing", [0, 0.999], [1, -0.1]),
        (costs.binary_cross_entropy, "label_smoothing", [0, 0.999], [1, -0.1]),
        (costs.focal, "gamma", [0, 9], [-0.1, math.inf]),
        (costs.binary_focal, "gamma", [0, 9], [-0.1, math.nan]),
        (activations.softmax, "temperature", [1e-3, 9], [0, -1]),
        (activations.leaky_relu, "slope", [0, 9], [-0.1]),
        (activations.elu, "alpha", [1e-3, 9], [0, -1]),
    ],
)
def test_parameters_of_formulas_have_bounds(make, name, good, bad):
    for value in good:
        assert f"{name}={float(value)!r}" in make(value).name or not value
    for value in bad:
        with pytest.raises(ValueError, match=f"{name} must be .*, got {value}"):
            make(value)


PLACES = np.arange(-4, 4.5, 0.5)
BENDS = ("elu", "softsign")  # whose kinks are jumps of σ'' only


def jumps(slope):
    """The places, of multiples of ½, where a slope jumps."""
    return {place for place in PLACES if np.ptp(slope(place + np.array([-1e-6, 1e-6]))) > 1e-3}


@pytest.mark.parametrize("row", [row for row in ELEMENTWISE if row.name not in BENDS], ids=name_of)
def test_kinks_of_activations_are_where_the_slope_jumps(row):
    assert jumps(lambda z: row.slope(z, row.value(z))) == {*row.kinks}


@pytest.mark.parametrize("row", [row for row in COSTS.values() if row.kinks or math.isinf(row.low)], ids=name_of)
def test_kinks_of_costs_are_where_the_slope_jumps(row):
    found = [jumps(lambda d, y=y: row.slope(y + d, np.full(2, y))) for y in (0.0, 1.0)]
    assert set.union(*found) == {*row.kinks}


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("row", COSTS.values(), ids=name_of)
def test_cost_keeps_dtype_and_stays_finite_at_0_and_1(row, dtype):
    a, y = np.array([[0, 1, 0, 1]], dtype), np.array([[0, 0, 1, 1]], dtype)
    for got in (row.terms(a, y), row.slope(a, y)):
        assert got.dtype == dtype
        assert np.isfinite(got).all()


@pytest.mark.parametrize("row", [row for row in COSTS.values() if row.for_probabilities], ids=name_of)
def test_costs_that_clip_are_steep_at_0_or_1(row):
    ends = np.array([[0.0, 1.0]])
    assert row.clips == (max(np.abs(row.slope(ends, y)).max() for y in (ends, 1 - ends)) > 1e15)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", ["binary_cross_entropy", "cross_entropy"])
def test_logarithms_are_clipped_where_documented(name, dtype):
    info, row = np.finfo(dtype), COSTS[name]
    outside = np.array([[0, 1]], dtype)
    bounds = np.array([[info.tiny, 1 - info.epsneg]], dtype)
    for y in np.array([[[0, 1]], [[1, 0]]], dtype):
        assert_array_equal(row.terms(outside, y), row.terms(bounds, y))
        assert_array_equal(row.slope(outside, y), row.slope(bounds, y))


Z = np.array([[0.4, -1.3, 2.2], [-0.7, 0.1, 1.9]])


def cost_of_pair(pair, z, y):
    """C_x (m,) of a pair, as the reference computes it."""
    activation = ACTIVATIONS[pair[0]]
    return cost_per_sample(z, activation.value(z), y, activation, COSTS[pair[1]])


@pytest.mark.parametrize("pair", FUSED, ids=" ".join)
def test_fused_cost_is_the_cost_of_the_activation(pair):
    activation, cost = ACTIVATIONS[pair[0]], COSTS[pair[1]]
    assert_allclose(cost_of_pair(pair, Z, Y), cost.terms(activation.value(Z), Y).sum(axis=1), rtol=1e-13)


@pytest.mark.parametrize("pair", FUSED, ids=" ".join)
def test_fused_delta_is_the_derivative_by_z(pair):
    a = ACTIVATIONS[pair[0]].value(Z)
    numeric = [
        derivative(lambda moved, y=y: cost_of_pair(pair, moved[None], y[None])[0], z) for z, y in zip(Z, Y, strict=True)
    ]
    assert_allclose(FUSED[pair].delta(a, Y), numeric, atol=1e-11)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(
    ("pair", "z", "y", "cost"),
    [
        (("sigmoid", "binary_cross_entropy"), [1000, -1000], [1, 0], 0),
        (("sigmoid", "binary_cross_entropy"), [1000, -1000], [0, 1], 2000),
        (("softmax", "cross_entropy"), [1000, -1000], [1, 0], 0),
        (("softmax", "cross_entropy"), [1000, -1000], [0, 1], 2000),
        (("softmax", "cross_entropy"), [1000, 1000], [0, 1], math.log(2)),
    ],
)
def test_fused_cost_is_stable_at_1000(pair, z, y, cost, dtype):
    got = cost_of_pair(pair, np.array([z], dtype), np.array([y], dtype))
    assert got.dtype == dtype
    assert_allclose(got, [cost], rtol=1e-6 if dtype == "float32" else 1e-15)


def test_fused_cost_keeps_digits_that_a_has_lost():
    z = np.array([[40.0]])  # a = 1 in float64
    got = cost_of_pair(("sigmoid", "binary_cross_entropy"), z, np.ones((1, 1)))
    assert_allclose(got, [math.exp(-40)], rtol=1e-14)


# Initializers

MOMENTS = {  # n_in = 200, n_out = 300: (standard deviation of w, of b)
    "normal": (1, 1),
    "scaled_normal": (200**-0.5, 1),
    "glorot_uniform": ((2 / 500) ** 0.5, 0),
    "he_normal": (0.1, 0),
    "glorot_normal": ((2 / 500) ** 0.5, 0),
    "he_uniform": (0.1, 0),
    "lecun_normal": (200**-0.5, 0),
    "lecun_uniform": (200**-0.5, 0),
    "torch_uniform": ((3 * 200) ** -0.5, (3 * 200) ** -0.5),
    "orthogonal": (300**-0.5, 0),
}


@pytest.mark.parametrize("name", MOMENTS)
def test_initializer_moments(name, rng):
    w, b = INITIALIZERS[name](rng, 200, 300)
    assert w.shape == (300, 200)
    assert b.shape == (300,)
    assert w.dtype == b.dtype == np.float64
    deviations = MOMENTS[name]
    assert_allclose(w.std(), deviations[0], rtol=0.02)
    assert_allclose(b.std(), deviations[1], rtol=0.15)
    assert abs(w.mean()) < 0.02 * deviations[0]


def test_all_other_initializers_are_constant(rng):
    for name in {*INITIALIZERS} - {*MOMENTS}:
        w, b = INITIALIZERS[name](rng, 3, 4)
        assert np.ptp(w) == np.ptp(b) == b[0] == 0
    assert_array_equal(find_initializer("constant(value=-0.5)")(rng, 3, 4)[0], np.full((4, 3), -0.5))
    assert not INITIALIZERS["zeros"](rng, 3, 4)[0].any()


@pytest.mark.parametrize(("n_in", "n_out"), [(5, 5), (3, 8), (8, 3), (1, 4), (4, 1)])
def test_orthogonal_rows_or_columns(n_in, n_out, rng):
    w, _ = INITIALIZERS["orthogonal"](rng, n_in, n_out)
    product = w @ w.T if n_out <= n_in else w.T @ w
    assert_allclose(product, np.eye(min(n_in, n_out)), atol=1e-14)
    signs = [np.sign(INITIALIZERS["orthogonal"](rng, n_in, n_out)[0][0, 0]) for _ in range(50)]
    assert {-1, 1} <= set(signs)  # neither sign is preferred


def test_glorot_stays_in_its_range(rng):
    w, _ = INITIALIZERS["glorot_uniform"](rng, 50, 70)
    limit = math.sqrt(6 / 120)
    assert 0.99 * limit < np.abs(w).max() <= limit


# Optimizers: against scalar arithmetic, written apart

GRADIENTS = [0.5, -0.25, 0.125, 1.0, -2.0, 0.0, 0.3]


def by_hand(optimizer):
    w, v, m = 1.5, 0.0, 0.0
    for t, g in enumerate(GRADIENTS, start=1):
        if isinstance(optimizer, RMSprop):
            v = optimizer.rho * v + (1 - optimizer.rho) * g**2
            step = g / (math.sqrt(v) + optimizer.epsilon)
            m = optimizer.momentum * m + step
            w -= optimizer.learning_rate * m
        elif isinstance(optimizer, Adam):
            if isinstance(optimizer, AdamW):
                w *= 1 - optimizer.learning_rate * optimizer.weight_decay
            m = optimizer.beta1 * m + (1 - optimizer.beta1) * g
            v = optimizer.beta2 * v + (1 - optimizer.beta2) * g**2
            m_hat, v_hat = m / (1 - optimizer.beta1**t), v / (1 - optimizer.beta2**t)
            w -= optimizer.learning_rate * m_hat / (math.sqrt(v_hat) + optimizer.epsilon)
        else:
            v = optimizer.momentum * v + g
            step = g + optimizer.momentum * v if optimizer.nesterov else v
            w -= optimizer.learning_rate * step
    return w


UNDER_TEST = [
    SGD(0.1),
    SGD(learning_rate=0.1, momentum=0.9),
    SGD(0.2, momentum=0.5, nesterov=True),
    Adam(),
    Adam(learning_rate=0.1, beta1=0.5, beta2=0.7, epsilon=0.1),
    AdamW(0.05, weight_decay=0.1),
    RMSprop(0.05, rho=0.8),
    RMSprop(0.05, rho=0.8, epsilon=0.1, momentum=0.9),
]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("optimizer", UNDER_TEST, ids=str)
def test_optimizer_steps(optimizer, dtype):
    w = np.full((2, 3), 1.5, dtype)
    state = [np.zeros_like(w) for _ in optimizer.slots]
    for step, g in enumerate(GRADIENTS, start=1):
        gradient = np.full_like(w, g)
        update(optimizer, w, gradient, state, step, optimizer.learning_rate)
        assert_array_equal(gradient, np.full_like(w, g))  # not used as scratch
    assert w.dtype == dtype
    assert_allclose(w, by_hand(optimizer), rtol=1e-6 if dtype == "float32" else 1e-14)


def test_adam_first_step_is_the_learning_rate():
    w = np.zeros(1)
    update(Adam(epsilon=1e-12), w, np.full(1, 7.0), [w.copy(), w.copy()], 1, 0.25)
    assert_allclose(w, -0.25)


def test_optimizers_are_immutable():
    for optimizer in UNDER_TEST:
        with pytest.raises(dataclasses.FrozenInstanceError):
            optimizer.learning_rate = 1.0


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: SGD(-0.1), ValueError, "learning_rate must be >= 0 and finite, got -0.1"),
        (lambda: SGD(math.nan), ValueError, "learning_rate must be >= 0 and finite, got nan"),
        (lambda: SGD(math.inf), ValueError, "learning_rate must be >= 0 and finite, got inf"),
        (lambda: SGD("fast"), TypeError, "learning_rate must be a number, got 'fast'"),
        (lambda: SGD(True), TypeError, "learning_rate must be a number, got True"),
        (lambda: SGD(0.1, momentum=1.0), ValueError, "momentum must be >= 0 and < 1, got 1.0"),
        (lambda: SGD(0.1, nesterov=True), ValueError, "nesterov needs momentum > 0; try"),
        (lambda: SGD(0.1, 0.9, "yes"), TypeError, "nesterov must be True or False, got 'yes'"),
        (lambda: Adam(-1), ValueError, "learning_rate must be >= 0"),
        (lambda: Adam(beta1=1), ValueError, "beta1 must be >= 0 and < 1, got 1"),
        (lambda: Adam(beta2=-0.5), ValueError, "beta2 must be >= 0 and < 1, got -0.5"),
        (lambda: Adam(epsilon=0), ValueError, "epsilon must be > 0 and finite, got 0"),
    ],
)
def test_optimizer_refuses(make, error, message):
    with pytest.raises(error, match=message):
        make()


# Penalties

W = np.array([[0.5, -2.0], [0.0, 3.0]])


def test_penalty_values():
    assert penalty([W, W[:1]], l1=2.0, l2=0.0) == 2 * (5.5 + 2.5)
    assert penalty([W, W[:1]], l1=0.0, l2=4.0) == 2 * (13.25 + 4.25)
    assert penalty([W], 0.0, 0.0) == 0


def test_penalty_gradient_is_the_derivative():
    w = W + 0.01  # off the kink of |w|
    numeric = derivative(lambda moved: penalty([moved], 0.3, 0.7), w)
    assert_allclose(penalty_gradient(w, 0.3, 0.7), numeric, rtol=1e-10)


def test_penalty_gradient_at_0_is_0():
    assert penalty_gradient(W, 0.3, 0.7)[1, 0] == 0


# Dropout


def keep_by_hand(seed, layer, row, neuron, dropout):
    """Follow the definition with Python's integers."""
    mask = 2**64 - 1
    counter = (layer << 56) ^ (row << 24) ^ neuron
    z = (seed + counter * 0x9E3779B97F4A7C15) & mask
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & mask
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & mask
    return ((z ^ (z >> 31)) >> 40) >= round(dropout * 2**24)


@pytest.mark.parametrize("seed", [0, 1, 2**63 - 1])
def test_dropout_follows_its_definition(seed):
    rows = np.array([0, 3, 70000])
    got = keep_scale(seed, 2, rows, 9, 0.4, np.float64)
    expected = [[keep_by_hand(seed, 2, int(r), n, 0.4) / 0.6 for n in range(9)] for r in rows]
    assert_allclose(got, expected, rtol=1e-15)


def test_dropout_drops_its_share():
    keep = keep_scale(5, 0, np.arange(1000), 100, 0.3, np.float32)
    assert keep.dtype == np.float32
    assert set(np.unique(keep)) == {np.float32(0), np.float32(1 / 0.7)}
    assert_allclose((keep == 0).mean(), 0.3, atol=0.005)


# What the tables share


def test_unknown_name_lists_the_choices():
    with pytest.raises(ValueError, match="unknown cost 'quadratc'; choose from binary_cross_ent"):
        lookup("cost", COSTS, "quadratc")
    with pytest.raises(TypeError, match="cost must be a name, got 3; choose from"):
        lookup("cost", COSTS, 3)


def test_number_takes_numpy_scalars():
    assert type(number("l2", np.float32(0.5))) is float
