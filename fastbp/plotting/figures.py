"""Figures without a window: no backend is chosen and pyplot knows nothing of them."""

from pathlib import Path
from typing import Any


def new_figure(width: float, height: float = 4.0) -> Any:
    """Return an empty figure of this size in inches, which keeps all its parts apart."""
    _require_matplotlib()
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height))
    figure.set_layout_engine("constrained", w_pad=0.08, h_pad=0.08)
    return figure


def check_format(path: str) -> None:
    """Raise ValueError unless a figure can be saved under this name."""
    _require_matplotlib()
    from matplotlib.backend_bases import FigureCanvasBase

    choices = sorted(FigureCanvasBase.get_supported_filetypes())
    if Path(path).suffix[1:] not in choices:
        raise ValueError(f"{path}: unknown kind of picture; choose from .{', .'.join(choices)}")


def _require_matplotlib() -> None:
    try:
        import matplotlib  # noqa: F401
    except ImportError:
        raise ImportError("plots need matplotlib: pip install 'fastbp[plot]'") from None
