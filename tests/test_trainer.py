"""A run in the user's hands: steps, their two halves, what is kept; clipped gradients and rates that change."""

from functools import partial

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import fastbp
from fastbp import Adam, Trainer

OPTIMIZERS = [
    fastbp.SGD(0.1), fastbp.SGD(0.1, momentum=0.9, nesterov=True), Adam(0.01), fastbp.AdamW(0.01), fastbp.RMSprop(0.01),
]  # fmt: skip


@pytest.fixture
def data(rng):
    return rng.normal(size=(90, 7)).astype("float32"), rng.integers(0, 3, 90)


def make(engine=fastbp.Network, **options):
    given = {"activation": "silu", "cost": "cross_entropy", "dtype": "float64", "seed": 1, **options}
    return engine([7, 33, 17, 3], **given)


def batches(data, sizes=(10, 10, 7, 1, 10)):
    start = 0
    for size in sizes:
        yield tuple(array[start : start + size] for array in data)
        start += size


def all_of(net):
    return [*net.weights, *net.biases]


def assert_close(one, other, atol=1e-13):
    for a, b in zip(all_of(one), all_of(other), strict=True):
        assert_allclose(a, b, rtol=0, atol=atol)


@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=str)
@pytest.mark.parametrize("options", [{}, {"l1": 1e-3, "l2": 1e-2}, {"dropout": 0.3}], ids=str)
def test_two_halves_make_a_step(engine, options, optimizer, data):
    nets = make(engine, **options), make(engine, **options)
    whole, halves = (Trainer(net, optimizer) for net in nets)
    for x, y in batches(data):
        whole.step(x, y)
        halves.apply(halves.gradient(x, y))
    assert_close(*nets)
    assert whole.steps == halves.steps == 5


@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=str)
def test_steps_are_what_fit_makes(engine, optimizer, data):
    one, other = make(engine), make(engine)
    one.fit(*data, epochs=1, batch_size=10, optimizer=optimizer, shuffle=False, clip_norm=0.5, verbose=0)
    trainer = Trainer(other, optimizer, clip_norm=0.5)
    for x, y in batches(data, [10] * 9):
        trainer.step(x, y)
    assert_close(one, other)


def test_the_gradient_is_that_of_backprop(data):
    net = make(l2=1e-2)
    weights, biases = net._parameters.read(Trainer(net).gradient(*data))
    found = net.backprop(*data)
    for got, expected in zip([*weights, *biases], [*found.nabla_w, *found.nabla_b], strict=True):
        assert_array_equal(got, expected)


def test_gradients_of_parts_add_up_to_the_whole(engine, data):
    """As two machines would train: each on its half, the mean of their gradients for both."""
    x, y = data
    alone, together = make(engine), make(engine)
    one, two = Trainer(alone, Adam(0.01)), Trainer(together, Adam(0.01))
    for _ in range(5):
        one.step(x, y)
        two.apply((two.gradient(x[:45], y[:45]) + two.gradient(x[45:], y[45:])) / 2)
    assert_close(alone, together, 1e-12)


def test_the_cost_is_from_before_the_step(engine, data):
    net = make(engine, l2=1e-2)
    expected = net.evaluate(*data).cost
    assert Trainer(net).step(*data) == pytest.approx(expected, rel=1e-12)
    assert net.evaluate(*data).cost < expected


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("clip_norm", [0.05, 0.5, 1e6])
def test_clipping_agrees_with_reference(clip_norm, dtype, data):
    nets = make(dtype=dtype, l2=1e-3, dropout=0.2), make(fastbp.ReferenceNetwork, dtype=dtype, l2=1e-3, dropout=0.2)
    for net in nets:
        net.fit(*data, epochs=3, batch_size=8, optimizer=Adam(0.01), clip_norm=clip_norm, verbose=0)
    assert_close(*nets, 1e-12 if dtype == "float64" else 1e-4)


def test_a_clipped_step_is_as_long_as_it_may_be(engine, data):
    net = make(engine)
    before = all_of(net)
    length = np.sqrt(sum(np.sum(g**2) for g in [*net.backprop(*data).nabla_w, *net.backprop(*data).nabla_b]))
    for limit in (length / 3, length * 3):
        net.weights, net.biases = before[:3], before[3:]
        Trainer(net, fastbp.SGD(1.0), clip_norm=limit).step(*data)
        moved = np.sqrt(sum(np.sum((a - b) ** 2) for a, b in zip(all_of(net), before, strict=True)))
        assert moved == pytest.approx(min(limit, length), rel=1e-10)


@pytest.mark.parametrize("threads", [2, 3, 5])
def test_clipping_has_the_same_bits_for_any_number_of_threads(threads, data):
    nets = [make(dtype="float32", threads=t) for t in (1, threads)]
    for net in nets:
        net.fit(*data, epochs=2, batch_size=30, clip_norm=0.1, verbose=0)
    for one, other in zip(all_of(nets[0]), all_of(nets[1]), strict=True):
        assert_array_equal(one, other)


# What a run keeps


@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=str)
def test_a_run_goes_on_from_its_state(engine, optimizer, data):
    net = make(engine, dropout=0.2)
    trainer = Trainer(net, optimizer)
    for x, y in batches(data):
        trainer.step(x, y)
    state = trainer.state_dict()
    other = make(engine, dropout=0.2)
    again = Trainer(other, optimizer)
    again.load_state_dict(state)
    for x, y in batches(data):
        trainer.step(x, y)
        again.step(x, y)
    for one, two in zip(all_of(net), all_of(other), strict=True):
        assert_array_equal(one, two)
    assert state["steps"] == 5  # copies
    assert trainer.steps == 10


def test_a_state_goes_from_engine_to_engine(data):
    fast, slow = make(), make(fastbp.ReferenceNetwork)
    one, two = Trainer(fast, Adam(0.01)), Trainer(slow, Adam(0.01))
    one.step(*data)
    state = one.state_dict()
    assert set(state) == {"steps"} | {
        f"{slot}{kind}.{i}" for slot in ("", "first_moment.", "second_moment.") for kind in ("weights", "biases")
        for i in range(3)
    }  # fmt: skip
    two.load_state_dict(state)
    for _ in range(3):
        one.step(*data)
        two.step(*data)
    assert_close(fast, slow)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"weights.0": None}, "the state lacks 'weights.0'"),
        ({"weights.9": np.zeros(1)}, "the state has an unexpected 'weights.9'"),
        ({"velocity.biases.1": np.zeros(3)}, r"velocity.biases.1 must be \(17,\), and finite; got \(3,\)"),
        ({"weights.0": np.full((33, 7), np.nan)}, r"weights.0 must be \(33, 7\), and finite"),
        ({"steps": -1}, "steps must be at least 0, got -1"),
    ],
)
def test_a_state_that_does_not_fit_is_refused(engine, change, message, data):
    net = make(engine)
    trainer = Trainer(net, fastbp.SGD(0.1, momentum=0.9))
    before = all_of(net)
    state = {name: value for name, value in (trainer.state_dict() | change).items() if value is not None}
    with pytest.raises(ValueError, match=message):
        trainer.load_state_dict(state)
    for one, other in zip(all_of(net), before, strict=True):
        assert_array_equal(one, other)


@pytest.mark.parametrize(
    ("gradient", "message"),
    [
        (np.zeros(3), r"gradient must be \(\d+,\), as trainer.gradient\(x, y\) returns it; got \(3,\)"),
        (None, "gradient is not finite; the parameters are unchanged"),
    ],
)
def test_a_gradient_that_is_none_is_refused(engine, gradient, message, data):
    net = make(engine)
    trainer, before = Trainer(net), all_of(net)
    with np.errstate(invalid="ignore"):
        given = trainer.gradient(*data) * np.inf if gradient is None else gradient
    with pytest.raises(ValueError, match=message):
        trainer.apply(given)
    assert_array_equal(all_of(net)[0], before[0])


def test_a_step_that_diverges_is_not_made(engine, data):
    net = make(engine, activation="relu", output="identity", cost="quadratic")
    trainer = Trainer(net, fastbp.SGD(1e200))
    y = np.ones((90, 3))

    def steps():
        for _ in range(4):
            trainer.step(data[0], y)

    with pytest.raises(fastbp.DivergenceError, match=r"diverged at step [234].*parameters from before"):
        steps()


def test_a_gradient_that_is_not_finite_is_no_old_one(engine, data):
    net = make(engine, activation="relu", output="identity", cost="quadratic", seed=3)
    trainer, y = Trainer(net, fastbp.SGD(1.0)), np.ones((90, 3))
    trainer.gradient(data[0], y)
    net.weights = [w * 1e120 for w in net.weights]
    with pytest.raises(fastbp.DivergenceError, match="at step 1"):
        trainer.gradient(data[0], y)


def test_what_the_first_y_has_shown_stays(engine, data):
    """Of labels at first, and of several at once later, each would want another output."""
    several = np.tile([1.0, 0.0, 1.0], (90, 1))
    trainer = Trainer(make(engine), Adam(0.01))
    trainer.step(*data)
    with pytest.raises(ValueError, match="several labels at once"):
        trainer.step(data[0], several)
    net = make(engine)
    trainer, before = Trainer(net, Adam(0.01)), net.weights[0]
    trainer.step(data[0], several)  # now the output is sigmoids, and the parameters lie elsewhere
    assert net.spec.activations[-1] == "sigmoid"
    assert not np.array_equal(net.weights[0], before)
    kept = net.weights[0]
    trainer.apply(trainer.gradient(data[0], several))
    assert not np.array_equal(net.weights[0], kept)


# Rates


def test_cosine_values():
    rate = fastbp.schedules.cosine(0.2, epochs=10, warmup=2)
    assert_allclose([rate(t) for t in (0, 1, 2, 6, 10, 11)], [0, 0.1, 0.2, 0.1, 0, 0], atol=1e-15)
    assert_allclose(rate(np.array([1.0, 6.0])), [0.1, 0.1])
    assert fastbp.schedules.cosine(0.2, epochs=10)(0) == 0.2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [((-1, 3), "learning_rate"), ((0.1, 0), "epochs must be > 0"), ((0.1, 3, 3), "warmup must be >= 0 and < 3")],
)
def test_cosine_refuses(arguments, message):
    with pytest.raises(ValueError, match=message):
        fastbp.schedules.cosine(*arguments)


def by_epochs(t):
    return 0.01 if t < 1.5 else 0.001  # not for arrays


@pytest.mark.parametrize("schedule", [fastbp.schedules.cosine(0.01, epochs=3, warmup=1), by_epochs, lambda t: 0.005])
@pytest.mark.parametrize("kind", [fastbp.SGD, partial(Adam, epsilon=1e-3), partial(fastbp.RMSprop, epsilon=1e-2)])
@pytest.mark.parametrize("batch_size", [1, 10])
def test_schedules_agree_with_reference(schedule, kind, batch_size, data):
    nets = make(), make(fastbp.ReferenceNetwork)
    for net in nets:
        history = net.fit(*data, epochs=3, batch_size=batch_size, optimizer=kind(schedule), verbose=0)
        assert history.learning_rate == [float(schedule(e + 1 - batch_size / 90)) for e in range(3)]
    assert_close(*nets, 1e-10)


def test_a_schedule_gives_one_rate_per_mini_batch(engine, data):
    """By hand: plain steps at the rates of the mini-batches' times."""
    one, other = make(engine), make(engine)
    one.fit(*data, epochs=2, batch_size=45, optimizer=fastbp.SGD(lambda t: 0.1 * (t + 1)), shuffle=False, verbose=0)
    for t in (0, 0.5, 1, 1.5):
        half = slice(0, 45) if t % 1 == 0 else slice(45, 90)
        Trainer(other, fastbp.SGD(0.1 * (t + 1))).step(data[0][half], data[1][half])
    assert_close(one, other)


@pytest.mark.parametrize(
    ("schedule", "message"),
    [
        (lambda t: -0.1 + 0 * t, "the schedule is -0.1 at 0 epochs; a rate is finite and not below 0"),
        (lambda t: np.nan * t, "the schedule is nan at 0 epochs"),
        (lambda t: np.ones(3), r"the schedule returns \(3,\) for 9 times"),
    ],
)
def test_a_schedule_that_gives_no_rate_is_refused(engine, schedule, message, data):
    with pytest.raises(ValueError, match=message):
        make(engine).fit(*data, optimizer=fastbp.SGD(schedule), verbose=0)


def test_a_trainer_with_a_schedule_wants_to_know_how_long_an_epoch_is(engine, data):
    schedule = fastbp.schedules.cosine(0.1, epochs=2)
    with pytest.raises(ValueError, match="say how long one is"):
        Trainer(make(engine), fastbp.SGD(schedule)).step(*data)
    one, other = make(engine), make(engine)
    one.fit(*data, epochs=2, batch_size=45, optimizer=Adam(schedule), shuffle=False, verbose=0)
    trainer = Trainer(other, Adam(schedule), steps_per_epoch=2)
    for _ in range(2):
        for half in (slice(0, 45), slice(45, 90)):
            trainer.step(data[0][half], data[1][half])
    assert_close(one, other)


@pytest.mark.parametrize("wrong", [0, -1, "much", np.inf])
def test_a_norm_that_clips_nothing_or_all_is_refused(engine, wrong, data):
    with pytest.raises((TypeError, ValueError), match="clip_norm must be"):
        make(engine).fit(*data, clip_norm=wrong)
