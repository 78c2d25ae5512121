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
    first: int = 0  # epoch


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
    ticks = {place: high - span * place / (HEIGHT - 1) for place in (0, HEIGHT // 2, HEIGHT - 1)}
    names = {place: f"{10**value if chart.log else value:.2g}" for place, value in ticks.items()}
    edge = max(map(len, names.values()))
    lines = [chart.label]
    for place, row in enumerate(grid):
        lines.append(f"{names.get(place, ''):>{edge}} {'┤' if place in names else '│'}{''.join(row).rstrip()}")
    first, last = str(chart.first), str(chart.first + max(map(len, values.values())) - 1)
    lines.append(f"{'':>{edge}} └{'─' * WIDTH}")
    lines.append(f"{'':>{edge}}  {first}{'epoch':^{WIDTH - len(first) - len(last)}}{last}")
    lines.append(f"{'':>{edge}}  " + "   ".join(f"{mark} {name}" for mark, name in zip(MARKS, values, strict=False)))
    return "\n".join(lines)


def as_figure(chart: Chart) -> Any:
    """Return the chart as a figure of matplotlib."""
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    figure = Figure(figsize=(7, 3.6), layout="constrained")
    ax = figure.subplots()
    for (name, curve), style in zip(chart.curves.items(), ("-", "--", "-.", ":", "-", "--"), strict=False):
        ax.plot(range(chart.first, chart.first + len(curve)), curve, style, label=name, lw=2)
    if chart.log:
        ax.set_yscale("log")
    ax.set(xlabel="epoch", ylabel=chart.label)
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.grid(alpha=0.25)
    ax.legend(fontsize=9)
    return figure
