"""All that touches numba's inside: compiling, keeping code on disk, calling by address."""
