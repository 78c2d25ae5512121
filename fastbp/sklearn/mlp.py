"""MLPClassifier and MLPRegressor: scikit-learn's own, trained by the kernels."""

from typing import Any

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

    _parameter_constraints = {**SklearnClassifier._parameter_constraints, **Fused.constraints, "activation": ACTIVATION}

    def __init__(
        self, hidden_layer_sizes=(100,), activation="relu", *, solver="adam", alpha=0.0001, batch_size="auto",
        learning_rate="constant", learning_rate_init=0.001, power_t=0.5, max_iter=200, shuffle=True, random_state=None,
        tol=1e-4, verbose=False, warm_start=False, momentum=0.9, nesterovs_momentum=True, early_stopping=False,
        validation_fraction=0.1, beta_1=0.9, beta_2=0.999, epsilon=1e-8, n_iter_no_change=10, max_fun=15000,
        class_weight=None, dropout=0.0, dtype=None, n_jobs=None, callbacks=None,
    ) -> None:  # fmt: skip
        self._keep(locals())
        self.loss = "log_loss"

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y, sample_weight=None, *, validation_data=None) -> Any:  # noqa: N803
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
    def partial_fit(self, X, y, sample_weight=None, classes=None) -> Any:  # noqa: N803
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

    _parameter_constraints = {
        **SklearnRegressor._parameter_constraints,
        **Fused.constraints,
        "activation": ACTIVATION,
        "loss": [StrOptions({*SKLEARN_LOSSES, *MORE_LOSSES}), Cost],
    }

    def __init__(
        self, loss="squared_error", hidden_layer_sizes=(100,), activation="relu", *, solver="adam", alpha=0.0001,
        batch_size="auto", learning_rate="constant", learning_rate_init=0.001, power_t=0.5, max_iter=200, shuffle=True,
        random_state=None, tol=1e-4, verbose=False, warm_start=False, momentum=0.9, nesterovs_momentum=True,
        early_stopping=False, validation_fraction=0.1, beta_1=0.9, beta_2=0.999, epsilon=1e-8, n_iter_no_change=10,
        max_fun=15000, dropout=0.0, dtype=None, n_jobs=None, callbacks=None,
    ) -> None:  # fmt: skip
        self._keep(locals())

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y, sample_weight=None, *, validation_data=None) -> Any:  # noqa: N803
        """Train on X (m, n), y (m,) or (m, K); see MLPClassifier.fit."""
        return self._fit(X, y, sample_weight=sample_weight, validation_data=validation_data)

    @available_if(_can_go_on)
    @_fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X, y, sample_weight=None) -> Any:  # noqa: N803
        """Go through the samples once, and go on from there in the next call."""
        return self._fit(X, y, sample_weight=sample_weight, incremental=True)
