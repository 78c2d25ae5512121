"""Update rules: immutable specifications, a frozen dataclass each; their state belongs to the run.

How one is written stands in `base`; those of this package are rows of `descent`, `adaptive` and `moments`, with
PyTorch's defaults.
"""

from typing import Any, Literal

from .adaptive import Adadelta, Adagrad, RMSprop
from .base import (
    MOST_CONSTANTS,
    ClippedByValue,
    Optimizer,
    constants_at,
    is_steady,
    traced_rule,
    update,
)
from .descent import SGD, Lion, Rprop
from .moments import Adam, AdamW, Nadam

__all__ = [
    "MOST_CONSTANTS",
    "OPTIMIZERS",
    "SGD",
    "Adadelta",
    "Adagrad",
    "Adam",
    "AdamW",
    "ClippedByValue",
    "Lion",
    "Nadam",
    "Optimizer",
    "OptimizerName",
    "RMSprop",
    "Rprop",
    "constants_at",
    "is_steady",
    "traced_rule",
    "update",
]

# Those whose fields all have a default
OptimizerName = Literal["adam", "adamw", "nadam", "rmsprop", "adagrad", "adadelta", "lion", "rprop"]

OPTIMIZERS: dict[str, type[Any]] = {
    row.__name__.lower(): row for row in (SGD, Adam, AdamW, Nadam, RMSprop, Adagrad, Adadelta, Lion, Rprop)
}
