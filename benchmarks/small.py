"""What the tests of the harness use: cases that take no time, and results that nobody measured."""

from fastbp import SGD, Adam

from .cases import Case
from .result import Result, Time

REGRESSION = Case("regression", [3, 5, 4, 2], "tanh", "identity", "quadratic", 4, Adam(0.01), samples=23)
SIGMOID = Case("sigmoid", [6, 5, 3], "sigmoid", "sigmoid", "quadratic", 3, SGD(0.5), samples=20, zeros=0.5)
LABELS = Case("labels", [6, 5, 3], "relu", "softmax", "cross_entropy", 5, SGD(0.1), samples=20)
ONE = SIGMOID._replace(name="one", batch_size=1, optimizer=None, samples=4)
SMALL = [REGRESSION, LABELS._replace(optimizer=Adam(0.01)), LABELS, SIGMOID, ONE]
RESULTS = [
    Result(SIGMOID, "float32", 1, {"fastbp": Time(2.0, 0.1), "jax": Time(5.0, 0.2), "numpy": Time(400.0, 9.6)}, 200.0),
    Result(LABELS, "float32", 1, {"fastbp": Time(20.0, 0.1), "numpy": Time(10.0, 0.2)}, 100.0),
]
