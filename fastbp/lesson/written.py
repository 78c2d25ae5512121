"""Numbers as one writes them by hand, the same in every language."""

from collections.abc import Iterable, Sequence
from itertools import zip_longest
from typing import NamedTuple

import numpy as np

from ..formulas import Array
from .charts import Chart

Term = tuple[float, float]  # two factors


class Block(NamedTuple):
    """A heading, a paragraph, lines of numbers, or a chart with its caption."""

    kind: str  # "heading", "words", "numbers" or "chart"
    text: str
    chart: Chart | None = None


def given(value: float) -> str:
    """Write a number as it was chosen."""
    return f"{value:g}"


def found(value: float) -> str:
    """Write a number that was computed."""
    return f"{value:.5f}"


def number(value: float) -> str:
    """Write a chosen number as it is, and any other to five places."""
    return given(value) if float(given(value)) == value else found(value)


def factor(value: float) -> str:
    """Write a number inside a product or a sum."""
    return f"({number(value)})" if value < 0 else number(value)


def product(*values: float) -> str:
    """Write a product."""
    first, *others = values
    return "·".join([number(first), *map(factor, others)])


def total(terms: Iterable[Term], *summands: float) -> str:
    """Write a sum of products, and what is added to it."""
    products = [f"{factor(one)}·{factor(other)}" for one, other in terms]
    return " + ".join([*products, *map(factor, summands)])


def vector(values: Array) -> str:
    """Write a vector in a line."""
    return f"({', '.join(map(number, np.ravel(values).tolist()))})"


def matrix(head: str, values: Array) -> str:
    """Write a matrix, or a vector as a column, behind its name."""
    rows = np.reshape(values, (len(values), -1)).tolist()
    width = max(len(number(value)) for row in rows for value in row)
    lines = ["[ " + "  ".join(f"{number(value):>{width}}" for value in row) + " ]" for row in rows]
    return "\n".join(f"{head if place == 0 else '':{len(head)}} {line}" for place, line in enumerate(lines))


def beside(*blocks: str) -> str:
    """Put blocks of lines side by side."""
    columns = [block.split("\n") for block in blocks]
    widths = [max(map(len, column)) for column in columns]
    rows = zip_longest(*columns, fillvalue="")
    return "\n".join(
        "    ".join(f"{line:{width}}" for line, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )


def columns(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Write a table."""
    table = [heads, *rows]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    return "\n".join("   ".join(f"{c:>{w}}" for c, w in zip(row, widths, strict=True)) for row in table)


def aligned(pairs: Iterable[tuple[str, str]]) -> str:
    """Write lines, and what stands behind each in a column of its own."""
    pairs = list(pairs)
    width = max(len(line) for line, _ in pairs)
    return "\n".join(f"{line:{width}}    {behind}".rstrip() for line, behind in pairs)


def up(n: int) -> str:
    """Write the number of a layer, or an exponent."""
    return str(n).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))


def low(*places: int) -> str:
    """Write an index: place 0 is neuron 1."""
    return "".join(str(place + 1) for place in places).translate(str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉"))
