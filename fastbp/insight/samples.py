"""Which samples are hard: gradients of single samples, for free from δ and a, and a ranking that finds wrong labels.

The gradient of one sample is an outer product (BP4), so its norm needs no gradient: |∂C_x/∂w|² = |δ|² |a|².

A network that has learned wrong labels by heart no longer finds them hard. So each sample is judged by a twin that was
trained without it (as in Northcutt, Jiang, Chuang 2021, "Confident learning"). Share of the k hardest samples that are
among k labels made wrong, of 1442 digits, 64-100-10, defaults, 10 seeds, mean ± deviation (benchmarks/label_errors.py):

========================================  ============  ============  ============
ranked by                                 k = 29        k = 72        k = 144
========================================  ============  ============  ============
chance                                    0.02          0.05          0.10
C_x, the network's own, after 30 epochs   0.91 ± 0.04   0.93 ± 0.02   0.94 ± 0.01
C_x, the network's own, after 200         0.50 ± 0.16   0.52 ± 0.07   0.56 ± 0.04
C_x, of twins that never saw the sample   0.91 ± 0.03   0.92 ± 0.02   0.94 ± 0.01
========================================  ============  ============  ============

The norm of the gradient ranks as C_x does, or a little worse (0.90, 0.92, 0.93 after 30 epochs).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from ..border import options
from ..formulas import Array
from ..html import table
from ..networks.base import BaseNetwork
from ..networks.reference import cost_per_sample, one_hot
from .anew import arguments_of

CHUNK = 1024  # samples at a time
HEADS = ("row", "given", "answer", "probability of given", "C_x", "|gradient|")


class HardSample(NamedTuple):
    """One sample that is hard."""

    row: int  # in x
    given: Any  # its label; None where y is numbers
    answer: Any  # the label that a network gives it
    probability: float | None  # that the network gives to the given label
    cost: float  # C_x
    norm: float  # of ∂C_x over all parameters


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


def gradient_norms(net: BaseNetwork, x: object, y: object) -> Array:
    """Return |∂C_x| of each sample and layer, weights and biases together: (m, L).

    No gradient is made: √(|δ|² (|a|² + 1)) per layer, a chunk of samples at a time. Over all layers it is
    ``np.sqrt((norms**2).sum(axis=1))``.
    """
    x, y = net._checked(x, y)
    return np.concatenate([_norms(net, *part) for part in _chunks(x, y)])


def hardest_samples(net: BaseNetwork, x: object, y: object, count: int = 20, *, folds: int = 5) -> HardestSamples:
    """Rank samples by C_x, those with wrong labels first, if there are any.

    Parameters
    ----------
    net
        of either engine; it is not changed
    x, y
        as in ``net.fit``
    count
        how many to name
    folds
        each sample is judged by a twin of the network, trained anew with `fit`'s defaults on the others: so many fits
        of a part of the data. 0: by the network itself, in no time; right for data it was not trained on, but what it
        has learned by heart it does not find hard

    Raises
    ------
    ValueError
        where there are fewer samples than folds, or folds is 1

    """
    count, folds = options.integer("count", count, low=1), options.integer("folds", folds, low=0)
    x, y = net._checked(x, y)
    if folds == 1 or folds > len(x):
        raise ValueError(f"folds must be 0, or 2 to the number of samples, {len(x)}; got {folds}")
    costs, norms, outputs = np.zeros(len(x)), np.zeros(len(x)), np.zeros((len(x), net.sizes[-1]))
    for judge, rows in _judges(net, x, y, folds):
        costs[rows], norms[rows], outputs[rows] = _judge(judge, x[rows], y[rows])
    hardest = np.argsort(-np.nan_to_num(costs, nan=np.inf), kind="stable")[:count]
    samples = tuple(_describe(net, int(row), y, outputs, costs, norms) for row in hardest)
    by = f"{folds} twins, each for the samples it was not trained on" if folds else "the network itself"
    return HardestSamples(f"the {len(samples)} hardest of {len(x)} samples, judged by {by}", samples, costs)


def _judges(net: BaseNetwork, x: Array, y: Array, folds: int) -> Iterator[tuple[BaseNetwork, Array]]:
    if not folds:
        yield net, np.arange(len(x))
        return
    part = np.random.default_rng(net.spec.seed).permutation(len(x)) % folds
    for fold in range(folds):
        twin = type(net)(**arguments_of(net), dropout=net.spec.dropout)
        others = part != fold
        twin.fit(x[others], y[others], verbose=0)
        yield twin, np.flatnonzero(part == fold)


def _judge(net: BaseNetwork, x: Array, y: Array) -> tuple[Array, Array, Array]:
    """Return C_x (m,), |∂C_x| (m,) and the outputs (m, n_L)."""
    costs, norms, outputs = [], [], []
    for x_part, y_part in _chunks(x, y):
        states = net._forward(x_part)
        z, a = states.zs[-1].astype(np.float64), states.activations[-1].astype(np.float64)
        target = one_hot(y_part, net.sizes[-1], np.float64).astype(np.float64)
        with np.errstate(all="ignore"):
            costs.append(cost_per_sample(z, a, target, net.spec.activation_rows[-1], net.spec.cost_row))
        norms.append(np.sqrt(np.sum(np.square(_norms(net, x_part, y_part)), axis=1)))
        outputs.append(a)
    return np.concatenate(costs), np.concatenate(norms), np.concatenate(outputs)


def _norms(net: BaseNetwork, x: Array, y: Array) -> Array:
    deltas, inputs = net._backprop(x, y).deltas, net._forward(x).activations[:-1]
    pairs = [(_squares(delta), _squares(a)) for delta, a in zip(deltas, inputs, strict=True)]
    return np.asarray(np.sqrt(np.stack([delta * (a + 1) for delta, a in pairs], axis=1)))


def _squares(array: Array) -> Array:
    return np.asarray(np.sum(np.square(array, dtype=np.float64), axis=1))


def _chunks(x: Array, y: Array) -> Iterator[tuple[Array, Array]]:
    for start in range(0, len(x), CHUNK):
        yield x[start : start + CHUNK], y[start : start + CHUNK]


def _describe(net: BaseNetwork, row: int, y: Array, outputs: Array, costs: Array, norms: Array) -> HardSample:
    given = answer = probability = None
    names = net._known_classes()
    if y.shape[1:] == (1,) and net._classes is not None and y[row, 0] in (0, 1):  # one output, which says yes or no
        a, place = float(outputs[row, 0]), int(y[row, 0])
        given, answer, probability = names[place], names[int(a > 0.5)], a if place else 1 - a
    if y.ndim == 1:
        given, answer = names[y[row]], names[int(np.argmax(outputs[row]))]
        probability = float(outputs[row, y[row]]) if net.spec.activation_rows[-1].is_probability else None
    return HardSample(row, given, answer, probability, float(costs[row]), float(norms[row]))


def _cells(sample: HardSample) -> tuple[str, ...]:
    words = ["-" if value is None else str(value) for value in (sample.given, sample.answer)]
    chance = "-" if sample.probability is None else f"{100 * sample.probability:.2g} %"
    return (str(sample.row), *words, chance, f"{sample.cost:.3g}", f"{sample.norm:.3g}")
