"""Show how back-propagation works: chapter 2 of Nielsen's book as a run in a minute, all numbers computed now.

Forward in matrix form, the two assumptions, the error, the four equations with their checks; then the book's
experiments: one neuron, the slow layers of a deep network, and a cure.
"""

import argparse
import shutil
import textwrap
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from unicodedata import east_asian_width

from .. import files
from ..lesson import en, zh
from ..lesson.charts import as_figure, as_text
from ..lesson.experiments import run as run_experiments
from ..lesson.story import Block, tell
from ..pages import Page
from . import place
from .outcome import Outcome

LANGUAGES = {"en": en.WORDS, "zh": zh.WORDS}
WIDEST = 100


def add_options(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    add = parser.add_argument
    add("--lang", choices=LANGUAGES, default="en", help="English (default) or Chinese")
    add("--html", metavar="FILE.html", help="write a page with plots instead of the text")


def run(options: argparse.Namespace) -> Outcome:
    """Compute the lesson, and tell it."""
    path = _place(options.html)
    words = LANGUAGES[options.lang]
    lesson = run_experiments()
    blocks = tell(lesson, words)
    report = {
        "neurons": [neuron._asdict() | {"half": neuron.half} for neuron in lesson.neurons],
        "deep": [deep._asdict() | {"slowdown": deep.slowdown} for deep in (lesson.sigmoid, lesson.steady)],
    }
    if path is None:
        return Outcome(report, _text(words["title"], blocks))
    files.replace(path, _page(words["title"], blocks, options.lang).encode())
    return Outcome(report | {"page": str(path)}, f"lesson      {path}")


def _place(wanted: str | None) -> Path | None:
    """Return where the page goes, before any work is done."""
    if wanted is None:
        return None
    if find_spec("matplotlib") is None:
        raise ImportError("the page has plots, which need matplotlib: pip install 'fastbp[plot]'; or leave out --html")
    return place.checked(Path(wanted), "--html")


def _text(title: str, blocks: Sequence[Block]) -> str:
    width = min(WIDEST, max(60, shutil.get_terminal_size((WIDEST, 24)).columns))
    lines = [title, "═" * _columns(title)]
    for block in blocks:
        lines.append("")
        if block.kind == "heading":
            lines += ["", block.text, "─" * _columns(block.text)]
        elif block.kind == "words":
            lines += _wrap(block.text, width)
        elif block.chart is None:
            lines += [f"    {line}" for line in block.text.splitlines()]
        else:
            lines += [*as_text(block.chart).splitlines(), *_wrap(block.text, width)]
    return "\n".join(lines)


def _page(title: str, blocks: Sequence[Block], lang: str) -> str:
    page = Page(title, lang)
    for block in blocks:
        if block.chart is not None:
            chart = block.chart
            page.figure(lambda chart=chart: as_figure(chart), block.text)  # type: ignore[misc]
        else:
            {"heading": page.heading, "words": page.paragraph, "numbers": page.text}[block.kind](block.text)
    return page.render()


def _columns(text: str) -> int:
    """Return the columns that text takes in a terminal: Chinese characters take two."""
    return sum(2 if east_asian_width(char) in "WF" else 1 for char in text)


def _wrap(text: str, width: int) -> list[str]:
    """Break lines: between words, or where text has few, as Chinese, between characters."""
    if _columns(text) == len(text):
        return textwrap.wrap(text, width)
    lines = [""]
    for char in text:
        if _columns(lines[-1] + char) > width and char not in "，。；：）、 ":
            lines.append("")
        lines[-1] += char
    return [line.strip() for line in lines]
