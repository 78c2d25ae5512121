"""Back-propagation for fully connected networks, fast and open to inspection."""

from . import datasets as datasets
from . import plotting as plotting
from .base import BaseNetwork as BaseNetwork
from .checking import cross_check as cross_check
from .equations import check_equations as check_equations
from .errors import DataFileError as DataFileError
from .errors import DivergenceError as DivergenceError
from .errors import ModelFileError as ModelFileError
from .formulas import activations as activations
from .formulas import schedules as schedules
from .formulas.activations import Activation as Activation
from .formulas.costs import Cost as Cost
from .formulas.optimizers import SGD as SGD
from .formulas.optimizers import Adam as Adam
from .formulas.optimizers import AdamW as AdamW
from .formulas.optimizers import RMSprop as RMSprop
from .history import History as History
from .network import Network as Network
from .reference import ReferenceNetwork as ReferenceNetwork
from .report import CheckReport as CheckReport
from .results import Evaluation as Evaluation
from .results import Forward as Forward
from .results import Gradients as Gradients
from .trainer import Trainer as Trainer
from .version import __version__ as __version__

load = Network.load

__all__ = [
    "SGD",
    "Activation",
    "Adam",
    "AdamW",
    "BaseNetwork",
    "CheckReport",
    "Cost",
    "DataFileError",
    "DivergenceError",
    "Evaluation",
    "Forward",
    "Gradients",
    "History",
    "ModelFileError",
    "Network",
    "RMSprop",
    "ReferenceNetwork",
    "Trainer",
    "__version__",
    "activations",
    "check_equations",
    "cross_check",
    "datasets",
    "load",
    "plotting",
    "schedules",
]


def __dir__() -> list[str]:
    return __all__
