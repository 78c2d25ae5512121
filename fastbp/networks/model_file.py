"""A network in a file: its parameters as arrays, and what it is as metadata."""

import json
import os
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from ..border import labels, options
from ..border.columns import Columns
from ..border.spec import Formula, NetworkSpec
from ..errors import ModelFileError
from ..formulas import Array
from ..formulas.activations import Activation, find_activation
from ..formulas.costs import Cost, find_cost
from . import storage

Path = str | os.PathLike[str]


class Saved(NamedTuple):
    """All that a file holds of a network."""

    spec: NetworkSpec
    weights: Sequence[Array]  # (n_out, n_in) per computed layer
    biases: Sequence[Array]  # (n_out,) per computed layer
    epochs_trained: int
    notes: dict[str, Any]
    columns: Columns | None
    classes: Array | None


RUN = "run."  # what the names of all arrays begin with that belong to a run, and not to the network


def write(
    path: Path, saved: Saved, run: dict[str, Any] | None = None, of_run: Mapping[str, Array] | None = None
) -> None:
    """Write a safetensors file, all of it or nothing; with a run's metadata and arrays, if there is one."""
    arrays = {f"weights.{i}": w for i, w in enumerate(saved.weights)}
    arrays |= {f"biases.{i}": b for i, b in enumerate(saved.biases)}
    metadata = {"format": storage.FORMAT, "version": storage.VERSION, **saved.spec.to_json()}
    metadata |= {"epochs_trained": saved.epochs_trained, "notes": saved.notes}
    metadata["classes"] = None if saved.classes is None else saved.classes.tolist()
    metadata["columns"] = None if saved.columns is None else saved.columns.to_json()
    if run is not None:
        metadata["run"] = run
        arrays |= {f"{RUN}{name}": array for name, array in (of_run or {}).items()}
    try:
        json.dumps(saved.notes)
    except (TypeError, ValueError) as error:
        raise TypeError(f"notes must be what JSON can hold, plain numbers, strings, lists and dicts: {error}") from None
    storage.write(path, arrays, metadata)


def read(path: Path, formulas: Sequence[Formula] = ()) -> Saved:
    """Read what `write` wrote; whatever is wrong with it is a ModelFileError. `formulas`: a user's own, by name."""
    return read_run(path, formulas, needed=False)[0]


def read_run(
    path: Path, formulas: Sequence[Formula] = (), *, needed: bool = True
) -> tuple[Saved, dict[str, Any], dict[str, Array]]:
    """Read a network, and what a checkpoint holds besides: the run's metadata, and its arrays by name."""
    arrays, metadata = storage.read(path)
    run = metadata.pop("run", None)
    if needed and not isinstance(run, dict):
        raise ModelFileError(f"{os.fspath(path)} holds a network, and no run that could go on: write net.fit(x, y)")
    of_run = {name.removeprefix(RUN): array for name, array in arrays.items() if name.startswith(RUN) and run}
    arrays = {name: array for name, array in arrays.items() if not (name.startswith(RUN) and run)}
    storage.check_model(arrays, metadata)
    for name, array in arrays.items():
        if not np.isfinite(array).all():
            raise ModelFileError(f"{os.fspath(path)}: {name} is not finite; load what was saved before it")
    layers = range(len(metadata["sizes"]) - 1)
    weights, biases = ([arrays[f"{kind}.{i}"] for i in layers] for kind in ("weights", "biases"))
    try:
        return _described(metadata, weights, biases, tuple(formulas)), run or {}, of_run
    except (TypeError, ValueError) as error:
        raise ModelFileError(f"{os.fspath(path)}: {error}") from None


def _described(
    metadata: dict[str, Any], weights: list[Array], biases: list[Array], formulas: tuple[Formula, ...]
) -> Saved:
    fields = {name: value for name, value in metadata.items() if name not in ("format", "version")}
    notes = fields.pop("notes", {})
    if not isinstance(notes, dict):
        raise TypeError(f"notes must be an object, got {notes!r:.80}")
    epochs_trained = options.integer("epochs_trained", fields.pop("epochs_trained", 0), low=0)
    classes, columns = fields.pop("classes", None), fields.pop("columns", None)
    _check_given(fields, formulas)
    fields.pop("formulas", None)
    spec = NetworkSpec(**fields, formulas=formulas)
    spec.check_signs(weights)
    found = None if columns is None else Columns.from_json(columns)
    if found and found.width != spec.sizes[0]:
        raise ValueError(f"its columns make {found.width} inputs, the network takes {spec.sizes[0]}")
    known = labels.checked_classes(classes, spec.sizes[-1])
    return Saved(spec, weights, biases, epochs_trained, notes, found, known)


def _check_given(fields: dict[str, Any], formulas: tuple[Formula, ...]) -> None:
    """Say which formula of a user's own is missing."""
    activations = fields.get("activations")
    names = activations if isinstance(activations, list) else []
    wanted: list[Any] = [(name, find_activation, Activation) for name in names]
    for name, find, kind in [*wanted, (fields.get("cost"), find_cost, Cost)]:
        own: Any = [row for row in formulas if isinstance(row, kind)]
        try:
            find(name, own)
        except (TypeError, ValueError) as error:
            raise ValueError(f"{error}; if it is a formula of your own: load(path, formulas=[...])") from None
