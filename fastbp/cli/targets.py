"""What is to be predicted: one of several classes, or quantities."""

from typing import Any, NamedTuple

import numpy as np

from ..errors import DataFileError
from ..formulas import Array

CERTAIN_CLASSES = 10  # so few different whole numbers are classes, if each is seen often
MOST_CLASSES = 100  # more are quantities
OFTEN, SELDOM = 10, 3  # samples of a class, on average


class Target(NamedTuple):
    """y as labels 0..K-1 of `classes` (m,), or as numbers (m, n_L) where there are none; `words` say it."""

    y: Array
    classes: Array | None
    words: str


def decide(source: str, y: Any, task: str) -> Target:
    """Return the target as what it is: `task` says it, or else its values do."""
    y = simplified(y)
    if task == "auto":
        kind, doubt = _guess(y)
    else:
        kind, doubt = task, ""
    if kind == "regression":
        return _quantities(source, y, doubt)
    return _classes(source, y, doubt, task)


def simplified(y: Array) -> Array:
    """Return a column as (m,), one-hot rows as labels, bytes as text, whole numbers as int64."""
    if y.dtype.kind == "S":
        y = y.astype(str)
    if y.ndim == 2 and y.shape[1] == 1:
        y = y[:, 0]
    elif y.ndim == 2 and y.dtype.kind in "biuf" and _one_hot(y):
        y = np.argmax(y, axis=1)
    if y.dtype.kind in "ui" or (y.dtype.kind == "f" and np.all(y == np.rint(y)) and np.abs(y).max() < 2**53):
        return y.astype(np.int64)
    return y


def _one_hot(y: Array) -> bool:
    return bool(np.all(np.sort(y, axis=1)[:, :-1] == 0) and np.all(y.max(axis=1) == 1))


def _guess(y: Array) -> tuple[str, str]:
    """Return the task, and in case of doubt the reason for it."""
    if y.ndim > 1 or y.dtype.kind == "f":
        return "regression", ""
    if y.dtype.kind != "i":
        return "classification", ""
    found, counts = np.unique(y, return_counts=True)
    k, mean = len(found), len(y) / len(found)
    seen = f"{k} different whole numbers, each in {mean:.3g} rows on average"
    if k <= CERTAIN_CLASSES and (mean >= OFTEN or k == 2):
        return "classification", ""
    numbered = found[0] in (0, 1) and found[-1] - found[0] == k - 1 and counts.min() >= SELDOM
    if k <= MOST_CLASSES and mean >= SELDOM and (k <= 2 * CERTAIN_CLASSES or numbered):
        return "classification", f"{seen}; if they are quantities, say --task regression"
    if k > MOST_CLASSES and mean < OFTEN:
        return "regression", ""
    return "regression", f"{seen}; if they are classes, say --task classification"


def _quantities(source: str, y: Array, doubt: str) -> Target:
    if y.dtype.kind not in "biuf":
        raise DataFileError(
            f"{source}: text such as {str(y.flat[0])!r:.80} cannot be predicted as a quantity; "
            "leave --task regression out, or name another --target"
        )
    values = np.asarray(y, float).reshape(len(y), -1)
    if (wrong := ~np.isfinite(values).all(axis=1)).any():
        row = int(np.argmax(wrong))
        raise DataFileError(f"{source}: the target is {values[row].tolist()!s:.80} in row {row}; drop the row")
    if np.all(values == values[0]):
        raise DataFileError(f"{source}: the target is {values[0, 0]:g} in every row; there is nothing to learn")
    span = f"quantities from {values.min():.6g} to {values.max():.6g}"
    return Target(values, None, f"{span} ({doubt})" if doubt else span)


def _classes(source: str, y: Array, doubt: str, task: str) -> Target:
    if y.ndim > 1 or y.dtype.kind == "f":
        shown = f"{y[0]:g}" if y.ndim == 1 else f"{y.shape[1]} columns"
        raise DataFileError(
            f"{source}: classes must be whole numbers or text, one for each sample; got {shown}; leave --task out"
        )
    classes, labels = np.unique(y, return_inverse=True)
    if len(classes) < 2:
        raise DataFileError(f"{source}: every sample is of class {classes[0]!s:.80}; there is nothing to learn; "
                            "name another --target")  # fmt: skip
    if task == "auto" and len(classes) > 20 and 2 * len(classes) > len(y):
        raise DataFileError(
            f"{source}: the target has {len(classes)} different texts in {len(y)} rows, such as "
            f"{str(classes[0])!r:.80}; "
            "nothing can be learnt of classes that are seen once; name another --target"
        )
    listed = ", ".join(f"{name!s:.80}" for name in classes[:8].tolist()) + ", ..." * (len(classes) > 8)
    words = f"{len(classes)} classes: {listed}"
    return Target(labels.astype(np.int64), classes, f"{words} ({doubt})" if doubt else words)
