"""MLPClassifier and MLPRegressor: scikit-learn's own, trained by the kernels."""

from typing import Any, ClassVar

from sklearn.base import _fit_context
from sklearn.neural_network import MLPClassifier as SklearnClassifier
from sklearn.neural_network import MLPRegressor as SklearnRegressor
from sklearn.preprocessing import LabelBinarizer
from sklearn.utils._param_validation import StrOptions
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import _check_partial_fit_first_call, type_of_target

from ..formulas.activations import ACTIVATIONS, Activation
from ..formulas.costs import Cost
from .fused import Fused
from .losses import MORE_LOSSES, SKLEARN_LOSSES

ACTIVATION = [StrOptions({"logistic"} | set(ACTIVATIONS) - {"softmax"}), Activation, list, tuple]


def _can_go_on(estimator: Any) -> Any:
    return estimator._check_solver()


class MLPClassifier(Fused, SklearnClassifier):  # type: ignore[misc]
    """scikit-learn's MLPClassifier, with the same parameters and numbers, trained by fastbp's kernels.

    Parameters
    ----------
    hidden_layer_sizes ... max_fun
        scikit-learn's, see ``sklearn.neural_network.MLPClassifier``; `activation` may also be any of fastbp's, by name
        or as a row, or a list with one for each hidden layer
    class_weight
        a dict from label to weight, or "balanced"
    dropout
        probability that training drops a hidden neuron
    dtype
        "float32", which is twice as fast, or "float64". None: that of X, float64 for anything but float32
    n_jobs
        threads. None: as many as pay, and one in a worker process; -1: as many as pay
    callbacks
        fastbp's, each called as ``callback(net, history)`` after each epoch; a true result stops

    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        **SklearnClassifier._parameter_constraints,
        **Fused.constraints,
        "activation": ACTIVATION,
    }

    def __init__(
        self, hidden_layer_sizes: Any = (100,), activation: Any = "relu", *, solver: Any = "adam",
        alpha: Any = 0.0001, batch_size: Any = "auto", learning_rate: Any = "constant",
        learning_rate_init: Any = 0.001, power_t: Any = 0.5, max_iter: Any = 200, shuffle: Any = True,
        random_state: Any = None, tol: Any = 1e-4, verbose: Any = False, warm_start: Any = False, momentum: Any = 0.9,
        nesterovs_momentum: Any = True, early_stopping: Any = False, validation_fraction: Any = 0.1,
        beta_1: Any = 0.9, beta_2: Any = 0.999, epsilon: Any = 1e-8, n_iter_no_change: Any = 10, max_fun: Any = 15000,
        class_weight: Any = None, dropout: Any = 0.0, dtype: Any = None, n_jobs: Any = None, callbacks: Any = None,
    ) -> None:  # fmt: skip
        self._keep(locals())
        self.loss = "log_loss"

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any, sample_weight: Any = None, *, validation_data: Any = None) -> Any:
        """Train on X (m, n), y (m,) or, of several labels at once, (m, K).

        Parameters
        ----------
        X, y
            samples, an array or a sparse matrix; labels of any kind
        sample_weight
            (m,)
        validation_data
            (X, y) for `early_stopping`, in place of a share of the samples, and for callbacks

        """
        return self._fit(X, y, sample_weight=sample_weight, validation_data=validation_data)

    @available_if(_can_go_on)
    @_fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None, classes: Any = None) -> Any:
        """Go through the samples once, and go on from there in the next call, whose first names all `classes`."""
        if _check_partial_fit_first_call(self, classes):
            self._label_binarizer = LabelBinarizer()
            self._label_binarizer.fit(y if type_of_target(y).startswith("multilabel") else classes)
        return self._fit(X, y, sample_weight=sample_weight, incremental=True)


class MLPRegressor(Fused, SklearnRegressor):  # type: ignore[misc]
    """scikit-learn's MLPRegressor, with the same parameters and numbers, trained by fastbp's kernels.

    Parameters
    ----------
    loss
        "squared_error", "poisson", or one of fastbp's costs of quantities: "mean_absolute", "huber", "log_cosh",
        "quantile", or with parameters ``fastbp.costs.quantile(q=0.9)``, so that two of them give an interval
    hidden_layer_sizes ... max_fun
        scikit-learn's, see ``sklearn.neural_network.MLPRegressor``; `activation` may also be any of fastbp's, by name
        or as a row, or a list with one for each hidden layer
    dropout, dtype, n_jobs, callbacks
        as for MLPClassifier

    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        **SklearnRegressor._parameter_constraints,
        **Fused.constraints,
        "activation": ACTIVATION,
        "loss": [StrOptions({*SKLEARN_LOSSES, *MORE_LOSSES}), Cost],
    }

    def __init__(
        self, loss: Any = "squared_error", hidden_layer_sizes: Any = (100,), activation: Any = "relu", *,
        solver: Any = "adam", alpha: Any = 0.0001, batch_size: Any = "auto", learning_rate: Any = "constant",
        learning_rate_init: Any = 0.001, power_t: Any = 0.5, max_iter: Any = 200, shuffle: Any = True,
        random_state: Any = None, tol: Any = 1e-4, verbose: Any = False, warm_start: Any = False, momentum: Any = 0.9,
        nesterovs_momentum: Any = True, early_stopping: Any = False, validation_fraction: Any = 0.1,
        beta_1: Any = 0.9, beta_2: Any = 0.999, epsilon: Any = 1e-8, n_iter_no_change: Any = 10, max_fun: Any = 15000,
        dropout: Any = 0.0, dtype: Any = None, n_jobs: Any = None, callbacks: Any = None,
    ) -> None:  # fmt: skip
        self._keep(locals())

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any, sample_weight: Any = None, *, validation_data: Any = None) -> Any:
        """Train on X (m, n), y (m,) or (m, K); see MLPClassifier.fit."""
        return self._fit(X, y, sample_weight=sample_weight, validation_data=validation_data)

    @available_if(_can_go_on)
    @_fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> Any:
        """Go through the samples once, and go on from there in the next call."""
        return self._fit(X, y, sample_weight=sample_weight, incremental=True)
