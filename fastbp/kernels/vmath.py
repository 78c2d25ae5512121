"""exp and tanh that vectorise: numba's call libm, one number at a time.

Both rest on e^x = 2^n e^r with r = x - n ln 2, |r| <= ln 2 / 2, and a polynomial for e^r - 1.
Branch-free, so that loops over them become vector code; NaN stays NaN. Within 2 ulp of the true
value where that is a normal number (tests/test_vmath.py); beyond the range where 2^n is a normal
number, x is held at its ends.
"""

import math

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic, overload

from .jit import part

f4, f8 = np.float32, np.float64
# Adding and subtracting 1.5 * 2^(mantissa bits) rounds to a whole number, and leaves that number in the low bits.
ROUND32, ROUND64 = f4(1.5 * 2**23), f8(1.5 * 2**52)
# ln 2 in two parts, the first with so few bits that n * LN2_HIGH is exact.
HIGH32, LOW32 = f4(0.693359375), f4(-2.12194440e-4)
HIGH64, LOW64 = f8(6.93145751953125e-1), f8(1.42860682030941723212e-6)
C2, C3, C4, C5, C6, C7, C8, C9, C10, C11, C12, C13 = (1 / math.factorial(k) for k in range(2, 14))
LOG2E32, LOG2E64 = f4(1.4426950408889634), f8(1.4426950408889634)


@intrinsic
def _power_of_two(typing_context, shifted):
    """2^n from n + ROUND: the low bits of the sum are n, the exponent of 2^n is n + bias."""
    bits, mantissa, bias = (32, 23, 127) if shifted == types.float32 else (64, 52, 1023)

    def codegen(context, builder, signature, arguments):
        integer = ir.IntType(bits)
        number = builder.add(builder.bitcast(arguments[0], integer), integer(bias))
        return builder.bitcast(builder.shl(number, integer(mantissa)), arguments[0].type)

    return shifted(shifted), codegen


@part
def _split32(x):
    """(2^n, e^r - 1) of x; coefficients from Cephes' expf."""
    x = f4(-87.3) if x < f4(-87.3) else x
    x = f4(88.3) if x > f4(88.3) else x
    shifted = x * LOG2E32 + ROUND32
    n = shifted - ROUND32
    r = (x - n * HIGH32) - n * LOW32
    p = f4(1.9875691500e-4)
    p = p * r + f4(1.3981999507e-3)
    p = p * r + f4(8.3334519073e-3)
    p = p * r + f4(4.1665795894e-2)
    p = p * r + f4(1.6666665459e-1)
    p = p * r + f4(5.0000001201e-1)
    return _power_of_two(shifted), (p * r) * r + r


@part
def _split64(x):
    """(2^n, e^r - 1) of x; Taylor's series to r^13, whose remainder is below 2^-57."""
    x = f8(-708.0) if x < f8(-708.0) else x
    x = f8(709.0) if x > f8(709.0) else x
    shifted = x * LOG2E64 + ROUND64
    n = shifted - ROUND64
    r = (x - n * HIGH64) - n * LOW64
    p = C13
    p = p * r + C12
    p = p * r + C11
    p = p * r + C10
    p = p * r + C9
    p = p * r + C8
    p = p * r + C7
    p = p * r + C6
    p = p * r + C5
    p = p * r + C4
    p = p * r + C3
    p = p * r + C2
    return _power_of_two(shifted), (p * r) * r + r


def _split(x):
    """(2^n, e^r - 1) for float32 or float64."""
    raise NotImplementedError("for kernels only")


@overload(_split)
def _split_of_type(x):
    if x == types.float32:
        return lambda x: _split32(x)
    return lambda x: _split64(x)


@part
def exp(x):
    """e^x = 2^n (e^r - 1) + 2^n."""
    scale, p = _split(x)
    return p * scale + scale


@part
def tanh(x):
    """Tanh x = (e^2x - 1) / (e^2x + 1), from e^2x - 1 itself: exact to rounding near 0 too."""
    T = type(x)
    scale, p = _split(x + x)
    e = p * scale + (scale - T(1))
    return e / (e + T(2))
