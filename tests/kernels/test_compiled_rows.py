"""Every row as kernels have it: against NumPy, against numerical derivatives, at kinks, at the ends, at every width."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from calls import dtype_of, padded, sigma, step, times_prime

import fastbp
from fastbp.checking.cross import OPTIMIZERS
from fastbp.formulas.activations import ACTIVATIONS, elu, leaky_relu
from fastbp.formulas.optimizers import update
from fastbp.kernels.activate import needs_z

OWN = [
    fastbp.Activation("steady", lambda z: np.tanh(z) + z / 2),
    fastbp.Activation("wave", lambda z: z + np.sin(z) * np.cos(z) ** 2),
    fastbp.Activation("bent", lambda z: np.where((z > -1) & ~(z > 1), z, np.sign(z)), kinks=(-1, 1)),
    fastbp.Activation("round", lambda z: np.sqrt(z**2 + 1) - np.arctan(z) + np.log1p(np.square(z)) / 3),
    fastbp.Activation("masked", lambda z: z * (z > 0), kinks=(0,)),  # NaN · 0 stays NaN
    fastbp.Activation("clip", lambda z: np.clip(z, -2, 2) + np.minimum(z, 0) * 0.1, kinks=(-2, 0, 2)),
]
ROWS = [row for row in ACTIVATIONS.values() if not row.over_rows] + [leaky_relu(0.3), elu(2.0), *OWN]
ULPS = 16  # of max(1, |a|), of what a formula may round away: gelu in float32 has 7
EXTREMES = [np.nan, np.inf, -np.inf, 0.0, -0.0, 1e30, -1e30, 1e-30, -1e-30, 100.0, -100.0]


def name_of(row):
    return getattr(row, "name", str(row))


def points(dtype, count=4097):
    """An odd number of z, kinks and the ends among them."""
    return np.concatenate([np.linspace(-30, 30, count - 5), [-1, 0, 1, -2, 2]]).astype(dtype)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("row", ROWS, ids=name_of)
def test_sigma_is_what_numpy_says(row, dtype):
    z = points(dtype)
    wide = row.value(z.astype(np.longdouble if dtype is np.float64 and row.name != "gelu" else np.float64))
    bound = ULPS * np.finfo(dtype).eps * np.maximum(1, np.abs(wide))
    assert np.all(np.abs(sigma(row, z) - wide) <= bound)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("row", ROWS, ids=name_of)
def test_delta_is_what_numpy_says(row, dtype):
    z = points(dtype)
    delta = np.linspace(-2, 2, len(z)).astype(dtype)
    a = row.value(z)
    expected = delta * row.slope(z.astype(np.float64), a.astype(np.float64))
    error = np.abs(times_prime(row, z, a, delta) - expected)
    assert np.all(error <= 8 * ULPS * np.finfo(dtype).eps * np.maximum(1, np.abs(expected)))


@pytest.mark.parametrize("row", ROWS, ids=name_of)
def test_delta_is_the_derivative_of_sigma(row):
    """Of the kernel's own σ, by differences of fourth order, away from kinks."""
    z, h = np.linspace(-6, 6, 1001) + 1e-3, 1e-3
    smooth = np.all([np.abs(z - kink) > 3 * h for kink in row.kinks], axis=0) if row.kinks else np.ones(len(z), bool)
    at = [sigma(row, z + k * h) for k in (-2, -1, 1, 2)]
    numeric = (at[0] - 8 * at[1] + 8 * at[2] - at[3]) / (12 * h)
    got = times_prime(row, z, sigma(row, z), np.ones_like(z))
    np.testing.assert_allclose(got[smooth], numeric[smooth], atol=3e-11)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("row", ROWS, ids=name_of)
def test_nan_and_the_ends_are_as_in_numpy(row, dtype):
    z = np.array(EXTREMES, dtype)
    if row.name == "wave":  # sin of what is beyond its range is NaN, see kernels/trig.py
        z = z[np.abs(z) != np.max(z[np.isfinite(z)])]
    with np.errstate(all="ignore"):
        a = row.value(z)
    np.testing.assert_allclose(sigma(row, z), a, rtol=1e-5 if dtype is np.float32 else 1e-12, atol=1e-37)
    assert np.isnan(sigma(row, z)[0])
    finite = np.isfinite(z)
    slope = times_prime(row, z, a, np.ones_like(z))[finite]
    with np.errstate(all="ignore"):
        expected = row.slope(z, a)[finite]
    np.testing.assert_allclose(slope, expected, rtol=1e-5 if dtype is np.float32 else 1e-12, atol=1e-30)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_product_is_rounded_before_a_function_takes_it(dtype):
    z = points(dtype)
    row = fastbp.Activation("narrow", lambda z: np.tanh(0.3 * z))
    np.testing.assert_array_equal(sigma(row, z), sigma(ACTIVATIONS["tanh"], dtype(0.3) * z))


def test_z_is_kept_where_the_derivative_needs_it():
    kept = {row.name for row in ACTIVATIONS.values() if needs_z(row, dtype_of(np.zeros(1)))}
    assert kept == {"gelu", "gelu_tanh", "silu", "mish"}


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("optimizer", [*OPTIMIZERS, fastbp.RMSprop(0.01, momentum=0.9), fastbp.Adam()], ids=str)
def test_rules_are_what_numpy_says(optimizer, dtype):
    rng = np.random.default_rng(0)
    w, state = padded(rng.normal(size=37), dtype), [padded(np.zeros(37), dtype) for _ in optimizer.slots]
    truth, kept = w.astype(float), [s.astype(float) for s in state]
    for count in range(1, 8):
        total = padded(rng.normal(size=37), dtype)
        state = step(optimizer, w, total, state, count, 0.25, 0.01)
        update(optimizer, truth, total.astype(float) * 0.25, kept, count, 0.01)
    for got, expected in zip([w, *state], [truth, *kept], strict=True):
        np.testing.assert_allclose(got, expected, rtol=0, atol=100 * np.finfo(dtype).eps)


BITS = """
import hashlib, sys
import numpy as np
sys.path.insert(0, {folder!r})
from calls import sigma, times_prime
from test_compiled_rows import ROWS, points
said = hashlib.sha256()
for dtype in (np.float32, np.float64):
    for row in ROWS:
        z = points(dtype, 801)
        a = sigma(row, z)
        said.update(a.tobytes() + times_prime(row, z, a, np.ones_like(z)).tobytes())
print(said.hexdigest())
"""


def test_rows_have_the_same_bits_at_every_vector_width(tmp_path):
    import os

    code = BITS.format(folder=str(Path(__file__).parent))
    digests = set()
    for width in ("4", "8", "16"):
        environment = os.environ | {"FASTBP_LANES": width, "NUMBA_CACHE_DIR": str(tmp_path)}
        run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment)
        assert run.returncode == 0, run.stderr
        digests.add(run.stdout)
    assert len(digests) == 1
