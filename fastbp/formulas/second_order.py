"""Methods that take all samples at once and use curvature: immutable specifications, for ``net.fit(optimizer=...)``."""

from dataclasses import dataclass
from typing import Any

from . import number


class WholeBatch:
    """What they share: an epoch of `fit` is an iteration of theirs, and its cost is the one after it."""

    learning_rate = 1.0  # they find the length of their steps themselves
    slots: tuple[str, ...] = ()


@dataclass(frozen=True)
class LBFGS(WholeBatch):
    """Limited-memory BFGS, by SciPy (Byrd, Lu, Nocedal, Zhu 1995): ``pip install 'fastbp[scipy]'``.

    Parameters
    ----------
    memory
        pairs of steps and gradients from which the curvature is estimated
    tolerance
        a run ends where an iteration lowers C by less than this share of it, or every entry of the gradient is smaller

    """

    memory: int = 10
    tolerance: float = 1e-9

    def __post_init__(self) -> None:
        if isinstance(self.memory, bool) or not isinstance(self.memory, int) or self.memory < 1:
            raise ValueError(f"memory must be an integer of at least 1, got {self.memory!r}")
        object.__setattr__(self, "tolerance", number("tolerance", self.tolerance))


@dataclass(frozen=True)
class LevenbergMarquardt(WholeBatch):
    """(JᵀJ / m + μ) Δ = -∇C, for small networks and the quadratic cost (Levenberg 1944; Marquardt 1963).

    J is ∂a^L/∂w of each sample. μ falls where C falls as foretold, and rises where it does not (Nielsen 1999); a step
    that raises C is not made. It takes time and memory as the square of the number of parameters.

    Parameters
    ----------
    damping
        the first μ, as a share of the largest entry on the diagonal of JᵀJ / m
    tolerance
        a run ends where a step lowers C by less than this share of it

    """

    damping: float = 1e-3
    tolerance: float = 1e-12

    def __post_init__(self) -> None:
        object.__setattr__(self, "damping", number("damping", self.damping, positive=True))
        object.__setattr__(self, "tolerance", number("tolerance", self.tolerance))


WHOLE_BATCH: dict[str, type[Any]] = {"lbfgs": LBFGS, "levenbergmarquardt": LevenbergMarquardt}
