"""Where data comes from, by its name: the digits in fastbp, MNIST's folder, .npz, or a table."""

from pathlib import Path

from ..datasets import load_digits, load_mnist
from ..errors import DataFileError
from . import arrays, tables
from .arrays import Pair

DIGITS = "digits"  # the data that ship with fastbp, unless there is a file of this name
FORMATS = (
    f"a table ({', '.join(tables.SUFFIXES)}, or - for standard input), a .npz with x and y, a folder with MNIST's "
    f"IDX files, or {DIGITS} for those in fastbp"
)
ENDINGS = (*tables.SUFFIXES, ".npz", ".safetensors")


def read(name: str | None) -> list[Pair] | tables.Table:
    """Return a table, or one pair of arrays, or a training and a test part."""
    if name is None or is_digits(name):
        digits = load_digits()
        return [Pair(*digits[:2]), Pair(*digits[2:])]
    path = Path(name)
    if path.is_dir():
        mnist = load_mnist(path)
        return [Pair(*mnist[:2]), Pair(*mnist[2:])]
    suffix = path.suffix.lower()
    if suffix == ".npz":
        return arrays.read(path)
    if suffix in tables.SUFFIXES or name == "-":
        return tables.read(name)
    path.stat()  # a file that is not there is the better message
    raise DataFileError(f"{name}: unknown kind of data {suffix!r}; give {FORMATS}")


def is_digits(name: str) -> bool:
    """Whether the digits in fastbp are meant."""
    return name == DIGITS and not Path(name).exists()


def title(name: str | None) -> str:
    """Return what a model of this data is called: the name of the file without its endings."""
    if name is None or name == "-":
        return DIGITS if name is None else "table"
    path = Path(name).resolve()
    while path.suffix.lower() in ENDINGS and path.stem:
        path = path.with_suffix("")
    return path.name
