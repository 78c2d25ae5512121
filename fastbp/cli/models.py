"""Model files, and how a network's answers are named."""

from pathlib import Path
from typing import Any

import numpy as np

from ..errors import ModelFileError
from ..formulas import Array
from ..networks.base import BaseNetwork
from ..networks.fast import Network


def classifies(net: BaseNetwork) -> bool:
    """Whether its outputs are meant to be a choice between classes."""
    return net.spec.activation_rows[-1].is_probability and net.notes.get("task") != "regression"


def labels(net: BaseNetwork) -> list[Any]:
    """Return its classes: its own, or 0, 1, ..."""
    return list(range(max(net.sizes[-1], 2))) if net.classes is None else net.classes.tolist()


def names(net: BaseNetwork) -> list[str]:
    """Return its classes as text."""
    return [str(label) for label in labels(net)]


def choices(outputs: Array) -> Array:
    """Return the place of the largest output, or for a single one whether it is above ½."""
    return (outputs[:, 0] > 0.5).astype(np.int64) if outputs.shape[1] == 1 else np.argmax(outputs, axis=1)


def check_writable(path: Path) -> None:
    """Refuse, before any work is done, to overwrite what is not a model, or to write nowhere."""
    if path.exists():
        try:
            Network.load(path)
        except ModelFileError:
            raise FileExistsError(
                f"{path} is there already and is no model of fastbp; choose another --output"
            ) from None
    elif not path.absolute().parent.is_dir():
        raise FileNotFoundError(f"{path.parent}: no such folder; make it, or choose another --output")
