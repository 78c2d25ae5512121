"""Compile every kernel now, so that no first call waits; for images and fresh installations."""

import argparse
import time
from typing import Any


def add_options(parser: argparse.ArgumentParser) -> None:
    """No options of its own."""


def run(options: argparse.Namespace) -> dict[str, Any]:
    """Train and predict once in each dtype."""
    import numpy as np
    from tqdm import tqdm

    import fastbp

    start = time.perf_counter()
    for dtype in tqdm(["float32", "float64"], desc="compiling", disable=None, leave=False):
        net = fastbp.Network([2, 2, 1], dtype=dtype, seed=0)
        net.fit(np.zeros((2, 2)), np.zeros((2, 1)), 1, 1, verbose=0)
        net.predict(np.zeros(2))
    seconds = time.perf_counter() - start
    return {"seconds": seconds, "text": f"all kernels are compiled and kept ({seconds:.1f} s)"}
