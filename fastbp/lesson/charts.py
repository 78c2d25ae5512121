"""The lesson's curves: drawn with characters for a terminal, by matplotlib for a page; both without words."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

WIDTH, HEIGHT = 68, 11
MARKS = "●○▲△■□"


class Chart(NamedTuple):
    """Curves over epochs, by name; names and labels are symbols, which every language has."""

    curves: Mapping[str, Sequence[float]]
    label: str
    log: bool = False


def as_text(chart: Chart) -> str:
    """Return the chart in characters."""
    values = {name: np.asarray(curve, float) for name, curve in chart.curves.items()}
    scaled = {name: np.log10(np.maximum(curve, 1e-12)) if chart.log else curve for name, curve in values.items()}
    low, high = (f(f(curve) for curve in scaled.values()) for f in (min, max))
    span = (high - low) or 1.0
    grid = [[" "] * WIDTH for _ in range(HEIGHT)]
    for mark, curve in zip(MARKS, scaled.values(), strict=False):
        for column in range(WIDTH):
            value = curve[round(column / (WIDTH - 1) * (len(curve) - 1))]
            grid[round((high - value) / span * (HEIGHT - 1))][column] = mark
    ends = [f"{10**v if chart.log else v:.2g}" for v in (high, low)]
    edge = max(map(len, ends))
    lines = [chart.label]
    for place, row in enumerate(grid):
        name = ends[0] if place == 0 else ends[1] if place == HEIGHT - 1 else ""
        lines.append(f"{name:>{edge}} │{''.join(row)}")
    epochs = max(map(len, values.values())) - 1
    lines.append(f"{'':>{edge}} └{'─' * WIDTH}")
    lines.append(f"{'':>{edge}}  0{'epoch':^{WIDTH - 2 - len(str(epochs))}}{epochs}")
    lines.append("   ".join(f"{mark} {name}" for mark, name in zip(MARKS, values, strict=False)))
    return "\n".join(lines)


def as_figure(chart: Chart) -> Any:
    """Return the chart as a figure of matplotlib."""
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    figure = Figure(figsize=(7, 3.6), layout="constrained")
    ax = figure.subplots()
    for (name, curve), style in zip(chart.curves.items(), ("-", "--", "-.", ":", "-", "--"), strict=False):
        ax.plot(range(len(curve)), curve, style, label=name, lw=2)
    if chart.log:
        ax.set_yscale("log")
    ax.set(xlabel="epoch", ylabel=chart.label)
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.grid(alpha=0.25)
    ax.legend(fontsize=9)
    return figure
