"""Kernels of formulas, called from Python by their addresses as other kernels call them."""

import ctypes

import numba
import numpy as np

from fastbp.formulas.optimizers import constants_at
from fastbp.kernels.activate import activation_address, prime_address
from fastbp.kernels.rules import rule_address, rule_of
from fastbp.vectors.simd import lanes


def dtype_of(array):
    return getattr(numba, array.dtype.name)


def padded(values, dtype):
    """Return the values in an array of whole vectors; what is behind them is 0."""
    values = np.asarray(values, dtype)
    whole = -(-len(values) // lanes(values.dtype)) * lanes(values.dtype)
    return np.concatenate([values, np.zeros(whole - len(values), dtype)])


def call(address, *operands):
    """Call a function of C; arrays go by their addresses."""
    given = [operand.ctypes.data if isinstance(operand, np.ndarray) else operand for operand in operands]
    ctypes.CFUNCTYPE(None, *[ctypes.c_ssize_t] * len(given))(address)(*given)


def sigma(row, z):
    """σ(z) by the kernel of a row."""
    whole, address = padded(z, z.dtype), activation_address(row, dtype_of(z))
    if not address:
        return z
    a = np.full_like(whole, np.nan)
    call(address, 1, len(z), whole, a, len(whole))
    return a[: len(z)]


def times_prime(row, z, a, delta):
    """δ ⊙ σ'(z) by the kernel of a row."""
    address = prime_address(row, dtype_of(z))
    if not address:
        return delta
    whole = [padded(array, z.dtype) for array in (z, a, delta)]
    call(address, 1, len(z), *whole, whole[2], len(whole[2]))
    return whole[2][: len(z)]


def step(optimizer, w, g, state, count, share, rate):
    """Change w and its state by the kernel of a rule, given Σ g."""
    rule = rule_of(optimizer)
    named = constants_at(optimizer, count, rate)
    c = np.array([share, 0, 0, *(float(named[name]) for name in rule.names)], w.dtype)
    slots = np.array(state, w.dtype).reshape(len(state), len(w))
    call(rule_address(rule, dtype_of(w)), c, len(w), g, w, slots, len(w))
    return list(slots)
