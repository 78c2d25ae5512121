"""A run that was kept goes on: what the file holds, and what a user's own things have to add."""

import os
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from ..border.spec import Formula
from ..errors import warn
from ..formulas.optimizers.described import from_description
from ..training.callbacks import CALLBACKS, Callback, CSVLogger, EarlyStopping
from ..training.history import COLUMNS, History
from ..training.loop import Done
from . import model_file
from .base import ENGINES
from .checkpoint import PLAN, Checkpoint
from .fitting import Resumed, Settings, reading

Path = str | os.PathLike[str]


class Kept(NamedTuple):
    """What a file holds of a run."""

    run: dict[str, Any]
    arrays: dict[str, Any]  # by name, without the prefix of all

    def part(self, prefix: str) -> dict[str, Any]:
        """Return the arrays whose names begin so, without that."""
        return {name.removeprefix(prefix): a for name, a in self.arrays.items() if name.startswith(prefix)}

    @property
    def history(self) -> History[Any]:
        """The history so far."""
        history: History[Any] = History()
        lists: dict[str, list[Any]] = {name: values.tolist() for name, values in self.part("history.").items()}
        epochs = len(lists["cost"])
        if any(len(values) != epochs or not all(isinstance(v, float) for v in values) for values in lists.values()):
            raise ValueError("the history must have a number for each epoch")
        lists |= {name: [None] * epochs for name in self.run["unmeasured"]}
        for name, values in lists.items():
            if name in COLUMNS:
                setattr(history, name, values)
            else:
                history.metrics[name] = values
        return history


def resume(
    path: Path,
    x: object,
    y: object,
    validation_data: tuple[object, object] | None = None,
    callbacks: Iterable[Any] = (),
    *,
    optimizer: Any = None,
    formulas: Iterable[Formula] = (),
    metrics: Iterable[Any] = (),
    sample_weight: object = None,
    class_weight: object = None,
    epochs: int | None = None,
    threads: int | str = "auto",
    verbose: Any = "auto",
    engine: Any = None,
) -> tuple[Any, History[Any]]:
    """Go on with a run that `fastbp.Checkpoint` has kept, to the bit as if it had not stopped.

    Parameters
    ----------
    path
        of the checkpoint, which goes on being written, wherever it was written before
    x, y, validation_data, sample_weight, class_weight
        what the run was trained on; other data are refused
    callbacks
        functions of your own, once more. EarlyStopping and its like are in the file, with what they know; one that is
        given takes the place of the one of its kind, and is told what that knew. No file names a place to write to:
        a CSVLogger goes on by itself only where its log is, and a second Checkpoint is to be given
    optimizer, metrics, formulas
        those of your own, which no file can hold; a schedule of your own comes with its optimizer
    epochs
        of the whole run, if it is to go on for longer than was planned
    threads, verbose
        as in ``Network`` and ``net.fit``
    engine
        ``fastbp.Network`` if None, or ``fastbp.ReferenceNetwork``

    Returns
    -------
    net, history
        the trained network, and the whole history

    Raises
    ------
    ModelFileError
        where the file is damaged, or holds no run
    ValueError
        where data are not those of the run, or something of your own is missing

    """
    saved, run, arrays = model_file.read_run(path, tuple(formulas))
    kept = Kept(run, arrays)
    with reading(os.fspath(path)):
        engine = engine or ENGINES["fast"]
        net = engine._assemble(saved.spec, saved.weights, saved.biases, threads, saved.epochs_trained)
        net.notes, net.columns, net._classes = saved.notes, saved.columns, saved.classes
        state = {"steps": run["steps"], **_numbered("weights", saved.weights), **_numbered("biases", saved.biases)}
        state |= kept.part("trainer.")
        done = Done(kept.history, float.fromhex(run["limit"]), bool(run["finished"]))
        if epochs is not None:
            done = done._replace(finished=len(done.history) >= epochs)
        pairs = _callbacks(kept, list(callbacks), os.fspath(path), missed=not done.finished)
        _check_best(pairs, state)
        digests = {**run["digests"]}
        given = {getattr(metric, "__name__", metric): metric for metric in metrics}
        plan = {name: run[name] for name in PLAN}
        chosen = from_description(run["optimizer"]) if optimizer is None and run["optimizer"] else optimizer
        settings = Settings(
            **plan | {"epochs": epochs or run["epochs"]},
            optimizer=chosen, validation_data=validation_data, validation_split=run["validation_split"],
            shuffle=run["shuffle"], callbacks=[callback for callback, _ in pairs], sample_weight=sample_weight,
            class_weight=class_weight, verbose=verbose, metrics=[given.get(name, name) for name in run["metrics"]],
        )  # fmt: skip
    if chosen is None:
        raise ValueError(
            f"the run has an optimizer or a schedule of your own: write resume(..., optimizer={run['optimizer_name']})"
        )
    states = [(callback, known) for callback, known in pairs if known is not None]
    resumed = Resumed(done, state, states, digests, os.fspath(path))
    return net, net._fit(x, y, settings, resumed)


def _numbered(name: str, arrays: Sequence[Any]) -> dict[str, Any]:
    return {f"{name}.{place}": array for place, array in enumerate(arrays)}


def _check_best(pairs: Sequence[tuple[Any, Any]], state: Mapping[str, Any]) -> None:
    """Refuse best parameters that are not this network's: they would be noticed at the end of the run."""
    for callback, known in pairs:
        for name, array in (known or {}).items() if isinstance(callback, EarlyStopping) else ():
            if isinstance(array, np.ndarray) and not (
                name in state and array.shape == state[name].shape and np.isfinite(array).all()
            ):
                raise ValueError(f"{name} of EarlyStopping is no array of this network")


def _callbacks(
    kept: Kept, given: Sequence[Any], path: str, *, missed: bool
) -> list[tuple[Any, Mapping[str, Any] | None]]:
    """Return the callbacks of the run, each with what it knew: those given, and those that can be made again.

    - path: of the file, which goes on being written. A file names no other place to write to: a log goes on where
      there is one, a second checkpoint has to be given
    - missed: whether one that is neither will be
    """
    kept_on = False
    waiting = list(given)
    pairs: list[tuple[Any, Mapping[str, Any] | None]] = []
    for place, one in enumerate(kept.run["callbacks"]):
        state = {**one["state"], **kept.part(f"callback.{place}.")}
        own = next((callback for callback in waiting if type(callback).__name__ == one["name"]), None)
        if own is not None:
            waiting.remove(own)
        elif one["settings"] is not None:
            own = CALLBACKS[one["name"]](**one["settings"])
            if isinstance(own, Checkpoint) and not kept_on:
                own.path, kept_on = path, True
            elif isinstance(own, Checkpoint) or (isinstance(own, CSVLogger) and not own.is_there):
                again = f"resume(..., callbacks=[fastbp.{one['name']}({own.path!r:.200})])"
                warn(f"the run also wrote to {own.path!r:.200}, where a file must not send us by itself: write {again}")
                continue
        elif not missed:
            continue
        elif one["name"] not in ("function", "method", "builtin_function_or_method"):
            warn(f"the run had a callback of your own, {one['name']}: give it again, resume(..., callbacks=[it])")
        elif not given:
            warn("the run had a function of your own as a callback: give it again, resume(..., callbacks=[it])")
        if own is not None:
            pairs.append((own, state if isinstance(own, Callback) else None))
    return [*pairs, *((callback, None) for callback in waiting)]
