"""What a network holds: z and a of every layer for some samples, and the weights of the first layer as images."""

from typing import Any

import numpy as np

from .display import Display
from .figures import new_figure
from .learning import color

BINS = 60
MOST_IMAGES = 25
NARROWEST = 1e-9  # of the largest value: between closer ones float64 has no room for the bins


def plot_distributions(net: Any, x: Any, figure: Any = None) -> Display:
    """Draw how z and a of each layer are spread over the samples x: a row of two histograms per layer."""
    states = net.forward(x)
    layers = len(states.zs)
    figure = figure or new_figure(7.5, 0.8 + 1.15 * layers)
    grid = figure.subplots(layers, 2, squeeze=False)
    for place, (z, a) in enumerate(zip(states.zs, states.activations[1:], strict=True)):
        for ax, values, name in zip(grid[place], (z, a), "za", strict=True):
            every = np.asarray(values, float).ravel()
            finite = every[np.isfinite(every)]
            ax.hist(finite, BINS, range=_reach(finite), color=color(place, layers, ax), histtype="stepfilled")
            if len(finite) < len(every):
                words = f"{len(every) - len(finite)} of {len(every)} are not finite"
                ax.text(0.5, 0.8, words, ha="center", fontsize=7, transform=ax.transAxes)
            ax.set_yticks([])
            ax.tick_params(labelsize=7)
            ax.locator_params(axis="x", nbins=5)
            if place == 0:
                ax.set_title(name)
        grid[place][0].set_ylabel(f"{place} {net.spec.activations[place]}", fontsize=8, parse_math=False)
    figure.suptitle(f"Weighted inputs z and activations a of {len(states.zs[0])} samples", fontsize=11)
    return Display(grid[0][0], figure)


def plot_weights(net: Any, figure: Any = None) -> Display:
    """Draw the weights of the first neurons that the network has as images, where its inputs are square images."""
    w = net.weights[0]
    side = int(np.sqrt(w.shape[1]))
    if side * side != w.shape[1] or side < 2:
        raise ValueError(f"{w.shape[1]} inputs are no square image, so their weights are none either")
    count = min(len(w), MOST_IMAGES)
    columns = min(count, 5 if count <= 10 else 9)
    rows = -(-count // columns)
    figure = figure or new_figure(1.1 * columns + 0.6, 1.1 * rows + 0.6)
    grid = figure.subplots(rows, columns, squeeze=False)
    reach = float(np.abs(w[:count]).max()) or 1.0
    image = None
    for ax in grid.ravel():
        ax.set_axis_off()
    for neuron, ax in zip(range(count), grid.ravel(), strict=False):
        ax.set_axis_on()
        ax.set(xticks=[], yticks=[])
        ax.set_title(str(neuron), fontsize=7, pad=2)
        image = ax.imshow(w[neuron].reshape(side, side), "RdBu", vmin=-reach, vmax=reach, interpolation="nearest")
    figure.colorbar(image, ax=grid, label="weight", shrink=0.9)
    figure.suptitle(f"What {count} of {len(w)} neurons of layer 0 look for", fontsize=11)
    return Display(grid[0][0], figure)


def _reach(values: Any) -> tuple[float, float] | None:
    """Return where the bins lie if the values are all but the same, as of neurons that are saturated."""
    low, high = (float(values.min()), float(values.max())) if len(values) else (0.0, 0.0)
    least = NARROWEST * max(abs(low), abs(high))
    return (low - least, high + least) if high - low < least else None
