"""MNIST as the book has it: 50 000 images to train on, 10 000 to validate, 10 000 to test."""

import os
from pathlib import Path
from typing import Any

import numpy as np

from ..datasets import load_mnist
from ..errors import DataFileError
from ..formulas import Array
from .pickled import read_arrays

PLACES = ("../data/mnist.pkl.gz", "data/mnist.pkl.gz", "mnist.pkl.gz")  # the first is the book's
VALIDATION = 10_000
OF_256 = np.float32(255 / 256)  # white is 255/256 in the book's file

Part = tuple[Array, Array]


def load_data(path: str | os.PathLike[str] | None = None) -> tuple[Part, Part, Part]:
    """Return (images, digits) to train on, to validate and to test: x (m, 784) float32 from 0 to 255/256, y (m,) int64.

    Parameters
    ----------
    path
        the book's file ``mnist.pkl.gz``, or a folder with MNIST's own files, as published. None: the book's file where
        the book's programs look for it, ``../data/mnist.pkl.gz``, or in ``data`` or here. Nothing in it is ever run

    """
    found = [Path(place) for place in PLACES if Path(place).is_file()] if path is None else [Path(path)]
    if not found:
        raise FileNotFoundError(
            f"there is no {PLACES[0]}, seen from {os.getcwd()}: write load_data_wrapper(path), of the book's "
            "mnist.pkl.gz or of a folder with MNIST's own files"
        )
    if found[0].is_dir():
        return _of_folder(found[0])
    parts = read_arrays(found[0])
    if len(parts) != 3 or any(x.ndim != 2 or y.shape != (len(x),) or y.dtype.kind not in "iu" for x, y in parts):
        raise DataFileError(f"{found[0]}: not the book's MNIST, three pairs of images and digits")
    training, validation, test = ((x.astype(np.float32), y.astype(np.int64)) for x, y in parts)
    return training, validation, test


def _of_folder(folder: Path) -> tuple[Part, Part, Part]:
    data = load_mnist(folder)
    data = data._replace(x_train=data.x_train * OF_256, x_test=data.x_test * OF_256)
    cut = max(len(data.x_train) - VALIDATION, len(data.x_train) * 5 // 6)
    training, validation = (data.x_train[:cut], data.y_train[:cut]), (data.x_train[cut:], data.y_train[cut:])
    return training, validation, (data.x_test, data.y_test)


def load_data_wrapper(
    path: str | os.PathLike[str] | None = None,
) -> tuple[list[tuple[Any, Any]], list[tuple[Any, Any]], list[tuple[Any, Any]]]:
    """Return lists of (x, y) to train on, x (784, 1) and y (10, 1), and of (x, digit) to validate and to test."""
    training, validation, test = load_data(path)
    columns = np.eye(10)[:, :, None]
    pairs = [(x, columns[y].copy()) for x, y in zip(_columns(training[0]), training[1], strict=True)]
    return pairs, _labelled(validation), _labelled(test)


def vectorized_result(j: Any) -> Array:
    """Return the column (10, 1) of a digit: 1 in its place, else 0."""
    column = np.zeros((10, 1))
    column[j] = 1.0
    return column


def _columns(images: Array) -> list[Array]:
    return list(images.reshape(len(images), -1, 1))


def _labelled(part: Part) -> list[tuple[Any, Any]]:
    return list(zip(_columns(part[0]), part[1], strict=True))
