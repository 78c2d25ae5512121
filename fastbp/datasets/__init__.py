"""Data to train on: digits that ship with the package, and MNIST's files."""

from .digits import load_digits as load_digits
from .idx import load_idx as load_idx
from .idx import load_mnist as load_mnist
from .types import Dataset as Dataset
