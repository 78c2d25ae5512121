"""Numbers and words put together: a list of blocks, which a terminal and a page show in their own ways."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from ..formulas import Array
from .charts import Chart
from .experiments import BIASES, DEEP, DEEP_EPOCHS, EPOCHS, ETA, OTHER, SMALL, STEP, WEIGHTS, Deep, Lesson, Neuron, X, Y

SYMBOLS = {"quadratic": "½(a-y)²", "binary_cross_entropy": "-y ln a - (1-y) ln(1-a)"}


class Block(NamedTuple):
    """A heading, a paragraph, lines of numbers, or a chart with its caption."""

    kind: str  # "heading", "words", "numbers" or "chart"
    text: str
    chart: Chart | None = None


def tell(lesson: Lesson, words: Mapping[str, str]) -> list[Block]:
    """Return the lesson in one language."""
    return [*_forward(lesson, words), *_equations(lesson, words), *_neurons(lesson, words), *_deep(lesson, words)]


def _forward(lesson: Lesson, words: Mapping[str, str]) -> list[Block]:
    small = lesson.small
    one, other, both = small.costs
    lines = [
        f"x  = {_row(X)}",
        *(f"z{_up(i)} = w{_up(i)} a{_up(i - 1)} + b{_up(i)} = {_row(z)}     a{_up(i)} = σ(z{_up(i)}) = {_row(a)}"
          for i, (z, a) in enumerate(zip(small.zs, small.activations[1:], strict=True), start=1)),
        f"y  = {_row(Y)}     C = ½ |a² - y|² = {small.cost:.6f}",
    ]  # fmt: skip
    biases = f"b¹ = {_row(BIASES[0])}     b² = {_row(BIASES[1])}"
    mean = [
        f"C_x({_row(X)}) = {one:.6f}     C_x({_row(OTHER[0])}) = {other:.6f}",
        f"({one:.6f} + {other:.6f}) / 2 = {(one + other) / 2:.6f}     C = {both:.6f}",
    ]
    return [
        Block("heading", words["forward"]),
        Block("words", words["forward_text"]),
        Block("numbers", "\n".join([_matrix("w¹ =", WEIGHTS[0]), _matrix("w² =", WEIGHTS[1]), biases, *lines])),
        Block("heading", words["assumptions"]),
        Block("words", words["assumptions_text"]),
        Block("numbers", "\n".join(mean)),
    ]


def _equations(lesson: Lesson, words: Mapping[str, str]) -> list[Block]:
    small = lesson.small
    delta1, delta2 = small.deltas
    bp1 = [
        f"∇ₐC    = a² - y = {_row(small.nabla_a)}",
        f"σ'(z²) = {_row(small.slopes[1])}",
        f"δ²     = {_row(delta2)}",
    ]
    bp2 = [
        f"(w²)ᵀ δ² = {_row(small.back)}",
        f"σ'(z¹)   = {_row(small.slopes[0])}",
        f"δ¹       = {_row(delta1)}",
    ]
    check = words["check"].format(step=STEP)
    bp3 = [f"∂C/∂b{_up(i)} = δ{_up(i)} = {_row(d)}     {check} {_row(n)}"
           for i, d, n in ((2, delta2, small.checked_b[1]), (1, delta1, small.checked_b[0]))]  # fmt: skip
    bp4 = [_matrix("∂C/∂w² = δ² (a¹)ᵀ =", small.nabla_w[1]), _matrix(check, small.checked_w[1])]
    worst = max(_off(small.checked_b[i], small.deltas[i]) for i in (0, 1))
    worst = max(worst, *(_off(small.checked_w[i], small.nabla_w[i]) for i in (0, 1)))
    ratio = float(abs(small.slow[0, 0] / small.slow[0, 1]))
    return [
        Block("heading", words["error"]),
        Block("words", words["error_text"]),
        Block("heading", words["four"]),
        Block("words", words["bp1"]),
        Block("numbers", "\n".join(bp1)),
        Block("words", words["bp2"]),
        Block("numbers", "\n".join(bp2)),
        Block("words", words["bp3"]),
        Block("numbers", "\n".join(bp3)),
        Block("words", words["bp4"]),
        Block("numbers", "\n".join(bp4)),
        Block("words", words["checked"].format(worst=worst)),
        Block("heading", words["slow"]),
        Block("words", words["slow_text"].format(x=_row(SMALL), ratio=ratio)),
        Block("numbers", _matrix("∂C/∂w¹ =", small.slow)),
    ]


def _neurons(lesson: Lesson, words: Mapping[str, str]) -> list[Block]:
    blocks = [Block("heading", words["neuron"]), Block("words", words["neuron_text"].format(eta=ETA, epochs=EPOCHS))]
    for cost in dict.fromkeys(neuron.cost for neuron in lesson.neurons):
        pair = [neuron for neuron in lesson.neurons if neuron.cost == cost]
        curves = {f"w = {n.w:g}, b = {n.b:g}": n.outputs for n in pair}
        blocks += [
            Block("words", words[f"neuron_{cost}"].format(**_compared(*pair))),
            Block("chart", words["neuron_chart"].format(cost=SYMBOLS[cost]), Chart(curves, "a")),
        ]
    return blocks


def _compared(near: Neuron, far: Neuron) -> dict[str, float | str]:
    return {
        "near": near.half, "far": far.half, "near_a": f"{near.outputs[0]:.2f}", "far_a": f"{far.outputs[0]:.2f}",
        "near_speed": f"{near.speed:.3f}", "far_speed": f"{far.speed:.3f}",
        "times": f"{near.speed / far.speed:.1f}", "other": f"{far.speed / near.speed:.1f}",
    }  # fmt: skip


def _deep(lesson: Lesson, words: Mapping[str, str]) -> list[Block]:
    sigmoid, steady = lesson.sigmoid, lesson.steady
    sizes = "-".join(map(str, DEEP))
    return [
        Block("heading", words["deep"]),
        Block("words", words["deep_text"].format(
            sizes=sizes, times=sigmoid.slowdown, epochs=DEEP_EPOCHS, accuracy=100 * sigmoid.accuracy)),
        Block("chart", words["deep_chart"], _speeds(sigmoid)),
        Block("heading", words["cure"]),
        Block("words", words["cure_text"].format(
            before=sigmoid.slowdown, after=_ratio(steady.slowdown), epochs=DEEP_EPOCHS,
            accuracy=100 * steady.accuracy, without=100 * sigmoid.accuracy)),
        Block("chart", words["deep_chart"], _speeds(steady)),
        Block("words", words["end"]),
    ]  # fmt: skip


def _speeds(deep: Deep) -> Chart:
    curves = {f"l = {layer + 1}": [speeds[layer] for speeds in deep.speeds] for layer in range(len(deep.speeds[0]))}
    return Chart(curves, "|∂C/∂b|", log=True)


def _ratio(times: float) -> str:
    """Say a ratio of speeds: above 1 the first layer is slower."""
    return f"{times:.1f}" if times >= 1 else f"1/{1 / times:.1f}"


def _row(values: Array) -> str:
    return f"({', '.join(f'{v:.4g}' for v in np.ravel(values))})"


def _matrix(head: str, values: Array) -> str:
    rows = ["  ".join(f"{v:9.5f}" for v in row) for row in np.atleast_2d(values)]
    return "\n".join([head, *(f"    [{row} ]" for row in rows)])


def _off(one: Array, other: Array) -> float:
    return float(np.max(np.abs(np.ravel(one) - np.ravel(other))))


def _up(n: int) -> str:
    return "⁰¹²"[n]
