"""The learning curve: what `fit` measured, over the epochs."""

import math
from collections.abc import Sequence
from typing import Any

from .figures import new_figure

MARKED_EPOCHS = 30  # more would be a line of dots
DECADES = 2.0  # a cost that falls further is seen only on a logarithmic axis

Values = Sequence[float | None]
Pair = tuple[Values, Values]  # training, validation


def plot_history(history: Any, ax: Any = None) -> Any:
    """Draw cost over epochs, and accuracy on a second axis where it was measured; return the axes.

    Where the history has errors in units of y, they are drawn instead of the cost. The best epoch is that of the
    lowest cost in validation, or in training if there was none. `ax` is an axes of matplotlib; without one, a new
    figure is made, which no window shows: `plot_history(history).figure.savefig(path)`.
    """
    ax = ax or new_figure(width=7).subplots()
    epochs = len(history)
    name, words = "cost", "cost"
    pair: Pair = history.cost, history.validation_cost
    if _known(history.rmse) or _known(history.validation_rmse):
        name, words = "error", "root mean square error, in units of y"
        pair = history.rmse, history.validation_rmse
    _draw_pair(ax, pair, name, "C0", "o")
    _mark_best(ax, pair, name)
    if _spans_decades(pair):
        ax.set_yscale("log")
    _label(ax, words, "C0")
    lines = [line for line in ax.lines if not line.get_label().startswith("_")]
    if _known(history.accuracy) or _known(history.validation_accuracy):
        right = ax.twinx()
        _draw_pair(right, (history.accuracy, history.validation_accuracy), "accuracy", "C1", "s")
        _label(right, "accuracy", "C1")
        _use_percents(right, alone=epochs == 1)
        lines[2:2] = right.lines
    _use_whole_epochs(ax, epochs)
    ax.set_title(f"Learning curve: {epochs} epoch{'s' * (epochs != 1)}, {sum(history.seconds):.3g} s")
    ax.grid(alpha=0.25)
    _add_legend(ax, lines)
    return ax


def _draw_pair(ax: Any, pair: Pair, name: str, color: str, marker: str) -> None:
    """Draw training solid and validation dashed, which a print in grey keeps."""
    for values, style, what in zip(pair, ("-", "--"), ("training", "validation"), strict=True):
        if _known(values):
            shown = [math.nan if value is None else value for value in values]
            inside = color if style == "-" else ax.get_facecolor()
            # a value between two gaps has no line, so it needs its marker
            marked = marker if len(values) <= MARKED_EPOCHS or None in values else ""
            ax.plot(range(1, len(values) + 1), shown, style, marker=marked, color=color, mfc=inside, ms=4.5,
                    label=f"{name}, {what}")  # fmt: skip


def _mark_best(ax: Any, pair: Pair, name: str) -> None:
    training, validation = pair
    values, what = (validation, "validation") if _known(validation) else (training, "training")
    finite = [(value, place) for place, value in enumerate(values) if value is not None and math.isfinite(value)]
    if finite:
        least, place = min(finite)
        grey = ax.xaxis.label.get_color()
        ax.axvline(place + 1, color=grey, alpha=0.5, lw=1, ls=":", label="_best")
        ax.plot([place + 1], [least], "*", color=grey, mfc="none", ms=15, zorder=5,
                label=f"best epoch: {place + 1} ({what} {name} {least:.3g})")  # fmt: skip


def _label(ax: Any, words: str, color: str) -> None:
    ax.set_ylabel(words, color=color)
    ax.tick_params(axis="y", which="both", labelcolor=color)


def _use_percents(ax: Any, alone: bool) -> None:
    from matplotlib.ticker import PercentFormatter

    bottom, top = ax.get_ylim()
    if alone:  # points of one epoch fill both axes alike: move these, or they would hide those of the cost
        bottom, top = bottom - 0.7 * (top - bottom), top + 0.2 * (top - bottom)
    ax.set_ylim(max(bottom, -0.02), min(top, 1.02))
    ax.yaxis.set_major_formatter(PercentFormatter(1.0))


def _use_whole_epochs(ax: Any, epochs: int) -> None:
    from matplotlib.ticker import MaxNLocator

    ax.set_xlabel("epoch")
    ax.set_xlim(0.5, max(epochs, 1) + max(0.5, 0.02 * epochs))
    ax.xaxis.set_major_locator(MaxNLocator(nbins=10, steps=[1, 2, 5, 10], integer=True, min_n_ticks=1))


def _add_legend(ax: Any, lines: list[Any]) -> None:
    """Place it below, where no line can be, if the figure makes room for it."""
    from matplotlib.transforms import ScaledTranslation

    if ax.figure.get_layout_engine() is None:
        ax.legend(handles=lines, loc="center right", fontsize=8)
        return
    below = ax.transAxes + ScaledTranslation(0, -0.5, ax.figure.dpi_scale_trans)  # inches: ticks and label
    ax.legend(handles=lines, loc="upper center", bbox_to_anchor=(0.5, 0), bbox_transform=below, borderaxespad=0,
              ncols=2, fontsize=9, frameon=False)  # fmt: skip


def _known(values: Values) -> bool:
    return any(value is not None for value in values)


def _spans_decades(pair: Pair) -> bool:
    values = [value for values in pair for value in values if value is not None and math.isfinite(value)]
    return bool(values) and min(values) > 0 and max(values) > 10**DECADES * min(values)
