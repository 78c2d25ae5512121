"""The text of a table as it is found: its encoding, and what separates its cells."""

import csv
import re
from pathlib import Path
from typing import NamedTuple

from ..errors import DataFileError

MARKS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))
SEPARATORS = "\t;|,"  # tried in this order: a comma may be decimal, and stands in prose
SNIFFED = 2**16  # characters looked at
WAY_OUT = "export it again, as .csv in UTF-8"


class Text(NamedTuple):
    """The lines of a file, what separates cells, how many lines were left out before, and what was assumed."""

    content: str
    separator: str
    skipped: int
    notes: list[str]


def decode(path: Path | str, data: bytes) -> Text:
    """Return a file's text; what encoding had to be guessed is noted."""
    encoding, notes = _encoding(data), []
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError:
        if encoding != "utf-8":
            raise DataFileError(f"{path}: damaged text in {encoding}; {WAY_OUT}") from None
        text = data.decode("cp1252", errors="replace")
        notes.append("the text is no UTF-8 and was read as Windows-1252 (Western Europe); if letters look wrong, "
                     "save it as UTF-8")  # fmt: skip
    if "\0" in text:
        raise DataFileError(f"{path}: not a table in text, it has zero bytes; {WAY_OUT}")
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    content = lines.lstrip("\n")
    skipped = len(lines) - len(content)
    if match := re.match("sep=(.)\n", content, re.IGNORECASE):  # how Excel names it
        return Text(content[match.end() :], match[1], skipped + 1, notes)
    separator = _separator(content)
    if separator == " ":  # columns set with blanks, as NumPy's savetxt writes them
        content = "\n".join("\t".join(line.split()) for line in content.split("\n"))
        separator = "\t"
    return Text(content, separator, skipped, notes)


def rows(text: Text) -> list[tuple[int, list[str]]]:
    """Return the cells of each line that is not blank, with its number in the file; slow, and quick to complain."""
    reader = csv.reader(text.content.split("\n"), delimiter=text.separator)
    return [(reader.line_num + text.skipped, cells) for cells in reader if any(cells)]


def _encoding(data: bytes) -> str:
    for mark, name in MARKS:
        if data.startswith(mark):
            return name
    start = data[:1000]
    if start[1::2].count(0) > len(start) // 3:
        return "utf-16-le"
    return "utf-16-be" if start[::2].count(0) > len(start) // 3 else "utf-8"


def _separator(content: str) -> str:
    """Return what cuts the first lines into equally many cells, or else the first line into most."""
    start = content[:SNIFFED]
    lines = [line for line in start.split("\n")[: 21 if len(start) < SNIFFED else -1] if line.strip()][:20]
    if not lines:
        return ","
    for separator in SEPARATORS:
        try:
            widths = {len(cells) for cells in csv.reader(lines, delimiter=separator)}
        except csv.Error:
            continue
        if len(widths) == 1 and widths != {1}:
            return separator
    best = max(SEPARATORS, key=lines[0].count)
    if lines[0].count(best):
        return best
    blanks = {len(line.split()) for line in lines}
    return " " if len(blanks) == 1 and blanks != {1} else ","
