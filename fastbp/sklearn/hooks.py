"""scikit-learn's callbacks, from 1.9 on: told when `fit` and each epoch begin and end."""

from collections.abc import Mapping
from typing import Any


class Hooks:
    """What the callbacks of an estimator are told; nothing where there are none, or scikit-learn knows of none."""

    def __init__(self, estimator: Any, epochs: int | None, given: Mapping[str, Any]) -> None:
        self.estimator, self.given = estimator, given
        self.fit: Any = None
        self.epoch: Any = None
        if hasattr(estimator, "_init_callback_context"):
            self.fit = estimator._init_callback_context(max_subtasks=epochs)
            self.fit.call_on_fit_task_begin(estimator=estimator, **given)
        self.listens = bool(self.fit and getattr(self.fit, "_callbacks", ()))

    def begin_epoch(self) -> None:
        """Tell that an epoch begins."""
        if self.listens and self.fit:
            self.epoch = self.fit.subcontext(task_name="epoch")
            self.epoch.call_on_fit_task_begin(estimator=self.estimator, **self.given)

    def end_epoch(self) -> bool:
        """Tell that it ends; return whether a callback stops training."""
        if not self.epoch:
            return False
        return bool(
            self.epoch.call_on_fit_task_end(
                estimator=self.estimator, reconstruction_attributes=self._fitted, **self.given
            )
        )

    def end(self) -> None:
        """Tell that `fit` ends."""
        if self.fit:
            self.fit.call_on_fit_task_end(
                estimator=self.estimator, reconstruction_attributes=self._fitted, **self.given
            )

    def _fitted(self) -> dict[str, Any]:
        """What an estimator needs to predict with the parameters of this moment."""
        return {name: [w.copy() for w in getattr(self.estimator, name)] for name in ("coefs_", "intercepts_")}
