"""Numbers and words put together: a list of blocks, which a terminal and a page show in their own ways."""

from collections.abc import Iterator, Mapping

from . import chapter
from .charts import Chart
from .claims import check
from .experiments import BOOK_ETA, DEEP, DEEP_EPOCHS, EPOCHS, ETA, Deep, Learner, Lesson
from .written import Block, columns

SYMBOLS = {"quadratic": "½ (a - y)²", "binary_cross_entropy": "-y ln a - (1 - y) ln(1 - a)"}
CODE = """steady = fastbp.Activation("steady", lambda z: np.tanh(z) + z / 2)
net = fastbp.Network({sizes}, activation=steady,
                     cost="cross_entropy", initializer="scaled_normal", seed=0)"""


def tell(lesson: Lesson, words: Mapping[str, str]) -> list[Block]:
    """Return the lesson in one language; raise an AssertionError where the words would not be true."""
    check(lesson)
    return [
        Block("words", words["intro"]),
        *chapter.tell(lesson, words),
        *_neuron(lesson, words),
        *_deep(lesson, words),
        *_cure(lesson, words),
        Block("words", words["end"]),
    ]


def _neuron(lesson: Lesson, words: Mapping[str, str]) -> Iterator[Block]:
    quadratic, entropy, book = (lesson.learners[start : start + 2] for start in (0, 2, 4))
    yield Block("heading", words["neuron"])
    yield Block("words", words["neuron_text"].format(eta=ETA, epochs=EPOCHS))
    for name, (near, far) in (("neuron_quadratic", quadratic), ("neuron_entropy", entropy)):
        yield Block("words", words[name].format(**_compared(near, far)))
        curves = {f"w = {one.w:g}, b = {one.b:g}": one.outputs for one in (near, far)}
        yield Block("chart", words["neuron_chart"].format(cost=SYMBOLS[near.cost]), Chart(curves, "a"))
    far, slow = book[1], quadratic[1]
    yield Block("words", words["neuron_book"].format(
        eta=ETA, book=BOOK_ETA, less=ETA / BOOK_ETA, times=far.step / slow.step))  # fmt: skip


def _compared(near: Learner, far: Learner) -> dict[str, str]:
    a = far.outputs[0]
    fast, slow = max(near.step, far.step), min(near.step, far.step)
    return {
        "near": f"{near.outputs[0]:.2f}", "far": f"{a:.2f}", "near_end": f"{near.outputs[-1]:.2f}",
        "far_end": f"{far.outputs[-1]:.2f}", "near_half": str(near.half), "far_half": str(far.half),
        "near_slope": f"{near.nabla_w:.3f}", "far_slope": f"{far.nabla_w:.3f}", "times": f"{fast / slow:.1f}",
        "epochs": str(EPOCHS), "z": f"{far.w + far.b:g}", "slope": f"{a * (1 - a):.3f}",
    }  # fmt: skip


def _deep(lesson: Lesson, words: Mapping[str, str]) -> Iterator[Block]:
    net = lesson.sigmoid
    yield Block("heading", words["deep"])
    yield Block("words", words["deep_text"].format(sizes="-".join(map(str, DEEP)), eta=net.eta))
    yield Block("numbers", _factors(net))
    yield Block("words", words["deep_factors"].format(times=net.slowdown, last=len(DEEP) - 2))
    yield Block("chart", words["deep_chart"], _speeds(net))
    yield Block("words", words["deep_result"].format(
        epochs=DEEP_EPOCHS, accuracy=100 * net.accuracy, large=lesson.impatient.eta,
        better=100 * lesson.impatient.accuracy))  # fmt: skip


def _cure(lesson: Lesson, words: Mapping[str, str]) -> Iterator[Block]:
    net, before = lesson.steady, lesson.sigmoid
    faster = net.slowdown < 1
    yield Block("heading", words["cure"])
    yield Block("words", words["cure_text"])
    yield Block("numbers", CODE.format(sizes=DEEP))
    yield Block("words", words["cure_same"].format(checks=net.checks))
    yield Block("numbers", _factors(net))
    yield Block("words", words["cure_faster" if faster else "cure_slower"].format(
        times=1 / net.slowdown if faster else net.slowdown, last=len(DEEP) - 2, before=before.slowdown))  # fmt: skip
    yield Block("chart", words["deep_chart"], _speeds(net))
    yield Block("words", words["cure_result"].format(
        epochs=DEEP_EPOCHS, accuracy=100 * net.accuracy, without=100 * before.accuracy))  # fmt: skip


def _factors(net: Deep) -> str:
    """BP2 in the first epoch, from the output back."""
    rows = []
    for look in reversed(net.looks[0]):
        wide = [None if look.by_weights is None else factor for factor in (look.by_weights, look.by_slope)]
        cells = ["" if factor is None else f"· {factor:.3f}" for factor in wide]
        rows.append((str(look.layer + 1), *cells, f"{look.delta:.5f}", f"{look.nabla_b:.5f}"))
    return columns(("l", "(wˡ⁺¹)ᵀ", "σ'(zˡ)", "|δˡ|", "|∂C/∂bˡ|"), rows)


def _speeds(net: Deep) -> Chart:
    hidden = range(len(DEEP) - 2)
    curves = {f"l = {layer + 1}": [looks[layer].nabla_b for looks in net.looks] for layer in hidden}
    return Chart(curves, "|∂C/∂b|", log=True, first=1)
