"""Which size of team is the fastest for a kind of step: found out by use, kept for the process, never at a high price.

Results do not depend on the size, and no rule foretells which is best: with 784-30-10 and mini-batches of 10, two
threads took twice as long as one on a processor with AVX-512, and 0.65 times as long on one without. So one thread
begins, and larger teams are tried when so much work is in sight that a trial is worth it: each trial takes a small
share of it, and is broken off if it goes badly.
"""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field

WORTH = 0.1  # seconds of work in sight, below which nothing is tried
ENOUGH, MOST = 32, 1.0  # nor below so many mini-batches, of which three are the least that tell, up to so many seconds
WAKING, TIMED = 0.01, 0.015  # shares of the work in sight: a trial wakes the other cores, then is timed
LONGEST = 0.02  # seconds of either
WAKE = 2e-3  # seconds that waking may take on top
SHORTEST = 5e-4  # seconds that tell anything of a pace
STEADY = 5e-3  # seconds that tell whether a team still is the best: its first calls are short, and mostly overhead
PIECE = 2e-5  # seconds of the first call that wakes, of which each is twice as long as the one before
HOPELESS = 3.0  # times as long as by the best: a trial is broken off
BETTER = 0.95  # times the best: or it is not worth the other cores
AGAIN = 3.0  # seconds of work until other sizes are tried again: other programs come and go
LONGER = 3.0  # times as long as the last time: so much work in sight that a trial may take this is a reason, too


@dataclass
class Pace:
    """What is known of one kind of step."""

    seconds: dict[int, float] = field(default_factory=dict)  # per mini-batch, by size of team
    timed: dict[int, float] = field(default_factory=dict)  # seconds that each was tried for
    since: float = 0.0  # seconds of work since sizes were compared


PACES: dict[Hashable, Pace] = {}


class Measure:
    """Mini-batches and seconds, added up until they tell something."""

    def __init__(self) -> None:
        self.steps, self.seconds = 0, 0.0
        self.woken = False  # whether it has waited for other cores to wake, and tells nothing

    def add(self, steps: int, seconds: float, least: float) -> float | None:
        """Return the seconds per mini-batch, once there are enough of them to go by."""
        self.steps += steps
        self.seconds += seconds
        return self.seconds / self.steps if self.seconds >= least else None


class Trial:
    """A size to be tried for so many mini-batches; `pace`: seconds per mini-batch of the best so far."""

    def __init__(self, size: int, share: float, in_sight: float, pace: float) -> None:
        self.size, self.pace, self.waking = size, pace, share == WAKING
        self.steps = max(1 if self.waking else 2, round(min(share * in_sight, LONGEST) / pace))
        self.done, self.seconds = 0, 0.0

    def next(self) -> int:
        """Return how many mini-batches to make in the next call."""
        left = self.steps - self.done
        return min(left, max(1, self.done, round(PIECE / self.pace))) if self.waking else left

    def add(self, count: int, seconds: float) -> None:
        """Take note of a call."""
        self.done += count
        self.seconds += seconds

    @property
    def hopeless(self) -> bool:
        """Whether it has taken far longer by now than all of it should."""
        return self.seconds > HOPELESS * self.steps * self.pace + WAKE * self.waking


class TeamSize:
    """The size for each call of one run of `steps` mini-batches; `sizes` are sorted, and the first is what begins."""

    def __init__(self, sizes: Sequence[int], steps: int = 0, key: Hashable = None) -> None:
        self.sizes, self.steps = sizes, steps
        self.pace = Pace() if key is None else PACES.setdefault(key, Pace())
        self.measure = Measure()  # of the best size
        self.untried: list[tuple[int, float]] = []
        self.trial: Trial | None = None
        self.awake = False  # whether a team has worked in this run

    def next(self, count: int) -> tuple[int, int]:
        """Return the size for the next mini-batches, and how many of the next `count` they are."""
        if len(self.sizes) == 1:
            return self.sizes[0], count
        self.trial = self.trial or self._next_trial()
        if self.trial:
            return self.trial.size, min(count, self.trial.next())
        return self._best(), count

    def learn(self, size: int, count: int, seconds: float) -> None:
        """Take note of how long so many mini-batches took."""
        if len(self.sizes) == 1:
            return
        self.steps -= count
        self.pace.since += seconds
        woken = size != self.sizes[0] and not self.awake
        self.awake |= woken
        if self.trial:
            self.trial.add(count, seconds)
            self._judge(self.trial)
            return
        self.measure.woken |= woken
        found = self.measure.add(count, seconds, STEADY if self.awake else SHORTEST)
        if found is not None:
            if not self.measure.woken:
                self.pace.seconds[size] = found
            self.measure = Measure()

    def _best(self) -> int:
        """Return the fastest size; the first where no other is known, or there is too little work to wake cores for."""
        known, first = self.pace.seconds, self.sizes[0]
        if first not in known or (not self.awake and known[first] * self.steps < WORTH / 2):
            return first
        best = min(known, key=lambda size: known[size])
        return best if known[best] < BETTER * known[first] else first

    def _next_trial(self) -> Trial | None:
        """Return what to try next, if it is time to, and worth it."""
        known, best = self.pace.seconds, self._best()
        if best not in known:
            return None
        in_sight = known[best] * self.steps
        due = len(known) == 1 or self.pace.since > AGAIN or self._can_tell_better(in_sight)
        if not self.untried and due and in_sight >= max(WORTH, min(ENOUGH * known[best], MOST)):
            self.pace.since = 0.0
            self.untried = [(size, share) for size in self.sizes if size != best for share in (WAKING, TIMED)]
        return Trial(*self.untried.pop(0), in_sight, known[best]) if self.untried else None

    def _can_tell_better(self, in_sight: float) -> bool:
        """Whether a size lost in a trial that was short beside what it might take now: 784-30-10 took 88 ms an epoch
        for 3 s, and not 59, because two threads had been timed for 1.5 ms.
        """  # noqa: D205
        longest = min(TIMED * in_sight, LONGEST)
        return any(LONGER * self.pace.timed.get(size, longest) < longest for size in self.sizes if size != self._best())

    def _judge(self, trial: Trial) -> None:
        if trial.hopeless:
            self.untried = []  # nor will larger teams be of use
        elif trial.done < trial.steps:
            return
        if trial.hopeless or not trial.waking:
            self.pace.seconds[trial.size] = trial.seconds / trial.done
            self.pace.timed[trial.size] = max(trial.seconds, SHORTEST)
        self.trial, self.measure = None, Measure()
