"""Classifier and Regressor: scikit-learn's contract with defaults of today."""

from typing import Any, ClassVar

import numpy as np
from sklearn.base import is_classifier
from sklearn.utils._param_validation import StrOptions
from sklearn.utils.validation import check_is_fitted, validate_data

from ..border.columns import Columns, is_frame
from ..errors import warn
from ..formulas import Array
from ..formulas.costs import Cost, find_cost
from ..networks.fast import Network
from ..networks.scaling import Scaling, choose, fold_into_inputs, fold_into_outputs, standard
from .losses import loss_of
from .mlp import MLPClassifier, MLPRegressor
from .network import network_of

EARLY = 500  # samples from which on a tenth of them can judge the rest
OPTIONS: dict[str, Any] = {"early_stopping": ["boolean", StrOptions({"auto"})]}


class Scaled:
    """What an estimator is given, made into numbers on a scale that training likes; what it has, on the same."""

    _columns: Columns | None = None  # of the data frame that it was trained on, if one of its columns is no number
    _scaling: Scaling | None = None

    def _learns_to_stop(self: Any, n: int) -> bool:
        return n >= EARLY if self.early_stopping == "auto" else bool(self.early_stopping)

    def _validate_input(self: Any, X: Any, y: Any, incremental: bool, reset: bool) -> Any:
        """Return X scaled, and y as scikit-learn has it."""
        if reset:
            self._columns = _columns_of(X)
        X, y = super()._validate_input(self._encoded(X), y, incremental, reset)  # type: ignore[misc]
        if reset:
            self._scaling = _scaling_of(X)
        return self._scaled(X), y

    def _validated(self: Any, X: Any) -> Any:
        X = validate_data(
            self, self._encoded(X), accept_sparse=["csr", "csc"], dtype=(np.float64, np.float32), reset=False
        )
        return self._scaled(X).astype(self.coefs_[0].dtype)

    def _forward_pass_fast(self: Any, X: Any, check_input: bool = True) -> Any:
        X = self._validated(X) if check_input else X
        return super()._forward_pass_fast(X, check_input=False)  # type: ignore[misc]

    def _encoded(self: Any, X: Any) -> Any:
        if self._columns is None:
            return X
        if not is_frame(X):
            raise ValueError(
                f"X must be a data frame with the columns it was trained on, {self._columns.described}; got "
                f"{type(X).__name__}"
            )
        encoded = self._columns.encode(X)
        for note in encoded.notes:
            warn(note)
        return encoded.x

    def _scaled(self: Any, X: Any) -> Any:
        if self._scaling is None:
            return X
        if hasattr(X, "tocsr"):
            return X.multiply(1 / self._scaling.scale).tocsr()
        return self._scaling(X)

    def _judged(self: Any, X: Any, y: Any, sample_weight: Any) -> float:
        """Return the mean cost with another sign: it shows progress that no prediction shows yet."""
        a = np.asarray(self._forward_pass_fast(X, check_input=False), np.float64)
        if is_classifier(self):
            y = self._label_binarizer.transform(y)
        cost = loss_of(self).cost
        row = cost if isinstance(cost, Cost) else find_cost(cost)
        terms = row.terms(a, np.asarray(y, np.float64).reshape(a.shape)).sum(axis=1)
        return -float(np.average(terms, weights=sample_weight))

    def to_sklearn(self: Any) -> Any:
        """Return scikit-learn's own estimator, which takes plain numbers and predicts the same.

        Raises
        ------
        ValueError
            where scikit-learn has no such activation or loss, and where there are categories

        """
        if self._columns is not None:
            raise ValueError(f"scikit-learn's estimator takes numbers only, not the columns {self._columns.described}")
        net, other = self.to_network(), super().to_sklearn()  # type: ignore[misc]
        other.set_params(early_stopping=self.early_stopping is True)
        other.coefs_ = [np.array(w.T, order="C") for w in net.weights]
        other.intercepts_ = [b.copy() for b in net.biases]
        del other._optimizer  # its state is of other weights
        return other

    def to_network(self: Any) -> Network:
        """Return a ``fastbp.Network`` in float64 that takes plain numbers: scaling is part of its weights."""
        check_is_fitted(self)
        net: Any = network_of(self)._twin(Network, "float64")
        if self._scaling is not None:
            fold_into_inputs(net, self._scaling)
        if (targets := getattr(self, "_target_scaling", None)) is not None:
            fold_into_outputs(net, targets)
        if hasattr(self, "classes_") and not self._label_binarizer.y_type_.startswith("multilabel"):
            net.classes = self.classes_
        net.columns = self._columns
        return net  # type: ignore[no-any-return]


class Classifier(Scaled, MLPClassifier):  # type: ignore[misc]
    """Labels from numbers and categories: MLPClassifier, with defaults that need no care.

    X is an array, a sparse matrix or a data frame; columns with texts become one input for each category. Columns are
    brought to mean 0 and deviation 1, those of the first `partial_fit`, sparse ones to at most 1. Training is Adam's in
    float32, by 32 samples, and stops once a held-out tenth is no better for 10 epochs, where there are at least 500
    samples.

    All parameters and methods are MLPClassifier's; `coefs_` are of the scaled inputs, `to_network` gives a network of
    plain ones.
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {**MLPClassifier._parameter_constraints, **OPTIONS}

    def __init__(
        self, hidden_layer_sizes: Any = (100,), activation: Any = "relu", *, solver: Any = "adam",
        alpha: Any = 0.0001, batch_size: Any = 32, learning_rate: Any = "constant", learning_rate_init: Any = 0.001,
        power_t: Any = 0.5, max_iter: Any = 200, shuffle: Any = True, random_state: Any = None, tol: Any = 1e-4,
        verbose: Any = False, warm_start: Any = False, momentum: Any = 0.9, nesterovs_momentum: Any = True,
        early_stopping: Any = "auto", validation_fraction: Any = 0.1, beta_1: Any = 0.9, beta_2: Any = 0.999,
        epsilon: Any = 1e-8, n_iter_no_change: Any = 10, max_fun: Any = 15000, class_weight: Any = None,
        dropout: Any = 0.0, dtype: Any = "float32", n_jobs: Any = None, callbacks: Any = None,
    ) -> None:  # fmt: skip
        self._keep(locals())
        self.loss = "log_loss"


class Regressor(Scaled, MLPRegressor):  # type: ignore[misc]
    """Quantities from numbers and categories: MLPRegressor, with defaults that need no care, as Classifier's.

    y is brought to mean 0 and deviation 1, too, but for the loss "poisson": the unit it is given in does not matter,
    and huber's δ is in deviations.
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {**MLPRegressor._parameter_constraints, **OPTIONS}
    _target_scaling: Scaling | None = None

    def __init__(
        self, loss: Any = "squared_error", hidden_layer_sizes: Any = (100,), activation: Any = "relu", *,
        solver: Any = "adam", alpha: Any = 0.0001, batch_size: Any = 32, learning_rate: Any = "constant",
        learning_rate_init: Any = 0.001, power_t: Any = 0.5, max_iter: Any = 200, shuffle: Any = True,
        random_state: Any = None, tol: Any = 1e-4, verbose: Any = False, warm_start: Any = False, momentum: Any = 0.9,
        nesterovs_momentum: Any = True, early_stopping: Any = "auto", validation_fraction: Any = 0.1,
        beta_1: Any = 0.9, beta_2: Any = 0.999, epsilon: Any = 1e-8, n_iter_no_change: Any = 10, max_fun: Any = 15000,
        dropout: Any = 0.0, dtype: Any = "float32", n_jobs: Any = None, callbacks: Any = None,
    ) -> None:  # fmt: skip
        self._keep(locals())

    def _validate_input(self, X: Any, y: Any, incremental: bool, reset: bool) -> Any:
        X, y = super()._validate_input(X, y, incremental, reset)
        if reset:
            self._target_scaling = None if self.loss == "poisson" else standard(y.reshape(len(y), -1))
        return X, self._scaled_targets(y)

    def _validation_answers(self, y: Array) -> Array:
        return self._scaled_targets(y)

    def _scaled_targets(self, y: Array) -> Array:
        if self._target_scaling is None:
            return y
        scaled: Array = self._target_scaling(y.reshape(len(y), -1)).reshape(y.shape)
        return scaled

    def predict(self, X: Any) -> Array:
        """Return the predictions (m,) or (m, K), in the unit of y."""
        found = super().predict(X)
        if self._target_scaling is None:
            return found  # type: ignore[no-any-return]
        shape = found.shape
        scale, shift = self._target_scaling.scale, self._target_scaling.shift
        plain: Array = (found.reshape(len(found), -1) * scale + shift).reshape(shape)
        return plain


def _columns_of(X: Any) -> Columns | None:
    """Return the columns of a data frame that has others than numbers."""
    if not is_frame(X):
        return None
    columns = Columns.learn(X, forgiving=True)
    return columns if any(column.kind != "number" for column in columns.columns) else None


def _scaling_of(X: Any) -> Scaling | None:
    if not hasattr(X, "tocsr"):
        return choose(X, "standard")
    largest = abs(X).max(axis=0).toarray().ravel()
    return Scaling(np.zeros(X.shape[1]), np.where(largest > 0, largest, 1.0))
