"""What scikit-learn calls the loss of an epoch, from what kernels note of each mini-batch."""

from typing import Any

import numpy as np

from ..formulas import Array
from .losses import loss_of


class Losses:
    """What scikit-learn calls the loss of an epoch: the mean over its samples of their mini-batch's.

    A mini-batch's is its mean cost and α/2 Σ w², over its weight.
    """

    def __init__(self, estimator: Any, y: Array, sample_weight: Array | None, batch_size: int) -> None:
        loss = loss_of(estimator)
        n = len(y)
        self.over, self.alpha, self.batch_size = loss.over, float(estimator.alpha), batch_size
        self.weights = np.ones(n) if sample_weight is None else np.asarray(sample_weight, np.float64)
        self.constants = np.broadcast_to(loss.constants(y), n)
        self.starts = np.arange(0, n, batch_size)
        self.journal = np.zeros((len(self.starts) + 1, 2))
        self.journal[-1, 1] = sum(float(np.sum(np.square(w))) for w in estimator.coefs_)

    def begin(self, order: Array) -> None:
        """Take the order of the next epoch, which begins with the weights that the last one has left."""
        self.journal[0, 1] = self.journal[-1, 1]
        weights = self.weights[order]
        self.of_batch = np.add.reduceat(weights, self.starts)
        self.more = np.add.reduceat(weights * self.constants[order], self.starts)

    def total(self) -> float:
        """Return the loss of the epoch that has ended."""
        sizes = np.diff(np.append(self.starts, len(self.weights)))
        weight = np.where(self.of_batch > 0, self.of_batch, 1.0)
        data = self.journal[:-1, 0] / self.over + self.more
        losses = (data + 0.5 * self.alpha * self.journal[:-1, 1]) / weight
        return float(np.sum(losses * sizes) / len(self.weights))
