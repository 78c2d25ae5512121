"""What both engines share: the interface, and everything around the computing itself."""

import os
from collections.abc import Iterable, Mapping, Sequence
from copy import deepcopy
from dataclasses import replace
from typing import Any, ClassVar, Literal, Never, Self, overload

import numpy as np

from ..border import arrays as arguments
from ..border import defaults, labels, options
from ..border.columns import Columns
from ..border.sparse import dense
from ..border.spec import DTYPES, Formula
from ..border.spec import NetworkSpec as NetworkSpec
from ..errors import warn
from ..formulas import Array
from ..formulas.activations import Activation, HiddenName, OutputName
from ..formulas.constraints import begun, constrained
from ..formulas.costs import Cost, CostName
from ..formulas.initializers import SYMMETRIC, InitializerName, find_initializer
from ..formulas.optimizers import Optimizer, OptimizerName
from ..room import no_room
from ..training.history import History as History
from ..training.loop import AnyCallback
from ..training.metrics import MetricFunction
from ..training.streams import WEIGHTS, stream
from . import model_file
from .exclusive import Exclusive
from .fitting import Fitting, Settings
from .model_file import Saved
from .objective import Objective, flatten, unflatten
from .predicting import Predicting
from .results import Evaluation, Forward, Gradients, SampleGradients
from .summary import Summary, summary

Verbose = Literal["auto", 0, 1, 2]

ENGINES: dict[str, type["BaseNetwork"]] = {}


class BaseNetwork(Fitting, Predicting):
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
        initializer: InitializerName | tuple[Sequence[object], Sequence[object]] | None = None,
        l1: float = 0.0,
        l2: float = 0.0,
        dropout: float | Sequence[float] = 0.0,
        max_norm: float | None = None,
        nonnegative: bool = False,
        monotone: Sequence[int] | None = None,
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
            "selu", "gelu", "gelu_tanh", "silu", "softplus", "mish", "hard_sigmoid", "hard_tanh", "softsign",
            "log_sigmoid", "exp", a row with parameters, ``fastbp.activations.elu(0.5)``, or one of your own,
            ``fastbp.Activation(name, function)``
        output
            activation of the output layer ("softmax" only here, or ``fastbp.activations.softmax(temperature=2)``).
            None: what suits the cost. "softmax" for cross_entropy and focal; "sigmoid" for binary_cross_entropy and
            binary_focal; "exp" for poisson; for quadratic "sigmoid" behind sigmoids, as in the book, else "identity".
            A cross_entropy of one output is the binary one with "sigmoid", and so is that of a y that says several
            labels at once, if the network's first `fit` is given it
        cost
            "quadratic" ½|a - y|²; for quantities also "mean_absolute", "huber", "log_cosh", "quantile(q=0.9)",
            "poisson"; for labels "cross_entropy", "binary_cross_entropy", "focal", "binary_focal", "hinge"; with
            parameters as ``fastbp.costs.cross_entropy(label_smoothing=0.1)``; or ``fastbp.Cost(name, function)``
        initializer
            "scaled_normal" (the book's default), "normal", "glorot_", "he_" or "lecun_" "uniform" or "normal",
            "orthogonal", "torch_uniform", "zeros", "constant(value=0.1)"; or two lists of arrays, weights and biases.
            None: of each hidden layer what suits its activation, "scaled_normal" for sigmoid, "lecun_normal" for selu,
            else "glorot_uniform"; of the output layer the same as of the last hidden one
        l1, l2
            strength of the penalties l1 Σ|w| and l2/2 Σw² in C
        dropout
            probability that `fit` drops a hidden neuron, or a list: of an input, then of each hidden layer's neurons
        max_norm
            the longest that the weights into a neuron may be, √(Σ_k w_jk²): longer ones are scaled down after each
            update. None: any. 3 or 4 is usual beside dropout
        nonnegative
            whether all weights stay at least 0; biases are free
        monotone
            1, -1 or 0 for each input: whether the outputs never fall as it grows, never rise, or may do either. Weights
            from an input get its sign, those of later layers stay at least 0. Take tanh or sigmoid: of relu, which is
            convex, only convex functions of those inputs can be made
        dtype
            "float32" or "float64"
        seed
            makes all that follows reproducible; None draws one and keeps it in ``spec.seed``
        threads
            "auto", which finds out while it trains, or a number, which is left for one thread where that turns out far
            faster, as with more threads than free cores; never changes a result

        """
        if more:
            if isinstance(sizes, int):
                raise TypeError(f"sizes go into one list: {type(self).__name__}({[sizes, *more]})")
            raise TypeError(f"all but sizes goes by name; write activation={more[0]!r}, if that is what is meant")
        given = initializer if isinstance(initializer, (tuple, list)) else None
        name: Any = None if given else initializer
        if given is not None and len(given) != 2:
            raise ValueError(f"initializer must be a name, or (weights, biases), two lists of arrays; got {len(given)}")
        spec = NetworkSpec.from_arguments(
            sizes, activation, output, cost, name, dtype=dtype, seed=seed,
            l1=l1, l2=l2, dropout=dropout, max_norm=max_norm, nonnegative=nonnegative, monotone=monotone,
        )  # fmt: skip
        self._setup(spec, threads, 0)
        options.doubt_threads(self.threads)
        self._output_is_open = output is None
        self._set_parameters(*_initial_parameters(spec))
        if given is not None:
            self.weights, self.biases = given
        elif len(spec.sizes) > 2 and str(spec.initializer).partition("(")[0] in SYMMETRIC:
            warn(
                f'initializer="{spec.initializer}": the neurons of a layer begin alike, and learn alike for ever; '
                "leave it out, or give arrays"
            )

    def _setup(self, spec: NetworkSpec, threads: int | str, epochs_trained: int) -> None:
        self.spec = spec
        self.threads = options.checked_threads(threads)
        self.epochs_trained = epochs_trained
        self.notes: dict[str, Any] = {}  # anything JSON can hold; kept in the file, means nothing to the network
        self.columns: Columns | None = None  # of the data frame, if `fit` was given one: others are matched by name
        self._classes: Array | None = None
        self._output_is_open = False  # chosen by default, so that the first y may still change it
        self._exclusive = Exclusive()
        self.history: History[Any] | None = None  # of the last `fit`, or of the one under way
        size = self._count_parameters() * self.dtype.itemsize
        if reason := no_room(size):
            raise MemoryError(f"the parameters of sizes {list(spec.sizes)!r:.200} take {reason}; make layers narrower")
        self._allocate()

    @property
    def weights(self) -> list[Array]:
        """Snapshots (n_out, n_in); assign a list to set all of them."""
        return _frozen(self._get_parameters()[0])

    @weights.setter
    def weights(self, arrays: Sequence[object]) -> None:
        shapes = list(zip(self.spec.sizes[1:], self.spec.sizes, strict=False))
        checked = arguments.parameters("weights", arrays, shapes, self.dtype)
        self.spec.check_signs(checked)
        self._exclusive.check()
        self._set_parameters(checked, self._get_parameters()[1])

    @property
    def biases(self) -> list[Array]:
        """Snapshots (n_out,); assign a list to set all of them."""
        return _frozen(self._get_parameters()[1])

    @biases.setter
    def biases(self, arrays: Sequence[object]) -> None:
        shapes = [(n,) for n in self.spec.sizes[1:]]
        checked = arguments.parameters("biases", arrays, shapes, self.dtype)
        self._exclusive.check()
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
        if value is not None and self.sizes[-1] == 1 and not self.spec.tells_labels:
            raise ValueError(f"the one output ({self.spec.activations[-1]}) is a quantity, which has no classes")
        self._classes = labels.checked_classes(value, self.spec.sizes[-1])

    def forward(self, x: object) -> Forward:
        """Return every z and a for x (m, n_0)."""
        return self._forward(arguments.features("x", self._inputs(x), self.spec.sizes[0], self.dtype))

    def backprop(self, x: object, y: object) -> Gradients:
        """Return C over this batch with its penalties, its gradients, and the deltas."""
        return self._backprop(*self._checked(x, y))

    @property
    def flat(self) -> Array:
        """All parameters as one float64 vector, [w¹ | w² | ... | b¹ | b² | ...], each in C order; assign to set all."""
        return flatten(*self._get_parameters())

    @flat.setter
    def flat(self, vector: object) -> None:
        weights, biases = unflatten(self._checked_flat(vector), self.spec.sizes, np.float64)
        self.weights, self.biases = weights, biases

    def cost_and_gradient(
        self, flat: object, x: object, y: object, sample_weight: object = None
    ) -> tuple[float, Array]:
        """Return C with its penalties over all samples, and ∂C/∂flat, at a vector laid out as `flat`.

        For optimizers of your own: ``scipy.optimize.minimize(net.cost_and_gradient, net.flat, (x, y), jac=True)``. The
        network keeps its parameters; dropout is off; samples are taken 1024 at a time, and checked in each call. Where
        C is not finite it is inf, and the gradient zeros.
        """
        vector = self._checked_flat(flat)
        return Objective(self, self._data(x, y, sample_weight, None))(vector)

    def _checked_flat(self, vector: object) -> Array:
        count = self._count_parameters()
        found = np.asarray(vector, np.float64)
        if found.shape != (count,):
            raise ValueError(f"flat must be ({count},), all weights and then all biases; got {found.shape}")
        return found

    def per_sample_gradients(self, x: object, y: object) -> SampleGradients:
        """Return the gradient of each sample: m times the numbers of all parameters, see `fastbp.gradient_norms`.

        For one sample BP4 is an outer product, ∂C_x/∂w_jk = a_k δ_j, and BP3 says ∂C_x/∂b = δ.
        """
        x, y = self._checked(x, y)
        deltas, inputs = self._backprop(x, y).deltas, self._forward(x).activations[:-1]
        pairs = zip(deltas, inputs, strict=True)
        return SampleGradients([delta[:, :, None] * a[:, None, :] for delta, a in pairs], deltas)

    def evaluate(self, x: object, y: object) -> Evaluation:
        """Return C with its penalties and, where right and wrong have a meaning, the accuracy."""
        return self._score(*self._checked(x, y, dense=False))

    @overload
    def fit(
        self,
        x: object,
        y: object = None,
        epochs: int | None = None,
        batch_size: int = ...,
        optimizer: Optimizer | OptimizerName | None = None,
        validation_data: None = None,
        validation_split: Literal[0] = 0,
        shuffle: bool | Literal["blocks"] = True,
        callbacks: Iterable[AnyCallback] = (),
        sample_weight: object = None,
        class_weight: object = None,
        clip_norm: float | None = None,
        verbose: Verbose = "auto",
        *,
        clip_layer_norm: float | None = None,
        clip_value: float | None = None,
        accumulate: int = 1,
        ema: float | None = None,
        metrics: Iterable[str | MetricFunction] = (),
    ) -> History[None]: ...

    @overload
    def fit(
        self,
        x: object,
        y: object = None,
        epochs: int | None = None,
        batch_size: int = ...,
        optimizer: Optimizer | OptimizerName | None = None,
        validation_data: tuple[object, object] = ...,
        validation_split: Literal[0] = 0,
        shuffle: bool | Literal["blocks"] = True,
        callbacks: Iterable[AnyCallback] = (),
        sample_weight: object = None,
        class_weight: object = None,
        clip_norm: float | None = None,
        verbose: Verbose = "auto",
        *,
        clip_layer_norm: float | None = None,
        clip_value: float | None = None,
        accumulate: int = 1,
        ema: float | None = None,
        metrics: Iterable[str | MetricFunction] = (),
    ) -> History[float]: ...

    @overload
    def fit(
        self,
        x: object,
        y: object = None,
        epochs: int | None = None,
        batch_size: int = ...,
        optimizer: Optimizer | OptimizerName | None = None,
        validation_data: None = None,
        validation_split: float = ...,
        shuffle: bool | Literal["blocks"] = True,
        callbacks: Iterable[AnyCallback] = (),
        sample_weight: object = None,
        class_weight: object = None,
        clip_norm: float | None = None,
        verbose: Verbose = "auto",
        *,
        clip_layer_norm: float | None = None,
        clip_value: float | None = None,
        accumulate: int = 1,
        ema: float | None = None,
        metrics: Iterable[str | MetricFunction] = (),
    ) -> History[Any]: ...

    def fit(
        self,
        x: object,
        y: object = None,
        epochs: int | None = None,
        batch_size: int = defaults.BATCH_SIZE,
        optimizer: Optimizer | OptimizerName | None = None,
        validation_data: tuple[object, object] | None = None,
        validation_split: float = 0.0,
        shuffle: bool | Literal["blocks"] = True,
        callbacks: Iterable[AnyCallback] = (),
        sample_weight: object = None,
        class_weight: object = None,
        clip_norm: float | None = None,
        verbose: Verbose = "auto",
        *,
        clip_layer_norm: float | None = None,
        clip_value: float | None = None,
        accumulate: int = 1,
        ema: float | None = None,
        metrics: Iterable[str | MetricFunction] = (),
    ) -> History[Any]:
        """Train on mini-batches; the last one of an epoch may be short and is trained on too.

        Parameters
        ----------
        x, y
            samples (m, n_0), or a data frame, whose columns are found by name from then on; labels (m,) of any kind,
            or targets (m, n_L). Arrays of NumPy and of whatever has `__dlpack__`; a memory map is used in place, and
            where it is of another dtype converted row by row; x may be one of SciPy's sparse matrices. Or x alone:
            batches (x, y) or (x, y, sample_weight), each of which makes a step, as a list, a loader, or a function that
            returns a generator for each epoch
        epochs
            sweeps over the data. None: 30, or as many as show the network 10 000 samples
        batch_size
            samples per step
        optimizer
            ``fastbp.Adam(1e-3)`` if None or "adam"; SGD, AdamW, Nadam, RMSprop, Adagrad, Adadelta, Lion, Rprop, or a
            rule of your own, see ``fastbp.formulas.optimizers``. The learning rate is a number, or a function of the
            time in epochs, see ``fastbp.schedules``. The book's is ``fastbp.SGD(3.0)``, for sigmoids and quadratic
        validation_data
            (x, y) to be evaluated after each epoch
        validation_split
            instead of it, the share of the samples, such as 0.2, that is held out for that and not trained on: drawn
            from the network's seed, of each label as many in proportion, the same in each call
        shuffle
            a new order each epoch, from the network's seed. "blocks": neighbours stay near each other, so that a file
            on disk, larger than memory, is read in pieces of 256 KB; rows are mixed within 64 MB
        callbacks
            each called as ``callback(net, history)`` after each epoch; a true result stops. There are
            ``fastbp.EarlyStopping()``, ReduceOnPlateau, MaxSeconds, CSVLogger, ``fastbp.Checkpoint(path)``, from which
            ``fastbp.resume`` goes on, and ``fastbp.Diagnostics()``, which looks at each layer from inside the step
        sample_weight, class_weight
            weights (m,); a dict from label to weight or "balanced"
        clip_norm
            the longest that the gradient of a mini-batch over all parameters, √(Σ (∂C/∂w)² + Σ (∂C/∂b)²), may be: a
            longer one is scaled down to it. None: as it is
        clip_layer_norm, clip_value
            instead of it, the longest that the gradient over each layer's parameters may be; the largest that one entry
            may be, which is cut off
        verbose
            "auto" a bar if stderr is a terminal, 0 nothing, 1 a bar, 2 a line per epoch
        accumulate
            mini-batches to an update, which takes the gradient over all their samples: as a batch_size so many times as
            large, in the memory of a small one. A schedule's rate is the one at the first of them
        ema
            how much of a moving average of the weights stays at each update, such as 0.999: it is what validation,
            callbacks and, in the end, the network have, while training goes on from the weights themselves. It has no
            trace of the initial weights: early on it is the plain mean. `history.cost` is that of training
        metrics
            what else is measured in validation: "top_5" (or another number), "roc_auc", "mean_absolute_error", "r2", or
            functions of (y, outputs), as scikit-learn's are; ``history["validation_r2"]`` has it

        Returns
        -------
        History
            what was measured, epoch by epoch; `net.history` has it as well, from the first epoch on: Ctrl-C raises
            KeyboardInterrupt, and leaves a usable network and the history so far

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
        settings = Settings(
            epochs, batch_size, optimizer, validation_data, validation_split, shuffle, callbacks, sample_weight,
            class_weight, clip_norm, verbose, clip_layer_norm, clip_value, accumulate, ema, metrics,
        )  # fmt: skip
        return self._fit(x, y, settings)

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

    def _count_parameters(self) -> int:
        return sum(k * (n + 1) for n, k in zip(self.spec.sizes, self.spec.sizes[1:], strict=False))

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

    def _faulty_layer(self, x: Array) -> int:
        """Return the first layer whose parameters or else z are not finite, or else the last."""
        x = dense(x)
        x.flags.writeable = False
        parameters = zip(*self._get_parameters(), strict=True)
        finite = [bool(np.isfinite(w).all() and np.isfinite(b).all()) for w, b in parameters]
        if all(finite):
            finite = [bool(np.isfinite(z).all()) for z in self._forward(x).zs]
        return finite.index(False) if False in finite else len(finite) - 1


def _initial_parameters(spec: NetworkSpec) -> tuple[list[Array], list[Array]]:
    rng = stream(spec.seed, WEIGHTS)
    layers = zip(spec.initializers, spec.sizes, spec.sizes[1:], strict=False)
    pairs = [find_initializer(name)(rng, n, k) for name, n, k in layers]
    dtype = DTYPES[spec.dtype]
    signs: Sequence[Array | None] = spec.signs or [None] * len(pairs)
    pairs = [(constrained(begun(w, sign), None, spec.max_norm), b) for (w, b), sign in zip(pairs, signs, strict=True)]
    return [w.astype(dtype) for w, _ in pairs], [b.astype(dtype) for _, b in pairs]


def _frozen(arrays: list[Array]) -> list[Array]:
    for array in arrays:
        array.flags.writeable = False
    return arrays
