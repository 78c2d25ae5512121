"""How δ shrinks on its way back: BP2's factors, layer by layer, as a waterfall."""

import math
from collections.abc import Sequence
from typing import Any

from .display import Display, axes, display

SLOPE, WEIGHTS = "#d1603d", "#3d7ab8"  # they differ in grey, and the bars of σ' are hatched
LEAST = 1e-200  # an axis needs room below and above


def plot_factors(layers: Sequence[Any], ax: Any = None) -> Display:
    """Draw |δ| from the output back to the first layer: a step for each wᵀ and each σ', on a logarithmic axis.

    `layers` is `Diagnosis.layers`, or one entry of `Diagnostics.epochs`. A factor that is 0 ends the way: nothing
    reaches the layers before it, and the title names the first of them.
    """
    steps, start, end, reached = _steps(layers)
    ax = axes(ax, max(6.0, 1.6 + 0.55 * len(steps)))
    if not steps:
        ax.set(xticks=[], yticks=[])
        ax.text(0.5, 0.5, _nothing(layers[-1]), ha="center", transform=ax.transAxes)
        return display(ax)
    for place, (_, kind, before, after) in enumerate(steps):
        low, high = sorted((before, after))
        ax.bar(place, high - low, bottom=low, width=0.7, color=SLOPE if kind == "σ'" else WEIGHTS,
               hatch="//" if kind == "σ'" else "", edgecolor="white", lw=0.5)  # fmt: skip
        ax.plot([place - 0.35, place + 1.35 if place + 1 < len(steps) else place + 0.35], [after] * 2,
                color=ax.xaxis.label.get_color(), lw=0.8)  # fmt: skip
        ax.annotate(f"×{after / before:.2g}", (place, high), ha="center", va="bottom", fontsize=7,
                    xytext=(0, 2), textcoords="offset points")  # fmt: skip
    ax.set_yscale("log")
    low = min(min(before, after) for *_, before, after in steps)
    high = max(max(before, after) for *_, before, after in steps)
    room = max(high / low, 10) ** 0.12
    ax.set_ylim(low / room, high * room * 1.3)
    ax.set_xticks(range(len(steps)), [f"{kind}\nlayer {layer}" for layer, kind, *_ in steps], fontsize=8)
    ax.set(ylabel="|δ| of a typical sample")
    ax.set_title(f"From ∇ₐC {start:.2g} back to δ {end:.2g} in layer {reached} (BP1, BP2)")
    ax.grid(axis="y", alpha=0.25)
    return display(ax)


def _steps(layers: Sequence[Any]) -> tuple[list[tuple[int, str, float, float]], float, float, int]:
    """Return (layer, kind, |δ| before, |δ| after) for each factor, the output's first; |∇ₐC|; the last |δ|, its layer.

    Where |δ| becomes 0 or is not finite there is no further step: a logarithmic axis has no place for it.
    """
    steps: list[tuple[int, str, float, float]] = []
    last = layers[-1]
    now = start = last.delta / last.by_slope if last.by_slope else math.nan
    for layer in reversed(layers):
        for kind, factor in (("wᵀ", layer.by_weights), ("σ'", layer.by_slope)):
            if kind == "wᵀ" and layer is last:  # BP1 has none
                continue
            after = math.nan if factor is None else now * factor
            if not LEAST < after < 1 / LEAST:  # NaN neither
                return steps, start, after, layer.layer
            steps.append((layer.layer, kind, now, after))
            now = after
    return steps, start, now, layers[0].layer


def _nothing(output: Any) -> str:
    """Say why not even the output has an error δ."""
    if output.by_slope == 0:
        return "σ' is 0 at the output: the mistake is not sent back (BP1)"
    if output.delta == 0:
        return "∇ₐC is 0: there is no mistake to send back"
    return "δ of the output is not finite"
