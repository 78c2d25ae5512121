"""Data for the commands: .npz, .csv, MNIST's folder of IDX files, or the digits."""

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ..datasets import load_digits, load_mnist
from ..errors import DataFileError
from ..formulas import Array
from .tables import read_csv

HELD_OUT = 5  # one sample in five, for the test
MAX_CLASSES = 100  # more different whole numbers than this are quantities, not names
FORMATS = (
    "give a .npz with x and y (or x_train, y_train, x_test, y_test), a .csv, "
    "or a folder with MNIST's IDX files"
)


class Samples(NamedTuple):
    """x (m, n), and y as it stands in the file: numbers or text (m,), or rows (m, n_L), or None."""

    x: Array
    y: Any


class Data(NamedTuple):
    """What to train on; y is labels 0..K-1 of `classes`, or numbers where there are none."""

    x_train: Array
    y_train: Array
    x_test: Array
    y_test: Array
    classes: list[str]
    words: str


def load(path: str | None, target: str | None = None, task: str = "auto", seed: int = 0) -> Data:
    """Return the data to train on; the digits if `path` is None."""
    if path is None:
        digits = load_digits()
        return Data(*digits, [str(k) for k in range(10)], "the handwritten digits in fastbp")
    parts, words = _parts(Path(path), target, seed)
    labels, classes = _encode(path, [part.y for part in parts], task)
    (train, test), (y_train, y_test) = parts, labels
    return Data(train.x, y_train, test.x, y_test, classes, words)


def samples(path: str, target: str | None = None, n_in: int | None = None) -> Samples:
    """Return one set of samples; of a file that has several, the test part."""
    place = Path(path)
    if place.suffix != ".csv":
        return _parts(place, target, 0, held_out=False)[0][-1]
    table = read_csv(place, target, n_in)
    return Samples(table.x, _values(table.target) if table.target else None)


def as_labels(path: str, y: Array, classes: list[str]) -> Array:
    """Return the place of each of y in `classes`, which text and numbers name alike."""
    places = {name: place for place, name in enumerate(classes)}
    names = [str(value) for value in _whole(_simplified(y)).tolist()]
    if unknown := sorted(set(names) - set(places)):
        raise DataFileError(
            f"{path}: {unknown[0]!r} is none of the classes {', '.join(classes):.200}"
        )
    return np.array([places[name] for name in names])


def _parts(
    path: Path, target: str | None, seed: int, held_out: bool = True
) -> tuple[list[Samples], str]:
    """Return the training and the test part, or all in one if nothing is to be held out."""
    if path.is_dir():
        mnist = load_mnist(path)
        return [Samples(*mnist[:2]), Samples(*mnist[2:])], f"MNIST in {path}"
    if path.suffix == ".csv":
        table = read_csv(path, target)
        parts = [Samples(table.x, _values(table.target))]
    elif path.suffix == ".npz":
        parts = _from_npz(path)
    else:
        path.stat()  # a file that is not there is the better message
        raise DataFileError(f"{path}: unknown kind of data; {FORMATS}")
    if len(parts) == 1 and held_out:
        return _split(path, parts[0], seed), f"{path} (one sample in {HELD_OUT} held out for the test)"
    return parts, str(path)


def _values(texts: list[str]) -> Array:
    """Return whole numbers as int64, numbers as float64, anything else as text."""
    try:
        return _whole(np.array(texts, float))
    except ValueError:
        return np.array(texts)


def _whole(y: Array) -> Array:
    """Return y as int64 if it is made of whole numbers."""
    if y.dtype.kind == "f" and np.all(y == np.rint(y)) and np.abs(y).max() < 2**53:
        return y.astype(np.int64)
    return y


def _from_npz(path: Path) -> list[Samples]:
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            arrays = dict(archive)
    except OSError:
        raise
    except Exception as error:  # a damaged archive raises half a dozen kinds
        raise DataFileError(f"{path}: cannot be read as .npz ({error})") from None
    pairs = [("x_train", "y_train"), ("x_test", "y_test")]
    if not set(sum(pairs, ())) <= set(arrays):
        pairs = [pair for pair in [("x", "y"), *pairs] if pair[0] in arrays][:1]
    if not pairs:
        raise DataFileError(f"{path}: has {', '.join(arrays) or 'nothing'}; {FORMATS}")
    return [_checked(path, x, arrays[x], arrays.get(y)) for x, y in pairs]


def _checked(path: Path, name: str, x: Array, y: Any) -> Samples:
    """Return images as rows; a row that is not finite is named before rows are shuffled."""
    if x.ndim < 2 or x.dtype.kind not in "biuf" or x.size == 0:
        raise DataFileError(f"{path}: {name} must be numbers (m, n); got {x.dtype} of {x.shape}")
    if y is not None and len(y) != len(x):
        raise DataFileError(f"{path}: {name} has {len(x)} samples, its y has {len(y)}")
    x = x.reshape(len(x), -1)
    if not np.isfinite(x).all():
        row = int(np.argmin(np.isfinite(x).all(axis=1)))
        raise DataFileError(f"{path}: {name} has NaN or inf in row {row}")
    return Samples(x, y)


def _split(path: Path, whole: Samples, seed: int) -> list[Samples]:
    """Hold samples out by chance; of what may be classes, the same share of each."""
    x, y = whole
    if y is None:
        raise DataFileError(f"{path}: has no y to learn; {FORMATS}")
    if len(x) < 2:
        raise DataFileError(f"{path}: {len(x)} samples are too few to hold some out for the test")
    order = np.random.default_rng(seed).permutation(len(x))
    if y.ndim == 1 and y.dtype.kind != "f":
        order = order[np.argsort(y[order], kind="stable")]
    test = np.zeros(len(x), bool)
    test[HELD_OUT - 1 :: HELD_OUT] = True
    test[-1] |= not test.any()
    return [Samples(x[order[rows]], y[order[rows]]) for rows in (~test, test)]


def _encode(path: str, ys: list[Array], task: str) -> tuple[list[Array], list[str]]:
    """Return every y as labels (m,), with the names of the classes, or as numbers (m, n_L)."""
    ys = [_simplified(y) for y in ys]
    both = np.concatenate(ys)
    if task == "regression" or (task == "auto" and not _names_classes(both)):
        if both.dtype.kind not in "biuf":
            raise DataFileError(f"{path}: text such as {both[0]!r} cannot be a regression's target")
        return [np.asarray(y, float).reshape(len(y), -1) for y in ys], []
    if both.ndim > 1 or (_whole(both).dtype.kind == "f"):
        raise DataFileError(f"{path}: classes must be whole numbers or text, one for each sample")
    ys, both = [_whole(y) for y in ys], _whole(both)
    found = np.unique(both)
    if len(found) < 2:
        raise DataFileError(f"{path}: every sample is of class {found[0]}; there is nothing to learn")
    return [np.searchsorted(found, y) for y in ys], [str(name) for name in found.tolist()]


def _simplified(y: Array) -> Array:
    """Return a column as (m,), one-hot rows as labels, and bytes as text."""
    if y.dtype.kind == "S":
        y = y.astype(str)
    if y.ndim == 2 and y.shape[1] == 1:
        return y[:, 0]
    if y.ndim == 2 and y.dtype.kind in "biuf" and np.all(np.sort(y, axis=1)[:, :-1] == 0):
        return np.argmax(y, axis=1) if np.all(y.max(axis=1) == 1) else y
    return y


def _names_classes(y: Array) -> bool:
    if y.dtype.kind in "iu" and y.ndim == 1:
        return len(np.unique(y)) <= MAX_CLASSES
    return y.dtype.kind in "bU" and y.ndim == 1
