"""Which classes a network takes for which."""

import numpy as np

from ..formulas import Array

MOST_CLASSES, MOST_PAIRS, WIDEST = 10, 5, 14


def count(truth: Array, answers: Array, classes: int) -> Array:
    """Return how often (K, K) each class, a row, was answered by each, a column."""
    return np.bincount(truth * classes + answers, minlength=classes * classes).reshape(classes, classes)


def describe(table: Array, names: list[str]) -> list[str]:
    """Return a small table, or where there are many classes, the pairs that are confused most."""
    if not (table - np.diag(np.diag(table))).any():
        return ["every test sample is right"]
    return _table(table, names) if len(names) <= MOST_CLASSES else _pairs(table, names)


def _table(table: Array, names: list[str]) -> list[str]:
    short = [_cut(name) for name in names]
    left = max(len("truth"), *map(len, short))
    widths = [max(len(name), len(str(column.max()))) for name, column in zip(short, table.T, strict=True)]
    head = f"{'truth':<{left}} | " + "  ".join(f"{name:>{w}}" for name, w in zip(short, widths, strict=True))
    lines = [f"{head}   (rows: the truth; columns: the answer)"]
    for name, row in zip(short, table, strict=True):
        cells = (f"{int(n) or '.':>{w}}" for n, w in zip(row, widths, strict=True))
        lines.append(f"{name:<{left}} | " + "  ".join(cells))
    return lines


def _pairs(table: Array, names: list[str]) -> list[str]:
    wrong = table - np.diag(np.diag(table))
    order = np.argsort(-wrong, axis=None, kind="stable")[:MOST_PAIRS]
    places = [divmod(int(place), len(names)) for place in order if wrong.flat[place]]
    lines = [
        f"{_cut(names[truth])} taken for {_cut(names[answer])}: {wrong[truth, answer]} of {table[truth].sum()}"
        for truth, answer in places
    ]
    return ["the most frequent mistakes:", *lines]


def _cut(name: str) -> str:
    return name if len(name) <= WIDEST else name[: WIDEST - 1] + "…"
