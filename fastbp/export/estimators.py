"""A network of an estimator of scikit-learn's."""

from typing import Any

import numpy as np

from ..networks.fast import Network

NAMES = {"logistic": "sigmoid"}  # scikit-learn's: fastbp's; all others are the same
COSTS = {"softmax": "cross_entropy", "sigmoid": "binary_cross_entropy", "identity": "quadratic", "exp": "poisson"}


def from_sklearn(estimator: Any) -> Network:
    """Return a network that computes what a fitted MLPClassifier or MLPRegressor does.

    Parameters
    ----------
    estimator
        fitted, with `coefs_`, `intercepts_`, `activation` and `out_activation_`; `alpha` is left behind, since it is a
        penalty over a mini-batch, whose size a network does not know. scikit-learn itself is not needed. Of a
        ``fastbp.sklearn.Classifier`` or ``Regressor`` the network has the scaling in its weights

    Raises
    ------
    TypeError
        where it is no such estimator, or is not fitted

    """
    if hasattr(estimator, "to_network"):  # of fastbp.sklearn's, which scales what it is given
        return estimator.to_network()  # type: ignore[no-any-return]
    if missing := [name for name in ("coefs_", "intercepts_", "out_activation_") if not hasattr(estimator, name)]:
        raise TypeError(
            f"{type(estimator).__name__} has no {missing[0]}: give an MLPClassifier or MLPRegressor, after its fit"
        )
    coefs = [np.asarray(w) for w in estimator.coefs_]
    given = estimator.activation
    hidden = [given] * (len(coefs) - 1) if isinstance(given, str) or not hasattr(given, "__len__") else list(given)
    activations = [NAMES.get(row, row) if isinstance(row, str) else row for row in hidden]
    output = NAMES.get(estimator.out_activation_, estimator.out_activation_)
    net = Network(
        [coefs[0].shape[0], *(w.shape[1] for w in coefs)],
        activation=activations,  # type: ignore[arg-type]
        output=output,
        cost=COSTS[output],  # type: ignore[arg-type]
        dtype=coefs[0].dtype,
        initializer=([w.T for w in coefs], list(estimator.intercepts_)),
        seed=0,
    )
    binarizer = getattr(estimator, "_label_binarizer", None)
    if hasattr(estimator, "classes_") and not getattr(binarizer, "y_type_", "").startswith("multilabel"):
        net.classes = estimator.classes_
    return net
