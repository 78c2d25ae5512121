"""One column of a data frame, of pandas or polars alike: what kind it is of, and its values."""

import re
from numbers import Real
from typing import Any

import numpy as np

from ..formulas import Array

DTYPES = (  # how pandas and polars name their dtypes, in lower case, and what such a column is
    (r"u?int\d|float|double|decimal|bool", "number"),
    (r"categor|enum|dictionary", "category"),
    (r"date|time|period|duration|interval", "date"),
    (r"str|object|large_string|utf8", "text"),
)
WAYS_OUT = {
    "date": "holds dates, and a network takes numbers: drop it, or put numbers in its place, "
    "such as the year, the month, or days since a day",
    "text": 'holds text: drop it, or make it categories: frame.astype({{"{name}": "category"}}) in pandas, '
    'frame.cast({{"{name}": pl.Categorical}}) in polars',
    "": "is of dtype {dtype}, and a network takes numbers, bools and categories: drop it, or convert it",
}


def kind_of(series: Any) -> str:
    """Return what a column's dtype says it is: number, category, date or text, or ''."""
    name = str(series.dtype).lower()
    if name == "object" and all(gone or isinstance(v, Real) for v, gone in zip(series, _missing(series), strict=True)):
        return "number"
    return next((kind for pattern, kind in DTYPES if re.match(pattern, name)), "")


def way_out(kind: str, name: str, dtype: object) -> str:
    """Say why a column of this kind is refused, and what to do."""
    return WAYS_OUT.get(kind, WAYS_OUT[""]).format(name=name, dtype=dtype)


def numbers(name: str, series: Any) -> Array:
    """Return a column as float64, NaN where it is missing; infinite numbers are refused."""
    values = series.to_numpy()
    if values.dtype.kind not in "biuf":  # nullable dtypes, decimals
        values = [np.nan if gone else float(v) for v, gone in zip(values, _missing(series), strict=True)]
    array: Array = np.array(values, float)
    if np.isinf(array).any():
        row = int(np.argmax(np.isinf(array)))
        raise ValueError(f"column {name!r} is {array[row]} in row {row}; a network takes finite numbers: mend the row")
    return array


def texts(series: Any) -> list[str | None]:
    """Return a column as text, None where it is missing; 1.0 is the same category as 1."""
    values = [None if gone else v for v, gone in zip(series.to_numpy(), _missing(series), strict=True)]
    return [v if v is None else str(int(v)) if isinstance(v, float) and v.is_integer() else str(v) for v in values]


def refuse_missing(name: str, missing: Array, kind: str) -> None:
    """Raise if anything is missing, and name the first row."""
    if missing.any():
        fill = "its median" if kind == "number" else "a category of its own"
        raise ValueError(
            f"column {name!r} is missing in row {int(np.argmax(missing))}; fill it, for example with {fill}, "
            f"or drop the {rows(missing)} that lack it"
        )


def rows(which: Array | int) -> str:
    """Count rows, or those of a mask, in words."""
    count = which if isinstance(which, int) else int(np.count_nonzero(which))
    return f"{count:,} row{'s' * (count != 1)}"


def _missing(series: Any) -> Array:
    return np.asarray(series.isna() if hasattr(series, "isna") else series.is_null(), bool)
