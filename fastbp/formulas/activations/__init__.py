"""Activation functions a = σ(z) and their derivatives σ'(z): a row each, and the row is all there is to one.

A row is written in NumPy's syntax. Called with arrays it is what the reference computes; kernels are made from it by
`expression.trace`. `prime` gets z and a, because most derivatives are cheapest from a: where it does not use z, no z
is kept. NaN in z stays NaN in a: a diverging network must show.
"""

from collections.abc import Callable, Sequence
from typing import Literal

from .. import lookup, with_parameters
from .base import Activation, Row
from .rows import ROWS, elu, leaky_relu, softmax

__all__ = [
    "ACTIVATIONS", "FACTORIES", "Activation", "HiddenName", "OutputName", "Row", "elu", "find_activation", "leaky_relu",
    "softmax",
]  # fmt: skip

# The names in the table; a type checker finds a misspelt one.
HiddenName = Literal[
    "sigmoid", "tanh", "relu", "identity", "leaky_relu", "elu", "gelu", "gelu_tanh", "silu", "softplus", "mish", "selu",
    "hard_sigmoid", "hard_tanh", "softsign", "log_sigmoid", "exp",
]  # fmt: skip
OutputName = Literal[HiddenName, "softmax"]

ACTIVATIONS: dict[str, Activation] = {row.name: row for row in ROWS}
# Those with parameters, which are part of the row's name: leaky_relu(slope=0.2)
FACTORIES: dict[str, Callable[..., Activation]] = {make.__name__: make for make in (leaky_relu, elu, softmax)}


def find_activation(name: object, own: Sequence[Activation] = ()) -> Activation:
    """Return the row of this name: of one's own, of the table, or of the table with parameters in brackets."""
    for row in own:
        if row.name == name:
            return row
    if found := with_parameters("activation", FACTORIES, name):
        return found
    if callable(name):
        raise TypeError(f'activation is a mere function; write fastbp.Activation("mine", function), got {name!r}')
    return lookup("activation", ACTIVATIONS, name)
