"""Arrays in .npz files: x and y, or x_train, y_train, x_test and y_test."""

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ..errors import DataFileError
from ..formulas import Array

WANTED = "give x and y, or x_train, y_train, x_test and y_test"


class Pair(NamedTuple):
    """x (m, n), and y as it stands in the file, or None."""

    x: Array
    y: Any


def read(path: Path) -> list[Pair]:
    """Return the only pair of a file, or its training and its test part."""
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            arrays = dict(archive)
    except OSError:
        raise
    except Exception as error:  # a damaged archive raises half a dozen kinds
        raise DataFileError(f"{path}: cannot be read as .npz ({error}); save it with numpy.savez") from None
    pairs = [("x_train", "y_train"), ("x_test", "y_test")]
    if not set(sum(pairs, ())) <= set(arrays):
        pairs = [pair for pair in [("x", "y"), *pairs] if pair[0] in arrays][:1]
    if not pairs:
        raise DataFileError(f"{path}: has {', '.join(arrays) or 'nothing'}; {WANTED}")
    return [_checked(path, x, arrays[x], arrays.get(y)) for x, y in pairs]


def _checked(path: Path, name: str, x: Array, y: Any) -> Pair:
    """Return images as rows; a row that is not finite is named before rows are shuffled."""
    if x.ndim < 2 or x.dtype.kind not in "biuf" or x.size == 0:
        raise DataFileError(f"{path}: {name} must be numbers (m, n), one row a sample; got {x.dtype} of {x.shape}")
    if y is not None and len(y) != len(x):
        raise DataFileError(f"{path}: {name} has {len(x)} samples, its y has {len(y)}; they must be as many")
    x = x.reshape(len(x), -1)
    if not np.isfinite(x).all():
        row = int(np.argmin(np.isfinite(x).all(axis=1)))
        raise DataFileError(f"{path}: {name} has NaN or inf in row {row}; fill or drop it")
    return Pair(x, y)
