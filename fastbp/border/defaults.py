"""What is chosen where a user leaves something out. README has the same as a table."""

from collections.abc import Sequence

from ..formulas.activations import Activation
from ..formulas.costs import Cost, binary_cross_entropy
from ..formulas.optimizers import Adam

EPOCHS, SAMPLES = 30, 10_000
BATCH_SIZE = 10
OPTIMIZER = Adam(1e-3)  # for every network: no other default learns on all five sets of benchmarks/README.md


def epochs(m: int) -> int:
    """Return how often to train on m samples: 30 times, or more if that shows the network fewer than 10 000."""
    return max(EPOCHS, -(-SAMPLES // m))


def output_and_cost(cost: Cost, hidden: Sequence[Activation], n_out: int) -> tuple[str, Cost]:
    """Return the name of the output activation that suits a cost, and the cost.

    The cross-entropy of one output is the binary one: of a single number, softmax would always make 1.
    """
    if cost.sums_to_one and n_out == 1:
        cost = binary_cross_entropy(cost.label_smoothing)
    if cost.outputs or cost.default_output:
        return cost.default_output or cost.outputs[0], cost
    return ("sigmoid" if all(row.is_probability for row in hidden) else "identity"), cost


def initializers(rows: Sequence[Activation]) -> list[str]:
    """Return the initializer of each computed layer: what suits its activation; the output's, that of what feeds it."""
    hidden = rows[:-1]
    return [row.initializer for row in [*hidden, hidden[-1] if hidden else rows[-1]]]
