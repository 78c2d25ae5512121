"""What both engines share: the interface, and everything around the computing itself."""

import os
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any, ClassVar, NamedTuple, Self

import numpy as np

from . import arguments, options, storage
from .columns import Columns
from .errors import ModelFileError
from .formulas import Array
from .formulas.activations import Activation
from .formulas.costs import Cost
from .formulas.initializers import INITIALIZERS
from .formulas.optimizers import SGD, Adam
from .formulas.penalties import penalty
from .history import History as History
from .spec import DTYPES
from .spec import NetworkSpec as NetworkSpec
from .streams import WEIGHTS, stream
from .summary import Summary, summary
from .training import Callback, Session, Task, train

ENGINES: dict[str, type["BaseNetwork"]] = {}


class Forward(NamedTuple):
    """Every z and a of a forward pass; `activations[0]` is x."""

    zs: list[Array]  # (m, n_l) per computed layer
    activations: list[Array]  # (m, n_l) per layer, x first


class Gradients(NamedTuple):
    """C of a batch with its penalties, its gradients, and δ of each sample (not divided by m)."""

    cost: float
    nabla_w: list[Array]  # (n_out, n_in) per computed layer
    nabla_b: list[Array]  # (n_out,) per computed layer
    deltas: list[Array]  # (m, n_out) per computed layer: ∂C_x/∂z


class Evaluation(NamedTuple):
    """C with its penalties, and the share of right answers (None where it has no meaning)."""

    cost: float
    accuracy: float | None


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
        *,
        activation: str | Activation | Sequence[str | Activation] = "sigmoid",
        output: str | Activation = "sigmoid",
        cost: str | Cost = "quadratic",
        initializer: str = "scaled_normal",
        l1: float = 0.0,
        l2: float = 0.0,
        dropout: float = 0.0,
        dtype: object = "float32",
        seed: int | None = None,
        threads: int | str = "auto",
    ) -> None:
        """Make a network with random parameters.

        Parameters
        ----------
        sizes
            neurons per layer, inputs first: ``[784, 30, 10]``
        activation
            of the hidden layers: a name, or one per hidden layer
        output
            activation of the output layer ("softmax" only here)
        cost
            "quadratic" ½|a - y|², "binary_cross_entropy" or "cross_entropy"
        initializer
            "scaled_normal" (the book's default), "normal", "glorot_uniform" or "he_normal"
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
        spec = NetworkSpec.from_arguments(
            sizes, activation, output, cost, initializer, l1, l2, dropout, dtype, seed
        )
        self._setup(spec, threads, 0)
        self._set_parameters(*_initial_parameters(spec))

    def _setup(self, spec: NetworkSpec, threads: int | str, epochs_trained: int) -> None:
        self.spec = spec
        self.threads = options.checked_threads(threads)
        self.epochs_trained = epochs_trained
        self.classes: Any = None
        self.notes: dict[str, Any] = {}
        self.columns: Any = None
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

    def predict(self, x: object, out: Array | None = None) -> Array:
        """Return the output activations: (m, n_0) → (m, n_L), (n_0,) → (n_L,)."""
        batch, single = arguments.sample_or_samples(x, self.spec.sizes[0], self.dtype)
        shape = (self.spec.sizes[-1],) if single else (len(batch), self.spec.sizes[-1])
        if out is None:
            out = np.empty(shape, self.dtype)
        elif np.may_share_memory(batch, arguments.output_array(out, shape, self.dtype)):
            batch = batch.copy()
        self._predict(batch, out.reshape(len(batch), -1))
        return out

    def forward(self, x: object) -> Forward:
        """Return every z and a for x (m, n_0)."""
        return self._forward(arguments.features("x", x, self.spec.sizes[0], self.dtype))

    def backprop(self, x: object, y: object) -> Gradients:
        """Return C over this batch with its penalties, its gradients, and the deltas."""
        return self._backprop(*self._checked(x, y))

    def evaluate(self, x: object, y: object) -> Evaluation:
        """Return C with its penalties and, where right and wrong have a meaning, the accuracy."""
        return self._score(*self._checked(x, y))

    def fit(
        self,
        x: object,
        y: object,
        epochs: int = 30,
        batch_size: int = 10,
        optimizer: SGD | Adam | None = None,
        validation_data: tuple[object, object] | None = None,
        shuffle: bool = True,
        callbacks: Iterable[Callback] = (),
        sample_weight: object = None,
        class_weight: object = None,
        verbose: int | str = "auto",
    ) -> History:
        """Train on mini-batches; the last one of an epoch may be short and is trained on too.

        Parameters
        ----------
        x, y
            samples (m, n_0); labels (m,) or targets (m, n_L)
        epochs, batch_size
            sweeps over the data, samples per step
        optimizer
            ``fastbp.SGD(learning_rate=3.0)`` if None, which suits sigmoid and quadratic
        validation_data
            (x, y) to be evaluated after each epoch
        shuffle
            a new order each epoch, from the network's seed
        callbacks
            each called as ``callback(net, history)`` after each epoch; a true result stops
        sample_weight, class_weight
            weights (m,); a dict from label to weight or "balanced"
        verbose
            "auto" a bar if stderr is a terminal, 0 nothing, 1 a bar, 2 a line per epoch

        Raises
        ------
        DivergenceError
            when cost or parameters stop being finite; the last finite parameters stay in place

        """
        x, y = self._checked(x, y)
        batch_size = options.integer("batch_size", batch_size, low=1)
        optimizer = options.checked_optimizer(optimizer)
        weights = arguments.sample_weights(sample_weight, len(x), self.dtype)
        weights = arguments.class_weights(class_weight, y, self.spec.sizes[-1], weights, self.dtype)
        task = Task(
            x,
            min(batch_size, len(x)),
            options.integer("epochs", epochs, low=1),
            bool(shuffle),
            arguments.has_accuracy(y, self.spec.activations[-1]),
            self._checked_validation(validation_data),
            optimizer.learning_rate,
            options.checked_callbacks(callbacks),
            options.checked_verbose(verbose),
        )
        if self._fitting:
            raise RuntimeError("this network is being trained already; train a copy instead")
        self._fitting = True
        try:
            session = self._session(x, y, weights, optimizer, task.batch_size, task.epochs)
            return train(self, session, task)
        finally:
            self._fitting = False

    def save(
        self, path: str | os.PathLike[str], notes: Mapping[str, object] | None = None
    ) -> None:
        """Write architecture and parameters to a safetensors file, all of it or nothing.

        `notes` is anything JSON can hold; it is kept in the file and means nothing to the network.
        """
        weights, biases = self._get_parameters()
        arrays = {f"weights.{i}": w for i, w in enumerate(weights)}
        arrays |= {f"biases.{i}": b for i, b in enumerate(biases)}
        metadata = {"format": "fastbp", "version": 1, **asdict(self.spec)}
        metadata |= {"epochs_trained": self.epochs_trained, "notes": self.notes | dict(notes or {})}
        metadata["classes"] = None if self.classes is None else self.classes.tolist()
        metadata["columns"] = None if self.columns is None else self.columns.to_json()
        storage.write(path, arrays, metadata)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """Read what `save` wrote; a damaged file raises ModelFileError."""
        arrays, metadata = storage.read(path)
        storage.check_model(arrays, metadata)
        fields: dict[str, Any] = dict(metadata)
        del fields["format"], fields["version"]
        notes, classes, columns = (fields.pop(name, None) for name in ("notes", "classes", "columns"))
        try:
            epochs_trained = options.integer(
                "epochs_trained", fields.pop("epochs_trained", 0), low=0
            )
            spec = NetworkSpec(**fields)
        except (TypeError, ValueError) as error:
            raise ModelFileError(f"{os.fspath(path)}: {error}") from None
        layers = range(len(spec.sizes) - 1)
        weights = [arrays[f"weights.{i}"] for i in layers]
        biases = [arrays[f"biases.{i}"] for i in layers]
        net = cls._assemble(spec, weights, biases, epochs_trained=epochs_trained)
        net.notes = notes or {}
        net.classes = None if classes is None else np.array(classes)
        net.columns = None if columns is None else Columns.from_json(columns)
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
        return self._assemble, (self.spec, weights, biases, self.threads, self.epochs_trained)

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

    # Behind the border: data has been checked.

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
        return engine._assemble(spec, weights, biases, self.threads, self.epochs_trained)

    def _checked(self, x: object, y: object, prefix: str = "") -> tuple[Array, Array]:
        sizes, cost = self.spec.sizes, self.spec.cost
        checked = arguments.features(f"{prefix}x", x, sizes[0], self.dtype)
        return checked, arguments.targets(
            f"{prefix}y", y, len(checked), sizes[-1], cost, self.dtype
        )

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
        known = arguments.has_accuracy(y, self.spec.activations[-1])
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
        """Prepare for `self.spec`, once, before the first `_set_parameters`."""

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

    @abstractmethod
    def _evaluate(self, x: Array, y: Array) -> tuple[float, int]:
        """Return Σ C_x without penalty, and the number of right answers.

        An answer is right where the largest output is the label's; for one output, where it is
        above ½ just as the target is.
        """

    @abstractmethod
    def _session(
        self,
        x: Array,
        y: Array,
        sample_weight: Array | None,
        optimizer: SGD | Adam,
        batch_size: int,
        epochs: int = 1,
    ) -> Session:
        """Begin a run; optimizer state starts at zero. `epochs`: how often each sample is going to be seen."""


def _initial_parameters(spec: NetworkSpec) -> tuple[list[Array], list[Array]]:
    rng = stream(spec.seed, WEIGHTS)
    initialize = INITIALIZERS[spec.initializer]
    pairs = [initialize(rng, n, k) for n, k in zip(spec.sizes, spec.sizes[1:], strict=False)]
    dtype = DTYPES[spec.dtype]
    return [w.astype(dtype) for w, _ in pairs], [b.astype(dtype) for _, b in pairs]


def _frozen(arrays: list[Array]) -> list[Array]:
    for array in arrays:
        array.flags.writeable = False
    return arrays
