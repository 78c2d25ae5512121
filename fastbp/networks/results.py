"""What both engines hand back."""

from typing import NamedTuple

from ..formulas import Array


class Forward(NamedTuple):
    """Every z and a of a forward pass; `activations[0]` is x."""

    zs: list[Array]  # (m, n_l) per computed layer
    activations: list[Array]  # (m, n_l) per layer, x first


class Gradients(NamedTuple):
    """C of a batch with its penalties, its gradients, and δ of each sample (not divided by m)."""

    cost: float
    nabla_w: list[Array]  # (n_out, n_in) per computed layer
    nabla_b: list[Array]  # (n_out,) per computed layer
    deltas: list[Array]  # (m, n_out) per computed layer: ∂C_x/∂z


class SampleGradients(NamedTuple):
    """∂C_x/∂w and ∂C_x/∂b of each sample by itself, without penalties: their mean over the samples is C's gradient."""

    nabla_w: list[Array]  # (m, n_out, n_in) per computed layer
    nabla_b: list[Array]  # (m, n_out) per computed layer: δ


class Evaluation(NamedTuple):
    """C with its penalties, and the share of right answers (None where it has no meaning)."""

    cost: float
    accuracy: float | None
