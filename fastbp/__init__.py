"""Back-propagation for fully connected networks, fast and open to inspection."""

from . import datasets as datasets
from . import export as export
from . import plotting as plotting
from .checking.cross import cross_check as cross_check
from .checking.equations import check_equations as check_equations
from .checking.report import CheckReport as CheckReport
from .checking.report import EquationReport as EquationReport
from .errors import DataFileError as DataFileError
from .errors import DivergenceError as DivergenceError
from .errors import ModelFileError as ModelFileError
from .formulas import activations as activations
from .formulas import costs as costs
from .formulas import schedules as schedules
from .formulas.activations import Activation as Activation
from .formulas.costs import Cost as Cost
from .formulas.looks import LayerLook as LayerLook
from .formulas.optimizers import SGD as SGD
from .formulas.optimizers import Adadelta as Adadelta
from .formulas.optimizers import Adagrad as Adagrad
from .formulas.optimizers import Adam as Adam
from .formulas.optimizers import AdamW as AdamW
from .formulas.optimizers import Lion as Lion
from .formulas.optimizers import Nadam as Nadam
from .formulas.optimizers import RMSprop as RMSprop
from .formulas.optimizers import Rprop as Rprop
from .formulas.second_order import LBFGS as LBFGS
from .formulas.second_order import LevenbergMarquardt as LevenbergMarquardt
from .insight.diagnosis import Diagnosis as Diagnosis
from .insight.diagnosis import diagnose as diagnose
from .insight.norms import gradient_norms as gradient_norms
from .insight.samples import HardestSamples as HardestSamples
from .insight.samples import hardest_samples as hardest_samples
from .insight.watch import Diagnostics as Diagnostics
from .networks.base import BaseNetwork as BaseNetwork
from .networks.checkpoint import Checkpoint as Checkpoint
from .networks.fast import Network as Network
from .networks.reference import ReferenceNetwork as ReferenceNetwork
from .networks.results import Evaluation as Evaluation
from .networks.results import Forward as Forward
from .networks.results import Gradients as Gradients
from .networks.results import SampleGradients as SampleGradients
from .networks.resume import resume as resume
from .networks.trainer import Trainer as Trainer
from .training.callbacks import Callback as Callback
from .training.callbacks import CSVLogger as CSVLogger
from .training.callbacks import EarlyStopping as EarlyStopping
from .training.callbacks import MaxSeconds as MaxSeconds
from .training.callbacks import ReduceOnPlateau as ReduceOnPlateau
from .training.history import History as History
from .version import __version__ as __version__

load = Network.load

__all__ = [
    "LBFGS",
    "SGD",
    "Activation",
    "Adadelta",
    "Adagrad",
    "Adam",
    "AdamW",
    "BaseNetwork",
    "CSVLogger",
    "Callback",
    "CheckReport",
    "Checkpoint",
    "Cost",
    "DataFileError",
    "Diagnosis",
    "Diagnostics",
    "DivergenceError",
    "EarlyStopping",
    "EquationReport",
    "Evaluation",
    "Forward",
    "Gradients",
    "HardestSamples",
    "History",
    "LayerLook",
    "LevenbergMarquardt",
    "Lion",
    "MaxSeconds",
    "ModelFileError",
    "Nadam",
    "Network",
    "RMSprop",
    "ReduceOnPlateau",
    "ReferenceNetwork",
    "Rprop",
    "SampleGradients",
    "Trainer",
    "__version__",
    "activations",
    "check_equations",
    "costs",
    "cross_check",
    "datasets",
    "diagnose",
    "export",
    "gradient_norms",
    "hardest_samples",
    "load",
    "plotting",
    "resume",
    "schedules",
]


def __dir__() -> list[str]:
    return __all__
