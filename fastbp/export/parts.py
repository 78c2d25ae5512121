"""What every kind of export begins with: layers of finite numbers, and each activation as a formula."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, TypeVar

import numpy as np

from ..formulas import Array
from ..formulas.activations import Activation
from ..formulas.expression import Formula, Operand, Ref, trace
from ..networks.base import BaseNetwork
from .estimators import from_sklearn

Value = TypeVar("Value")


class Layer(NamedTuple):
    """One computed layer: a = σ(w x + b)."""

    w: Array  # (n_out, n_in)
    b: Array  # (n_out,)
    row: Activation

    @property
    def formula(self) -> Formula:
        """σ of z; not of a row that is over rows."""
        return trace(self.row.function, ["z"], self.w.dtype)


class Parts(NamedTuple):
    """A network's layers, and what its outputs stand for."""

    layers: tuple[Layer, ...]
    classes: Array | None
    threshold: float  # a single output above it is the second class
    net: BaseNetwork

    @property
    def dtype(self) -> np.dtype[Any]:
        """Of all numbers."""
        found: np.dtype[Any] = self.layers[0].w.dtype
        return found


def parts_of(model: Any) -> Parts:
    """Return the parts of a network or estimator; parameters that are not finite raise ValueError."""
    net = network_of(model)
    layers = tuple(map(Layer, net.weights, net.biases, net.spec.activation_rows))
    for place, layer in enumerate(layers):
        for name, array in (("weights", layer.w), ("biases", layer.b)):
            if not np.isfinite(array).all():
                raise ValueError(f"{name}[{place}] is not finite: such a network cannot be exported")
    return Parts(layers, net.classes, net.spec.threshold, net)


def network_of(model: Any) -> BaseNetwork:
    """Return a network; of an estimator the one that computes what it does."""
    if isinstance(model, BaseNetwork):
        return model
    if hasattr(model, "to_network"):
        return model.to_network()  # type: ignore[no-any-return]
    if hasattr(model, "coefs_"):
        return from_sklearn(model)
    raise TypeError(
        f"a network of fastbp's, or a fitted estimator with coefs_, can be exported; got {type(model).__name__}"
    )


def follow(
    formula: Formula, z: Value, number: Callable[[float], Value], operations: Mapping[str, Callable[..., Value]]
) -> Value:
    """Return what a formula makes of z: each of its operations is one of `operations`, `number` makes the numbers."""
    values: list[Value] = []

    def value(operand: Operand) -> Value:
        if isinstance(operand, Ref):
            return values[operand.step]
        return z if isinstance(operand, str) else number(operand)

    for operation, operands in formula.steps:
        values.append(operations[operation](*map(value, operands)))
    return value(formula.outputs[0])


def in_comment(name: str) -> str:
    """Return the name of a row as it may stand in a comment of any language: a user's own may have anything in it."""
    return "".join(sign if sign.isascii() and (sign.isalnum() or sign in " _.,=()+-") else "_" for sign in name)


def class_names(parts: Parts) -> list[str] | None:
    """Return the labels as texts."""
    return None if parts.classes is None else [str(label) for label in parts.classes.tolist()]
