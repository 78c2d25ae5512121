"""How many threads everyone gets: most libraries read it once, when they are imported."""

import os
from importlib.util import find_spec

UNLIMITED = "NumPy's BLAS has as many threads as it likes: threadpoolctl is not installed"


def limit_threads(threads: int) -> list[str]:
    """Tell those that read it only when they are imported; call this first. Return what could not be done."""
    limit_jax(threads)
    if threads == 1 and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    return [] if limit_blas(threads) else [UNLIMITED]


def limit_jax(threads: int) -> None:
    """Tell JAX, which must not be imported yet."""
    eigen = "true" if threads > 1 else "false"
    os.environ["XLA_FLAGS"] = f"--xla_cpu_multi_thread_eigen={eigen} intra_op_parallelism_threads={threads}"


def limit_blas(threads: int) -> bool:
    """Set the threads of every BLAS and OpenMP that is loaded by now; False without threadpoolctl."""
    if find_spec("threadpoolctl") is None:
        return False
    from threadpoolctl import threadpool_limits

    threadpool_limits(threads)
    return True
