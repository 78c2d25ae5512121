"""One file of C99: no memory is asked for, nothing but math.h is needed."""

import os
import re
from collections.abc import Iterable
from typing import Any

import numpy as np

from .. import files
from ..formulas import Array
from .parts import Layer, Parts, class_names, follow, in_comment, parts_of

TOGETHER = 4  # inputs whose products are added up before they are stored: 784-30-10 1.4 us, one at a time 2.6 (Zen 3)

HEAD = """/* A network of {sizes}, written by fastbp.

   {name}_predict(x, a): outputs a[{n_out}] of the sample x[{n_in}].
{about}
   Needs math.h alone, and asks for no memory. The buffers are static, so two threads must not be in it at once; with
   -D{NAME}_BUFFERS= they are on the stack ({stack} bytes), and any number may. With -D{NAME}_MAIN it is a program that
   reads samples from its input and prints their outputs. */

#include <math.h>

#define {NAME}_INPUTS {n_in}
#define {NAME}_OUTPUTS {n_out}
#ifndef {NAME}_BUFFERS
#define {NAME}_BUFFERS static
#endif

void {name}_predict(const {real} *x, {real} *a);
{declared}
"""

MAIN = """
#ifdef {NAME}_MAIN
#include <stdio.h>

int main(void) {{
  {real} x[{NAME}_INPUTS], a[{NAME}_OUTPUTS];
  int n = 0, i;
  while (scanf("%{scan}", &x[n]) == 1) {{
    if (++n < {NAME}_INPUTS) continue;
    n = 0;
    {name}_predict(x, a);
    for (i = 0; i < {NAME}_OUTPUTS; ++i) printf("%.{digits}g%c", (double)a[i], i + 1 < {NAME}_OUTPUTS ? ' ' : '\\n');
  }}
  return n != 0;
}}
#endif
"""

LAYER = """
static void {name}_layer{place}(const {real} *restrict x, {real} *restrict a) {{ /* {row} */
  int j, k;
  for (j = 0; j < {n_out}; ++j) a[j] = {name}_b{place}[j];
  for (k = 0; k + {t} <= {n_in}; k += {t})
    for (j = 0; j < {n_out}; ++j)
      a[j] += {sums};
  for (; k < {n_in}; ++k)
    for (j = 0; j < {n_out}; ++j) a[j] += {name}_w{place}[k][j] * x[k];
{squash}}}
"""

SOFTMAX = """  {{
    {real} top = a[0], total = 0;
    for (j = 1; j < {n_out}; ++j) top = a[j] > top ? a[j] : top;
    for (j = 0; j < {n_out}; ++j) total += a[j] = {exp}((a[j] - top) * {scale});
    for (j = 0; j < {n_out}; ++j) a[j] /= total;
  }}
"""

CLASS = """
int {name}_class(const {real} *x) {{
  {real} a[{NAME}_OUTPUTS];
  int best = 0;
  {name}_predict(x, a);
{choose}  return best;
}}
"""

OPERATORS = {
    "add": "{} + {}", "subtract": "{} - {}", "multiply": "{} * {}", "divide": "{} / {}", "negative": "-{}",
    "less": "{} < {}", "less_equal": "{} <= {}", "greater": "{} > {}", "greater_equal": "{} >= {}",
    "equal": "{} == {}", "not_equal": "{} != {}", "logical_and": "{} && {}", "logical_or": "{} || {}",
    "logical_not": "!{}", "where": "{} ? {} : {}",
}  # fmt: skip
MASKS = {name for name, text in OPERATORS.items() if any(sign in text for sign in "<>!&|") or "==" in text}


def to_c_source(model: Any, path: str | os.PathLike[str] | None = None, name: str = "network") -> str:
    """Return a file of C99 that computes the network, one sample at a time; write it to `path`, if that is given.

    Parameters
    ----------
    model
        a network or estimator
    path
        the file; it is also good for microcontrollers, and for WebAssembly: it calls no system
    name
        what all names in it begin with, an identifier

    Returns
    -------
    str
        the source: ``NAME_predict(x, a)``, ``NAME_INPUTS``, ``NAME_OUTPUTS`` and, where outputs stand for labels,
        ``NAME_class(x)``, the place in ``NAME_classes``. The numbers are float, or double for float64

    """
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name):
        raise ValueError(f"name must be an identifier, got {name!r}")
    parts = parts_of(model)
    source = Source(parts, name)
    text = source.text()
    if path is not None:
        files.replace(path, text.encode())
    return text


class Source:
    """The file in the making."""

    def __init__(self, parts: Parts, name: str) -> None:
        self.parts = parts
        self.double = parts.dtype == np.float64
        self.sizes = [parts.layers[0].w.shape[1], *(len(layer.w) for layer in parts.layers)]
        self.words = {
            "name": name, "NAME": name.upper(), "real": "double" if self.double else "float", "n_in": self.sizes[0],
            "n_out": self.sizes[-1], "scan": "lf" if self.double else "f", "digits": 17 if self.double else 9,
        }  # fmt: skip

    def text(self) -> str:
        """Return it all."""
        words, classes = self.words, class_names(self.parts)
        about, declared = "", ""
        if classes is not None:
            about = f"   {words['name']}_class(x): the place of its label in {words['name']}_classes.\n"
            declared = (
                f"int {words['name']}_class(const {words['real']} *x);\n"
                f"const char *const {words['name']}_classes[] = {{{', '.join(map(_quoted, classes))}}};\n"
            )
        stack = sum(self.sizes[1:-1]) * self.parts.dtype.itemsize
        head = HEAD.format(
            sizes="-".join(map(str, self.sizes)), about=about, declared=declared, stack=stack, **words
        )  # fmt: skip
        layers = [self._layer(place, layer) for place, layer in enumerate(self.parts.layers)]
        return "".join([head, *layers, self._predict(), self._class(), MAIN.format(**words)])

    def _layer(self, place: int, layer: Layer) -> str:
        """Return weights, turned so that outputs lie side by side, and the function of one layer."""
        name, real = self.words["name"], self.words["real"]
        n_out, n_in = layer.w.shape
        rows = ",\n".join(f"  {{{self._numbers(column)}}}" for column in layer.w.T)
        sums = " + ".join(f"{name}_w{place}[k + {i}][j] * x[k + {i}]" for i in range(TOGETHER))
        sigma, squash = (
            self._sigma(place, layer),
            f"  for (j = 0; j < {n_out}; ++j) a[j] = {name}_sigma{place}(a[j]);\n",
        )
        if layer.row.over_rows:
            squash = SOFTMAX.format(
                n_out=n_out, scale=self._number(layer.row.scale), exp=self._function("exp"), real=real
            )  # fmt: skip
        function = LAYER.format(
            name=name, real=real, place=place, row=in_comment(layer.row.name), n_in=n_in, n_out=n_out, t=TOGETHER,
            sums=sums,
            squash=squash,
        )  # fmt: skip
        return (
            f"\nstatic const {real} {name}_w{place}[{n_in}][{n_out}] = {{\n{rows}}};\n"
            f"static const {real} {name}_b{place}[{n_out}] = {{{self._numbers(layer.b)}}};\n{sigma}{function}"
        )

    def _sigma(self, place: int, layer: Layer) -> str:
        """Return σ as a function of one number, a line for each step of its formula."""
        if layer.row.over_rows:
            return ""
        lines: list[str] = []

        def step(operation: str) -> Any:
            def add(*operands: str) -> str:
                kind = "int" if operation in MASKS else self.words["real"]
                lines.append(f"  const {kind} t{len(lines)} = {self._expression(operation, operands)};\n")
                return f"t{len(lines) - 1}"

            return add

        formula = layer.formula
        result = follow(formula, "z", self._number, {name: step(name) for name, _ in formula.steps})
        real = self.words["real"]
        if not formula.uses("z"):
            lines.insert(0, "  (void)z;\n")
        head = f"\nstatic {real} {self.words['name']}_sigma{place}({real} z) {{\n"
        return f"{head}{''.join(lines)}  return {result};\n}}\n"

    def _expression(self, operation: str, operands: tuple[str, ...]) -> str:
        if operation in OPERATORS:
            return OPERATORS[operation].format(*operands)
        x, y = operands[0], operands[-1]
        if operation in ("minimum", "maximum"):  # NaN stays
            return f"({x} {'<' if operation == 'minimum' else '>'} {y} || {x} != {x}) ? {x} : {y}"
        if operation == "sign":
            return f"({self.words['real']})(({x} > 0) - ({x} < 0))"
        if operation == "expit":
            return f"1 / (1 + {self._function('exp')}(-{x}))"
        names = {"absolute": "fabs", "arctan": "atan"}
        return f"{self._function(names.get(operation, operation))}({x})"

    def _predict(self) -> str:
        """Return the function that goes from layer to layer."""
        name, real, last = self.words["name"], self.words["real"], len(self.sizes) - 2
        buffers = "".join(
            f"  {self.words['NAME']}_BUFFERS {real} a{place}[{n}];\n" for place, n in enumerate(self.sizes[1:-1])
        )
        ends = ["x", *(f"a{place}" for place in range(last)), "a"]
        calls = "".join(f"  {name}_layer{place}({ends[place]}, {ends[place + 1]});\n" for place in range(last + 1))
        return f"\nvoid {name}_predict(const {real} *x, {real} *a) {{\n{buffers}{calls}}}\n"

    def _class(self) -> str:
        if self.parts.classes is None:
            return ""
        if self.sizes[-1] == 1:
            choose = f"  best = a[0] > {self._number(self.parts.threshold)};\n"
        else:
            choose = (
                f"  for (int j = 1; j < {self.words['NAME']}_OUTPUTS; ++j)\n    if (a[j] > a[best]) best = j;\n"
            )  # fmt: skip
        return CLASS.format(choose=choose, **self.words)

    def _function(self, name: str) -> str:
        return name if self.double else f"{name}f"

    def _number(self, value: float) -> str:
        """Return a literal that is the number itself, and of the network's type."""
        with np.errstate(over="ignore"):
            rounded = np.float64(value) if self.double else np.float32(value)
        if not np.isfinite(rounded):
            return "NAN" if np.isnan(rounded) else "INFINITY" if rounded > 0 else "(-INFINITY)"
        text = f"{rounded:.17g}" if self.double else f"{rounded:.9g}"
        text = text if any(sign in text for sign in ".en") else f"{text}.0"
        text = text if self.double else f"{text}f"
        return f"({text})" if text.startswith("-") else text

    def _numbers(self, values: Iterable[Any] | Array) -> str:
        return ", ".join(self._number(value).strip("()") for value in values)


def _quoted(text: str) -> str:
    """Return a string of C; bytes beyond ASCII in octal, which cannot run into what follows."""
    plain = {ord('"'): '\\"', ord("\\"): "\\\\", ord("?"): "\\?"}
    return '"' + "".join(plain.get(b, chr(b) if 32 <= b < 127 else f"\\{b:03o}") for b in text.encode()) + '"'
