"""How fast each layer learns over the epochs, and where neurons are saturated: the slow-down, as the book draws it."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from .display import Display, axes, display

MARKERS = "osD^vP*X<>"
SHARES = {"saturated": "saturated", "dead": "dead", "small_inputs": "inputs near 0"}


def plot_speeds(epochs: Sequence[Sequence[Any]], ax: Any = None) -> Display:
    """Draw |δ| of each layer over the epochs, from `Diagnostics.epochs`, on a logarithmic axis.

    A layer whose δ is 0 everywhere, or not finite, has no line, and its label says so.
    """
    _require_some(epochs)
    ax = axes(ax, 7)
    layers, positive = list(epochs[0]), False
    for layer in layers:
        values = np.array([looks[layer.layer].delta for looks in epochs], float)
        shown = np.where((values > 0) & np.isfinite(values), values, np.nan)
        missing = ": δ is not finite" if np.any(~np.isfinite(values)) else ": δ is 0"
        label = f"{layer.layer} {layer.activation}" + (missing if np.isnan(shown).all() else "")
        marked = MARKERS[layer.layer % len(MARKERS)]
        ax.plot(range(1, len(epochs) + 1), shown, marker=marked, ms=4, lw=1.5, markevery=max(1, len(epochs) // 15),
                color=color(layer.layer, len(layers), ax), label=label)  # fmt: skip
        positive |= not np.isnan(shown).all()
    if positive:
        ax.set_yscale("log")
    _use_whole_epochs(ax)
    ax.set(ylabel="|δ| of a typical sample")
    ax.set_title("How much of the mistake reaches each layer")
    ax.grid(alpha=0.25)
    place = {"loc": "center left", "bbox_to_anchor": (1.01, 0.5)}
    for name in ax.legend(title="layer", fontsize=8, ncols=1 + len(layers) // 9, **place).get_texts():
        name.set_parse_math(False)  # activations of one's own may have any name
    return display(ax)


def plot_saturation(looks: Sequence[Any], ax: Any = None) -> Display:
    """Draw the share of saturated neurons, layer by layer: over the epochs, or beside other shares for one moment.

    `looks` is `Diagnostics.epochs`, or the layers of one moment, as `Diagnosis.layers`.
    """
    _require_some(looks)
    one_moment = hasattr(looks[0], "saturated")
    layers = looks if one_moment else looks[0]
    if one_moment:
        values = [[getattr(layer, name) for name in SHARES] for layer in layers]
        columns = list(SHARES.values())
    else:
        values = [[moment[layer.layer].saturated for moment in looks] for layer in layers]
        columns = []
    shares = np.array([[np.nan if value is None else 100 * value for value in row] for row in values])
    ax = axes(ax, 7 if not one_moment else 5, 1.6 + 0.32 * len(layers))
    first = 0 if one_moment else 1  # epochs have their numbers
    extent = (first - 0.5, first + shares.shape[1] - 0.5, len(layers) - 0.5, -0.5)
    image = ax.imshow(np.ma.masked_invalid(shares), "cividis", vmin=0, vmax=100, aspect="auto",
                      interpolation="nearest", extent=extent)  # fmt: skip
    ax.set_yticks(range(len(layers)), [f"{layer.layer} {layer.activation}" for layer in layers], parse_math=False)
    ax.set_ylabel("layer")
    if one_moment:
        ax.set_xticks(range(len(columns)), columns)
        for (row, column), value in np.ndenumerate(shares):
            words = "–" if np.isnan(value) else f"{value:.0f} %"
            ax.text(column, row, words, ha="center", va="center", fontsize=8, color=_readable(ax, value))
    else:
        _use_whole_epochs(ax)
        for row in np.flatnonzero(np.isnan(shares).all(axis=1)).tolist():
            ax.text((1 + len(looks)) / 2, row, "– (σ' is no number per neuron)", ha="center", va="center", fontsize=8)
    ax.set_title("Shares of neurons and inputs" if one_moment else "Saturated neurons: |σ'| below 4 % of its largest")
    ax.figure.colorbar(image, ax=ax, label="%")
    return display(ax)


def color(place: int, count: int, ax: Any) -> Any:
    """Return one of as many colours as there are layers: all differ in grey, too, and from the ground."""
    from matplotlib import colormaps

    first = 0.05 if sum(ax.get_facecolor()[:3]) > 1.5 else 0.3
    return colormaps["viridis"](first + 0.65 * place / max(1, count - 1))


def _require_some(looks: Sequence[Any]) -> None:
    if not len(looks):
        raise ValueError("nothing was seen yet: Diagnostics.epochs is filled by net.fit(..., callbacks=[it])")


def _readable(ax: Any, value: float) -> Any:
    if np.isnan(value):
        return ax.xaxis.label.get_color()
    return "white" if value < 50 else "black"


def _use_whole_epochs(ax: Any) -> None:
    from matplotlib.ticker import MaxNLocator

    ax.set_xlabel("epoch")
    ax.xaxis.set_major_locator(MaxNLocator(nbins=10, steps=[1, 2, 5, 10], integer=True, min_n_ticks=1))
