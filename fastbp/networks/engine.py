"""What an engine fills in: where a network's numbers live, and what is computed from them."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..border.spec import DTYPES, NetworkSpec
from ..formulas import Array
from ..formulas.optimizers import Optimizer
from ..training.loop import Data, Plan, Session
from .results import Forward, Gradients

GRAM_COLUMNS = 16  # two vectors of float64, however wide


class Engine(ABC):
    """The hooks, and the shape of a network.

    x is (m, n_0), y labels (m,) of int64 or (m, n_L); all arrays are C-contiguous, aligned, read-only and of the
    network's dtype. A large x may be of another one, see `_converts`.
    """

    spec: NetworkSpec

    @property
    def sizes(self) -> list[int]:
        """Neurons per layer, inputs first."""
        return list(self.spec.sizes)

    @property
    def num_layers(self) -> int:
        """Number of layers, inputs included."""
        return len(self.spec.sizes)

    @property
    def dtype(self) -> np.dtype[Any]:
        """float32 or float64."""
        return DTYPES[self.spec.dtype]

    @abstractmethod
    def _allocate(self) -> None:
        """Prepare for `self.spec`; `_set_parameters` follows."""

    @abstractmethod
    def _get_parameters(self) -> tuple[list[Array], list[Array]]:
        """Return fresh copies of weights and biases."""

    @abstractmethod
    def _set_parameters(self, weights: Sequence[Array], biases: Sequence[Array]) -> None:
        """Copy weights and biases in, in the middle of a run too."""

    @abstractmethod
    def _predict(self, x: Array, out: Array) -> None:
        """Write the output activations to out (m, n_L)."""

    @abstractmethod
    def _forward(self, x: Array) -> Forward:
        """Return fresh arrays of every z and a."""

    @abstractmethod
    def _backprop(self, x: Array, y: Array) -> Gradients:
        """Return C and its gradients, penalties included, and the deltas; without dropout."""

    @staticmethod
    def _converts(dtype: np.dtype[Any]) -> bool:
        """Whether x of this dtype may come as it is, to be converted row by row."""
        return dtype.isnative

    def _needs_compiling(self) -> bool:
        """Whether the first call of `_session` takes seconds."""
        return False

    @abstractmethod
    def _evaluate(self, x: Array, y: Array) -> tuple[float, int]:
        """Return Σ C_x without penalty, and the number of right answers.

        An answer is right where the largest output is the label's; for one output, where it is
        above ½ just as the target is.
        """

    @abstractmethod
    def _new_state(self, optimizer: Optimizer, *, averages: bool = False) -> Any:
        """Return what an optimizer remembers, before the first step, and room for the average of the parameters."""

    @abstractmethod
    def _gradient_size(self) -> int:
        """Numbers in the flat array that the first half of a step leaves."""

    @abstractmethod
    def _read_gradient(self, flat: Array) -> tuple[list[Array], list[Array]]:
        """Return what lies in such an array, in the shapes of weights and biases."""

    @abstractmethod
    def _add_gram(self, j: Array, gram: Array) -> None:
        """Gram (P, P) ← gram + JᵀJ, its upper half at least; j is (R, P) of float64, P a multiple of GRAM_COLUMNS."""

    @abstractmethod
    def _session(self, data: Data, plan: Plan, state: Any = None, halves: bool = False) -> Session:
        """Begin a run, or go on with one that has left this state; `halves`: for one half of a step at a time."""
