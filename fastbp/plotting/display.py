"""What a picture is handed back as: scikit-learn's convention, `ax_` and `figure_`."""

from typing import Any, NamedTuple

from .figures import new_figure


class Display(NamedTuple):
    """A picture: its axes (the first, if there are several) and its figure; ``display.figure_.savefig(path)``."""

    ax_: Any
    figure_: Any

    def savefig(self, *args: Any, **options: Any) -> None:
        """Save the figure, as matplotlib does."""
        self.figure_.savefig(*args, **options)

    def _repr_png_(self) -> bytes:
        import io

        content = io.BytesIO()
        self.figure_.savefig(content, format="png")
        return content.getvalue()


def axes(ax: Any, width: float, height: float = 4.0) -> Any:
    """Return the axes to draw on: those given, or those of a new figure without a window."""
    return ax if ax is not None else new_figure(width, height).subplots()


def display(ax: Any) -> Display:
    """Return the picture on these axes."""
    return Display(ax, ax.figure)
