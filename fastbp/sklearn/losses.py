"""What scikit-learn's losses are in fastbp's terms: cost, output, and what its `loss_` counts besides."""

from typing import Any, NamedTuple

import numpy as np

from ..formulas import Array
from ..formulas.costs import COSTS, Cost, Pair, Row, find_cost


def _clip(a: Any) -> Any:
    """Return a as scikit-learn has it before a logarithm: it lets no probability be nearer to 0 or 1 than ε."""
    eps = float(np.finfo(a.dtype).eps)
    return np.clip(a, eps, 1 - eps)


def _log_loss(a: Any, y: Any) -> Any:
    """-y ln a, a clipped."""
    return -(y * np.log(_clip(a)))


def _binary_log_loss(a: Any, y: Any) -> Any:
    """-(y ln a + (1 - y) ln(1 - a)), a clipped."""
    a = _clip(a)
    return -(y * np.log(a) + (1 - y) * np.log(1 - a))


def _difference(a: Any, y: Any) -> Any:
    return a - y


# Behind their outputs δ is a - y, and the loss is computed from a, as scikit-learn does.
LOG_LOSS = Row(
    "log_loss", _log_loss, lambda a, y: -y / _clip(a), outputs=("softmax",), low=0, high=1, clips=True,
    sums_to_one=True, pairs={"softmax": Pair(None, _difference)},
)  # fmt: skip
BINARY_LOG_LOSS = Row(
    "binary_log_loss", _binary_log_loss, lambda a, y: (_clip(a) - y) / (_clip(a) * (1 - _clip(a))),
    outputs=("sigmoid",), low=0, high=1, clips=True, pairs={"sigmoid": Pair(None, _difference)},
)  # fmt: skip

ACTIVATIONS = {"logistic": "sigmoid"}  # scikit-learn's names; all others are the same
SKLEARN_LOSSES = ("squared_error", "poisson")
MORE_LOSSES = ("mean_absolute", "huber", "log_cosh", "quantile")  # of fastbp's, by their names there


class Loss(NamedTuple):
    """A cost, and how scikit-learn counts it."""

    cost: str | Cost
    over: int = 1  # scikit-learn's number is the mean over so many outputs, though its gradient is not

    def constants(self, y: Array) -> Array | float:
        """What each sample's loss has besides: no weight changes it."""
        if self.cost != "poisson":
            return 0.0
        logs = np.log(y, out=np.zeros_like(y, dtype=float), where=y > 0)
        found: Array = np.sum(y * logs - y, axis=1)
        return found


def loss_of(estimator: Any) -> Loss:
    """Return the loss of a scikit-learn estimator that has been initialized."""
    if estimator.loss == "log_loss":
        return Loss(LOG_LOSS if estimator.out_activation_ == "softmax" else BINARY_LOG_LOSS)
    if estimator.loss == "squared_error":
        return Loss("quadratic", over=estimator.n_outputs_)
    return Loss(estimator.loss if isinstance(estimator.loss, Cost) else find_cost(estimator.loss).name)


def is_cost(value: object) -> bool:
    """Whether it is a cost of fastbp's for quantities."""
    return isinstance(value, Cost) or value in COSTS
