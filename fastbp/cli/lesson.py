"""Show how back-propagation works: chapter 2 of Nielsen's book as a run in a minute, all numbers computed now.

Forward in matrix form, the two assumptions, the error, the four equations with their checks; then the book's
experiments: one neuron, the slow layers of a deep network, and a cure.
"""

import argparse
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from .. import files
from ..lesson import en, zh
from ..lesson.charts import as_figure
from ..lesson.experiments import run as run_experiments
from ..lesson.story import tell
from ..lesson.terminal import as_text, unbroken
from ..lesson.written import Block
from ..pages import Page
from . import place
from .outcome import Outcome, UsageError

LANGUAGES = {"en": en.WORDS, "zh": zh.WORDS}


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
    report = _plain(lesson)
    if path is None:
        text = as_text(words["title"], blocks)
        return Outcome(report, text if options.json else _shown(text))
    files.replace(path, _page(words["title"], blocks, options.lang).encode())
    return Outcome(report | {"page": str(path)}, f"lesson      {path}")


def _place(wanted: str | None) -> Path | None:
    """Return where the page goes, before any work is done."""
    if wanted is None:
        return None
    if find_spec("matplotlib") is None:
        raise ImportError("the page has plots, which need matplotlib: pip install 'fastbp[plot]'; or leave out --html")
    return place.checked(Path(wanted), "--html")


def _shown(text: str) -> str:
    """Return the text, if the output has letters for it."""
    encoding = sys.stdout.encoding or "utf-8"
    try:
        text.encode(encoding)
    except UnicodeEncodeError as error:
        missing = f"the output's encoding, {encoding}, has no {error.object[error.start]!a}"
        raise UsageError(f"{missing}; set PYTHONIOENCODING=utf-8, or write a page with --html") from None
    return text


def _page(title: str, blocks: Sequence[Block], lang: str) -> str:
    page = Page(title, lang)
    for block in blocks:
        if block.chart is not None:
            chart = block.chart
            page.figure(lambda chart=chart: as_figure(chart), unbroken(block.text))  # type: ignore[misc]
        elif block.kind == "numbers":
            page.text(block.text)
        else:
            {"heading": page.heading, "words": page.paragraph}[block.kind](unbroken(block.text))
    return page.render()


def _plain(value: Any) -> Any:
    """Return what JSON has a word for: of a record its fields and its properties."""
    if hasattr(value, "_fields"):
        derived = [name for name, kind in vars(type(value)).items() if isinstance(kind, property)]
        return {name: _plain(getattr(value, name)) for name in [*value._fields, *derived]}
    if isinstance(value, (list, tuple)):
        return [_plain(entry) for entry in value]
    return value.tolist() if isinstance(value, np.ndarray) else value
