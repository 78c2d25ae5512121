"""Functions in processes of their own, which are ended if they hang: a stuck kernel can't be ended otherwise."""

import contextlib
import multiprocessing
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor

SECONDS = 150  # only what is stuck takes that long


def apart(function, *arguments, method="spawn", seconds=SECONDS):
    """Return function(*arguments), called in a process of its own; raise what it raises.

    Unlike those of a multiprocessing.Pool, that process may have processes of its own.
    """
    context = multiprocessing.get_context(method)
    with ProcessPoolExecutor(1, mp_context=context) as pool:
        future = pool.submit(function, *arguments)
        try:
            return future.result(seconds)
        except TimeoutError:
            for process in pool._processes.values():
                process.kill()
            raise


@contextlib.contextmanager
def busy(processes):
    """Keep as many cores busy with other work."""
    program = (  # it ends with us, however we end
        "import os; us = os.getppid(); print('.', flush=True)\nwhile os.getppid() == us:\n for _ in range(10**5): pass"
    )
    loop = [sys.executable, "-c", program]
    others = []
    try:
        others += [subprocess.Popen(loop, stdout=subprocess.PIPE) for _ in range(processes)]
        for other in others:
            other.stdout.read(1)  # it runs
        yield
    finally:
        for other in others:
            other.kill()
            other.communicate()
