"""How steep σ is: where its slope counts as gone, as the chapter says of a neuron that it is saturated."""

from functools import cache

import numpy as np

from . import Array
from .activations import Activation

FLAT = 0.04  # of the steepest slope: for sigmoid σ' < 0.01, where z is beyond ±4.6
GONE = 1e-6  # of the steepest slope: a neuron that no sample gets beyond is dead
REACH = 30.0  # z beyond it, of either sign, is far out for every formula in use


@cache
def steepest(row: Activation) -> float:
    """Return max |σ'(z)| over |z| <= 30: ¼ for sigmoid, 1 for tanh and relu."""
    return float(np.max(np.abs(_slopes(row, np.linspace(-REACH, REACH, 24001)))))


@cache
def flattens(row: Activation) -> tuple[bool, bool]:
    """Return whether σ is flat far below 0, and far above: both for sigmoid, the first for relu, none for identity."""
    low, high = np.abs(_slopes(row, np.array([-REACH, REACH]))) < FLAT * steepest(row)
    return bool(low), bool(high)


def _slopes(row: Activation, z: Array) -> Array:
    if row.over_rows:
        raise ValueError(f"{row.name} has a Jacobian, and no slope of each entry")
    with np.errstate(all="ignore"):
        return np.nan_to_num(row.slope(z, row.value(z)), posinf=0.0, neginf=0.0)
