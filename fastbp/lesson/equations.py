"""BP1 to BP4 written out: every multiplication, and behind it what the differences say."""

from collections.abc import Iterator

import numpy as np

from ..formulas import Array
from .experiments import Lesson
from .small import LAYERS, WEIGHTS, Y
from .written import found, low, number, product, total, up

OUTPUT = 1  # the layer
Lines = Iterator[tuple[str, str]]


def bp1(lesson: Lesson) -> Lines:
    """δᴸ = ∇ₐC ⊙ σ'(zᴸ)."""
    small = lesson.small
    for j, (a, y, slope, delta) in enumerate(
        zip(small.activations[-1][0], Y[0], small.slopes[OUTPUT][0], small.equations.deltas[OUTPUT][0], strict=True)
    ):
        yield f"σ'(z²{low(j)}) = {found(a)}·(1 - {found(a)}) = {found(slope)}", ""
        line = f"δ²{low(j)} = (a²{low(j)} - y{low(j)}) σ'(z²{low(j)}) = ({found(a)} - {number(y)})·{found(slope)}"
        yield f"{line} = {found(delta)}", _numeric(lesson, 0, OUTPUT, j)


def bp2(lesson: Lesson) -> Lines:
    """δˡ = ((wˡ⁺¹)ᵀ δˡ⁺¹) ⊙ σ'(zˡ)."""
    small = lesson.small
    errors = small.equations.deltas[OUTPUT][0]
    for j, (w, back, slope, delta) in enumerate(
        zip(WEIGHTS[1].T, small.back[0], small.slopes[0][0], small.equations.deltas[0][0], strict=True)
    ):
        yield f"((w²)ᵀ δ²){low(j)} = {total(pairs(w, errors))} = {found(back)}", ""
        yield f"δ¹{low(j)} = {product(back, slope)} = {found(delta)}", _numeric(lesson, 0, 0, j)


def bp3(lesson: Lesson) -> Lines:
    """∂C/∂b = δ."""
    for i in reversed(LAYERS):
        for j, value in enumerate(lesson.small.equations.nabla_b[i]):
            yield f"∂C/∂b{up(i + 1)}{low(j)} = δ{up(i + 1)}{low(j)} = {found(value)}", _numeric(lesson, 1, i, j)


def bp4(lesson: Lesson) -> Lines:
    """∂C/∂w_jk = a_k δ_j."""
    small = lesson.small
    for i in reversed(LAYERS):
        for (j, k), value in np.ndenumerate(small.equations.nabla_w[i]):
            a, delta = small.activations[i][0, k], small.equations.deltas[i][0, j]
            yield f"{by_weight(i, j, k, a, delta)} = {found(value)}", _numeric(lesson, 2, i, j, k)


def by_weight(i: int, j: int, k: int, a: float, delta: float) -> str:
    """Write BP4 for one weight, up to its value."""
    return f"∂C/∂w{up(i + 1)}{low(j, k)} = a{up(i)}{low(k)} δ{up(i + 1)}{low(j)} = {product(a, delta)}"


def _numeric(lesson: Lesson, kind: int, layer: int, *place: int) -> str:
    """Return what the differences say of an entry: of ∂C/∂z, ∂C/∂b or ∂C/∂w."""
    array = lesson.small.differences[kind][layer]
    return f"[{found(array[place] if array.ndim == len(place) else array[(0, *place)])}]"


def pairs(one: Array, other: Array) -> list[tuple[float, float]]:
    """Return the entries of two vectors side by side."""
    return list(zip(one.tolist(), other.tolist(), strict=True))


EQUATIONS = {"bp1": bp1, "bp2": bp2, "bp3": bp3, "bp4": bp4}
