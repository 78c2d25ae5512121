"""Files that are written whole or not at all."""

import os
import stat
import uuid

_O_BINARY = getattr(os, "O_BINARY", 0)  # Windows


def replace(path: str | os.PathLike[str], content: bytes) -> None:
    """Put `content` where `path` is; a link at `path` is followed, as by `open`."""
    path = os.path.realpath(path)
    folder = os.path.dirname(path)
    temporary = os.path.join(folder, f".fastbp-{uuid.uuid4().hex}.tmp")
    mode = _mode_of(path)
    if not os.path.isdir(folder):
        raise FileNotFoundError(f"cannot save to {path!r}: there is no folder {folder!r}; make it first")
    # O_EXCL: a file or link that someone has put there is never followed.
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _O_BINARY, 0o666)
    try:
        with open(descriptor, "wb") as file:
            if mode is not None:
                os.chmod(temporary, mode)
            file.write(content)
            file.flush()
            os.fsync(descriptor)
        os.replace(temporary, path)
    except BaseException:  # Ctrl-C too
        os.unlink(temporary)
        raise
    _sync_folder(folder)


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
