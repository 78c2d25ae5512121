"""Progress of `fit` on stderr: a bar, a line per epoch, or nothing."""

import sys
from typing import Any

from .history import History


class Reporter:
    """verbose: "auto" a bar if stderr is a terminal, 0 nothing, 1 a bar, 2 a line per epoch."""

    def __init__(self, verbose: str | int, epochs: int, samples: int) -> None:
        self.epochs, self.samples = epochs, samples
        self.lines = verbose == 2
        self.bar: Any = None
        if verbose == 1 or (verbose == "auto" and sys.stderr.isatty()):
            from tqdm import tqdm  # only where there is a bar: it slows `import fastbp`

            self.bar = tqdm(total=epochs * samples, unit=" samples", unit_scale=True)

    def show(self, epoch: int, samples: int) -> None:
        """Show how many samples of an epoch were trained on."""
        if self.bar is not None:
            done = (epoch - 1) * self.samples + min(samples, self.samples)
            self.bar.update(done - self.bar.n)

    def end_epoch(self, history: History) -> None:
        """Show the last epoch."""
        text = f"epoch {len(history)}/{self.epochs}  {history.describe(-1)}"
        if self.bar is not None:
            self.bar.set_postfix_str(text)
        if self.lines:
            sys.stderr.write(text + "\n")

    def close(self) -> None:
        """Leave the terminal tidy."""
        if self.bar is not None:
            self.bar.close()
