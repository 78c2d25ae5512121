"""What takes the place of scikit-learn's own training, and what is asked for besides its parameters."""

import inspect
import multiprocessing
from collections.abc import Mapping
from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
from sklearn import neural_network
from sklearn.base import is_classifier
from sklearn.metrics import accuracy_score, r2_score
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval, Options, StrOptions
from sklearn.utils.class_weight import compute_sample_weight
from sklearn.utils.validation import _check_sample_weight, validate_data

from .epochs import Epochs
from .hooks import Hooks
from .losses import MORE_LOSSES
from .network import Gradient, forward

try:
    from sklearn.callback import CallbackSupportMixin
except ImportError:  # before 1.9

    class CallbackSupportMixin:  # type: ignore[no-redef]
        """Nothing is known of callbacks."""


OF_SKLEARN = ("identity", "logistic", "tanh", "relu")


class Fused(CallbackSupportMixin):  # type: ignore[misc]
    """scikit-learn's estimator of networks, but for the loop."""

    constraints: ClassVar[dict[str, Any]] = {
        "class_weight": [dict, StrOptions({"balanced"}), None],
        "dropout": [Interval(Real, 0, 1, closed="left")],
        "dtype": [StrOptions({"float32", "float64"}), None],
        "n_jobs": [Interval(Integral, 1, None, closed="left"), Options(Integral, {-1}), None],
        "callbacks": [list, tuple, None],
    }

    def _keep(self, given: Mapping[str, Any]) -> None:
        """Keep the arguments of `__init__` under their names, as scikit-learn wants them."""
        self.__dict__.update({name: value for name, value in given.items() if name not in ("self", "__class__")})

    def _fit(
        self: Any, X: Any, y: Any, sample_weight: Any = None, incremental: bool = False, validation_data: Any = None
    ) -> Any:
        """Train, on scikit-learn's terms."""
        hidden = self.hidden_layer_sizes
        hidden = list(hidden) if hasattr(hidden, "__iter__") else [hidden]
        if np.any(np.array(hidden) <= 0):
            raise ValueError(f"hidden_layer_sizes must be > 0, got {hidden}.")
        first_pass = not hasattr(self, "coefs_") or (not self.warm_start and not incremental)
        given, labels = {"X": X, "y": y}, y
        if sample_weight is not None:
            given["metadata"] = {"sample_weight": sample_weight}
        X, y = self._validate_input(X, y, incremental, reset=first_pass)
        X = X if self.dtype is None else X.astype(self.dtype, copy=False)
        if sample_weight is not None:
            sample_weight = _check_sample_weight(sample_weight, X)
        if getattr(self, "class_weight", None) is not None:
            by_class = compute_sample_weight(self.class_weight, labels)
            sample_weight = by_class if sample_weight is None else sample_weight * by_class
        y = y.reshape(len(y), -1)
        self.n_outputs_ = y.shape[1]
        units = [X.shape[1], *hidden, self.n_outputs_]
        self._random_state = check_random_state(self.random_state)
        if first_pass:
            self._begin(y, units, X.dtype)
        lbfgs = self.solver == "lbfgs"
        hooks = Hooks(self, 1 if incremental else None if lbfgs else self.max_iter, given)
        if lbfgs:
            asked = {
                "dropout": self.dropout,
                "callbacks": self.callbacks,
                "validation_data": validation_data is not None,
            }
            if unused := [name for name, value in asked.items() if value]:
                raise ValueError(f"solver='lbfgs' takes all samples at once, without epochs: leave out {unused[0]}")
            self._minimize(X, y, sample_weight, units)
        else:
            if validation_data is not None:
                held, answers = validation_data
                validation_data = self._validated(held), self._validation_answers(np.asarray(answers))
            Epochs(self, incremental, validation_data, hooks).run(X, y, sample_weight)
        hooks.end()
        if not all(np.isfinite(w).all() for w in (*self.coefs_, *self.intercepts_)):
            raise ValueError(
                "Solver produced non-finite parameter weights. The input data may contain large values and need to be "
                "preprocessed."
            )
        return self

    def _begin(self: Any, y: Any, units: list[int], dtype: Any) -> None:
        """Draw the parameters, and begin the attributes."""
        self._initialize(y, units, dtype)
        if self.loss == "poisson":
            self.out_activation_ = "exp"  # scikit-learn 1.6 knows no such loss
        if self.solver != "lbfgs" and not self._learns_to_stop(len(y)):
            self.best_loss_, self.validation_scores_, self.best_validation_score_ = np.inf, None, None

    def _validation_answers(self: Any, y: Any) -> Any:
        """Return the y of validation data as training has it."""
        return y

    def _learns_to_stop(self: Any, n: int) -> bool:
        """Whether some of n samples are held out, to tell when to stop."""
        return bool(self.early_stopping)

    def _judged(self: Any, X: Any, y: Any, sample_weight: Any) -> float:
        """Return how good the predictions for the validation data are: the larger, the better."""
        found = self._predict(X, check_input=False)
        if np.issubdtype(found.dtype, np.floating) and not np.isfinite(found).all():
            return np.nan
        measure = accuracy_score if is_classifier(self) else r2_score
        return measure(y, found, sample_weight=sample_weight)  # type: ignore[no-any-return]

    def _minimize(self: Any, X: Any, y: Any, sample_weight: Any, units: list[int]) -> None:
        """Let scikit-learn call SciPy, with C and its gradient from the kernels."""
        empty: list[Any] = [None] * len(units)
        weighted = "sample_weight" in inspect.signature(super()._fit_lbfgs).parameters  # type: ignore[misc]
        self._gradient = Gradient(self, X, y, sample_weight)
        try:
            given = (X, y, sample_weight) if weighted else (X, y)  # 1.6 has no weights
            super()._fit_lbfgs(*given, empty, empty[1:], empty[1:], empty[1:], units)  # type: ignore[misc]
        finally:
            del self._gradient

    def _loss_grad_lbfgs(self: Any, packed: Any, *rest: Any) -> Any:
        return self._gradient(packed)

    def _forward_pass_fast(self: Any, X: Any, check_input: bool = True) -> Any:
        """Return the outputs, from `coefs_` and `intercepts_` as they are now."""
        if (seen := self.__dict__.get("_seen")) is not None and seen[0] is X:
            return seen[1]  # in training, of the validation data
        if isinstance(self.activation, str) and self.activation in OF_SKLEARN and self.out_activation_ != "exp":
            return super()._forward_pass_fast(X, check_input=check_input)  # type: ignore[misc]
        return forward(self, self._validated(X) if check_input else X)

    def _validated(self: Any, X: Any) -> Any:
        return validate_data(self, X, accept_sparse=["csr", "csc"], reset=False)

    @property
    def _threads(self: Any) -> Any:
        if self.n_jobs is None:
            return 1 if multiprocessing.parent_process() is not None else "auto"
        return "auto" if self.n_jobs < 0 else self.n_jobs

    def to_sklearn(self: Any) -> Any:
        """Return scikit-learn's own estimator, which predicts the same and can be trained on.

        Raises
        ------
        ValueError
            where scikit-learn has no such activation or loss

        """
        if not (isinstance(self.activation, str) and self.activation in OF_SKLEARN):
            raise ValueError(f"scikit-learn has no activation {_name(self.activation)}; it has {', '.join(OF_SKLEARN)}")
        if not isinstance(self.loss, str) or self.loss in MORE_LOSSES:
            raise ValueError(f"scikit-learn has no loss {_name(self.loss)}; it has squared_error and poisson")
        kind = getattr(neural_network, type(self).__name__, None) or next(
            parent for parent in type(self).__mro__ if parent.__module__.startswith("sklearn.neural_network")
        )
        other = kind(**{name: value for name, value in self.get_params().items() if name in kind().get_params()})
        fitted = {name: value for name, value in vars(self).items() if name not in self.get_params()}
        vars(other).update(fitted)
        return other


def _name(value: Any) -> str:
    return value.name if hasattr(value, "name") else repr(value)
