"""The worst mistakes of a network that reads images, to be looked at."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from .figures import new_figure

MOST = 10


class Mistake(NamedTuple):
    """An image that was taken for another; a plain tuple does as well."""

    image: Any  # (height, width)
    truth: str
    answer: str
    probability: float  # that the network gave to the truth


def plot_mistakes(mistakes: Sequence[Any], figure: Any = None) -> Any:
    """Draw at most ten images in a row, each with truth, answer and probability of the truth; return the figure."""
    figure = figure or new_figure(width=9, height=1.9)
    axes = figure.subplots(1, MOST)
    for ax in axes:
        ax.set(xticks=[], yticks=[])
        ax.set_axis_off()
    for ax, (image, truth, answer, probability) in zip(axes, mistakes, strict=False):
        ax.set_axis_on()
        ax.imshow(image, "gray", interpolation="nearest")
        ax.set_title(f"{truth}, not {answer}", fontsize=9, parse_math=False)
        ax.set_xlabel(f"{100 * probability:.2g}%", fontsize=8)
    words = "Worst mistakes: truth, not answer; below, the probability given to the truth"
    figure.suptitle(words, x=0.01, ha="left", fontsize=10)
    return figure
