"""The error function of vectors: branch-free; NaN stays NaN. Within the bounds that tests/test_vmath.py states."""

from typing import NamedTuple

from numba import types

from .numbers import absolute, where
from .trig import with_sign
from .vmath import exp, long_polynomial


class Error(NamedTuple):
    """What `erf` needs to know of a dtype; polynomials, highest power first.

    Minimax: Remez' exchange with mpmath, 60 digits, then rounded to the dtype.
    """

    one: float  # from here on erf x rounds to 1
    near: tuple[float, ...]  # erf x / x - 1 in x², 0 <= x <= 1
    far: tuple[float, ...]  # -ln(1 - erf x) in x, 1 <= x <= `one`


ERRORS = {
    # Both below 2^-29 relative to erf x
    types.float32: Error(
        4.0,
        (7.88912254e-5, -8.02084233e-4, 5.18953548e-3, -2.68544447e-2, 1.12836002e-1, -3.76126271e-1, 1.28379166e-1),
        (-1.8637626e-4, 2.94763067e-3, -2.18379581e-2, 1.03106543e-1, 6.38145065e-1, 1.12708906, 3.41554276e-4),
    ),
    # Both below 2^-56
    types.float64: Error(
        6.0,
        (-7.801187487438507e-10, 1.3722974369427325e-8, -1.6209175158729682e-7, 1.6447517531099357e-6,
         -1.4924744646817323e-5, 1.2055295319352556e-4, -8.54832598964766e-4, 5.223977607422185e-3,
         -2.6866170643276028e-2, 1.1283791670945252e-1, -3.761263890318355e-1, 1.2837916709551256e-1),
        (4.92767108670125e-12, -2.0446066737243025e-10, 3.933644428448979e-9, -4.6416365079396856e-8,
         3.732553386474124e-7, -2.1354240920673997e-6, 8.666141947552624e-6, -2.281931621443601e-5,
         2.0258898008367176e-5, 1.35065238386014e-4, -7.706656377437604e-4, 1.9159698748004313e-3,
         -4.106522573815244e-4, -1.8990161877146767e-2, 1.027034308454086e-1, 6.366436311451733e-1,
         1.1283740888124087, 5.029166089073784e-7),
    ),
}  # fmt: skip


def erf(x):
    """Erf x = x + x P(x²), or where |x| > 1 sign x · (1 - e^-Q(|x|))."""
    form, size = ERRORS[x.simd.dtype], absolute(x)
    far = 1.0 - exp(-long_polynomial(where(size > form.one, form.one, size), form.far))
    return where(size > 1.0, with_sign(far, x), long_polynomial(x * x, form.near) * x + x)
