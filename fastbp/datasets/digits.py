"""Handwritten digits that ship with the package: no download, no network."""

from importlib import resources

import numpy as np

from .types import Dataset

TEST_SHARE = 5  # one image in five of every class


def load_digits() -> Dataset:
    """Return 1797 images of 8x8 pixels: x (m, 64) float32 in 0..1, y (m,) int64 in 0..9.

    The split is fixed: of every digit, every fifth image is in the test part.

    Source: E. Alpaydin and C. Kaynak, "Optical Recognition of Handwritten Digits" (1998), UCI Machine
    Learning Repository, doi 10.24432/C50P49, licence CC BY 4.0; the test half of that collection,
    as scikit-learn distributes it.
    """
    with resources.files(__package__).joinpath("digits.npz").open("rb") as file, np.load(file) as arrays:
        x = arrays["images"].astype(np.float32) / 16
        y = arrays["labels"].astype(np.int64)
    rank = np.zeros(len(y), int)  # place of each image among those of its digit
    for digit in range(10):
        rank[y == digit] = np.arange(np.sum(y == digit))
    test = rank % TEST_SHARE == TEST_SHARE - 1
    return Dataset(x[~test], y[~test], x[test], y[test])
