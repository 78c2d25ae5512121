"""What is chosen where a user leaves something out. README has the same as a table."""

from collections.abc import Sequence

from .formulas.activations import ACTIVATIONS
from .formulas.costs import COSTS
from .formulas.optimizers import Adam

EPOCHS, SAMPLES = 30, 10_000
BATCH_SIZE = 10
OPTIMIZER = Adam(1e-3)  # for every network: no other default learns on all five sets of benchmarks/README.md


def epochs(m: int) -> int:
    """Return how often to train on m samples: 30 times, or more if that shows the network fewer than 10 000."""
    return max(EPOCHS, -(-SAMPLES // m))


def output_and_cost(cost: str, hidden: Sequence[str], n_out: int) -> tuple[str, str]:
    """Return the output activation that suits a cost, and the cost.

    The cross-entropy of one output is the binary one: of a single number, softmax would always make 1.
    """
    if cost == "cross_entropy" and n_out == 1:
        cost = "binary_cross_entropy"
    outputs = COSTS[cost].outputs
    if outputs:
        return outputs[0], cost
    return ("sigmoid" if all(name == "sigmoid" for name in hidden) else "identity"), cost


def initializers(activations: Sequence[str]) -> list[str]:
    """Return the initializer of each computed layer: what suits its activation; the output's, that of what feeds it."""
    hidden = activations[:-1]
    return [ACTIVATIONS[name].initializer for name in [*hidden, hidden[-1] if hidden else activations[-1]]]
