"""The chapter told: forward, the assumptions, the error, the four equations, and what they say of slow weights."""

from collections.abc import Iterator, Mapping

import numpy as np

from .equations import EQUATIONS, by_weight, pairs
from .experiments import Lesson
from .meaning import ETA, OTHER, PUSH, SHIFTS, STEPS, WEAK
from .small import BIASES, LAYERS, STEP, WEIGHTS, X, Y
from .written import Block, aligned, beside, columns, found, given, low, matrix, number, total, up, vector


def tell(lesson: Lesson, words: Mapping[str, str]) -> Iterator[Block]:
    """Yield sections 1 to 5."""
    yield from _forward(lesson, words)
    yield from _assumptions(lesson, words)
    yield from _error(lesson, words)
    yield Block("heading", words["four"])
    yield Block("words", words["four_text"].format(step=f"10{up(round(np.log10(STEP)))}"))
    for name, lines in EQUATIONS.items():
        yield Block("words", words[name])
        yield Block("numbers", aligned(lines(lesson)))
    yield Block("words", words["checked"].format(worst=lesson.small.worst, checks=lesson.small.checks))
    yield from _slow(lesson, words)


def _forward(lesson: Lesson, words: Mapping[str, str]) -> Iterator[Block]:
    small = lesson.small
    yield Block("heading", words["forward"])
    yield Block("words", words["forward_text"])
    ends = (("x", X[0]), ("y", Y[0]))
    for i, (name, end) in zip(LAYERS, ends, strict=True):
        named = ((f"w{up(i + 1)}", WEIGHTS[i]), (f"b{up(i + 1)}", BIASES[i]), (name, end))
        yield Block("numbers", beside(*(matrix(f"{head} =", values) for head, values in named)))
    yield Block("words", words["forward_way"])
    lines = []
    for i, (w, b, a, z, after) in enumerate(
        zip(WEIGHTS, BIASES, small.activations[:-1], small.zs, small.activations[1:], strict=True)
    ):
        for j in range(len(b)):
            lines.append(f"z{up(i + 1)}{low(j)} = {total(pairs(w[j], a[0]), b[j])} = {found(z[0, j])}")
        lines += [f"a{up(i + 1)} = σ(z{up(i + 1)}) = {vector(after)}", ""]
    squares = " + ".join(f"({number(a)} - {number(y)})²" for a, y in pairs(small.activations[-1][0], Y[0]))
    yield Block("numbers", "\n".join([*lines, f"C = ½ |a² - y|² = ½ ({squares}) = {found(small.cost)}"]))


def _assumptions(lesson: Lesson, words: Mapping[str, str]) -> Iterator[Block]:
    one, other, both = lesson.meaning.costs
    yield Block("heading", words["assumptions"])
    yield Block("words", words["mean"])
    samples = [((X, Y), one), (OTHER, other)]
    lines = [(f"x = {vector(x)}, y = {vector(y)}:", f"C_x = {found(cost)}") for (x, y), cost in samples]
    mean = f"C = {found(both)} = ({found(one)} + {found(other)}) / 2"
    yield Block("numbers", f"{aligned(lines)}\n{mean}")
    yield Block("words", words["outputs"].format(exchanged=found(lesson.meaning.exchanged), cost=found(one)))


def _error(lesson: Lesson, words: Mapping[str, str]) -> Iterator[Block]:
    yield Block("heading", words["error"])
    yield Block("words", words["error_text"])
    rows, gains = [], {}
    for i, (pushes, changes) in enumerate(lesson.meaning.pushes):
        for j, delta in enumerate(lesson.small.equations.deltas[i][0]):
            name = f"z{up(i + 1)}{low(j)}"
            gains[name] = -changes[j]
            rows.append((name, found(delta), given(pushes[j]), found(delta * pushes[j]), found(changes[j])))
    yield Block("numbers", columns(("", "δ", "Δz", "δ Δz", "ΔC"), rows))
    most, least = (f(gains, key=lambda name: gains[name]) for f in (max, min))
    yield Block("words", words["demon"].format(push=PUSH, most=most, least=least))
    neurons = lesson.meaning.neurons
    looks = [tuple(map(number, (BIASES[-1][-1] + by, n.z, n.a, n.y, n.a - n.y, n.slope, n.delta)))
            for by, n in zip(SHIFTS, neurons, strict=True)]  # fmt: skip
    yield Block("words", words["small_delta"].format(down=-SHIFTS[1], up=SHIFTS[2]))
    yield Block("numbers", columns(("b²₂", "z²₂", "a²₂", "y₂", "a - y", "σ'(z)", "δ²₂"), looks))


def _slow(lesson: Lesson, words: Mapping[str, str]) -> Iterator[Block]:
    weak = lesson.meaning.weak
    yield Block("heading", words["slow"])
    yield Block("words", words["slow_text"].format(x=vector(WEAK)))
    lines = [[f"{by_weight(0, j, k, WEAK[0, k], delta)} = {found(weak.nabla_w[j, k])}" for k in (0, 1)]
             for j, delta in enumerate(weak.delta)]  # fmt: skip
    yield Block("numbers", aligned((strong, feeble) for strong, feeble in lines))
    yield Block("words", words["slow_ratio"].format(ratio=weak.ratio, steps=STEPS, eta=ETA))
    yield Block("numbers", matrix("Δw¹ =", weak.moved))
