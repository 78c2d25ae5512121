"""Compile every kernel now, so that no first call waits: for images and fresh installations."""

import argparse
import time
from collections.abc import Sequence

import numpy as np

from ..formulas.optimizers import SGD
from ..network import Network
from .outcome import Outcome

DTYPES = ("float32", "float64")


def add_options(parser: argparse.ArgumentParser) -> None:
    """Declare no options."""


def run(options: argparse.Namespace) -> Outcome:
    """Compile for every dtype, and say where the code is kept."""
    from ..kernels.folders import cache_info

    seconds = compile_kernels(DTYPES)
    info = cache_info()
    report = {"seconds": seconds, "folder": info.folder, "kept": info.writable}
    total = sum(seconds.values())
    text = f"all kernels are ready, for {' and '.join(DTYPES)} ({total:.1f} s)"
    if info.writable:
        return Outcome(report, f"{text}, and kept in {info.folder}")
    return Outcome(report, text, "no folder to keep them in; fastbp doctor says why")


def compile_kernels(dtypes: Sequence[str]) -> dict[str, float]:
    """Make every kernel run once per dtype; return the seconds each took to compile or load.

    What a network looks like does not matter: kernels are compiled per dtype, and nothing else.
    """
    from tqdm import tqdm

    seconds = {}
    for dtype in tqdm(dtypes, desc="compiling", unit="dtype", disable=None, leave=False):
        start = time.perf_counter()
        net = Network([2, 2, 1], dtype=dtype, seed=0)
        net.fit(np.zeros((2, 2)), np.zeros((2, 1)), 1, 1, SGD(0.1), verbose=0)
        net.predict(np.zeros(2))
        seconds[dtype] = time.perf_counter() - start
    return seconds
