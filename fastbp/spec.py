"""What a network is, without its parameters."""

import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from . import defaults
from .formulas import lookup, number
from .formulas.activations import ACTIVATIONS, Activation
from .formulas.costs import COSTS, Cost
from .formulas.initializers import INITIALIZERS
from .options import integer

DTYPES: dict[str, np.dtype[Any]] = {name: np.dtype(name) for name in ("float32", "float64")}


@dataclass(frozen=True)
class NetworkSpec:
    """Everything that `fastbp.load` and the other engine need to know; checked when made.

    `activations` has one name per computed layer: hidden layers, then the output. `initializer` is None where each
    layer's follows from its activation.
    """

    sizes: tuple[int, ...]
    activations: tuple[str, ...]
    cost: str
    initializer: str | None
    l1: float
    l2: float
    dropout: float
    dtype: str
    seed: int

    def __post_init__(self) -> None:
        values = {
            "sizes": _sizes(self.sizes),
            "activations": tuple(map(_plain, self.activations)),
            "cost": _plain(self.cost),
            "initializer": _plain(self.initializer),
            "dtype": _plain(self.dtype),
            "l1": number("l1", self.l1),
            "l2": number("l2", self.l2),
            "dropout": number("dropout", self.dropout, below=1.0),
            "seed": integer("seed", self.seed, low=0),
        }
        for name, value in values.items():
            object.__setattr__(self, name, value)  # frozen: the one moment it may be set
        lookup("cost", COSTS, self.cost)
        if self.initializer is not None:
            lookup("initializer", INITIALIZERS, self.initializer)
        lookup("dtype", DTYPES, self.dtype)
        self._check_activations()

    def _check_activations(self) -> None:
        expected = len(self.sizes) - 1
        if len(self.activations) != expected:
            raise ValueError(
                f"{len(self.activations)} activations for {expected} computed layers; "
                "give one name for all hidden layers, or one per hidden layer"
            )
        for place, name in enumerate(self.activations):
            row = lookup("activation", ACTIVATIONS, name)
            if row.prime is None and place < expected - 1:
                raise ValueError(
                    f"{name} is for the output layer only; choose another for hidden layer {place}"
                )
        allowed = COSTS[self.cost].outputs
        if allowed and self.activations[-1] not in allowed:
            raise ValueError(
                f"{self.cost} needs outputs between 0 and 1: choose output {' or '.join(allowed)}, "
                f"not {self.activations[-1]}"
            )

    @property
    def initializers(self) -> list[str]:
        """The initializer of each computed layer."""
        if self.initializer is None:
            return defaults.initializers(self.activations)
        return [self.initializer] * len(self.activations)

    @classmethod
    def from_arguments(
        cls,
        sizes: Sequence[int],
        activation: str | Activation | Sequence[str | Activation],
        output: str | Activation | None,
        cost: str | Cost,
        initializer: str | None,
        l1: float,
        l2: float,
        dropout: float,
        dtype: object,
        seed: int | None,
    ) -> "NetworkSpec":
        """Read what a user gives to a network; what is None is chosen by `defaults`."""
        sizes = _sizes(sizes)
        named = _activations(activation, len(sizes) - 2)
        cost_name: str = _name("cost", COSTS, cost)
        if output is None:
            lookup("cost", COSTS, cost_name)
            last, cost_name = defaults.output_and_cost(cost_name, named, sizes[-1])
        else:
            last = _name("activation", ACTIVATIONS, output)
        if last == "softmax" and sizes[-1] == 1:
            raise ValueError(
                "softmax of one output is always 1: make it Network([..., 2]), or choose output sigmoid "
                "with cost binary_cross_entropy"
            )
        return cls(
            sizes=sizes,
            activations=(*named[: len(sizes) - 2], last),
            cost=cost_name,
            initializer=initializer,
            l1=l1,
            l2=l2,
            dropout=dropout,
            dtype=_dtype_name(dtype),
            seed=secrets.randbits(53) if seed is None else seed,  # 53: exact in any JSON reader
        )


def _sizes(sizes: object) -> tuple[int, ...]:
    if isinstance(sizes, (str, bytes)) or not isinstance(sizes, Iterable):
        raise TypeError(f"sizes must be a list like [784, 30, 10], got {sizes!r}")
    checked = tuple(integer("each of sizes", n, low=1) for n in sizes)
    if len(checked) < 2:
        raise ValueError(f"sizes needs at least an input and an output layer, got {list(checked)}")
    return checked


def _activations(activation: Any, count: int) -> list[str]:
    """Return the name of each hidden layer's activation; one name stays, should there be no hidden layer."""
    if isinstance(activation, (str, Activation)) or not isinstance(activation, Iterable):
        return [_name("activation", ACTIVATIONS, activation)] * max(count, 1)
    named = [_name("activation", ACTIVATIONS, row) for row in activation]
    if len(named) != count:
        raise ValueError(
            f"{len(named)} activations for {count} hidden layers; give one name for all, or one per hidden layer"
        )
    return named


def _plain(name: Any) -> Any:
    """Return np.str_ as str, which shows without its type."""
    return str(name) if isinstance(name, str) else name


def _name(kind: str, table: dict[str, Any], row: Any) -> Any:
    """Return the name of a row given by itself; a name, known or not, is looked at later."""
    name = getattr(row, "name", row)
    if name is not row and table.get(name) is not row:
        raise ValueError(f"{kind} {name!r} is not a row of fastbp's table; choose one by name")
    return name


def _dtype_name(dtype: Any) -> str:
    try:
        name = np.dtype(dtype).name if dtype is not None else "None"
    except TypeError:
        name = str(dtype)
    lookup("dtype", DTYPES, name)
    return name
