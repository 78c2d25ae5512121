"""Where compiled kernels are kept on disk.

Cached code is code: a folder that others can write to is neither read nor written.
"""

import hashlib
import os
import stat
import sys
from functools import cache
from pathlib import Path
from typing import NamedTuple

from numba.core import config

PACKAGE = Path(__file__).resolve().parents[1]


def folders() -> list[Path]:
    """Return the places to look in, the best first; kernels are written to the first that works.

    The package's own `__pycache__` comes first, so that code compiled while an image or an
    environment is built serves everyone who uses it.
    """
    # Installations never meet in one folder.
    leaf = f"fastbp-{hashlib.sha256(os.fsencode(PACKAGE)).hexdigest()[:16]}"
    if config.CACHE_DIR:  # NUMBA_CACHE_DIR: wanted there, so nowhere else
        return [Path(config.CACHE_DIR).absolute() / leaf]
    home = _user_cache()
    places = [PACKAGE / "kernels" / "__pycache__", Path(home) / leaf]
    return places if os.path.isabs(home) else places[:1]


def _user_cache() -> str:
    """Return the user's folder for caches; it stays relative where no home is known."""
    if sys.platform == "win32":
        return os.environ.get("LOCALAPPDATA", "")
    if sys.platform == "darwin":
        return os.path.expanduser("~/Library/Caches")
    return os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")


def problem(folder: Path) -> str | None:
    """Say why code from this folder must not be run, or None: others could have put it there, or the folder itself."""
    try:
        status = os.lstat(folder)
    except OSError as error:
        return error.strerror or str(error)
    if not stat.S_ISDIR(status.st_mode):
        return "not a directory"
    if reason := _open_to_others(status):
        return reason
    for parent in folder.resolve().parents:
        status = os.stat(parent)
        sticky = status.st_mode & stat.S_ISVTX  # others may add to it, as to /tmp, but not move what is there
        if (reason := _open_to_others(status)) and not (sticky and status.st_uid == 0):
            return f"{parent}: {reason}"
    return None


def read(path: Path) -> bytes:
    """Return the content of a file of code; one that others could have written raises PermissionError."""
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0))
    with open(descriptor, "rb") as file:
        status = os.fstat(descriptor)
        reason = "not a file" if not stat.S_ISREG(status.st_mode) else _open_to_others(status)
        if reason is None and status.st_nlink > 1:
            reason = "it has another name, too"
        if reason:
            raise PermissionError(f"{path}: {reason}")
        return file.read()


def _open_to_others(status: os.stat_result) -> str | None:
    """Say who else could have changed what has this status."""
    if not hasattr(os, "geteuid"):  # Windows: the user's profile is private
        return None
    if status.st_uid not in (os.geteuid(), 0):
        return f"owned by another user ({status.st_uid})"
    if status.st_mode & stat.S_IWOTH or (status.st_mode & stat.S_IWGRP and not _is_private(status.st_gid)):
        return f"others can write to it (mode {stat.S_IMODE(status.st_mode):o})"
    return None


@cache
def _is_private(group: int) -> bool:
    """Whether a group is the user's alone, as many systems make one for each: of the same name, without others."""
    import grp
    import pwd

    try:
        user, found = pwd.getpwuid(os.geteuid()), grp.getgrgid(group)
    except KeyError:
        return False
    return found.gr_gid == user.pw_gid and found.gr_name == user.pw_name and not set(found.gr_mem) - {user.pw_name}


def prepare(folder: Path) -> None:
    """Create the folder, private where it is a user's own, or raise OSError."""
    mode = 0o755 if folder.name == "__pycache__" else 0o700
    folder.mkdir(mode=mode, parents=True, exist_ok=True)
    if reason := problem(folder):
        raise OSError(f"{folder}: {reason}")


class CacheInfo(NamedTuple):
    """Where compiled kernels are kept, for `fastbp doctor`."""

    folder: str | None  # None: they are compiled anew in each process
    writable: bool
    files: int
    refused: dict[str, str]  # folder: why it is not used


def cache_info() -> CacheInfo:
    """Return where compiled kernels are kept and how many there are."""
    usable: list[Path] = []
    refused: dict[str, str] = {}
    writable = False
    for folder in folders():
        try:
            prepare(folder)
        except OSError as error:
            refused[str(folder)] = str(error)
            continue
        usable.append(folder)
        if writable := os.access(folder, os.W_OK):
            break
    files = {file.name for folder in usable for file in folder.glob("*.nbc")}
    best = str(usable[-1]) if usable else None
    return CacheInfo(best, writable, len(files), refused)
