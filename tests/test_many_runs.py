"""Again and again: nothing hangs, nothing grows, and Ctrl-C leaves a network in order at whatever moment it comes.

The short forms repeat a few times, the long ones (`pytest -m soak`) as often as their names say.
"""

import os
import random
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from hashlib import sha256

import numpy as np
import pytest
from processes import apart, busy

from fastbp import Adam, Network
from fastbp.networks import run
from fastbp.training import loop, pace

HOUR = 3600
RNG = np.random.default_rng(0)
X, Y = RNG.random((200, 20)), RNG.integers(0, 5, 200)

# From 3.12 on Python warns of forks while any thread runs, those of NumPy's BLAS too.
pytestmark = pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning")


def make(threads):
    return Network([20, 33, 17, 5], output="softmax", cost="cross_entropy", dropout=0.1, threads=threads, seed=0)


def digest(net):
    return sha256(b"".join(p.tobytes() for p in net.weights + net.biases)).hexdigest()


def trained(threads):
    net = make(threads)
    net.fit(X, Y, 3, 20, Adam(0.01), verbose=0)
    return digest(net)


@pytest.fixture(scope="module")
def alone():
    """What one thread learns."""
    return trained(1)


# Nothing hangs, and whoever trains learns the same


def in_a_crowd():
    return {trained(25)}


def at_once():
    found = set()
    threads = [threading.Thread(target=lambda n=n: found.add(trained(1 + n % 3))) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


def in_a_fork():
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        os.write(writing, trained(2).encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        there = pipe.read()
    os.waitpid(child, 0)
    return {trained(2), there}


def moved_from_core_to_core():
    cores, ends = os.sched_getaffinity(0), threading.Event()
    draw = random.Random(0)

    def move():
        while not ends.is_set():
            for thread in os.listdir("/proc/self/task"):
                try:
                    os.sched_setaffinity(int(thread), {draw.choice(sorted(cores))})
                except OSError:
                    continue
            time.sleep(1e-3)
        os.sched_setaffinity(0, cores)

    mover = threading.Thread(target=move)
    mover.start()
    try:
        return {trained(3)}
    finally:
        ends.set()
        mover.join()
        os.sched_setaffinity(threading.main_thread().native_id, cores)


def stopped_two_thirds_of_the_time():
    """As the quota of a container does it: all threads stand still for 20 of each 30 ms."""
    program = f"""import os, select, signal, time
while not select.select([0], [], [], 0.01)[0]:
    os.kill({os.getpid()}, signal.SIGSTOP)
    time.sleep(0.02)
    os.kill({os.getpid()}, signal.SIGCONT)"""
    other = subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE)
    try:
        return {trained(2), trained("auto"), trained(3)}
    finally:
        other.stdin.close()
        other.wait()


def while_all_cores_are_busy():
    with busy(os.cpu_count()):
        return {trained(2), trained("auto")}


def in_workers_of_joblib():
    import joblib
    from joblib.externals.loky import get_reusable_executor

    try:
        return set(joblib.Parallel(n_jobs=2)(joblib.delayed(trained)(2) for _ in range(4)))
    finally:
        get_reusable_executor().shutdown(wait=True, kill_workers=True)


def in_a_spawned_process():
    return {apart(trained, 2)}


def repeat(scenario, times):
    pace.WORTH_ALONE = float("inf")  # teams stay, however slow
    return set().union(*(scenario() for _ in range(times)))


QUICK = [in_a_crowd, at_once]
if hasattr(os, "fork"):
    QUICK.append(in_a_fork)
if os.path.isdir("/proc/self/task"):
    QUICK.append(moved_from_core_to_core)
if hasattr(signal, "SIGSTOP"):
    QUICK.append(stopped_two_thirds_of_the_time)
SLOW = [while_all_cores_are_busy, in_a_spawned_process, in_workers_of_joblib]


@pytest.mark.parametrize("scenario", QUICK)
def test_no_run_hangs(scenario, alone):
    assert apart(repeat, scenario, 5) == {alone}


@pytest.mark.soak
@pytest.mark.parametrize("scenario", [*QUICK, *SLOW])
def test_no_run_of_50_hangs(scenario, alone):
    if scenario is in_workers_of_joblib:
        pytest.importorskip("joblib")
    assert apart(repeat, scenario, 50, seconds=HOUR) == {alone}


# Ctrl-C


def states_after_each_batch(batches):
    """Return the digests of the parameters at the start and after each mini-batch, one after the other."""
    net, found = make(1), set()
    found.add(digest(net))

    class Enough(Exception):
        pass

    def step(self, count, seconds):
        found.add(digest(net))
        self.per_call = 1
        if len(found) > batches:
            raise Enough

    loop._Loop._adapt, kept = step, loop._Loop._adapt
    try:
        net.fit(X, Y, 10**6, 20, Adam(0.01), verbose=0)
    except Enough:
        return found
    finally:
        loop._Loop._adapt = kept


def interrupt(times, again):
    """Press Ctrl-C at so many moments of training, each of a new network; return the seconds that the longest took.

    - again: seconds until it is pressed once more; 0: it is not
    """
    states, draw, longest, pressed, snapshots = states_after_each_batch(20_000), random.Random(1), 0.0, [], 0

    def press(*_):
        pressed.append(time.perf_counter())
        raise KeyboardInterrupt

    def alarm(*_):
        if again and not pressed:
            signal.setitimer(signal.ITIMER_REAL, again)
        signal.raise_signal(signal.SIGINT)

    signal.signal(signal.SIGINT, press)
    signal.signal(signal.SIGALRM, alarm)
    for moment in range(times):
        net = make(1 + moment % 2)
        loop.SNAPSHOT_SECONDS = 1e-4 if moment % 4 < 2 else 1.0
        pressed.clear()
        with suppress(KeyboardInterrupt):  # the second may come when fit has ended
            try:
                signal.setitimer(signal.ITIMER_REAL, draw.uniform(1e-4, 0.2))
                net.fit(X, Y, 10**6, 20, Adam(0.01), verbose=0)
            except KeyboardInterrupt:
                longest = max(longest, time.perf_counter() - pressed[0])
                time.sleep(2 * again)
        assert digest(net) in states, moment
        snapshots += net.epochs_trained > 0
        net.fit(X, Y, 1, 20, Adam(0.01), verbose=0)
        assert threading.active_count() == 1
    assert snapshots > times / 2
    return longest


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="needs timers")
@pytest.mark.parametrize("again", [0, 1e-4, 1e-3], ids=["once", "soon again", "again"])
def test_ctrl_c_leaves_the_parameters_of_a_mini_batchs_end(again):
    assert apart(interrupt, 12, again) < 0.5


@pytest.mark.soak
@pytest.mark.parametrize("again", [0, 5e-5, 1e-4, 1e-3], ids=str)
def test_ctrl_c_at_75_moments(again):
    seconds = apart(interrupt, 75, again)
    print(f"{seconds * 1e3:.0f} ms")
    assert seconds < 0.5


def test_a_second_ctrl_c_waits_until_all_is_as_it_was_before(monkeypatch):
    net, before = make(2), digest(make(2))
    copy, restored = np.copyto, []

    def work(*_):
        net._parameters.buffer[:] = 0
        raise KeyboardInterrupt

    def press_and_copy(target, source):
        signal.raise_signal(signal.SIGINT)
        copy(target, source)
        restored.append(target.size)

    def train(self, *_):
        monkeypatch.setattr(run.np, "copyto", press_and_copy)
        work()

    monkeypatch.setattr(run.Run, "train", train)
    with pytest.raises(KeyboardInterrupt):
        net.fit(X, Y, 1, 20, Adam(0.01), verbose=0)
    monkeypatch.undo()
    assert len(restored) == 3  # parameters, state, steps
    assert digest(net) == before


# Memory


def growth(fits):
    """Return the MB that so many fits, predictions and networks take and do not give back."""

    def one(n):
        net = make(1 + n % 2)
        net.fit(X, Y, 1, 20, Adam(0.01), verbose=0)
        net.predict(X)
        net.predict(X[0])

    for n in range(200):
        one(n)
    before = resident()
    for n in range(fits):
        one(n)
    return resident() - before


def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


@pytest.mark.skipif(not os.path.exists("/proc/self/statm"), reason="the system does not tell")
def test_fits_take_no_memory_that_they_do_not_give_back():
    assert apart(growth, 500) < 2


@pytest.mark.soak
def test_3000_fits_take_no_memory_that_they_do_not_give_back():
    megabytes = apart(growth, 3000)
    print(f"{megabytes:.1f} MB")
    assert megabytes < 3
