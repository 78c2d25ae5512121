"""The book's files: JSON with sizes, weights, biases and the name of the cost."""

import json
import os
from typing import Any

import numpy as np

from ..errors import ModelFileError
from ..formulas import Array
from ..formulas.activations import find_activation


def read_network(path: str | os.PathLike[str]) -> tuple[list[int], list[Array], list[Array], str, Any]:
    """Return sizes, weights (n_out, n_in), biases (n_out, 1), the cost's name and the hidden layers' activation."""
    with open(path, "rb") as file:
        content = file.read()
    try:
        return _checked(json.loads(content))
    except (ValueError, TypeError, LookupError, RecursionError, OverflowError) as error:
        raise ModelFileError(f"{os.fspath(path)}: not a network of network2's: {error!s:.200}") from None


def _checked(data: Any) -> tuple[list[int], list[Array], list[Array], str, Any]:
    if not isinstance(data, dict):
        raise ValueError("it holds no JSON object")
    if missing := [name for name in ("sizes", "weights", "biases", "cost") if name not in data]:
        raise ValueError(f"it has no {missing[0]}")
    sizes, cost = data["sizes"], data["cost"]
    if not (isinstance(sizes, list) and len(sizes) > 1 and all(type(n) is int and n > 0 for n in sizes)):
        raise ValueError(f"sizes must list at least two positive integers, got {sizes!r:.80}")
    if not isinstance(cost, str):
        raise ValueError(f"cost must be a name, got {cost!r:.80}")
    weights = _arrays("weights", data["weights"], list(zip(sizes[1:], sizes[:-1], strict=True)))
    biases = _arrays("biases", data["biases"], [(n, 1) for n in sizes[1:]])
    return sizes, weights, biases, cost, find_activation(data.get("activation", "sigmoid"))


def _arrays(name: str, lists: Any, shapes: list[tuple[int, int]]) -> list[Array]:
    if not isinstance(lists, list) or len(lists) != len(shapes):
        raise ValueError(f"{name} must be a list of {len(shapes)} arrays")
    found = [np.array(rows, np.float64) for rows in lists]
    for place, (array, shape) in enumerate(zip(found, shapes, strict=True)):
        if array.shape != shape or not np.isfinite(array).all():
            raise ValueError(f"{name}[{place}] must be {shape}, of finite numbers; got {array.shape}")
    return found
