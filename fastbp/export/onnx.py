"""ONNX, of plain operators: whatever reads ONNX computes the same."""

import json
import os
from importlib import import_module
from typing import Any

import numpy as np

from .. import files
from ..formulas.activations import ACTIVATIONS
from .parts import Layer, class_names, follow, parts_of

OPSET, IR_VERSION = 17, 8  # of 2022: what is older cannot be expected, what is newer is not needed
# Operators that are an activation; all others are made of those below, as the formula says.
WHOLE = {"sigmoid": "Sigmoid", "tanh": "Tanh", "relu": "Relu", "exp": "Exp"}
SINGLE_ONLY = {"Erf", "Atan"}  # which ONNX Runtime 1.32 has in float32 only
PLAIN = {
    "add": "Add", "subtract": "Sub", "multiply": "Mul", "divide": "Div", "minimum": "Min", "maximum": "Max",
    "negative": "Neg", "absolute": "Abs", "sign": "Sign", "sqrt": "Sqrt", "exp": "Exp", "log": "Log", "tanh": "Tanh",
    "sin": "Sin", "cos": "Cos", "arctan": "Atan", "erf": "Erf", "expit": "Sigmoid", "where": "Where",
    "less": "Less", "less_equal": "LessOrEqual", "greater": "Greater", "greater_equal": "GreaterOrEqual",
    "equal": "Equal", "logical_and": "And", "logical_or": "Or", "logical_not": "Not",
}  # fmt: skip


def to_onnx(model: Any, path: str | os.PathLike[str]) -> None:
    """Write an ONNX model: input "x" (m, n_0), output "a" (m, n_L), for any m, in the network's dtype.

    Its metadata have `classes`, a JSON list of the labels, and `columns`, where the network was trained on a data
    frame. In float64 erf (gelu) and arctan are rounded to float32 on the way: ONNX Runtime has no others.

    Raises
    ------
    ImportError
        where the package onnx is missing: ``pip install 'fastbp[onnx]'``
    ValueError
        where parameters are not finite

    """
    try:
        onnx = import_module("onnx")
    except ImportError:
        raise ImportError("ONNX needs the package onnx: pip install 'fastbp[onnx]'") from None
    helper, parts = onnx.helper, parts_of(model)
    graph = Graph(helper, parts.dtype)
    a = "x"
    for place, layer in enumerate(parts.layers):
        w, b = graph.keep(f"w{place}", layer.w), graph.keep(f"b{place}", layer.b)
        a = graph.activation(graph.node("Gemm", a, w, b, transB=1), layer)
    graph.nodes.append(helper.make_node("Identity", [a], ["a"]))
    ends = [("x", parts.layers[0].w.shape[1]), ("a", len(parts.layers[-1].w))]
    x, out = (helper.make_tensor_value_info(name, graph.element, ["m", n]) for name, n in ends)
    made = helper.make_graph(graph.nodes, "fastbp", [x], [out], graph.initializers)
    opset = helper.make_opsetid("", OPSET)
    proto = helper.make_model(made, opset_imports=[opset], ir_version=IR_VERSION, producer_name="fastbp")
    notes = {"classes": class_names(parts), "columns": parts.net.columns and parts.net.columns.to_json()}
    helper.set_model_props(proto, {name: json.dumps(value) for name, value in notes.items() if value is not None})
    onnx.checker.check_model(proto, full_check=True)
    files.replace(path, proto.SerializeToString())


class Graph:
    """Nodes and constants in the making."""

    def __init__(self, helper: Any, dtype: np.dtype[Any]) -> None:
        self.helper, self.dtype = helper, dtype
        self.element = helper.np_dtype_to_tensor_dtype(dtype)
        self.nodes: list[Any] = []
        self.initializers: list[Any] = []

    def keep(self, name: str, array: Any) -> str:
        """Add an array of constants; return its name."""
        array = np.ascontiguousarray(array, self.dtype)
        tensor = self.helper.make_tensor(name, self.element, np.shape(array), array.tobytes(), raw=True)
        self.initializers.append(tensor)
        return name

    def number(self, value: float) -> str:
        """Add a single number; return its name."""
        name = f"number{len(self.initializers)}"
        with np.errstate(over="ignore"):
            content = np.array(value).astype(self.dtype).tobytes()
        tensor = self.helper.make_tensor(name, self.element, [], content, raw=True)
        self.initializers.append(tensor)
        return name

    def node(self, operator: str, *inputs: str, **attributes: Any) -> str:
        """Add a node; return its output's name."""
        if operator in SINGLE_ONLY and self.dtype == np.float64:
            inputs = tuple(self._cast(name, np.float32) for name in inputs)
            return self._cast(self._add(operator, inputs, attributes), np.float64)
        return self._add(operator, inputs, attributes)

    def _add(self, operator: str, inputs: tuple[str, ...], attributes: dict[str, Any]) -> str:
        name = f"{operator.lower()}{len(self.nodes)}"
        self.nodes.append(self.helper.make_node(operator, inputs, [name], **attributes))
        return name

    def _cast(self, name: str, dtype: Any) -> str:
        return self._add("Cast", (name,), {"to": self.helper.np_dtype_to_tensor_dtype(np.dtype(dtype))})

    def activation(self, z: str, layer: Layer) -> str:
        """Add σ; return the name of a."""
        row = layer.row
        if row.over_rows:
            scaled = z if row.scale == 1 else self.node("Mul", z, self.number(row.scale))
            return self.node("Softmax", scaled, axis=1)
        if ACTIVATIONS.get(row.name) is row and row.name in WHOLE:
            return self.node(WHOLE[row.name], z)
        a = follow(layer.formula, z, self.number, self._operations())
        return a if layer.formula.uses("z") else self.node("Expand", a, self.node("Shape", z))

    def _operations(self) -> dict[str, Any]:
        node, number = self.node, self.number

        def expm1(x: str) -> str:
            """Tanh(x/2) (e^x + 1), which is exact near 0."""
            half = node("Tanh", node("Mul", x, number(0.5)))
            return node("Mul", half, node("Add", node("Exp", x), number(1.0)))

        def log1p(x: str) -> str:
            """Ln(u) x / (u - 1), u being 1 + x as it is rounded; x itself where u is 1 (Kahan)."""
            one = number(1.0)
            u = node("Add", x, one)
            is_one = node("Equal", u, one)
            apart = node("Where", is_one, one, node("Sub", u, one))
            return node("Where", is_one, x, node("Div", node("Mul", node("Log", u), x), apart))

        found: dict[str, Any] = {
            name: lambda *inputs, operator=operator: node(operator, *inputs) for name, operator in PLAIN.items()
        }
        return found | {
            "expm1": expm1,
            "log1p": log1p,
            "not_equal": lambda x, y: node("Not", node("Equal", x, y)),
        }
