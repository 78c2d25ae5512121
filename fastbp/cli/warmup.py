"""Compile every kernel now, so that no first call waits: for images and fresh installations."""

import argparse
import time
import warnings
from collections.abc import Sequence

import numpy as np

from ..formulas.activations import ACTIVATIONS
from ..formulas.costs import COSTS
from ..formulas.optimizers import OPTIMIZERS as ROWS
from ..formulas.optimizers import SGD
from ..insight.watch import Diagnostics
from ..kernels.activate import activation_address, prime_address
from ..kernels.blocking import SUM_ROWS
from ..kernels.costs import cost_address
from ..kernels.looks.gauge import gauge_address
from ..kernels.online import online_address
from ..kernels.rules import rule_address, rule_of
from ..networks.fast import Network
from ..networks.nonzeros import LEAST_BATCH, LEAST_EPOCHS, LEAST_INPUTS
from ..networks.run import dtype_of
from ..networks.trainer import Trainer
from .outcome import Outcome

DTYPES = ("float32", "float64")
OPTIMIZERS = (
    SGD(0.1), SGD(0.1, momentum=0.9), SGD(0.1, momentum=0.9, nesterov=True),
    *(row() for row in ROWS.values() if row is not SGD),
)  # fmt: skip


def add_options(parser: argparse.ArgumentParser) -> None:
    """Declare no options."""


def run(options: argparse.Namespace) -> Outcome:
    """Compile for every dtype, and say where the code is kept."""
    from ..compiler.folders import cache_info

    seconds = compile_kernels(DTYPES, every_formula=True)
    info = cache_info()
    report = {"seconds": seconds, "folder": info.folder, "kept": info.writable}
    total = sum(seconds.values())
    text = f"all kernels are ready, for {' and '.join(DTYPES)} ({total:.1f} s)"
    if info.writable:
        return Outcome(report, f"{text}, and kept in {info.folder}")
    return Outcome(report, text, "no folder to keep them in; fastbp doctor says why")


def compile_kernels(dtypes: Sequence[str], *, every_formula: bool = False) -> dict[str, float]:
    """Make every kernel run once per dtype; return the seconds each took to compile or load.

    What a network looks like does not matter, but four kinds of training have kernels of their own: the usual one,
    samples one by one, inputs of mostly zeros, and a team that trains on long mini-batches. `every_formula`: each has
    a function of its own, which a network that uses it would compile in 20 ms.
    """
    from tqdm import tqdm

    seconds = {}
    for dtype in tqdm(dtypes, desc="compiling", unit="dtype", disable=None, leave=False):
        start = time.perf_counter()
        with warnings.catch_warnings(action="ignore"):  # nothing can be learnt of zeros, and nothing is meant to
            _run_kernels(dtype)
        if every_formula:
            _compile_rows(dtype)
        seconds[dtype] = time.perf_counter() - start
    return seconds


def _run_kernels(dtype: str) -> None:
    for rows, inputs, threads in [(2, 2, 1), (1, 2, 1), (LEAST_BATCH, LEAST_INPUTS, 1), (SUM_ROWS + 1, 2, 2)]:
        net = Network([inputs, 2, 1], dtype=dtype, threads=threads, seed=0)
        x = np.zeros((rows, inputs), dtype)
        net.fit(x, np.zeros((rows, 1)), LEAST_EPOCHS, rows, SGD(0.1), verbose=0)
        net.predict(x)
        net.predict(x[0])


def _compile_rows(dtype: str) -> None:
    """Compile every formula of this package, a cost for each output that it takes; and what few steps have."""
    kind = dtype_of(dtype)
    trainer = Trainer(Network([2, 2, 1], dtype=dtype, l2=1.0, seed=0))
    trainer.apply(trainer.gradient(np.zeros((2, 2)), np.zeros((2, 1))))
    for rule in OPTIMIZERS[:2]:  # which goes straight to w, and which does not
        net = Network([2, 2, 1], dtype=dtype, seed=0)
        net.fit(np.zeros((2, 2)), np.zeros((2, 1)), 1, 2, rule, callbacks=[Diagnostics(1)], verbose=0)
    net = Network([2, 2, 1], dtype=dtype, dropout=0.5, seed=0)
    net.fit(np.zeros((2, 2)), np.zeros((2, 1)), 1, 2, OPTIMIZERS[0], ema=0.9, verbose=0)
    for row in ACTIVATIONS.values():
        activation_address(row, kind)
        prime_address(row, kind)
        gauge_address(row, kind)
    for cost in COSTS.values():
        for name in cost.outputs or ACTIVATIONS:
            cost_address(cost, ACTIVATIONS[name], kind)
    for optimizer in OPTIMIZERS:
        rule_address(rule_of(optimizer), kind)
        online_address(rule_of(optimizer), kind)
