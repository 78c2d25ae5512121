"""Functions of vectors that are right for every argument, each against what NumPy says.

`python test_vmath.py` prints the vector width and a digest of the bits of every function, see the last test.
"""

import hashlib
import math
import os
import subprocess
import sys

import numpy as np
import pytest
from numba import njit, types
from numba.extending import intrinsic

from fastbp.compiler.target import LANES
from fastbp.vectors import vmath
from fastbp.vectors.erf import erf
from fastbp.vectors.exponentials import exp_any, expm1, log1p_any, log_any
from fastbp.vectors.fpu import flush_denormals, restore_denormals
from fastbp.vectors.numbers import emit_map
from fastbp.vectors.order import maximum, minimum, sign
from fastbp.vectors.pointers import pointer
from fastbp.vectors.trig import arctan, cos, sin


def vector_function(formula):
    """A formula of one or two vectors as a function of arrays, whole vectors long; denormals flushed or not."""

    @intrinsic
    def run(typing_context, x, y, out, count):
        def codegen(context, builder, signature, arguments):
            *places, out_place, count = arguments
            emit_map(builder, out.dtype, formula, places[: formula.__code__.co_argcount], out_place, count)
            return context.get_dummy_value()

        return types.void(x, y, out, types.intp), codegen

    @njit
    def apply(x, y, out, flush):
        old = flush_denormals() if flush else np.int32(0)
        run(pointer(x, 0), pointer(y, 0), pointer(out, 0), len(x))
        if flush:
            restore_denormals(old)

    def function(x, y=None, flush=False):
        x = np.append(x, np.zeros(-len(x) % 16, x.dtype))
        y = x if y is None else np.append(y, np.zeros(-len(y) % 16, x.dtype))
        out = np.full_like(x, np.nan)
        apply(x, y, out, flush)
        return out

    return function


# What NumPy calls them; math.erf is off by less than an ulp in float64
TRUTHS = {
    exp_any: np.exp,
    expm1: np.expm1,
    log_any: np.log,
    log1p_any: np.log1p,
    sin: np.sin,
    cos: np.cos,
    arctan: np.arctan,
    erf: lambda x: np.vectorize(math.erf, otypes=[x.dtype])(x),
    sign: np.sign,
}
PAIRS = {maximum: np.maximum, minimum: np.minimum}
FUNCTIONS = {formula: vector_function(formula) for formula in [*TRUTHS, *PAIRS, vmath.exp, vmath.log1p]}
DTYPES = pytest.mark.parametrize("dtype", [np.float32, np.float64])
FLUSHED = pytest.mark.parametrize("flush", [False, True], ids=["gradual", "flushed"])


def truth_and_ulp(formula, x):
    wide = np.longdouble if x.dtype == np.float64 else np.float64
    expected = TRUTHS[formula](x.astype(wide))
    return expected, np.spacing(np.maximum(np.abs(expected), np.finfo(x.dtype).tiny).astype(x.dtype)).astype(wide)


def sizes(low, high, dtype, n=100_000):
    """Numbers of both signs, evenly spread in the logarithm of their size: low and high are powers of two."""
    rng = np.random.default_rng(0)
    x = rng.choice([-1, 1], n) * np.exp2(rng.uniform(low, high, n))
    return x.astype(dtype)


@DTYPES
@pytest.mark.parametrize(
    ("formula", "ends", "ulps"),
    [
        (exp_any, {"float32": (-87.33, 88.72), "float64": (-708.39, 709.78)}, 2), (exp_any, (-1, 1), 2),
        (expm1, {"float32": (-100, 88.72), "float64": (-100, 709.78)}, 2), (expm1, (-2, 2), 2),
        (expm1, (-1e-3, 1e-3), 2),
        (log_any, (0.4, 2.5), 2), (log_any, (1e-30, 1e30), 2),
        (log1p_any, (-0.9999, 3), 2), (log1p_any, (-1e-6, 1e-6), 2), (log1p_any, (1, 1e10), 2),
        (sin, (-10, 10), 2), (sin, (-1e5, 1e5), 2), (sin, {"float32": (1e5, 3e6), "float64": (1e5, 1e15)}, 3),
        (cos, (-10, 10), 2), (cos, (-1e5, 1e5), 2), (cos, {"float32": (1e5, 3e6), "float64": (1e5, 1e15)}, 3),
        (arctan, (-3, 3), 3), (arctan, (-1e-3, 1e-3), 2), (arctan, (-1e3, 1e3), 3),
        (erf, (-6.5, 6.5), 2), (erf, (-1.5, 1.5), 2), (erf, (-1e-3, 1e-3), 2),
    ],
)  # fmt: skip
def test_functions_are_within_their_ulps(formula, ends, ulps, dtype):
    ends = ends[np.dtype(dtype).name] if isinstance(ends, dict) else ends
    x = np.linspace(*ends, 200_000).astype(dtype)
    expected, ulp = truth_and_ulp(formula, x)
    assert float(np.max(np.abs(FUNCTIONS[formula](x) - expected) / ulp)) <= ulps


@FLUSHED
@DTYPES
@pytest.mark.parametrize("formula", [expm1, log1p_any, log_any, sin, cos, arctan, erf, exp_any])
def test_functions_are_as_good_for_numbers_of_every_size(formula, dtype, flush):
    info = np.finfo(dtype)
    high = 20 if formula in (sin, cos) else info.maxexp
    x = sizes(info.minexp, high, dtype)
    if formula is log_any:
        x = np.abs(x)
    if formula is log1p_any:
        x = np.where(x < -1, -x, x)
    with np.errstate(over="ignore"):
        expected, ulp = truth_and_ulp(formula, x)
    got = FUNCTIONS[formula](x, flush=flush)
    normal = (np.abs(expected) >= info.tiny) & (np.abs(expected) <= info.max)
    assert float(np.max(np.abs(got[normal] - expected[normal]) / ulp[normal])) <= 3
    np.testing.assert_array_equal(got[~normal], np.where(np.abs(expected) < 1, 0, np.inf)[~normal].astype(dtype))


@FLUSHED
@DTYPES
@pytest.mark.parametrize("formula", TRUTHS)
def test_special_values_are_as_in_numpy(formula, dtype, flush):
    info = np.finfo(dtype)
    x = [np.nan, np.inf, -np.inf, 0, -0.0, 1, -1, -2, info.max, -info.max, info.tiny, -info.tiny, info.eps, -info.eps]
    x = np.array([*x, 0, 0], dtype)
    with np.errstate(all="ignore"):
        expected, _ = truth_and_ulp(formula, x)
        expected = expected.astype(dtype)
    if formula in (sin, cos):
        expected[[8, 9]] = np.nan  # too large to be reduced, see below
    got = FUNCTIONS[formula](x, flush=flush)
    np.testing.assert_allclose(got, expected, rtol=3 * info.eps, atol=0)
    known = ~np.isnan(expected)
    np.testing.assert_array_equal(np.signbit(got)[known], np.signbit(expected)[known])
    exact = np.isin(x, [0, 1, -1, np.inf, -np.inf]) & np.isin(expected, [0, 1, -1, np.inf, -np.inf])
    np.testing.assert_array_equal(got[exact], expected[exact])


@FLUSHED
@DTYPES
def test_exp_overflows_and_vanishes_where_the_result_does(dtype, flush):
    info = np.finfo(dtype)
    top, bottom = (dtype(np.log(np.longdouble(end))) for end in (info.max, info.tiny))
    near = np.arange(-300, 301)
    x = np.concatenate([end + near * np.spacing(end) for end in (top, bottom)]).astype(dtype)
    x = np.append(x, dtype([-1e4, 1e4, -1e30, 1e30, -info.max, info.max]))
    wide = np.exp(np.minimum(x.astype(np.longdouble), 1e4))
    with np.errstate(over="ignore", under="ignore"):
        expected = np.where(wide < info.tiny, 0, wide).astype(dtype)
    got = FUNCTIONS[exp_any](x, flush=flush)[: len(x)]
    np.testing.assert_array_equal(np.isinf(got), np.isinf(expected))
    np.testing.assert_array_equal(got == 0, expected == 0)
    np.testing.assert_allclose(got, expected, rtol=2 * info.eps)
    got, above = FUNCTIONS[expm1](x, flush=flush)[: len(x)], x > 0
    np.testing.assert_array_equal(got[~above], -1)
    np.testing.assert_allclose(got[above], expected[above], rtol=2 * info.eps)


@FLUSHED
@DTYPES
def test_subnormal_arguments_count_as_zero_or_as_what_they_are(dtype, flush):
    x = np.array([np.finfo(dtype).smallest_subnormal, -np.finfo(dtype).smallest_subnormal] * 8, dtype)
    for formula in (sin, arctan, erf, expm1, log1p_any):
        assert np.all(np.abs(FUNCTIONS[formula](x, flush=flush)) <= 2 * np.finfo(dtype).smallest_subnormal)
    for formula in (cos, exp_any):
        np.testing.assert_array_equal(FUNCTIONS[formula](x, flush=flush), 1)
    np.testing.assert_array_equal(FUNCTIONS[log_any](x, flush=flush), -np.inf)


@DTYPES
@pytest.mark.parametrize("formula", [sin, cos])
def test_sin_and_cos_get_worse_before_they_are_nan(formula, dtype):
    end = 0.75 * 2.0 ** np.finfo(dtype).nmant  # 6.3e6, 3.4e15
    x = np.linspace(-end, end, 200_000).astype(dtype)
    expected, _ = truth_and_ulp(formula, x)
    assert float(np.max(np.abs(FUNCTIONS[formula](x) - expected))) < (1e-6 if dtype is np.float32 else 5e-14)
    beyond = np.array([np.nextafter(dtype(end), dtype(np.inf)), 4 * end, np.finfo(dtype).max], dtype)
    assert np.isnan(FUNCTIONS[formula](np.append(beyond, -beyond))[:6]).all()


@DTYPES
@pytest.mark.parametrize("formula", [sin, cos])
def test_sin_and_cos_are_exact_near_their_zeros(formula, dtype):
    """Where x - n π/2 loses nearly all of its digits, the parts of π/2 must give them back."""
    n = np.arange(1, 100_000)
    half_pi = np.longdouble("1.57079632679489661923132169163975144")
    x = (n * half_pi).astype(dtype)
    expected, ulp = truth_and_ulp(formula, x)
    assert float(np.max(np.abs(FUNCTIONS[formula](x)[: len(x)] - expected) / ulp)) <= 2


@DTYPES
def test_general_functions_share_the_bits_of_the_fast_ones(dtype):
    x = np.linspace(-87, 88, 200_000).astype(dtype)
    np.testing.assert_array_equal(FUNCTIONS[exp_any](x), FUNCTIONS[vmath.exp](x))
    x = np.append(np.linspace(0, 1, 200_000), np.exp2(np.linspace(-126, 0, 100_000))).astype(dtype)
    np.testing.assert_array_equal(FUNCTIONS[log1p_any](x), FUNCTIONS[vmath.log1p](x))


@DTYPES
@pytest.mark.parametrize("formula", PAIRS)
def test_maximum_and_minimum_are_those_of_numpy(formula, dtype):
    values = np.array([np.nan, np.inf, -np.inf, 0, 1, -1, 1e30, -1e-30], dtype)
    x, y = (part.ravel() for part in np.meshgrid(values, values))
    np.testing.assert_array_equal(FUNCTIONS[formula](x, y), PAIRS[formula](x, y))


@DTYPES
def test_maximum_takes_a_number_of_python_on_either_side(dtype):
    x = np.array([np.nan, -np.inf, -1, 0, 0.25, 1, 2, np.inf] * 2, dtype)

    def held(x):
        return maximum(0.0, minimum(x, 1.0))

    np.testing.assert_array_equal(vector_function(held)(x), np.clip(x, 0, 1))


@DTYPES
@pytest.mark.parametrize("formula", [f for f in TRUTHS if f is not sign])
def test_a_product_is_rounded_before_a_function_of_it(formula, dtype):
    """Fused into the formula, x - x would not be 0."""

    def of_product(x):
        return formula(x * x)

    x = np.linspace(0, 9, 1600).astype(dtype)
    np.testing.assert_array_equal(vector_function(of_product)(x), FUNCTIONS[formula](x * x))


def digest():
    """Digest of the bits of every function, in both dtypes."""
    said = hashlib.sha256()
    for dtype in (np.float32, np.float64):
        info = np.finfo(dtype)
        x = np.concatenate([sizes(info.minexp, info.maxexp, dtype, 20_000), sizes(-10, 10, dtype, 20_000)])
        x = np.append(x, np.array([np.nan, np.inf, -np.inf, 0, -0.0], dtype))
        for formula in [*TRUTHS, *PAIRS]:
            out = FUNCTIONS[formula](x, x[::-1].copy(), flush=True)
            said.update(np.where(np.isnan(out), dtype(np.nan), out).tobytes())  # which NaN is not promised
    return said.hexdigest()


def test_bits_are_the_same_at_every_vector_width():
    said = []
    for width in ("16", "8", "4"):
        environment = {**os.environ, "FASTBP_LANES": width}
        run = subprocess.run([sys.executable, __file__], env=environment, check=True, text=True, capture_output=True)
        said.append(run.stdout.split())
    assert [lanes for lanes, _ in said] == ["16", "8", "4"]
    assert len({digest for _, digest in said}) == 1, said


if __name__ == "__main__":
    print(LANES, digest())
