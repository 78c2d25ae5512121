"""Functions in processes of their own, which are ended if they hang: a stuck kernel can't be ended otherwise."""

import contextlib
import multiprocessing
import subprocess
import sys

SECONDS = 150  # only what is stuck takes that long


def apart(function, *arguments, method="spawn"):
    """Return function(*arguments), called in a process of its own; raise what it raises."""
    with multiprocessing.get_context(method).Pool(1) as pool:
        return pool.apply_async(function, arguments).get(SECONDS)


@contextlib.contextmanager
def busy(processes):
    """Keep as many cores busy with other work."""
    loop = [sys.executable, "-c", "print('.', flush=True)\nwhile True: pass"]
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
