"""Optimizers and schedules: step by step as PyTorch has them, in both engines; described in a file, and back."""

import json
import warnings
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import fastbp
from fastbp import SGD, Adadelta, Adagrad, Adam, AdamW, Lion, Nadam, RMSprop, Rprop, Trainer, schedules
from fastbp.formulas.optimizers import OPTIMIZERS
from fastbp.formulas.optimizers.described import described, from_description
from fastbp.formulas.schedules import SCHEDULES
from fastbp.kernels.rules import rule_of

GOLDEN = dict(np.load(Path(__file__).parent / "data" / "golden_optimizers.npz"))
ROWS = {
    "sgd_decay": SGD(0.1, weight_decay=0.1),
    "momentum_decay": SGD(0.1, momentum=0.9, weight_decay=0.1),
    "nesterov_decay": SGD(0.1, momentum=0.9, weight_decay=0.1, nesterov=True),
    "adam": Adam(0.05),
    "adam_decay": Adam(0.05, weight_decay=0.1),
    "amsgrad": Adam(0.05, 0.5, 0.6, amsgrad=True),
    "adamw_amsgrad": AdamW(0.05, 0.5, 0.6, amsgrad=True, weight_decay=0.1),
    "nadam": Nadam(),
    "nadam_decay": Nadam(0.05, weight_decay=0.1, momentum_decay=0.1),
    "nadam_decoupled": Nadam(0.05, weight_decay=0.1, decoupled=True),
    "rmsprop": RMSprop(),
    "rmsprop_decay": RMSprop(0.01, 0.9, weight_decay=0.1),
    "rmsprop_centered": RMSprop(0.01, 0.9, 1e-3, centered=True),
    "rmsprop_all": RMSprop(0.01, 0.9, 1e-3, momentum=0.8, weight_decay=0.1, centered=True),
    "adagrad": Adagrad(),
    "adagrad_all": Adagrad(0.1, 0.2, 0.1, 0.3, 1e-6),
    "adadelta": Adadelta(),
    "adadelta_decay": Adadelta(0.5, 0.8, 1e-4, weight_decay=0.1),
    "rprop": Rprop(),
    "rprop_all": Rprop(0.03, 0.6, 1.5, 0.01, 0.05),
    "lion": Lion(),
    "lion_decay": Lion(0.01, 0.8, 0.9, weight_decay=0.1),
}
RATES = {
    "step": schedules.step(0.1, every=3, factor=0.5),
    "exponential": schedules.exponential(0.1, 0.9),
    "cosine": schedules.cosine(0.1, epochs=12),
    "restarts": schedules.cosine_restarts(0.1, epochs=3, lowest=0.01),
    "growing": schedules.cosine_restarts(0.1, epochs=2, growth=2),
    "warmup": schedules.warmup(0.1, epochs=5),
}
ATOL = {"float64": 1e-13, "float32": 2e-5}


def flat(net):
    return np.concatenate([p.ravel() for p in (*net.weights, *net.biases)])


def begin(engine, dtype="float64"):
    net = engine([3, 5, 2], activation="tanh", dtype=dtype, seed=0)
    start = [GOLDEN[f"start.{i}"] for i in range(4)]
    net.weights, net.biases = start[:2], start[2:]
    return net


def test_every_optimizer_is_compared_with_pytorch():
    assert {type(row) for row in ROWS.values()} == set(OPTIMIZERS.values())
    assert {name.removeprefix("optimizer.") for name in GOLDEN if name.startswith("optimizer.")} == set(ROWS)


@pytest.mark.parametrize("dtype", ATOL)
@pytest.mark.parametrize("name", ROWS)
def test_each_step_is_that_of_pytorch(name, engine, dtype):
    net, steps = begin(engine, dtype), GOLDEN[f"optimizer.{name}"]
    trainer = Trainer(net, ROWS[name])
    for step, (x, y) in enumerate(zip(GOLDEN["x"], GOLDEN["y"], strict=True)):
        trainer.step(x, y)
        assert_allclose(flat(net), steps[step], rtol=0, atol=ATOL[dtype], err_msg=f"step {step + 1}")


@pytest.mark.parametrize("name", ROWS)
def test_a_run_that_is_cut_has_the_same_bits(name, engine):
    """In two trainers, by state_dict, and in calls of one step or many."""
    nets = [begin(engine) for _ in range(3)]
    x, y = GOLDEN["x"].reshape(-1, 3), GOLDEN["y"].reshape(-1, 2)
    with warnings.catch_warnings(action="ignore"):
        nets[0].fit(x, y, epochs=1, batch_size=6, optimizer=ROWS[name], shuffle=False, verbose=0)
    first = Trainer(nets[1], ROWS[name])
    for start in range(0, 30, 6):
        first.step(x[start : start + 6], y[start : start + 6])
    second = Trainer(nets[2], ROWS[name])
    second.load_state_dict(first.state_dict())
    for start in range(30, len(x), 6):
        second.step(x[start : start + 6], y[start : start + 6])
    assert_array_equal(flat(nets[0]), flat(nets[2]))


@pytest.mark.parametrize("threads", [2, 5])
@pytest.mark.parametrize("name", ROWS)
def test_optimizers_have_the_same_bits_on_any_number_of_threads(name, threads, rng):
    x, y = rng.normal(size=(90, 17)), rng.normal(size=(90, 3))
    nets = [fastbp.Network([17, 33, 3], activation="tanh", seed=0, threads=t) for t in (1, threads)]
    for net in nets:
        with warnings.catch_warnings(action="ignore"):
            net.fit(x, y, epochs=2, batch_size=30, optimizer=ROWS[name], verbose=0)
    assert_array_equal(flat(nets[0]), flat(nets[1]))


@pytest.mark.parametrize("name", ROWS)
def test_agreement_with_reference_one_by_one(name, rng):
    """Single samples go another way: the update is made beside the next forward pass."""
    x, y = 0.3 * rng.normal(size=(40, 17)), 0.3 * rng.normal(size=(40, 3))
    nets = [
        make([17, 33, 3], activation="tanh", dtype="float64", seed=0)
        for make in (fastbp.Network, fastbp.ReferenceNetwork)
    ]
    for net in nets:
        with warnings.catch_warnings(action="ignore"):  # Rprop's
            net.fit(x, y, epochs=1, batch_size=1, optimizer=ROWS[name], verbose=0)
    assert_allclose(flat(nets[0]), flat(nets[1]), rtol=0, atol=1e-11)


def test_constants_that_a_rule_does_not_use_cost_nothing():
    assert rule_of(SGD(0.1)).names == ("learning_rate",)
    assert rule_of(SGD(0.1)).is_straight
    assert not rule_of(SGD(0.1, weight_decay=0.1)).is_straight
    assert set(rule_of(Adam()).names) == {
        "learning_rate", "beta1", "beta2", "epsilon", "rest1", "rest2", "unbias1", "unbias2",
    }  # fmt: skip


def test_nadams_products_are_the_same_however_they_are_asked_for():
    nadam = Nadam()
    whole = nadam.constants(np.arange(1, 3001))
    for name in ("of_g", "of_m"):
        parts = [nadam.constants(np.arange(first, first + 100))[name] for first in range(1, 3001, 100)]
        assert_array_equal(np.concatenate(parts), whole[name])
        for step in (1023, 1024, 1025, 1026, 2047, 2048, 2049, 2050, 2500):
            assert nadam.constants(step)[name] == whole[name][step - 1]
        assert np.isfinite(nadam.constants(1_000_000)[name])


DESCRIBED = [
    *ROWS.values(), *RATES.values(),
    schedules.one_cycle(0.1, 13), schedules.constant(0.1), schedules.inverse_scaling(0.1),
    Adam(schedules.cosine(0.1, 5)), SGD(schedules.warmup(schedules.step(0.3, 2), 1.5)),
]  # fmt: skip


@pytest.mark.parametrize("row", DESCRIBED, ids=str)
def test_what_is_described_comes_back(row):
    again = from_description(json.loads(json.dumps(described(row))))
    assert again == row
    assert type(again) is type(row)


def test_every_field_is_described():
    for row in ROWS.values():
        assert set(described(row)) == {"name", *(each.name for each in fields(row))}


@dataclass(frozen=True)
class Mine(SGD):
    """Looks like a row, and is none."""


@pytest.mark.parametrize("own", [Mine(0.1), Adam(lambda t: 0.1), schedules.warmup(lambda t: 0.1, 2)], ids=str)
def test_ones_own_are_not_described(own):
    with pytest.raises(ValueError, match="is a formula of your own, which no file can hold"):
        described(own)


@pytest.mark.parametrize("wrong", [{"name": "nothing"}, {}, {"name": 3}])
def test_descriptions_that_are_refused(wrong):
    with pytest.raises(ValueError, match="unknown optimizer or schedule"):
        from_description(wrong)


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: Adam(beta1=1.0), ValueError, "beta1 must be >= 0 and < 1, got 1.0"),
        (lambda: Adam(amsgrad="yes"), TypeError, "amsgrad must be True or False, got 'yes'"),
        (lambda: Rprop(schedules.cosine(0.1, 3)), TypeError, "size of the first step only: give a number"),
        (lambda: Rprop(grow=0.5), ValueError, "grow must be >= 1 and finite, got 0.5"),
        (lambda: Rprop(smallest=2.0, largest=1.0), ValueError, "smallest is 2, and largest 1"),
        (lambda: Lion(-1), ValueError, "learning_rate must be >= 0 and finite, got -1"),
        (lambda: SGD(0.1, weight_decay=-1), ValueError, "weight_decay must be >= 0"),
        (lambda: schedules.step(0.1, every=0), ValueError, "every must be > 0 and finite, got 0"),
        (lambda: schedules.one_cycle(0.1, 10, rise=1), ValueError, "rise must be > 0 and < 1, got 1"),
        (lambda: schedules.cosine_restarts(0.1, 10, growth=0.5), ValueError, "growth must be >= 1"),
        (lambda: schedules.warmup(-0.1, 2), ValueError, "learning_rate must be >= 0"),
        (lambda: schedules.warmup(0.1, 0), ValueError, "epochs must be > 0 and finite, got 0"),
    ],
)  # fmt: skip
def test_settings_that_are_refused(make, error, message):
    with pytest.raises(error, match=message):
        make()


def test_rprops_steps_may_be_all_alike():
    assert Rprop(smallest=0.1, largest=0.1).smallest == 0.1


# Schedules


@pytest.mark.parametrize("name", RATES)
def test_rates_are_those_of_pytorch(name):
    assert_allclose(RATES[name](np.arange(13)), GOLDEN[f"schedule.{name}"], rtol=0, atol=1e-12)


def test_one_cycle_is_that_of_pytorch():
    """Its 13 steps are 0 .. 12, of which the top is 0.25 · 13 - 1."""
    found = schedules.one_cycle(0.1, epochs=12, rise=(0.25 * 13 - 1) / 12)(np.arange(13))
    assert_allclose(found, GOLDEN["schedule.one_cycle"], rtol=0, atol=1e-12)


@pytest.mark.parametrize("name", SCHEDULES)
def test_a_schedule_takes_a_number_or_many(name):
    schedule = {
        **RATES, "constant": schedules.constant(0.2), "inverse_scaling": schedules.inverse_scaling(0.1, 0.7, 2.0),
        "cosine_restarts": RATES["growing"], "one_cycle": schedules.one_cycle(0.1, 13),
    }[name]  # fmt: skip
    times = np.linspace(0, 20, 101)
    many = np.asarray(schedule(times))
    assert many.shape == times.shape
    assert np.all(np.isfinite(many) & (many >= 0))
    assert_allclose([float(schedule(t)) for t in times], many, rtol=1e-14)


def test_a_warmed_up_schedule_goes_on_where_it_would_be():
    plain = schedules.step(0.3, every=4)
    warm = schedules.warmup(plain, epochs=2)
    assert float(warm(0)) == 0
    assert float(warm(1)) == pytest.approx(0.15)
    times = np.linspace(2, 20, 50)
    assert_array_equal(warm(times), plain(times))


def test_scikit_learns_inverse_scaling_is_followed():
    samples, rate, power = 500, 0.1, 0.5
    theirs = rate / (samples * np.array([10.0, 20.0])) ** power
    ours = schedules.inverse_scaling(rate, power, scale=1 / samples)(np.array([10.0, 20.0]))
    assert_allclose(ours, theirs, rtol=1e-3)


@pytest.mark.parametrize("name", [name for name in OPTIMIZERS if name != "sgd"])
def test_each_optimizer_learns_with_its_defaults(name, rng):
    """By name, on a smooth function; Rprop on full batches."""
    x = rng.uniform(-1, 1, (200, 2))
    y = np.sin(3 * x[:, 0]) * x[:, 1]
    net = fastbp.Network([2, 20, 1], activation="tanh", seed=0)
    size = 200 if name == "rprop" else 10
    costs = net.fit(x, y, epochs=200, batch_size=size, optimizer=name, verbose=0).cost
    assert costs[-1] < 0.5 * costs[0], (costs[0], costs[-1])


def test_mini_batches_for_rprop_are_doubted(engine, rng):
    x, y = rng.uniform(-1, 1, (40, 2)), rng.uniform(-1, 1, 40)
    net = engine([2, 3, 1], activation="tanh", seed=0)
    with pytest.warns(UserWarning, match="Rprop learns from the signs of gradients, .* write batch_size=40"):
        net.fit(x, y, epochs=2, optimizer=Rprop(), verbose=0)
    net.fit(x, y, epochs=2, batch_size=40, optimizer=Rprop(), verbose=0)  # and says nothing
