"""What a user gives to a network, made into what engines take: samples, labels of any kind, columns by name."""

from dataclasses import replace

import numpy as np

from ..border import arrays as arguments
from ..border import labels, options
from ..border.columns import Columns, is_frame
from ..border.sparse import AT_A_TIME, SparseRows, is_sparse
from ..border.sparse import dense as as_dense
from ..border.spec import NetworkSpec
from ..errors import warn
from ..formulas import Array
from ..training.loop import Data
from .engine import Engine


class Intake(Engine):
    """Checks data once; `fit` lets it learn what y and the columns show."""

    epochs_trained: int
    columns: Columns | None  # of the data frame, if `fit` was given one: others are matched by name
    _classes: Array | None
    _output_is_open: bool  # chosen by default, so that the first y may still change it

    def _data(self, x: object, y: object, sample_weight: object, class_weight: object) -> Data:
        """Return the checked samples of `fit`."""
        x, y = self._checked(x, y, learning=True, dense=False)
        arguments.check_reachable("y", y, self.spec.activation_rows[-1])
        weights = arguments.sample_weights(sample_weight, len(x), self.dtype)
        return Data(x, y, arguments.class_weights(class_weight, y, self._known_classes(), weights, self.dtype))

    def _checked(
        self, x: object, y: object, prefix: str = "", *, learning: bool = False, dense: bool = True
    ) -> tuple[Array, Array]:
        """Return x and y as engines take them; `learning`: what y shows of classes and outputs is kept.

        - dense: a sparse x is refused
        """
        arguments.doubt_order(x, y)
        given = self._inputs(x, learning)
        if dense and is_sparse(given):
            given = arguments.refuse_sparse(f"{prefix}x")
        checked = arguments.features(f"{prefix}x", given, self.spec.sizes[0], self.dtype, self._converts)
        return checked, self._answers(f"{prefix}y", y, len(checked), learning)

    def _outputs(self, x: Array) -> Array:
        """Return the outputs (m, n_L) for checked samples, sparse ones a few at a time."""
        found = np.empty((len(x), self.spec.sizes[-1]), self.dtype)
        step = AT_A_TIME if isinstance(x, SparseRows) else len(x)
        for start in range(0, len(x), step):
            self._predict(as_dense(x[start : start + step]), found[start : start + step])
        return found

    def _inputs(self, x: object, learning: bool = False) -> object:
        """Return the numbers of a data frame, found by the columns' names; anything else as it is."""
        if not is_frame(x):
            if self.columns is not None and hasattr(x, "to_frame"):
                raise TypeError("x is a row of a data frame, taken out of it; keep it one: frame.iloc[[i]]")
            return x
        columns = Columns.learn(x) if self.columns is None else self.columns
        if not isinstance(columns, Columns):
            raise TypeError(f"net.columns is {columns!r:.80}; fit sets it from a data frame, None forgets it")
        if self.columns is None and not learning:
            if any(column.width > 1 for column in columns.columns):
                raise ValueError("the network was trained without names of columns, so it knows no categories")
            warn(f"the network was trained without names: the columns are taken in the order {columns.described}")
        if columns.width != self.spec.sizes[0]:
            raise ValueError(
                f"the table's columns make {columns.width} inputs ({columns.described}), the network takes "
                f"{self.spec.sizes[0]}; make it Network([{columns.width}, ...])"
            )
        if learning:
            self.columns = columns
        encoded = columns.encode(x)
        for note in encoded.notes:
            warn(note)
        return encoded.x

    def _answers(self, name: str, y: object, m: int, learning: bool) -> Array:
        spec = self.spec
        if is_frame(y):
            y = arguments.target_columns(y)
        y = arguments.read_once(name, y)
        given = labels.as_labels(name, y, spec.sizes[-1])
        if given is not None:
            arguments.check_length(name, given, m)
        if given is not None and labels.are_meant(name, given, spec, self._classes):
            classes = labels.learn(name, given, spec.sizes[-1]) if self._classes is None else self._classes
            y = labels.encode(name, given, classes)
            if learning:
                self._classes = classes
        elif learning and self._output_is_open and not self.epochs_trained:
            self._settle_output(y)
        found = arguments.targets(name, y, m, spec.sizes[-1], self.spec.cost_row, self.dtype)
        if learning and given is None and found.ndim == 1 and self._classes is None:
            self._classes = np.arange(spec.sizes[-1])  # of one-hot rows
        return found

    def _settle_output(self, y: object) -> None:
        """Take sigmoids instead of a softmax, chosen by default, where y says several labels at once."""
        if self.spec.activation_rows[-1].over_rows and arguments.says_several(y):
            activations = (*self.spec.activations[:-1], "sigmoid")
            self._set_spec(replace(self.spec, activations=activations, cost="binary_cross_entropy"))

    def _set_spec(self, spec: NetworkSpec) -> None:
        """Be another network with the same parameters."""
        if spec != self.spec:
            parameters = self._get_parameters()
            self.spec = spec
            self._allocate()
            self._set_parameters(*parameters)

    def _named(self, y: Array) -> Array:
        """Return checked y as the public methods take it: places among the classes as labels."""
        classes = self._classes
        if classes is not None and y.ndim == 2 and self.sizes[-1] == 1 and np.all((y == 0) | (y == 1)):
            y = y[:, 0].astype(np.int64)
        return y if classes is None or y.ndim == 2 else classes[y]

    def _known_classes(self) -> Array:
        """Return the classes, which are 0..K-1 where none have been named."""
        return np.arange(labels.count_of(self.spec.sizes[-1])) if self._classes is None else self._classes

    def _checked_validation(self, data: object) -> tuple[Array, Array] | None:
        if data is None:
            return None
        x, y = options.checked_pair("validation_data", data)
        return self._checked(x, y, prefix="validation ", dense=False)
