"""A training run in one figure: how it learned, what it confuses, and its worst mistakes."""

from collections.abc import Sequence
from typing import Any

from .confusion import plot_confusion
from .curves import plot_history
from .figures import new_figure
from .mistakes import plot_mistakes

CURVE, CONFUSION, STRIP = (7.0, 4.5), 5.0, 1.9  # inches


def plot_training(
    history: Any,
    confusion: Any = None,
    classes: Sequence[object] | None = None,
    mistakes: Sequence[Any] | None = None,
    title: str = "",
) -> Any:
    """Draw the learning curve and what else is given; return the figure.

    `confusion` is (K, K), rows the truth, columns the answer; `mistakes` are as `Mistake`, worst first. Save the
    figure with `plot_training(history).savefig(path)`.
    """
    width, height = CURVE
    several = confusion is not None
    strip = STRIP if mistakes is not None and len(mistakes) else 0.0
    figure = new_figure(width + CONFUSION * several, height + strip)
    heights = [height, strip] if strip else [height]
    rows = figure.subfigures(len(heights), 1, squeeze=False, height_ratios=heights)[:, 0]
    parts = rows[0].subfigures(1, 1 + several, squeeze=False, width_ratios=[width, CONFUSION][: 1 + several])[0]
    plot_history(history, parts[0].subplots())
    if several:
        plot_confusion(confusion, classes, parts[1].subplots())
    if strip:
        plot_mistakes(mistakes or (), rows[1])
    if title:
        figure.suptitle(title, fontsize=13, parse_math=False)
    return figure
