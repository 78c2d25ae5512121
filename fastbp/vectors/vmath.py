"""exp, tanh and ln of vectors: libm, which numba calls, takes one number at a time.

Branch-free; NaN stays NaN. Within the bounds that tests/test_kernels.py states. `exp`, `log` and `log1p` are for
arguments in a range, and fast; `exponentials` has them for all arguments.
"""

import math
from typing import NamedTuple

from llvmlite import ir
from numba import types

from .numbers import Number, where

LOG2E = 1.4426950408889634
ROOT_HALF = 0.7071067811865476


class Format(NamedTuple):
    """What the functions need to know of a dtype."""

    mantissa: int  # bits of it
    bias: int  # of the exponent
    ends: tuple[float, float]  # e^x is held at these x, beyond which 2^n is no normal number
    ln2: tuple[float, float]  # in two parts, the first with so few bits that n · ln2[0] is exact
    exp: tuple[float, ...]  # (e^r - 1 - r) / r², highest power first
    log: tuple[tuple[float, ...], tuple[float, ...]]  # (ln(1 + f) - f + f²/2) / f³, numerator and denominator


FORMATS = {
    # Cephes, expf and logf
    types.float32: Format(
        23, 127, (-87.3, 88.3), (0.693359375, -2.12194440e-4),
        (1.9875691500e-4, 1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2, 1.6666665459e-1, 5.0000001201e-1),
        ((7.0376836292e-2, -1.1514610310e-1, 1.1676998740e-1, -1.2420140846e-1, 1.4249322787e-1, -1.6668057665e-1,
          2.0000714765e-1, -2.4999993993e-1, 3.3333331174e-1), (1.0,)),
    ),
    # Taylor's series to r^13, whose remainder is below 2^-57; Cephes, log
    types.float64: Format(
        52, 1023, (-708.0, 709.0), (6.93145751953125e-1, 1.42860682030941723212e-6),
        tuple(1 / math.factorial(k) for k in range(13, 1, -1)),
        ((1.01875663804580931796e-4, 4.97494994976747001425e-1, 4.70579119878881725854, 1.44989225341610930846e1,
          1.79368678507819816313e1, 7.70838733755885391666),
         (1.0, 1.12873587189167450590e1, 4.52279145837532221105e1, 8.29875266912776603211e1,
          7.11544750618563894466e1, 2.31251620126765340583e1)),
    ),
}  # fmt: skip


def polynomial(x, coefficients):
    first, *others = coefficients
    for coefficient in others:
        first = first * x + coefficient
    return first


def long_polynomial(x, coefficients):
    """`polynomial` as p(x²) x + q(x²): two chains, each of half the latency."""
    square = x * x
    odd, even = (coefficients[start::-2][::-1] for start in (-2, -1))
    return polynomial(square, odd) * x + polynomial(square, even)


def integers(simd):
    """The integer vector type of the same size, and a constant of it."""
    kind = ir.VectorType(ir.IntType(simd.dtype.bitwidth), simd.count)
    return kind, lambda value: ir.Constant(kind, [value] * simd.count)


def rounder(form):
    """1.5 · 2^(mantissa bits): to add and to subtract it rounds, and the sum's low bits are the whole number."""
    return 1.5 * 2.0**form.mantissa


def rounded(x):
    """x; a Product rounded here, not together with what the formula adds to it."""
    return Number(x.simd, x.value)


def clamped(x, low, high):
    """x, held to [low, high]; NaN stays NaN."""
    x = where(x < low, low, x)
    return where(x > high, high, x)


def whole_and_rest(x):
    """(n, e^r - 1) of x = n ln 2 + r, |r| <= ln 2 / 2; n in the low bits of integers."""
    simd, form = x.simd, FORMATS[x.simd.dtype]
    shifted = x * LOG2E + rounder(form)
    n = shifted - rounder(form)
    r = (x - n * form.ln2[0]) - n * form.ln2[1]
    return simd.builder.bitcast(shifted.value, integers(simd)[0]), (polynomial(r, form.exp) * r) * r + r


def power_of_two(simd, n, more=0):
    """2^(n + more), n as `whole_and_rest` gives it."""
    form, (_, constant) = FORMATS[simd.dtype], integers(simd)
    exponent = simd.builder.add(n, constant(form.bias + more))
    return Number(simd, simd.builder.bitcast(simd.builder.shl(exponent, constant(form.mantissa)), simd.type))


def _parts(x):
    """(2^n, e^r - 1) of x = n ln 2 + r."""
    n, p = whole_and_rest(clamped(x, *FORMATS[x.simd.dtype].ends))
    return power_of_two(x.simd, n), p


def exp(x):
    """e^x = 2^n (e^r - 1) + 2^n."""
    scale, p = _parts(x)
    return p * scale + scale


def tanh(x):
    """Tanh x = (e^2x - 1) / (e^2x + 1), from e^2x - 1 itself: exact to rounding near 0 too."""
    scale, p = _parts(x + x)
    e = p * scale + (scale - 1.0)
    return e / (e + 2.0)


def log(x):
    """ln x = n ln 2 + ln(1 + f), x = 2^n (1 + f) with 1 + f in [√½, √2), for normal numbers above 0."""
    x = rounded(x)
    simd, form = x.simd, FORMATS[x.simd.dtype]
    builder = simd.builder
    kind, constant = integers(simd)
    bits = builder.bitcast(x.value, kind)
    start = builder.bitcast(simd.constant(ROOT_HALF), kind)
    n = builder.ashr(builder.sub(bits, start), constant(form.mantissa))
    f = Number(simd, builder.bitcast(builder.sub(bits, builder.shl(n, constant(form.mantissa))), simd.type)) - 1.0
    zero = builder.bitcast(simd.constant(rounder(form)), kind)
    n = Number(simd, builder.bitcast(builder.add(n, zero), simd.type)) - rounder(form)
    square = f * f
    above, below = (polynomial(f, part) for part in form.log)
    rest = above * f * square
    rest = rest / below if isinstance(below, Number) else rest
    rest = (rest + n * form.ln2[1]) - 0.5 * square
    return (f + rest) + n * form.ln2[0] + (x - x)  # x - x: NaN for NaN


def log1p(x):
    """ln(1 + x) for 0 <= x <= 1: ln of the rounded sum, and what the rounding lost."""
    x = rounded(x)
    total = 1.0 + x
    return log(total) + (x - (total - 1.0)) / total
