"""Tables for notebooks."""

from collections.abc import Container, Sequence
from html import escape

Row = Sequence[object]

MARKED = ' style="color: #d0342c; font-weight: bold"'


def table(heads: Sequence[str], rows: Sequence[Row], caption: str = "", marked: Container[int] = ()) -> str:
    """Return an HTML table; the rows whose places are in `marked` stand out. All text is escaped."""
    lines = ["<table>"]
    if caption:
        lines.append(f'<caption style="text-align: left">{escape(caption)}</caption>')
    lines.append(f"<thead><tr>{_cells('th', heads)}</tr></thead>")
    lines.append("<tbody>")
    for place, row in enumerate(rows):
        lines.append(f"<tr{MARKED if place in marked else ''}>{_cells('td', row)}</tr>")
    return "\n".join([*lines, "</tbody>", "</table>"])


def _cells(tag: str, values: Sequence[object]) -> str:
    return "".join(f"<{tag}>{escape(str(value))}</{tag}>" for value in values)
