"""What an optimizer's rule needs in each step, computed for many steps at once."""

from typing import Any

import numpy as np

from ..formulas import Array
from ..formulas.averages import newest_share
from ..formulas.optimizers import Optimizer, constants_at
from ..kernels.rules import Rule

FEW, AT_ONCE = 64, 1024  # steps
NEWEST = "newest share"  # no name that a rule can ask for


class Constants:
    """Rows of numbers, one for each step; a single row where they never change.

    - ema: where the weights are averaged, a number more: what the newest count
    """

    def __init__(self, optimizer: Optimizer, rule: Rule, ema: float | None = None) -> None:
        self.optimizer, self.names, self.ema = optimizer, rule.names, ema
        self.steady = rule.steady and ema is None
        rate: Any = optimizer.learning_rate
        self.rate = None if callable(rate) else float(rate)
        self.first, self.table = 0, np.empty((0, len(self.names)))

    def most(self, rates: Array | None) -> int:
        """How many steps one call may make."""
        return AT_ONCE if rates is not None or not self.steady else 2**62

    def rows(self, step: int, count: int, rates: Array | None) -> tuple[Array, int]:
        """Return a table, float64 (rows, names), and the row of the first of `count` steps after `step` others.

        A table of one row is for all steps.

        - rates (count,): the learning rate of each; None: the optimizer's, which is a number
        """
        if rates is not None:
            return self.at(step + np.arange(count), rates), 0
        assert self.rate is not None
        if self.steady:
            if len(self.table) == 0:
                self.table = self.at(np.zeros(1, np.int64), np.full(1, self.rate))
            return self.table, 0
        if not self.first <= step <= step + count <= self.first + len(self.table):
            more = min(AT_ONCE, max(count, FEW, 2 * len(self.table)))
            self.first, self.table = step, self.at(step + np.arange(more), np.full(more, self.rate))
        return self.table, step - self.first

    def at(self, steps: Array, rates: Array | None) -> Array:
        """Return a table with a row for each of `steps`, the updates made before it.

        - rates (count,): the learning rate of each; None: the optimizer's, which is a number
        """
        named = constants_at(self.optimizer, steps + 1, np.full(len(steps), self.rate) if rates is None else rates)
        if self.ema is not None:
            named[NEWEST] = newest_share(self.ema, steps + 1)
        table = np.empty((len(steps), len(self.names) + (self.ema is not None)))
        for place, name in enumerate([*self.names, NEWEST][: table.shape[1]]):
            table[:, place] = named[name]
        return table
