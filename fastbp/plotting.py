"""Pictures of what `fit` returns; needs matplotlib, imported only when something is drawn."""

from typing import Any

from .history import History


def require_matplotlib() -> None:
    """Say how to get matplotlib if it is missing."""
    try:
        import matplotlib  # noqa: F401
    except ImportError:
        raise ImportError("plots need matplotlib: pip install 'fastbp[plot]'") from None


def plot_history(history: History, ax: Any = None) -> Any:
    """Draw cost over epochs, and accuracy on a second axis where it was measured; return the axes.

    `ax` is an axes of matplotlib; without one, a new figure is made (`plot_history(h).figure.savefig(path)`).
    """
    require_matplotlib()
    from matplotlib.figure import Figure

    if ax is None:
        ax = Figure(figsize=(7, 4), layout="constrained").subplots()
    epochs = range(1, len(history) + 1)
    ax.plot(epochs, history.cost, "C0", label="cost, training")
    _plot_known(ax, epochs, history.validation_cost, "C0--", "cost, validation")
    ax.set_xlabel("epoch")
    ax.set_ylabel("cost")
    lines = list(ax.lines)
    if any(a is not None for a in [*history.accuracy, *history.validation_accuracy]):
        right = ax.twinx()
        _plot_known(right, epochs, history.accuracy, "C1", "accuracy, training")
        _plot_known(right, epochs, history.validation_accuracy, "C1--", "accuracy, validation")
        right.set_ylabel("accuracy")
        lines += right.lines
    ax.legend(handles=lines, loc="center right")
    return ax


def _plot_known(ax: Any, epochs: range, values: list[float | None], style: str, label: str) -> None:
    if any(value is not None for value in values):
        ax.plot(epochs, values, style, label=label)
