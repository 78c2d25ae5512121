"""Numbers as people write them: 1,234.5 and 1.234,5 and 1 234,5; and the words true and false."""

import math
from typing import Any, TypeAlias

DataFrame: TypeAlias = Any  # of polars, which is imported only where something is read
Series: TypeAlias = Any
BLANKS = " \u00a0\u202f\u2009'’"  # plain, no-break, narrow and thin ones; an apostrophe is Swiss
POINT = rf"^[+-]?[1-9]\d{{0,2}}([,{BLANKS}]\d{{3}})+(\.\d+)?$"  # with thousands separated
COMMA = rf"^[+-]?(\d*|[1-9]\d{{0,2}}([.{BLANKS}]\d{{3}})+)(,\d+)?([eE][+-]?\d+)?$"
CERTAIN = r"^[+-]?0,|,\d{1,2}([eE].*)?$|,\d{4,}([eE].*)?$"  # no thousands are separated like this
BOOLS = {"true": 1.0, "false": 0.0}


def without(frame: DataFrame, *names: str) -> DataFrame:
    """Return a table without these columns; frame.drop("*") would drop all of them."""
    return type(frame)([series for series in frame.get_columns() if series.name not in names])


def is_number(cell: str) -> bool:
    """Whether a cell reads as a number, with whatever separators."""
    try:
        return math.isfinite(float(cell.replace(",", ".", 1)))
    except ValueError:
        bare = cell.replace(",", "").replace(".", "").translate(str.maketrans("", "", BLANKS))
        return bare.lstrip("+-").isdecimal()


def decimal_comma(frame: DataFrame, separator: str) -> bool:
    """Whether the numbers of a table have decimal commas.

    A cell such as 3,14 decides. Where there are only such as 1,234, a table separated by semicolons is taken for one
    with decimal commas, as spreadsheets write it, and any other for one with thousands separated.
    """
    for cells in (series.drop_nulls() for series in frame):
        decimal = cells.str.contains(",") & cells.str.contains(COMMA)
        if decimal.any() and cells.str.contains(rf"{COMMA}|^[+-]?\d*\.?\d+$").all():
            certain = cells.filter(decimal).str.contains(CERTAIN).any()
            if certain or separator == ";":
                return True
    return False


def numbers(cells: Series, comma: bool) -> Series:
    """Return a column as numbers, null where a cell is none."""
    if str(cells.dtype) != "String":
        return cells.cast(float)
    plain = cells.cast(float, strict=False)
    plain = plain.set(plain.is_infinite().fill_null(False) | plain.is_nan().fill_null(False), None)
    known = cells.drop_nulls()
    if comma and known.str.contains(COMMA).all():  # 1.234 is 1234 here, unless 1.2 tells otherwise
        return _bare(cells, r"[.{}]").str.replace(",", ".", literal=True).cast(float, strict=False)
    if plain.null_count() == cells.null_count():
        return plain
    pattern, group = (COMMA, r"[.{}]") if comma else (POINT, r"[,{}]")
    grouped = cells.str.contains(pattern).fill_null(False)
    bare = _bare(cells, group)
    bare = bare.str.replace(",", ".", literal=True) if comma else bare
    return bare.cast(float, strict=False).zip_with(grouped, plain)


def truths(cells: Series) -> Series | None:
    """Return a column of nothing but true and false as 1 and 0."""
    if str(cells.dtype) != "String" or cells.null_count() == cells.len():
        return None
    words = cells.str.to_lowercase()
    if not words.drop_nulls().is_in(list(BOOLS)).all():
        return None
    return words.replace_strict(list(BOOLS), list(BOOLS.values()))


def _bare(cells: Series, group: str) -> Series:
    return cells.str.replace_all(group.replace("{}", BLANKS), "")
