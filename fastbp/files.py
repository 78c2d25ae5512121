"""Files that are written whole or not at all."""

import hashlib
import os
import stat
import uuid
from contextlib import suppress

try:
    import fcntl
except ImportError:  # Windows, where an open file cannot be removed
    fcntl = None  # type: ignore[assignment]

_O_BINARY = getattr(os, "O_BINARY", 0)  # Windows
_cleared: set[str] = set()  # paths beside which this process has looked for what killed ones left


def replace(path: str | os.PathLike[str], content: bytes) -> None:
    """Put `content` where `path` is; a link at `path` is followed, as by `open`.

    An OSError names the path, and leaves the file as it was. What a save that was killed has left behind is removed by
    the next one.
    """
    path = os.path.realpath(path)
    folder, name = os.path.split(path)
    mode = _mode_of(path)
    if not os.path.isdir(folder):
        raise FileNotFoundError(f"cannot save to {path!r}: there is no folder {folder!r}; make it first")
    prefix = f".fastbp-{hashlib.sha256(os.fsencode(name)).hexdigest()[:8]}-"
    try:
        if path not in _cleared:
            _clear(folder, prefix)
            _cleared.add(path)
        _replace(path, folder, prefix, content, mode)
    except OSError as error:
        if error.errno is None:
            raise
        raise OSError(
            error.errno, f"{error.strerror}; nothing was saved, and what was there is as it was", path
        ) from None


def _replace(path: str, folder: str, prefix: str, content: bytes, mode: int | None) -> None:
    descriptor, temporary = _create(folder, prefix)
    try:
        with open(descriptor, "wb") as file:
            if mode is not None:
                os.chmod(temporary, mode)
            file.write(content)
            file.flush()
            os.fsync(descriptor)
            if fcntl:  # before the lock on it is gone
                os.replace(temporary, path)
        if not fcntl:
            os.replace(temporary, path)
    except BaseException:  # Ctrl-C too
        with suppress(OSError):
            os.unlink(temporary)
        raise
    _sync_folder(folder)


def _create(folder: str, prefix: str) -> tuple[int, str]:
    """Return a new file, locked as long as it is open: who finds one that is not may remove it."""
    while True:
        temporary = os.path.join(folder, f"{prefix}{uuid.uuid4().hex}.tmp")
        # O_EXCL: a file or link that someone has put there is never followed.
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _O_BINARY, 0o666)
        if _lock(descriptor) and not _is_there(temporary, descriptor):  # somebody was faster than the lock
            os.close(descriptor)
            continue
        return descriptor, temporary


def _clear(folder: str, prefix: str) -> None:
    """Remove files that nobody is writing to any more."""
    for name in os.listdir(folder):
        if name.startswith(prefix) and name.endswith(".tmp"):
            with suppress(OSError):
                _remove_if_left(os.path.join(folder, name))


def _remove_if_left(temporary: str) -> None:
    if not fcntl:
        os.unlink(temporary)
        return
    descriptor = os.open(temporary, os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK)
    try:
        if _lock(descriptor):
            os.unlink(temporary)
    finally:
        os.close(descriptor)


def _lock(descriptor: int) -> bool:
    """Lock a file if nobody else has; False too where the file system knows no locks."""
    if not fcntl:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _is_there(path: str, descriptor: int) -> bool:
    try:
        return os.path.samestat(os.stat(path, follow_symlinks=False), os.fstat(descriptor))
    except FileNotFoundError:
        return False


def _mode_of(path: str) -> int | None:
    """Return the permissions of the file to be replaced; None if there is none."""
    try:
        status = os.stat(path)
    except FileNotFoundError:
        return None
    if not stat.S_ISREG(status.st_mode):  # a device must not be replaced by a file
        kind = IsADirectoryError if stat.S_ISDIR(status.st_mode) else OSError
        raise kind(f"cannot save to {path!r}: not a regular file")
    return stat.S_IMODE(status.st_mode)


def _sync_folder(folder: str) -> None:
    """Make the new name survive a power failure, where the system can."""
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError:  # some network file systems cannot
        pass
    finally:
        os.close(descriptor)
