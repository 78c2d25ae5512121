"""What a network is, without its parameters."""

import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, fields
from functools import cached_property
from typing import Any

import numpy as np

from ..formulas import Array, lookup, number
from ..formulas.activations import ACTIVATIONS, Activation, find_activation
from ..formulas.activations import FACTORIES as ACTIVATION_FACTORIES
from ..formulas.constraints import rises, signs_of
from ..formulas.costs import COSTS, Cost, find_cost
from ..formulas.costs import FACTORIES as COST_FACTORIES
from ..formulas.initializers import find_initializer
from . import defaults
from .options import integer, truth

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
    dropout: float | tuple[float, ...]
    dtype: str
    seed: int
    max_norm: float | None = None
    nonnegative: bool = False
    monotone: tuple[int, ...] | None = None
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
            "dropout": _shares(self.dropout, len(self.sizes)),
            "max_norm": None if self.max_norm is None else number("max_norm", self.max_norm, positive=True),
            "nonnegative": truth("nonnegative", self.nonnegative),
            "monotone": None if self.monotone is None else _directions(self.monotone, self.sizes[0]),
            "seed": integer("seed", self.seed, low=0),
        }
        for name, value in values.items():
            object.__setattr__(self, name, value)  # frozen: the one moment it may be set
        _check_own(self.formulas)
        if self.initializer is not None:
            find_initializer(self.initializer)
        lookup("dtype", DTYPES, self.dtype)
        self._check_activations()
        self._check_constraints()

    def _check_constraints(self) -> None:
        if self.monotone is None:
            return
        if self.nonnegative:
            raise ValueError("monotone says the signs of the weights already; leave out nonnegative")
        for place, row in enumerate(self.activation_rows):
            if row.over_rows:
                raise ValueError(
                    f"outputs of {row.name} cannot all rise with an input; choose output sigmoid or identity"
                )
            if not rises(row):
                raise ValueError(
                    f"monotone needs activations that fall nowhere, and {row.name} of layer {place} does; "
                    "choose tanh, sigmoid, relu"
                )

    def check_signs(self, weights: Sequence[Any]) -> None:
        """Refuse weights that the network may not have."""
        for layer, (w, signs) in enumerate(zip(weights, self.signs or [], strict=False)):
            wrong = w * signs < 0
            if wrong.any():
                j, k = (int(i) for i in np.argwhere(wrong)[0])
                rule = ">=" if signs[k] > 0 else "<="
                asked = "nonnegative" if self.nonnegative else "monotone"
                raise ValueError(f"weights[{layer}][{j}, {k}] is {w[j, k]:g}; it must be {rule} 0, as {asked} says")

    @property
    def tells_labels(self) -> bool:
        """Whether outputs stand for labels: probabilities, or what a cost of labels compares with its threshold."""
        return self.activation_rows[-1].is_probability or self.cost_row.threshold is not None

    @property
    def threshold(self) -> float:
        """A single output above it says yes."""
        return 0.5 if self.cost_row.threshold is None else self.cost_row.threshold

    @cached_property
    def signs(self) -> list[Array] | None:
        """The sign 1, -1 or 0 (any) of the weights from each input (n_in,) of each computed layer; None: all any."""
        return signs_of(self.sizes, self.nonnegative, self.monotone)

    def macs(self, rows: int) -> int:
        """Multiply-adds of a training step of so many samples, BP2 below the first layer counted too."""
        return 3 * rows * sum(n * k for n, k in zip(self.sizes, self.sizes[1:], strict=False))

    @cached_property
    def is_constrained(self) -> bool:
        """Whether an update may leave weights that are not allowed."""
        return self.signs is not None or self.max_norm is not None

    @cached_property
    def dropouts(self) -> tuple[float, ...]:
        """The share that dropout takes of what each computed layer is given, x first."""
        if isinstance(self.dropout, tuple):
            return self.dropout
        return (0.0, *[self.dropout] * (len(self.sizes) - 2))

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
        if allowed and self.activation_rows[-1].family not in allowed:
            needs = "outputs between 0 and 1" if self.cost_row.clips else "other outputs"
            raise ValueError(
                f"{self.cost} needs {needs}: choose output {' or '.join(allowed)}, not {self.activations[-1]}"
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
        *,
        dtype: object,
        seed: int | None,
        **settings: Any,
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
            dtype=_dtype_name(dtype),
            seed=secrets.randbits(53) if seed is None else seed,  # 53: exact in any JSON reader
            formulas=_own([*hidden, top, chosen]),
            **settings,
        )


def _sizes(sizes: object) -> tuple[int, ...]:
    if isinstance(sizes, (str, bytes)) or not isinstance(sizes, Iterable):
        raise TypeError(f"sizes must be a list like [784, 30, 10], got {sizes!r}")
    checked = tuple(integer("each of sizes", n, low=1) for n in sizes)
    if len(checked) < 2:
        raise ValueError(f"sizes needs at least an input and an output layer, got {list(checked)}")
    return checked


def _shares(dropout: Any, num_layers: int) -> float | tuple[float, ...]:
    """Return one share for all hidden layers, or one for x and each hidden layer."""
    if isinstance(dropout, (str, bytes)) or not isinstance(dropout, Iterable):
        return number("dropout", dropout, below=1.0)
    shares = tuple(number("each of dropout", share, below=1.0) for share in dropout)
    if len(shares) != num_layers - 1:
        raise ValueError(
            f"dropout has {len(shares)} shares; give one number for all hidden layers, or a list of {num_layers - 1}: "
            "of the inputs, then of each hidden layer"
        )
    return shares


def _directions(monotone: Any, n_in: int) -> tuple[int, ...]:
    """Return 1, 0 or -1 for each input."""
    if isinstance(monotone, (str, bytes)) or not isinstance(monotone, Iterable):
        raise TypeError(f"monotone must be a list of 1, 0 or -1 for each input, got {monotone!r}")
    directions = tuple(integer("each of monotone", way, low=-1) for way in monotone)
    if len(directions) != n_in or max(directions) > 1:
        raise ValueError(
            f"monotone must be 1 (rises), 0 (free) or -1 (falls) for each of {n_in} inputs, got {monotone!r:.80}"
        )
    return directions


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
    tables: dict[str, Formula] = {**ACTIVATIONS, **COSTS}
    made = {**ACTIVATION_FACTORIES, **COST_FACTORIES}
    known = (row for row in rows if tables.get(row.name) is not row and row.name.partition("(")[0] not in made)
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
