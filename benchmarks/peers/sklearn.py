"""scikit-learn's MLP, for the cases it can do."""

from typing import Any

from ..threads import limit_blas
from .contender import Contender, Job, one_by_one


def mlp(job: Job) -> Contender | None:
    """Train by partial_fit, predict by predict_proba; it has neither the quadratic cost of a sigmoid nor its output."""
    from sklearn.neural_network import MLPClassifier, MLPRegressor

    case, net = job.case, job.net
    sigmoid_output = net.spec.activations[-1] == "sigmoid"
    if sigmoid_output and case.optimizer is not None:
        return None
    limit_blas(job.threads)
    kind = MLPClassifier if case.cost == "cross_entropy" or sigmoid_output else MLPRegressor
    model = kind(
        hidden_layer_sizes=case.sizes[1:-1],
        activation="logistic" if case.activation == "sigmoid" else case.activation,
        solver="adam" if hasattr(case.optimizer, "beta1") else "sgd",
        batch_size=case.batch_size,
        epsilon=_epsilon(case.optimizer),
        learning_rate_init=getattr(case.optimizer, "learning_rate", 0.001),
        momentum=0.0,
        nesterovs_momentum=False,
        alpha=0.0,
        shuffle=False,  # the order is given
    )
    first = slice(case.batch_size)
    labels = job.y > 0.5 if sigmoid_output else job.y  # several at once: then its output is sigmoid
    y = labels.ravel() if case.sizes[-1] == 1 else labels
    classes = {"classes": range(case.sizes[-1])} if kind is MLPClassifier else {}
    model.partial_fit(job.x[first], y[first], **classes)  # makes its layers, which then get our parameters
    for w, b, weights, biases in zip(model.coefs_, model.intercepts_, net.weights, net.biases, strict=True):
        w[...], b[...] = weights.T, biases
    if case.optimizer is None:
        return one_by_one(lambda x: model.predict_proba(x[None]), job.x)
    del model._optimizer  # it has seen a step; another is made

    def run(order: Any) -> None:
        model.partial_fit(job.x[order], y[order], **classes)

    return Contender(run, lambda: model.coefs_[0].T)


def _epsilon(rule: Any) -> float:
    """Return what works as our epsilon in the first steps: it is added to √v before v is corrected."""
    return rule.epsilon * (1 - rule.beta2) ** 0.5 if hasattr(rule, "beta2") else 1e-8
