"""What both engines share: the interface, and everything around the computing itself."""

import os
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from copy import deepcopy
from dataclasses import replace
from typing import Any, ClassVar, Literal, Never, Self, overload

import numpy as np

from ..border import arrays as arguments
from ..border import defaults, labels, options
from ..border.columns import Columns, is_frame
from ..border.spec import DTYPES, Formula
from ..border.spec import NetworkSpec as NetworkSpec
from ..errors import warn
from ..formulas import Array
from ..formulas.activations import Activation, HiddenName, OutputName
from ..formulas.costs import Cost, CostName
from ..formulas.initializers import INITIALIZERS, InitializerName
from ..formulas.optimizers import Optimizer, OptimizerName
from ..formulas.penalties import penalty
from ..training import doubts
from ..training.history import History as History
from ..training.loop import Callback, Data, Plan, Session, Task, Trained
from ..training.streams import WEIGHTS, stream
from . import model_file
from .model_file import Saved
from .results import Evaluation, Forward, Gradients
from .summary import Summary, summary
from .trainer import Trainer

Verbose = Literal["auto", 0, 1, 2]

ENGINES: dict[str, type["BaseNetwork"]] = {}


class BaseNetwork(ABC):
    """A fully connected network; subclasses are engines, which fill in the hooks.

    In every list, place 0 belongs to the first computed layer: `weights[i]` (n_out, n_in) leads
    from `activations[i]` to `zs[i]` and `activations[i + 1]`.
    """

    _engine: ClassVar[str] = ""

    def __init_subclass__(cls, engine: str | None = None, **kwargs: Any) -> None:
        """Register an engine, so that engines can be exchanged without knowing each other."""
        super().__init_subclass__(**kwargs)
        if engine is not None:
            ENGINES[engine] = cls
            cls._engine = engine

    def __init__(
        self,
        sizes: Sequence[int],
        *more: Never,
        activation: HiddenName | Activation | Sequence[HiddenName | Activation] = "sigmoid",
        output: OutputName | Activation | None = None,
        cost: CostName | Cost = "quadratic",
        initializer: InitializerName | None = None,
        l1: float = 0.0,
        l2: float = 0.0,
        dropout: float = 0.0,
        dtype: object = "float32",
        seed: int | None = None,
        threads: int | Literal["auto"] = "auto",
    ) -> None:
        """Make a network with random parameters.

        Parameters
        ----------
        sizes
            neurons per layer, inputs first: ``[784, 30, 10]``
        *more
            nothing: all that follows goes by name
        activation
            of the hidden layers, or one per hidden layer: "sigmoid", "tanh", "relu", "identity", "leaky_relu", "elu",
            "gelu", "gelu_tanh", "silu", "softplus", "mish", a row with parameters, ``fastbp.activations.elu(0.5)``, or
            one of your own, ``fastbp.Activation(name, function)``
        output
            activation of the output layer ("softmax" only here). None: what suits the cost. "softmax" for
            cross_entropy; "sigmoid" for binary_cross_entropy; for quadratic "sigmoid" behind sigmoids, as in the book,
            else "identity". A cross_entropy of one output is the binary one with "sigmoid", and so is that of a y
            that says several labels at once, if the network's first `fit` is given it
        cost
            "quadratic" ½|a - y|², "binary_cross_entropy", "cross_entropy", or ``fastbp.Cost(name, function)``
        initializer
            "scaled_normal" (the book's default), "normal", "glorot_uniform" or "he_normal". None: of each hidden layer
            what suits its activation, "scaled_normal" for sigmoid, else "glorot_uniform"; of the output layer the same
            as of the last hidden one
        l1, l2
            strength of the penalties l1 Σ|w| and l2/2 Σw² in C
        dropout
            probability that `fit` drops a hidden neuron
        dtype
            "float32" or "float64"
        seed
            makes all that follows reproducible; None draws one and keeps it in ``spec.seed``
        threads
            "auto" or a number; never changes a result

        """
        if more:
            if isinstance(sizes, int):
                raise TypeError(f"sizes go into one list: {type(self).__name__}({[sizes, *more]})")
            raise TypeError(f"all but sizes goes by name; write activation={more[0]!r}, if that is what is meant")
        spec = NetworkSpec.from_arguments(sizes, activation, output, cost, initializer, l1, l2, dropout, dtype, seed)
        self._setup(spec, threads, 0)
        options.doubt_threads(self.threads)
        self._output_is_open = output is None
        self._set_parameters(*_initial_parameters(spec))

    def _setup(self, spec: NetworkSpec, threads: int | str, epochs_trained: int) -> None:
        self.spec = spec
        self.threads = options.checked_threads(threads)
        self.epochs_trained = epochs_trained
        self.notes: dict[str, Any] = {}  # anything JSON can hold; kept in the file, means nothing to the network
        self.columns: Columns | None = None  # of the data frame, if `fit` was given one: others are matched by name
        self._classes: Array | None = None
        self._output_is_open = False  # chosen by default, so that the first y may still change it
        self._fitting = False
        self._allocate()

    @property
    def sizes(self) -> list[int]:
        """Neurons per layer, inputs first."""
        return list(self.spec.sizes)

    @property
    def num_layers(self) -> int:
        """Number of layers, inputs included."""
        return len(self.spec.sizes)

    @property
    def dtype(self) -> np.dtype[Any]:
        """float32 or float64."""
        return DTYPES[self.spec.dtype]

    @property
    def weights(self) -> list[Array]:
        """Snapshots (n_out, n_in); assign a list to set all of them."""
        return _frozen(self._get_parameters()[0])

    @weights.setter
    def weights(self, arrays: Sequence[object]) -> None:
        shapes = list(zip(self.spec.sizes[1:], self.spec.sizes, strict=False))
        checked = arguments.parameters("weights", arrays, shapes, self.dtype)
        self._set_parameters(checked, self._get_parameters()[1])

    @property
    def biases(self) -> list[Array]:
        """Snapshots (n_out,); assign a list to set all of them."""
        return _frozen(self._get_parameters()[1])

    @biases.setter
    def biases(self, arrays: Sequence[object]) -> None:
        shapes = [(n,) for n in self.spec.sizes[1:]]
        checked = arguments.parameters("biases", arrays, shapes, self.dtype)
        self._set_parameters(self._get_parameters()[0], checked)

    @property
    def classes(self) -> Array | None:
        """The labels (K,) that the outputs stand for: strings, bools or integers; of one output, two.

        None until `fit` is given labels. Assign a list to name them in another order than the sorted one, or where
        some do not occur in y; assign None to forget them.
        """
        return None if self._classes is None else self._classes.copy()

    @classes.setter
    def classes(self, value: object) -> None:
        if value is not None and self.sizes[-1] == 1 and not self.spec.activation_rows[-1].is_probability:
            raise ValueError(f"the one output ({self.spec.activations[-1]}) is a quantity, which has no classes")
        self._classes = labels.checked_classes(value, self.spec.sizes[-1])

    def predict(self, x: object, out: Array | None = None) -> Array:
        """Return the output activations: (m, n_0) → (m, n_L), (n_0,) → (n_L,)."""
        batch, single = arguments.sample_or_samples(self._inputs(x), self.spec.sizes[0], self.dtype)
        shape = (self.spec.sizes[-1],) if single else (len(batch), self.spec.sizes[-1])
        if out is None:
            out = np.empty(shape, self.dtype)
        elif np.may_share_memory(batch, arguments.output_array(out, shape, self.dtype)):
            batch = batch.copy()
        self._predict(batch, out.reshape(len(batch), -1))
        return out

    def predict_labels(self, x: object) -> Array:
        """Return the label of the largest output for each sample, of one output which side of ½ it is on: (m,).

        Labels are those that `fit` was given, see `classes`; without any they are 0..K-1.
        """
        output = self.spec.activation_rows[-1]
        if self._classes is None and not output.is_probability:
            raise ValueError(f"the outputs ({output.name}) are quantities, which have no labels: write predict(x)")
        if self._classes is None and not output.over_rows and self.sizes[-1] > 1 and self.epochs_trained:
            raise ValueError(
                "the network was trained on several labels at once, not on one a sample: write predict(x) > 0.5, or "
                "name net.classes if only one can apply"
            )
        a = self.predict(x)
        a = a[None, :] if a.ndim == 1 else a
        places = (a[:, 0] > 0.5).astype(np.int64) if a.shape[1] == 1 else np.argmax(a, axis=1)
        found: Array = self._known_classes()[places]
        return found

    def forward(self, x: object) -> Forward:
        """Return every z and a for x (m, n_0)."""
        return self._forward(arguments.features("x", self._inputs(x), self.spec.sizes[0], self.dtype))

    def backprop(self, x: object, y: object) -> Gradients:
        """Return C over this batch with its penalties, its gradients, and the deltas."""
        return self._backprop(*self._checked(x, y))

    def evaluate(self, x: object, y: object) -> Evaluation:
        """Return C with its penalties and, where right and wrong have a meaning, the accuracy."""
        return self._score(*self._checked(x, y))

    @overload
    def fit(
        self,
        x: object,
        y: object,
        epochs: int | None = None,
        batch_size: int = ...,
        optimizer: Optimizer | OptimizerName | None = None,
        validation_data: None = None,
        shuffle: bool = True,
        callbacks: Iterable[Callback] = (),
        sample_weight: object = None,
        class_weight: object = None,
        clip_norm: float | None = None,
        verbose: Verbose = "auto",
    ) -> History[None]: ...

    @overload
    def fit(
        self,
        x: object,
        y: object,
        epochs: int | None = None,
        batch_size: int = ...,
        optimizer: Optimizer | OptimizerName | None = None,
        validation_data: tuple[object, object] = ...,
        shuffle: bool = True,
        callbacks: Iterable[Callback] = (),
        sample_weight: object = None,
        class_weight: object = None,
        clip_norm: float | None = None,
        verbose: Verbose = "auto",
    ) -> History[float]: ...

    def fit(
        self,
        x: object,
        y: object,
        epochs: int | None = None,
        batch_size: int = defaults.BATCH_SIZE,
        optimizer: Optimizer | OptimizerName | None = None,
        validation_data: tuple[object, object] | None = None,
        shuffle: bool = True,
        callbacks: Iterable[Callback] = (),
        sample_weight: object = None,
        class_weight: object = None,
        clip_norm: float | None = None,
        verbose: Verbose = "auto",
    ) -> History[Any]:
        """Train on mini-batches; the last one of an epoch may be short and is trained on too.

        Parameters
        ----------
        x, y
            samples (m, n_0), or a data frame, whose columns are found by name from then on; labels (m,) of any kind,
            or targets (m, n_L)
        epochs
            sweeps over the data. None: 30, or as many as show the network 10 000 samples
        batch_size
            samples per step
        optimizer
            ``fastbp.Adam(1e-3)`` if None or "adam"; SGD, AdamW, RMSprop, or a rule of your own, see
            ``fastbp.formulas.optimizers``. The learning rate is a number, or a function of the time in epochs, see
            ``fastbp.schedules``. The book's is ``fastbp.SGD(3.0)``, for sigmoids and quadratic
        validation_data
            (x, y) to be evaluated after each epoch
        shuffle
            a new order each epoch, from the network's seed
        callbacks
            each called as ``callback(net, history)`` after each epoch; a true result stops
        sample_weight, class_weight
            weights (m,); a dict from label to weight or "balanced"
        clip_norm
            the longest that the gradient of a mini-batch over all parameters, √(Σ (∂C/∂w)² + Σ (∂C/∂b)²), may be: a
            longer one is scaled down to it. None: as it is
        verbose
            "auto" a bar if stderr is a terminal, 0 nothing, 1 a bar, 2 a line per epoch

        Raises
        ------
        DivergenceError
            when cost or parameters stop being finite; the parameters are put back to the end of the last good epoch

        Warns
        -----
        UserWarning
            where what was asked for, or its outcome, is likely not what was meant: sigmoids with cross_entropy for
            labels, integers taken for quantities, inputs or targets far from 1, no weight moved, not one right answer;
            columns of a data frame that are ignored or taken in order, categories that are unknown

        """
        known, trained = (self.spec, self._classes, self.columns), self.epochs_trained
        try:
            data = self._data(x, y, sample_weight, class_weight)
            plan = Plan(
                options.checked_optimizer(optimizer),
                min(options.integer("batch_size", batch_size, low=1), len(data.x)),
                options.checked_clip(clip_norm),
                defaults.epochs(len(data.x)) if epochs is None else options.integer("epochs", epochs, low=1),
            )
            accurate = arguments.has_accuracy(data.y, self.spec.activation_rows[-1])
            task = Task(
                data,
                plan,
                options.truth("shuffle", shuffle),
                measure_accuracy=accurate,
                measure_rmse=self.spec.cost_row.half_square and not accurate and data.y.shape[1:] == (1,),
                validation=self._checked_validation(validation_data),
                callbacks=options.checked_callbacks(callbacks),
                verbose=options.checked_verbose(verbose),
            )
            doubts.say_before(self.spec, task)
            history, moved = self._train(task)
        except Exception:
            if self.epochs_trained == trained:  # a call that is refused, or diverges at once, teaches nothing
                self._set_spec(known[0])
                self._classes, self.columns = known[1:]
            raise
        doubts.say_after(self.spec, history, task, self._penalty(), moved=moved)
        return history

    def _data(self, x: object, y: object, sample_weight: object, class_weight: object) -> Data:
        """Return the checked samples of `fit`."""
        x, y = self._checked(x, y, learning=True)
        arguments.check_reachable("y", y, self.spec.activation_rows[-1])
        weights = arguments.sample_weights(sample_weight, len(x), self.dtype)
        return Data(x, y, arguments.class_weights(class_weight, y, self._known_classes(), weights, self.dtype))

    def save(self, path: str | os.PathLike[str], notes: Mapping[str, object] | None = None) -> None:
        """Write architecture, parameters, classes and notes to a safetensors file, all of it or nothing.

        `notes` takes the place of `net.notes` in the file: anything JSON can hold; it means nothing to the network.
        """
        kept = dict(self.notes if notes is None else notes)
        model_file.write(
            path, Saved(self.spec, *self._get_parameters(), self.epochs_trained, kept, self.columns, self._classes)
        )

    @classmethod
    def load(cls, path: str | os.PathLike[str], formulas: Iterable[Formula] = ()) -> Self:
        """Read what `save` wrote; a damaged file raises ModelFileError.

        `formulas` are activations and costs of one's own, which a file only names.
        """
        saved = model_file.read(path, tuple(formulas))
        net = cls._assemble(saved.spec, saved.weights, saved.biases, epochs_trained=saved.epochs_trained)
        net.notes, net.columns, net._classes = saved.notes, saved.columns, saved.classes
        return net

    def to_reference(self) -> "BaseNetwork":
        """Return a ReferenceNetwork with the same parameters."""
        return self._twin(ENGINES["reference"])

    def to_fast(self) -> "BaseNetwork":
        """Return a Network with the same parameters."""
        return self._twin(ENGINES["fast"])

    def __reduce__(self) -> tuple[Any, ...]:
        """Let a network be copied, and sent to other processes: by its parts, without workspaces."""
        weights, biases = self._get_parameters()
        parts = (self.spec, weights, biases, self.threads, self.epochs_trained)
        return self._assemble, parts, self._besides()

    def __repr__(self) -> str:
        """Name what the network is."""
        spec = self.spec
        return (
            f"{type(self).__name__}({list(spec.sizes)}, activations={list(spec.activations)}, "
            f"cost={spec.cost!r}, dtype={spec.dtype!r}, seed={spec.seed})"
        )

    def summary(self) -> Summary:
        """Return a table of layers and settings; print it to read it."""
        return summary(self)

    def _repr_html_(self) -> str:
        return self.summary()._repr_html_()

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Take what a copy has besides its parts."""
        vars(self).update(state)

    # Behind the border: data has been checked.

    def _besides(self) -> dict[str, Any]:
        """Return what a copy keeps, whatever its engine."""
        classes = None if self._classes is None else self._classes.copy()
        return {
            "notes": deepcopy(self.notes),
            "columns": self.columns,
            "_classes": classes,
            "_output_is_open": self._output_is_open,
        }

    @classmethod
    def _assemble(
        cls,
        spec: NetworkSpec,
        weights: Sequence[Array],
        biases: Sequence[Array],
        threads: int | str = "auto",
        epochs_trained: int = 0,
    ) -> Self:
        """Make a network of this engine from its parts."""
        net = cls.__new__(cls)
        net._setup(spec, threads, epochs_trained)
        dtype = net.dtype
        net._set_parameters([w.astype(dtype) for w in weights], [b.astype(dtype) for b in biases])
        return net

    def _twin(self, engine: type["BaseNetwork"], dtype: str | None = None) -> "BaseNetwork":
        """Return a copy, in another engine or dtype if wanted."""
        spec = replace(self.spec, dtype=dtype or self.spec.dtype)
        weights, biases = self._get_parameters()
        twin = engine._assemble(spec, weights, biases, self.threads, self.epochs_trained)
        twin.__setstate__(self._besides())
        return twin

    def _train(self, task: Task) -> Trained:
        if self._fitting:
            raise RuntimeError("this network is being trained already; train a copy instead")
        self._fitting = True
        try:
            return Trainer(self, task.plan.optimizer, task.plan.clip_norm).fit(task)
        finally:
            self._fitting = False

    def _checked(self, x: object, y: object, prefix: str = "", *, learning: bool = False) -> tuple[Array, Array]:
        """Return x and y as engines take them; `learning`: what y shows of classes and outputs is kept."""
        arguments.doubt_order(x, y)
        checked = arguments.features(f"{prefix}x", self._inputs(x, learning), self.spec.sizes[0], self.dtype)
        return checked, self._answers(f"{prefix}y", y, len(checked), learning)

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
        return self._checked(x, y, prefix="validation ")

    def _penalty(self) -> float:
        spec = self.spec
        if not (spec.l1 or spec.l2):
            return 0.0
        return penalty(self._get_parameters()[0], spec.l1, spec.l2)

    def _score(self, x: Array, y: Array) -> Evaluation:
        cost, correct = self._evaluate(x, y)
        known = arguments.has_accuracy(y, self.spec.activation_rows[-1])
        return Evaluation(cost / len(x) + self._penalty(), correct / len(x) if known else None)

    def _faulty_layer(self, x: Array) -> int:
        """Return the first layer whose parameters or else z are not finite, or else the last."""
        x.flags.writeable = False
        parameters = zip(*self._get_parameters(), strict=True)
        finite = [bool(np.isfinite(w).all() and np.isfinite(b).all()) for w, b in parameters]
        if all(finite):
            finite = [bool(np.isfinite(z).all()) for z in self._forward(x).zs]
        return finite.index(False) if False in finite else len(finite) - 1

    # The hooks of an engine. x is (m, n_0), y labels (m,) of int64 or (m, n_L); all arrays are
    # C-contiguous, aligned, read-only and of the network's dtype.

    @abstractmethod
    def _allocate(self) -> None:
        """Prepare for `self.spec`; `_set_parameters` follows."""

    @abstractmethod
    def _get_parameters(self) -> tuple[list[Array], list[Array]]:
        """Return fresh copies of weights and biases."""

    @abstractmethod
    def _set_parameters(self, weights: Sequence[Array], biases: Sequence[Array]) -> None:
        """Copy weights and biases in, in the middle of a run too."""

    @abstractmethod
    def _predict(self, x: Array, out: Array) -> None:
        """Write the output activations to out (m, n_L)."""

    @abstractmethod
    def _forward(self, x: Array) -> Forward:
        """Return fresh arrays of every z and a."""

    @abstractmethod
    def _backprop(self, x: Array, y: Array) -> Gradients:
        """Return C and its gradients, penalties included, and the deltas; without dropout."""

    def _needs_compiling(self) -> bool:
        """Whether the first call of `_session` takes seconds."""
        return False

    @abstractmethod
    def _evaluate(self, x: Array, y: Array) -> tuple[float, int]:
        """Return Σ C_x without penalty, and the number of right answers.

        An answer is right where the largest output is the label's; for one output, where it is
        above ½ just as the target is.
        """

    @abstractmethod
    def _new_state(self, optimizer: Optimizer) -> Any:
        """Return what an optimizer remembers, before the first step."""

    @abstractmethod
    def _gradient_size(self) -> int:
        """Numbers in the flat array that the first half of a step leaves."""

    @abstractmethod
    def _session(self, data: Data, plan: Plan, state: Any = None, halves: bool = False) -> Session:
        """Begin a run, or go on with one that has left this state; `halves`: for one half of a step at a time."""


def _initial_parameters(spec: NetworkSpec) -> tuple[list[Array], list[Array]]:
    rng = stream(spec.seed, WEIGHTS)
    layers = zip(spec.initializers, spec.sizes, spec.sizes[1:], strict=False)
    pairs = [INITIALIZERS[name](rng, n, k) for name, n, k in layers]
    dtype = DTYPES[spec.dtype]
    return [w.astype(dtype) for w, _ in pairs], [b.astype(dtype) for _, b in pairs]


def _frozen(arrays: list[Array]) -> list[Array]:
    for array in arrays:
        array.flags.writeable = False
    return arrays
