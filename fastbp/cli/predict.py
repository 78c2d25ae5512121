"""Print what a saved network says of new samples."""

import argparse
from pathlib import Path
from typing import Any

import numpy as np

from .data import samples


def add_options(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("model", metavar="MODEL", help="file that `fastbp train` saved")
    parser.add_argument("data", metavar="DATA", help=".csv, .npz with x, or a folder with MNIST's files")
    parser.add_argument("--output", metavar="FILE", help="write there instead")


def run(options: argparse.Namespace) -> dict[str, Any]:
    """Predict: labels where the network classifies, else its outputs."""
    import fastbp

    net = fastbp.load(options.model)
    outputs = net.predict(samples(options.data, net.sizes[0]))
    classifies = net.spec.activations[-1] in ("softmax", "sigmoid") and net.sizes[-1] > 1
    values = np.argmax(outputs, axis=1) if classifies else outputs
    lines = [",".join(f"{v:.7g}" for v in np.atleast_1d(row)) for row in values]
    text = "\n".join(lines)
    if options.output:
        Path(options.output).write_text(text + "\n")
        text = f"{len(lines)} predictions written to {options.output}"
    return {"predictions": values.tolist(), "text": text}
