"""JᵀJ, and Jᵀr: what Levenberg and Marquardt solve, added up block by block."""

from ..compiler.jit import kernel


@kernel(no_cfunc_wrapper=True)
def add_gram(j, r, gram, gradient):
    """Gram ← gram + JᵀJ, its upper half, gradient ← gradient + Jᵀr, four rows at a time, each sum in one order.

    - j: (R, P), R a multiple of 4; r: (R,); gram: (P, P); gradient: (P,)
    """
    rows, count = j.shape
    for i in range(0, rows, 4):
        j0, j1, j2, j3 = j[i], j[i + 1], j[i + 2], j[i + 3]
        for p in range(count):
            a, b, c, d = j0[p], j1[p], j2[p], j3[p]
            gradient[p] += a * r[i] + b * r[i + 1] + c * r[i + 2] + d * r[i + 3]
            row = gram[p]
            for q in range(p, count):
                row[q] += a * j0[q] + b * j1[q] + c * j2[q] + d * j3[q]
