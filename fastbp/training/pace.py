"""Which size of team is the fastest for a kind of step: found out by use, kept for the process, never at a high price.

Results do not depend on the size, and no rule foretells which is best: with 784-30-10 and mini-batches of 10, two
threads took twice as long as one on a processor with AVX-512, and 0.65 times as long on one without; and other programs
come and go. So the first size begins, and the others are tried when so much work has been done, or is in sight, that a
trial is worth it. A team is never let run on where it takes longer than fewer threads did: its kernel looks at the
clock after each mini-batch, and ends the call early.
"""

import math
from collections.abc import Hashable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import NamedTuple

WORTH = 0.1  # seconds of work, done since the last trial or in sight, below which nothing is tried
ENOUGH, MOST = 32, 1.0  # nor below so many mini-batches, of which three are the least that tell, up to so many seconds
WORTH_ALONE = 0.01  # seconds of a team's work that are enough to try one thread, which wakes nobody
WAKING, TIMED = 0.01, 0.015  # shares of that work: a trial wakes the other cores, then is timed
ALONE = 0.04  # instead of TIMED, where one thread is tried: see MEMORY
LONGEST, MOST_OF_RUN = 0.1, 0.25  # seconds of either, and share of the work that is left in the run
LEAST = 2  # mini-batches that tell anything
WAKE = 2e-3  # seconds that waking may take on top
SHORTEST = 5e-4  # seconds that tell anything of a pace
STEADY = 5e-3  # seconds that tell whether a team still is the best: its first calls are short, and mostly overhead
# Beside a team of PyTorch's, one thread had a core to itself for 60 to 100 ms, then half of one for as long: left in
# its bad time, it was not tried in its good one.
MEMORY = 0.3  # seconds of work, of which the pace of who works is the mean
HOPELESS = 2.0  # times as long as by the best: a trial is broken off
LATEST = 0.2  # seconds from the start, after which any call of a team ends: it was to take half of that
GRACE = 1e-3  # seconds that a call of a team may take longer than by fewer threads
BETTER = 0.95  # times the first: or another size is not worth it
LOYAL = 0.7  # the same, where the first is what the user asked for
SOON, AGAIN = 0.1, 3.0  # seconds of work until sizes are compared again: at first, and at most


@dataclass
class Pace:
    """What is known of one kind of step."""

    seconds: dict[int, float] = field(default_factory=dict)  # per mini-batch, by size of team
    steps: dict[int, float] = field(default_factory=dict)  # mini-batches that this is the mean of, by size of team
    since: float = 0.0  # seconds of work since sizes were compared, or a team was too slow
    wait: float = SOON  # seconds of work from that until sizes are compared again
    untried: list[int] = field(default_factory=list)  # sizes, of those that are to be compared now

    def set(self, size: int, steps: float, seconds: float) -> None:
        """Take so many mini-batches for all that is known of a size."""
        self.steps[size], self.seconds[size] = steps, seconds / steps

    def average(self, size: int, steps: int, seconds: float, memory: float) -> None:
        """Add mini-batches to at most so many seconds of those that are known."""
        known = self.seconds.get(size, 0.0)
        before = min(self.steps.get(size, 0.0), memory / known) if known else 0.0
        self.set(size, before + steps, before * known + seconds)

    def forget(self) -> None:
        """Begin anew: a call took far longer than it should, and all that was known is of other times."""
        self.seconds.clear()
        self.steps.clear()
        self.untried.clear()
        self.wait, self.since = SOON, 0.0

    def wait_longer(self) -> None:
        """Do so twice as long until sizes are compared again."""
        self.wait = min(2 * self.wait, AGAIN)


PACES: dict[Hashable, Pace] = {}


class Turn(NamedTuple):
    """What to do next."""

    size: int  # of the team
    batches: int
    grace: float = math.inf  # seconds from the start after which a team ends early,
    pace: float = 0.0  # and so many more for each mini-batch made


class Measure:
    """Mini-batches and seconds, added up until they tell something."""

    def __init__(self) -> None:
        self.steps, self.seconds = 0, 0.0
        self.woken = False  # whether it has waited for other cores to wake, and tells nothing

    def add(self, steps: int, seconds: float, least: float) -> bool:
        """Return whether there are enough of them to go by."""
        self.steps += steps
        self.seconds += seconds
        return self.seconds >= least

    @property
    def so_far(self) -> float | None:
        """A first guess."""
        return self.seconds / self.steps if self.seconds >= SHORTEST else None


class Trial:
    """A size to be tried for so many mini-batches; `pace`: seconds per mini-batch of the best so far."""

    def __init__(self, size: int, waking: bool, work: float, pace: float, left: int) -> None:
        self.size, self.waking = size, waking
        share = ALONE if size == 1 else WAKING if waking else TIMED
        seconds = max(SHORTEST, min(share * work, LONGEST, MOST_OF_RUN * left * pace))
        self.steps = max(1 if waking else LEAST, round(seconds / pace))
        self.limit = HOPELESS * self.steps * pace + WAKE * waking  # seconds
        self.done, self.seconds = 0, 0.0

    @property
    def hopeless(self) -> bool:
        """Whether it has taken far longer by now than all of it should."""
        return self.size > 1 and self.seconds > self.limit


class TeamSize:
    """The size for each call of one run of `steps` mini-batches; the first of `sizes` begins, and wins a draw."""

    def __init__(self, sizes: Sequence[int], steps: int = 0, key: Hashable = None) -> None:
        self.sizes, self.first, self.steps = sorted(sizes), sizes[0], steps
        self.pace = Pace() if key is None else PACES.setdefault(key, Pace())
        self.measure = Measure()  # of the best size
        self.trial: Trial | None = None
        self.awake = 1  # the largest team that has worked in this run
        self.chosen = 0  # the best when sizes were compared last

    def next(self, count: int) -> Turn:
        """Return what to do next, for at most `count` mini-batches."""
        if len(self.sizes) == 1:
            return Turn(self.first, count)
        self.trial = self.trial or self._next_trial()
        if self.trial:
            return Turn(self.trial.size, min(count, self.trial.steps - self.trial.done), self.trial.limit)
        size, known = self._best(), self.pace.seconds.copy()  # other runs change it
        slower = [known[fewer] for fewer in self.sizes if fewer < size and fewer in known]
        if not slower or size not in known:
            return Turn(size, count)
        # Who was timed while others had its core seems slow: but one thread takes at most so many times as long.
        pace = min(*slower, size * known[size]) / (1.0 if self.first == 1 else LOYAL)
        return Turn(size, count, GRACE + self._waking(size), pace)

    def learn(self, turn: Turn, count: int, seconds: float) -> None:
        """Take note of how long the first `count` mini-batches of a turn took, after which it ended."""
        if len(self.sizes) == 1:
            return
        self.steps -= count
        self.pace.since += seconds
        woken = turn.size > self.awake
        self.awake = max(self.awake, turn.size)
        if self.trial:
            self.trial.done += count
            self.trial.seconds += seconds
            self._judge(self.trial)
        elif count < turn.batches and seconds <= turn.grace + count * turn.pace:
            self.pace.forget()
            self.measure = Measure()
        elif count < turn.batches:
            self.pace.set(turn.size, count, seconds)
            if self.pace.since > self.pace.wait:  # it had done well for long
                self.pace.wait = SOON
            else:
                self.pace.wait_longer()
            self.pace.since, self.measure = 0.0, Measure()
        else:
            self.measure.woken |= woken
            if self.measure.add(count, seconds, STEADY if self.awake > 1 else SHORTEST):
                if not self.measure.woken or turn.size not in self.pace.seconds:
                    self.pace.average(turn.size, self.measure.steps, self.measure.seconds, MEMORY)
                self.measure = Measure()

    def _waking(self, size: int) -> float:
        """Return the seconds that may go until so many are at work."""
        return WAKE if size > self.awake else 0.0

    def _best(self) -> int:
        """Return the size that will be done first; `first` where no other is known, or is so by a hair."""
        known, first = self.pace.seconds.copy(), self.first
        if first not in known:
            return first
        seconds = {size: pace * self.steps + self._waking(size) for size, pace in known.items()}
        best = min(known, key=lambda size: seconds[size])
        return best if seconds[best] < (BETTER if first == 1 else LOYAL) * seconds[first] else first

    def _next_trial(self) -> Trial | None:
        """Return what to try next, if it is time to, and worth it."""
        pace, known, best = self.pace, self.pace.seconds.copy(), self._best()
        alone = best > 1 and 1 not in known  # of use at once: then no team runs on that is far slower
        now = known.get(best) or (self.measure.so_far if alone else None)
        if now is None:
            return None
        work = pace.since + (now * self.steps if len(known) < 2 else 0.0)  # what is in sight counts once
        enough = WORTH_ALONE if alone else max(WORTH, min(ENOUGH * now, MOST))
        if not pace.untried and work >= (enough if len(known) < 2 else pace.wait):
            pace.untried, self.chosen = [size for size in self.sizes if size != best], best
        size = next((size for size in tuple(pace.untried) if size != best), None)
        if size is None:
            return None
        trial = Trial(size, size > self.awake, work, now, self.steps)
        return trial if self.steps >= trial.steps + LEAST * trial.waking else None

    def _judge(self, trial: Trial) -> None:
        if trial.done < trial.steps and not trial.hopeless:
            return
        if trial.hopeless or not trial.waking:
            # Who seems worse than before may have had bad luck, and will not work to show it; who seems better, will.
            better = trial.seconds < trial.done * self.pace.seconds.get(trial.size, math.inf)
            self.pace.average(trial.size, trial.done, trial.seconds, 0.0 if better else trial.seconds)
            with suppress(ValueError):  # another run was faster
                self.pace.untried.remove(trial.size)
        if trial.hopeless:  # nor will larger teams be of use
            self.pace.untried = [size for size in self.pace.untried if size < trial.size]
        if not self.pace.untried:
            if self._best() == self.chosen:
                self.pace.wait_longer()
            self.pace.since = 0.0
        self.trial, self.measure = None, Measure()
