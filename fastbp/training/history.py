"""What `fit` measured, epoch by epoch."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from ..html import table
from ..notebook import is_notebook, show

MEASURES = ("cost", "accuracy", "rmse")
COLUMNS = (*MEASURES, *(f"validation_{name}" for name in MEASURES), "learning_rate", "seconds")
GAP = "..."


Validated = TypeVar("Validated", bound=float | None)  # float where `fit` was given validation data


@dataclass(repr=False)
class History(Generic[Validated]):
    """One entry per epoch in each list; None where it was not measured or has no meaning.

    `cost` and `accuracy` are running means over the samples as training saw them, each before the
    update it took part in (so the first epochs look worse than the network is at their end);
    `cost` includes the penalty on the weights at the epoch's end. `rmse` is the root mean square
    error in units of y, where y is quantities. A list that is empty was not measured at all.
    """

    cost: list[float] = field(default_factory=list)
    accuracy: list[float | None] = field(default_factory=list)
    validation_cost: list[Validated] = field(default_factory=list)
    validation_accuracy: list[float | None] = field(default_factory=list)
    learning_rate: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    rmse: list[float | None] = field(default_factory=list)
    validation_rmse: list[float | None] = field(default_factory=list)
    metrics: dict[str, list[float]] = field(default_factory=dict)  # by name: "validation_r2", ...

    def __getitem__(self, name: str) -> list[Any]:
        """Return a list by name, as `to_dict` has it."""
        found: list[Any] | None = self.metrics.get(name, getattr(self, name, None) if name in COLUMNS else None)
        if found is None:
            raise KeyError(f"{name!r}; there are {', '.join(self.columns)}")
        return found

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of all lists."""
        return (*COLUMNS[:-2], *self.metrics, *COLUMNS[-2:])

    def append(self, measured: Mapping[str, float | None]) -> None:
        """Add an epoch."""
        for name, value in measured.items():
            (self.metrics.setdefault(name, []) if name not in COLUMNS else self[name]).append(value)  # type: ignore[arg-type]

    def settle(self) -> None:
        """Forget an epoch that Ctrl-C has come in the middle of."""
        whole = min(len(self[name]) for name in COLUMNS)
        for name in self.columns:
            del self[name][whole:]

    def __len__(self) -> int:
        """Return the number of epochs."""
        return len(self.cost)

    def to_dict(self) -> dict[str, list[float | None]]:
        """Return the lists by name, ready for JSON or a data frame; without those never measured."""
        return {name: list(self[name]) for name in self.columns if len(self[name]) == len(self)}

    def describe(self, epoch: int) -> str:
        """Return one epoch in a line."""
        values = [(name, self[name][epoch]) for name in self._shown_columns()]
        return "  ".join(f"{name} {value:.4g}" for name, value in values if value is not None)

    def plot(self, ax: Any = None) -> Any:
        """Draw the learning curve and return its axes, as `fastbp.plotting.plot_history`; show it in a notebook.

        A figure that `ax` belongs to is left to whoever made it.
        """
        from ..plotting import plot_history

        drawn = plot_history(self, ax)
        if ax is None and is_notebook():
            show(drawn.figure)
        return drawn

    def __repr__(self) -> str:
        """Return a table of at most ten epochs."""
        heads, *rows = self._table()
        widths = [max(len(name), 9) for name in heads[1:]]
        lines = []
        for epoch, *cells in [heads, *rows]:
            padded = (f"{cell:>{width}}" for cell, width in zip(cells, widths, strict=True))
            lines.append("  ".join([f"{epoch:>5}", *padded]) if epoch != GAP else f"  {GAP}")
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        heads, *rows = self._table()
        return table(heads, rows)

    def _shown_columns(self) -> list[str]:
        return [name for name in self.columns if any(value is not None for value in self[name])]

    def _table(self) -> list[list[str]]:
        """Return names and at most ten epochs, as text."""
        names = self._shown_columns()
        rows = [[str(e + 1), *(_cell(self[name][e]) for name in names)] for e in range(len(self))]
        if len(rows) > 10:
            rows[5:-5] = [[GAP] * (1 + len(names))]
        return [["epoch", *names], *rows]


def _cell(value: float | None) -> str:
    return "-" if value is None else format(value, ".4g")
