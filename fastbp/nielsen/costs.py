"""The book's costs: C_x = fn(a, y) of columns, and its δ = delta(z, a, y) at the output."""

from typing import Any, ClassVar

import numpy as np

from .book import sigmoid_prime

FUNCTIONS = ("fn", "delta", "terms")


class QuadraticCost:
    """C_x = ½ |a - y|²."""

    formulas: ClassVar[tuple[str, str]] = ("sigmoid", "quadratic")

    @staticmethod
    def fn(a: Any, y: Any) -> Any:
        """½ |a - y|²."""
        return np.sum(QuadraticCost.terms(a, y))

    @staticmethod
    def terms(a: Any, y: Any) -> Any:
        """½ (a - y)², whose sum C_x is."""
        return 0.5 * np.square(a - y)

    @staticmethod
    def delta(z: Any, a: Any, y: Any) -> Any:
        """(a - y) σ'(z)."""
        return (a - y) * sigmoid_prime(z)


class CrossEntropyCost:
    """C_x = -Σ (y ln a + (1 - y) ln(1 - a))."""

    formulas: ClassVar[tuple[str, str]] = ("sigmoid", "binary_cross_entropy")

    @staticmethod
    def fn(a: Any, y: Any) -> Any:
        """-Σ (y ln a + (1 - y) ln(1 - a)); as in the book 0 ln 0 is 0, and ln 0 the largest number there is."""
        return np.sum(CrossEntropyCost.terms(a, y))

    @staticmethod
    def terms(a: Any, y: Any) -> Any:
        """-(y ln a + (1 - y) ln(1 - a)), whose sum C_x is."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.nan_to_num(-y * np.log(a) - (1 - y) * np.log(1 - a))

    @staticmethod
    def delta(z: Any, a: Any, y: Any) -> Any:
        """A - y."""
        return a - y


class LogLikelihoodCost:
    """C_x = -ln a_y, behind a softmax; y is one-hot."""

    formulas: ClassVar[tuple[str, str]] = ("softmax", "cross_entropy")

    @staticmethod
    def fn(a: Any, y: Any) -> Any:
        """-Σ y ln a; ln 0 is the largest number there is."""
        return np.sum(LogLikelihoodCost.terms(a, y))

    @staticmethod
    def terms(a: Any, y: Any) -> Any:
        """-y ln a, whose sum C_x is."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.nan_to_num(-y * np.log(a))

    @staticmethod
    def delta(z: Any, a: Any, y: Any) -> Any:
        """A - y."""
        return a - y


NAMED: dict[str, type] = {
    "quadratic": QuadraticCost,
    "cross_entropy": CrossEntropyCost,
    "log_likelihood": LogLikelihoodCost,
}
OWN: dict[tuple[type, str], Any] = {(kind, name): vars(kind)[name] for kind in NAMED.values() for name in FUNCTIONS}


def find_cost(cost: Any) -> Any:
    """Return a cost by its name; anything else as it is."""
    if isinstance(cost, str) and cost not in NAMED:
        raise ValueError(f"unknown cost {cost!r}; choose from {', '.join(sorted(NAMED))}, or give a class")
    return NAMED[cost] if isinstance(cost, str) else cost


def is_ours(cost: Any) -> bool:
    """Whether it is one of these, and nobody has changed it."""
    kind = cost if isinstance(cost, type) else type(cost)
    if kind not in NAMED.values() or (cost is not kind and vars(cost)):
        return False
    return all(vars(kind)[name] is OWN[kind, name] for name in FUNCTIONS)
