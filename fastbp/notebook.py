"""What is different where Python runs behind a notebook."""

import io
import sys
from typing import Any


def is_notebook() -> bool:
    """Whether this process is the kernel of a notebook, which shows more than text."""
    ipython = sys.modules.get("IPython")  # a kernel has imported it
    shell = ipython.get_ipython() if ipython else None
    return getattr(shell, "kernel", None) is not None


def show(figure: Any) -> None:
    """Show a figure below the cell that runs, once, whatever backend matplotlib has."""
    from IPython.display import display

    picture = io.BytesIO()
    figure.savefig(picture, format="png")
    display({"image/png": picture.getvalue(), "text/plain": repr(figure)}, raw=True)
