"""Progress of `fit` on stderr: a bar, a line per epoch, or nothing."""

import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ..notebook import is_notebook
from .history import History

COLUMNS = 79  # of 80: some terminals wrap a line that fills them
BAR = "{desc} |{bar}| {percentage:3.0f}% {elapsed}<{remaining}{postfix}"
COMPILING = "compiling, once, about 4 s (or loading, 0.2 s)"


class Reporter:
    """verbose: "auto" a bar if stderr is a terminal or a notebook's, 0 nothing, 1 a bar, 2 a line per epoch."""

    def __init__(self, verbose: str | int, epochs: int, samples: int, done: int = 0) -> None:
        self.epochs, self.samples = epochs, samples
        self.lines = verbose == 2
        self.bar: Any = None
        if verbose == 1 or (verbose == "auto" and _is_watched()):
            self.bar = _make_bar(epochs * samples, self._name(done + 1))
            self.bar.update(done * samples)

    def show(self, epoch: int, samples: int) -> None:
        """Show how many samples of an epoch were trained on."""
        if self.bar is not None:
            self.bar.set_description_str(self._name(epoch), refresh=False)
            done = (epoch - 1) * self.samples + min(samples, self.samples)
            self.bar.update(done - self.bar.n)

    def end_epoch(self, history: History[Any]) -> None:
        """Show the last epoch, on a bar when it is next drawn: short epochs would spend their time on drawing."""
        if self.bar is not None:
            self.bar.set_postfix_str(_figures(history), refresh=False)
        if self.lines:
            sys.stderr.write(f"{self._name(len(history))}  {history.describe(-1)}\n")

    @contextmanager
    def compiling(self) -> Iterator[None]:
        """Say, on a bar, that kernels are being compiled; its clock stands still meanwhile."""
        if self.bar is None:
            yield
            return
        self.bar.set_postfix_str(COMPILING)
        try:
            yield
        finally:
            self.bar.unpause()
            self.bar.set_postfix_str("")

    def close(self) -> None:
        """Leave the terminal tidy."""
        if self.bar is not None:
            self.bar.close()

    def _name(self, epoch: int) -> str:
        return f"epoch {epoch}/{self.epochs}"


def _is_watched() -> bool:
    return is_notebook() or (sys.stderr is not None and sys.stderr.isatty())  # None: a program without a console


def _make_bar(total: int, name: str) -> Any:
    options: dict[str, Any] = {"total": total, "desc": name, "bar_format": BAR, "miniters": 1}
    if not is_notebook():
        from tqdm import tqdm  # only where there is a bar: it slows `import fastbp`

        return tqdm(ncols=_columns(), **options)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # without ipywidgets it is a bar of text: no reason to warn
        from tqdm.auto import tqdm
    return tqdm(**options)


def _columns() -> int:
    try:
        return min(os.get_terminal_size(sys.stderr.fileno()).columns - 1, COLUMNS)
    except OSError:
        return COLUMNS


def _figures(history: History[Any]) -> str:
    """Say the last epoch's cost, and validation or else accuracy, as short as it can be."""
    words = [f"cost {history.cost[-1]:.3g}"]
    cost, accuracy = history.validation_cost[-1], history.validation_accuracy[-1]
    if accuracy is not None:
        words.append(f"validation {accuracy:.1%}")
    elif cost is not None:
        words.append(f"validation {cost:.3g}")
    elif history.accuracy[-1] is not None:
        words.append(f"accuracy {history.accuracy[-1]:.1%}")
    return ", ".join(words)
