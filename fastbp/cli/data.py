"""Data to train on: samples and answers, with a part held out for the test."""

from typing import NamedTuple

import numpy as np

from ..border.columns import Columns
from ..errors import DataFileError
from ..formulas import Array
from . import kinds, sources, targets
from .arrays import Pair
from .numbers import Series, numbers
from .tables import MISSING, Table

HELD_OUT = 5  # one sample in five, for the test
MISTAKEN, FEW = 0.01, 10  # so small a share of texts among numbers are mistakes, if there are a few rows
NAMES = r"^0\d+$"  # whole numbers with a leading zero are names, such as 007


class Data(NamedTuple):
    """What to train on; y is labels 0..K-1 of `classes`, or numbers where there are none."""

    x_train: Array
    y_train: Array
    x_test: Array
    y_test: Array
    classes: Array | None
    words: str
    target: str  # its name, in a table
    target_words: str
    columns: Columns | None
    notes: list[str]


class Choice(NamedTuple):
    """What a user says of the data."""

    target: str | None = None
    task: str = "auto"
    drop: tuple[str, ...] = ()
    seed: int = 0


def load(name: str | None, choice: Choice | None = None) -> Data:
    """Return the data to train on; the digits if `name` is None."""
    choice = choice or Choice()
    found = sources.read(name)
    words = "the handwritten digits in fastbp" if name is None or sources.is_digits(name) else name
    if isinstance(found, Table):
        return _from_table(found, choice)
    if choice.target or choice.drop:
        raise DataFileError(f"{words}: --target and --drop are for tables, whose columns have names")
    return _from_pairs(words, found, choice)


def target_name(table: Table, target: str | None) -> str:
    """Return the name of the target column, given by name or by number; by default it is the last."""
    names: list[str] = table.frame.columns
    if target is not None and target in names:
        return target
    try:
        return names[-1 if target is None else int(target)]
    except (IndexError, ValueError):
        choices = ", ".join(names) if table.named else f"0..{len(names) - 1}"
        raise DataFileError(f"{table.path}: no column {target!r}; choose from {choices:.300}") from None


def _from_table(table: Table, choice: Choice) -> Data:
    name = target_name(table, choice.target)
    known = table.frame[name].is_not_null()
    notes = list(table.notes)
    if lost := int((~known).sum()):
        words = ", ".join(text for text in MISSING if text)
        notes.append(f"{lost:,} row{'s' * (lost != 1)} without a value of {name!r} left out (empty, or one of {words})")
        if lost == table.frame.height:
            raise DataFileError(f"{table.path}: the target {name!r} is empty in every row; name another --target")
        lines = None if table.lines is None else table.lines[known.to_numpy()]
        table = table._replace(frame=table.frame.filter(known), lines=lines)
    target = targets.decide(f"{table.path}, column {name!r}", _answers(table, name), choice.task)
    train, test = _split(table.path, target, choice.seed)
    frame, dropped = kinds.features(table, name, list(choice.drop), train)
    columns = Columns.learn(frame[train], forgiving=True)
    x, learnt = columns.encode(frame)
    parts = x[train], target.y[train], x[test], target.y[test]
    words = f"{table.path} (one sample in {HELD_OUT} held out for the test)"
    return Data(*parts, target.classes, words, name, target.words, columns, notes + dropped + learnt)


def _answers(table: Table, name: str) -> Array:
    """Return the target column as numbers if it holds nothing else, else as text."""
    cells = table.frame[name]
    values = numbers(cells, table.decimal_comma)
    if str(cells.dtype) == "String" and cells.str.contains(NAMES).all():
        return np.array(cells.to_list())
    if values.null_count() or str(cells.dtype) == "Boolean":
        _refuse_mistakes(table, name, values)
        return np.array([str(value) for value in cells.to_list()])
    return np.asarray(values.to_numpy())


def _refuse_mistakes(table: Table, name: str, values: Series) -> None:
    """Name the odd cell among numbers: it would turn all of them into classes."""
    wrong = values.is_null().to_numpy()
    if not 0 < wrong.sum() <= max(1, MISTAKEN * len(wrong)) or len(wrong) < FEW:
        return
    row = int(np.argmax(wrong))
    raise DataFileError(
        f"{table.where(row, name)}: {table.frame[name][row]!r:.80} is not a number, as the other targets are; mend the "
        "cell, or empty it (then the row is left out)"
    )


def _from_pairs(words: str, pairs: list[Pair], choice: Choice) -> Data:
    if any(pair.y is None for pair in pairs):
        raise DataFileError(f"{words}: has no y to learn from; give {sources.FORMATS}")
    ends = np.cumsum([len(pair.x) for pair in pairs])
    y = np.concatenate([np.asarray(pair.y) for pair in pairs])
    target = targets.decide(words, y, choice.task)
    if len(pairs) == 1:
        train, test = _split(words, target, choice.seed)
        x = pairs[0].x
        parts = x[train], target.y[train], x[test], target.y[test]
        words += f" (one sample in {HELD_OUT} held out for the test)"
    else:
        parts = pairs[0].x, target.y[: ends[0]], pairs[1].x, target.y[ends[0] :]
    return Data(*parts, target.classes, words, "", target.words, None, [])


def _split(source: str, target: targets.Target, seed: int) -> tuple[Array, Array]:
    """Hold samples out by chance, and of classes the same share of each; return the rows of both parts."""
    m = len(target.y)
    if m < 2:
        raise DataFileError(f"{source}: {m} sample is too few to hold some out for the test; give more rows")
    order = np.random.default_rng(seed).permutation(m)
    if target.classes is not None:
        order = order[np.argsort(target.y[order], kind="stable")]
    test = np.zeros(m, bool)
    test[HELD_OUT - 1 :: HELD_OUT] = True
    test[-1] |= not test.any()
    return order[~test], order[test]
