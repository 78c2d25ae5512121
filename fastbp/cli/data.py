"""Data from files: .npz, .csv, or a folder with MNIST's IDX files."""

import csv
from pathlib import Path
from typing import Any

import numpy as np

from ..datasets import Dataset, load_digits, load_mnist
from ..errors import DataFileError

HELD_OUT = 0.2
FORMATS = "give a .npz with x and y (or x_train, y_train, x_test, y_test), a .csv, or a folder with MNIST's IDX files"


def load(path: str | None, target: str | None = None, seed: int = 0) -> tuple[Dataset, str]:
    """Return the data with a few words on it; the digits if `path` is None."""
    if path is None:
        return load_digits(), "8x8 digits that ship with fastbp"
    place = Path(path)
    if place.is_dir():
        return load_mnist(place), f"MNIST in {path}"
    if place.suffix == ".npz":
        return _from_npz(place, seed)
    if place.suffix == ".csv":
        return _held_out(*table(place, target), seed), f"{path}, {HELD_OUT:.0%} held out as test data"
    raise DataFileError(f"{path}: unknown kind of data; {FORMATS}")


def samples(path: str, n_in: int) -> np.ndarray[Any, Any]:
    """Return x alone, for a network with n_in inputs; from a .csv all columns, or all but the target's."""
    place = Path(path)
    if place.suffix == ".csv":
        _, rows = _read_csv(place)
        x = _numbers(place, [row[:n_in] for row in rows])
        if any(len(row) not in (n_in, n_in + 1) for row in rows):
            raise DataFileError(f"{path}: {len(rows[0])} columns, but the network has {n_in} inputs")
        return x
    if place.suffix == ".npz":
        arrays = _npz(place)
        for name in ("x", "x_test"):
            if name in arrays:
                return arrays[name]
        raise DataFileError(f"{path}: has no x or x_test, but {', '.join(arrays)}")
    return load(path)[0].x_test


def table(path: Path, target: str | None) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Return x and y of a .csv; the target is its last column, or the one named or numbered (from 0)."""
    names, rows = _read_csv(path)
    column = len(rows[0]) - 1
    if target is not None:
        if target in names:
            column = names.index(target)
        elif target.lstrip("-").isdigit() and -len(rows[0]) <= int(target) < len(rows[0]):
            column = int(target) % len(rows[0])
        else:
            raise DataFileError(f"{path}: no column {target!r}; choose from {', '.join(names) or 'the numbers'}")
    wanted = [row[column] for row in rows]
    x = _numbers(path, [row[:column] + row[column + 1 :] for row in rows])
    try:
        y = np.array(wanted, float)
    except ValueError:  # names of classes
        return x, np.unique(wanted, return_inverse=True)[1]
    whole = bool(np.all(y == np.rint(y)) and y.min() >= 0 and y.max() < 1000)
    return x, y.astype(np.int64) if whole else y


def _read_csv(path: Path) -> tuple[list[str], list[list[str]]]:
    with path.open(newline="") as file:
        rows = [row for row in csv.reader(file) if row]
    if not rows:
        raise DataFileError(f"{path}: is empty")
    names: list[str] = []
    if not all(_is_number(cell) for cell in rows[0][:-1]):
        names, rows = rows[0], rows[1:]
    if not rows:
        raise DataFileError(f"{path}: has a header but no data")
    for number, row in enumerate(rows, 1):
        if len(row) != len(rows[0]):
            raise DataFileError(f"{path}: row {number} has {len(row)} columns, the first has {len(rows[0])}")
    return names, rows


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _numbers(path: Path, rows: list[list[str]]) -> np.ndarray[Any, Any]:
    for number, row in enumerate(rows, 1):
        for cell in row:
            if not _is_number(cell):
                raise DataFileError(f"{path}: {cell!r} in row {number} is not a number")
    return np.array(rows, float)


def _npz(path: Path) -> dict[str, np.ndarray[Any, Any]]:
    try:
        with np.load(path, allow_pickle=False) as arrays:
            return dict(arrays)
    except FileNotFoundError:
        raise
    except Exception as error:  # a damaged zip raises half a dozen kinds
        raise DataFileError(f"{path}: cannot be read as .npz ({error})") from None


def _from_npz(path: Path, seed: int) -> tuple[Dataset, str]:
    arrays = _npz(path)
    if {"x_train", "y_train", "x_test", "y_test"} <= set(arrays):
        return Dataset(*(arrays[name] for name in Dataset._fields)), str(path)
    for x, y in (("x", "y"), ("x_train", "y_train")):
        if {x, y} <= set(arrays):
            return _held_out(arrays[x], arrays[y], seed), f"{path}, {HELD_OUT:.0%} held out as test data"
    raise DataFileError(f"{path}: has {', '.join(arrays) or 'nothing'}; {FORMATS}")


def _held_out(x: np.ndarray[Any, Any], y: np.ndarray[Any, Any], seed: int) -> Dataset:
    if len(x) != len(y):
        raise DataFileError(f"{len(x)} rows of x, but {len(y)} of y")
    if len(x) < 2:
        raise DataFileError(f"{len(x)} samples are too few to hold some out for the test")
    order = np.random.default_rng(seed).permutation(len(x))
    cut = len(x) - max(1, round(len(x) * HELD_OUT))
    train, test = order[:cut], order[cut:]
    return Dataset(x[train], y[train], x[test], y[test])
