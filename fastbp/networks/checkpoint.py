"""A whole run in a file, and how it goes on: parameters, optimizer, history, callbacks.

The file is a model file with more in it, so `fastbp.load` reads the network out of it, as people see it. What is random
follows from the seed and the epoch, so no generator is kept.
"""

import os
from typing import Any

import numpy as np

from ..border import options
from ..formulas.optimizers.described import described
from ..training.callbacks import CALLBACKS, Callback
from ..training.loop import Moment
from . import model_file
from .fitting import digests
from .model_file import Saved

Path = str | os.PathLike[str]
PLAN = ("batch_size", "epochs", "clip_norm", "clip_layer_norm", "clip_value", "accumulate", "ema")


class Checkpoint(Callback):
    """Keep the run in a file, from which ``net, history = fastbp.resume(path, x, y)`` goes on as if it had not stopped.

    Parameters
    ----------
    path
        of the file, which is written whole or not at all, and takes the place of the one before
    every
        epochs from one to the next; the end of a run is always kept

    """

    def __init__(self, path: Path, every: int = 1) -> None:
        self.path = os.fspath(path)
        self.every = options.integer("every", every, low=1)

    def keep(self, moment: Moment) -> None:
        """Write the file, if it is time."""
        if moment.done.finished or len(moment.done.history) % self.every == 0:
            _write(self.path, moment)

    def settings(self) -> dict[str, Any]:
        """Return the arguments."""
        return {"path": self.path, "every": self.every}


def _write(path: str, moment: Moment) -> None:
    net, task, done = moment.net, moment.task, moment.done
    weights, biases = net._get_parameters()
    state = moment.trainer.state_dict()
    arrays = {f"trainer.{name}": array for name, array in state.items() if name != "steps"}
    if task.plan.ema is None:  # else what people see is not what training goes on from
        arrays = {
            name: array for name, array in arrays.items() if not name.startswith(("trainer.weights", "trainer.biases"))
        }
    series = {name: np.array(done.history[name], np.float64) for name in done.history.columns}  # None is NaN
    arrays |= {f"history.{name}": values for name, values in series.items() if len(values)}
    unmeasured = [name for name in series if all(value is None for value in done.history[name])]
    callbacks = []
    for place, callback in enumerate(task.callbacks):
        name, kept = type(callback).__name__, {}
        if isinstance(callback, Callback):
            kept = callback.state_dict()
            arrays |= {f"callback.{place}.{key}": v for key, v in kept.items() if isinstance(v, np.ndarray)}
            kept = {key: v for key, v in kept.items() if not isinstance(v, np.ndarray)}
        settings = (
            callback.settings() if isinstance(callback, Callback) and type(callback) in CALLBACKS.values() else None
        )
        callbacks.append({"name": name, "settings": settings, "state": kept})
    try:
        optimizer = described(task.plan.optimizer)
    except ValueError:
        optimizer = None  # resume asks for it
    run = {
        "steps": state["steps"],
        "optimizer": optimizer,
        "optimizer_name": repr(task.plan.optimizer)[:200],
        **{name: getattr(task.plan, name) for name in PLAN},
        "shuffle": task.shuffle,
        "validation_split": task.split,
        "metrics": [metric.name for metric in task.metrics],
        "limit": done.limit.hex(),
        "finished": done.finished,
        "unmeasured": unmeasured,
        "digests": digests(task),
        "callbacks": callbacks,
    }
    saved = Saved(net.spec, weights, biases, net.epochs_trained, net.notes, net.columns, net._classes)
    model_file.write(path, saved, run, arrays)


CALLBACKS["Checkpoint"] = Checkpoint
