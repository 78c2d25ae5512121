"""C = A B + I: every matrix product of forward, BP2 and BP4, panel by panel.

Vocabulary of this file alone: C is (m, n), A (m, k), B (k, n). A panel of B is `vectors` vectors wide.
"""

from ...compiler.callee import NUMBERS, SIZE, Callee
from ...compiler.jit import kernel, part
from ...vectors.pointers import advance
from ...vectors.simd import lanes_of
from ..blocking import GROUPS, MAX_ROWS, panel_of
from .tiles import product_tiles


@kernel(no_cpython_wrapper=True)
def panel_product(
    m: SIZE, vectors: SIZE,
    a: NUMBERS, ras: SIZE, kas: SIZE,
    b: NUMBERS, ldb: SIZE, ldp: SIZE,
    init: NUMBERS, ldi: SIZE,
    c: NUMBERS, ldc: SIZE,
    k: SIZE,
    hint: NUMBERS, hint_step: SIZE, hint_end: NUMBERS,
):  # fmt: skip
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


# By address: the tiles take most of the compile time, and numba compiles what a kernel calls by name again into each of
# its callers.
PRODUCT = Callee(panel_product.py_func)
call_product = PRODUCT.call


@part
def panels_at_once(m, left):
    """How many of the `left` whole panels to take side by side, for m rows; at least 1."""
    wanted = GROUPS[m] if m < len(GROUPS) else 1
    while wanted > left:
        wanted //= 2
    return max(wanted, 1)


@part
def panels_product(run, m, k, n, a, lda, b, rows_b, init, c, ldc):
    """C = A B + I over all panels of B: forward's product.

    - m, k, n: rows of C, length of the sums, columns of C with their pads
    - a: pointer to (m, k), row stride lda; b: to panels of (rows_b, width); c: to (m, n), row stride ldc
    - init: pointer to the bias (n,), which each row starts from
    """
    # LOOP 2 over panels of B: each is read once, from end to end, for all rows. Cutting k into blocks, as a BLAS
    # does, gained nothing on panels (blocks of 256, 400 or 512, up to 256 x 2048 x 2048, AVX2 and AVX-512).
    panel = panel_of(run)
    j = 0
    while j < n:
        panels = panels_at_once(m, (n - j) // panel)
        width = min(panels * panel, n - j)
        call_product(
            address=run.product, m=m, vectors=width // lanes_of(run),
            a=a, ras=lda, kas=1,
            b=advance(b, j * rows_b), ldb=min(width, panel), ldp=rows_b * panel,
            init=advance(init, j), ldi=0,
            c=advance(c, j), ldc=ldc,
            k=k,
            hint=a, hint_step=0, hint_end=a,
        )  # fmt: skip
        j += width
