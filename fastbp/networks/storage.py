"""Arrays and metadata in one file, and back: safetensors, written whole or not at all.

A model file holds the arrays `weights.0`, `biases.0`, `weights.1`, ... and, as one JSON text under
the metadata key `fastbp`, what the network is. Nothing in a file is ever run or used as a path.
Whatever is wrong with a file's content is a ModelFileError.
"""

import json
import math
import os
import struct
from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import Any, BinaryIO, TypeVar

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load, save

from .. import files
from ..errors import ModelFileError
from ..room import no_room

Array = NDArray[np.floating[Any]]
Path = str | os.PathLike[str]
Number = TypeVar("Number", int, float)

FORMAT, VERSION = "fastbp", 1
DTYPES = {"F32": "float32", "F64": "float64"}  # safetensors' names: NumPy's
MAX_HEADER, MAX_ARRAYS = 2**20, 4096  # bytes, arrays
COPIES = 2  # of a file's content in memory, while it is read


def write(path: Path, arrays: Mapping[str, Array], metadata: Mapping[str, object]) -> None:
    """Save float32 or float64 arrays and JSON-able metadata; a crash leaves the old file whole."""
    # safetensors writes wrong numbers for strided and Fortran-ordered arrays, silently.
    plain = {name: np.asarray(array, dtype=array.dtype.newbyteorder("="), order="C") for name, array in arrays.items()}
    if wrong := {a.dtype.name for a in plain.values()} - set(DTYPES.values()):
        raise TypeError(f"cannot save {', '.join(wrong)}; choose from float32, float64")
    text = json.dumps(dict(metadata), allow_nan=False)
    content = save(plain, metadata={FORMAT: text})
    _header(content, len(content))  # nothing is written that read() would refuse
    files.replace(path, content)


def read(path: Path) -> tuple[dict[str, Array], dict[str, Any]]:
    """Return the arrays and the metadata of a file that `write` made."""
    try:
        with open(path, "rb") as file:
            metadata = _read_header(file)
            file.seek(0)
            arrays: dict[str, Array] = load(file.read())
    # RecursionError: deeply nested JSON. KeyError and the like: what safetensors lets through.
    except (SafetensorError, ValueError, TypeError, LookupError, RecursionError) as error:
        raise ModelFileError(f"{os.fspath(path)}: not a fastbp model file: {error}") from None
    return arrays, metadata


def check_model(arrays: Mapping[str, Array], metadata: Mapping[str, Any]) -> None:
    """Check that the arrays are the parameters of the network that the metadata describes."""
    if metadata.get("format") != FORMAT:
        raise ModelFileError(f"format is {metadata.get('format')!r}, expected {FORMAT!r}")
    if not _is_count(version := metadata.get("version")) or version != VERSION:
        raise ModelFileError(f"format version is {version!r}, this fastbp reads {VERSION}")
    dtype, sizes = metadata.get("dtype"), metadata.get("sizes")
    if dtype not in DTYPES.values():
        raise ModelFileError(f"dtype is {dtype!r}; choose from float32, float64")
    if not (isinstance(sizes, list) and len(sizes) >= 2 and all(map(_is_count, sizes))):
        raise ModelFileError(f"sizes must list at least two positive integers, got {sizes!r:.80}")
    shapes = _parameter_shapes(sizes)
    if differing := sorted(shapes.keys() ^ arrays.keys()):
        verb = "lacks" if differing[0] in shapes else "has an unexpected"
        raise ModelFileError(f"the file {verb} {differing[0]!r:.80}, its sizes are {sizes!r:.80}")
    for name, shape in shapes.items():
        found = arrays[name]
        if found.shape != shape or found.dtype.name != dtype:
            raise ModelFileError(f"{name} is {found.dtype.name} of shape {found.shape}, expected {dtype} of {shape}")


def _parameter_shapes(sizes: list[int]) -> dict[str, tuple[int, ...]]:
    shapes: dict[str, tuple[int, ...]] = {}
    for layer, (n_in, n_out) in enumerate(pairwise(sizes)):
        shapes[f"weights.{layer}"] = (n_out, n_in)
        shapes[f"biases.{layer}"] = (n_out,)
    return shapes


def _is_count(value: object) -> bool:
    return type(value) is int and value >= 1  # type(): True is no count


# The header: its length as 8 bytes, then JSON. safetensors checks offsets, shapes and lengths; it
# lets duplicate keys, other dtypes and any amount of metadata through.


def _read_header(file: BinaryIO) -> dict[str, Any]:
    return _header(file.read(8 + MAX_HEADER), os.fstat(file.fileno()).st_size)


def _header(start: bytes, size: int) -> dict[str, Any]:
    """Return our metadata, after checking all that safetensors does not."""
    if size < 8:
        raise ValueError(f"the file has {size} bytes")
    (length,) = struct.unpack("<Q", start[:8])
    if length > min(MAX_HEADER, size - 8):
        raise ValueError(
            f"it does not begin as one: its first 8 bytes would make a header of {length} bytes, it has {size - 8}, "
            f"and a header at most {MAX_HEADER}; give a file that fastbp train or Network.save wrote"
        )
    header = _parse(start[8 : 8 + length].decode())
    texts = _object("its metadata", header.pop("__metadata__", {}))
    if len(header) > MAX_ARRAYS:
        raise ValueError(f"it holds {len(header)} arrays; at most {MAX_ARRAYS}")
    for name, entry in header.items():
        _check_entry(name, _object(f"array {name!r:.80}", entry))
    end = 8 + length + max((entry["data_offsets"][1] for entry in header.values()), default=0)
    if end != size:
        raise ValueError(
            f"it has {size} bytes, and its header tells of {end}; it was not copied whole, or changed since"
        )
    if reason := no_room(COPIES * size):
        raise ValueError(f"to read it takes {reason}")
    if not isinstance(text := texts.get(FORMAT), str):
        raise ValueError(f"it has no metadata named {FORMAT!r}")
    return _parse(text)


def _check_entry(name: str, entry: dict[str, Any]) -> None:
    dtype = entry.get("dtype")
    if not isinstance(dtype, str) or dtype not in DTYPES:
        raise ValueError(f"array {name!r:.80} is {dtype!r:.80}; choose from {', '.join(DTYPES)}")


def _parse(text: str) -> dict[str, Any]:
    """Return a JSON object; duplicate keys and numbers that are not finite are refused."""
    parsed = json.loads(
        text,
        object_pairs_hook=_unique,
        parse_constant=_finite(float),
        parse_float=_finite(float),
        parse_int=_finite(int),
    )
    return _object("its header", parsed)


def _object(what: str, value: object) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ValueError(f"{what} is not a JSON object")
    return value


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise ValueError("a key occurs twice")
    return result


def _finite(kind: Callable[[str], Number]) -> Callable[[str], Number]:
    def parse(text: str) -> Number:
        if not math.isfinite(float(text)):
            raise ValueError(f"number out of range: {text:.40}")
        return kind(text)

    return parse
