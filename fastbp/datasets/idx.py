"""IDX, the file format of MNIST: 0 0 type rank, big-endian sizes, then the numbers."""

import gzip
import math
import os
import zlib
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from ..errors import DataFileError
from .types import Dataset

TYPES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
MAX_RANK = 8
MAX_BYTES = 2**34  # of one array; a header that promises more is damaged or a trap
MAX_RATIO = 1032  # deflate cannot shrink more than that


def load_idx(path: str | os.PathLike[str], mmap: bool = True) -> NDArray[Any]:
    """Return the array of an IDX file, plain or gzip; a plain one is mapped read-only unless `mmap` is False.

    Raises DataFileError if the file is not exactly what its header promises.
    """
    path = Path(path)
    with path.open("rb") as raw:
        zipped = raw.read(2) == b"\x1f\x8b"
        raw.seek(0)
        try:
            with gzip.GzipFile(fileobj=raw) if zipped else raw as file:
                return _read(path, file, mmap and not zipped)  # type: ignore[arg-type]
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise DataFileError(f"{path}: damaged gzip file ({error}); fetch it again") from None


def _read(path: Path, file: BinaryIO, mmap: bool) -> NDArray[Any]:
    dtype, shape = _header(path, file)
    size = math.prod(shape) * dtype.itemsize
    if size > path.stat().st_size * MAX_RATIO:  # before memory is asked for
        raise DataFileError(f"{path}: the header promises {size} bytes of data, which cannot be in this file")
    if mmap and size:
        start = file.tell()
        actual = path.stat().st_size - start
        if actual != size:
            raise DataFileError(f"{path}: the header promises {size} bytes of data, the file has {actual}")
        return np.memmap(path, dtype, "r", start, shape)
    data = file.read(size)
    if len(data) != size:
        raise DataFileError(f"{path}: the header promises {size} bytes of data, the file has {len(data)}")
    if file.read(1):
        raise DataFileError(f"{path}: data goes on after the {size} bytes that the header promises")
    return np.frombuffer(data, dtype).reshape(shape)


def _header(path: Path, file: BinaryIO) -> tuple[np.dtype[Any], tuple[int, ...]]:
    magic = file.read(4)
    if len(magic) < 4 or magic[:2] != b"\0\0" or magic[2] not in TYPES or not 1 <= magic[3] <= MAX_RANK:
        raise DataFileError(
            f"{path}: starts with {magic.hex(' ') or 'nothing'}, not with an IDX header "
            "(00 00, type 08..0e, number of dimensions)"
        )
    rank = magic[3]
    sizes = file.read(4 * rank)
    if len(sizes) < 4 * rank:
        raise DataFileError(f"{path}: ends within its header")
    dtype = np.dtype(TYPES[magic[2]])
    shape = tuple(int.from_bytes(sizes[i : i + 4], "big") for i in range(0, 4 * rank, 4))
    if math.prod(max(n, 1) for n in shape) * dtype.itemsize > MAX_BYTES:  # though one be 0: NumPy refuses it, too
        raise DataFileError(f"{path}: absurd dimensions {shape}: more than {MAX_BYTES >> 30} GiB of data")
    return dtype, shape


def load_mnist(folder: str | os.PathLike[str]) -> Dataset:
    """Return MNIST from its four files in `folder`, plain or gzip: x (m, 784) float32 in 0..1, y (m,) int64.

    Where only the t10k files are there, their first 8000 images are the training part and the rest the test part.
    """
    test = _pair(Path(folder), "t10k")
    if test is None:
        raise DataFileError(f"{folder}: no t10k-images-idx3-ubyte (or .gz) with its labels; is this MNIST's folder?")
    train = _pair(Path(folder), "train")
    if train is not None:
        return Dataset(*train, *test)
    x, y = test
    cut = len(x) * 4 // 5
    return Dataset(x[:cut], y[:cut], x[cut:], y[cut:])


def _pair(folder: Path, part: str) -> tuple[NDArray[Any], NDArray[Any]] | None:
    files = [_find(folder, f"{part}-images-idx3-ubyte"), _find(folder, f"{part}-labels-idx1-ubyte")]
    if files[0] is None and files[1] is None:
        return None
    if files[0] is None or files[1] is None:
        missing = "images" if files[0] is None else "labels"
        raise DataFileError(f"{folder}: the {part} files lack their {missing}")
    images, labels = load_idx(files[0]), load_idx(files[1])
    if images.ndim != 3 or labels.ndim != 1 or len(images) != len(labels):
        raise DataFileError(f"{files[0]}: {images.shape} images do not go with {labels.shape} labels")
    if images.dtype != np.uint8 or labels.dtype != np.uint8:
        raise DataFileError(f"{files[0]}: MNIST's numbers are uint8, found {images.dtype} and {labels.dtype}")
    x = np.asarray(images, np.float32).reshape(len(images), -1) / np.float32(255)
    return x, np.asarray(labels, np.int64)


def _find(folder: Path, name: str) -> Path | None:
    for candidate in (folder / name, folder / f"{name}.gz"):
        if candidate.is_file():
            return candidate
    return None
