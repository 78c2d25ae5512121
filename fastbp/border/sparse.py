"""Sparse samples: the rows of a CSR matrix of SciPy's, checked, without the zeros."""

from typing import Any

import numpy as np

from ..errors import warn
from ..formulas import Array

AT_A_TIME = 256  # rows that are made dense together


class SparseRows:
    """Samples (m, n) of which only `values` are there, row by row: those of row i at `places` from starts[i] on."""

    ndim = 2

    def __init__(self, starts: Array, places: Array, values: Array, n: int) -> None:
        self.starts, self.places, self.values, self.n = starts, places, values, n

    @classmethod
    def read(cls, name: str, matrix: Any, dtype: np.dtype[Any]) -> "SparseRows":
        """Return the rows of any of SciPy's sparse matrices; what is not finite raises ValueError, by its place."""
        rows = matrix if getattr(matrix, "format", "") == "csr" else matrix.tocsr()
        if not getattr(rows, "has_canonical_format", True):
            rows = rows.copy()
            rows.sum_duplicates()  # sorts them, too
        if rows.dtype.kind not in "biuf":
            raise TypeError(f"{name} must hold real numbers, got dtype {rows.dtype}")
        with np.errstate(over="ignore"):
            values = np.ascontiguousarray(rows.data, dtype)
        wrong = ~np.isfinite(values)
        if wrong.any():
            place = int(np.argmax(wrong))
            row = int(np.searchsorted(rows.indptr, place, side="right")) - 1
            column = int(rows.indices[place])
            raise ValueError(
                f"{name}[{row}, {column}] is {rows.data[place]}, not a finite {dtype}; clean or drop row {row}"
            )
        return cls(rows.indptr.astype(np.int64), rows.indices.astype(np.int64), values, int(rows.shape[1]))

    @property
    def shape(self) -> tuple[int, int]:
        """(m, n)."""
        return len(self), self.n

    @property
    def dtype(self) -> np.dtype[Any]:
        """Of the values."""
        found: np.dtype[Any] = self.values.dtype
        return found

    @property
    def nbytes(self) -> int:
        """What is kept."""
        return int(self.starts.nbytes + self.places.nbytes + self.values.nbytes)

    def __len__(self) -> int:
        """Return the number of samples."""
        return len(self.starts) - 1

    def __getitem__(self, rows: Any) -> "SparseRows":
        """Return some samples, by a slice or by their places."""
        chosen = np.arange(len(self))[rows]
        counts = np.diff(self.starts)[chosen]
        starts = np.concatenate([[0], np.cumsum(counts)])
        # The k-th of all that are taken lies at the start of its row, and as far on as it is in it.
        taken = np.repeat(self.starts[chosen] - starts[:-1], counts) + np.arange(starts[-1])
        return SparseRows(starts, self.places[taken], self.values[taken], self.n)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        """Return all of them dense."""
        dense = np.zeros(self.shape, self.dtype)
        dense[np.repeat(np.arange(len(self)), np.diff(self.starts)), self.places] = self.values
        return dense if dtype is None else dense.astype(dtype, copy=False)


def is_sparse(value: object) -> bool:
    """Whether it is a sparse matrix of SciPy's, or rows of one."""
    if type(value) is np.ndarray:
        return False
    return isinstance(value, SparseRows) or (hasattr(value, "toarray") and hasattr(value, "tocsr"))


def dense(x: Any) -> Array:
    """Return samples as an array of their own dtype."""
    return np.asarray(x) if isinstance(x, SparseRows) else x


def doubt_density(name: str, x: SparseRows) -> None:
    """Warn where most entries are there: dense samples are faster then, and smaller."""
    if len(x.values) > 0.5 * len(x) * x.n:
        warn(f"{name} is a sparse matrix of mostly nonzeros; {name}.toarray() is faster")
