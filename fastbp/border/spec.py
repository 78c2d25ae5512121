"""What a network is, without its parameters."""

import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, fields
from functools import cached_property
from typing import Any

import numpy as np

from ..formulas import lookup, number
from ..formulas.activations import ACTIVATIONS, FACTORIES, Activation, find_activation
from ..formulas.costs import COSTS, Cost, find_cost
from ..formulas.initializers import INITIALIZERS
from . import defaults
from .options import integer

Formula = Activation | Cost  # a user's own

DTYPES: dict[str, np.dtype[Any]] = {name: np.dtype(name) for name in ("float32", "float64")}


@dataclass(frozen=True)
class NetworkSpec:
    """Everything that `fastbp.load` and the other engine need to know; checked when made.

    `activations` has one name per computed layer: hidden layers, then the output. `initializer` is None where each
    layer's follows from its activation. `formulas` are those of a user's own, which no file can hold.
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
    formulas: tuple[Formula, ...] = field(default=(), repr=False, compare=False)

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
        _check_own(self.formulas)
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
        for place, row in enumerate(self.activation_rows):
            if row.over_rows and place < expected - 1:
                raise ValueError(f"{row.name} is for the output layer only; choose another for hidden layer {place}")
        allowed = self.cost_row.outputs
        if allowed and self.activations[-1] not in allowed:
            raise ValueError(
                f"{self.cost} needs outputs between 0 and 1: choose output {' or '.join(allowed)}, "
                f"not {self.activations[-1]}"
            )

    @cached_property
    def activation_rows(self) -> tuple[Activation, ...]:
        """The formulas that `activations` names."""
        own = [row for row in self.formulas if isinstance(row, Activation)]
        return tuple(find_activation(name, own) for name in self.activations)

    @cached_property
    def cost_row(self) -> Cost:
        """The formula that `cost` names."""
        return find_cost(self.cost, [row for row in self.formulas if isinstance(row, Cost)])

    def __getstate__(self) -> dict[str, Any]:
        """Leave out the rows that are found by name: many of them are functions without a name of their own."""
        return {each.name: getattr(self, each.name) for each in fields(self)}

    def to_json(self) -> dict[str, Any]:
        """Return what a file holds: all but the formulas of a user's own."""
        return {each.name: getattr(self, each.name) for each in fields(self) if each.name != "formulas"}

    @property
    def initializers(self) -> list[str]:
        """The initializer of each computed layer."""
        if self.initializer is None:
            return defaults.initializers(self.activation_rows)
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
        hidden = [_activation(row) for row in _activations(activation, len(sizes) - 2)]
        chosen = cost if isinstance(cost, Cost) else find_cost(cost)
        if output is None:
            found, chosen = defaults.output_and_cost(chosen, hidden, sizes[-1])
            top = find_activation(found, hidden)
        else:
            top = _activation(output)
        last = top.name
        if top.over_rows and sizes[-1] == 1:
            raise ValueError(
                "softmax of one output is always 1: make it Network([..., 2]), or choose output sigmoid "
                "with cost binary_cross_entropy"
            )
        return cls(
            sizes=sizes,
            activations=(*(row.name for row in hidden[: len(sizes) - 2]), last),
            cost=chosen.name,
            initializer=initializer,
            l1=l1,
            l2=l2,
            dropout=dropout,
            dtype=_dtype_name(dtype),
            seed=secrets.randbits(53) if seed is None else seed,  # 53: exact in any JSON reader
            formulas=_own([*hidden, top, chosen]),
        )


def _sizes(sizes: object) -> tuple[int, ...]:
    if isinstance(sizes, (str, bytes)) or not isinstance(sizes, Iterable):
        raise TypeError(f"sizes must be a list like [784, 30, 10], got {sizes!r}")
    checked = tuple(integer("each of sizes", n, low=1) for n in sizes)
    if len(checked) < 2:
        raise ValueError(f"sizes needs at least an input and an output layer, got {list(checked)}")
    return checked


def _activations(activation: Any, count: int) -> list[Any]:
    """Return each hidden layer's activation as it is given; one stays, should there be no hidden layer."""
    if isinstance(activation, (str, Activation)) or not isinstance(activation, Iterable):
        return [activation] * max(count, 1)
    several = list(activation)
    if len(several) != count:
        raise ValueError(
            f"{len(several)} activations for {count} hidden layers; give one name for all, or one per hidden layer"
        )
    return several


def _activation(row: Any) -> Activation:
    return row if isinstance(row, Activation) else find_activation(row)


def _own(rows: Iterable[Formula]) -> tuple[Formula, ...]:
    """Return those that are no rows of this package, each once."""
    tables = {**ACTIVATIONS, **COSTS}
    known = (row for row in rows if tables.get(row.name) is not row and row.name.partition("(")[0] not in FACTORIES)
    return tuple(dict.fromkeys(known))


def _check_own(rows: tuple[Formula, ...]) -> None:
    """Refuse formulas that a name would not tell apart."""
    for kind, table in ((Activation, ACTIVATIONS), (Cost, COSTS)):
        names = [row.name for row in rows if isinstance(row, kind)]
        for name in names:
            if name in table or names.count(name) > 1:
                raise ValueError(f"there are two formulas called {name!r}; give yours another name")


def _plain(name: Any) -> Any:
    """Return np.str_ as str, which shows without its type."""
    return str(name) if isinstance(name, str) else name


def _dtype_name(dtype: Any) -> str:
    try:
        name = np.dtype(dtype).name if dtype is not None else "None"
    except TypeError:
        name = str(dtype)
    lookup("dtype", DTYPES, name)
    return name
