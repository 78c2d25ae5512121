"""sin, cos and arctan of vectors: branch-free; NaN stays NaN. Within the bounds that tests/test_vmath.py states.

The polynomials are minimax: Remez' exchange with mpmath, 60 digits, then rounded to the dtype.
"""

import math
from typing import NamedTuple

from numba import types

from .numbers import Number, absolute, where
from .vmath import FORMATS, integers, long_polynomial, polynomial, rounder


class Circle(NamedTuple):
    """What the functions need to know of a dtype; polynomials in s = r² or t², highest power first."""

    half_pi: tuple[float, float, float]  # π/2 in three parts, each the rest rounded
    sin: tuple[float, ...]  # (sin r - r) / r³
    cos: tuple[float, ...]  # (cos r - 1 + r²/2) / r⁴
    arctan: tuple[float, ...]  # (arctan t - t) / t³


CIRCLES = {
    # sin and cos for |r| <= 1.04 π/4, below 2^-27 and 2^-32; arctan for t <= 1, below 2^-28, all relative to the result
    types.float32: Circle(
        (1.5707963705062866, -4.371138828673793e-08, -1.7151245100058819e-15),
        (-1.94940228e-4, 8.33201233e-3, -1.66666525e-1),
        (2.44282019e-5, -1.38873183e-3, 4.16666471e-2),
        (-1.88281451e-3, 1.13206709e-2, -3.19495781e-2, 5.8750313e-2, -8.4510327e-2, 1.09690083e-1, -1.42675868e-1,
         1.9998879e-1, -3.33333109e-1),
    ),
    # Below 2^-57, 2^-62 and 2^-57
    types.float64: Circle(
        (1.5707963267948966, 6.123233995736766e-17, -1.4973849048591698e-33),
        (1.5885588010657313e-10, -2.505057017633045e-8, 2.755731254509183e-6, -1.9841269826740654e-4,
         8.33333333331906e-3, -1.666666666666662e-1),
        (-1.136007849011312e-11, 2.087575724464227e-9, -2.7557314832558137e-7, 2.4801587292124703e-5,
         -1.38888888888803e-3, 4.166666666666665e-2),
        (1.429297974118461e-5, -1.629377711874614e-4, 8.816575750166739e-4, -3.0292895126099277e-3,
         7.480985551771795e-3, -1.4308797263738189e-2, 2.2426101233718684e-2, -3.027032974958194e-2,
         3.6878398680688165e-2, -4.231090910538674e-2, 4.727001731687919e-2, -5.2549437701369744e-2,
         5.880860545004943e-2, -6.666462554336142e-2, 7.692287384909828e-2, -9.09090769061633e-2,
         1.1111111048870785e-1, -1.4285714284130782e-1, 1.999999999998164e-1, -3.333333333333328e-1),
    ),
}  # fmt: skip


def sin(x):
    """Sin x = sign x · sin |x|."""
    builder, (kind, constant) = x.simd.builder, integers(x.simd)
    sign = builder.and_(builder.bitcast(x.value, kind), constant(-(2 ** (x.simd.dtype.bitwidth - 1))))
    return _flipped(_sin_of_size(absolute(x), 0), sign)


def cos(x):
    """Cos x = sin(|x| + π/2)."""
    return _sin_of_size(absolute(x), 1)


def arctan(x):
    """Arctan x = sign x · (arctan t or, where t = 1 / |x|, π/2 - arctan t), t <= 1."""
    circle, size = CIRCLES[x.simd.dtype], absolute(x)
    beyond = size > 1.0
    t = where(beyond, 1.0 / size, size)
    square = t * t
    y = long_polynomial(square, circle.arctan) * (t * square) + t
    high, low, _ = circle.half_pi
    return with_sign(where(beyond, high - (y - low), y), x)


def with_sign(size, x):
    """|size| with the sign of x, also of -0."""
    return Number(x.simd, x.simd.call("copysign", "", size.value, x.value))


def _sin_of_size(x, quarters):
    """sin(x + quarters · π/2) = ± sin r or cos r, x = n π/2 + r: for 0 <= x <= ¾ 2^(mantissa bits), else NaN.

    Beyond that n is no longer exact; a number's neighbours are then about a radian away.
    """
    simd, form, circle = x.simd, FORMATS[x.simd.dtype], CIRCLES[x.simd.dtype]
    builder, (kind, constant) = simd.builder, integers(simd)
    shifted = x * (2 / math.pi) + rounder(form)
    n = shifted - rounder(form)
    r = x
    for part in circle.half_pi:
        r = r - n * part
    square = r * r
    sine = polynomial(square, circle.sin) * (r * square) + r
    cosine = polynomial(square, circle.cos) * (square * square) + (1.0 - 0.5 * square)
    quarter = builder.add(builder.bitcast(shifted.value, kind), constant(quarters))
    odd = builder.icmp_signed("!=", builder.and_(quarter, constant(1)), constant(0))
    sign = builder.shl(builder.and_(quarter, constant(2)), constant(simd.dtype.bitwidth - 2))
    return where(x <= 0.5 * rounder(form), _flipped(where(odd, cosine, sine), sign), math.nan)


def _flipped(x, sign):
    """x, or -x where the sign bit is set in `sign`."""
    builder, (kind, _) = x.simd.builder, integers(x.simd)
    return Number(x.simd, builder.bitcast(builder.xor(builder.bitcast(x.value, kind), sign), x.simd.type))
