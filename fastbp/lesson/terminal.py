"""The lesson as text for a terminal or a pipe, at most 100 columns wide."""

import re
import shutil
from collections.abc import Sequence
from unicodedata import east_asian_width

from . import charts
from .written import Block

WIDEST = 100
CHINESE = "\u3000-\u9fff\uff00-\uffef"  # and its signs
WORD = rf"[^\s“”{CHINESE}]+"
PIECE = re.compile(
    rf"\s+|[“（《]*(?:{WORD}(?: [-+=⊙/] {WORD}| %\S*)*|[^\s])[”，。；：、）》]*"
)  # `a - y` is one, `9 %.`


def as_text(title: str, blocks: Sequence[Block]) -> str:
    """Return the lesson in lines."""
    width = min(WIDEST, max(60, shutil.get_terminal_size((WIDEST, 24)).columns))
    lines = [title, "═" * _columns(title)]
    for block in blocks:
        lines.append("")
        if block.kind == "heading":
            lines += ["", block.text, "─" * _columns(block.text)]
        elif block.kind == "words":
            lines += wrap(block.text, width)
        elif block.chart is None:
            lines += [f"    {line}".rstrip() for line in block.text.splitlines()]
        else:
            lines += [*charts.as_text(block.chart).splitlines(), *wrap(block.text, width)]
    return "\n".join(lines)


def _columns(text: str) -> int:
    """Return the columns that text takes in a terminal: Chinese characters take two."""
    return sum(2 if east_asian_width(char) in "WF" else 1 for char in text)


def unbroken(text: str) -> str:
    """Return the text for a page: no line ends inside its formulas, nor inside 64-30-10."""
    kept = (piece if piece.isspace() else piece.replace(" ", "\N{NO-BREAK SPACE}") for piece in PIECE.findall(text))
    return re.sub(r"(?<=\d)-(?=\d)", "\N{NON-BREAKING HYPHEN}", "".join(kept))


def wrap(text: str, width: int) -> list[str]:
    """Break lines between words, and between Chinese characters, but not in front of a closing sign."""
    lines = [""]
    for piece in PIECE.findall(text):
        if _columns((lines[-1] + piece).rstrip()) > width:
            lines.append("")
        lines[-1] += piece
    return [line.strip() for line in lines]
