"""The confusion matrix: which class is taken for which."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from .figures import new_figure

NUMBERED_CLASSES = 12  # more have no room for numbers
NAMED_CLASSES = 30
LONGEST_NAME = 14
RIGHT, WRONG = "#8fb3d9", "#b3202a"


def plot_confusion(confusion: Any, classes: Sequence[object] | None = None, ax: Any = None) -> Any:
    """Draw counts (K, K), rows the truth, columns the answer; return the axes.

    The colours are those of the mistakes alone: right answers are so many that beside them none would be seen.
    """
    counts = np.asarray(confusion)
    wrong = np.ma.masked_where(np.eye(len(counts), dtype=bool), counts)
    ax = ax or new_figure(width=5.5, height=5).subplots()
    image = _draw(ax, wrong)
    names = [str(name) for name in (range(len(counts)) if classes is None else classes)]
    _name_classes(ax, names)
    if len(counts) <= NUMBERED_CLASSES:
        _write_counts(ax, counts, int(wrong.max() or 0))
    else:
        _add_colorbar(ax, image)
    ax.set(xlabel="answer", ylabel="truth")
    ax.set_title(f"Confusion: {wrong.sum() or 0:,} of {counts.sum():,} wrong")
    return ax


def _draw(ax: Any, wrong: Any) -> Any:
    from matplotlib.colors import LinearSegmentedColormap

    colors = LinearSegmentedColormap.from_list("mistakes", [ax.get_facecolor(), WRONG]).with_extremes(bad=RIGHT)
    return ax.imshow(wrong, colors, vmin=0, vmax=max(int(wrong.max() or 0), 1), interpolation="nearest")


def _add_colorbar(ax: Any, image: Any) -> None:
    from matplotlib.ticker import MaxNLocator

    ax.figure.colorbar(image, ax=ax, label="wrong answers", shrink=0.8, ticks=MaxNLocator(integer=True))


def _name_classes(ax: Any, names: list[str]) -> None:
    places = range(0, len(names), -(-len(names) // NAMED_CLASSES))
    shown = [name if len(name) <= LONGEST_NAME else name[: LONGEST_NAME - 1] + "…" for name in names]
    labels = [shown[place] for place in places]
    upright = max(map(len, labels), default=0) * len(labels) > 40
    ax.set_xticks(places, labels, rotation=90 if upright else 0, fontsize=8, parse_math=False)
    ax.set_yticks(places, labels, fontsize=8, parse_math=False)


def _write_counts(ax: Any, counts: Any, most: int) -> None:
    """Write each count but 0 in its cell, white on what is dark."""
    plain = ax.xaxis.label.get_color()
    for (row, column), count in np.ndenumerate(counts):
        color = "black" if row == column else "white" if 2 * count > most else plain
        weight = "normal" if row == column else "bold"
        if count:
            ax.text(column, row, f"{count}", ha="center", va="center", color=color, weight=weight, fontsize=8)
