"""What `fit` is asked for, checked and made into a task; and the run of it."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np

from ..border import arrays as arguments
from ..border import defaults, options
from ..border.sparse import AT_A_TIME, SparseRows, dense
from ..errors import ModelFileError
from ..formulas import Array, number
from ..formulas.penalties import penalty
from ..formulas.second_order import WholeBatch
from ..training import doubts
from ..training.callbacks.base import Callback
from ..training.history import History
from ..training.loop import BLOCKS, Data, Done, Keeper, Plan, Task, Trained, train
from ..training.metrics import Metric, checked_metrics
from ..training.streams import SPLIT, stream
from .exclusive import Exclusive
from .intake import Intake
from .results import Evaluation
from .streaming import Stream, StreamSession, is_stream, parts_of
from .trainer import Trainer
from .whole_batch import whole_batch_session

SEEN = 1024  # rows, evenly spread, that tell whether data are the same


class Settings(NamedTuple):
    """The arguments of `fit` besides the samples, as they are given."""

    epochs: Any
    batch_size: Any
    optimizer: Any
    validation_data: Any
    validation_split: Any
    shuffle: Any
    callbacks: Any
    sample_weight: Any
    class_weight: Any
    clip_norm: Any
    verbose: Any
    clip_layer_norm: Any
    clip_value: Any
    accumulate: Any
    ema: Any
    metrics: Any


@contextmanager
def reading(path: str) -> Iterator[None]:
    """Say of what goes wrong that the file of a run is to blame."""
    try:
        yield
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise ModelFileError(f"{path}: not a run that can go on: {error!r:.200}") from error


class Resumed(NamedTuple):
    """What a run knows that goes on."""

    done: Done
    state: Mapping[str, Any]  # of the trainer
    callbacks: Sequence[tuple[Callback, Mapping[str, Any]]]  # and their state
    digests: Mapping[str, str]  # of the data it had
    path: str

    def begin(self, task: Task) -> Task:
        """Go on with it; other data raise ValueError."""
        found = digests(task)
        if differing := [name for name, digest in self.digests.items() if found.get(name) != digest]:
            raise ValueError(
                f"{' and '.join(differing)} {'is' if len(differing) == 1 else 'are'} not what the run was trained on; "
                "to train on other data, load the network and write net.fit(x, y)"
            )
        with reading(self.path):
            for callback, state in self.callbacks:
                callback.load_state_dict(state)
        return task._replace(done=self.done)


def digests(task: Task) -> dict[str, str]:
    """Return what tells the data of a run from others, by name: shape, dtype, and at most SEEN rows of each array."""
    arrays = {"x": task.data.x, "y": task.data.y, "sample_weight": task.data.sample_weight}
    if task.validation is not None and task.rows is None:
        arrays |= {"validation x": task.validation[0], "validation y": task.validation[1]}
    return {name: "none" if array is None else _digest(array) for name, array in arrays.items()}


def _digest(array: Array) -> str:
    few = np.ascontiguousarray(dense(array[:: -(-len(array) // SEEN)]))
    return hashlib.sha256(f"{array.shape} {array.dtype}".encode() + few.tobytes()).hexdigest()[:32]


class Fitting(Intake):
    """From the arguments of `fit` to a trained network."""

    history: History[Any] | None  # of the last run, or of the one under way
    _exclusive: Exclusive

    def _fit(self, x: object, y: object, settings: Settings, resumed: Resumed | None = None) -> History[Any]:
        """Run `fit`; a call that is refused, or diverges at once, teaches the network nothing."""
        if is_stream(x, y):
            return self._fit_stream(x, settings)
        known, trained = (self.spec, self._classes, self.columns), self.epochs_trained
        try:
            task = self._task(x, y, settings)
            if resumed:
                task = resumed.begin(task)
            else:
                doubts.say_before(self.spec, task)
            history, moved = self._train(task, resumed)
        except Exception:
            if self.epochs_trained == trained:
                self._set_spec(known[0])
                self._classes, self.columns = known[1:]
            raise
        if not resumed:
            doubts.say_after(self.spec, history, task, self._penalty(), moved=moved)
        return history

    def _fit_stream(self, batches: object, settings: Settings) -> History[Any]:
        """Run `fit` on batches that come one by one."""
        stream = Stream(batches)
        epochs = settings.epochs if settings.epochs is not None else 1 if stream.once else defaults.EPOCHS
        unused = {
            "validation_split": settings.validation_split, "sample_weight": settings.sample_weight is not None,
            "class_weight": settings.class_weight is not None, "accumulate": settings.accumulate != 1,
        }  # fmt: skip
        for name, given in unused.items():
            if given:
                raise ValueError(f"{name} has no meaning for batches that come one by one; leave it out")
        if stream.once and epochs != 1:
            raise ValueError(
                f"x is a {type(batches).__name__}, which can be swept once, and epochs is {epochs}: give a list, a "
                "function that returns a new one each time, or epochs=1"
            )
        x, y, weight = parts_of(stream.first, 1)
        if any(isinstance(each, Keeper) or hasattr(each, "note") for each in settings.callbacks):
            raise ValueError("Checkpoint and Diagnostics need samples at hand, not batches that come one by one")
        few = settings._replace(epochs=epochs, batch_size=len(x), sample_weight=weight)
        task = self._task(x, y, few)
        if isinstance(task.plan.optimizer, WholeBatch):
            raise ValueError(f"{type(task.plan.optimizer).__name__} takes all samples at once, not batches")
        limits = {name: getattr(task.plan, name) for name in ("clip_norm", "clip_layer_norm", "clip_value")}
        trainer = Trainer(self, task.plan.optimizer, ema=task.plan.ema, steps_per_epoch=stream.length, **limits)
        session: Any = StreamSession(trainer, stream, task.callbacks)
        with self._exclusive.lock():
            return train(self, lambda: session, task).history

    def _task(self, x: object, y: object, settings: Settings) -> Task:
        data = self._data(x, y, settings.sample_weight, settings.class_weight)
        callbacks = options.checked_callbacks(settings.callbacks)
        rows, validation = self._validation(data, settings.validation_data, settings.validation_split)
        samples, epochs = len(data.x if rows is None else rows), settings.epochs
        plan = Plan(
            options.checked_optimizer(settings.optimizer),
            min(options.integer("batch_size", settings.batch_size, low=1), samples),
            epochs=defaults.epochs(samples) if epochs is None else options.integer("epochs", epochs, low=1),
            accumulate=options.integer("accumulate", settings.accumulate, low=1),
            ema=options.checked_ema(settings.ema),
            look_every=options.look_every(callbacks),
            **options.checked_clips(settings.clip_norm, settings.clip_layer_norm, settings.clip_value),
        )
        if plan.accumulate > 1 and plan.look_every:
            raise ValueError("Diagnostics looks at mini-batches that make an update each; leave out accumulate")
        if isinstance(plan.optimizer, WholeBatch):
            data, plan = self._whole(data, rows, plan, callbacks)
            rows = None
        if isinstance(data.x, SparseRows) and (self.spec.dropouts[0] or plan.look_every):
            what = "dropout of inputs" if self.spec.dropouts[0] else "Diagnostics"
            raise ValueError(f"{what} and a sparse x do not go together; leave it out, or write x.toarray()")
        accurate = arguments.has_accuracy(data.y, self.spec.tells_labels)
        task = Task(
            data,
            plan,
            BLOCKS if settings.shuffle == BLOCKS else options.truth("shuffle", settings.shuffle),
            measure_accuracy=accurate,
            measure_rmse=self.spec.cost_row.half_square and not accurate and data.y.shape[1:] == (1,),
            validation=validation,
            callbacks=callbacks,
            verbose=options.checked_verbose(settings.verbose),
            split=settings.validation_split,
            rows=rows,
            metrics=self._metrics(settings.metrics, validation, accurate),
        )
        for callback in callbacks:
            if isinstance(callback, Callback):
                callback.begin(task.measured)
        return task

    def _whole(self, data: Data, rows: Array | None, plan: Plan, callbacks: Sequence[Any]) -> tuple[Data, Plan]:
        """Return the samples to train on, and a plan of full batches; what such a method cannot have is refused."""
        name = type(plan.optimizer).__name__
        unused = {
            "a sparse x": isinstance(data.x, SparseRows),
            "clip_norm": plan.clip_norm, "clip_layer_norm": plan.clip_layer_norm, "clip_value": plan.clip_value,
            "accumulate": plan.accumulate > 1, "ema": plan.ema, "dropout": any(self.spec.dropouts),
            "max_norm, nonnegative and monotone weights": self.spec.is_constrained, "Diagnostics": plan.look_every,
            "Checkpoint": any(isinstance(callback, Keeper) for callback in callbacks),
            "ReduceOnPlateau": any(getattr(callback, "changes_rates", False) for callback in callbacks),
            "a batch_size": plan.batch_size not in (min(defaults.BATCH_SIZE, len(data.x)), len(data.x)),
        }  # fmt: skip
        for what, given in unused.items():
            if given:
                raise ValueError(f"{name} takes all samples at once, and its own steps: {what} must be left out")
        if rows is not None:
            weight = None if data.sample_weight is None else data.sample_weight[rows]
            data = Data(data.x[rows], data.y[rows], weight)
        return data, plan._replace(batch_size=len(data.x))

    def _validation(self, data: Data, given: object, split: object) -> tuple[Array | None, tuple[Array, Array] | None]:
        """Return the rows to train on, None for all, and what to evaluate after each epoch.

        A share that is held out is drawn from the seed alone: the same rows in each `fit` of as many samples.
        """
        share = number("validation_split", split, below=1.0)
        if not share:
            return None, self._checked_validation(given)
        if given is not None:
            raise ValueError("validation_data and validation_split are two ways to validate; give one")
        held = held_out(data.y, share, stream(self.spec.seed, SPLIT))
        rows = np.setdiff1d(np.arange(len(data.x)), held, assume_unique=True)
        if len(held) == 0 or len(rows) == 0:
            raise ValueError(
                f"validation_split is {share:g}, which leaves {len(rows)} of {len(data.x)} samples to train on"
            )
        return rows, (data.x[held], data.y[held])

    def _metrics(self, metrics: object, validation: tuple[Array, Array] | None, accurate: bool) -> tuple[Metric, ...]:
        found = checked_metrics(metrics)
        if found and validation is None:
            raise ValueError(
                "metrics are measured on validation data: write validation_split=0.2, or give validation_data"
            )
        for metric in found:
            if metric.of_classes is not None and metric.of_classes != accurate:
                takes, has = ("labels", "quantities") if metric.of_classes else ("quantities", "labels")
                raise ValueError(f"the metric {metric.name} is of {takes}, and y has {has}")
        return found

    def _measure(self, metrics: tuple[Metric, ...], x: Array, y: Array) -> dict[str, float]:
        """Return the metrics by name; a user's own functions get the labels by their names."""
        if not metrics:
            return {}
        a = self._outputs(x)
        labels = y.astype(np.int64) if y.ndim == 1 else y
        return {m.name: float(m.function(self._named(y) if m.of_classes is None else labels, a)) for m in metrics}

    def _train(self, task: Task, resumed: Resumed | None = None) -> Trained:
        with self._exclusive.lock():
            if isinstance(task.plan.optimizer, WholeBatch):
                return train(self, lambda: whole_batch_session(self, task.data, task.plan.optimizer), task)
            trainer = Trainer(self, task.plan.optimizer, ema=task.plan.ema)
            if resumed and not resumed.done.finished:
                with reading(resumed.path):
                    trainer.load_state_dict(resumed.state)
            return trainer.fit(task)

    def _penalty(self) -> float:
        spec = self.spec
        if not (spec.l1 or spec.l2):
            return 0.0
        return penalty(self._get_parameters()[0], spec.l1, spec.l2)

    def _score(self, x: Array, y: Array) -> Evaluation:
        cost, correct = 0.0, 0
        step = AT_A_TIME if isinstance(x, SparseRows) else len(x)
        for start in range(0, len(x), step):
            found = self._evaluate(dense(x[start : start + step]), y[start : start + step])
            cost, correct = cost + found[0], correct + found[1]
        known = arguments.has_accuracy(y, self.spec.tells_labels)
        return Evaluation(cost / len(x) + self._penalty(), correct / len(x) if known else None)


def held_out(y: Array, share: float, rng: np.random.Generator) -> Array:
    """Return the places of a share of the samples, in order: of labels (m,) the same share of each."""
    if y.ndim == 2 and not (y.shape[1] == 1 and np.all((y == 0) | (y == 1))):
        return np.sort(rng.permutation(len(y))[: round(share * len(y))])
    labels = y.ravel().astype(np.int64)
    order = rng.permutation(len(labels))
    order = order[np.argsort(labels[order], kind="stable")]  # label by label, each in random order
    # Every 1/share-th sample of that order, from a random start: rounding is spread over the labels.
    count = round(share * len(labels))
    places = np.floor((np.arange(count) + rng.random()) * len(labels) / max(count, 1)).astype(np.int64)
    return np.sort(order[places])
