"""Reports of checks: which number was compared, how far it is off, how far it may be."""

from dataclasses import dataclass
from typing import Any, NamedTuple

from ..html import table


class Row(NamedTuple):
    """One comparison: `quantity[layer]`, as in `nabla_w[1]`; errors relative to the largest entry.

    `layer` is the place in the list of that name, None for a single number.
    """

    quantity: str
    layer: int | None
    error: float
    tolerance: float

    @property
    def passed(self) -> bool:
        """Whether the error is within its tolerance; NaN is not."""
        return self.error <= self.tolerance

    @property
    def share(self) -> float:
        """The error in tolerances: more than 1 fails."""
        return self.error / self.tolerance if self.error == self.error else float("inf")

    @property
    def name(self) -> str:
        """The quantity with its place, as one would write it in Python."""
        if self.layer is None:
            return self.quantity
        head, _, rest = self.quantity.partition(" ")
        return f"{head}[{self.layer}] {rest}".rstrip()


@dataclass(frozen=True, repr=False)
class CheckReport:
    """The outcome of `cross_check` or `check_equations`; print it to read it."""

    title: str
    rows: tuple[Row, ...]

    @property
    def passed(self) -> bool:
        """Whether every row passed."""
        return all(row.passed for row in self.rows)

    def __bool__(self) -> bool:
        """Whether every row passed, so that `assert cross_check(...)` means what it says."""
        return self.passed

    @property
    def worst(self) -> Row:
        """The row nearest to its tolerance, or furthest beyond it."""
        return max(self.rows, key=lambda row: row.share)

    def to_dict(self) -> dict[str, Any]:
        """Return what JSON can hold."""
        rows = [row._asdict() | {"name": row.name, "passed": row.passed} for row in self.rows]
        return {"passed": self.passed, "worst": self.worst.name, "rows": rows}

    def __repr__(self) -> str:
        """Return a table that ends with the verdict and the worst row."""
        lines = [self.title, f"{'error':>9}  {'allowed':>9}"]
        for row in self.rows:
            mark = "" if row.passed else "   FAILED"
            lines.append(f"{row.error:9.2g}  {row.tolerance:9.2g}  {row.name}{mark}")
        return "\n".join([*lines, self._verdict()])

    def _repr_html_(self) -> str:
        rows = [
            (row.name, f"{row.error:.2g}", f"{row.tolerance:.2g}", "passed" if row.passed else "FAILED")
            for row in self.rows
        ]
        failed = [place for place, row in enumerate(self.rows) if not row.passed]
        return table(("quantity", "error", "allowed", ""), rows, f"{self.title}: {self._verdict()}", failed)

    def _verdict(self) -> str:
        verdict, worst = "passed" if self.passed else "FAILED", self.worst
        return f"{verdict}; worst: {worst.name}, at {worst.share:.2g} of what is allowed"
