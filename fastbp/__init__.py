"""Back-propagation for fully connected networks, fast and open to inspection."""

from . import datasets as datasets
from . import plotting as plotting
from .base import BaseNetwork as BaseNetwork
from .checking import cross_check as cross_check
from .equations import check_equations as check_equations
from .errors import DataFileError as DataFileError
from .errors import DivergenceError as DivergenceError
from .errors import ModelFileError as ModelFileError
from .formulas.optimizers import SGD as SGD
from .formulas.optimizers import Adam as Adam
from .history import History as History
from .network import Network as Network
from .reference import ReferenceNetwork as ReferenceNetwork
from .report import CheckReport as CheckReport
from .results import Evaluation as Evaluation
from .results import Forward as Forward
from .results import Gradients as Gradients
from .version import __version__ as __version__

load = Network.load

__all__ = [
    "SGD",
    "Adam",
    "BaseNetwork",
    "CheckReport",
    "DataFileError",
    "DivergenceError",
    "Evaluation",
    "Forward",
    "Gradients",
    "History",
    "ModelFileError",
    "Network",
    "ReferenceNetwork",
    "__version__",
    "check_equations",
    "cross_check",
    "datasets",
    "load",
    "plotting",
]


def __dir__() -> list[str]:
    return __all__
