"""The picture of a training run, beside the model: the learning curve, what is confused, the worst mistakes."""

import io
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from .. import files
from ..border.columns import Columns
from ..formulas import Array
from ..plotting import Mistake, check_format, plot_training
from ..plotting.mistakes import MOST
from ..training.history import History

LEAST_SIDE = 5  # pixels: fewer numbers than 25 are no image
OURS = {"Software": "fastbp"}  # so that a picture of ours may be drawn again, and no other is lost


class Place(NamedTuple):
    """Where the picture goes, None for nowhere; and why not, where a user may wonder."""

    path: Path | None
    note: str = ""


def place(model: Path, wanted: str | None, unwanted: bool) -> Place:
    """Return where to draw, before any work is done: as wanted, or else NAME.png beside the model."""
    if wanted is not None:
        check_format(wanted)
        folder = Path(wanted).absolute().parent
        if not folder.is_dir():
            raise FileNotFoundError(f"{Path(wanted).parent}: no such folder; make it, or choose another --plot")
        return Place(Path(wanted))
    if unwanted:
        return Place(None)
    if find_spec("matplotlib") is None:
        return Place(None, "none, as matplotlib is missing: pip install 'fastbp[plot]'")
    path = model.with_suffix(".png")
    if path.exists() and b"fastbp" not in path.read_bytes()[:1000]:
        return Place(None, f"none, as {path} is there already and not by fastbp; name another with --plot FILE.png")
    return Place(path)


def draw(
    path: Path, history: History[Any], table: Array | None, names: list[str], mistakes: list[Mistake] | None
) -> None:
    """Write the picture, whole or not at all."""
    figure = plot_training(history, table, names or None, mistakes, title=path.stem)
    suffix, content = path.suffix[1:], io.BytesIO()
    metadata = OURS if suffix.lower() == "png" else None
    figure.savefig(content, format=suffix, metadata=metadata)
    files.replace(path, content.getvalue())


def worst_mistakes(
    x: Any, truth: Array, outputs: Array, names: list[str], columns: Columns | None
) -> list[Mistake] | None:
    """Return the images x (m, n_0) whose truth (m,) the network thinks least likely; None if samples are no images."""
    pixels = side(x.shape[1], columns)
    if not pixels or outputs.shape[1] < 2:
        return None
    answers = np.argmax(outputs, axis=1)
    rows = np.flatnonzero(answers != truth)
    worst: list[int] = rows[np.argsort(outputs[rows, truth[rows]], kind="stable")][:MOST].tolist()
    return [
        Mistake(
            np.asarray(x[row]).reshape(pixels, pixels),
            names[truth[row]],
            names[answers[row]],
            float(outputs[row, truth[row]]),
        )
        for row in worst
    ]


def side(inputs: int, columns: Columns | None) -> int:
    """Return the side of square images, or 0; columns of a table are pixels if they are called so, or not at all."""
    pixels = int(np.sqrt(inputs))
    named = columns is not None and not all(
        name.lower().startswith(("pixel", "px", "column ")) for name in columns.names
    )
    return pixels if pixels * pixels == inputs and pixels >= LEAST_SIDE and not named else 0
