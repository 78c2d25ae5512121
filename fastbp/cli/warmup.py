"""Compile every kernel now, so that no first call waits: for images and fresh installations."""

import argparse
import time
import warnings
from collections.abc import Sequence

import numpy as np

from ..formulas.optimizers import SGD
from ..kernels.blocking import SUM_ROWS
from ..networks.fast import Network
from ..networks.nonzeros import LEAST_BATCH, LEAST_EPOCHS, LEAST_INPUTS
from .outcome import Outcome

DTYPES = ("float32", "float64")


def add_options(parser: argparse.ArgumentParser) -> None:
    """Declare no options."""


def run(options: argparse.Namespace) -> Outcome:
    """Compile for every dtype, and say where the code is kept."""
    from ..compiler.folders import cache_info

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

    What a network looks like does not matter, but four kinds of training have kernels of their own: the usual one,
    samples one by one, inputs of mostly zeros, and a team that trains on long mini-batches.
    """
    from tqdm import tqdm

    seconds = {}
    for dtype in tqdm(dtypes, desc="compiling", unit="dtype", disable=None, leave=False):
        start = time.perf_counter()
        with warnings.catch_warnings(action="ignore"):  # nothing can be learnt of zeros, and nothing is meant to
            _run_kernels(dtype)
        seconds[dtype] = time.perf_counter() - start
    return seconds


def _run_kernels(dtype: str) -> None:
    for rows, inputs, threads in [(2, 2, 1), (1, 2, 1), (LEAST_BATCH, LEAST_INPUTS, 1), (SUM_ROWS + 1, 2, 2)]:
        net = Network([inputs, 2, 1], dtype=dtype, threads=threads, seed=0)
        x = np.zeros((rows, inputs), dtype)
        net.fit(x, np.zeros((rows, 1)), LEAST_EPOCHS, rows, SGD(0.1), verbose=0)
        net.predict(x)
        net.predict(x[0])
