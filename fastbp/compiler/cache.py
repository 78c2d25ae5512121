"""The disk cache of compiled kernels, mended: one self-checking file per compiled signature.

numba's own cache knows neither compile flags nor edits in other files, lets a damaged file break
the caller, and cannot do without a writable folder. Here a file's name holds a digest of all that
shapes the machine code, its first 32 bytes are the SHA-256 of the rest, and nothing that is wrong
with a file or a folder reaches the caller: the kernel is then compiled in memory.
"""

import functools
import hashlib
import os
import sys
import uuid
import warnings

import llvmlite
import numba
import numpy as np
from numba.core import config, serialize, sigutils

from .folders import PACKAGE, folders, prepare, problem, read
from .insides import CompileResult, _Cache, rtsys
from .target import LANES

# All that kernels import, hence all that can be baked into their code (a test keeps it so).
SOURCES = ("compiler", "vectors", "kernels", "formulas")
DIGEST_SIZE = hashlib.sha256().digest_size


def digest(*parts):
    """Return 64 bits of SHA-256 as text."""
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:16]


def sources_digest():
    """Return a digest of every source that can shape a kernel; None if they cannot be read."""
    try:
        files = [PACKAGE / name for name in SOURCES if (PACKAGE / name).is_file()]
        for name in SOURCES:
            files += sorted((PACKAGE / name).rglob("*.py"))
        names = [file.relative_to(PACKAGE).as_posix() for file in files]
        contents = [hashlib.sha256(file.read_bytes()).digest() for file in files]
    except OSError:
        return None
    return digest(names, contents) if files else None


IMPORTED = sources_digest()  # as they were when this package was imported


@functools.cache
def environment():
    """Return what shapes all kernels alike, besides sources and processor."""
    versions = (sys.version, numba.__version__, llvmlite.__version__, np.__version__)
    flags = ("OPT", "BOUNDSCHECK", "LOOP_VECTORIZE", "SLP_VECTORIZE", "DEBUGINFO_DEFAULT")
    return versions, LANES, [getattr(config, flag, None) for flag in flags]


_warned = set()


def warn_once(event, detail):
    """Warn that kernels are compiled anew: once per process and kind of event."""
    if event not in _warned:
        _warned.add(event)
        message = f"fastbp: {event} ({detail}); see `fastbp doctor`"
        warnings.warn(message, RuntimeWarning, stacklevel=2)


class Entry:
    """What the disk keeps of one compiled function, in a file `stem-<sources>-<digest of all else>.nbc`.

    There is no index, so processes that compile at the same time cannot lose each other's entries.
    """

    def __init__(self, stem, parts, sources=None):
        self.stem, self.sources = stem, sources or IMPORTED
        self.name = f"{stem}-{self.sources}-{digest(parts, environment())}.nbc"

    def load(self, rebuild):
        """Return what `rebuild` makes of the content, or None."""
        if self.sources is None:
            return None
        for folder in folders():
            if problem(folder) is None and (result := _load(folder / self.name, rebuild)):
                return result
        return None

    def save(self, state):
        """Keep what `state()` returns, where possible."""
        if self.sources is None or sources_digest() != self.sources:  # edited since imported
            return
        try:
            self._write(serialize.dumps(state()))
        except Exception as error:  # a full disk, numba's private parts: the kernel itself is fine
            warn_once("compiled kernels cannot be kept on disk", error)

    def _write(self, content):
        """Write to the first folder that works; there, remove what older sources left behind."""
        errors = []
        for folder in folders():
            try:
                prepare(folder)
                _write(folder / self.name, hashlib.sha256(content).digest() + content)
            except OSError as error:
                errors.append(str(error))
                continue
            kept = set(folder.glob(f"{self.stem}-{self.sources}-*"))
            _remove(set(folder.glob(f"{self.stem}-*")) - kept)
            return
        raise OSError("; ".join(errors))


class KernelCache(_Cache):
    """The cache of one kernel, in the place of numba's FunctionCache."""

    def __init__(self, dispatcher):
        function = dispatcher.py_func
        self._stem = f"{function.__module__}.{function.__qualname__}"
        self._sources = sources_digest()  # now, as they were imported
        # A set of strings has another order in each process.
        self._options = sorted(
            (name, sorted(value) if isinstance(value, set) else value)
            for name, value in dispatcher.targetoptions.items()
        )
        self._enabled = self._sources is not None

    @property
    def cache_path(self):
        """Show the folder in the statistics of a dispatcher."""
        return str(folders()[0])

    def enable(self):
        """Use the disk."""
        self._enabled = self._sources is not None

    def disable(self):
        """Leave the disk alone."""
        self._enabled = False

    def flush(self):
        """Remove every file of this kernel."""
        for folder in folders():
            _remove(folder.glob(f"{self._stem}-*"))

    def load_overload(self, sig, target_context):
        """Return the compiled code for this signature, or None."""
        if not self._enabled:
            return None
        # All that code from the disk needs of numba. Its own cache sets up everything that compiles, in 0.3 s and more.
        rtsys.initialize(target_context)
        entry = self._entry(sig, target_context.codegen())
        return entry.load(lambda state: CompileResult._rebuild(target_context, *state))

    def save_overload(self, sig, cres):
        """Keep the compiled code of this signature, where possible."""
        if not self._enabled:
            return
        if cres.library.has_dynamic_globals:
            warn_once("a kernel cannot be cached", f"{self._stem} holds an address of this process")
            return
        self._entry(sig, cres.codegen).save(cres._reduce)

    def _entry(self, sig, codegen):
        parts = sigutils.normalize_signature(sig), self._options, codegen.magic_tuple()
        return Entry(self._stem, parts, self._sources)


def _load(path, rebuild):
    """Return what `rebuild` makes of what is kept in `path`, or None; a damaged file is removed."""
    try:
        stored = read(path)
    except PermissionError as error:
        warn_once("compiled kernels that others could have written are not used", error)
        return None
    except OSError:
        return None
    content = stored[DIGEST_SIZE:]
    try:
        # numba checks nothing, and a wrong byte of machine code is a crash or a wrong number.
        if hashlib.sha256(content).digest() != stored[:DIGEST_SIZE]:
            raise ValueError("wrong checksum")
        return rebuild(serialize.loads(content))
    except Exception as error:  # whatever unpickling can raise
        _remove([path])
        warn_once("removed a damaged file of compiled kernels", f"{path}: {error!r}")
        return None


def _write(path, content):
    """Write all or nothing: other processes see no half of a file."""
    temporary = path.with_name(f"{path.name}.{uuid.uuid4().hex[:12]}.tmp")
    try:
        with open(temporary, "xb") as file:
            os.chmod(temporary, 0o644)  # whatever the umask: `read` trusts no other
            file.write(content)
        os.replace(temporary, path)
    except BaseException:
        _remove([temporary])
        raise


def _remove(paths):
    for path in paths:
        try:
            path.unlink(missing_ok=True)
        except OSError:  # in use, or not ours
            continue
