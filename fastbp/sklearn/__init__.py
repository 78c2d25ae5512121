"""scikit-learn's networks, many times faster: ``from fastbp.sklearn import MLPClassifier, MLPRegressor``.

The classes are scikit-learn's own but for the training, which runs in the kernels: the same parameters, attributes,
errors, and to rounding the same numbers from the same `random_state`. `Classifier` and `Regressor` have the same
methods and other defaults: they scale what they are given, take tables with categories, and stop by themselves.
"""

from .mlp import MLPClassifier as MLPClassifier
from .mlp import MLPRegressor as MLPRegressor
from .scaled import Classifier as Classifier
from .scaled import Regressor as Regressor
