"""Say why a network learns slowly, and write a report with pictures: one HTML file, to be opened in any browser.

The report has the advice, how each layer learns, what it confuses, and the verdict on the equations.
"""

import argparse
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from .. import files
from ..checking.equations import check_equations
from ..checking.report import EquationReport
from ..formulas import Array
from ..insight.diagnosis import Diagnosis, diagnose
from ..insight.samples import hardest_samples
from ..insight.words import HEADS, row
from ..networks.base import BaseNetwork
from ..networks.fast import Network
from ..pages import Page
from ..plotting import (
    plot_confusion,
    plot_diagnosis,
    plot_distributions,
    plot_equations,
    plot_mistakes,
    plot_weights,
)
from . import check, confusion, models, picture, place
from .arrays import Pair
from .outcome import Outcome, UsageError

CHECKED = 64  # samples, for the equations
HARDEST = 15
FACTORS = (
    "What each factor of BP1 and BP2 makes of δ, from the output back; and the shares of neurons that are saturated or "
    "dead, and of inputs near 0."
)
WITHOUT = "no pictures, as matplotlib is missing: pip install 'fastbp[plot]'"


def add_options(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    add = parser.add_argument
    add("model", metavar="MODEL", help="a saved network")
    add("data", metavar="DATA", nargs="?", help="samples with answers (default: the digits, if they fit)")
    add("--target", metavar="COLUMN", help="of a table: the answers, by name or number (default: as in training)")
    add("--output", metavar="FILE.html", help="where the report goes (default: MODEL with .html, in its folder)")


def run(options: argparse.Namespace) -> Outcome:
    """Diagnose, check, and write the report."""
    path = place.checked(Path(options.output or Path(options.model).with_suffix(".html")), "--output")
    net = Network.load(options.model)
    (x, y), words = check.read_samples(options.data, options.target, net)
    if words == check.RANDOM:
        raise UsageError(
            "what a network learns slowly is seen on its data: fastbp diagnose MODEL DATA, with the answers"
        )
    found = diagnose(net, x, y)
    equations = check_equations(net, x[:CHECKED], y[:CHECKED])
    files.replace(path, report(net, Pair(x, y), words, found, equations).encode())
    lines = [str(found), "", f"equations   {equations.sentence}", f"report      {path}"]
    asides = () if find_spec("matplotlib") else (WITHOUT,)
    values = {**found.to_dict(), "equations": equations.to_dict(), "report": str(path)}
    failure = "" if equations.passed else f"the check failed: {equations.verdict}"
    return Outcome(values, "\n".join(lines), failure, asides)


def report(net: BaseNetwork, data: Pair, words: str, found: Diagnosis, equations: EquationReport) -> str:
    """Return the report as one HTML page."""
    page, drawn = Page(f"How {'-'.join(map(str, net.sizes))} learns"), find_spec("matplotlib") is not None
    kind = "advice" if found.advice else "advice good"
    for sentence in found.sentences:
        page.paragraph(sentence, kind)
    score = net.evaluate(*data)
    right = "" if score.accuracy is None else f", {100 * score.accuracy:.2f} % right"
    page.paragraph(
        f"On {len(data.x)} samples of {words}: cost {score.cost:.4g}{right}. The equations: {equations.verdict}."
    )
    if not drawn:
        page.paragraph(f"There are {WITHOUT}.")
    page.heading("How each layer learns")
    page.table(HEADS, [row(layer) for layer in found.layers], found.title)
    if drawn:
        page.figure(lambda: plot_diagnosis(found).figure_, FACTORS)
        page.figure(lambda: plot_distributions(net, found.x).figure_, "How z and a are spread in each layer.")
        if picture.side(net.sizes[0], net.columns):
            page.figure(lambda: plot_weights(net).figure_, "Weights of the first layer, as images of its inputs.")
    page.heading("Samples")
    _add_samples(page, net, data, drawn)
    page.heading("The equations")
    page.paragraph(equations.sentence, "advice good" if equations.passed else "advice")
    if drawn:
        page.figure(lambda: plot_equations(equations).figure_, "How far each array is off, and how far it may be.")
    page.text(str(equations))
    page.heading("The network")
    page.text(str(net.summary()))
    return page.render()


def _add_samples(page: Page, net: BaseNetwork, data: Pair, drawn: bool) -> None:
    hardest = hardest_samples(net, *data, HARDEST, epochs=0)
    page.text(str(hardest))
    truth = _truth(net, data)
    if not drawn or truth is None:
        return
    outputs, names = net.predict(data.x), models.names(net)
    counts = confusion.count(truth, models.choices(outputs), len(names))
    page.figure(lambda: plot_confusion(counts, names).figure, "Which class is taken for which.")
    worst = picture.worst_mistakes(data.x, truth, outputs, names, net.columns)
    if worst:
        page.figure(lambda: plot_mistakes(worst), "The worst mistakes.")


def _truth(net: BaseNetwork, data: Pair) -> Array | None:
    """Return the places (m,) of the right classes; None where answers are no choice between classes."""
    y = net._checked(*data)[1]
    if y.ndim == 1:
        return y
    both = net.sizes[-1] == 1 and models.classifies(net) and bool(np.all((y == 0) | (y == 1)))
    return y[:, 0].astype(np.int64) if both else None
