"""Others at work on the same machine: `python -m benchmarks.neighbours KIND THREADS` works until it is ended."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec

from fastbp.processors import available_cores

READY = b"."


class Neighbours:
    """So many processes of one kind, each with so many threads."""

    def __init__(self, name: str, kind: str = "loop", processes: int = 1, threads: int = 1) -> None:
        self.name, self.kind, self.processes, self.threads = name, kind, processes, threads

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """Let them work meanwhile."""
        command = [sys.executable, "-m", __spec__.name, self.kind, str(self.threads)]
        others: list[subprocess.Popen[bytes]] = []
        try:
            others += [subprocess.Popen(command, stdout=subprocess.PIPE) for _ in range(self.processes)]
            for other in others:
                assert other.stdout
                if other.stdout.read(1) != READY:
                    raise RuntimeError(f"{self.name} did not begin to work")
            yield
        finally:
            for other in others:
                other.kill()
                other.communicate()


def all_neighbours() -> list[Neighbours]:
    """Return those that can be had here: nobody, some of the cores busy, and teams of as many threads as cores."""
    cores = available_cores()
    some = [
        Neighbours(f"{count} of {cores} cores busy", processes=count)
        for count in sorted({1, cores // 2, cores - 1} - {0, cores})
    ]
    teams = [Neighbours(f"a team of {kind}", kind, threads=cores) for kind in TEAMS if find_spec(kind)]
    return [Neighbours("nobody", processes=0), *some, *teams]


def loop(threads: int) -> Iterator[None]:
    """Count, as a Python program that never waits."""
    while True:
        yield


def numpy(threads: int) -> Iterator[None]:
    """Multiply matrices by NumPy's BLAS."""
    import numpy as np

    a = np.ones((800, 800), np.float32)
    while True:
        a @ a
        yield


def fastbp(threads: int) -> Iterator[None]:
    """Train by a team of fastbp's."""
    from fastbp import Network

    from .cases import CASES, make_data, make_network

    deep = next(case for case in CASES if case.name == "deep")
    net = make_network(deep, "float32", Network)
    net.threads = threads
    x, y = make_data(deep, 1280)
    while True:
        net.fit(x, y, 1, deep.batch_size, deep.optimizer, verbose=0)
        yield


def torch(threads: int) -> Iterator[None]:
    """Multiply matrices by PyTorch."""
    import torch

    torch.set_num_threads(threads)
    a = torch.ones((800, 800))
    while True:
        a @ a
        yield


TEAMS = {"fastbp": fastbp, "numpy": numpy, "torch": torch}

if __name__ == "__main__":
    from . import blas

    blas.free()
    work = {"loop": loop, **TEAMS}[sys.argv[1]](int(sys.argv[2]))
    next(work)
    sys.stdout.buffer.write(READY)
    sys.stdout.flush()
    for _ in work:
        pass
