"""A team of Python threads that call one function together; none of them is ever left behind.

Their kernels meet at the barriers of `kernels/barrier.py`: one who did not come would keep the others waiting for ever.
"""

import ctypes
import os
from _thread import start_new_thread  # threading.Thread would wait for its thread to run: 0.2 ms a call
from collections.abc import Callable
from contextlib import suppress
from threading import Lock

SCHED_GETCPU = getattr(ctypes.CDLL(None), "sched_getcpu", None) if os.name == "posix" else None


def run_team(work: Callable[[int, int], object], size: int, release: Callable[[], None]) -> None:
    """Call work(thread, team) for all threads 0 .. team - 1 at once, 0 being this one; return when all have.

    The team is of `size`, or smaller if the system starts no more threads: nobody begins before that is known. If
    one raises, release() must let those who wait for it run on to their end; then the exception is raised here.
    """
    elsewhere = other_cores() if size > 1 else set()
    gate, team = Lock(), 0  # a team of nobody, should Ctrl-C come before it is complete
    failures: list[BaseException] = []
    ends: list[Lock] = []
    ended: set[int] = set()

    def member(thread: int, end: Lock) -> None:
        try:
            leave_to(elsewhere)
            with gate:
                pass
            if thread < team:
                work(thread, team)
        except BaseException as failure:
            failures.append(failure)
            release()
        finally:
            ended.add(thread)
            end.release()

    def wait() -> None:
        for thread, end in enumerate(ends, 1):
            while thread not in ended:
                end.acquire()

    try:
        with gate:
            for thread in range(1, size):
                end = Lock()
                end.acquire()
                try:
                    start_new_thread(member, (thread, end))
                except RuntimeError:  # can't start new thread
                    break
                ends.append(end)
            team = 1 + len(ends)
        work(0, team)
    except BaseException:
        release()
        raise
    finally:
        interrupt: BaseException | None = None
        while len(ended) < len(ends):
            try:
                wait()
            except BaseException as again:  # Ctrl-C once more: nobody writes to anything after this
                interrupt = again
                release()
        if interrupt:
            raise interrupt
    if failures:
        raise failures[0]


def other_cores() -> set[int]:
    """Return the cores that this thread may use, but the one it is on; none where the system does not tell."""
    if SCHED_GETCPU is None or not hasattr(os, "sched_getaffinity"):
        return set()
    return os.sched_getaffinity(0) - {SCHED_GETCPU()}


def leave_to(cores: set[int]) -> None:
    """Let the calling thread run on these cores only, if there are any.

    Linux may leave a new thread on the core of its parent for milliseconds, where the two wait for each other at every
    barrier: on a virtual machine whose kernel packs threads, 784-30-10 took 8 times as long by two threads as by one,
    until they were kept apart; then 0.88 times.
    """
    if cores:
        with suppress(OSError):  # taken away meanwhile
            os.sched_setaffinity(0, cores)
