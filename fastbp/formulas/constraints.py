"""What weights may be: after each update they are brought back to the nearest that are allowed.

Biases are free. A sum of products of weights along a path has the sign of them all, so an output rises with an input
where every weight from there on is at least 0 and every σ rises (Sill 1998).
"""

# mypy: disable-error-code="no-any-return"
# (NumPy types its ufuncs and operators as Any.)

from collections.abc import Sequence
from typing import Any

import numpy as np

from . import Array
from .activations import Activation

GRID = np.linspace(-10.0, 10.0, 4001)


def signed(w: Any, sign: Any) -> Any:
    """W where it has the sign, else 0; a sign of 0 allows any."""
    return np.where(w * sign < 0, 0.0, w)


def constrained(w: Array, signs: Array | None, max_norm: float | None) -> Array:
    """w_jk of the sign s_k, and √(Σ_k w_jk²) at most max_norm for each neuron j (Srivastava et al. 2014).

    - w: (n_out, n_in); - signs (n_in,): 1, -1 or 0; None: any; - max_norm: None: any
    """
    if signs is not None:
        w = signed(w, signs.astype(w.dtype)).astype(w.dtype)
    if max_norm is not None:
        norms = np.sqrt(np.sum(np.square(w, dtype=np.float64), axis=1))
        factors = np.divide(max_norm, norms, out=np.ones_like(norms), where=norms > max_norm)
        w = w * factors.astype(w.dtype)[:, None]
    return w


def begun(w: Array, signs: Array | None) -> Array:
    """Initial weights turned to the sign that they must have: half of them would be 0 after the first update."""
    return w if signs is None else np.where(signs == 0, w, np.abs(w) * signs)


def signs_of(sizes: Sequence[int], nonnegative: bool, monotone: Sequence[int] | None) -> list[Array] | None:
    """Return the sign (n_in,) that the weights from each input of each layer must have; None: any."""
    if not nonnegative and monotone is None:
        return None
    first = np.ones(sizes[0]) if monotone is None else np.array(monotone, float)
    return [first, *(np.ones(n) for n in sizes[1:-1])]


def rises(row: Activation) -> bool:
    """Whether σ falls nowhere between -10 and 10."""
    with np.errstate(over="ignore"):
        return bool(np.all(np.diff(row.value(GRID)) >= 0))
