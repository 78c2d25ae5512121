"""A team of Python threads that call one function together; none of them is ever left behind.

Their kernels meet at the barriers of `kernels/team.py`: one who did not come would keep the others waiting for ever.
"""

from _thread import start_new_thread  # threading.Thread would wait for its thread to run: 0.2 ms a call
from collections import deque
from collections.abc import Callable, Sequence
from threading import Lock


def run_team(work: Callable[[int, int], object], size: int, release: Callable[[], None]) -> None:
    """Call work(thread, team) for all threads 0 .. team - 1 at once, 0 being this one; return when all have.

    The team is of `size`, or smaller if the system starts no more threads: nobody begins before that is known. If
    one raises, release() must let those who wait for it run on to their end; then the exception is raised here.
    """
    gate, team = Lock(), 0  # a team of nobody, should Ctrl-C come before it is complete
    failures: list[BaseException] = []
    ends: list[Lock] = []

    def member(thread: int, end: Lock) -> None:
        try:
            with gate:
                pass
            if thread < team:
                work(thread, team)
        except BaseException as failure:
            failures.append(failure)
            release()
        finally:
            end.release()

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
        for end in ends:
            end.acquire()
    if failures:
        raise failures[0]


class TeamSize:
    """Which size of team is the fastest, found out by use: results do not depend on it.

    No rule foretells it. With 784-30-10 and batches of 10, two threads took twice as long as one on a processor with
    AVX-512, and 0.65 times as long on one without.
    """

    TRIALS = 4  # calls of each size at the start, which soon grow longer
    AGAIN = 64  # calls until each is tried once more: other programs come and go

    def __init__(self, sizes: Sequence[int]) -> None:
        self.sizes = sizes
        self.seconds = {size: deque([float("inf")], maxlen=2) for size in sizes}  # per mini-batch, the last two
        self.calls = 0

    def next(self) -> int:
        """Return the size for the next call."""
        among = len(self.sizes)
        if self.calls < self.TRIALS * among or self.calls % self.AGAIN < among:
            return self.sizes[self.calls % among]
        return min(self.sizes, key=lambda size: min(self.seconds[size]))

    def learn(self, size: int, seconds: float) -> None:
        """Take note of how long a mini-batch took."""
        self.seconds[size].append(seconds)
        self.calls += 1
