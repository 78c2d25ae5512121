"""Pictures of what `fit` returns; needs matplotlib, imported only when something is drawn."""

from pathlib import Path
from typing import Any

from .history import History


def plot_history(history: History, ax: Any = None) -> Any:
    """Draw cost over epochs, and accuracy on a second axis where it was measured; return the axes.

    `ax` is an axes of matplotlib; without one, a new figure is made, which no window shows:
    `plot_history(history).figure.savefig(path)`.
    """
    if ax is None:
        _require_matplotlib()
        from matplotlib.figure import Figure

        ax = Figure(figsize=(7, 4), layout="constrained").subplots()
    epochs = range(1, len(history) + 1)
    _draw(ax, epochs, history.cost, "C0-", "cost, training")
    _draw(ax, epochs, history.validation_cost, "C0--", "cost, validation")
    ax.set(xlabel="epoch", ylabel="cost")
    lines = list(ax.lines)
    if any(a is not None for a in [*history.accuracy, *history.validation_accuracy]):
        right = ax.twinx()
        _draw(right, epochs, history.accuracy, "C1-", "accuracy, training")
        _draw(right, epochs, history.validation_accuracy, "C1--", "accuracy, validation")
        right.set_ylabel("accuracy")
        lines += right.lines
    ax.legend(handles=lines, loc="center right")
    return ax


def plot_benchmark(results: Any, ax: Any = None) -> Any:
    """Draw what `fastbp bench` measured: microseconds per step, a group of bars per case; return the axes."""
    _require_matplotlib()
    from matplotlib.figure import Figure

    if ax is None:
        ax = Figure(figsize=(9, 4.5), layout="constrained").subplots()
    names = list(dict.fromkeys(name for result in results for name in result.times))
    width = 0.8 / len(names)
    for place, name in enumerate(names):
        known = [(i, r.times[name]) for i, r in enumerate(results) if name in r.times]
        middles = [i + (place - (len(names) - 1) / 2) * width for i, _ in known]
        errors = [spread for _, (_, spread) in known]
        ax.bar(middles, [time for _, (time, _) in known], width, yerr=errors, label=name)
    ax.set_xticks(range(len(results)), [result.case for result in results])
    ax.set(yscale="log", ylabel="microseconds per step (less is better)")
    ax.set_title(f"{results[0].dtype}, {results[0].threads} thread{'s' * (results[0].threads > 1)}")
    ax.legend()
    return ax


def check_format(path: str) -> None:
    """Raise ValueError unless a figure can be saved under this name."""
    _require_matplotlib()
    from matplotlib.backend_bases import FigureCanvasBase

    choices = sorted(FigureCanvasBase.get_supported_filetypes())
    if Path(path).suffix[1:] not in choices:
        raise ValueError(f"{path}: unknown kind of picture; choose from .{', .'.join(choices)}")


def _require_matplotlib() -> None:
    try:
        import matplotlib  # noqa: F401
    except ImportError:
        raise ImportError("plots need matplotlib: pip install 'fastbp[plot]'") from None


def _draw(ax: Any, epochs: range, values: Any, style: str, label: str) -> None:
    if any(value is not None for value in values):
        known = [float("nan") if value is None else value for value in values]
        ax.plot(epochs, known, style, label=label)
