"""Costs of one sample C_x and ∇ₐC: a row each. C_x is a sum over the outputs, and C the mean over the samples."""

from collections.abc import Callable, Sequence
from typing import Literal

from .. import lookup, with_parameters
from . import labels, quantities
from .base import Cost, Pair, Row
from .labels import binary_cross_entropy, binary_focal, cross_entropy, focal
from .quantities import huber, quantile

__all__ = [
    "COSTS", "FACTORIES", "Cost", "CostName", "Pair", "Row", "binary_cross_entropy", "binary_focal", "cross_entropy",
    "find_cost", "focal", "huber", "quantile",
]  # fmt: skip

CostName = Literal[
    "quadratic", "binary_cross_entropy", "cross_entropy", "mean_absolute", "huber", "log_cosh", "quantile", "poisson",
    "hinge", "focal", "binary_focal",
]  # fmt: skip

COSTS: dict[str, Cost] = {row.name: row for row in (*quantities.ROWS, *labels.ROWS)}
# Those with parameters, which are part of the row's name: huber(delta=2.0)
FACTORIES: dict[str, Callable[..., Cost]] = {
    make.__name__: make for make in (huber, quantile, binary_cross_entropy, cross_entropy, focal, binary_focal)
}


def find_cost(name: object, own: Sequence[Cost] = ()) -> Cost:
    """Return the row of this name: of one's own, of the table, or of the table with parameters in brackets."""
    for row in own:
        if row.name == name:
            return row
    if found := with_parameters("cost", FACTORIES, name):
        return found
    if callable(name):
        raise TypeError(f'cost is a mere function; write fastbp.Cost("mine", function), got {name!r}')
    return lookup("cost", COSTS, name)
