"""`python -m benchmarks`: NumPy is loaded only when nothing slows its BLAS any more."""

import sys

from . import blas

if __name__ == "__main__":
    if dropped := blas.free():
        print(f"{' and '.join(dropped)} dropped: NumPy and scikit-learn would be slower with that", file=sys.stderr)
    from .command import main

    main()
