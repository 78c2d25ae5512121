"""C = A B + I: every matrix product of forward, BP2 and BP4, panel by panel.

Vocabulary of this file alone: C is (m, n), A (m, k), B (k, n). A panel of B is `vectors` vectors wide.
"""

from numba import types

from . import jit
from .jit import kernel, part
from .pointers import advance, call, pointer
from .simd import lanes_of, panel_of
from .tiles import GROUPS, MAX_ROWS, product_tiles


@kernel(no_cpython_wrapper=True)
def panel_product(m, vectors, a, ras, kas, b, ldb, ldp, init, ldi, c, ldc, k, hint, hint_step, hint_end):
    """C = A B + I for one panel of B, or for some side by side where m is a row of GROUPS.

    - m, vectors, k: rows of C, width of the panels in vectors, length of the sums (all >= 1)
    - a (m, k): strides ras along m, kas along k, so that A or its transpose is read in place
    - b (k, panel): row stride ldb, ldp from one panel to the next;  c (m, panel): row stride ldc
    - hint, hint_step, hint_end: cache lines asked for on the way, for later: from pointer to pointer, in steps
    - init (m, panel): row stride ldi; 0 repeats one row (a bias), init = c accumulates
    """
    # LOOP 1 over rows of C, a register tile at a time. Tiles share the rows evenly: 13 rows are 7 + 6, not
    # 12 + 1, since a tile of few rows waits for its own multiply-adds.
    # LOOP 0 over k is inside the tile: one chain per element, so it can be neither split nor reordered.
    tiles = (m + MAX_ROWS - 1) // MAX_ROWS
    rows, larger = m // tiles, m % tiles
    done = larger * (rows + 1)
    if larger:
        product_tiles(
            rows + 1, vectors, larger, a, ras, kas, b, ldb, ldp, init, ldi, c, ldc, k, hint, hint_step, hint_end
        )  # fmt: skip
        hint = hint_end
    a, init, c = advance(a, done * ras), advance(init, done * ldi), advance(c, done * ldc)
    product_tiles(
        rows, vectors, tiles - larger, a, ras, kas, b, ldb, ldp, init, ldi, c, ldc, k, hint, hint_step, hint_end
    )  # fmt: skip


def product_address(dtype) -> int:
    """Address of `panel_product` for float32 or float64, which is what kernels know as `settings.multiply`.

    Kernels call it by address: the tiles take most of the compile time, and numba compiles what a kernel
    calls by name again into each of its callers.
    """
    size, pointer = types.intp, types.CPointer(dtype)
    one_stride, two_strides = (pointer, size), (pointer, size, size)
    operands = (size, size, *two_strides, *two_strides, *one_stride, *one_stride, size, *one_stride, pointer)
    return jit.address(panel_product, types.void(*operands))


@part
def panels_at_once(m, left):
    """How many of the `left` whole panels to take side by side, for m rows; at least 1."""
    wanted = GROUPS[m] if m < len(GROUPS) else 1
    while wanted > left:
        wanted //= 2
    return max(wanted, 1)


@part
def panels_product(multiply, m, k, n, a, lda, b, start_b, rows_b, init, step_init, c, start_c, ldc):
    """C = A B + I over all panels of B: forward's product.

    - m, k, n: rows of C, length of the sums, columns of C with their pads
    - a: pointer to (m, k), row stride lda
    - b[start_b:]: panels of (rows_b, width); c[start_c:]: (m, n), row stride ldc
    - init: pointer to what each row starts from; step_init: 1 for a bias (n,), 0 for one panel of zeros
    """
    # LOOP 2 over panels of B: each is read once, from end to end, for all rows. Cutting k into blocks, as a BLAS
    # does, gained nothing on panels (blocks of 256, 400 or 512, up to 256 x 2048 x 2048, AVX2 and AVX-512).
    panel = panel_of(b)
    j = 0
    while j < n:
        panels = panels_at_once(m, (n - j) // panel)
        width = min(panels * panel, n - j)
        call(
            multiply, m, width // lanes_of(b),
            a, lda, 1,
            pointer(b, start_b + j * rows_b), min(width, panel), rows_b * panel,
            advance(init, step_init * j), 0,
            pointer(c, start_c + j), ldc,
            k,
            a, 0, a,
        )  # fmt: skip
        j += width
