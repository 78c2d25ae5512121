"""The history as a file that grows epoch by epoch."""

import csv
import os
from contextlib import suppress
from typing import Any

from .base import Callback, Measured

HEAD = b"epoch,"  # what it begins with


class CSVLogger(Callback):
    """Write a row per epoch to a file of comma-separated values: `epoch`, then what `History.to_dict` has.

    A run begins the file anew; one that is resumed has all its epochs in it, each once. What has no meaning is empty.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = os.fspath(path)
        self._written = 0

    @property
    def is_there(self) -> bool:
        """Whether the file is such a log already."""
        if os.path.isfile(self.path):
            with suppress(OSError), open(self.path, "rb") as file:
                return file.read(len(HEAD)) == HEAD
        return False

    def begin(self, measured: Measured) -> None:
        """Begin the file anew, with the first epoch."""
        self._written = 0

    def __call__(self, net: Any, history: Any) -> None:
        """Write what is not written yet."""
        columns = history.to_dict()
        with open(self.path, "a" if self._written else "w", newline="", encoding="utf-8") as file:
            rows = csv.writer(file)
            if not self._written:
                rows.writerow(["epoch", *columns])
            for epoch in range(self._written, len(history)):
                rows.writerow([epoch + 1, *(values[epoch] for values in columns.values())])
        self._written = len(history)

    def settings(self) -> dict[str, Any]:
        """Return the arguments."""
        return {"path": self.path}
