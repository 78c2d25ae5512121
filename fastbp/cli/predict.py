"""Print what a saved network says of samples: a label or a number, or all its outputs, on a line for each."""

import argparse
import csv
import io
from pathlib import Path
from typing import Any

from .. import files
from ..networks.base import BaseNetwork
from ..networks.fast import Network
from . import models, samples, scores, sources
from .outcome import Outcome, UsageError


def add_options(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    add = parser.add_argument
    add("model", metavar="MODEL", help="file that fastbp train or Network.save wrote")
    add("data", metavar="DATA", help=f"{sources.FORMATS}; columns of a table are found by their names")
    add("--target", metavar="COLUMN", help="of a table: the answers to compare with, by name or number "
        "(default: the column that was the target in training)")  # fmt: skip
    add("--values", action="store_true", help="print the outputs, one column each, under the names of the classes")
    add("--output", metavar="FILE", help="write there, as .csv")


def run(options: argparse.Namespace) -> Outcome:
    """Predict, and compare with the answers if the data have them."""
    if options.output and Path(options.output).resolve() in _inputs(options):
        raise UsageError("--output would overwrite what is read; choose another file")
    net = Network.load(options.model)
    found = samples.read(options.data, net, options.target)
    outputs = net.predict(found.x)
    classes = models.labels(net)
    labels = [classes[place] for place in models.choices(outputs)] if models.classifies(net) else []
    verdict, notes = None, list(found.notes)
    if found.y is not None and labels:
        verdict, more = scores.of_texts([str(label) for label in labels], found.y, models.names(net))
        notes += more
    elif found.y is not None:
        verdict = scores.of_numbers(outputs, found.y)
    report: dict[str, Any] = {"samples": len(outputs), "predictions": labels or outputs.tolist()}
    if labels and options.values:
        report |= {"classes": models.names(net), "values": outputs.tolist()}
    keys = ("accuracy",) if labels else ("accuracy", "rmse", "r2")
    report |= {**scores.report(verdict, keys), "notes": notes}
    text = _as_csv(net, labels, outputs.tolist(), options.values)
    if options.output:
        files.replace(options.output, (text + "\n").encode())
        text = f"{len(outputs):,} predictions written to {options.output}"
    asides = [*(f"note: {note}" for note in notes), *([verdict.words] if verdict else [])]
    return Outcome(report, text, asides=tuple(asides))


def _inputs(options: argparse.Namespace) -> list[Path]:
    return [Path(options.model).resolve(), Path(options.data).resolve()]


def _as_csv(net: BaseNetwork, labels: list[Any], outputs: list[list[float]], values: bool) -> str:
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    if values:
        writer.writerow(_header(net))
    rows = outputs if values or not labels else [[label] for label in labels]
    writer.writerows([f"{v:.7g}" if isinstance(v, float) else v for v in row] for row in rows)
    return file.getvalue().rstrip("\n")


def _header(net: BaseNetwork) -> list[str]:
    """Name the outputs: a single one by what it is the probability of, or by the target."""
    if models.classifies(net):
        return models.names(net)[-net.sizes[-1] :]
    name = str(net.notes.get("target") or "output")
    return [name] if net.sizes[-1] == 1 else [f"{name} {place}" for place in range(net.sizes[-1])]
