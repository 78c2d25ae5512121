"""maximum, minimum and sign of vectors, as NumPy has them."""

from .numbers import where


def maximum(x, y):
    """max(x, y), NaN where either is; one of them may be Python's number."""
    return where(_unordered(x, y), x + y, where(x > y, x, y))


def minimum(x, y):
    """min(x, y), NaN where either is; one of them may be Python's number."""
    return where(_unordered(x, y), x + y, where(x < y, x, y))


def sign(x):
    """-1, 0 or 1: 0 for both zeros, NaN for NaN."""
    return where(x > 0.0, 1.0, where(x < 0.0, -1.0, x + 0.0))


def _unordered(x, y):
    """Mask of the places where x or y is NaN."""
    x, y = (x, y) if hasattr(x, "simd") else (y, x)
    return x.simd.builder.fcmp_unordered("uno", x.value, x.like(y))
