"""Reports of checks: which number was compared, how far it is off, how far it may be."""

import math
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


class Report:
    """What reports have in common; they are true where all is well, so that `assert check(...)` means what it says."""

    rows: tuple[Any, ...]

    @property
    def passed(self) -> bool:
        """Whether every row passed."""
        return all(row.passed for row in self.rows)

    def __bool__(self) -> bool:
        """Whether every row passed."""
        return self.passed

    @property
    def worst(self) -> Any:
        """The row nearest to its tolerance, or furthest beyond it."""
        return max(self.rows, key=lambda row: row.share)


@dataclass(frozen=True, repr=False)
class CheckReport(Report):
    """The outcome of `cross_check`; print it to read it."""

    title: str
    rows: tuple[Row, ...]

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


class EquationRow(NamedTuple):
    """One equation in one layer; errors relative to the largest entry, at the entry that is nearest to failing."""

    equation: str  # "(25)", "BP1" .. "BP4"
    layer: int  # place in net.weights
    quantity: str  # "zs", "activations", "deltas", "nabla_b" or "nabla_w"
    error: float = math.nan  # NaN: of no entry there is a derivative, and nothing was checked
    typical: float = math.nan  # the median
    place: tuple[int, ...] = ()  # in the array; of a direction through all of it, nowhere
    tolerance: float = 0.0
    against: str = ""  # what it was computed from, or by a numerical derivative: "C", "a training step", "Trainer.step"

    @property
    def checked(self) -> bool:
        """Whether any entry has a derivative."""
        return bool(self.place) or self.error == self.error

    @property
    def tells(self) -> bool:
        """Whether it would see a fault: not where rounding alone may be as large as the entries, as where σ is flat."""
        return self.checked and (not self.passed or self.tolerance < VAGUE)

    @property
    def passed(self) -> bool:
        """Whether the error is within its tolerance, or nothing was to be checked."""
        return not self.checked or self.error <= self.tolerance

    @property
    def share(self) -> float:
        """The error in tolerances: more than 1 fails."""
        if not self.checked:
            return 0.0
        if self.error != self.error:
            return float("inf")
        return self.error / self.tolerance if self.tolerance > 0 else float("inf") if self.error > 0 else 0.0

    @property
    def name(self) -> str:
        """The quantity with its place, the equation, and against what."""
        equation = self.equation.strip("()")
        return f"{self.quantity}[{self.layer}] ({equation}) {HEADINGS.get(self.against, 'given ' + self.against)}"


VAGUE = 0.5  # of the largest entry
HEADINGS = {
    "C": "against C", "a training step": "of a training step, against C", "Trainer.step": "of Trainer.step, against C",
}  # fmt: skip


@dataclass(frozen=True, repr=False)
class EquationReport(Report):
    """The outcome of `check_equations`; print it to read it."""

    title: str
    rows: tuple[EquationRow, ...]
    verdict: str  # in words: what is wrong and where, or that nothing is

    def to_dict(self) -> dict[str, Any]:
        """Return what JSON can hold."""
        rows = [row._asdict() | {"name": row.name, "passed": row.passed} for row in self.rows]
        return {"passed": self.passed, "verdict": self.verdict, "worst": self.worst.name, "rows": rows}

    def __repr__(self) -> str:
        """Return a table that ends with the verdict."""
        lines = [self.title, f"{'error':>9}  {'typical':>9}  {'allowed':>9}"]
        for row in self.rows:
            mark = "   FAILED" if not row.passed else "" if row.tells or not row.checked else "   (tells nothing)"
            numbers = [f"{value:9.2g}" for value in (row.error, row.typical, row.tolerance)]
            shown = "  ".join(numbers) if row.checked else f"{'no derivative here':>31}"
            lines.append(f"{shown}  {row.name}{mark}")
        return "\n".join([*lines, self.sentence])

    @property
    def sentence(self) -> str:
        """Passed or failed, and the verdict."""
        return f"{'passed' if self.passed else 'FAILED'}: {self.verdict}"

    def _repr_html_(self) -> str:
        heads = ("equation", "layer", "quantity", "error", "typical", "allowed", "against", "")
        rows = [
            (row.equation, row.layer, row.quantity, *(f"{v:.2g}" for v in (row.error, row.typical, row.tolerance)),
             row.against, "passed" if row.passed else "FAILED")
            for row in self.rows
        ]  # fmt: skip
        failed = [place for place, row in enumerate(self.rows) if not row.passed]
        return table(heads, rows, f"{self.title}: {self.sentence}", failed)
