"""The machine's limit: fused multiply-adds per second of one core, measured, not looked up."""

from time import perf_counter
from typing import Any

import numba

from fastbp.compiler.jit import kernel
from fastbp.kernels.blocking import MAX_ROWS
from fastbp.kernels.products.dense import PRODUCT, call_product, panel_product
from fastbp.memory.parameters import aligned
from fastbp.vectors.pointers import pointer
from fastbp.vectors.simd import lanes

DEPTH = 128  # of the product: everything stays in the first-level cache


@kernel
def _repeat(multiply, a, b, c, rows, panel, repeats):
    for _ in range(repeats):
        zero, target = pointer(c, rows * panel), pointer(c, 0)
        call_product(
            address=multiply, m=rows, vectors=2, a=pointer(a, 0), ras=DEPTH, kas=1, b=pointer(b, 0), ldb=panel, ldp=0,
            init=zero, ldi=0, c=target, ldc=panel, k=DEPTH, hint=zero, hint_step=0, hint_end=zero,
        )  # fmt: skip


def peak_gflops(dtype: Any, rounds: int = 20) -> float:
    """Return the best GFLOP/s of one register tile over operands in the first-level cache."""
    panel = 2 * lanes(dtype)
    a, b = aligned(MAX_ROWS * DEPTH, dtype), aligned(DEPTH * panel, dtype)
    c = aligned((MAX_ROWS + 1) * panel, dtype)
    multiply = PRODUCT.address(panel_product, getattr(numba, dtype.name))
    repeats, best = 2000, float("inf")
    for _ in range(rounds):
        start = perf_counter()
        _repeat(multiply, a, b, c, MAX_ROWS, panel, repeats)
        best = min(best, perf_counter() - start)
    return 2e-9 * MAX_ROWS * panel * DEPTH * repeats / best
