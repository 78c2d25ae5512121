"""Samples for a saved network: a table is matched with it by the names of the columns."""

from typing import NamedTuple

import numpy as np

from ..errors import DataFileError
from ..formulas import Array
from ..networks.base import BaseNetwork
from . import models, sources
from .arrays import Pair
from .data import target_name
from .kinds import all_numbers, as_learnt
from .numbers import numbers, without
from .tables import Table
from .targets import simplified


class Samples(NamedTuple):
    """x (m, n); y as names of classes (m,), "" where one is missing, or as numbers (m, n_L), or None; notes."""

    x: Array
    y: Array | None
    notes: list[str]


def read(name: str, net: BaseNetwork, target: str | None = None) -> Samples:
    """Return one set of samples; of data that come in two parts, the test part."""
    found = sources.read(name)
    if not isinstance(found, Table):
        return _from_pair(name, net, found[-1])
    table, notes = found, list(found.notes)
    own = str(net.notes.get("target", "")) if target is None else target_name(table, target)
    if net.columns is None:
        return _by_place(net, table, target)
    if not (table.named and set(net.columns.names) & set(table.frame.columns)):
        table, words = _named(net, table)
        notes += words
    frame = as_learnt(table, net.columns)
    present = own in frame.columns
    try:
        x, words = net.columns.encode(without(frame, own))
    except ValueError as error:
        raise DataFileError(f"{table.path}: {error}") from None
    return Samples(x, _answers(net, table, own) if present else None, notes + words)


def _from_pair(name: str, net: BaseNetwork, pair: Pair) -> Samples:
    if pair.x.shape[1] != net.sizes[0]:
        raise DataFileError(f"{name}: its samples have {pair.x.shape[1]} numbers, the network takes {net.sizes[0]}; "
                            "give data such as it was trained on")  # fmt: skip
    if pair.y is None:
        return Samples(pair.x, None, [])
    y = simplified(np.asarray(pair.y))
    if not models.classifies(net):
        return Samples(pair.x, y.reshape(len(y), -1), [])
    return Samples(pair.x, y.astype(str) if y.ndim == 1 else None, [])


def _named(net: BaseNetwork, table: Table) -> tuple[Table, list[str]]:
    """Give the columns of a table without a header the names the network knows, if there are just as many."""
    assert net.columns is not None
    names, width = net.columns.names, table.frame.width
    if set(names) <= set(table.frame.columns):
        return table, []  # the network was trained on a table without a header, too
    generic = all(name.startswith("column ") for name in names)
    if width != len(names) or (table.named and not generic):
        rule = "none of its columns has a name the network knows" if table.named else "it has no header"
        raise DataFileError(f"{table.path}: {rule}, and it has {width} columns where the network takes {len(names)}; "
                            f"name them in a first line: {', '.join(names):.300}")  # fmt: skip
    frame = table.frame.clone()
    frame.columns = names
    return table._replace(frame=frame), [f"the columns were taken in the order {', '.join(names):.200}"]


def _by_place(net: BaseNetwork, table: Table, target: str | None) -> Samples:
    """Take the columns in order, for a network that knows no names; one column more than inputs is the answer."""
    names, n_in = list(table.frame.columns), net.sizes[0]
    own = None
    if target is not None or len(names) == n_in + 1:
        own = target_name(table, target)
        names.remove(own)
    if len(names) != n_in:
        raise DataFileError(
            f"{table.path}: has {len(names)} columns of numbers, the network takes {n_in}, in the order in which it "
            "was trained; give as many, or one more, which is the answer"
        )
    columns = [all_numbers(table, name) for name in names]
    for cells in columns:
        if cells.null_count():
            row = int(cells.is_null().arg_max() or 0)
            raise DataFileError(f"{table.where(row, cells.name)}: empty; fill the cell, or leave the row out")
    x = np.column_stack([cells.to_numpy() for cells in columns])
    notes = [] if own is None or target else [f"column {own!r} is taken for the answers"]
    return Samples(x, None if own is None else _answers(net, table, own), table.notes + notes)


def _answers(net: BaseNetwork, table: Table, name: str) -> Array:
    """Return a target column in the words of the network: numbers, or names of classes."""
    cells = table.frame[name]
    if not models.classifies(net):
        return np.asarray(all_numbers(table, name).to_numpy()).reshape(-1, 1)
    if net.classes is None or net.classes.dtype.kind in "iu":
        values = all_numbers(table, name) if _whole(table, name) else cells
        return np.array(["" if v is None else str(int(v)) if isinstance(v, float) else str(v) for v in values])
    return np.array(["" if value is None else str(value) for value in cells.to_list()])


def _whole(table: Table, name: str) -> bool:
    """Whether a column holds nothing but whole numbers."""
    values = numbers(table.frame[name], table.decimal_comma)
    known = values.drop_nulls()
    return values.null_count() == table.frame[name].null_count() and bool((known == known.round()).all())
