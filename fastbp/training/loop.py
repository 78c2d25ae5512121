"""The epoch loop, over whatever engine does the work.

An engine is called for about 100 ms at a time, so that Ctrl-C, progress and the watch for
divergence have their turn; between two calls the parameters are consistent and finite.
"""

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from time import perf_counter
from typing import Any, NamedTuple, Protocol, runtime_checkable

import numpy as np

from ..errors import DivergenceError
from ..formulas import Array
from ..formulas.looks import LayerLook, Looks
from ..formulas.optimizers import ClippedByValue, Optimizer
from ..formulas.schedules import rates_at
from .callbacks.base import Callback, Measured
from .history import History
from .metrics import Metric
from .progress import Reporter
from .streams import DROPOUT, SHUFFLE, stream

CALL_SECONDS = 0.1
SNAPSHOT_SECONDS = 1.0  # what Ctrl-C may lose, and a divergence has to replay; rare enough to cost nothing

STILL = 1e-6  # of the largest weight: less is no movement; biases begin at 0, where any is
BLOCK = 4096
BLOCKS = "blocks"
BLOCK_BYTES, GROUP = 2**18, 256
BAD = 10.0  # an epoch whose cost is more than so many times that of the first mini-batch is on its way to diverge

AnyCallback = Callable[[Any, History[Any]], object]


@runtime_checkable
class Watcher(Protocol):
    """A callback that wants to know how each layer learns: every so many mini-batches are looked at."""

    every: int

    def note(self, layers: tuple[LayerLook, ...]) -> None:
        """Take what was seen in an epoch, before the callbacks are called."""


class Progress(NamedTuple):
    """What an epoch's calls of `Session.train` saw so far, each sample before the update it took part in."""

    cost: float  # Σ over samples of weight · C_x, without penalty
    correct: float  # Σ of the weights of right answers
    weight: float  # Σ of weights
    failed: int  # the mini-batch whose cost is not finite, its update not made; -1 if none


NOTHING = Progress(0.0, 0.0, 0.0, -1)


class Data(NamedTuple):
    """Samples, checked."""

    x: Array  # (N, n_0)
    y: Array  # labels (N,) of int64, or (N, n_L)
    sample_weight: Array | None = None  # (N,); None: all 1


class Plan(NamedTuple):
    """What a run is going to do."""

    optimizer: Optimizer
    batch_size: int
    clip_norm: float | None = None  # of the gradient over all parameters; None: as it is
    epochs: int = 1  # how often each sample is going to be seen
    steps: int = 0  # that may be to come, where nobody knows; 0: those of the epochs
    look_every: int = 0  # so many mini-batches one is looked at; 0: none
    clip_layer_norm: float | None = None  # of the gradient over each layer's
    clip_value: float | None = None  # of each entry of the gradient
    accumulate: int = 1  # mini-batches whose gradients make one update
    ema: float | None = None  # of the weights over the updates, for whoever looks at them
    penalty_per_batch: bool = False  # l1 and l2 count once in a mini-batch's sum, not in each of its samples' C_x
    journal: Array | None = None  # (mini-batches + 1, 2), out: Σ weight · C_x of each, and Σ w² before it

    @property
    def rule(self) -> Optimizer:
        """The optimizer, of a gradient whose entries are clipped, where they are."""
        return self.optimizer if self.clip_value is None else ClippedByValue(self.optimizer, self.clip_value)

    @property
    def needs_whole(self) -> bool:
        """Whether the gradient is wanted whole."""
        return self.accumulate > 1 or self.clip_norm is not None or self.clip_layer_norm is not None

    def updates(self, first: int, count: int, num_batches: int) -> int:
        """How many updates mini-batches first .. first + count - 1 of an epoch make."""
        end = first + count
        return (-(-end // self.accumulate) if end == num_batches else end // self.accumulate) - first // self.accumulate


class Session(Protocol):
    """One engine in the middle of a run: parameters, optimizer state, workspace.

    Mini-batch k of an epoch is order[k * batch_size : (k + 1) * batch_size]; the last one may be
    short and is trained on. Results depend on the mini-batches alone, never on how many one call
    covers.
    """

    def train(
        self, order: Array, first: int, count: int, seed: int, so_far: Progress = NOTHING, rates: Array | None = None
    ) -> Progress:
        """Run mini-batches first .. first + count - 1; `seed` is the epoch's for dropout.

        `rates` has the learning rate of each mini-batch of the order; None: it is the optimizer's number.

        What is seen is added to what the epoch saw so far, mini-batch by mini-batch: sums of each call by itself
        would be rounded as the clock cuts the calls.
        """

    def finite(self) -> bool:
        """Whether all parameters are finite."""

    def snapshot(self, into: Any = None) -> Any:
        """Return copies of parameters, optimizer state and step count; `into` is an earlier snapshot to overwrite."""

    def restore(self, snapshot: Any) -> None:
        """Return to a snapshot, which stays as it is."""

    def moved(self, snapshot: Any) -> bool:
        """Whether any weight differs from the snapshot's by more than STILL of the largest."""

    def show_average(self, shown: bool) -> None:
        """Let the network have the average of its parameters, or have them back; nothing where there is none."""

    def take_looks(self) -> Looks:
        """Return what was seen in the mini-batches that were looked at since the last time."""


class Done(NamedTuple):
    """What a run has behind it that is resumed."""

    history: History[Any]
    limit: float  # see `_Loop`
    finished: bool  # nothing is left to do


class Moment(NamedTuple):
    """A run at the end of an epoch, for those who keep it."""

    net: Any
    trainer: Any
    task: "Task"
    done: Done


@runtime_checkable
class Keeper(Protocol):
    """A callback that keeps the run itself: asked after all others, whose state it keeps too."""

    def keep(self, moment: Moment) -> None:
        """Keep what a resumed run needs."""


class Driver(Protocol):
    """A session that runs the epochs itself: told by its `drive`, since to compare protocols takes 15 us."""

    def drive(self, epochs: int, end_epoch: Callable[[Progress], bool]) -> None:
        """Make at most so many iterations, and call after each; a true answer stops."""


class Task(NamedTuple):
    """The arguments of `fit`, checked."""

    data: Data
    plan: Plan
    shuffle: bool | str = True
    measure_accuracy: bool = False
    measure_rmse: bool = False
    validation: tuple[Array, Array] | None = None
    callbacks: Sequence[AnyCallback] = ()
    verbose: str | int = 0
    split: float = 0.0  # the share that is held out for validation
    rows: Array | None = None  # the samples to train on, as places in the data; None: all
    metrics: Sequence[Metric] = ()  # of validation
    done: Done | None = None  # what a run that is resumed has behind it
    order: Callable[[], Array] | None = None  # asked for each epoch's samples, where the network's seed does not tell

    @property
    def samples(self) -> int:
        """How many samples an epoch has."""
        return len(self.data.x if self.rows is None else self.rows)

    @property
    def measured(self) -> Measured:
        """What is measured in each epoch."""
        there = {"accuracy": self.measure_accuracy, "rmse": self.measure_rmse}
        names = ["cost", *(name for name, known in there.items() if known)]
        if self.validation is not None:
            names += [f"validation_{name}" for name in (*names, *(metric.name for metric in self.metrics))]
        larger: dict[str, bool | None] = dict.fromkeys(names, False)
        larger |= {"accuracy": True, "validation_accuracy": True}
        larger |= {f"validation_{metric.name}": metric.larger_is_better for metric in self.metrics}
        return Measured(tuple(names), larger)


class Trained(NamedTuple):
    """What came of it."""

    history: History[Any]
    moved: bool  # whether any weight has changed to speak of


def train(net: Any, begin: Callable[[], Session], task: Task, trainer: Any = None) -> Trained:
    """Run the epochs, until the last or until a callback returns something true."""
    history: History[Any] = task.done.history if task.done else History()
    net.history = history
    reporter = Reporter(task.verbose, task.plan.epochs, task.samples, len(history))
    mine = [callback for callback in task.callbacks if isinstance(callback, Callback)]
    moved, session = False, None
    try:
        if not (task.done and task.done.finished):
            with reporter.compiling() if net._needs_compiling() else nullcontext():
                session = begin()
            loop = _Loop(net, session, task, reporter)
            _run_epochs(loop, history, trainer)
            moved = loop.moved
    finally:
        history.settle()
        if session:
            session.show_average(True)
        for callback in mine:
            callback.end(net)
        reporter.close()
    return Trained(history, moved)


def _run_epochs(loop: "_Loop", history: History[Any], trainer: Any) -> None:
    session: Any = loop.session
    if hasattr(session, "drive"):
        clock = [perf_counter()]

        def end_epoch(total: Progress) -> bool:
            stops = _end_epoch(loop, history, trainer, total, perf_counter() - clock[0])
            loop.reporter.show(len(history), loop.task.samples)
            clock[0] = perf_counter()
            return stops

        before = session.snapshot()
        session.drive(loop.task.plan.epochs - len(history), end_epoch)
        loop.moved = session.moved(before)
        return
    for epoch in range(len(history) + 1, loop.task.plan.epochs + 1):
        start = perf_counter()
        total = loop.run_epoch(epoch)
        if _end_epoch(loop, history, trainer, total, perf_counter() - start):
            return


def _end_epoch(loop: "_Loop", history: History[Any], trainer: Any, total: Progress, seconds: float) -> bool:
    """Note what was seen, and ask the callbacks; return whether one of them stops the run."""
    net, task, session = loop.net, loop.task, loop.session
    net.epochs_trained += 1
    measured = _measure(net, task, total, session)
    history.append({**measured, "learning_rate": loop.rate, "seconds": seconds})
    if task.plan.look_every:
        _note(net, session, task.callbacks)
    loop.reporter.end_epoch(history)
    stops = any([callback(net, history) for callback in task.callbacks])  # all are called
    for keeper in loop.keepers:
        done = Done(history, loop.limit, finished=stops or len(history) == task.plan.epochs)
        keeper.keep(Moment(net, trainer, task, done))
    return stops


def _measure(net: Any, task: Task, total: Progress, session: Session) -> dict[str, float | None]:
    """Return what the epoch was like, by the names of the history's lists."""
    found: dict[str, float | None] = {"cost": total.cost / total.weight + net._penalty()}
    session.show_average(True)  # to all that follows
    found["accuracy"] = total.correct / total.weight if task.measure_accuracy else None
    found["rmse"] = _rmse(task, total.cost / total.weight)
    score, error = (None, None), None
    if task.validation is not None:
        score = net._score(*task.validation)
        error = _rmse(task, score[0] - net._penalty())
        for name, value in net._measure(task.metrics, *task.validation).items():
            found[f"validation_{name}"] = value
    return {**found, "validation_cost": score[0], "validation_accuracy": score[1], "validation_rmse": error}


def _note(net: Any, session: Session, callbacks: Sequence[AnyCallback]) -> None:
    layers = session.take_looks().layers(net.spec.activation_rows, net._get_parameters()[0])
    for callback in callbacks:
        if isinstance(callback, Watcher):
            callback.note(layers)


def have_moved(now: Array, before: Array) -> bool:
    """Whether any weight (size,) differs by more than STILL of the largest; a block at a time, to save memory."""
    limit = STILL * max(float(before.max()), -float(before.min()))
    blocks = (slice(start, start + BLOCK) for start in range(0, len(now), BLOCK))
    return any(float(np.abs(now[block] - before[block]).max()) > limit for block in blocks)


def _rmse(task: Task, cost: float) -> float | None:
    """Return the root mean square error, of whose square the quadratic cost is half."""
    return float(np.sqrt(2 * max(cost, 0.0))) if task.measure_rmse else None


def shuffled_blocks(n: int, row_bytes: int, rng: np.random.Generator) -> Array:
    """Return n samples in an order that reads a file in long pieces: blocks in random order, and shuffled in groups.

    A block is BLOCK_BYTES of neighbouring samples, which a disk reads at once; the samples of GROUP blocks are shuffled
    together, which stay in memory meanwhile. So a mini-batch has samples of many places, though not of all.
    """
    size = max(1, BLOCK_BYTES // row_bytes)
    starts = rng.permutation(-(-n // size)) * size
    order = (starts[:, None] + np.arange(size)).ravel()
    order = order[order < n]
    for start in range(0, n, GROUP * size):
        rng.shuffle(order[start : start + GROUP * size])
    return order


class _Loop:
    """Mini-batches of one epoch after another, cut into calls that are short enough."""

    def __init__(self, net: Any, session: Session, task: Task, reporter: Reporter) -> None:
        self.net = net
        self.session = session
        self.task = task
        self.reporter = reporter
        self.batch_size = task.plan.batch_size
        self.num_batches = -(-task.samples // self.batch_size)
        rate = task.plan.optimizer.learning_rate
        self.rate = 0.0 if callable(rate) else float(rate)  # of the last mini-batch
        self.per_call = 1  # mini-batches; grows with what the clock allows
        self.moved = False  # whether any weight has changed by now
        self.good_epoch = (
            len(task.done.history) if task.done else 0
        )  # the last whose cost was no sign of a divergence to come
        self.good: Any = None  # snapshot of its end
        self.amid: Any = None  # snapshot of a later moment, if there is one
        self.recent: Any = None  # the later of the two
        self.limit = task.done.limit if task.done else np.inf  # of the cost of a good epoch
        self.keepers: list[Any] = [callback for callback in task.callbacks if isinstance(callback, Keeper)]
        self.scaling = [cb for cb in task.callbacks if isinstance(cb, Callback) and cb.changes_rates]

    def run_epoch(self, epoch: int) -> Progress:
        self.session.show_average(False)
        order, seed, rates = self._order(), self._dropout_seed(), self._rates(epoch)
        progress = NOTHING
        first = saved = 0
        saved_at = perf_counter()
        if self.good_epoch == epoch - 1:
            self.recent = self.good = self.session.snapshot(self.good)
        else:
            self.recent = self.amid = self.session.snapshot(self.amid)
        start_of_epoch = self.recent
        while first < self.num_batches:
            start = perf_counter()
            if start - saved_at > SNAPSHOT_SECONDS:
                self.recent = self.amid = self.session.snapshot(self.amid)
                saved, saved_at = first, start
            count = min(self.per_call, self.num_batches - first)
            progress = self._call(order, first, count, seed, progress, rates)
            if progress.failed >= 0 or not self.session.finite():
                seen = progress.failed if progress.failed >= 0 else first + count - 1
                self._diverge(epoch, order, range(saved, first + count), seen, seed, rates)
            if epoch == 1 and first == 0 and progress.weight:
                self.limit = BAD * progress.cost / progress.weight
            first += count
            self.reporter.show(epoch, first * self.batch_size)
            self._adapt(count, perf_counter() - start)
        self.moved = self.moved or self.session.moved(start_of_epoch)
        if progress.cost <= self.limit * progress.weight:
            self.good_epoch = epoch
        return progress

    def _order(self) -> Array:
        if self.task.order is not None:
            return self.task.order()
        n, rows = self.task.samples, self.task.rows
        if not self.task.shuffle:
            return np.arange(n) if rows is None else rows
        rng = stream(self.net.spec.seed, SHUFFLE, self.net.epochs_trained)
        if self.task.shuffle == BLOCKS:
            order = shuffled_blocks(n, self.task.data.x.nbytes // len(self.task.data.x), rng)
        else:
            order = rng.permutation(n)
        return order if rows is None else rows[order]

    def _dropout_seed(self) -> int:
        if not any(self.net.spec.dropouts):
            return 0
        rng = stream(self.net.spec.seed, DROPOUT, self.net.epochs_trained)
        return int(rng.integers(2**63))

    def _rates(self, epoch: int) -> Array | None:
        """Return the rate of each mini-batch, if it changes."""
        schedule = self.task.plan.optimizer.learning_rate
        if not callable(schedule) and not self.scaling:
            return None
        rates = rates_at(schedule, epoch - 1 + np.arange(self.num_batches) / self.num_batches)
        for callback in self.scaling:
            rates = callback.rates(rates)
        self.rate = float(rates[-1])
        return rates

    def _call(self, order: Array, first: int, count: int, seed: int, so_far: Progress, rates: Array | None) -> Progress:
        try:
            return self.session.train(order, first, count, seed, so_far, rates)
        except BaseException:  # Ctrl-C in the middle of an update
            self.session.restore(self.recent)
            raise

    def _adapt(self, count: int, seconds: float) -> None:
        if seconds > CALL_SECONDS:
            self.per_call = max(1, count // 2)
        elif seconds < CALL_SECONDS / 2:
            self.per_call = max(self.per_call, 2 * count)

    def _diverge(self, epoch: int, order: Array, batches: range, seen: int, seed: int, rates: Array | None) -> None:
        """Go back and find the mini-batch that did it; then go back to the last good epoch's end, and raise.

        If none of `batches` does it again, something else wrote a number that is not finite: `seen` met with it.
        """
        layer = self._faulty_layer(order, seen)
        self.session.restore(self.recent)
        for batch in batches:
            self.recent = self.amid = self.session.snapshot(self.amid)
            progress = self._call(order, batch, 1, seed, NOTHING, rates)
            if progress.failed >= 0 or not self.session.finite():
                layer = self._faulty_layer(order, batch)
                break
        else:
            batch = seen
        self.session.restore(self.good)
        self.net.epochs_trained -= epoch - 1 - self.good_epoch
        rate = self.rate if rates is None else float(rates[batch])
        raise DivergenceError(epoch, batch + 1, layer, rate, self.good_epoch)

    def _faulty_layer(self, order: Array, batch: int) -> int:
        rows = order[batch * self.batch_size : (batch + 1) * self.batch_size]
        return int(self.net._faulty_layer(self.task.data.x[rows]))
