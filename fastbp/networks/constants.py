"""What an optimizer's rule needs in each step, computed for many steps at once."""

from typing import Any

import numpy as np

from ..formulas import Array
from ..formulas.optimizers import Optimizer, constants_at

FEW, AT_ONCE = 64, 1024  # steps


class Constants:
    """Rows of numbers, one for each step; a single row where they never change."""

    def __init__(self, optimizer: Optimizer, names: tuple[str, ...], steady: bool) -> None:
        self.optimizer, self.names, self.steady = optimizer, names, steady
        rate: Any = optimizer.learning_rate
        self.rate = None if callable(rate) else float(rate)
        self.first, self.table = 0, np.empty((0, len(names)))

    def most(self, rates: Array | None) -> int:
        """How many steps one call may make."""
        return AT_ONCE if rates is not None or not self.steady else 2**62

    def rows(self, step: int, count: int, rates: Array | None) -> tuple[Array, int]:
        """Return a table, float64 (rows, names), and the row of the first of `count` steps after `step` others.

        A table of one row is for all steps.

        - rates (count,): the learning rate of each; None: the optimizer's, which is a number
        """
        if rates is not None:
            return self._compute(step, rates), 0
        assert self.rate is not None
        if self.steady:
            if len(self.table) == 0:
                self.table = self._compute(0, np.full(1, self.rate))
            return self.table, 0
        if not self.first <= step <= step + count <= self.first + len(self.table):
            more = min(AT_ONCE, max(count, FEW, 2 * len(self.table)))
            self.first, self.table = step, self._compute(step, np.full(more, self.rate))
        return self.table, step - self.first

    def _compute(self, step: int, rates: Array) -> Array:
        named = constants_at(self.optimizer, step + 1 + np.arange(len(rates)), rates)
        table = np.empty((len(rates), len(self.names)))
        for place, name in enumerate(self.names):
            table[:, place] = named[name]
        return table
