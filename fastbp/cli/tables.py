"""Tables in text files: features as numbers, and the text of one target column."""

import csv
import math
from array import array
from collections.abc import Iterator
from itertools import chain, islice
from pathlib import Path
from typing import NamedTuple, TextIO

import numpy as np

from ..errors import DataFileError
from ..formulas import Array

DELIMITERS = ",;\t"


class Table(NamedTuple):
    """The features (m, n) of a file, and its target column as text (m,), empty if it has none."""

    x: Array
    target: list[str]


class Line(NamedTuple):
    """The cells of one line, and its number in the file."""

    number: int
    cells: list[str]


def read_csv(path: Path, target: str | None = None, n_in: int | None = None) -> Table:
    """Read a table with or without a header; delimited by commas, semicolons or tabs.

    The target column is named or numbered from 0 (-1 is the last) by `target`; by default it is the
    last one. A table of just `n_in` columns has none.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            return _parse(path, _lines(path, file), target, n_in)
    except (UnicodeDecodeError, csv.Error) as error:
        raise DataFileError(f"{path}: not a table in a text file ({error})") from None


def _lines(path: Path, file: TextIO) -> Iterator[Line]:
    """Yield the lines that are not blank; all have as many cells as the first."""
    start = file.readline()
    reader = csv.reader(chain([start], file), delimiter=max(DELIMITERS, key=start.count))
    width = 0
    for cells in reader:
        if not any(cell.strip() for cell in cells):
            continue
        width = width or len(cells)
        if len(cells) != width:
            raise DataFileError(
                f"{path} line {reader.line_num}: {len(cells)} columns, the first line has {width}"
            )
        yield Line(reader.line_num, cells)


def _parse(path: Path, lines: Iterator[Line], target: str | None, n_in: int | None) -> Table:
    head = list(islice(lines, 2))
    if not head:
        raise DataFileError(f"{path}: the file is empty")
    width = len(head[0].cells)
    column = None
    if target is not None or n_in is None or width != n_in:
        column = _column(path, head[0].cells, target)
    features = [place for place in range(width) if place != column]
    names = [f"column {place}" for place in range(width)]
    if _has_header(head, features, column):
        names = [f"column {name!r}" for name in head.pop(0).cells]
    values, texts = array("d"), []
    for line in chain(head, lines):
        if column is not None:
            texts.append(_present(path, line, column, names))
        values.extend([_number(path, line, place, names) for place in features])
    if not values:
        raise DataFileError(f"{path}: no features; a table needs a target and at least one more")
    return Table(np.frombuffer(values).reshape(-1, len(features)), texts)


def _column(path: Path, first: list[str], target: str | None) -> int:
    """Return the place of the target column."""
    names = [cell.strip() for cell in first]
    if target in names and not _is_number(str(target)):
        return names.index(str(target))
    try:
        return range(len(first))[-1 if target is None else int(target)]
    except (IndexError, ValueError):
        choices = ", ".join(names if not any(map(_is_number, names)) else [f"0..{len(first) - 1}"])
        raise DataFileError(f"{path}: no column {target!r}; choose from {choices:.300}") from None


def _has_header(head: list[Line], features: list[int], column: int | None) -> bool:
    """Whether the first line holds names: it does where most features are no numbers.

    A single odd cell is taken for a mistake in the data, and reported as one.
    """
    first, second = head[0].cells, head[-1].cells
    odd = sum(not _is_number(first[place]) for place in features)
    if odd or column is None:
        return 2 * odd > len(features)
    return not _is_number(first[column]) and _is_number(second[column])


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _number(path: Path, line: Line, place: int, names: list[str]) -> float:
    try:
        value = float(line.cells[place])
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        text = line.cells[place]
        raise DataFileError(f"{path} line {line.number}, {names[place]}: {text!r} is not a number")
    return value


def _present(path: Path, line: Line, place: int, names: list[str]) -> str:
    text = line.cells[place].strip()
    if not text:
        raise DataFileError(f"{path} line {line.number}, {names[place]}: the target is empty")
    return text
