"""A diagnosis in one figure: where δ is lost, and which neurons do not learn."""

from typing import Any

from .display import Display
from .factors import plot_factors
from .figures import new_figure
from .learning import plot_saturation


def plot_diagnosis(diagnosis: Any) -> Display:
    """Draw BP2's factors above the shares of saturated and dead neurons."""
    layers = diagnosis.layers
    below = 1.6 + 0.3 * len(layers)
    figure = new_figure(max(7.0, 1.6 + 1.1 * len(layers)), 4 + below)
    top, bottom = figure.subfigures(2, 1, height_ratios=[4, below])
    plot_factors(layers, top.subplots())
    return Display(plot_saturation(layers, bottom.subplots()).ax_, figure)
