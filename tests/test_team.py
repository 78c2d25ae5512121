"""The team of threads: the same bits whoever works, nobody waits for ever, nobody is left behind."""

import _thread
import faulthandler
import math
import multiprocessing
import os
import random
import signal
import sys
import tempfile
import threading
import time
from hashlib import sha256

import numba
import numpy as np
import pytest
from processes import SECONDS, apart, busy

from fastbp import SGD, Adam, Diagnostics, processors
from fastbp.compiler.interrupts import interrupts_wait
from fastbp.kernels.blocking import PIECE_ROWS
from fastbp.kernels.clock import HAS_CLOCK
from fastbp.memory.workspace import CHAIN_ROWS, CHUNK_ROWS, SUM_ROWS, Workspace
from fastbp.networks import fast as network
from fastbp.networks import run
from fastbp.networks.fast import Network
from fastbp.training import pace, team
from fastbp.training.loop import Data, Plan
from fastbp.training.pace import TeamSize

THREADS = (1, 2, 3, 5, 8)

# From 3.12 on Python warns of forks while any thread runs, those of NumPy's BLAS too.
pytestmark = pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning")


@pytest.fixture(autouse=True)
def teams_stay(monkeypatch):
    """A team that one thread would beat works on: it is what the tests are about."""
    monkeypatch.setattr(pace, "WORTH_ALONE", math.inf)


@pytest.fixture(autouse=True)
def never_stuck():
    """End everything if a team in this very process hangs: Python itself no longer has a say then."""
    faulthandler.dump_traceback_later(2 * SECONDS, exit=True, file=sys.__stderr__)
    yield
    faulthandler.cancel_dump_traceback_later()


def make(threads, hidden=(100, 33), **options):
    pace.WORTH_ALONE = math.inf  # in a process of its own, where no fixture is
    options = {"output": "softmax", "cost": "cross_entropy", "dropout": 0.2, "seed": 1, **options}
    return Network([70, *hidden, 5], threads=threads, **options)


def data(rows=101):
    rng = np.random.default_rng(0)
    return rng.random((rows, 70)), rng.integers(0, 5, rows)


def train(net, epochs=2, batch_size=25, optimizer=None, rows=101):
    return net.fit(*data(rows), epochs, batch_size, optimizer or Adam(0.01), verbose=0)


def digest(net):
    return sha256(b"".join(p.tobytes() for p in net.weights + net.biases)).hexdigest()


def trained(threads, **options):
    """Return the digest of a network after training by this many threads."""
    net = make(threads)
    train(net, **options)
    return digest(net)


@pytest.fixture(scope="module")
def alone():
    """The digest of what one thread learns."""
    return trained(1)


# The same bits


@pytest.mark.parametrize("options", [{}, {"l2": 0.01}, {"dtype": "float64"}], ids=["plain", "l2", "float64"])
@pytest.mark.parametrize("optimizer", [SGD(0.1), SGD(0.1, momentum=0.9), Adam(0.01)], ids=["sgd", "momentum", "adam"])
def test_bits_are_the_same_for_any_number_of_threads(optimizer, options):
    nets = [make(threads, **options) for threads in THREADS]
    assert [net._team_sizes(25) for net in nets] == [[1], *([n, 1] for n in THREADS[1:])]
    costs = [train(net, optimizer=optimizer).cost for net in nets]
    assert len({digest(net) for net in nets}) == 1
    assert costs == costs[:1] * len(nets)
    assert digest(nets[0]) != digest(make(1, **options))


@pytest.mark.parametrize("options", [{}, {"l1": 0.001, "l2": 0.01}, {"dropout": 0.3}, {"dtype": "float64"}], ids=str)
@pytest.mark.parametrize("optimizer", [SGD(0.1), SGD(0.1, momentum=0.9, nesterov=True), Adam(0.01)], ids=str)
@pytest.mark.parametrize("batch_size", [SUM_ROWS + 1, 5 * CHAIN_ROWS, 9 * CHAIN_ROWS + 3])
def test_bits_are_the_same_where_each_block_of_samples_has_its_own_gradient(batch_size, optimizer, options):
    nets = [make(threads, **options) for threads in THREADS]
    apart = [Workspace(net._parameters, batch_size, net.threads, train=True).gradients > 0 for net in nets]
    assert apart == [threads > 1 for threads in THREADS]
    costs = [train(net, 2, batch_size, optimizer, rows=2 * batch_size + 7).cost for net in nets]
    assert len({digest(net) for net in nets}) == 1
    assert costs == costs[:1] * len(nets)


@pytest.mark.parametrize(
    "options",
    [{}, {"l1": 0.001, "l2": 0.01}, {"hidden": (2 * 2 * CHUNK_ROWS + 33,)}, {"dtype": "float64", "max_norm": 1.0}],
    ids=["plain", "penalties", "several pieces of a thread's own", "float64"],
)
@pytest.mark.parametrize("optimizer", [SGD(0.1), Adam(0.01)], ids=str)
@pytest.mark.parametrize("batch_size", [3, PIECE_ROWS, 3 * PIECE_ROWS + 7, SUM_ROWS + 100])
def test_bits_are_the_same_where_pieces_are_taken_as_threads_come(batch_size, optimizer, options, monkeypatch):
    expected = make(1, **options)
    costs = train(expected, 2, batch_size, optimizer, rows=2 * batch_size + 7).cost
    monkeypatch.setattr(run, "LONG_STEP", 0)
    monkeypatch.setattr(Workspace, "__init__", without_chains)
    for threads in THREADS[1:]:
        net = make(threads, **options)
        assert train(net, 2, batch_size, optimizer, rows=2 * batch_size + 7).cost == costs
        assert digest(net) == digest(expected)


def without_chains(self, *arguments, make=Workspace.__init__, **options):
    make(self, *arguments, **options)
    self.gradients = 0


def test_long_steps_are_taken_in_pieces():
    net = large(threads=2)
    for rows, takes in ((16, False), (200, True)):
        session = net._session(Data(*net._checked(np.ones((rows, 1000)), np.ones((rows, 1000)))), Plan(SGD(0.1), rows))
        assert (session.record["take_rows"] > 0) == takes
        assert (session.record["take_updates"] > 0) == takes


@pytest.mark.parametrize(("rows", "batch_size"), [(1, 1), (2, 2), (7, 3), (9, 8), (13, 100)])
def test_a_team_may_be_larger_than_a_mini_batch(rows, batch_size):
    """(9, 8): eight threads, and a last mini-batch of one row."""
    nets = [make(threads) for threads in (1, 8)]
    for net in nets:
        train(net, rows=rows, batch_size=batch_size)
    assert digest(nets[0]) == digest(nets[1])


def test_a_team_may_be_far_larger_than_the_cores(alone):
    assert apart(trained, 25) == alone


def test_bits_are_the_same_while_others_keep_all_cores_busy(alone):
    with busy(os.cpu_count()):
        assert {apart(trained, threads) for threads in (2, 5)} == {alone}


def test_networks_train_in_several_threads_at_once(alone):
    assert apart(train_at_once, 5) == [alone] * 5


def train_at_once(number):
    nets = [make(threads=2) for _ in range(number)]
    workers = [threading.Thread(target=train, args=(net,)) for net in nets]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return [digest(net) for net in nets]


# Processes


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_forked_child_trains_on(alone):
    assert apart(fork_and_train) == [alone, alone]


def fork_and_train():
    """Train by two threads here, and then in a child; return both digests."""
    here = trained(2)
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        signal.alarm(100)  # ends the child if it is stuck
        os.write(writing, trained(2).encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        there = pipe.read()
    assert os.waitpid(child, 0)[1] == 0
    return [here, there]


# Another test in this process may have loaded JAX, which warns of every fork.
@pytest.mark.filterwarnings(r"ignore:os\.fork\(\) was called:RuntimeWarning")
@pytest.mark.parametrize("method", multiprocessing.get_all_start_methods())
def test_worker_processes_train(method, alone):
    assert trained(2) == alone  # the parent has had a team of its own
    assert apart(trained, 2, method=method) == alone


def test_workers_of_joblib_train_networks_they_are_sent(alone):
    joblib = pytest.importorskip("joblib")
    from joblib.externals.loky import get_reusable_executor

    assert trained(2) == alone
    try:
        jobs = [joblib.delayed(train_sent)(make(threads=2)) for _ in range(3)]
        results = joblib.Parallel(n_jobs=2, timeout=150)(jobs)
    finally:
        get_reusable_executor().shutdown(wait=True, kill_workers=True)
    assert {digest(net) for net in results} == {alone}


def train_sent(net):
    train(net)
    return net


# Nobody is left behind


def threads_running():
    """Return the number of threads that Python has started and that have not ended, after a moment to end."""
    for _ in range(100):
        if not _thread._count():
            break
        time.sleep(0.01)
    return _thread._count()


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="needs timers")
def test_ctrl_c_leaves_a_network_that_trains_on_and_no_thread():
    apart(interrupt_again_and_again, 40)


def interrupt_again_and_again(times):
    """Press Ctrl-C up to 30 ms after the beginning of training by three threads, until it has hit so many epochs."""
    signal.signal(signal.SIGALRM, signal.default_int_handler)
    draw, hits, others = random.Random(0), 0, threads_running()
    net, sets = make(threads=3), [data(101), data(1000)]
    train(net)  # llvmlite swallows a Ctrl-C that comes while it loads kernels
    while hits < times:
        before = net.epochs_trained
        try:
            signal.setitimer(signal.ITIMER_REAL, draw.uniform(1e-4, 0.03))
            net.fit(*draw.choice(sets), epochs=10**6, batch_size=20, optimizer=Adam(0.01), verbose=0)
        except KeyboardInterrupt:
            hits += net.epochs_trained > before
        assert threads_running() == others
        twin = Network._assemble(net.spec, net.weights, net.biases, 1, net.epochs_trained)
        train(net, epochs=1)
        train(twin, epochs=1)
        assert digest(net) == digest(twin)  # all that training starts from was in order


def test_ctrl_c_waits_until_code_is_compiled_and_is_not_lost():
    done = []

    def compile_something():
        with interrupts_wait():
            signal.raise_signal(signal.SIGINT)
            done.append(True)

    handler = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        compile_something()
    assert done
    assert signal.getsignal(signal.SIGINT) is handler


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="needs timers")
def test_ctrl_c_while_kernels_compile_is_neither_lost_nor_deadly(alone):
    """Six presses on the way, each a process that has compiled nothing yet and keeps nothing."""
    assert apart(interrupt_compiling, 0.1) == alone


def interrupt_compiling(interval):
    """Press Ctrl-C again and again while two threads are to train; then train, and return the digest.

    Once in each attempt: a second press might come while the first one is being handled here.
    """
    with tempfile.TemporaryDirectory() as folder:
        os.environ["NUMBA_CACHE_DIR"] = folder
        numba.config.reload_config()
        presses = []
        signal.signal(signal.SIGALRM, lambda *_: (presses.append(0), os.kill(os.getpid(), signal.SIGINT)))
        net = make(threads=2)
        while len(presses) < 6 or not network.epoch.train.signatures:
            try:
                signal.setitimer(signal.ITIMER_REAL, interval)
                net.fit(*data(), epochs=10**6, verbose=0)
            except KeyboardInterrupt:
                continue
            raise AssertionError("a press of Ctrl-C was lost")
        return trained(2)


@pytest.mark.parametrize("culprit", [0, 1, 2])
@pytest.mark.parametrize("error", [KeyboardInterrupt, MemoryError])
def test_who_fails_before_the_kernel_frees_the_others(culprit, error):
    assert apart(fail_before_the_kernel, culprit, error)


def fail_before_the_kernel(culprit, error):
    net, kernel = make(threads=3), network.epoch.train
    train(net)
    before, others = digest(net), threads_running()

    def fail(*arguments):
        if arguments[-2] == culprit:
            raise error("on purpose")
        kernel(*arguments)

    network.epoch.train = fail
    with pytest.raises(error, match="on purpose"):
        train(net)
    network.epoch.train = kernel
    assert threads_running() == others
    assert digest(net) == before
    train(net)
    return digest(net) != before


@pytest.mark.parametrize("possible", [0, 1, 3])
def test_the_team_is_smaller_where_the_system_starts_no_more_threads(possible, alone):
    assert apart(train_with_few_threads, possible) == (alone, possible + 1)


def train_with_few_threads(possible):
    """Train by five threads where only so many can be started; return the digest, and how many worked."""
    net, start, kernel = make(threads=5), team.start_new_thread, network.epoch.train
    alive, workers = [], set()

    def start_if_possible(function, arguments):
        if len(alive) >= possible:
            raise RuntimeError("can't start new thread")
        alive.append(start(function, arguments))
        time.sleep(0.01)  # in which it could begin

    def watch(*arguments):
        if arguments[-2] == 0:
            alive.clear()
        workers.add(arguments[-2])
        kernel(*arguments)

    team.start_new_thread, network.epoch.train = start_if_possible, watch
    train(net)
    return digest(net), len(workers)


# How many


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="needs affinity")
def test_one_core_takes_one_thread():
    assert apart(team_on_one_core) == 1


def team_on_one_core():
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    return max(large(threads="auto")._team_sizes(1000))


def test_auto_keeps_to_the_cores_that_are_available(monkeypatch):
    for cores in (1, 2, 6):
        monkeypatch.setattr(processors, "available_cores", lambda cores=cores: cores)
        assert max(large(threads="auto")._team_sizes(1000)) == cores


def large(threads):
    return Network([1000, 1000, 1000], threads=threads, seed=0)


def test_small_steps_are_made_by_one_thread():
    assert Network([4, 16, 2], threads="auto", seed=0)._team_sizes(8) == [1]


@pytest.mark.skipif(team.other_cores() == set(), reason="the system tells no cores, or has one")
def test_a_team_works_on_other_cores_than_its_first_thread():
    seen = {}

    def work(thread, size):
        seen[thread] = os.sched_getaffinity(0)

    allowed = os.sched_getaffinity(0)
    team.run_team(work, 3, lambda: None)
    assert seen[0] == os.sched_getaffinity(0) == allowed  # who called is left alone
    assert all(cores < allowed and len(cores) == len(allowed) - 1 for cores in (seen[1], seen[2]))


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="a timer of signals")
def test_nobody_works_on_after_ctrl_c_is_pressed_again_and_again():
    ended, presses = [], []

    def press(*_):
        presses.append(1)
        raise KeyboardInterrupt

    def work(thread, size):
        if thread:
            time.sleep(0.3)
            ended.append(thread)

    before = signal.signal(signal.SIGALRM, press)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.05, 0.05)
        with pytest.raises(KeyboardInterrupt):
            team.run_team(work, 3, lambda: None)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert len(presses) > 2
    assert sorted(ended) == [1, 2]


# Teams that end early


@pytest.mark.parametrize(
    "options",
    [{}, {"batch_size": 2}, {"accumulate": 3}, {"ema": 0.9}, {"callbacks": [Diagnostics(every=2)]}, {"clip_norm": 0.1}],
    ids=str,
)
def test_a_call_that_ends_after_each_mini_batch_changes_no_bit(options, monkeypatch):
    def learn(threads):
        net = make(threads)
        history = net.fit(*data(), 3, **{"batch_size": 10, "optimizer": Adam(0.01), "verbose": 0} | options)
        return digest(net), history.cost

    expected, ends = learn(1), []
    find = TeamSize.next

    def next_turn(self, batches):
        return find(self, batches)._replace(grace=-1.0, pace=0.0)

    def learn_from(self, turn, batches, seconds):
        ends.append(batches)

    monkeypatch.setattr(TeamSize, "next", next_turn)
    monkeypatch.setattr(TeamSize, "learn", learn_from)
    assert learn(3) == expected
    assert not HAS_CLOCK or set(ends) == {1}
