"""The disk cache of compiled kernels, mended: one self-checking file per compiled signature.

numba's own cache knows neither compile flags nor edits in other files, lets a damaged file break
the caller, and needs a writable folder. Here a file's name holds a digest of everything that shapes
the machine code, its first 32 bytes are the SHA-256 of the rest, and nothing that goes wrong with a
file or a folder ever reaches the caller: the kernel is then compiled in memory.

Cached code is code: a folder that others can write to is neither read nor written.
"""

import functools
import hashlib
import os
import pickle
import platform
import stat
import sys
import uuid
import warnings
from pathlib import Path
from typing import NamedTuple

import llvmlite
import numba
import numpy as np
from numba.core import config, serialize, sigutils
from numba.core.caching import _Cache
from numba.core.compiler import CompileResult

from .target import LANES

PACKAGE = Path(__file__).resolve().parents[1]
# All that kernels can import, hence all that can be baked into their code (a test keeps it so).
SOURCES = ("kernels", "formulas", "parameters.py", "workspace.py")
DIGEST_SIZE = hashlib.sha256().digest_size


def _digest(*parts: object) -> str:
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:16]


@functools.cache
def sources_digest() -> str | None:
    """Return a digest of every source that can shape a kernel; None if they cannot be read."""
    try:
        folders = [PACKAGE / name for name in SOURCES if not name.endswith(".py")]
        files = [PACKAGE / name for name in SOURCES if (PACKAGE / name).is_file()]
        files += [file for folder in folders for file in sorted(folder.rglob("*.py"))]
        contents = [(file.relative_to(PACKAGE).as_posix(), file.read_bytes()) for file in files]
    except OSError:
        return None
    return _digest(*contents) if contents else None


@functools.cache
def _environment() -> tuple[object, ...]:
    """Return what shapes all kernels alike, besides sources and processor."""
    versions = (sys.version, numba.__version__, llvmlite.__version__, np.__version__)
    flags = ("OPT", "BOUNDSCHECK", "LOOP_VECTORIZE", "SLP_VECTORIZE", "DEBUGINFO_DEFAULT")
    return versions, LANES, tuple((flag, getattr(config, flag, None)) for flag in flags)


@functools.cache
def warn_once(reason: str) -> None:
    """Warn, once per process and reason, that kernels are compiled anew."""
    warnings.warn(f"fastbp: {reason}; see `fastbp doctor`", RuntimeWarning, stacklevel=2)


# Folders


def folders() -> list[Path]:
    """Return where cached kernels may live, the best place first: read all, write to the first."""
    leaf = f"fastbp-{_digest(str(PACKAGE))}"  # installations never meet in one folder
    if config.CACHE_DIR:  # NUMBA_CACHE_DIR: wanted there, so nowhere else
        return [Path(config.CACHE_DIR).absolute() / leaf]
    return [PACKAGE / "kernels" / "__pycache__", *(home / leaf for home in _user_cache())]


def _user_cache() -> list[Path]:
    if platform.system() == "Windows":
        home = os.environ.get("LOCALAPPDATA", "")
    elif platform.system() == "Darwin":
        home = os.path.expanduser("~/Library/Caches")
    else:
        home = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return [Path(home)] if os.path.isabs(home) else []  # "~" stays as it is where no home is known


def problem(folder: Path) -> str | None:
    """Say why code from this folder must not be run: others could have put it there."""
    try:
        status = os.lstat(folder)
    except OSError as error:
        return error.strerror or str(error)
    if not stat.S_ISDIR(status.st_mode):
        return "not a directory"
    if not hasattr(os, "geteuid"):  # Windows: the user's profile is private
        return None
    ours = status.st_uid == os.geteuid()
    if not ours and status.st_uid != 0:
        return f"owned by another user ({status.st_uid})"
    if status.st_mode & stat.S_IWOTH or (status.st_mode & stat.S_IWGRP and not ours):
        return f"others can write to it (mode {stat.S_IMODE(status.st_mode):o})"
    return None


def _prepare(folder: Path) -> None:
    """Create the folder, private, or raise OSError."""
    folder.mkdir(mode=0o755 if folder.name == "__pycache__" else 0o700, parents=True, exist_ok=True)
    if reason := problem(folder):
        raise OSError(f"cache folder {str(folder)!r}: {reason}")


class CacheInfo(NamedTuple):
    """Where compiled kernels are kept: for `fastbp doctor`."""

    folder: str | None  # the folder in use; None: compiled anew in each process
    writable: bool
    files: int  # of the present sources
    refused: dict[str, str]  # folder -> why it is not used


def cache_info() -> CacheInfo:
    """Return where compiled kernels are kept and how many there are."""
    refused, found, writable = {}, None, False
    for folder in folders():
        try:
            _prepare(folder)
        except OSError as error:
            refused[str(folder)] = problem(folder) or str(error)
            continue
        if os.access(folder, os.W_OK):
            found, writable = folder, True
            break
        found = found or folder
    files = len(list(found.glob(f"*-{sources_digest()}-*.nbc"))) if found else 0
    return CacheInfo(str(found) if found else None, writable, files, refused)


# Files


class KernelCache(_Cache):
    """The cache of one kernel, in the place of numba's FunctionCache.

    A file is named `module.function-<sources>-<signature, options, processor, versions>.nbc`.
    There is no index, so processes that compile at the same time cannot lose each other's entries.
    """

    def __init__(self, dispatcher):
        function = dispatcher.py_func
        self._stem = f"{function.__module__}.{function.__qualname__}"
        # A set of strings has another order in each process.
        self._options = sorted(
            (name, sorted(value) if isinstance(value, set) else value)
            for name, value in dispatcher.targetoptions.items()
        )
        self._enabled = True

    @property
    def cache_path(self):
        """Show the folder in the statistics of a dispatcher."""
        return str(folders()[0])

    def enable(self):
        """Use the disk."""
        self._enabled = True

    def disable(self):
        """Leave the disk alone."""
        self._enabled = False

    def flush(self):
        """Remove every file of this kernel."""
        for folder in folders():
            _remove(folder.glob(f"{self._stem}-*"))

    def load_overload(self, sig, target_context):
        """Return the compiled code for this signature, or None."""
        if not self._enabled or sources_digest() is None:
            return None
        target_context.refresh()
        name = self._file_name(sig, target_context.codegen())
        for folder in folders():
            if problem(folder) is None and (result := _load(folder / name, target_context)):
                return result
        return None

    def save_overload(self, sig, cres):
        """Keep the compiled code of this signature, where possible."""
        if not self._enabled or sources_digest() is None:
            return
        if cres.library.has_dynamic_globals:
            warn_once(f"{self._stem} cannot be cached, it refers to an address of this process")
            return
        name = self._file_name(sig, cres.codegen)
        try:
            payload = serialize.dumps(cres._reduce())
        except Exception as error:  # numba's private parts: the kernel itself is fine
            warn_once(f"compiled kernels cannot be cached ({error!r})")
            return
        self._save(name, hashlib.sha256(payload).digest() + payload)

    def _file_name(self, sig, codegen):
        parts = sigutils.normalize_signature(sig), self._options, codegen.magic_tuple()
        key = _digest(parts, _environment())
        return f"{self._stem}-{sources_digest()}-{key}.nbc"

    def _save(self, name, content):
        reason = "no folder"
        for folder in folders():
            try:
                _prepare(folder)
                _write(folder / name, content)
            except OSError as error:
                reason = str(error)
            else:
                stale = set(folder.glob(f"{self._stem}-*"))
                _remove(stale - set(folder.glob(f"{self._stem}-{sources_digest()}-*")))
                return
        warn_once(f"compiled kernels cannot be cached ({reason})")


def _load(path, target_context):
    """Return the compile result kept in `path`, or None; a damaged file is removed."""
    try:
        content = path.read_bytes()
    except OSError:
        return None
    digest, payload = content[:DIGEST_SIZE], content[DIGEST_SIZE:]
    try:
        # numba checks nothing, and a wrong byte of machine code is a crash or a wrong number.
        if hashlib.sha256(payload).digest() != digest:
            raise ValueError("wrong checksum")
        return CompileResult._rebuild(target_context, *pickle.loads(payload))
    except Exception as error:  # whatever a broken pickle can raise
        _remove([path])
        warn_once(f"removed a damaged file from the cache of compiled kernels ({error!r})")
        return None


def _write(path, content):
    """Write all or nothing: other processes see the old file or the new one."""
    temporary = path.with_name(f"{path.name}.{uuid.uuid4().hex[:12]}.tmp")
    try:
        with open(temporary, "xb") as file:
            file.write(content)
        os.replace(temporary, path)
    except BaseException:
        _remove([temporary])
        raise


def _remove(paths):
    for path in paths:
        try:
            path.unlink(missing_ok=True)
        except OSError:  # in use, or not ours: best effort
            continue
