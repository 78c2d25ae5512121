"""JᵀJ, and Jᵀr beside it: what Levenberg and Marquardt solve, added up block by block."""

from ..compiler.jit import kernel
from ..vectors.pointers import pointer
from .products.dense import call_product


@kernel(no_cfunc_wrapper=True)
def add_gram(product, j, gram, lanes):
    """Gram ← gram + JᵀJ, of which the upper half counts: each entry is a sum over the rows of J in order.

    - product: address of `products.dense.panel_product`; lanes: numbers of a vector
    - j: (R, P), gram: (P, P), contiguous; P is whole pairs of vectors
    """
    # LOOP 1 over panels of two vectors: BP4 with J for inputs and errors alike.
    rows, count = j.shape
    a = pointer(j, 0)
    for q in range(0, count, 2 * lanes):
        b, c = pointer(j, q), pointer(gram, q)
        call_product(
            address=product, m=q + 2 * lanes, vectors=2,
            a=a, ras=1, kas=count,
            b=b, ldb=count, ldp=0,
            init=c, ldi=count,
            c=c, ldc=count,
            k=rows,
            hint=a, hint_step=0, hint_end=a,
        )  # fmt: skip
