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
    with path.open("rb") as file:
        try:
            with np.load(file, allow_pickle=False) as archive:
                names = list(archive.files)
                pairs = [("x_train", "y_train"), ("x_test", "y_test")]
                if not set(sum(pairs, ())) <= set(names):
                    pairs = [pair for pair in [("x", "y"), *pairs] if pair[0] in names][:1]
                arrays = {name: archive[name] for name in sum(pairs, ()) if name in names}  # others may be large
        except Exception as error:  # a damaged archive raises half a dozen kinds, OSError among them
            raise DataFileError(f"{path}: cannot be read as .npz ({error!s:.200}); save it with numpy.savez") from None
    if wrong := [name for name, array in arrays.items() if not isinstance(array, np.ndarray)]:
        raise DataFileError(f"{path}: {wrong[0]} is no array of NumPy's; save it with numpy.savez")
    if not pairs:
        raise DataFileError(f"{path}: has {(', '.join(names) or 'nothing'):.200}; {WANTED}")
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
