"""An optimizer in words that a file can hold, its schedule included, and back."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from ..schedules import SCHEDULES
from . import OPTIMIZERS

ROWS: dict[str, type[Any]] = {**OPTIMIZERS, **SCHEDULES}


def described(row: Any) -> dict[str, Any]:
    """Return name and fields of an optimizer, or of a schedule, for JSON.

    Raises
    ------
    ValueError
        where it is a user's own, or its schedule is: no file can hold a function

    """
    name = next((name for name, kind in ROWS.items() if type(row) is kind), None)
    if name is None:
        raise ValueError(f"{row!r:.80} is a formula of your own, which no file can hold")
    values = {each.name: getattr(row, each.name) for each in fields(row)}
    return {"name": name} | {each: described(value) if callable(value) else value for each, value in values.items()}


def from_description(description: Mapping[str, Any]) -> Any:
    """Return what `described` has described; what is wrong with it raises ValueError or TypeError."""
    values = {each: from_description(v) if isinstance(v, Mapping) else v for each, v in description.items()}
    name = values.pop("name", None)
    if not isinstance(name, str) or name not in ROWS:
        raise ValueError(f"unknown optimizer or schedule {name!r:.80}")
    return ROWS[name](**values)
