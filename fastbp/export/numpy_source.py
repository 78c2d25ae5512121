"""One file of Python that needs NumPy alone."""

import base64
import os
from typing import Any

import numpy as np

from .. import files
from ..formulas import Array
from .parts import Layer, Parts, class_names, follow, in_comment, parts_of

TEMPLATE = '''"""A network of {sizes}, written by fastbp: predict(x) returns its outputs. NumPy is all it needs."""

import base64
import math

import numpy as np

DTYPE = np.dtype("{dtype}")
CLASSES = {classes}


def _array(text, *shape):
    return np.frombuffer(base64.b64decode(text), DTYPE.newbyteorder("<")).reshape(shape).astype(DTYPE)


_erf = np.vectorize(math.erf, otypes=[float])

{arrays}

{functions}

def predict(x):
    """Return the outputs: (m, {n_in}) -> (m, {n_out}), ({n_in},) -> ({n_out},)."""
    a = np.asarray(x, DTYPE)
    single = a.ndim == 1
    a = a.reshape(-1, {n_in})
    with np.errstate(over="ignore"):
{calls}
    return a[0] if single else a
{labels}'''

LABELS = '''

def predict_labels(x):
    """Return the label of each sample of x (m, {n_in})."""
    a = predict(np.asarray(x).reshape(-1, {n_in}))
    places = {places}
    return [CLASSES[place] for place in places]
'''

OPERATORS = {
    "add": "({} + {})", "subtract": "({} - {})", "multiply": "({} * {})", "divide": "({} / {})", "negative": "(-{})",
    "less": "({} < {})", "less_equal": "({} <= {})", "greater": "({} > {})", "greater_equal": "({} >= {})",
    "equal": "({} == {})", "not_equal": "({} != {})", "logical_and": "({} & {})", "logical_or": "({} | {})",
    "logical_not": "(~{})", "erf": "_erf({}).astype(DTYPE)", "expit": "(1 / (1 + np.exp(-{})))",
}  # fmt: skip


def to_numpy_source(model: Any, path: str | os.PathLike[str] | None = None) -> str:
    """Return a Python file with `predict` and, where outputs stand for labels, `predict_labels`; write it to `path`.

    Parameters are in it to the bit, results are those of the network to rounding.
    """
    parts = parts_of(model)
    sizes = [parts.layers[0].w.shape[1], *(len(layer.w) for layer in parts.layers)]
    arrays, functions, calls = [], [], []
    for place, layer in enumerate(parts.layers):
        arrays += [_line(f"W{place}", layer.w), _line(f"B{place}", layer.b)]
        functions.append(f"def _sigma{place}(z):  # {in_comment(layer.row.name)}\n{_body(layer)}\n")
        calls.append(f"        a = _sigma{place}(a @ W{place}.T + B{place})")
    source = TEMPLATE.format(
        sizes="-".join(map(str, sizes)), dtype=parts.dtype.name, classes=repr(_labels(parts)),
        arrays="\n".join(arrays), functions="\n\n".join(functions), calls="\n".join(calls), n_in=sizes[0],
        n_out=sizes[-1], labels=_choice(parts, sizes),
    )  # fmt: skip
    if path is not None:
        files.replace(path, source.encode())
    return source


def _labels(parts: Parts) -> list[Any] | None:
    plain = None if parts.classes is None else parts.classes.tolist()
    known = plain is None or all(isinstance(label, (int, str, bool)) for label in plain)
    return plain if known else class_names(parts)


def _choice(parts: Parts, sizes: list[int]) -> str:
    if parts.classes is None:
        return ""
    single = f"(a[:, 0] > {parts.threshold!r}).astype(int)"
    return LABELS.format(n_in=sizes[0], places=single if sizes[-1] == 1 else "np.argmax(a, axis=1)")


def _line(name: str, array: Array) -> str:
    little = np.ascontiguousarray(array, array.dtype.newbyteorder("<"))
    text = base64.b64encode(little.tobytes()).decode()
    return f'{name} = _array("{text}", {", ".join(map(str, array.shape))})'


def _body(layer: Layer) -> str:
    """Return the lines of a function of z."""
    if layer.row.over_rows:
        return (
            f"    e = np.exp((z - z.max(axis=1, keepdims=True)) * DTYPE.type({layer.row.scale!r}))\n"
            "    return e / e.sum(axis=1, keepdims=True)"
        )
    lines: list[str] = []

    def step(name: str) -> Any:
        def add(*operands: str) -> str:
            text = OPERATORS.get(name, f"np.{name}({', '.join(['{}'] * len(operands))})").format(*operands)
            lines.append(f"    t{len(lines)} = {text}")
            return f"t{len(lines) - 1}"

        return add

    formula = layer.formula
    result = follow(
        formula, "z", lambda x: f'DTYPE.type("{x!r}")', {name: step(name) for name, _ in formula.steps}
    )  # fmt: skip
    spread = result if formula.uses("z") else f"np.full_like(z, {result})"
    return "\n".join([*lines, f"    return {spread}"])
