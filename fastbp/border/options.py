"""The border for everything that is not an array: numbers, choices, callbacks."""

import operator
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from ..errors import warn
from ..formulas import number
from ..formulas.optimizers import OPTIMIZERS, SGD
from ..formulas.proof import check_rule
from ..formulas.second_order import WHOLE_BATCH, WholeBatch
from ..processors import available_cores
from . import defaults


def integer(name: str, value: object, low: int) -> int:
    """Return `value` as an int that is at least `low`."""
    try:
        if isinstance(value, (bool, np.bool_)):
            raise TypeError
        result = operator.index(value)  # type: ignore[arg-type]
    except TypeError:
        raise TypeError(f"{name} must be an integer, got {value!r:.80}") from None
    if result < low:
        raise ValueError(f"{name} must be at least {low}, got {result}")
    return result


def checked_threads(threads: int | str) -> int | str:
    """Return "auto" or a number of threads."""
    return "auto" if threads == "auto" else integer('threads (if not "auto")', threads, low=1)


def doubt_threads(threads: int | str) -> None:
    """Warn of more threads than there are cores."""
    if isinstance(threads, int) and threads > 1 and threads > (cores := available_cores()):
        warn(
            f'threads is {threads}, and this process may use {cores} core{"s" * (cores > 1)}: write threads="auto"; '
            "threads that take turns on a core wait for each other at every step"
        )


def checked_optimizer(optimizer: Any) -> Any:
    """Return an optimizer, given itself or by name; the default if None."""
    if optimizer is None:
        return defaults.OPTIMIZER
    if isinstance(optimizer, (*OPTIMIZERS.values(), WholeBatch)):
        return optimizer
    rows = {**OPTIMIZERS, **WHOLE_BATCH}
    row = rows.get(optimizer.lower()) if isinstance(optimizer, str) else None
    if row is not None and row is not SGD:
        return row()
    if not isinstance(optimizer, type) and hasattr(optimizer, "rule"):
        check_rule(optimizer)
        return optimizer
    if row is SGD or optimizer is SGD:
        raise ValueError("SGD has no default learning rate: write optimizer=fastbp.SGD(0.1)")
    choices = ", ".join(f"fastbp.{row.__name__}(...)" for row in rows.values())
    raise (ValueError if isinstance(optimizer, str) else TypeError)(
        f'optimizer must be one of {choices}, like fastbp.Adam(1e-3), a name such as "adam", or a frozen dataclass '
        f"of your own with slots, constants(step) and rule; got {optimizer!r}"
    )


def checked_clips(clip_norm: object, clip_layer_norm: object, clip_value: object) -> dict[str, Any]:
    """Return the limits of a gradient by name: at most one of them is a number."""
    given = {"clip_norm": clip_norm, "clip_layer_norm": clip_layer_norm, "clip_value": clip_value}
    checked = {name: None if limit is None else number(name, limit, positive=True) for name, limit in given.items()}
    if len(told := [name for name, limit in checked.items() if limit is not None]) > 1:
        raise ValueError(f"{' and '.join(told)} are two ways to limit a gradient; give one")
    return checked


def checked_ema(ema: object) -> float | None:
    """Return how much of an average stays at each update, or None."""
    return None if ema is None else number("ema", ema, below=1.0)


def truth(name: str, value: object) -> bool:
    """Return True or False; words such as "no" would be true."""
    if not isinstance(value, (bool, np.bool_)):
        raise TypeError(f"{name} must be True or False, got {value!r:.80}")
    return bool(value)


def checked_callbacks(callbacks: object) -> tuple[Any, ...]:
    """Return the callbacks as a tuple."""
    checked = tuple(callbacks) if isinstance(callbacks, Iterable) else (None,)
    if not all(map(callable, checked)):
        raise TypeError(f"callbacks must be a list of functions (net, history), got {callbacks!r}")
    return checked


def look_every(callbacks: Sequence[Any]) -> int:
    """Return how many mini-batches lie between those that are looked at, 0 for none: as a callback's `every` says."""
    wanted = {callback.every for callback in callbacks if hasattr(callback, "note") and hasattr(callback, "every")}
    if len(wanted) > 1:
        raise ValueError(f"one fit looks at one in so many mini-batches; give every Diagnostics the same, not {wanted}")
    return wanted.pop() if wanted else 0


def checked_verbose(verbose: object) -> int | str:
    """Return "auto", 0, 1 or 2."""
    if not isinstance(verbose, (int, str)) or verbose not in ("auto", 0, 1, 2):
        raise ValueError(f'verbose must be "auto", 0, 1 or 2, got {verbose!r:.80}')
    return verbose


def checked_pair(name: str, pair: object) -> tuple[object, object]:
    """Return a pair (x, y)."""
    if not isinstance(pair, (tuple, list)) or len(pair) != 2:
        raise TypeError(f"{name} must be a pair (x, y), got {type(pair).__name__}")
    return pair[0], pair[1]
