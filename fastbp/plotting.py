"""Pictures of what `fit` returns; needs matplotlib, imported only when something is drawn."""

from pathlib import Path
from typing import Any

from .history import History

OURS = "fastbp"
COLORS = {  # the same in every picture; peers are muted, so that ours stands out
    OURS: "#1f4e9c",
    "torch": "#8c96a3",
    "torch compiled": "#c7ccd3",
    "jax": "#e3a857",
    "sklearn": "#9fc59a",
    "numpy": "#5fa3a3",
    "book": "#b58fb8",
    "onnxruntime": "#d98880",
}


def plot_history(history: History, ax: Any = None) -> Any:
    """Draw cost over epochs, and accuracy on a second axis where it was measured; return the axes.

    `ax` is an axes of matplotlib; without one, a new figure is made, which no window shows:
    `plot_history(history).figure.savefig(path)`.
    """
    ax = ax or _axes(width=7)
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
    """Draw what `fastbp bench` measured: a group of bars per case, ours first; return the axes.

    The number above ours is how many times as fast it is as the best peer.
    """
    names = [name for name in COLORS if any(name in result.times for result in results)]
    width = 0.86 / max(len(result.times) for result in results)
    ax = ax or _axes(width=max(7.0, 1.4 * len(results) + 1))
    for place, result in enumerate(results):
        for i, (name, time) in enumerate(result.times.items()):
            middle = place + (i - (len(result.times) - 1) / 2) * width
            error = {"ecolor": "0.3", "elinewidth": 0.8}
            ax.bar(middle, time.median, 0.92 * width, yerr=time.spread, color=COLORS[name], error_kw=error)
            if name == OURS and result.ratio:
                corner = (middle + width / 2, 1.05 * (time.median + time.spread))  # the next bar is free of it
                ax.text(*corner, f"{result.ratio:.1f}x", ha="right", va="bottom", fontsize=8, weight="bold")
    labels = [f"{result.case.name}\n{'-'.join(map(str, result.case.sizes))}" for result in results]
    ax.set_xticks(range(len(results)), labels, fontsize=8)
    ax.set(yscale="log", ylabel="microseconds per step (less is better)", xlim=(-0.6, len(results) - 0.4))
    ax.set_title(_setting(results), fontsize=10)
    ax.grid(axis="y", alpha=0.25)
    ax.set_axisbelow(True)
    for name in names:
        ax.bar(0, 0, color=COLORS[name], label=name)
    columns = int(0.8 * ax.figure.get_figwidth())
    ax.figure.legend(loc="outside lower center", ncols=columns, fontsize=8, frameon=False)
    return ax


def plot_sweep(name: str, values: Any, results: Any, cliffs: Any, ax: Any = None) -> Any:
    """Draw how the time per step grows, ours and the best peer's, both axes logarithmic; return the axes.

    A ring is a cliff: there our time grew much faster than the work.
    """
    ax = ax or _axes(width=7)
    ours = [result.times[OURS].median for result in results]
    ax.plot(values, ours, "o-", color=COLORS[OURS], label=OURS, zorder=3)
    peers = [(value, result.best_peer) for value, result in zip(values, results, strict=True) if result.best_peer]
    best = [result.times[result.best_peer].median for result in results if result.best_peer]
    if peers:
        ax.plot([value for value, _ in peers], best, "--", color="0.6", label="best peer")
    for peer in dict.fromkeys(peer for _, peer in peers):
        known = [(value, time) for (value, found), time in zip(peers, best, strict=True) if found == peer]
        ax.plot(*zip(*known, strict=True), "s", color=COLORS[peer], label=f"best is {peer}")
    fallen = [(value, time) for value, time, cliff in zip(values, ours, cliffs, strict=True) if cliff]
    if fallen:
        ax.plot(*zip(*fallen, strict=True), "o", ms=14, mfc="none", mec="C3", mew=1.5, label="cliff")
    ax.set_xscale("log", base=2)
    ax.set_xticks(values, [str(value) for value in values], fontsize=8)
    ax.minorticks_off()
    ax.set(yscale="log", xlabel=name, ylabel="microseconds per step (less is better)")
    ax.set_title(_setting(results), fontsize=10)
    ax.grid(alpha=0.25)
    ax.legend()
    return ax


def check_format(path: str) -> None:
    """Raise ValueError unless a figure can be saved under this name."""
    _require_matplotlib()
    from matplotlib.backend_bases import FigureCanvasBase

    choices = sorted(FigureCanvasBase.get_supported_filetypes())
    if Path(path).suffix[1:] not in choices:
        raise ValueError(f"{path}: unknown kind of picture; choose from .{', .'.join(choices)}")


def _axes(width: float) -> Any:
    _require_matplotlib()
    from matplotlib.figure import Figure

    return Figure(figsize=(width, 4), layout="constrained").subplots()


def _setting(results: Any) -> str:
    first = results[0]
    return f"{first.dtype}, {first.threads} thread{'s' * (first.threads > 1)}"


def _require_matplotlib() -> None:
    try:
        import matplotlib  # noqa: F401
    except ImportError:
        raise ImportError("plots need matplotlib: pip install 'fastbp[plot]'") from None


def _draw(ax: Any, epochs: range, values: Any, style: str, label: str) -> None:
    if any(value is not None for value in values):
        known = [float("nan") if value is None else value for value in values]
        ax.plot(epochs, known, style, label=label)
