"""Labels of any kind: strings, bools and integers become places 0..K-1 among the network's classes, and come back.

A network of K outputs has K classes, one of a single output has two.
"""

import sys
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..errors import warn
from ..formulas import Array
from .spec import NetworkSpec

SHOWN = 8  # classes that a message names
MANY, OFTEN = 10, 5  # up to so many different integers, each seen so often, look like classes


def as_labels(name: str, y: object, n_out: int = 0) -> Array | None:
    """Return y (m,) as text, bools, integers or whole floats if it can be labels; None if it is something else.

    For a network of one output, and if it is text, y may be a column (m, 1).
    """
    if is_masked(y):
        return None  # whoever looks at numbers refuses it
    if isinstance(y, (list, tuple)):
        _refuse_mixtures(name, y)
    try:
        array = np.asarray(y)
    except ValueError:
        return None  # ragged, likewise
    if array.ndim == 2 and array.shape[1] == 1 and (n_out == 1 or array.dtype.kind in "OTSU"):
        array = array[:, 0]
    if array.dtype.kind in "OTS" and array.ndim == 1:
        array = _from_objects(name, array)
    if array.ndim != 1 or array.size == 0 or array.dtype.kind not in "Ubiuf":
        return None
    return array if array.dtype.kind in "Ub" or np.array_equal(_whole(array), array) else None


def is_masked(value: object) -> bool:
    """Whether an array, or one in a list of arrays, has masks, which NumPy would drop without a word."""
    # Who has a masked array has imported numpy.ma, for which NumPy 2.0 takes 10 MB and 50 ms. Another thread may be
    # importing it just now: then there is no such class yet, and no such array.
    masked = getattr(sys.modules.get("numpy.ma"), "MaskedArray", None)
    several = value if isinstance(value, (list, tuple)) else [value]
    return masked is not None and any(isinstance(array, masked) for array in several)


def count_of(n_out: int) -> int:
    """Return how many classes a network of so many outputs tells apart."""
    return max(n_out, 2)


def are_meant(name: str, labels: Array, spec: NetworkSpec, classes: Array | None) -> bool:
    """Whether these values (m,) are labels to this network, and not numbers.

    To several outputs all are. To one output integers are labels if it is a sigmoid and the cost, or earlier labels,
    or zeros and ones alone say so. Text and bools are never numbers.
    """
    if spec.sizes[-1] > 1:
        return True
    output = spec.activation_rows[-1]
    if labels.dtype.kind in "Ub":
        if spec.tells_labels:
            return True
        raise ValueError(
            f"{name}[0] is {labels[0].item()!r}, a label, and the one output ({output.name}) is a quantity: choose "
            f'cost="binary_cross_entropy", or write {name}.astype(float) if it is a number'
        )
    if not spec.tells_labels:
        _doubt_quantities(name, labels)
        return False
    named = classes is not None or spec.cost_row.for_probabilities
    return named or bool(np.all((labels == 0) | (labels == 1)))


def learn(name: str, labels: Array, n_out: int) -> Array:
    """Return the classes (K,) that these labels name, in order.

    Integers 0..K-1 are all classes already, and so are False and True; of others, each must occur.
    """
    count = count_of(n_out)
    labels = _whole(labels)
    found = np.unique(labels)
    if labels.dtype.kind == "b" and count == 2:
        return np.array([False, True])
    if labels.dtype.kind in "iu" and found[0] >= 0 and found[-1] < count:
        return np.arange(count)
    if len(found) == 1:
        raise ValueError(f"{name} has only one label, {listed(found)}: there is nothing to tell apart")
    if len(found) != count:
        outputs = "one output, for 2 classes" if n_out == 1 else f"{n_out} outputs"
        odd, rule = "", ""
        quantities = "; for quantities leave cost out" if labels.dtype.kind in "iu" and len(found) > 2 * MANY else ""
        if labels.dtype.kind in "iu":
            row = int(np.argmax((labels < 0) | (labels >= count)))
            odd = f"{name}[{row}] is {labels[row]}; "
            rule = f"labels are integers 0..{count - 1}, or {count} different ones; "
        raise ValueError(
            f"{odd}{rule}{name} has {len(found)} different labels ({listed(found)}), the network has {outputs}; "
            f"make it Network([..., {len(found)}]), or name all of its classes: net.classes = [...]{quantities}"
        )
    return found


def encode(name: str, labels: Array, classes: Array) -> Array:
    """Return the place (m,) of each label among the classes.

    It never is the user's array: kernels use places to address memory, so nobody may change them during a run.
    """
    labels = _whole(labels)
    same_kind = (labels.dtype.kind == "U") == (classes.dtype.kind == "U")
    order = np.argsort(classes, kind="stable")
    near = order[np.searchsorted(classes, labels, sorter=order).clip(max=len(classes) - 1)] if same_kind else None
    wrong = np.ones(len(labels), bool) if near is None else classes[near] != labels
    if wrong.any() or near is None:
        row = int(np.argmax(wrong))
        raise ValueError(
            f"{name}[{row}] is {labels[row].item()!r}; the network's classes are {listed(classes)}; "
            "net.classes = None forgets them"
        )
    places: Array = near.astype(np.int64)
    return places


def checked_classes(value: object, n_out: int) -> Array | None:
    """Return what a user, or a file, says the classes are."""
    if value is None:
        return None
    count = count_of(n_out)
    classes = as_labels("classes", value)
    classes = None if classes is None else _whole(classes)
    if classes is None or len(classes) != count or len(np.unique(classes)) != count:
        raise ValueError(f"classes must be {count} different strings, bools or integers; got {value!r:.200}")
    return classes


def listed(classes: Array) -> str:
    """Name some classes in a sentence."""
    names = [repr(label) for label in classes[:SHOWN].tolist()]
    return ", ".join(names) + (", ..." if len(classes) > SHOWN else "")


def _doubt_quantities(name: str, labels: Array) -> None:
    """Warn where a few integers, each seen often, are taken for quantities."""
    found, counts = np.unique(labels, return_counts=True)
    few = labels.dtype.kind in "iu" and 2 <= len(found) <= MANY
    if few and counts.min() >= OFTEN and (len(found) == 2 or np.ptp(found) == len(found) - 1):
        classes = f'make it Network([..., {len(found)}], cost="cross_entropy")'
        classes = 'choose cost="binary_cross_entropy"' if len(found) == 2 else classes
        warn(
            f"{name} holds only the integers {listed(found)}, taken as quantities; for classes {classes}; if "
            f"quantities are meant, {name}.astype(float) says so"
        )


def _whole(labels: Array) -> Array:
    """Return numbers as int64: 3.0 is the class 3."""
    with np.errstate(invalid="ignore"):
        return labels.astype(np.int64) if labels.dtype.kind in "iuf" else labels


def _refuse_mixtures(name: str, y: Sequence[Any]) -> None:
    """NumPy would make text of all that stands beside text in a list, of what is missing too."""
    texts = [isinstance(label, str) for label in y]
    if any(texts) and not all(texts):
        row = texts.index(False)
        raise TypeError(f"{name}[{row}] is {y[row]!r} among strings; labels are all strings, all bools or all integers")


def _from_objects(name: str, array: Array) -> Array:
    """Return an array of Python's objects, of bytes or of NumPy's variable text as an array of one kind of label."""
    if array.dtype.kind != "O":
        return array.astype(str)
    values = array.tolist()
    for kind, dtype in ((str, str), ((bool, np.bool_), bool), ((int, np.integer), np.int64)):
        fits = [isinstance(value, kind) and (dtype is not np.int64 or not isinstance(value, bool)) for value in values]
        if all(fits):
            return np.array(values, dtype)
        if any(fits):
            row = fits.index(False)
            odd = values[row]
            missing = odd is None or type(odd).__name__ in ("NAType", "NaTType") or odd != odd
            what = "missing" if missing else "of another kind"
            raise TypeError(
                f"{name}[{row}] is {values[row]!r:.80}, {what}; labels are all strings, all bools or all integers"
                + (f": drop row {row}" if missing else "")
            )
    return array
