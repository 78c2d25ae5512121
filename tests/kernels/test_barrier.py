"""Teams of threads: who does what, and that nobody goes on before all have come."""

import faulthandler
import itertools
import sys
import threading

import harness
import numpy as np
import pytest

SECONDS = 60  # only what is stuck takes that long
ROUNDS = 200


@pytest.fixture(autouse=True)
def never_stuck():
    """End everything if threads hang even after they were let go."""
    faulthandler.dump_traceback_later(3 * SECONDS, exit=True, file=sys.__stderr__)
    yield
    faulthandler.cancel_dump_traceback_later()


def test_parts_of_a_team_cover_everything_once_in_whole_grains():
    for count, team, grain in itertools.product(range(51), range(1, 10), range(1, 9)):
        begins = harness.begins(team, count, grain)
        parts = np.diff(begins)
        case = {"count": count, "team": team, "grain": grain}
        assert begins[0] == 0, case
        assert begins[-1] == count, case
        assert (parts >= 0).all(), case
        assert not (begins[:-1] % grain).any(), case


def test_parts_of_a_team_differ_by_one_grain_at_most():
    for count, team, grain in itertools.product(range(51), range(1, 10), range(1, 9)):
        grains = -(-np.diff(harness.begins(team, count, grain)) // grain)  # the last one may be a part of one
        assert np.ptp(grains) <= 1, {"count": count, "team": team, "grain": grain}


@pytest.mark.parametrize("team", [1, 2, 3, 4, 5])
def test_nobody_passes_a_barrier_before_all_have_come(team):
    """Each thread says how far it is, and between two barriers sees all of them exactly as far."""
    sync, arrived, work = harness.new_sync(), harness.numbers_apart(team), harness.numbers_apart(team)
    wrong = [None] * team

    def run(thread):
        wrong[thread] = harness.meet(sync, thread, team, ROUNDS, arrived, work)

    harness.meet(harness.new_sync(), 0, 1, 1, harness.numbers_apart(1), harness.numbers_apart(1))  # is compiled now
    threads = [threading.Thread(target=run, args=(thread,), daemon=True) for thread in range(team)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(SECONDS if not harness.gone(sync) else None)
        if thread.is_alive():
            harness.let_go(sync)
    assert not harness.gone(sync), "stuck"
    assert wrong == [0] * team
    assert (arrived[:, 0] == ROUNDS).all()


@pytest.mark.parametrize("kinds", [1, 3, 8, 9])
@pytest.mark.parametrize("team", [1, 2, 3, 5])
def test_each_piece_is_taken_once_by_whoever_comes(team, kinds):
    rounds = 300
    pieces = harness.Pieces(np.random.default_rng(0).integers(0, 6, (team, kinds)), rounds)
    pieces.compile()
    threads = [threading.Thread(target=pieces.take, args=(thread,), daemon=True) for thread in range(team)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(SECONDS)
        if thread.is_alive():
            harness.let_go(pieces.sync)
    assert not harness.gone(pieces.sync), "stuck"
    there = np.arange(pieces.taken.shape[-1]) < pieces.sizes[..., None]
    assert (pieces.taken.sum(axis=0) == there).all()
