"""Numerical derivatives: a complex step where a function allows it, else central differences with a sweep of steps."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from ..formulas import Array
from ..formulas.activations import Activation

IMAGINARY = 1e-30  # f(x + ih).imag / h loses no digits, however small h is (Squire, Trapp 1998)
STEPS = (1e-3, 2.5e-4, 6e-5, 1.5e-5, 4e-6)  # of a sweep; beyond them lie truncation and lost digits
USUAL = np.linspace(-3, 3, 61)
AGREE = 1e-6  # a complex step that differs more from a difference is none: |z| and z > 0 know no imaginary part

Function = Callable[[Array], Array]


class Slope(NamedTuple):
    """f'(x), entry by entry, how far it may be off, and where it exists."""

    value: Array
    error: Array
    exists: Array


def slope(
    function: Function, x: Array, kinks: tuple[float, ...] = (), scale: Array | None = None, noise: Any = 0.0
) -> Slope:
    """f'(x) for a function of each entry, in float64, all entries at once.

    - scale: what steps are relative to: 1, or |x| where it is larger, if nothing else is known
    - noise: what the function loses to rounding, in units of roundoff, where that is more than its size and that of x

    Of each two steps, one a quarter of the other, Richardson's rule makes (16 D(h/4) - D(h)) / 15; the pair that agrees
    best is taken, entry by entry, and its difference is the error.
    """
    exists = np.ones(x.shape, bool)
    scale = np.maximum(1, np.abs(x)) if scale is None else scale
    for kink in kinks:
        exists = exists & (np.abs(x - kink) > 2 * STEPS[-1] * scale)
    with np.errstate(all="ignore"):
        value, error = _swept(function, x, kinks, scale, noise)
        exact = complex_slope(function, x)
    if exact is not None:
        differ = np.abs(exact - value)
        if (differ <= AGREE * np.maximum(1, np.abs(value)) + error)[exists].all():
            # |z| knows no imaginary part, and may have had a small share in the slope: no more trust than in both
            return Slope(exact, error + differ, exists)
    return Slope(value, error, exists & np.isfinite(error))


def slope_by_rows(function: Function, x: Array) -> Slope:
    """∂f_i/∂x_ij of a function (m, n) → (m,) of whole rows, one column after the other."""

    def of_column(j: int) -> Slope:
        def function_of(x_j: Array) -> Array:
            changed = x.astype(x_j.dtype)
            changed[:, j] = x_j
            return function(changed)

        return slope(function_of, x[:, j])

    columns = [of_column(j) for j in range(x.shape[1])]
    return Slope(*(np.stack(arrays, axis=1) for arrays in zip(*columns, strict=True)))


def times(one: Slope, other: Slope) -> Slope:
    """Return the product of two, entry by entry."""
    error = np.abs(one.value) * other.error + (np.abs(other.value) + other.error) * one.error
    return Slope(one.value * other.value, error, one.exists & other.exists)


def complex_slope(function: Function, x: Array) -> Array | None:
    """Return f(x + ih).imag / h, or None where the function does not take complex numbers."""
    try:
        found = np.asarray(function(x + 1j * IMAGINARY))
    except TypeError:
        return None
    if found.dtype.kind != "c" or not np.isfinite(found).all():
        return None
    return np.broadcast_to(found.imag / IMAGINARY, x.shape)


def analytic(row: Activation, z: Array) -> Function | None:
    """Return σ in a form that takes complex numbers, if it has one: proved at these z, and where σ is not flat."""
    if row.over_rows:
        return row.function
    z = np.concatenate([z.ravel(), USUAL])
    for form in (row.function, row.fast):
        if form is None:
            continue
        with np.errstate(all="ignore"):
            exact = complex_slope(form, z)
            if exact is None or not np.allclose(form(z), row.function(z), rtol=1e-12, atol=1e-300):
                continue
            value, error = _swept(row.function, z, row.kinks, np.maximum(1, np.abs(z)))
        near = np.abs(exact - value) <= AGREE * np.maximum(1, np.abs(value)) + error
        if near.all():
            return form
    return None


def _swept(
    function: Function, x: Array, kinks: tuple[float, ...], scale: Array, noise: Any = 0.0
) -> tuple[Array, Array]:
    differences, lost = [], []
    for step in STEPS:
        h = step * scale
        plus, minus = function(x + h), function(x - h)
        difference = (plus - minus) / (2 * h)
        for kink in kinks:
            difference = np.where(np.abs(x - kink) > h, difference, np.nan)
        differences.append(difference)
        # Where a function cancels, as gelu at -6 does, it loses digits of x, not of what is left.
        size = np.maximum(np.maximum(np.abs(plus), np.abs(minus)), np.maximum(np.abs(x), noise))
        lost.append(4 * np.finfo(np.float64).eps * size / h)
    value, error = np.full(x.shape, np.nan), np.full(x.shape, np.inf)
    for coarse, fine, digits in zip(differences, differences[1:], lost[1:], strict=False):
        better, off = (16 * fine - coarse) / 15, np.abs(fine - coarse) + digits
        chosen = off < error
        value, error = np.where(chosen, better, value), np.where(chosen, off, error)
    return value, error
