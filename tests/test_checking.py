"""The checks pass what is right, and name what is wrong: also the checker is checked."""

import json
from dataclasses import replace

import numpy as np
import pytest

import fastbp
from fastbp import SGD, Adam, Network, ReferenceNetwork, check_equations, cross_check
from fastbp.checking.cross import OPTIMIZERS, TOLERANCES, forgiving, references
from fastbp.checking.report import CheckReport, Row
from fastbp.formulas.optimizers import OPTIMIZERS as KINDS
from fastbp.networks.results import Forward

PAIRS = [
    ("sigmoid", "quadratic"),
    ("tanh", "quadratic"),
    ("relu", "quadratic"),
    ("identity", "quadratic"),
    ("softmax", "quadratic"),
    ("sigmoid", "binary_cross_entropy"),
    ("softmax", "binary_cross_entropy"),
    ("sigmoid", "cross_entropy"),
    ("softmax", "cross_entropy"),
]
DTYPES = ("float32", "float64")


@pytest.fixture
def data(rng):
    return rng.normal(size=(33, 7)), rng.integers(0, 3, 33)


def make(engine, **options):
    return engine([7, 17, 5, 3], **{"seed": 2, "activation": "tanh", **options})


# What is right passes


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("pair", PAIRS, ids=" ".join)
@pytest.mark.parametrize("hidden", ["sigmoid", "tanh", "relu", "identity"])
def test_network_consistent_with_equations(engine, hidden, pair, dtype, data):
    output, cost = pair
    net = make(engine, activation=hidden, output=output, cost=cost, dtype=dtype, l1=0.01, l2=0.1)
    report = check_equations(net, *data)
    assert report.passed, report


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("options", [{}, {"l1": 0.01, "l2": 0.1, "dropout": 0.3}], ids=str)
def test_network_consistent_with_reference(engine, options, dtype, data):
    report = cross_check(make(engine, dtype=dtype, **options), *data)
    assert report.passed, report
    names = [row.name for row in report.rows]
    for name in ("zs[0]", "activations[3]", "deltas[2]", "nabla_w[1]", "nabla_b[0]", "predict"):
        assert name in names
    for optimizer in OPTIMIZERS:
        for array in ("weights", "biases"):
            assert f"{array}[2] after 20 steps of {optimizer}" in names


def test_default_optimizers_are_every_kind():
    """But for those that step by signs: where a gradient is nearly 0, rounding has the say."""
    assert {type(optimizer) for optimizer in OPTIMIZERS} == set(KINDS.values()) - {fastbp.Lion, fastbp.Rprop}
    assert any(getattr(optimizer, "nesterov", False) for optimizer in OPTIMIZERS)


def test_a_well_trained_network_passes(engine, data):
    """a - y cancels: the deltas are far smaller than the rounding of a."""
    net = make(engine, output="sigmoid", dtype="float32")
    x, y = data[0][:4], data[1][:4]
    net.fit(x, y, epochs=4000, batch_size=4, optimizer=Adam(0.05), verbose=0)
    assert np.abs(net.backprop(x, y).deltas[-1]).max() < 1e-4
    report = cross_check(net, x, y)
    assert report.passed, report
    assert check_equations(net, x, y).passed


def test_a_rate_is_found_at_which_the_network_does_not_diverge(engine, data):
    net = engine([7, 9, 3], activation="relu", output="identity", initializer="normal", seed=1)
    x = 100 * data[0]
    with pytest.raises(fastbp.DivergenceError):
        cross_check(net, x, data[1], optimizer=OPTIMIZERS[0])
    report = cross_check(net, x, data[1])
    assert report.passed, report
    assert "learning_rate=0.03," not in str(report)


@pytest.mark.parametrize("optimizer", [SGD(0.2), [SGD(0.2), Adam()]], ids=["one", "two"])
def test_the_optimizer_may_be_chosen(data, optimizer):
    report = cross_check(make(ReferenceNetwork), *data, optimizer=optimizer, steps=3)
    after = {row.quantity for row in report.rows if "after" in row.quantity}
    chosen = [optimizer] if isinstance(optimizer, SGD) else optimizer
    arrays = ("weights", "biases")
    assert after == {f"{array} after 3 steps of {one}" for array in arrays for one in chosen}


def test_checks_leave_the_network_as_it_is(engine, data):
    net = make(engine, dropout=0.1)
    before, spec, epochs = net.weights + net.biases, net.spec, net.epochs_trained
    cross_check(net, *data)
    check_equations(net, *data)
    for a, b in zip(before, net.weights + net.biases, strict=True):
        np.testing.assert_array_equal(a, b)
    assert (net.spec, net.epochs_trained) == (spec, epochs)


def test_steps_and_optimizer_are_checked(data):
    net = make(ReferenceNetwork)
    with pytest.raises(ValueError, match="steps must be at least 1, got 0"):
        cross_check(net, *data, steps=0)
    with pytest.raises(ValueError, match="batch_size must be at least 1, got 0"):
        cross_check(net, *data, batch_size=0)
    with pytest.raises(TypeError, match="optimizer must be one of"):
        cross_check(net, *data, optimizer=3)


# What is wrong fails, by name. A Broken network is right but for one entry.


class Broken(ReferenceNetwork):
    """Adds `by` · max|array| to one entry of one array that a hook returns."""

    fault: tuple[str, int, float] = ("", 0, 0.0)

    def _spoil(self, **quantities):
        name, layer, by = self.fault
        if name in quantities:
            array = quantities[name][layer]
            array[(0,) * array.ndim] += by * np.abs(array).max()

    def _forward(self, x):
        states = super()._forward(x)
        spoilt = Forward([z.copy() for z in states.zs], [a.copy() for a in states.activations])
        self._spoil(zs=spoilt.zs, activations=spoilt.activations)
        return spoilt

    def _backprop(self, x, y):
        fault, self.fault = self.fault, ("", 0, 0.0)
        found = super()._backprop(x, y)
        self.fault = fault
        self._spoil(deltas=found.deltas, nabla_w=found.nabla_w, nabla_b=found.nabla_b)
        return found

    def _evaluate(self, x, y):
        cost, correct = super()._evaluate(x, y)
        return cost * (1 + self.fault[2] * (self.fault[0] == "evaluate")), correct

    def _predict(self, x, out):
        super()._predict(x, out)
        self._spoil(predict=[out])

    def _session(self, *arguments):
        session = super()._session(*arguments)
        train = session.train

        def spoilt(*arguments):
            progress = train(*arguments)
            if session.state.steps == 20:  # once in the run
                self._spoil(weights=self._weights, biases=self._biases)
            return progress

        session.train = spoilt
        return session


def broken(dtype, fault):
    net = make(Broken, dtype=dtype)
    net.fault = fault
    return net


def check(net, data):
    """Cross-check with a copy that keeps the fault."""
    assemble = Broken._twin

    def twin(self, engine, dtype=None):
        copy = assemble(self, engine, dtype)
        if engine is Broken:
            copy.fault = self.fault
        return copy

    net._twin = twin.__get__(net)
    return cross_check(net, *data, optimizer=SGD(0.1))


def allowed(dtype, data):
    return {row[:2]: row.tolerance for row in check(broken(dtype, ("", 0, 0.0)), data).rows}


STEPS = f"after 20 steps of {SGD(0.1)}"
FAULTS = [
    *[("zs", layer) for layer in range(3)],
    *[("activations", layer) for layer in range(4)],
    *[(name, layer) for name in ("deltas", "nabla_w", "nabla_b") for layer in range(3)],
    *[(f"{name} {STEPS}", layer) for name in ("weights", "biases") for layer in (0, 2)],
]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("quantity", "layer"), FAULTS, ids=[f"{q[:11]}{n}" for q, n in FAULTS])
def test_one_entry_beyond_its_tolerance_fails_and_is_named(quantity, layer, dtype, data):
    tolerance = allowed(dtype, data)[quantity, layer]
    name = quantity.split()[0]
    report = check(broken(dtype, (name, layer, 1.1 * tolerance)), data)
    assert not report.passed
    assert (quantity, layer) in [row[:2] for row in report.rows if not row.passed]
    assert f"{report.worst.name}   FAILED" in str(report)
    within = check(broken(dtype, (name, layer, 0.5 * tolerance)), data)
    assert within.passed, within


@pytest.mark.parametrize("quantity", ["predict", "evaluate"])
def test_predict_and_evaluate_are_checked_too(quantity, data):
    tolerance = allowed("float32", data)[quantity, None]
    report = check(broken("float32", (quantity, 0, 1.1 * tolerance)), data)
    assert [row.name for row in report.rows if not row.passed] == [quantity]


def all_learned(seed, m=150):
    """A network and data on which the errors of the samples cancel, so that ∂C/∂b^L is 0."""
    rng = np.random.default_rng(seed)
    net = Network([2, 64, 1], activation="relu", output="identity", cost="quadratic", seed=seed)
    x, rest = rng.random((m, 2)).astype("f"), rng.normal(scale=40, size=(m, 1))
    return net, x, references(net)[0].predict(x) + rest - rest.mean()


def test_network_that_has_learned_all_it_can_passes():
    for seed in range(60):  # with tolerances that forgot the samples' errors, 6 of these failed
        net, x, y = all_learned(seed)
        report = cross_check(net, x, y, steps=1, optimizer=SGD(1e-6))
        assert report.passed, report


def test_one_sample_left_out_fails_where_samples_cancel(monkeypatch):
    net, x, y = all_learned(0)
    backprop = Network._backprop

    def forgetful(self, x, y):
        most = backprop(self, x[:-1], y[:-1])
        return backprop(self, x, y)._replace(nabla_w=most.nabla_w, nabla_b=most.nabla_b)

    monkeypatch.setattr(Network, "_backprop", forgetful)
    failed = {row.quantity for row in cross_check(net, x, y, steps=1, optimizer=SGD(1e-6)).rows if not row.passed}
    assert failed == {"nabla_w", "nabla_b"}


def test_nan_fails(data):
    net = make(Broken)
    net.fault = ("nabla_w", 1, np.nan)
    assert not cross_check(net, *data).passed


def test_tolerances_are_of_the_order_of_rounding():
    assert TOLERANCES == {"float32": 16 * 2**-24, "float64": 16 * 2**-53}


def test_a_wrong_formula_fails_although_engines_share_it(data, monkeypatch):
    from fastbp.formulas.activations import ACTIVATIONS

    row = ACTIVATIONS["tanh"]
    monkeypatch.setitem(ACTIVATIONS, "tanh", replace(row, prime=lambda z, a: 1 - a * a * 1.001))
    net = make(ReferenceNetwork)
    assert cross_check(net, *data).passed
    failed = {(row.equation, row.layer) for row in check_equations(net, *data).rows if not row.passed}
    assert failed >= {("BP2", 1), ("BP2", 0)}


def test_a_dead_neuron_does_not_hide_the_others(engine, data):
    net = make(engine, activation="relu", initializer="he_normal")
    net.weights = [np.concatenate([[0 * w[0]], w[1:]]) for w in net.weights[:1]] + net.weights[1:]
    report = check_equations(net, *data)
    assert report.passed, report


# Reports


def report_of(*errors):
    rows = [Row("nabla_w", place, error, 1e-5) for place, error in enumerate(errors)]
    return CheckReport("title", tuple(rows))


def test_report_names_the_worst():
    report = report_of(1e-6, 3e-5, 1e-7)
    assert not report.passed
    assert report.worst.name == "nabla_w[1]"
    assert str(report).splitlines() == [
        "title",
        "    error    allowed",
        "    1e-06      1e-05  nabla_w[0]",
        "    3e-05      1e-05  nabla_w[1]   FAILED",
        "    1e-07      1e-05  nabla_w[2]",
        "FAILED; worst: nabla_w[1], at 3 of what is allowed",
    ]
    assert report_of(1e-6).passed
    assert str(report_of(1e-6)).endswith("passed; worst: nabla_w[0], at 0.1 of what is allowed")


def test_report_is_json():
    found = json.loads(json.dumps(report_of(1e-6, 3e-5).to_dict()))
    assert found["passed"] is False
    assert found["worst"] == "nabla_w[1]"
    assert found["rows"][0] == {
        "quantity": "nabla_w", "layer": 0, "error": 1e-6, "tolerance": 1e-5,
        "name": "nabla_w[0]", "passed": True,
    }  # fmt: skip


def test_nan_is_the_worst():
    assert report_of(1.0, np.nan, 2.0).worst.layer == 1


def test_a_report_is_true_where_it_passed():
    row = fastbp.checking.report.Row("zs", 0, 1e-9, 1e-6)
    assert fastbp.CheckReport("title", (row,))
    assert not fastbp.CheckReport("title", (row, row._replace(error=1.0)))


# Kinks


@pytest.mark.filterwarnings("ignore:training moved no weight")
def test_what_rounding_decides_is_held_against_no_engine():
    rows = [Row("weights", layer, 1e-6, 1e-12) for layer in range(2)]

    def measure(net):
        twin = net._twin(type(net))
        twin.fit(np.zeros((20, 3)), np.ones((20, 2)), 1, 2, SGD(0.1), verbose=0)
        return {"weights": twin.weights}

    for activation, on_a_kink in (("relu", True), ("tanh", False)):  # every z of the hidden layer is 0
        net = ReferenceNetwork([3, 8, 2], activation=activation, output="identity", dtype="float64", seed=0)
        net.biases = [0 * b for b in net.biases]
        found = forgiving(rows, measure, net, 2**-53)
        assert [row.passed for row in found] == [False, on_a_kink]
        assert found[0].tolerance < 1e-11  # x is 0: nothing decides for the first weights


def test_where_a_rounding_makes_the_truth_diverge_nothing_is_allowed_for_it():
    rows, calls = [Row("weights", 0, 1e-6, 1e-12)], []

    def measure(net):
        calls.append(net)
        if len(calls) > 1:
            raise fastbp.DivergenceError(1, 1, 0, 0.1)
        return {"weights": net.weights[:1]}

    assert forgiving(rows, measure, ReferenceNetwork([3, 2], seed=0), 2**-53) == rows
    assert len(calls) > 2
