"""check_equations passes what is right, and blames the equation and the layer of what is wrong."""

import json
from dataclasses import replace

import numpy as np
import pytest

import fastbp
from fastbp import Network, ReferenceNetwork, check_equations
from fastbp.checking.numeric import analytic, slope
from fastbp.checking.report import EquationReport
from fastbp.formulas.activations import ACTIVATIONS, Row
from fastbp.formulas.costs import COSTS
from fastbp.formulas.costs import Row as CostRow
from fastbp.networks import reference
from fastbp.networks.run import Run

SIZES = (1, 2, 3, 15, 16, 17, 31, 33)
NETWORKS = 60
NAMES = sorted({*ACTIVATIONS} - {"softmax", "exp"})  # of exp, weights 20 times too large make infinite numbers
WITHOUT_DERIVATIVE = (28,)  # outputs that belong to no cost, saturated in every sample
rng = np.random.default_rng(0)
SQUARE = [8, 6, 6, 6, 6]  # every w but the first may be transposed, and nobody's shapes complain


@pytest.fixture
def data():
    r = np.random.default_rng(1)
    return r.normal(size=(33, 8)), r.integers(0, 6, 33)


def make(engine=ReferenceNetwork, **options):
    return engine(SQUARE, **{"activation": "tanh", "cost": "quadratic", "output": "sigmoid", "seed": 1} | options)


def blamed(report):
    """Return the first equation and layer that the verdict names."""
    assert not report.passed
    words = report.verdict.split()
    equation = "(25)" if report.verdict.startswith("the forward pass") else words[0]
    return equation, int(report.verdict.partition("layer ")[2].split()[0].rstrip(":;,"))


# Sound networks


def drawn(seed):
    """A random network and its data: fresh, saturated by weights 20 times too large, or trained to the end."""
    r = np.random.default_rng(seed)
    sizes = [int(n) for n in r.choice(SIZES, r.integers(2, 7))]
    cost = COSTS[str(r.choice(list(COSTS)))]
    output = str(r.choice(cost.outputs or [*NAMES, "softmax"]))
    if sizes[-1] == 1 and (output == "softmax" or cost.sums_to_one):
        sizes[-1] = 3
    net = Network(
        sizes, activation=[str(name) for name in r.choice(NAMES, len(sizes) - 2)],
        output=output, cost=cost.name, dtype=str(r.choice(["float32", "float64"])), seed=seed,
        l1=float(r.choice([0, 0.01])), l2=float(r.choice([0, 0.1])), dropout=float(r.choice([0, 0.3])),
    )  # fmt: skip
    x = r.normal(size=(int(r.choice([1, 2, 20, 70])), sizes[0])) * float(r.choice([1, 10, 0.01]))
    y = r.random((len(x), sizes[-1])) * 0.9
    if cost.sums_to_one:
        y /= y.sum(axis=1, keepdims=True)
    if seed % 3 == 1 and output != "exp":
        net.weights = [20 * w for w in net.weights]
    elif seed % 3 == 2:
        net.fit(x, y, 200, min(10, len(x)), fastbp.Adam(0.01), verbose=0)
    return net if seed % 2 else net.to_reference(), x, y


@pytest.mark.filterwarnings("ignore::UserWarning")  # some of these networks are doubtful, and fit says so
@pytest.mark.parametrize("seed", range(NETWORKS))
def test_sound_networks_raise_no_alarm(seed):
    net, x, y = drawn(seed)
    if seed in WITHOUT_DERIVATIVE:
        with pytest.raises(ValueError, match="no derivative at any"):
            check_equations(net, x, y)
        return
    report = check_equations(net, x, y)
    assert report.passed, report
    assert report.verdict.startswith(f"the four equations hold in all {len(net.sizes) - 1} layers")


@pytest.mark.parametrize("engine", [Network, ReferenceNetwork])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_exp_is_checked_too(engine, dtype):
    r = np.random.default_rng(0)
    net = engine([5, 9, 4, 2], activation=["exp", "softsign"], output="exp", cost="poisson", dtype=dtype, seed=0)
    assert check_equations(net, 0.3 * r.normal(size=(20, 5)), r.poisson(2, (20, 2))).passed


@pytest.mark.parametrize("engine", [Network, ReferenceNetwork])
def test_a_large_network_is_checked(engine):
    net = engine([784, 1000, 200, 10], activation="relu", cost="cross_entropy", seed=0)
    assert check_equations(net, rng.random((20, 784)), rng.integers(0, 10, 20)).passed


# Planted faults: each is one line of the reference, or of what an engine hands back, that is wrong in one layer


def in_layer(monkeypatch, name, layer, fault):
    """Let a function of the reference go wrong in one layer; layers are told apart by their arrays of z or weights."""
    right = getattr(reference, name)
    count = [0]

    def wrong(*args):
        place = count[0]
        count[0] += 1
        return fault(right, *args) if place % layer[1] == layer[0] else right(*args)

    monkeypatch.setattr(reference, name, wrong)


HIDDEN = [0, 1, 2]


@pytest.mark.parametrize("layer", HIDDEN)
def test_a_wrong_slope_is_blamed_on_bp2(layer, data):
    """σ' of one layer, at each engine: the row itself is wrong, so both engines share it."""
    wrong = Row("wrong", np.tanh, lambda z, a: 1 - 0.9 * a * a)
    rows = ["tanh"] * 3
    rows[layer] = wrong
    for engine in (ReferenceNetwork, Network):
        assert blamed(check_equations(make(engine, activation=rows), *data)) == ("BP2", layer)


def test_a_slope_that_is_left_out_is_called_so(data):
    rows = ["tanh", Row("wrong", np.tanh, lambda z, a: np.ones_like(z)), "tanh"]
    report = check_equations(make(Network, activation=rows), *data)
    assert blamed(report) == ("BP2", 1)
    assert "if σ' was left out" in report.verdict


@pytest.mark.parametrize("engine", [ReferenceNetwork, Network])
def test_a_wrong_slope_at_the_output_is_blamed_on_bp1(engine, data):
    wrong = Row("wrong", ACTIVATIONS["sigmoid"].function, lambda z, a: a * (1 - a) * 1.01, low=0, high=1)
    assert blamed(check_equations(make(engine, output=wrong), *data)) == ("BP1", 3)


@pytest.mark.parametrize("engine", [ReferenceNetwork, Network])
def test_a_wrong_derivative_of_the_cost_is_blamed_on_bp1(engine, data):
    wrong = CostRow("wrong", COSTS["quadratic"].function, lambda a, y: 2 * (a - y))
    report = check_equations(make(engine, cost=wrong), *data)
    assert blamed(report) == ("BP1", 3)
    assert "2 times what it should be" in report.verdict


@pytest.mark.parametrize("layer", HIDDEN)
def test_weights_not_transposed_are_blamed_on_bp2(layer, data, monkeypatch):
    def fault(right, w, *rest):
        return right(w.T, *rest)

    in_layer(monkeypatch, "hidden_delta", (2 - layer, 3), fault)
    report = check_equations(make(), *data)
    assert blamed(report) == ("BP2", layer)
    assert "if w was not transposed" in report.verdict


class Faulty(Network):
    """The fused engine, but for what `fault` makes of the arrays it hands back."""

    fault = None

    def _forward(self, x):
        found = super()._forward(x)
        return self.fault("forward", found) or found if self.fault else found

    def _backprop(self, x, y):
        found = super()._backprop(x, y)
        return self.fault("backprop", found) or found if self.fault else found

    def __reduce__(self):
        raise NotImplementedError


def faulty(fault, **options):
    net = make(Faulty, **options)
    net.fault = fault
    return net


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("layer", range(4))
def test_a_bias_that_is_left_out_is_blamed_on_the_forward_pass(layer, dtype, data):
    def fault(kind, found):
        if kind == "forward":
            found.zs[layer] -= net.biases[layer]

    net = faulty(fault, dtype=dtype, initializer="scaled_normal")
    report = check_equations(net, *data)
    assert blamed(report) == ("(25)", layer)
    assert "if the bias was left out" in report.verdict


@pytest.mark.parametrize("layer", HIDDEN)
def test_a_stale_buffer_is_blamed_where_it_is_read(layer, data):
    """δ of the last row is that of the first: as if a kernel had not written it."""

    def fault(kind, found):
        if kind == "backprop":
            found.deltas[layer][-1] = found.deltas[layer][0]

    report = check_equations(faulty(fault), *data)
    assert blamed(report) == ("BP2", layer)


class SharedZ(Network):
    """The fused engine with an error in its memory: z of one layer is written over by the next one's."""

    layer = 0

    def _run(self, *args, **options):
        run = super()._run(*args, **options)
        run.space.layers["z"][self.layer + 1] = run.space.layers["z"][self.layer]
        return run


@pytest.mark.parametrize("layer", [0, 1])
def test_a_stale_buffer_in_the_kernels_is_blamed(layer, data):
    """gelu needs z for σ': the kernels read what the layer above has left there."""
    net = make(SharedZ, activation="gelu")
    net.layer = layer
    assert blamed(check_equations(net, *data)) == ("BP2", layer)


@pytest.mark.parametrize("layer", range(4))
def test_activations_of_another_batch_are_blamed_on_the_forward_pass(layer, data):
    def fault(kind, found):
        if kind == "forward":
            found.activations[layer + 1][-1] = found.activations[layer + 1][0]

    assert blamed(check_equations(faulty(fault), *data)) == ("(25)", layer)


@pytest.mark.parametrize("layer", range(4))
@pytest.mark.parametrize(("array", "equation"), [("nabla_b", "BP3"), ("nabla_w", "BP4")])
def test_a_mean_that_is_taken_twice_is_blamed_and_named(array, equation, layer, data):
    def fault(kind, found):
        if kind == "backprop":
            getattr(found, array)[layer][...] /= 33

    report = check_equations(faulty(fault), *data)
    assert blamed(report) == (equation, layer)
    assert "1/m = 1/33 of what it should be" in report.verdict


def test_a_mean_that_is_taken_twice_everywhere_is_blamed_on_both(data):
    def fault(kind, found):
        if kind == "backprop":
            for g in (*found.nabla_w, *found.nabla_b):
                g[...] /= 33

    report = check_equations(faulty(fault), *data)
    assert {(row.equation, row.layer) for row in report.rows if not row.passed} >= {
        (equation, layer) for equation in ("BP3", "BP4") for layer in range(4)
    }


@pytest.mark.parametrize("layer", HIDDEN)
def test_dropout_forgotten_on_the_way_back_is_blamed_on_the_step(layer, data, monkeypatch):
    """δ is not scaled by 1 / (1 - p): only a training step has dropout, so backprop is right."""
    right = reference.backward

    def forgetful(states, y, weights, spec, keeps=None):
        if keeps is not None:
            keeps = list(keeps)
            keeps[layer + 1] = keeps[layer + 1] * (1 - spec.dropout)
        return right(states, y, weights, spec, keeps)

    monkeypatch.setattr(reference, "backward", forgetful)
    report = check_equations(make(dropout=0.3), *data)
    assert blamed(report) == ("BP2", layer)
    assert "a training step (backprop is right)" in report.verdict


def test_a_penalty_that_is_left_out_is_called_so(data):
    def fault(kind, found):
        if kind == "backprop":
            found.nabla_w[2] -= 0.1 * net.weights[2]

    net = faulty(fault, l2=0.1)
    report = check_equations(net, *data)
    assert blamed(report) == ("BP4", 2)
    assert "if the penalty was left out" in report.verdict


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_one_entry_that_is_wrong_is_found_where_it_is(dtype, data):
    def fault(kind, found):
        if kind == "backprop":
            found.nabla_w[1][4, 3] *= 1.1

    report = check_equations(faulty(fault, dtype=dtype), *data)
    failed = [row for row in report.rows if not row.passed]
    assert [(row.equation, row.layer, row.place) for row in failed[:1]] == [("BP4", 1, (4, 3))]
    assert "at [4, 3]" in report.verdict


def test_one_entry_of_a_large_layer_is_found_by_the_equation_itself():
    def fault(kind, found):
        if kind == "backprop":
            found.nabla_w[0][317, 500] *= 1.5

    net = Faulty([784, 400, 10], seed=0)
    net.fault = fault
    x, y = rng.random((20, 784)), rng.integers(0, 10, 20)
    assert blamed(check_equations(net, x, y)) == ("BP4", 0)


def test_a_gradient_that_equations_agree_with_is_held_against_the_cost(data, monkeypatch):
    """∂C/∂w as a whole: rows by themselves cannot see that C is another function than the one that is trained on."""
    right = reference.cost_per_sample
    monkeypatch.setattr("fastbp.checking.overall.cost_per_sample", lambda *args: 1.1 * right(*args))
    report = check_equations(make(), *data)
    assert blamed(report) == ("BP1", 3)
    assert "though each equation follows from the numbers before it" in report.verdict


def test_nan_is_blamed(data):
    def fault(kind, found):
        if kind == "backprop":
            found.nabla_w[1][0, 0] = np.nan

    assert blamed(check_equations(faulty(fault), *data)) == ("BP4", 1)


# What has no derivative


def test_samples_without_a_derivative_are_refused(data):
    net = make(output="sigmoid", cost="cross_entropy")
    net.biases = [*net.biases[:-1], np.full(6, 1000.0)]
    with pytest.raises(ValueError, match="no derivative at any of the first 16 samples: they lie"):
        check_equations(net, *data)


def test_what_lies_at_a_kink_is_said_not_to_be_checked(data):
    net = make(activation="relu")
    net.weights = [0 * net.weights[0], *net.weights[1:]]
    net.biases = [0 * net.biases[0], *net.biases[1:]]
    report = check_equations(net, *data)
    assert report.passed
    assert "no derivative here  deltas[0] (BP2) given deltas[1]" in str(report)


def test_rows_that_can_see_no_fault_say_so(data):
    """In float32 σ' is 1e-12 where sigmoids are saturated, and 1 - a has no digit of it."""
    net = make(Network, activation="sigmoid")
    net.biases = [net.biases[0] + 30, *net.biases[1:]]
    report = check_equations(net, *data)
    assert report.passed
    assert [row.layer for row in report.rows if row.equation == "BP2" and not row.tells] == [0]
    assert "(tells nothing)" in str(report)
    assert "tell nothing: kinks, or rounding as large as the numbers" in report.verdict
    assert all(row.tells for row in check_equations(make(Network, activation="sigmoid"), *data).rows)


# Derivatives by themselves


@pytest.mark.parametrize("row", [row for row in ACTIVATIONS.values() if not row.over_rows], ids=lambda row: row.name)
def test_slopes_are_right_and_know_how_far_they_may_be_off(row):
    z = np.concatenate([np.linspace(-8, 8, 401) + 0.003, [-40, 40, -6.5, 0.5, 1e-9]])
    found, right = slope(row.function, z, row.kinks), row.slope(z, row.value(z))
    off = np.abs(found.value - right)[found.exists]
    assert np.all(off <= found.error[found.exists] + 1e-15 * np.maximum(1, np.abs(right[found.exists])))
    assert (off / np.maximum(1, np.abs(right[found.exists]))).max() < 1e-9
    assert found.exists.mean() > 0.99


def test_only_what_takes_complex_numbers_is_said_to():
    z = np.linspace(-3, 3, 50)
    assert analytic(ACTIVATIONS["tanh"], z) is np.tanh
    assert analytic(ACTIVATIONS["sigmoid"], z) is ACTIVATIONS["sigmoid"].fast  # the other form takes |z|
    assert analytic(ACTIVATIONS["softplus"], z) is None


# The report


def test_a_report_is_readable_and_json(data):
    report = check_equations(make(), *data)
    assert isinstance(report, EquationReport)
    assert report
    said = json.loads(json.dumps(report.to_dict()))
    assert said["verdict"] == "the four equations hold in all 4 layers"
    assert [row["equation"] for row in said["rows"]][:2] == ["(25)", "(25)"]
    assert str(report).splitlines()[-1] == "passed: the four equations hold in all 4 layers"
    assert "<table>" in report._repr_html_()
    assert report.worst.share < 1


def test_a_failed_report_says_what_follows(data):
    rows = ["tanh", replace(ACTIVATIONS["tanh"], name="wrong", prime=lambda z, a: 1 - a * a * 1.1), "tanh"]
    report = check_equations(make(activation=rows), *data)
    assert "more gradients are wrong because of it" in report.verdict
    assert str(report).splitlines()[-1].startswith("FAILED: BP2 is wrong in layer 1")
    assert "FAILED" in report._repr_html_()


class Unbiased(Network):
    """Its kernels find 0 in place of one layer's biases: in `backprop`, or in training steps."""

    fault = ("", 0)

    def _without(self, name, run):
        known = self._parameters.layers[self.fault[1]]
        biases = self._parameters.buffer[int(known["bias"]) :][: int(known["n_out"])]
        kept = biases.copy()
        biases[:] = biases * (name != self.fault[0])
        found = run()
        if name == "backprop":  # the steps of a session are to come
            biases[:] = kept
        return found

    def _backprop(self, x, y):
        return self._without("backprop", lambda: super(Unbiased, self)._backprop(x, y))

    def _session(self, *arguments, **options):
        return self._without("session", lambda: super(Unbiased, self)._session(*arguments, **options))


@pytest.mark.parametrize("layer", range(4))
@pytest.mark.parametrize(("where", "said"), [("backprop", "of backprop"), ("session", "of a training step")])
def test_a_bias_that_only_kernels_leave_out_is_not_blamed_on_bp1(where, said, layer, data, monkeypatch):
    monkeypatch.setattr(Unbiased, "fault", (where, layer))
    sizes, more = make().sizes, {"activation": "tanh", "output": "sigmoid", "seed": 3}
    net = Unbiased(sizes, **more)
    net.biases = [b + 0.5 for b in net.biases]
    report = check_equations(net, *data)
    assert not report.passed
    assert report.verdict.startswith(f"the forward pass is wrong in layer {layer} {said}"), report.verdict


@pytest.mark.parametrize("dropout", [0, 0.3])
def test_a_mean_that_only_half_steps_take_twice_is_blamed_on_bp3(dropout, data, monkeypatch):
    usual = Run.gradient
    monkeypatch.setattr(Run, "gradient", lambda self, seed: usual(self, seed) / np.float32(self.record["batch_size"]))
    net = Network(make().sizes, activation="tanh", output="sigmoid", dropout=dropout, seed=3)
    report = check_equations(net, *data)
    assert not report.passed
    assert report.verdict.startswith("BP3 is wrong in layer 3 of a training step (backprop is right)"), report.verdict
    assert "1/m = 1/16 of what they should be" in report.verdict


def test_fused_steps_are_checked_too(data, monkeypatch):
    """`Trainer.step` goes other ways in the kernels than the gradient of half a step."""
    usual = Network._session

    def session(self, *arguments, halves=False, **options):
        run = usual(self, *arguments, halves=halves, **options)
        train = run.train

        def spoilt(*operands, **more):
            found = train(*operands, **more)
            if not halves:
                run.state.buffer *= np.float32(0.9)
            return found

        run.train = spoilt
        return run

    monkeypatch.setattr(Network, "_session", session)
    report = check_equations(Network(make().sizes, seed=3), *data)
    assert not report.passed
    assert "of Trainer.step (backprop is right)" in report.verdict
    assert "0.9 times what they should be" in report.verdict


def test_a_multiple_near_1_is_told_from_1(data):
    cost = CostRow("wrong", COSTS["quadratic"].function, lambda a, y: 1.001 * (a - y))
    assert "it is 1.001 times what it should be" in check_equations(make(cost=cost, output="sigmoid"), *data).verdict
