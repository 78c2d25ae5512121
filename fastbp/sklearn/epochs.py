"""scikit-learn's training, epoch by epoch: its order of samples, its losses, its ways to stop."""

import sys
import warnings
from typing import Any

import numpy as np
from sklearn.base import is_classifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split
from sklearn.neural_network._stochastic_optimizers import AdamOptimizer, SGDOptimizer

from ..border import options
from ..border.sparse import SparseRows
from ..errors import DivergenceError
from ..formulas import Array
from ..networks.trainer import Trainer
from ..training.callbacks.base import Callback
from ..training.loop import Data, Plan, Task
from .hooks import Hooks
from .journal import Losses
from .network import data_of, give_back, is_labelled, network_of
from .rules import KeptState, rule_of


def say(message: str, category: type[Warning] = UserWarning) -> None:
    """Warn whoever called `fit`, at the line where they did."""
    frame, level = sys._getframe(1), 2
    while frame.f_back and frame.f_globals.get("__name__", "").partition(".")[0] in ("fastbp", "sklearn"):
        frame, level = frame.f_back, level + 1
    warnings.warn(message, category, level)


class Epochs:
    """One call of `fit` or `partial_fit` by a stochastic solver."""

    def __init__(self, estimator: Any, incremental: bool, validation: tuple[Any, Any] | None, hooks: Hooks) -> None:
        if estimator.early_stopping is True and incremental:
            raise ValueError("partial_fit does not support early_stopping=True")
        self.hooks = hooks
        self.estimator, self.incremental = estimator, incremental
        self.validation = validation  # X, and y as the user has it
        self.validation_weight: Array | None = None
        if not incremental or not hasattr(estimator, "_optimizer"):
            estimator._optimizer = _optimizer(estimator)

    def run(self, x: Any, y: Array, sample_weight: Array | None) -> None:
        """Train on checked samples, y (m, n_L)."""
        estimator = self.estimator
        self.early = not self.incremental and estimator._learns_to_stop(y.shape[0])
        if self.early and self.validation is None:
            x, y, sample_weight = self._split(x, y, sample_weight)
        n = y.shape[0]
        batch_size = min(200, n) if estimator.batch_size == "auto" else int(np.clip(estimator.batch_size, 1, n))
        if estimator.batch_size != "auto" and estimator.batch_size > n:
            say("Got `batch_size` less than 1 or larger than sample size. It is going to be clipped")
        estimator.n_iter_ = 0
        dropout = float(getattr(estimator, "dropout", 0.0))
        seed = int(estimator._random_state.randint(2**31)) if dropout else 0
        net = self.net = network_of(estimator, dropout=dropout, seed=seed)
        self.losses = Losses(estimator, y, sample_weight, batch_size)
        plan = Plan(
            rule_of(estimator, self._rates), batch_size, epochs=1 if self.incremental else estimator.max_iter,
            penalty_per_batch=True, journal=self.losses.journal,
        )  # fmt: skip
        data = data_of(estimator, x, y, sample_weight, net.dtype)
        if self.early and self.validation is not None:
            self.view = _view_of(net, self.validation[0])
        callbacks = options.checked_callbacks(estimator.callbacks or ())
        task = Task(
            data, plan, callbacks=(*callbacks, self._end_epoch), order=self._orders(n),
            validation=self._validation_data(net, data),
        )  # fmt: skip
        for callback in callbacks:
            if isinstance(callback, Callback):
                callback.begin(task.measured)
        self._train(task)

    def _train(self, task: Task) -> None:
        estimator, net = self.estimator, self.net
        trainer = Trainer(net, task.plan.optimizer)
        kept = KeptState(estimator._optimizer, task.plan.optimizer)
        kept.load(trainer)
        try:
            trainer.fit(task)
        except KeyboardInterrupt:
            say("Training interrupted by user.")
        except DivergenceError:
            for w in estimator.coefs_:
                w[...] = np.nan  # `_fit` says what scikit-learn says
            return
        kept.keep(trainer)
        give_back(net, estimator)
        if self.early:
            estimator.coefs_, estimator.intercepts_ = estimator._best_coefs, estimator._best_intercepts

    def _rates(self, times: Array) -> Array:
        """η in this epoch; Adam's `learning_rate` has other factors in it."""
        estimator = self.estimator
        rate = estimator.learning_rate_init if estimator.solver == "adam" else estimator._optimizer.learning_rate
        return np.full(np.shape(times), float(rate))

    def _orders(self, n: int) -> Any:
        """Return a function that gives the order of each epoch, drawn as scikit-learn does."""
        order = np.arange(n, dtype=int)

        def following() -> Array:
            nonlocal order
            if self.estimator.shuffle:  # as sklearn.utils.shuffle(order, random_state=...), which takes 0.2 ms longer
                places = np.arange(n)
                self.estimator._random_state.shuffle(places)
                order = order[places]
            self.losses.begin(order)
            self.hooks.begin_epoch()
            return order

        return following

    def _end_epoch(self, net: Any, history: Any) -> bool:
        """Note the loss, and tell whether training is over."""
        estimator = self.estimator
        estimator.n_iter_ += 1
        estimator.loss_ = self.losses.total()
        estimator.t_ += len(self.losses.weights)
        estimator.loss_curve_.append(estimator.loss_)
        if estimator.verbose:
            print(f"Iteration {estimator.n_iter_}, loss = {estimator.loss_:.8f}")
        stops = self._has_improved()
        if self.hooks.listens:
            give_back(net, estimator)
            stops = self.hooks.end_epoch() or stops
        if not stops and not self.incremental and estimator.n_iter_ == estimator.max_iter:
            say(
                f"Stochastic Optimizer: Maximum iterations ({estimator.max_iter}) reached and the optimization hasn't "
                "converged yet.",
                ConvergenceWarning,
            )
        return stops

    def _has_improved(self) -> bool:
        """Count the epochs that were no better; return whether they are enough to stop."""
        estimator = self.estimator
        if self.early:
            self._score()
        else:
            waits = estimator.loss_ > estimator.best_loss_ - estimator.tol
            estimator._no_improvement_count = estimator._no_improvement_count + 1 if waits else 0
            estimator.best_loss_ = min(estimator.best_loss_, estimator.loss_)
        estimator._optimizer.iteration_ends(estimator.t_)
        if estimator._no_improvement_count <= estimator.n_iter_no_change:
            return False
        what = "Validation score" if self.early else "Training loss"
        message = (
            f"{what} did not improve more than tol={estimator.tol:f} for {estimator.n_iter_no_change:d} consecutive "
            "epochs."
        )
        if estimator._optimizer.trigger_stopping(message, estimator.verbose):
            return True
        estimator._no_improvement_count = 0
        return False

    def _score(self) -> None:
        """Score the validation data, and keep the parameters if they are the best so far."""
        estimator = self.estimator
        assert self.validation is not None
        give_back(self.net, estimator)
        x, y = self.validation
        estimator._seen = (
            x,
            self.view()[0],
        )  # so that NumPy's BLAS does not take our cores, see Fused._forward_pass_fast
        try:
            score = estimator._judged(x, y, self.validation_weight)
        finally:
            del estimator._seen
        estimator.validation_scores_.append(score)
        if estimator.verbose:
            print(f"Validation score: {score:f}")
        waits = score < estimator.best_validation_score_ + estimator.tol
        estimator._no_improvement_count = estimator._no_improvement_count + 1 if waits else 0
        if score > estimator.best_validation_score_:
            estimator.best_validation_score_ = score
            estimator._best_coefs = [w.copy() for w in estimator.coefs_]
            estimator._best_intercepts = [b.copy() for b in estimator.intercepts_]

    def _split(self, x: Any, y: Array, sample_weight: Array | None) -> tuple[Any, Array, Array | None]:
        """Hold out a share for validation; return the rest."""
        estimator = self.estimator
        arrays = [x, y] if sample_weight is None else [x, y, sample_weight]
        parts = train_test_split(
            *arrays, random_state=estimator._random_state, test_size=estimator.validation_fraction,
            stratify=y if is_labelled(estimator) else None,
        )  # fmt: skip
        x, held, y, y_held = parts[:4]
        if held.shape[0] < 2:
            raise ValueError(
                "The validation set is too small. Increase 'validation_fraction' or the size of your dataset."
            )
        if is_classifier(estimator):
            y_held = estimator._label_binarizer.inverse_transform(y_held)
        self.validation = held, y_held
        sample_weight, self.validation_weight = parts[4:] or (None, None)
        return x, y, sample_weight

    def _validation_data(self, net: Any, data: Data) -> tuple[Array, Array] | None:
        """Return what callbacks may have measured after each epoch."""
        estimator = self.estimator
        if self.validation is None or not estimator.callbacks:
            return None
        x, y = self.validation
        if is_classifier(estimator):
            y = estimator._label_binarizer.transform(y)
        found = data_of(estimator, x, np.asarray(y).reshape(len(y), -1), None, net.dtype)
        return found.x, found.y


def _view_of(net: Any, x: Any) -> Any:
    """Return a function that gives the outputs for validation data."""
    if hasattr(x, "tocsr"):
        rows = SparseRows.read("X", x, net.dtype)
        return lambda: (net._outputs(rows), 0.0)
    return net._viewer(np.ascontiguousarray(x, net.dtype), np.zeros((x.shape[0], net.sizes[-1]), net.dtype))


def _optimizer(estimator: Any) -> Any:
    """Return scikit-learn's own optimizer, which keeps the state between calls, and the rate."""
    parameters = [*estimator.coefs_, *estimator.intercepts_]
    if estimator.solver == "sgd":
        return SGDOptimizer(
            parameters, estimator.learning_rate_init, estimator.learning_rate, estimator.momentum,
            estimator.nesterovs_momentum, estimator.power_t,
        )  # fmt: skip
    return AdamOptimizer(
        parameters, estimator.learning_rate_init, estimator.beta_1, estimator.beta_2, estimator.epsilon
    )
