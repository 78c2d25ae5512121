"""What every loader returns."""

from typing import Any, NamedTuple

from numpy.typing import NDArray


class Dataset(NamedTuple):
    """Samples (m, n) in 0..1 with their labels (m,), in two parts."""

    x_train: NDArray[Any]
    y_train: NDArray[Any]
    x_test: NDArray[Any]
    y_test: NDArray[Any]
