"""Tables of .csv, .tsv, .txt (also .gz) and .parquet, read with polars: named columns of text or of numbers."""

import csv
import gzip
import io
import sys
import zlib
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ..border.series import kind_of, rows
from ..errors import DataFileError
from ..formulas import Array
from ..room import memory_bytes
from . import header, text
from .numbers import DataFrame, decimal_comma

SUFFIXES = (".csv", ".tsv", ".tab", ".txt", ".data", ".parquet", ".gz")
MISSING = ("", "NA", "N/A", "n/a", "#N/A", "NaN", "nan", "NAN", "null", "NULL", "?", "-")
UNKNOWN_MEMORY = 2**34  # bytes, where the system does not tell
LONGEST_NAME = 1000  # of a column, which messages repeat
GZIP, PARQUET, ZIP = b"\x1f\x8b", b"PAR1", b"PK\x03\x04"  # how such files begin


class Table(NamedTuple):
    """A table with named columns. Cells of a text file are text, stripped, and None where they are missing."""

    path: str
    frame: DataFrame
    lines: Array | None  # of the file, one for each row; None where it has none
    named: bool  # False: no header, the columns are called by their numbers
    decimal_comma: bool
    notes: list[str]

    def where(self, row: int, column: str) -> str:
        """Name a cell to a person."""
        line = f"row {row}" if self.lines is None else f"line {self.lines[row]}"
        return f"{self.path} {line}, {f'column {column!r}' if self.named else column}"


def read(path: str) -> Table:
    """Read a table; `-` is standard input."""
    if find_spec("polars") is None:
        raise ImportError("tables need polars: pip install 'fastbp[table]'")
    # Before polars is imported: its own handler of Ctrl-C lets a read that waits, for standard input say, wait on.
    data = sys.stdin.buffer.read() if path == "-" else Path(path).read_bytes()
    name = "standard input" if path == "-" else path
    if data.startswith(GZIP):
        data = _unpacked(name, data)
    if data.startswith(ZIP):
        raise DataFileError(f"{name}: a .zip or .xlsx file, no table in text; export the sheet as .csv")
    table = _from_parquet(name, data) if data.startswith(PARQUET) else _from_text(name, data)
    if not table.frame.height:
        raise DataFileError(f"{name}: has a header ({', '.join(table.frame.columns):.200}) and no rows; add some")
    return table


def _unpacked(path: str, data: bytes) -> bytes:
    """Unpack a .gz file, which may hold a thousand times as much: a part at a time, and not more than fits."""
    parts: list[bytes] = []
    size, most = 0, (memory_bytes() or UNKNOWN_MEMORY) // 4  # as a table it takes several times as much
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(data)) as file:
            while part := file.read(2**20):
                size += len(part)
                if size > most:
                    raise DataFileError(
                        f"{path}: unpacks to more than {most / 1e9:.3g} GB, a quarter of the memory here"
                    )
                parts.append(part)
    except (OSError, EOFError, zlib.error) as error:
        raise DataFileError(f"{path}: damaged .gz file ({error}); compress it again") from None
    return b"".join(parts)


def _from_parquet(path: str, data: bytes) -> Table:
    import polars as pl
    from polars import selectors as of

    try:
        frame = pl.read_parquet(io.BytesIO(data))
    except (pl.exceptions.PolarsError, OSError) as error:
        raise DataFileError(f"{path}: damaged .parquet file ({error}); write it again") from None
    _check_names(path, frame.columns)
    frame = frame.with_columns((of.numeric() | of.decimal()).cast(pl.Float64).fill_nan(None))
    categories = [name for name in frame.columns if kind_of(frame[name]) == "category"]
    frame = frame.with_columns([frame[name].cast(pl.String) for name in categories])
    return Table(path, _without_missing(frame), None, True, False, [])


def _from_text(path: str, data: bytes) -> Table:
    found = text.decode(path, data)
    if not found.content.strip():
        raise DataFileError(f"{path}: the file is empty")
    frame = _cells(path, found)
    lines = _line_numbers(frame, found.skipped)
    blank = frame.select(_all_null()).to_series().to_numpy()
    if blank.all():
        raise DataFileError(f"{path}: every cell of the file is empty")
    if between := int(blank[: np.flatnonzero(~blank).max(initial=0)].sum()):
        found.notes.append(f"{rows(between)} of empty cells left out")  # predictions are told from each other by place
    frame, lines = _without_missing(frame.filter(~blank)), lines[~blank]
    while frame.width > 1 and frame.to_series(-1).null_count() == frame.height:  # every line ends with a separator
        frame = frame[:, :-1]
    if frame.to_series(-1).null_count():  # polars fills lines that are too short
        _refuse_ragged(path, found)
    names, named = header.names(frame)
    _check_names(path, names)
    frame.columns = names
    frame, lines = frame[named:], lines[named:]
    return Table(path, frame, lines, named, decimal_comma(frame, found.separator), found.notes)


def _check_names(path: str, names: list[str]) -> None:
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise DataFileError(f"{path}: two columns are named {twice[0]!r:.80}; rename one of them")
    for name in names:
        if len(name) > LONGEST_NAME:
            raise DataFileError(
                f"{path}: the name of a column has {len(name):,} characters: {name[:40]!r}..; shorten it"
            )
        if name.startswith("^") and name.endswith("$"):
            raise DataFileError(f"{path}: polars takes a name such as {name!r} for a pattern; rename the column")


def _cells(path: str, found: text.Text) -> DataFrame:
    """Return every cell as text; a table that has no shape is reported by its line."""
    import polars as pl

    source = io.BytesIO(found.content.encode())
    try:
        return pl.read_csv(source, separator=found.separator, has_header=False, infer_schema=False)
    except pl.exceptions.PolarsError:
        _refuse_ragged(path, found)
        rule = 'a " inside a cell must be written twice, and the cell between two more'
        raise DataFileError(f'{path}: not a table in text, its quotes (") do not match; {rule}') from None


def _refuse_ragged(path: str, found: text.Text) -> None:
    try:
        lines = text.rows(found)
    except csv.Error as error:
        raise DataFileError(f"{path}: not a table in text ({error}); {text.WAY_OUT}") from None
    width = len(lines[0][1]) if lines else 0
    for number, cells in lines:
        if len(cells) != width:
            cut = f"{len(cells)} cell{'s' * (len(cells) != 1)} between {found.separator!r}"
            raise DataFileError(f"{path} line {number}: {cut}, the first line has {width}; mend the line")


def _line_numbers(frame: DataFrame, skipped: int) -> Array:
    import polars as pl

    breaks = frame.select(pl.sum_horizontal(pl.all().str.count_matches("\n"))).to_series()  # within quotes
    ends = np.cumsum(breaks.to_numpy()) + np.arange(frame.height)
    return np.asarray(ends - breaks.to_numpy() + 1 + skipped, int)


def _without_missing(frame: DataFrame) -> DataFrame:
    """Strip every text, and put None where nothing is known."""
    import polars as pl

    stripped = pl.col(pl.String).str.strip_chars()
    return frame.with_columns(stripped).with_columns(
        pl.when(pl.col(pl.String).is_in(MISSING)).then(None).otherwise(pl.col(pl.String)).name.keep()
    )


def _all_null() -> Any:
    import polars as pl

    return pl.all_horizontal(pl.all().is_null())
