"""Which samples are hard? A ranking that finds wrong labels.

A network that has learned wrong labels by heart no longer finds them hard. So each sample is judged while a twin is
being trained, which learns what most samples have in common first: C_x is the mean over the epochs, as in the area
under the margin (Pleiss and others 2020) and the scores from early training (Paul, Ganguli, Dziugaite 2021, "Deep
Learning on a Data Diet"). That is as good as C_x of networks that never saw the sample (Northcutt, Jiang, Chuang 2021,
"Confident learning"), or better, for one fit instead of five. Share of the 72 hardest that are among 72 labels made
wrong, of 1442 digits, 10 seeds, mean ± deviation (benchmarks/label_errors.py); chance would find 0.05:

====================================  ===========  =============  =====================
ranked by                             64-100-10    64-200-200-10  64-100-10, the book's
====================================  ===========  =============  =====================
C_x, mean over the epochs of a twin   0.93 ± 0.01  0.95 ± 0.01    0.91 ± 0.02
C_x, the network's own, 30 epochs     0.93 ± 0.02  0.53 ± 0.07    0.92 ± 0.02
norm of ∂C_x, the same                0.92 ± 0.02  0.53 ± 0.08    0.21 ± 0.04
C_x, the network's own, 230 epochs    0.48 ± 0.05  0.57 ± 0.04    0.91 ± 0.03
C_x, of 5 that never saw the sample   0.92 ± 0.02  0.90 ± 0.03    0.91 ± 0.02
====================================  ===========  =============  =====================

Norms of gradients are misled by saturation: where a sigmoid is sure of the wrong answer, σ' in BP1 is nearly 0.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from ..border import options
from ..border.arrays import has_accuracy
from ..formulas import Array
from ..html import table
from ..networks.base import BaseNetwork
from ..networks.reference import cost_per_sample, targets_of
from .anew import fresh_twin
from .norms import chunks

HEADS = ("row", "given", "answer", "probability of given", "C_x")
SHOWN = 4  # numbers of a row of y


class HardSample(NamedTuple):
    """One sample that is hard."""

    row: int  # in x
    given: Any  # its label, or its numbers
    answer: Any  # what the outputs say instead: a label, or numbers
    probability: float | None  # given to the given label
    cost: float  # C_x


@dataclass(frozen=True, repr=False)
class HardestSamples:
    """The hardest samples, the hardest first; print it to read it."""

    title: str
    samples: tuple[HardSample, ...]
    scores: Array  # (m,): C_x of every sample, in the order of x

    @property
    def rows(self) -> Array:
        """Where they are in x."""
        return np.array([sample.row for sample in self.samples], np.int64)

    def __repr__(self) -> str:
        """Return a table."""
        cells = [HEADS, *map(_cells, self.samples)]
        widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
        lines = ["  ".join(f"{c:>{w}}" for c, w in zip(line, widths, strict=True)) for line in cells]
        return "\n".join([self.title, "", *lines])

    def _repr_html_(self) -> str:
        return table(HEADS, [_cells(sample) for sample in self.samples], self.title)


def hardest_samples(
    net: BaseNetwork, x: object, y: object, count: int = 20, *, epochs: int | None = None
) -> HardestSamples:
    """Rank samples by C_x: those with wrong labels come first, if there are any.

    Judge is a twin of the network that is trained anew on these samples with `fit`'s defaults; C_x and the outputs are
    their means over its epochs, see the table in ``fastbp.insight.samples``. So it does not matter whether, and how
    long, the network itself was trained.

    Parameters
    ----------
    net
        of either engine; it is not changed
    x, y
        as in ``net.fit``: labels, several labels at once, or quantities
    count
        how many to name
    epochs
        of the twin's training. None: as in ``net.fit``. 0: no twin, judge is the network as it is, in no time. That is
        right for samples it was not trained on; of others it does not find hard what it knows by heart

    Raises
    ------
    DivergenceError
        where the twin's training leaves the finite numbers: scale x, and quantities, to about -1..1

    """
    count = options.integer("count", count, low=1)
    epochs = None if epochs is None else options.integer("epochs", epochs, low=0)
    judge = net if epochs == 0 else fresh_twin(net)
    x, y = judge._checked(x, y, learning=judge is not net)
    if epochs == 0:
        (costs, outputs), by = _judge(net, x, y), "the network as it is"
    else:
        costs, outputs, seen = _judge_in_training(judge, x, y, epochs)
        by = f"a twin while it was trained on them, mean of {seen} epoch{'s' * (seen > 1)}"
    hardest = np.argsort(-np.nan_to_num(costs, nan=np.inf), kind="stable")[:count]
    samples = tuple(
        HardSample(row, *_given_and_answer(judge, y[row], outputs[row]), float(costs[row])) for row in hardest.tolist()
    )
    return HardestSamples(f"the {len(samples)} hardest of {len(x)} samples, judged by {by}", samples, costs)


def _judge_in_training(twin: BaseNetwork, x: Array, y: Array, epochs: int | None) -> tuple[Array, Array, int]:
    """Return C_x (m,) and the outputs (m, n_L), means over the epochs, and how many these were."""
    costs, outputs = np.zeros(len(x)), np.zeros((len(x), twin.sizes[-1]))

    def add(net: Any, history: Any) -> None:
        for total, now in zip((costs, outputs), _judge(net, x, y), strict=True):
            total += now

    seen = len(twin.fit(x, twin._named(y), epochs, callbacks=[add]).cost)
    return costs / seen, outputs / seen, seen


def _judge(net: BaseNetwork, x: Array, y: Array) -> tuple[Array, Array]:
    """Return C_x (m,) and the outputs (m, n_L)."""
    costs, outputs = [], []
    for x_part, y_part in chunks(x, y):
        states = net._forward(x_part)
        z, a = states.zs[-1].astype(np.float64), states.activations[-1].astype(np.float64)
        target = targets_of(net.spec, y_part, np.float64)
        with np.errstate(all="ignore"):
            costs.append(cost_per_sample(z, a, target, net.spec.activation_rows[-1], net.spec.cost_row))
        outputs.append(a)
    return np.concatenate(costs), np.concatenate(outputs)


def _given_and_answer(net: BaseNetwork, y: Array, a: Array) -> tuple[Any, Any, float | None]:
    """Return what y says of one sample, what its outputs a (n_L,) say, and the probability that they give to y.

    - y: a place among the classes (), or numbers (n_L,)
    """
    output = net.spec.activation_rows[-1]
    if not has_accuracy(y[None], net.spec.tells_labels):
        return _plain(y), _plain(a), None
    chances = a if len(a) > 1 else np.array([1 - a[0], a[0]])
    names, place = net._known_classes(), int(y if y.ndim == 0 else y[0])
    answer = int(np.argmax(a)) if len(a) > 1 else int(a[0] > net.spec.threshold)
    return names[place], names[answer], float(chances[place]) if output.is_probability else None


def _plain(numbers: Array) -> Any:
    return float(numbers[0]) if len(numbers) == 1 else tuple(numbers.tolist())


def _cells(sample: HardSample) -> tuple[str, ...]:
    chance = "-" if sample.probability is None else f"{100 * sample.probability:.2g} %"
    return (str(sample.row), _word(sample.given), _word(sample.answer), chance, f"{sample.cost:.3g}")


def _word(value: Any) -> str:
    if isinstance(value, tuple):
        return " ".join(f"{number:.2g}" for number in value[:SHOWN]) + " ..." * (len(value) > SHOWN)
    return f"{value:.3g}" if isinstance(value, float) else str(value)
