"""Initial weights w (n_out, n_in) and biases b (n_out,), drawn in float64."""

from collections.abc import Callable
from typing import Literal

import numpy as np

from . import Array

InitializerName = Literal["normal", "scaled_normal", "glorot_uniform", "he_normal"]

Initializer = Callable[[np.random.Generator, int, int], tuple[Array, Array]]


def normal(rng: np.random.Generator, n_in: int, n_out: int) -> tuple[Array, Array]:
    """Draw w, b ~ N(0, 1): the book's "large" weights."""
    return rng.standard_normal((n_out, n_in)), rng.standard_normal(n_out)


def scaled_normal(rng: np.random.Generator, n_in: int, n_out: int) -> tuple[Array, Array]:
    """Draw w ~ N(0, 1/n_in), b ~ N(0, 1): the book's default."""
    w, b = normal(rng, n_in, n_out)
    return w / np.sqrt(n_in), b


def glorot_uniform(rng: np.random.Generator, n_in: int, n_out: int) -> tuple[Array, Array]:
    """Draw w ~ U(-r, r) with r = √(6 / (n_in + n_out)), b = 0."""
    r = np.sqrt(6 / (n_in + n_out))
    return rng.uniform(-r, r, (n_out, n_in)), np.zeros(n_out)


def he_normal(rng: np.random.Generator, n_in: int, n_out: int) -> tuple[Array, Array]:
    """Draw w ~ N(0, 2/n_in), b = 0."""
    return rng.standard_normal((n_out, n_in)) * np.sqrt(2 / n_in), np.zeros(n_out)


INITIALIZERS: dict[str, Initializer] = {
    "normal": normal,
    "scaled_normal": scaled_normal,
    "glorot_uniform": glorot_uniform,
    "he_normal": he_normal,
}
