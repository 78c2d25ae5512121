"""What validation may be measured by, besides cost and accuracy: a row each, as function(y, a).

y are labels as `fit` was given them (m,), or targets (m, n_L); a are the outputs (m, n_L). The order is scikit-learn's.
"""

# mypy: disable-error-code="no-any-return"
# (NumPy types its ufuncs and operators as Any.)

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..formulas import Array

MetricFunction = Callable[[Array, Array], float]  # of y and the outputs


@dataclass(frozen=True)
class Metric:
    """A measure by name; whether more of it is better, None where nobody knows."""

    name: str
    function: MetricFunction
    larger_is_better: bool | None = None
    of_classes: bool | None = None  # True: takes labels only; False: targets only; None: either


def mean_absolute_error(y: Array, a: Array) -> float:
    """Mean over samples and outputs of |a - y|."""
    return float(np.mean(np.abs(a - y)))


def r2(y: Array, a: Array) -> float:
    """1 - Σ (a - y)² / Σ (y - ȳ)² of each output, and the mean of these; 0 is as good as the mean of y."""
    left = np.sum(np.square(a - y, dtype=np.float64), axis=0)
    total = np.sum(np.square(y - y.mean(axis=0), dtype=np.float64), axis=0)
    return float(np.mean(1 - left / np.where(total == 0, np.nan, total)))


def top_k(k: int) -> Metric:
    """Share of samples whose label is among the k largest outputs."""

    def function(y: Array, a: Array) -> float:
        of_label = np.take_along_axis(a, y[:, None], axis=1)
        return float(np.mean(np.sum(a > of_label, axis=1) < k))

    return Metric(f"top_{k}", function, True, of_classes=True)


def roc_auc(y: Array, a: Array) -> float:
    """Area under the curve of hits over false alarms, by scikit-learn; of several classes each against the rest."""
    try:
        from sklearn.metrics import roc_auc_score
    except ImportError:
        raise ImportError("the metric roc_auc needs scikit-learn: pip install scikit-learn") from None
    if a.shape[1] <= 2:
        return float(roc_auc_score(y.ravel(), a[:, -1]))
    return float(roc_auc_score(y, a / a.sum(axis=1, keepdims=True), multi_class="ovr", labels=np.arange(a.shape[1])))


METRICS = {
    row.name: row
    for row in (
        Metric("mean_absolute_error", mean_absolute_error, False, of_classes=False),
        Metric("r2", r2, True, of_classes=False),
        Metric("roc_auc", roc_auc, True, of_classes=True),
    )
}
TOP = re.compile(r"top_([1-9]\d*)")


def find_metric(metric: Any) -> Metric:
    """Return the metric of this name, or a user's own function as one."""
    if callable(metric) and not isinstance(metric, type):
        name = getattr(metric, "__name__", type(metric).__name__)
        return Metric("own" if name == "<lambda>" else name, metric)
    if isinstance(metric, str):
        if metric in METRICS:
            return METRICS[metric]
        if found := TOP.fullmatch(metric):
            return top_k(int(found[1]))
    choices = ", ".join([*METRICS, "top_5 (or any number)"])
    kind = ValueError if isinstance(metric, str) else TypeError
    raise kind(f"unknown metric {metric!r}; choose from {choices}, or give a function of (y, outputs)")


def checked_metrics(metrics: Any) -> tuple[Metric, ...]:
    """Return metrics by name or function, each of a name of its own."""
    if isinstance(metrics, (str, bytes)) or not isinstance(metrics, Iterable):
        raise TypeError(f"metrics must be a list of names or functions, got {metrics!r}")
    found = tuple(find_metric(metric) for metric in metrics)
    names = [metric.name for metric in found]
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f"there are two metrics called {name!r}; give each function a name: def mine(y, a): ...")
    return found
