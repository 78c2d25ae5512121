"""What a peer is given, and what it gives back."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from ..cases import Case


class Job(NamedTuple):
    """One case for one contender. Its parameters are those of fastbp's network, so that results can be compared."""

    case: Case
    net: Any  # a fastbp.Network that nobody else uses
    x: Any  # (n, n_0), of the network's dtype
    y: Any  # labels (n,), or numbers (n, n_L) of the network's dtype
    threads: int


class Contender(NamedTuple):
    """One library in one case.

    - run(order): train on these samples, mini-batch after mini-batch; or predict them, one after the other
    - result(): the first layer's weights (n_out, n_in) after that; or the output (n_L,) for the last sample
    """

    run: Callable[[Any], None]
    result: Callable[[], Any]


def one_by_one(predict: Callable[[Any], Any], x: Any) -> Contender:
    """Make a contender of a function from one sample (n_0,) to the output activations."""
    rows = [row.copy() for row in x]
    last: list[Any] = [np.zeros(1)]  # nothing is predicted yet

    def run(order: Any) -> None:
        for place in order.tolist():
            output = predict(rows[place])
        last[0] = output

    return Contender(run, lambda: last[0].reshape(-1))
