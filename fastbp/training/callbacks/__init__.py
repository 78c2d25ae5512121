"""What may happen after each epoch of a run, besides functions (net, history) of one's own."""

from .base import Callback as Callback
from .base import Measured as Measured
from .csv_logger import CSVLogger as CSVLogger
from .early_stopping import EarlyStopping as EarlyStopping
from .plateau import ReduceOnPlateau as ReduceOnPlateau
from .seconds import MaxSeconds as MaxSeconds

CALLBACKS: dict[str, type[Callback]] = {
    row.__name__: row for row in (EarlyStopping, ReduceOnPlateau, MaxSeconds, CSVLogger)
}  # those that a resumed run makes again by itself
