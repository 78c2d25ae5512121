"""Which team works: on a clock that the tests turn, so that nothing depends on the machine.

A simulated fit calls as the epoch loop does, with calls that grow to 0.1 s; a call costs what its mini-batches take,
and what it takes to start the others' threads. `auto` must never take much longer than one thread, and nearly no longer
than the best size.
"""

import pytest

from fastbp.training import pace
from fastbp.training.pace import TeamSize

START = 1e-4  # seconds to start a thread, and to wake its core
COLD = 2e-3  # the first time in a fit


@pytest.fixture(autouse=True)
def forgotten(monkeypatch):
    monkeypatch.setattr(pace, "PACES", {})


def cost(size, count, paces, cold):
    return count * paces[size] + (START + cold * COLD if size > 1 else 0.0)


def fit(paces, work, epochs=1, key=None):
    """Return the seconds that a fit takes whose work is so many seconds for one thread, and the sizes used."""
    steps = max(epochs, round(work / paces[1]))
    per_epoch = steps // epochs
    team = TeamSize(sorted(paces), per_epoch * epochs, key)
    clock, per_call, used = 0.0, 1, []
    for _ in range(epochs):
        done = 0
        while done < per_epoch:
            want, call = min(per_call, per_epoch - done), 0.0
            stop = done + want
            while done < stop:
                size, count = team.next(stop - done)
                assert 1 <= count <= stop - done
                seconds = cost(size, count, paces, all(was == 1 for was in used))
                team.learn(size, count, seconds)
                done, call = done + count, call + seconds
                used.append(size)
            clock += call
            per_call = max(1, want // 2) if call > 0.1 else max(per_call, 2 * want) if call < 0.05 else per_call
    return clock, used


def alone(size, paces, work, epochs):
    steps = max(epochs, round(work / paces[1])) // epochs * epochs
    return cost(size, steps, paces, size > 1)


STEPS = [1e-6, 15e-6, 200e-6, 5e-3]
WORKS = [1e-4, 1e-3, 0.01, 0.05, 0.1, 0.2, 0.5, 2.0, 10.0]
FACTORS = [0.5, 0.55, 0.8, 1.0, 1.3, 2.0, 3.5, 10.0]  # of the time of one thread


@pytest.mark.parametrize("epochs", [1, 30])
@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("factor", FACTORS)
def test_no_fit_is_much_slower_than_by_one_thread(factor, step, epochs):
    if step > 1e-3 and factor > 2:
        return  # two threads are never that bad at long steps, and one of them is the least that can be tried
    for work in WORKS:
        paces = {1: step, 2: step * factor}
        seconds, _ = fit(paces, work, epochs)
        assert seconds <= 1.1 * alone(1, paces, work, epochs) + 1e-9, work


@pytest.mark.parametrize("epochs", [1, 30])
@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("factor", FACTORS)
def test_long_fits_take_the_best_size_within_10_percent(factor, step, epochs):
    if step > 1e-3 and factor > 2:
        return
    for work in WORKS:
        if work > 0.2:  # at 0.2 s of mini-batches of 5 ms, a trial is not worth it by a hair
            paces = {1: step, 2: step * factor}
            seconds, _ = fit(paces, work, epochs)
            best = min(alone(size, paces, work, epochs) for size in paces)
            assert seconds <= 1.1 * best, work


def test_nothing_is_tried_where_little_work_is_in_sight():
    for work in (1e-4, 1e-2, 0.09):
        assert set(fit({1: 1e-5, 2: 5e-6}, work)[1]) == {1}
    assert set(fit({1: 1e-5, 2: 5e-6}, 0.5)[1]) == {1, 2}


@pytest.mark.parametrize("fastest", [1, 2, 4])
def test_the_fastest_of_many_is_found(fastest):
    paces = {size: 1e-5 if size == fastest else 3e-5 for size in (1, 2, 4)}
    assert fit(paces, 5.0)[1][-1] == fastest


def test_what_was_learnt_is_kept_for_the_process():
    paces = {1: 1e-5, 2: 5e-6}
    fit(paces, 0.5, key="a")
    assert set(fit(paces, 0.5, key="a")[1]) == {2}
    assert fit(paces, 0.5, key="b")[1][0] == 1
    assert set(fit(paces, 0.01, key="a")[1]) == {1}  # too little to wake a core for


def test_a_size_that_lost_is_not_tried_in_every_fit():
    paces = {1: 1e-5, 2: 4e-5}
    tried = [2 in fit(paces, 0.5, key="a")[1] for _ in range(12)]
    assert tried[0]
    assert 1 <= sum(tried[1:]) <= 3  # every 3 seconds of work


def test_what_was_slow_and_became_fast_is_found():
    fit({1: 1e-5, 2: 4e-5}, 1.0, key="a")
    assert fit({1: 1e-5, 2: 5e-6}, 10.0, key="a")[1][-1] == 2


def test_who_lost_a_short_trial_is_tried_again_where_much_more_work_is_in_sight():
    noisy, quiet = {1: 1e-5, 2: 3e-5}, {1: 1e-5, 2: 5e-6}
    assert fit(noisy, 0.15, key="a")[1][-1] == 1
    assert fit(quiet, 0.15, key="a")[1][-1] == 1  # no more than the last time
    assert fit(quiet, 2.0, key="a")[1][-1] == 2
    assert 2 not in fit(noisy, 0.15, key="b")[1][-1:]
    tried = [2 in fit(noisy, work, key="b")[1] for work in (2.0, 0.5)]
    assert tried == [True, False]  # once is enough


def test_a_hopeless_size_costs_little_and_larger_ones_are_not_tried():
    paces = {1: 1e-5, 2: 1e-3, 4: 1e-3}
    seconds, used = fit(paces, 0.5)
    assert 4 not in used
    assert seconds < 1.1 * alone(1, paces, 0.5, 1)


def test_one_size_is_not_asked():
    team = TeamSize([5], 100)
    for _ in range(20):
        assert team.next(7) == (5, 7)
        team.learn(5, 7, 1.0)
