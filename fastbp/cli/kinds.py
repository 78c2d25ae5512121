"""Which columns of a table are worth training on, and what kind each is of."""

import re

import numpy as np

from ..border.columns import Columns, named
from ..errors import DataFileError
from ..formulas import Array
from .numbers import DataFrame, Series, numbers, truths, without
from .tables import Table

INDEX = r"(?i:unnamed: 0|index|id|nr|no|row|rownames|__index_level_0__|column 0|.*[ _-]id)|.*[a-z]Id|.*[a-z]ID"
TYPING_MISTAKES = 5  # so many different texts among numbers are mistakes, more are names such as 12a
FAR = 1e4  # times the middle half's width: such a number makes the others all alike when the column is scaled
SMALL = 20  # so many categories are never too many
DATE = r"^\d{4}-\d{1,2}-\d{1,2}([ T]\d|$)|^\d{1,2}([./-])\d{1,2}([./-])\d{4}([ T]\d|$)|^\d{4}/\d{1,2}/\d{1,2}"


def features(table: Table, target: str, drop: list[str], train: Array) -> tuple[DataFrame, list[str]]:
    """Return the columns to train on, as numbers and text, and what was dropped on its own account.

    - train: the rows to learn from, not those that are held out
    """
    if unknown := [name for name in drop if name not in table.frame.columns]:
        raise DataFileError(
            f"{table.path}: no column {unknown[0]!r} to drop; choose from {', '.join(table.frame.columns):.300}"
        )
    if target in drop:
        raise DataFileError(f"{table.path}: column {target!r} is the target, so it stays; name another with --target")
    frame, notes = without(table.frame, target, *drop), []
    reasons: dict[str, list[str]] = {}
    for name in frame.columns:
        cells = _typed(table, name)
        unseen = "empty in every row but those held out for the test" if cells[train].is_null().all() else ""
        if reason := _uselessness(cells) or unseen:
            frame = without(frame, name)
            reasons.setdefault(reason, []).append(name)
            continue
        frame = frame.with_columns(cells)
        notes += _reading(table.frame[name], cells) + _oddities(table, name, cells)
    notes += [f"{named(names)} dropped: {reason}" for reason, names in reasons.items()]
    if not frame.width:
        raise DataFileError(f"{table.path}: no column is left to learn from besides {target!r}; {'; '.join(notes)}")
    return frame, notes


def as_learnt(table: Table, columns: Columns) -> DataFrame:
    """Return a table with the columns a network knows as what it knows them for: numbers, or text."""
    frame = table.frame
    for column in columns.columns:
        if column.kind == "number" and column.name in frame.columns:
            frame = frame.with_columns(all_numbers(table, column.name))
    return frame


def all_numbers(table: Table, name: str) -> Series:
    """Return a column as numbers; the first cell that is none is an error."""
    cells = table.frame[name]
    if cells.dtype.is_temporal() or cells.dtype.is_nested():
        raise DataFileError(f"{table.path}: column {name!r} is {cells.dtype}, and numbers are needed")
    values = _values(table, name)
    wrong = (values.is_null() & cells.is_not_null()).to_numpy()
    if wrong.any():
        row = int(np.argmax(wrong))
        raise DataFileError(
            f"{table.where(row, name)}: {cells[row]!r:.80} is not a number; mend the cell, empty it (then the median "
            f"takes its place), or leave the column out: --drop {name!r} when training"
        )
    return values


def _values(table: Table, name: str) -> Series:
    cells = table.frame[name]
    found = truths(cells)
    return numbers(cells, table.decimal_comma) if found is None else found


def _typed(table: Table, name: str) -> Series:
    """Return a column as numbers where nearly all its cells are, else as text."""
    cells = table.frame[name]
    known = cells.drop_nulls()
    if cells.dtype.is_temporal() or (_is_text(cells) and known.len() and known.str.contains(DATE).all()):
        raise DataFileError(
            f"{table.path}: column {name!r} holds dates{f', such as {known[0]}' if known.len() else ''}, and a network "
            f"takes numbers; --drop {name!r}, or put numbers in its place, such as the year, the month, or days since "
            "a day"
        )
    if cells.dtype.is_nested():
        raise DataFileError(
            f"{table.path}: column {name!r} is {cells.dtype}, and a network takes numbers; --drop {name!r}"
        )
    values = _values(table, name)
    wrong = values.is_null() & cells.is_not_null()
    if not wrong.any():
        return values
    few = cells.filter(wrong).n_unique() <= TYPING_MISTAKES
    if few and 2 * int(wrong.sum()) <= cells.len() - cells.null_count():
        return all_numbers(table, name)  # which names the cell
    return cells


def _uselessness(cells: Series) -> str:
    """Return why a column would teach nothing, or ''."""
    known = cells.drop_nulls()
    different = known.n_unique()
    if not different:
        return "empty in every row"
    if different == 1 and not cells.null_count():
        return "the same in every row"
    if _is_text(cells):
        if different > SMALL and 2 * different > known.len():
            return f"{different:,} different texts in {known.len():,} rows, so these are names, or free text"
        return ""
    if re.fullmatch(INDEX, cells.name) and different == cells.len() > 2 and (known == known.round()).all():
        if cells.name == "column 0" and not (known.diff(null_behavior="drop") == 1).all():
            return ""
        return "no more than a number of the row (rename it to keep it)"
    return ""


def _reading(cells: Series, values: Series) -> list[str]:
    """Say how numbers with thousands separated were read: 1,234 could be meant otherwise."""
    if cells.dtype == values.dtype:
        return []
    grouped = cells.str.contains(r"^[+-]?\d{1,3}([.,]\d{3})+$").fill_null(False) & (values.abs() >= 1000)
    if not grouped.any():
        return []
    row = int(grouped.arg_max() or 0)
    return [f"column {values.name!r}: {cells[row]!r:.80} is read as {values[row]:.0f}"]


def _oddities(table: Table, name: str, cells: Series) -> list[str]:
    """Say what is most likely not what it was read as: a number far from all others, a text of many kinds."""
    if _is_text(cells):
        many = cells.drop_nulls().n_unique()
        rule = f"column {name!r} is text of {many} kinds, an input for each; --drop {name!r} leaves it out"
        return [rule] if many > SMALL else []
    values = cells.cast(float)
    low, middle, high = (values.quantile(q) for q in (0.25, 0.5, 0.75))
    if None in (low, middle, high) or high == low:
        return []
    distance = (values - middle).abs()
    row = int(distance.arg_max() or 0)
    if distance[row] <= FAR * (high - low):
        return []
    return [
        f"{table.where(row, name)}: {values[row]:.6g} is far from all others of its column, which are about "
        f"{middle:.6g}; mend the cell, or empty it"
    ]


def _is_text(cells: Series) -> bool:
    return str(cells.dtype) == "String"
