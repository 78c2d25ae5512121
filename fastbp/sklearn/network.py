"""A network of fastbp's for an estimator of scikit-learn's: `coefs_` (n_in, n_out) are the truth, and it has copies."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.base import is_classifier

from ..border.sparse import SparseRows
from ..border.spec import NetworkSpec
from ..formulas import Array
from ..formulas.activations import Activation, find_activation
from ..networks.fast import Network
from ..networks.objective import Objective
from ..training.loop import Data
from .losses import ACTIVATIONS, Loss, loss_of


def rows_of(estimator: Any) -> list[Activation]:
    """Return the activation of each hidden layer."""
    given = estimator.activation
    hidden = len(estimator.coefs_) - 1
    each = list(given) if isinstance(given, (list, tuple)) else [given] * hidden
    if len(each) != hidden:
        raise ValueError(f"activation has {len(each)} entries for {hidden} hidden layers; give one for each, or one")
    return [row if isinstance(row, Activation) else find_activation(ACTIVATIONS.get(row, row)) for row in each]


def network_of(estimator: Any, *, dropout: float = 0.0, seed: int = 0, l2: float | None = None) -> Network:
    """Return a network with the parameters that an estimator has now."""
    coefs = estimator.coefs_
    sizes = (len(coefs[0]), *(w.shape[1] for w in coefs))
    output = ACTIVATIONS.get(estimator.out_activation_, estimator.out_activation_)
    spec = NetworkSpec.from_arguments(
        sizes, rows_of(estimator), output, loss_of(estimator).cost, None,
        dtype=coefs[0].dtype.name, seed=seed, l1=0.0, l2=float(estimator.alpha) if l2 is None else l2, dropout=dropout,
    )  # fmt: skip
    return Network._assemble(spec, *parameters_of(estimator), threads=estimator._threads)


def parameters_of(estimator: Any) -> tuple[list[Array], list[Array]]:
    """Return weights (n_out, n_in) and biases, views of an estimator's."""
    return [np.asarray(w).T for w in estimator.coefs_], [np.asarray(b) for b in estimator.intercepts_]


def give_back(net: Network, estimator: Any) -> None:
    """Write the parameters into the estimator's own arrays, as scikit-learn does."""
    weights, biases = net._get_parameters()
    for own, found in zip((*estimator.coefs_, *estimator.intercepts_), (*weights, *biases), strict=True):
        own[...] = found.T


def data_of(estimator: Any, x: Any, y: Array, sample_weight: Array | None, dtype: Any) -> Data:
    """Return checked samples as kernels take them: a softmax's y as labels."""
    targets = np.argmax(y, axis=1) if estimator.out_activation_ == "softmax" else np.ascontiguousarray(y, dtype)
    weight = None if sample_weight is None else np.ascontiguousarray(sample_weight, dtype)
    rows = SparseRows.read("X", x, dtype) if hasattr(x, "tocsr") else np.ascontiguousarray(x, dtype)
    return Data(rows, targets, weight)  # type: ignore[arg-type]


def averaged(values: Array | float, weight: Array | None) -> float:
    """Return the mean of a number of each sample."""
    return float(np.average(values, weights=weight)) if np.ndim(values) else float(values)


class Gradient:
    """C, as scikit-learn counts it, and its gradient over all samples, as a function of one vector."""

    def __init__(self, estimator: Any, x: Any, y: Array, sample_weight: Array | None) -> None:
        weight = len(y) if sample_weight is None else float(np.sum(sample_weight))
        net = network_of(estimator, l2=float(estimator.alpha) / weight)
        self.loss: Loss = loss_of(estimator)
        self.constant = averaged(self.loss.constants(y), sample_weight)
        self.objective = Objective(net, data_of(estimator, x, y, sample_weight, net.dtype))
        self.shapes = [w.shape for w in estimator.coefs_]
        self.ends = np.cumsum([n * k for n, k in self.shapes])

    def __call__(self, packed: Array) -> tuple[float, Array]:
        """Return C and its gradient, at [w¹ | w² | ... | b¹ | ...], each w (n_in, n_out)."""
        cost, gradient = self.objective(self._turned(packed, self.shapes))
        penalty = self.objective.twin._penalty()
        cost = (cost - penalty) / self.loss.over + self.constant + penalty
        return cost, self._turned(gradient, [shape[::-1] for shape in self.shapes])

    def _turned(self, packed: Array, shapes: Sequence[tuple[int, ...]]) -> Array:
        """Return a vector with every weight matrix transposed."""
        *matrices, biases = np.split(packed, self.ends)
        turned = (m.reshape(shape).T.ravel() for m, shape in zip(matrices, shapes, strict=True))
        return np.concatenate([*turned, biases])


def forward(estimator: Any, x: Any) -> Array:
    """Return the outputs (m, n_L), by NumPy: for activations that scikit-learn has not."""
    output = find_activation(ACTIVATIONS.get(estimator.out_activation_, estimator.out_activation_))
    a = x
    for row, w, b in zip([*rows_of(estimator), output], estimator.coefs_, estimator.intercepts_, strict=True):
        a = row.value(np.asarray(a @ w) + b)
    found: Array = a
    return found


def is_labelled(estimator: Any) -> bool:
    """Whether it tells one label for each sample."""
    return bool(is_classifier(estimator)) and estimator.n_outputs_ == 1
