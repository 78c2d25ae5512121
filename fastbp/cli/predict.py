"""Print what a saved network says of samples: a label, or its outputs, on a line for each."""

import argparse
import csv
import io
from pathlib import Path
from typing import Any

from ..formulas import Array
from . import models
from .data import as_labels, samples
from .outcome import Outcome, UsageError


def add_options(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    add = parser.add_argument
    add("model", metavar="MODEL", help="file that fastbp train or Network.save wrote")
    add("data", metavar="DATA", help=".csv, .npz with x (or x_test), or folder with MNIST's files")
    add("--target", metavar="COLUMN", help="of a .csv: the column that is no feature (default: the last, "
        "if there is one more than the network has inputs)")  # fmt: skip
    add("--values", action="store_true", help="print the outputs, one column each, not the labels")
    add("--output", metavar="FILE", help="write there, as .csv")


def run(options: argparse.Namespace) -> Outcome:
    """Predict, and compare with the answers if the file has them."""
    if options.output and Path(options.output).resolve() in _inputs(options):
        raise UsageError("--output would overwrite what is read; choose another file")
    model = models.load(options.model)
    x, y = samples(options.data, options.target, model.net.sizes[0])
    outputs = model.net.predict(x)
    labels = model.labels(outputs) if model.classifies else []
    report: dict[str, Any] = {"samples": len(outputs), "predictions": labels or outputs.tolist()}
    if labels and options.values:
        report["values"] = outputs.tolist()
    report["accuracy"] = _accuracy(options.data, model, labels, y)
    rows = outputs.tolist() if options.values or not labels else [[label] for label in labels]
    text = _as_csv(rows)
    if options.output:
        Path(options.output).write_text(text + "\n", encoding="utf-8")
        text = f"{len(rows):,} predictions written to {options.output}"
        if report["accuracy"] is not None:
            text += f"; {report['accuracy']:.2%} are as the file says"
    return Outcome(report, text)


def _inputs(options: argparse.Namespace) -> list[Path]:
    return [Path(options.model).resolve(), Path(options.data).resolve()]


def _accuracy(
    path: str, model: models.Model, labels: list[str] | list[int], y: Array | None
) -> float | None:
    if y is None or not labels:
        return None
    answers = [model.names[place] for place in as_labels(path, y, model.names)]
    right = [str(label) == answer for label, answer in zip(labels, answers, strict=True)]
    return right.count(True) / len(right)


def _as_csv(rows: list[list[Any]]) -> str:
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerows([f"{v:.7g}" if isinstance(v, float) else v for v in row] for row in rows)
    return file.getvalue().rstrip("\n")
