"""The columns a network was trained on, and how a table with names becomes its inputs.

Numbers are taken as they are, a category is one input per known value (one-hot). Tables are data frames of pandas
or polars, of which neither is imported here.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple, Self

import numpy as np

from ..formulas import Array
from .series import kind_of, numbers, refuse_missing, rows, texts, way_out

KINDS = ("number", "category")
LARGEST = float(np.finfo(float).max)
FEW = 3  # columns are spoken of one by one
MOST_CATEGORIES = 100  # learnt of a text; the rarer ones count as unknown


class Encoded(NamedTuple):
    """The inputs (m, width) in float64, and what a person should know of how they came about."""

    x: Array
    notes: list[str]


@dataclass(frozen=True)
class Column:
    """One column: a number, with `fill` where it is missing (None: refused), or a category of `categories`."""

    name: str
    kind: str
    categories: tuple[str, ...] = ()
    fill: float | None = None

    @property
    def width(self) -> int:
        """The number of inputs."""
        return len(self.categories) if self.kind == "category" else 1


@dataclass(frozen=True)
class Columns:
    """All columns, in the order of the network's inputs."""

    columns: tuple[Column, ...]

    @property
    def names(self) -> list[str]:
        """The names of the columns."""
        return [column.name for column in self.columns]

    @property
    def width(self) -> int:
        """The number of inputs of all columns."""
        return sum(column.width for column in self.columns)

    @property
    def described(self) -> str:
        """The columns in a sentence, with the number of inputs where it is not one."""
        return _shown((f"{c.name}: {c.width}" if c.width != 1 else c.name for c in self.columns), 8).replace("'", "")

    @classmethod
    def learn(cls, frame: Any, forgiving: bool = False) -> Self:
        """Return the columns of a data frame.

        Text and missing values are refused, with the way out; when `forgiving`, text is taken for categories,
        and a missing number for the median.
        """
        return cls(tuple(_learnt(name, frame[label], forgiving) for name, label in _labels(frame).items()))

    def encode(self, frame: Any) -> Encoded:
        """Return the inputs for a data frame: columns are found by name, in any order, and others are ignored."""
        labels = _labels(frame)
        if missing := [name for name in self.names if name not in labels]:
            raise ValueError(
                f"the table has no {named(missing)}, which the network was trained on; "
                f"it has {', '.join(labels):.300}; net.columns = None forgets the names"
            )
        x = np.zeros((len(frame), self.width))
        notes, gaps = [], []
        if extra := [name for name in labels if name not in self.names]:
            notes.append(f"{named(extra)} ignored: the network was trained without")
        start = 0
        for column in self.columns:
            write = _write_category if column.kind == "category" else _write_number
            written = write(x[:, start : start + column.width], column, frame[labels[column.name]])
            notes += [written.unknown] if written.unknown else []
            gaps += [Gap(column, written.missing)] if written.missing else []
            start += column.width
        return Encoded(x, notes + _gaps(gaps))

    def to_json(self) -> dict[str, Any]:
        """Return what JSON can hold."""
        return {"columns": [asdict(column) | {"categories": list(column.categories)} for column in self.columns]}

    @classmethod
    def from_json(cls, value: object) -> Self:
        """Read what `to_json` wrote; anything else is a ValueError."""
        listed = value.get("columns") if isinstance(value, dict) else None
        if not isinstance(listed, list) or not listed:
            raise ValueError(f"columns must be a list that is not empty, got {value!r:.80}")
        columns = tuple(_from_json(row) for row in listed)
        names = [column.name for column in columns]
        if len(set(names)) < len(names):
            raise ValueError(f"two columns are named {_twice(names)!r:.80}")
        return cls(columns)


def is_frame(value: object) -> bool:
    """Whether this is a data frame of pandas or polars, or something just like it."""
    kind = type(value)
    return all(hasattr(kind, name) for name in ("columns", "to_numpy", "__getitem__", "__len__"))


def named(names: list[str]) -> str:
    """Name columns in a sentence."""
    return f"column{'s' * (len(names) != 1)} {_shown(names)}"


def _labels(frame: Any) -> dict[str, Any]:
    """Return the label of each column by its name as text."""
    labels = {str(label): label for label in frame.columns}
    if len(labels) < len(frame.columns):
        name = _twice([str(label) for label in frame.columns])
        raise ValueError(f"two columns are named {name!r}; rename one of them")
    return labels


def _learnt(name: str, series: Any, forgiving: bool) -> Column:
    kind = kind_of(series)
    if kind == "number":
        values = numbers(name, series)
        if not forgiving:
            refuse_missing(name, np.isnan(values), "number")
        known = values[~np.isnan(values)]
        return Column(name, kind, fill=float(np.median(known)) if forgiving and len(known) else None)
    if kind != "category" and not (forgiving and kind == "text"):
        raise ValueError(f"column {name!r} {way_out(kind, name, series.dtype)}")
    words = texts(series)
    if not forgiving:
        refuse_missing(name, np.array([text is None for text in words]), "category")
    counts = Counter(text for text in words if text is not None).most_common(MOST_CATEGORIES)
    if not counts:
        raise ValueError(f"column {name!r} is empty in every row; drop it")
    return Column(name, "category", tuple(sorted(text for text, _ in counts)))


class Written(NamedTuple):
    """How many rows of a column were missing, and what to say of unknown values, or ''."""

    missing: int
    unknown: str = ""


class Gap(NamedTuple):
    """A column that lacks values, in so many rows."""

    column: Column
    rows: int


def _write_number(x: Array, column: Column, series: Any) -> Written:
    """Fill one input."""
    if kind_of(series) != "number":
        raise ValueError(
            f"column {column.name!r} is {series.dtype}, the network was trained on numbers there; convert the column"
        )
    values = numbers(column.name, series)
    missing = np.isnan(values)
    if column.fill is None:
        refuse_missing(column.name, missing, "number")
    x[:, 0] = values if column.fill is None else np.where(missing, column.fill, values)
    return Written(int(missing.sum()))


def _write_category(x: Array, column: Column, series: Any) -> Written:
    """Fill one input per category; a value that is missing or unknown leaves zeros, and a note."""
    words = texts(series)
    places = {category: place for place, category in enumerate(column.categories)}
    found = np.array([-1 if text is None else places.get(text, -1) for text in words], int)
    known = found >= 0
    x[known, found[known]] = 1
    absent = np.array([text is None for text in words], bool)
    unknown = ~known & ~absent
    if not unknown.any():
        return Written(int(absent.sum()))
    shown = _shown(dict.fromkeys(str(words[row]) for row in np.flatnonzero(unknown)[:1000]))
    rule = f"none of the {len(places)} categories that are known, all inputs of the column are 0 there"
    return Written(int(absent.sum()), f"column {column.name!r}: {shown} in {rows(unknown)}: {rule}")


def _gaps(gaps: list[Gap]) -> list[str]:
    """Say what became of missing values: column by column if these are few, else of all together."""
    if len(gaps) <= FEW:
        return [f"column {gap.column.name!r}: missing in {rows(gap.rows)}, {_filled(gap.column)}" for gap in gaps]
    most = max(gaps, key=lambda gap: gap.rows)
    kinds = dict.fromkeys("all inputs of a category are 0" if gap.column.fill is None else
                          "a number is taken for the median of its column" for gap in gaps)  # fmt: skip
    return [f"{len(gaps)} columns lack values, most of all {most.column.name!r} in {rows(most.rows)}; there "
            f"{' and '.join(kinds)}"]  # fmt: skip


def _filled(column: Column) -> str:
    return "all its inputs are 0 there" if column.fill is None else f"taken for the median {column.fill:.6g}"


def _from_json(row: object) -> Column:
    if not isinstance(row, dict) or row.keys() != {"name", "kind", "categories", "fill"}:
        raise ValueError(f"a column must have name, kind, categories and fill, got {row!r:.80}")
    name, kind, categories, fill = (row[key] for key in ("name", "kind", "categories", "fill"))
    if not isinstance(name, str) or kind not in KINDS:
        raise ValueError(f"column {name!r:.80} is of kind {kind!r:.80}; choose from {', '.join(KINDS)}")
    if not isinstance(categories, list) or not all(isinstance(text, str) for text in categories):
        raise ValueError(f"column {name!r:.80}: categories must be a list of text, got {categories!r:.80}")
    if len(set(categories)) < len(categories) or (kind == "category") != bool(categories):
        raise ValueError(f"column {name!r:.80} is a {kind} with the categories {categories!r:.80}")
    if fill is not None and not (kind == "number" and type(fill) in (int, float) and abs(fill) <= LARGEST):
        raise ValueError(f"column {name!r:.80}: fill must be a finite number or null, got {fill!r:.80}")
    return Column(name, kind, tuple(categories), None if fill is None else float(fill))


def _twice(names: list[str]) -> str:
    return Counter(names).most_common(1)[0][0]


def _shown(names: Iterable[str], most: int = 5) -> str:
    listed = [repr(name) for name in names]
    more = f" and {len(listed) - most} more" if len(listed) > most else ""
    return ", ".join(listed[:most]) + more
