"""One self-contained HTML page: words, tables and pictures in one file, which needs no network and no script."""

import base64
import io
import re
import warnings
from collections.abc import Callable, Sequence
from html import escape
from pathlib import Path
from typing import Any

from .html import table

HEAD = (
    '<meta charset="utf-8"><meta name="viewport" content="width=device-width"><meta name="generator" content="fastbp">'
)
OURS = re.compile(rb'<!doctype html>\n<html lang="[^"]*"><head>' + re.escape(HEAD.encode()))  # so each page begins
STYLE = """
:root { color-scheme: light dark; --text: #1b1b1b; --back: #ffffff; --line: #d0d0d0; --soft: #f4f4f4; }
@media (prefers-color-scheme: dark) { :root { --text: #e6e6e6; --back: #16181c; --line: #40444c; --soft: #22252b; } }
body { font: 16px/1.55 system-ui, sans-serif; color: var(--text); background: var(--back); max-width: 60rem;
       margin: 2rem auto; padding: 0 1rem; overflow-wrap: break-word; }
h1 { font-size: 1.6rem; } h2 { font-size: 1.25rem; margin-top: 2.2rem; }
pre, .box { background: var(--soft); padding: .8rem; overflow-x: auto; border-radius: 4px; }
pre { font: 13px/1.4 ui-monospace, monospace; }
.box { padding: 0; } table { border-collapse: collapse; font-size: .85rem; }
th, td { border-bottom: 1px solid var(--line); padding: .25rem .6rem; text-align: right; white-space: nowrap; }
th:first-child, td:first-child { text-align: left; } caption { text-align: left; padding: .4rem .6rem; }
figure { margin: 1.2rem 0; } img { max-width: 100%; height: auto; } figcaption { font-size: .9rem; }
.advice { border-left: 4px solid #c1440e; padding-left: .8rem; } .good { border-color: #2e7d32; }
@media print { body { max-width: none; } pre { white-space: pre-wrap; } figure, table { break-inside: avoid; }
               .box { overflow: visible; } table { font-size: .7rem; }
               th, td { padding: .2rem .3rem; white-space: normal; } }
"""
DARK = "dark_background"
DPI = 110


class Page:
    """Parts, one below the other; all text is escaped."""

    def __init__(self, title: str, lang: str = "en") -> None:
        self.title, self.lang = title, lang
        self.parts: list[str] = []

    def heading(self, text: str) -> None:
        """Begin a section."""
        self.parts.append(f"<h2>{escape(text)}</h2>")

    def paragraph(self, text: str, kind: str = "") -> None:
        """Add a paragraph; kind "advice" or "advice good" makes it stand out."""
        self.parts.append(f'<p class="{kind}">{escape(text)}</p>' if kind else f"<p>{escape(text)}</p>")

    def text(self, text: str) -> None:
        """Add text whose spaces and lines stay as they are."""
        self.parts.append(f"<pre>{escape(text)}</pre>")

    def table(self, heads: Sequence[str], rows: Sequence[Sequence[object]], caption: str = "") -> None:
        """Add a table, which scrolls inside its box where it is too wide."""
        self.parts.append(f'<div class="box">{table(heads, rows, caption)}</div>')

    def figure(self, draw: Callable[[], Any], caption: str) -> None:
        """Add the figure that `draw` returns, drawn once for light pages and once for dark ones."""
        light, dark = picture(draw), picture(draw, DARK)
        self.parts.append(
            f'<figure><picture><source media="(prefers-color-scheme: dark)" srcset="{dark}">'
            f'<img src="{light}" alt="{escape(caption)}"></picture><figcaption>{escape(caption)}</figcaption></figure>'
        )

    def render(self) -> str:
        """Return the page."""
        title = escape(self.title)
        body = "\n".join([f"<h1>{title}</h1>", *self.parts])
        return (
            f'<!doctype html>\n<html lang="{escape(self.lang)}"><head>{HEAD}<title>{title}</title>'
            f"<style>{STYLE}</style></head>\n<body>\n{body}\n</body></html>\n"
        )


def is_ours(path: Path) -> bool:
    """Whether a file is a page of fastbp, which may be written again; one that merely quotes such a page is not."""
    with path.open("rb") as file:
        return OURS.match(file.read(1000)) is not None


def picture(draw: Callable[[], Any], style: str = "default") -> str:
    """Return a figure as a data URL of PNG."""
    from matplotlib import style as styles

    content = io.BytesIO()
    with styles.context(style), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing")  # names may be in any script; boxes are no reason to stop
        draw().savefig(content, format="png", dpi=DPI)
    return f"data:image/png;base64,{base64.b64encode(content.getvalue()).decode()}"
