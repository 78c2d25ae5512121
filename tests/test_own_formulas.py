"""A formula of one's own: an activation, a cost, an optimizer, given to either engine as it is written."""

import json
import math
import os
import pickle
import subprocess
import sys
from dataclasses import dataclass, replace

import numpy as np
import pytest

import fastbp
from fastbp.formulas.expression import KNOWN, trace
from fastbp.kernels.activate import delta_formula

# The chapter's own example: σ' is always positive, and never comes near 0.
STEADY = fastbp.Activation("steady", lambda z: np.tanh(z) + z / 2)
LEAKY = fastbp.activations.leaky_relu(0.2)
FOURTH = fastbp.Cost("fourth", lambda a, y: (a - y) ** 4)
PINBALL = fastbp.Cost("pinball", lambda a, y: np.maximum(0.9 * (y - a), 0.1 * (a - y)), kinks=(0,))


@dataclass(frozen=True)
class Lion:
    """Not one of the package's: w ← w - η sign(β₁ m + (1 - β₁) g)."""

    learning_rate: float = 1e-3
    beta1: float = 0.9
    beta2: float = 0.99
    slots = ("momentum",)

    def constants(self, step):
        return {"rest1": 1 - self.beta1, "rest2": 1 - self.beta2}

    def rule(self, c, g, w, m):
        return w - c.learning_rate * np.sign(c.beta1 * m + c.rest1 * g), c.beta2 * m + c.rest2 * g


@dataclass(frozen=True)
class Averaged:
    """Three slots, and constants that depend on the step."""

    learning_rate: float = 1e-2
    slots = ("mean", "square", "largest")

    def constants(self, step):
        return {"share": 1 / step, "unbias": 1 / (1 - 0.9**step)}

    def rule(self, c, g, w, mean, square, largest):
        mean = mean + c.share * (g - mean)
        square = 0.9 * square + 0.1 * g * g
        largest = np.maximum(largest, square)
        return w - c.learning_rate * mean / (np.sqrt(c.unbias * largest) + 1e-3), mean, square, largest


@dataclass(frozen=True)
class Named:
    """Its state has the names that kernels have for other things."""

    learning_rate: float = 1e-2
    slots = ("share", "total", "w", "l1")

    def constants(self, step):
        return {"total": 0.9, "l2": 0.1}

    def rule(self, c, g, w, a, b, d, e):
        a, b = c.total * a + c.l2 * g, b + g * g
        return w - c.learning_rate * a / (1 + np.sqrt(b)) - 1e-4 * (d + e), a, b, d + g, 0.5 * e + g


@dataclass(frozen=True)
class TooMany(Named):
    def constants(self, step):
        return super().constants(step) | {f"number{i}": float(i) for i in range(40)}


@dataclass(frozen=True)
class Twice(Named):
    slots = ("m", "m")


@pytest.fixture
def data(rng):
    return rng.normal(size=(60, 7)), rng.random((60, 3))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("cost", ["quadratic", FOURTH, PINBALL], ids=["quadratic", "fourth", "pinball"])
@pytest.mark.parametrize("activation", ["tanh", STEADY, LEAKY], ids=["tanh", "steady", "leaky"])
def test_ones_own_agrees_with_reference(activation, cost, dtype, data):
    net = fastbp.Network([7, 33, 17, 3], activation=activation, output=STEADY, cost=cost, dtype=dtype, seed=1)
    report = fastbp.cross_check(
        net, *data, optimizer=[fastbp.SGD(1e-3), Lion(), Averaged(), Named(), fastbp.Adam(epsilon=1e-4)]
    )
    assert report.passed, report
    equations = fastbp.check_equations(net, *data)
    assert equations.passed, equations


@pytest.mark.parametrize("n", [-8, -3, -2, -1, 0.5, 1, 2, 3, 8])
def test_powers_are_those_of_numpy(n, engine):
    power = fastbp.Activation(f"power {n}", lambda z: (1 + z * z / 4) ** n)
    z = np.linspace(-2, 2, 9)[:, None]
    net = engine([1, 1], output=power, cost="quadratic", dtype="float64", seed=0)
    net.weights, net.biases = [np.ones((1, 1))], [np.zeros(1)]
    np.testing.assert_allclose(net.predict(z), (1 + z * z / 4) ** n, rtol=1e-14)
    delta = net.backprop(z, np.zeros((9, 1))).deltas[-1]
    np.testing.assert_allclose(delta, n * z / 2 * (1 + z * z / 4) ** (2 * n - 1), rtol=1e-13, atol=1e-300)


CHOICES = {
    "mask as a number": (lambda z: z * (z > 0) + 0.5 * (z < -1), lambda z: 1.0 * (z > 0)),
    "where": (lambda z: np.where(z < 0, np.exp(z), 1 + z), lambda z: np.where(z < 0, np.exp(z), 1.0)),
    "where of a number": (lambda z: np.where(z < 0, 0.25, 0.25 + z * z), lambda z: np.where(z < 0, 0.0, 2 * z)),
    "where of both": (
        lambda z: np.where((z > -1) & ~(z > 1), z, np.where(z < 0, -1, 1)),
        lambda z: 1.0 * (np.abs(z) < 1),
    ),
    "clip": (lambda z: z + np.clip(z, -0.5, 1.5), lambda z: 1.0 + ((z > -0.5) & (z < 1.5))),
    "reciprocal": (lambda z: np.reciprocal(1 + z * z), lambda z: -2 * z / (1 + z * z) ** 2),
    "line": (lambda z: 3 + 2 * z, lambda z: 2.0 + 0 * z),
}


@pytest.mark.parametrize("kind", CHOICES)
def test_choices_and_their_derivatives_are_those_of_numpy(kind, engine):
    function, slope = CHOICES[kind]
    row = fastbp.Activation(kind, function, kinks=(-1, -0.5, 0, 1, 1.5))
    z = np.linspace(-3, 3, 33)[:, None]  # on no kink
    z = z[np.min(np.abs(z - np.array(row.kinks)), axis=1) > 0.01]
    net = engine([1, 1], output=row, cost="quadratic", dtype="float64", seed=0)
    net.weights, net.biases = [np.ones((1, 1))], [np.zeros(1)]
    np.testing.assert_allclose(net.predict(z), function(z), rtol=1e-14)
    np.testing.assert_allclose(net.backprop(z, 0 * z).deltas[-1], function(z) * slope(z), rtol=1e-14)
    assert row.slope(z, row.value(z)).shape == z.shape


def test_a_slope_of_0_or_1_is_a_choice_and_no_product():
    for name, operations in (("relu", {"less_equal", "where"}), ("tanh", {"multiply", "subtract"})):
        formula = delta_formula(fastbp.formulas.activations.ACTIVATIONS[name], np.dtype("float32"))
        assert {step[0] for step in formula.steps} == operations


def test_the_chapters_sigma_never_comes_near_0():
    z = np.linspace(-1000, 1000, 20001)
    assert STEADY.slope(z, STEADY.value(z)).min() >= 0.5


def test_the_chapters_sigma_does_not_learn_slowly(rng):
    """Through ten layers δ comes back as long as it was, where sigmoids leave nothing of it."""
    x, y = rng.normal(size=(200, 30)), rng.normal(size=(200, 30))
    shares = {}
    for activation in ("sigmoid", STEADY):
        net = fastbp.Network([30] * 11, activation=activation, output="identity", initializer="glorot_uniform", seed=0)
        deltas = net.backprop(x, y).deltas
        shares[getattr(activation, "name", activation)] = np.linalg.norm(deltas[0]) / np.linalg.norm(deltas[-1])
    assert shares["sigmoid"] < 1e-4
    assert 0.1 < shares["steady"] < 100


@pytest.mark.parametrize("optimizer", [Lion(1e-2), Averaged()], ids=["lion", "averaged"])
def test_an_optimizer_of_ones_own_learns(engine, optimizer):
    digits = fastbp.datasets.load_digits()
    net = engine([64, 30, 10], activation="relu", cost="cross_entropy", seed=0)
    net.fit(digits.x_train, digits.y_train, epochs=3, optimizer=optimizer, verbose=0)
    assert net.evaluate(digits.x_test, digits.y_test).accuracy > 0.85


def test_files_name_formulas_and_take_them_back(tmp_path, data, engine):
    net = engine([7, 5, 3], activation=[STEADY], output=fastbp.activations.leaky_relu(0.2), cost=FOURTH, seed=0)
    net.fit(*data, epochs=2, verbose=0)
    net.save(tmp_path / "own.safetensors")
    again = fastbp.load(tmp_path / "own.safetensors", formulas=[STEADY, FOURTH])
    np.testing.assert_allclose(again.predict(data[0]), net.predict(data[0]), atol=1e-6)
    assert again.spec.activations == ("steady", "leaky_relu(slope=0.2)")
    assert again.spec.activation_rows[1].value(np.array([-1.0])) == -0.2
    assert again.evaluate(*data).cost == pytest.approx(net.evaluate(*data).cost, rel=1e-5)


@pytest.mark.parametrize(("given", "missing"), [([], "steady"), ([STEADY], "fourth")])
def test_a_file_says_which_formula_it_lacks(given, missing, tmp_path):
    path = tmp_path / "own.safetensors"
    fastbp.Network([2, 3, 1], activation=STEADY, cost=FOURTH, seed=0).save(path)
    with pytest.raises(fastbp.ModelFileError, match=rf"unknown .* '{missing}'; .* load\(path, formulas="):
        fastbp.load(path, formulas=given)


def test_copies_keep_formulas(data):
    net = fastbp.Network([7, 5, 3], activation=STEADY, cost=FOURTH, seed=0)
    for twin in (net.to_reference(), net.to_reference().to_fast()):
        np.testing.assert_allclose(twin.predict(data[0]), net.predict(data[0]), atol=1e-6)
    with pytest.raises((pickle.PicklingError, AttributeError), match="lambda"):
        pickle.dumps(net)


def test_parameters_are_part_of_the_name(engine):
    net = engine([2, 3, 1], activation="elu(alpha=2)", seed=0)
    assert net.spec.activations[0] == "elu(alpha=2.0)"
    assert engine([2, 3, 1], activation="leaky_relu", seed=0).spec.activations[0] == "leaky_relu"
    with pytest.raises(ValueError, match=r"cannot read activation leaky_relu\(leak=2\); write leaky_relu\(slope=0.1\)"):
        engine([2, 3, 1], activation="leaky_relu(leak=2)")
    with pytest.raises(ValueError, match="slope must be >= 0"):
        fastbp.activations.leaky_relu(-1)


def test_what_kernels_have_no_room_for_is_refused(engine, data):
    with pytest.raises(ValueError, match="TooMany has 43 numbers and constants; a rule may ask for 29"):
        engine([7, 3], seed=0).fit(*data, optimizer=TooMany(), verbose=0)
    with pytest.raises(TypeError, match=r"Twice\.slots must be a tuple of names, another for each"):
        engine([7, 3], seed=0).fit(*data, optimizer=Twice(), verbose=0)


def test_a_changed_row_of_the_table_is_not_taken_for_the_row():
    relu = fastbp.activations.ACTIVATIONS["relu"]
    with pytest.raises(ValueError, match="two formulas called 'relu'"):
        fastbp.Network([2, 3, 1], activation=replace(relu, function=lambda z: 2 * z))


def test_two_formulas_of_one_name_are_refused():
    other = fastbp.Activation("steady", lambda z: z * 2)
    with pytest.raises(ValueError, match="two formulas called 'steady'; give yours another name"):
        fastbp.Network([2, 3, 3, 1], activation=[STEADY, other])
    with pytest.raises(ValueError, match="two formulas called 'relu'"):
        fastbp.Network([2, 3, 1], activation=fastbp.Activation("relu", lambda z: z * 2))


REFUSED = [
    ("python's if", lambda z: z if z > 0 else 0 * z, TypeError, "write np.where"),
    ("python's max", lambda z: max(z, 0), TypeError, "write np.where"),
    ("math", lambda z: math.exp(z), TypeError, "write np.exp"),
    ("sinh", lambda z: np.sinh(z), TypeError, "sinh is not known to the kernels"),
    ("log2", lambda z: np.log2(z), TypeError, "log2 is not known to the kernels"),
    ("method", lambda z: z - z.mean(), TypeError, ".mean is not known to the kernels"),
    ("sum", lambda z: z / np.sum(z), TypeError, "np.sum is not known to the kernels"),
    ("reduce", lambda z: z / np.maximum.reduce(z), TypeError, "np.maximum.reduce looks at many entries"),
    ("options", lambda z: np.exp(z, dtype=z.dtype), TypeError, "np.exp has options; a formula computes each by itself"),
    ("matrix product", lambda z: z @ z, TypeError, "matmul is not known to the kernels"),
    ("array", lambda z: np.array([1.0, 2.0]) * z, TypeError, r"there is an array \(2,\) in the formula"),
    ("own array", lambda z: np.asarray(z), TypeError, "makes no arrays"),
    ("power", lambda z: z**2.5, TypeError, r"z \*\* n is known for whole n up to 8"),
    ("index", lambda z: z[0], TypeError, "not subscriptable|looks at several"),
    ("loop", lambda z: sum(z), TypeError, "cannot look at several"),
    ("text", lambda z: "z", TypeError, "must return a number for each entry; this one returns 'z'"),
    ("nothing", lambda z: None, TypeError, "must return a number for each entry"),
    ("never", lambda z: np.log(-np.square(z) - 1), ValueError, "has no derivative anywhere near 0"),
    ("infinite inside", lambda z: z / (1 + np.exp(-z)), ValueError, "derivative is NaN at z = -1000.*expit"),
    ("steep at 0", lambda z: np.sqrt(np.abs(z)), ValueError, "not finite at z = 0"),
]


@pytest.mark.parametrize(("function", "error", "message"), [r[1:] for r in REFUSED], ids=[r[0] for r in REFUSED])
def test_a_function_that_kernels_cannot_be_made_of_is_refused(function, error, message):
    with pytest.raises(error, match=f"(?s)mine: .*{message}|mine {message}"):
        fastbp.Activation("mine", function)


def test_a_refusal_lists_what_is_known():
    with pytest.raises(TypeError) as caught:
        fastbp.Activation("mine", np.cosh)
    for name in ("exp", "expm1", "log1p", "tanh", "sqrt", "abs", "sign", "minimum", "square", "where", "erf", "expit"):
        assert name in str(caught.value)
    assert KNOWN in str(caught.value)


def test_a_wrong_derivative_is_refused():
    with pytest.raises(ValueError, match=r"bad: the derivative is given as .* at z = .*, and differences of"):
        fastbp.Activation("bad", np.tanh, lambda z, a: 1 - a)
    with pytest.raises(ValueError, match=r"bad: the derivative is given as .* at y = 0.4, a ="):
        fastbp.Cost("bad", lambda a, y: (a - y) ** 2, lambda a, y: np.where(y == 0.4, a, 2 * (a - y)))


@dataclass(frozen=True)
class Broken(Lion):
    what: str = ""

    def constants(self, step):
        return {"shape": np.ones((2, 2))} if self.what == "constants" else {}

    def rule(self, c, g, w, m):
        if self.what == "few":
            return w
        return w - (c.nonsense * g if self.what == "name" else g), m


@pytest.mark.parametrize(
    ("what", "error", "message"),
    [
        ("few", TypeError, "Broken.rule returns 1 arrays; return w and then momentum"),
        ("name", TypeError, "no attribute 'nonsense'; c has learning_rate, beta1, beta2"),
        ("if", TypeError, "np.where"),
        ("constants", ValueError, r"constants\(step\)\['shape'\] is \(2, 2\) for 3 steps"),
    ],
)
def test_an_optimizer_that_is_none_is_refused(what, error, message, data):
    optimizer = Broken(what=what) if what != "if" else IfInside()
    with pytest.raises(error, match=message):
        fastbp.Network([7, 3], seed=0).fit(*data, optimizer=optimizer, verbose=0)


@dataclass(frozen=True)
class IfInside(Lion):
    def rule(self, c, g, w, m):
        return (w if g > 0 else -w), m


# What a trace says


def test_equal_numbers_and_steps_are_not_mixed_up():
    """1 - y is not what step 1 and y would give."""

    def formula(a, y):
        inside = np.minimum(np.maximum(a, 0.1), 0.9)  # step 1
        return (inside * 1.5 + (1 - y)) + (inside - y)

    assert [operation for operation, _ in trace(formula, ["a", "y"]).steps].count("subtract") == 2


def test_a_step_is_noted_once():
    formula = trace(lambda z: np.exp(z) + np.exp(z) * np.exp(z), ["z"])
    assert [operation for operation, _ in formula.steps] == ["exp", "multiply", "add"]


def test_formulas_differ_in_their_digest():
    formulas = [trace(f, ["z"]) for f in (lambda z: z + 1, lambda z: z - 1, lambda z: 1 - z, lambda z: z + 2, np.exp)]
    assert len({formula.digest for formula in formulas}) == 5
    assert trace(lambda z: z + 1, ["z"]).digest == formulas[0].digest


KEEPS = """
import json, sys
import numpy as np
import fastbp
own = fastbp.Activation("own", lambda z: np.tanh(z) + z / {divisor})
net = fastbp.Network([4, 5, 2], activation=own, output=own, seed=0)
from fastbp.compiler import folders, native
built = []
module = native._module
native._module = lambda *given: built.append(given[1]) or module(*given)
net.fit(np.ones((20, 4)), np.ones((20, 2)), epochs=1, verbose=0)
kept = sum("row-" in file.name for file in folders.folders()[0].iterdir())
print(json.dumps([len(built), net.predict(np.ones(4)).tolist(), kept]))
"""


def test_a_formula_of_ones_own_is_found_on_disk_and_never_stale(tmp_path):
    def run(divisor):
        environment = os.environ | {"NUMBA_CACHE_DIR": str(tmp_path)}
        code = KEEPS.format(divisor=divisor)
        command = [sys.executable, "-W", "ignore", "-c", code]
        found = subprocess.run(command, capture_output=True, text=True, env=environment)
        assert found.returncode == 0, found.stderr
        return json.loads(found.stdout)

    first, again, other = run(2), run(2), run(3)
    assert first[0] > 0
    assert again[0] == 0
    assert again[1:] == first[1:]
    assert other[0] > 0
    assert other[1] != first[1]
