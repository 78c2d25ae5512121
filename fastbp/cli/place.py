"""Where a page goes: found before any work is done, and no file of anybody else's is written over."""

from pathlib import Path

from ..pages import is_ours
from .outcome import UsageError


def checked(path: Path, option: str) -> Path:
    """Return where the page goes, a new file or a page of ours; `option` is the one that names another."""
    if not path.absolute().parent.is_dir():
        raise FileNotFoundError(f"{path.parent}: no such folder; make it, or choose another {option}")
    if path.exists() and not is_ours(path):
        raise UsageError(f"{path} is there already and not by fastbp; name another with {option} FILE.html")
    return path
