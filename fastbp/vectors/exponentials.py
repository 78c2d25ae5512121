"""e^x, e^x - 1, ln x and ln(1 + x) for every x, also where `vmath` leaves its functions undefined.

A subnormal number counts as 0, as everywhere in these kernels. Within the bounds that tests/test_vmath.py states.
"""

import math

import numpy as np
from numba import types

from .numbers import Number, absolute, where
from .vmath import FORMATS, clamped, integers, log, log1p, power_of_two, rounded, whole_and_rest

# The first and the last number whose e^x is normal
NORMAL = {types.float32: (-87.33654, 88.72283), types.float64: (-708.3964185322641, 709.782712893384)}


def exp_any(x):
    """e^x = 2^n (1 + (e^r - 1)): inf where it overflows, 0 where it is no normal number, else the bits of `exp`."""
    x = rounded(x)
    simd, (low, high) = x.simd, NORMAL[x.simd.dtype]
    builder, (kind, constant) = simd.builder, integers(simd)
    n, p = whole_and_rest(x)
    # Added to the exponent, since 2^n itself may be no normal number
    bits = builder.add(builder.bitcast((p + 1.0).value, kind), builder.shl(n, constant(FORMATS[simd.dtype].mantissa)))
    y = where(x <= high, Number(simd, builder.bitcast(bits, simd.type)), x + math.inf)  # NaN for NaN
    return where(x < low, 0.0, y)


def exp_negative(x):
    """e^x for x <= 0, which cannot overflow: 0 where it is no normal number, else the bits of `exp`."""
    x = rounded(x)
    n, p = whole_and_rest(x)
    scale = power_of_two(x.simd, n)
    return where(x < NORMAL[x.simd.dtype][0], 0.0, p * scale + scale)


def expm1(x):
    """e^x - 1 = 2 (2^(n-1) (e^r - 1) + (2^(n-1) - ½)): half of it first, because 2^n may overflow."""
    simd, form = x.simd, FORMATS[x.simd.dtype]
    overflow = (form.bias + 1.25) * math.log(2)
    n, p = whole_and_rest(clamped(x, form.ends[0], overflow))
    scale = power_of_two(simd, n, -1)
    half = p * scale + (scale - 0.5)
    return where(_rounds_to_itself(x), x, half + half)


def log_any(x):
    """ln x: -inf for 0, NaN below."""
    tiny, largest = _range(x)
    y = where(x <= largest, log(x), x)
    return where(x < tiny, where(x <= -tiny, math.nan, _constant(x, -math.inf)), y)


def log1p_any(x):
    """ln(1 + x): -inf for -1, NaN below, and the bits of `log1p` where that is for."""
    y = where(x <= _range(x)[1], log1p(x), x)
    y = where(x <= -1.0, where(x < -1.0, math.nan, _constant(x, -math.inf)), y)
    return where(_rounds_to_itself(x), x, y)


def _rounds_to_itself(x):
    """Mask of the x so small that x + x²/2 rounds to x; for -0 and the smallest numbers the formulas would not do."""
    return absolute(x) < 2.0 ** -(FORMATS[x.simd.dtype].mantissa + 1)


def _range(x):
    """The smallest normal number and the largest one."""
    info = np.finfo(x.simd.dtype.name)
    return float(info.tiny), float(info.max)


def _constant(x, value):
    return Number(x.simd, x.simd.constant(value))
