"""What a changed import gains: `python -m benchmarks.dropins`, 15 minutes; `--short` takes one round of short runs.

The book's programs against `fastbp.nielsen`, scikit-learn's MLPs against `fastbp.sklearn`, all in float64, same seeds,
same settings; ONNX Runtime against `to_c_source` for one sample. Each run is a process of its own, contenders take
turns, and others have their best number of threads.
"""

import argparse
import io
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from contextlib import redirect_stdout
from statistics import median
from time import perf_counter
from typing import Any, NamedTuple

from . import blas

ROUNDS = 3


class Dropin(NamedTuple):
    """One program, with the import changed or not."""

    name: str
    kind: str  # "book" or "sklearn"
    settings: dict[str, Any]
    epochs: int  # of ours; of theirs there are so many fewer that a round takes seconds
    theirs: int
    goal: float


def _mlp(hidden: Sequence[int], samples: int, inputs: int, batch_size: int | str, epochs: int, goal: float) -> Dropin:
    name = f"{inputs}-{'-'.join(map(str, hidden))}-10, batch {batch_size}"
    settings = {"hidden_layer_sizes": list(hidden), "samples": samples, "inputs": inputs, "batch_size": batch_size}
    return Dropin(name, "sklearn", settings, epochs, epochs, goal)


DROPINS = [
    Dropin("chapter 1: 784-30-10, batch 10, η 3", "book", {"chapter": 1}, 30, 1, 40),
    Dropin("chapter 3: the same, η 0.5, λ 5, all monitored", "book", {"chapter": 3}, 30, 1, 40),
    _mlp([10], 2000, 20, 10, 20, 10), _mlp([100], 2000, 20, 10, 10, 10), _mlp([10], 2000, 20, "auto", 100, 10),
    _mlp([100], 2000, 20, "auto", 100, 10), _mlp([30], 10_000, 784, 10, 3, 10),
    _mlp([100], 10_000, 784, "auto", 10, 10), _mlp([512, 512], 10_000, 784, "auto", 3, 3),
]  # fmt: skip


def book(ours: bool, chapter: int, epochs: int, count: int = 50_000) -> dict[str, Any]:
    """Run a chapter's program on MNIST-shaped images; return seconds per epoch, and how many are right after one."""
    import random

    import numpy as np

    from fastbp.nielsen import network, network2

    from .book_loop import Chapter1, Chapter3

    rng = np.random.default_rng(0)
    middle = np.abs(np.add.outer(np.square(np.arange(28) - 13.5), np.square(np.arange(28) - 13.5)).ravel()) < 50
    patterns = (rng.random((10, 784)) < 0.4) & middle  # a fifth of all pixels, as in MNIST

    def images(count: int) -> tuple[Any, Any]:
        digits = rng.integers(0, 10, count)
        x = np.where(rng.random((count, 784)) < 0.9, patterns[digits], rng.random((count, 784)) < 0.15 * middle)
        return (x * rng.uniform(0.3, 1, (count, 784))).astype(np.float32)[:, :, None], digits

    x, digits = images(count)
    training = [(a, np.eye(10)[:, [digit]]) for a, digit in zip(x.copy(), digits, strict=True)]
    evaluation = list(zip(*images(count // 5), strict=True))

    def run(epochs: int) -> tuple[int, float]:
        """Return how many of the evaluation data are right in the end, and seconds per epoch."""
        np.random.seed(0)  # noqa: NPY002 (the book's stream)
        random.seed(0)
        data, printed = list(training), io.StringIO()
        start = perf_counter()
        with redirect_stdout(printed):
            if chapter == 1 and ours:
                network.Network([784, 30, 10]).SGD(data, epochs, 10, 3.0, evaluation)
                right = int(printed.getvalue().split()[-3])
            elif chapter == 1:
                right = Chapter1([784, 30, 10]).SGD(data, epochs, 10, 3.0, evaluation)[-1]
            elif ours:
                net = network2.Network([784, 30, 10])
                right = net.SGD(data, epochs, 10, 0.5, 5.0, evaluation, True, True, True, True)[1][-1]
            else:
                right = Chapter3([784, 30, 10]).SGD(data, epochs, 10, 0.5, 5.0, evaluation)[1][-1]
        return right, (perf_counter() - start) / epochs

    right, seconds = run(1)  # ours compiles, and both tell what they have after an epoch
    return {"seconds": run(epochs)[1] if ours else seconds, "outcome": right}


def mlp(ours: bool, hidden_layer_sizes: list[int], samples: int, inputs: int, batch_size: Any, epochs: int) -> Any:
    """Fit an MLPClassifier; return seconds per epoch, and the loss it ends with."""
    import warnings

    from sklearn.datasets import make_classification
    from sklearn.neural_network import MLPClassifier as Theirs

    from fastbp.sklearn import MLPClassifier as Ours

    warnings.simplefilter("ignore")
    x, y = make_classification(samples, inputs, n_informative=15, n_classes=10, random_state=0)
    kind = Ours if ours else Theirs
    settings = {"hidden_layer_sizes": hidden_layer_sizes, "batch_size": batch_size, "random_state": 0}
    kind(**settings, max_iter=2).fit(x, y)
    start = perf_counter()
    found = kind(**settings, max_iter=epochs, n_iter_no_change=epochs).fit(x, y)
    return {"seconds": (perf_counter() - start) / epochs, "outcome": found.loss_}


def one_sample(short: bool) -> str:
    """Time one sample of 784-30-10 in float32: the C that is exported, by a C program and from Python, and others."""
    import ctypes
    import shutil
    import tempfile
    from pathlib import Path

    import numpy as np

    import fastbp

    net = fastbp.Network([784, 30, 10], seed=0)
    x, out = np.random.default_rng(0).random(784, np.float32), np.empty(10, np.float32)
    calls, rows = 1000 if short else 20_000, []

    def timed(name: str, call: Any) -> None:
        rounds = []
        for _ in range(7):
            start = perf_counter()
            for _ in range(calls):
                call()
            rounds.append((perf_counter() - start) / calls * 1e6)
        rows.append(f"| {name} | {median(rounds):.2f} |")

    timed("fastbp: net.predict(x, out)", lambda: net.predict(x, out))
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler:
        with tempfile.TemporaryDirectory() as folder:
            source, library = Path(folder) / "net.c", Path(folder) / "net.so"
            program = Path(folder) / "time.c"
            fastbp.export.to_c_source(net, source)
            flags = [compiler, "-O3", "-march=native", "-std=c99"]
            subprocess.run([*flags, "-shared", "-fPIC", source, "-o", library, "-lm"], check=True)
            predict = ctypes.CDLL(str(library)).network_predict
            places = x.ctypes.data_as(ctypes.c_void_p), out.ctypes.data_as(ctypes.c_void_p)
            timed("to_c_source, called from Python by ctypes", lambda: predict(*places))
            program.write_text(
                '#include "net.c"\n#include <stdio.h>\n#include <time.h>\nint main(void){static float x[784],a[10];'
                "long i;for(i=0;i<784;++i)x[i]=(float)(i%7)/7;clock_t t=clock();for(i=0;i<200000;++i){x[i%784]+=1e-6f;"
                'network_predict(x,a);}printf("%f %g",(double)(clock()-t)/CLOCKS_PER_SEC/200000*1e6,a[0]);return 0;}'
            )
            binary = Path(folder) / "time"
            subprocess.run([*flags, program, "-o", binary, "-lm"], check=True)
            times = [float(subprocess.check_output([binary]).split()[0]) for _ in range(7)]
            rows.append(f"| to_c_source, called from C | {median(times):.2f} |")
    try:
        import onnxruntime

        with tempfile.TemporaryDirectory() as folder:
            fastbp.export.to_onnx(net, Path(folder) / "net.onnx")
            options = onnxruntime.SessionOptions()
            options.intra_op_num_threads = 1
            session = onnxruntime.InferenceSession(
                str(Path(folder) / "net.onnx"), options, providers=["CPUExecutionProvider"]
            )
            batch = x[None]
            timed(f"ONNX Runtime {onnxruntime.__version__}, one thread", lambda: session.run(None, {"x": batch}))
    except ImportError as error:
        rows.append(f"| {error} | |")
    return "\n".join(["| one sample of 784-30-10, float32 | µs |", "|---|---|", *rows])


def measured(dropin: Dropin, ours: bool, threads: int, short: bool) -> dict[str, Any]:
    """Run one in a process of its own."""
    epochs = 1 if short else dropin.epochs if ours else dropin.theirs
    job = {"kind": dropin.kind, "ours": ours, "threads": threads, "settings": {**dropin.settings, "epochs": epochs}}
    command = [sys.executable, "-m", "benchmarks.dropins", "--job", json.dumps(job)]
    environment = {name: value for name, value in os.environ.items() if name not in blas.HANDICAPS}
    found: dict[str, Any] = json.loads(subprocess.check_output(command, env=environment).splitlines()[-1])
    return found


def work(job: dict[str, Any]) -> dict[str, Any]:
    """Do what the process is for."""
    import numpy  # noqa: F401 (its BLAS is what is limited)

    from .threads import limit_blas

    if not job["ours"]:
        limit_blas(job["threads"])
    settings = job["settings"]
    found = book(job["ours"], **settings) if job["kind"] == "book" else mlp(job["ours"], **settings)
    return {**found, "blas": blas.kernels()}


def compared(dropin: Dropin, rounds: int, threads: Sequence[int], short: bool) -> tuple[str, str]:
    """Return the row of a table, and the BLAS that theirs had."""
    contenders = [(True, 0), *((False, count) for count in threads)]
    results: dict[tuple[bool, int], list[dict[str, Any]]] = {contender: [] for contender in contenders}
    for _ in range(rounds):
        for ours, count in contenders:
            results[ours, count].append(measured(dropin, ours, count, short))
    seconds = {key: [each["seconds"] for each in found] for key, found in results.items()}
    best = min(threads, key=lambda count: median(seconds[False, count]))
    mine, theirs = seconds[True, 0], seconds[False, best]
    ratio, outcomes = (
        median(theirs) / median(mine),
        (results[True, 0][0]["outcome"], results[False, best][0]["outcome"]),
    )
    shown = [f"{median(each) * 1e3:.4g} ({min(each) * 1e3:.4g}–{max(each) * 1e3:.4g})" for each in (theirs, mine)]
    row = f"| {dropin.name} | {shown[0]}, {best} threads | {shown[1]} | {ratio:.1f} | {dropin.goal:g} |"
    return f"{row} {outcomes[1]:.8g}, {outcomes[0]:.8g} |", results[False, best][0]["blas"]


def main(argv: Sequence[str] | None = None) -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser("python -m benchmarks.dropins", description=__doc__)
    parser.add_argument("--short", action="store_true", help="one round of one epoch: to see that all works")
    parser.add_argument("--job", help=argparse.SUPPRESS)
    options = parser.parse_args(argv)
    if options.job:
        print(json.dumps(work(json.loads(options.job))))
        return
    cores = sorted({1, os.cpu_count() or 1})
    print("| program | theirs, ms per epoch | fastbp, ms per epoch | ratio | goal | outcome: theirs, fastbp's |")
    print("|---|---|---|---|---|---|")
    for dropin in DROPINS:
        row, kernels = compared(
            dropin, 1 if options.short else ROUNDS, cores[:1] if options.short else cores, options.short
        )
        print(row, flush=True)
    print(f"\nBLAS: {kernels}\n\n{one_sample(options.short)}")


if __name__ == "__main__":
    main()
