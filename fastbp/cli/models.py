"""Model files: the network, and the names of its classes."""

from pathlib import Path
from typing import NamedTuple

import numpy as np

from .. import storage
from ..base import BaseNetwork
from ..errors import ModelFileError
from ..formulas import Array
from ..network import Network


class Model(NamedTuple):
    """A network; `classes` are names for its labels, or empty."""

    net: BaseNetwork
    classes: list[str]

    @property
    def classifies(self) -> bool:
        """Whether its outputs are meant to be a choice between classes."""
        return self.net.spec.activations[-1] in ("softmax", "sigmoid")

    @property
    def names(self) -> list[str]:
        """The names of its classes: of their own, or 0, 1, ..."""
        return self.classes or [str(place) for place in range(max(self.net.sizes[-1], 2))]

    def labels(self, outputs: Array) -> list[str] | list[int]:
        """Return the class of the largest output, or of one output above ½."""
        single = outputs.shape[1] == 1
        places = (outputs[:, 0] > 0.5).astype(int) if single else np.argmax(outputs, axis=1)
        return [self.classes[place] for place in places] if self.classes else places.tolist()


def load(path: str) -> Model:
    """Read a model file, with the names of the classes if it has them."""
    net = Network.load(path)
    notes = storage.read(path)[1].get("notes")
    classes = notes.get("classes", []) if isinstance(notes, dict) else []
    expected = max(net.sizes[-1], 2)
    named = isinstance(classes, list) and all(isinstance(name, str) for name in classes)
    if not named or len(classes) not in (0, expected):
        raise ModelFileError(f"{path}: its classes are {classes!r:.80}, expected {expected} names")
    return Model(net, classes)


def save(model: Model, path: Path) -> None:
    """Write a model file; names are kept only where they say more than the labels 0, 1, ..."""
    plain = model.classes == [str(place) for place in range(len(model.classes))]
    model.net.save(path, notes={} if plain else {"classes": model.classes})


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
        raise FileNotFoundError(f"{path.parent}: no such folder; choose another --output")
