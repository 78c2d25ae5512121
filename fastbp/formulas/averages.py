"""The moving average of the weights, which a network has at the end of a run with `ema`."""

from typing import Any


def newest_share(decay: float, step: Any) -> Any:
    """What the weights after update `step`, counted from 1, count in the average: (1 - d) / (1 - dᵗ).

    ā ← ā + share · (w - ā) is Σ_i dᵗ⁻ⁱ w_i / Σ_i dᵗ⁻ⁱ: an exponential average without its bias to the first weights
    (Polyak, Juditsky 1992; the correction is that of Adam's moments). PyTorch's AveragedModel begins with w_1, which
    counts as much as all others together until step 1/(1 - d).
    """
    return (1 - decay) / (1 - decay**step)
