"""What the book's two networks share: lists of parameters, and the equations in plain NumPy as in the book."""

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import numpy as np

from ..formulas import Array
from ..formulas.activations import Activation, find_activation
from ..networks.fast import Network as Core
from .columns import Columns, NotColumns, check_column, check_target
from .live import Live

AT_ONCE = 8192  # samples that are judged together: what is in between stays small
KEPT = 3  # lists of samples that are remembered: training, evaluation, a slice


def sigmoid(z: Any) -> Any:
    """1 / (1 + e^-z)."""
    return 1.0 / (1.0 + np.exp(-z))


def sigmoid_prime(z: Any) -> Any:
    """σ(z) (1 - σ(z))."""
    return sigmoid(z) * (1 - sigmoid(z))


def _from_a(z: Any, a: Any) -> Any:
    """σ' of the sigmoid, a (1 - a)."""
    return a * (1 - a)


def _softmax(z: Any) -> Any:
    """e^z_j / Σ_k e^z_k of each column."""
    e = np.exp(z - np.max(z, axis=0))
    return e / np.sum(e, axis=0)


class Book:
    """A network whose parameters are lists that belong to whoever uses it: `weights` (n_out, n_in), `biases` (n_out, 1).

    They are read when training begins, and new lists take their place when it ends. A method that somebody has put in
    the place of the book's, in a subclass or on the network itself, is used: the book's loop runs then.
    """  # noqa: E501

    # In the class, so that a network unpickled from the book's own has them.
    activation: Any = "sigmoid"
    dtype: str = "float64"
    num_layers: int
    sizes: Any
    biases: list[Any]
    weights: list[Any]

    _live: Live | None = None  # while kernels train, and only the book's own methods look on

    own: ClassVar[dict[str, Any]]  # the methods as they are here

    def _begin(self, sizes: Any, activation: Any, dtype: str) -> None:
        self.num_layers, self.sizes = len(sizes), sizes
        row = activation if isinstance(activation, Activation) else find_activation(activation)
        if row.name != "sigmoid":
            self.activation = row
        if dtype != "float64":
            self.dtype = dtype

    def __getstate__(self) -> dict[str, Any]:
        """Leave out what is only kept to be fast."""
        return {name: value for name, value in vars(self).items() if not name.startswith("_")}

    def feedforward(self, a: Any) -> Any:
        """Return the output (n_L, 1) for an input (n_0, 1), or a column of it for each column."""
        check_column("a", a, self.weights)
        sigma, last = self._module()[0], len(self.weights) - 1
        hidden = sigma if self.activation == "sigmoid" else self.activation.value
        if self._ends_in_softmax():
            sigma = _softmax
        for layer, (b, w) in enumerate(zip(self.biases, self.weights, strict=False)):
            z = np.dot(w, a) + b
            a = sigma(z) if layer == last else hidden(z)
        return a

    def backprop(self, x: Any, y: Any) -> tuple[list[Array], list[Array]]:
        """Return ∂C_x/∂b and ∂C_x/∂w of one sample, layer by layer, in the shapes of `biases` and `weights`."""
        check_column("x", x, self.weights)
        check_target(y, len(self.weights[-1]))
        functions = self._functions()
        a, activations, zs = x, [x], []
        for b, w, (sigma, _) in zip(self.biases, self.weights, functions, strict=False):
            z = np.dot(w, a) + b
            a = sigma(z)
            zs.append(z)
            activations.append(a)
        delta = self._output_delta(zs[-1], a, y)
        nabla_b, nabla_w = [delta], [np.dot(delta, activations[-2].T)]
        for layer in range(len(zs) - 2, -1, -1):
            delta = np.dot(self.weights[layer + 1].T, delta) * functions[layer][1](zs[layer], activations[layer + 1])
            nabla_b.append(delta)
            nabla_w.append(np.dot(delta, activations[layer].T))
        return nabla_b[::-1], nabla_w[::-1]

    def _sums(self, mini_batch: Sequence[Any]) -> tuple[list[Any], list[Any]]:
        """Return the sums of ∂C_x/∂b and ∂C_x/∂w over a mini-batch."""
        pairs = [self.backprop(x, y) for x, y in mini_batch]
        sides = zip(*pairs, strict=True)
        nabla_b, nabla_w = ([sum(layer[1:], layer[0]) for layer in zip(*each, strict=True)] for each in sides)
        return nabla_b, nabla_w

    # What the classes say.

    def _module(self) -> tuple[Callable[[Any], Any], Callable[[Any], Any]]:
        """σ and σ' as the module has them by now: people put others there."""
        raise NotImplementedError

    def _output_delta(self, z: Any, a: Any, y: Any) -> Any:
        raise NotImplementedError

    def _ends_in_softmax(self) -> bool:
        return False

    def _formulas(self) -> tuple[str, str] | None:
        """Output activation and cost by fastbp's names; None where kernels have no such thing."""
        raise NotImplementedError

    # Which way.

    def _functions(self) -> list[tuple[Callable[[Any], Any], Callable[[Any, Any], Any]]]:
        """σ(z) and σ'(z, a) of each layer."""
        sigma, prime = self._module()
        own = sigma is sigmoid and prime is sigmoid_prime
        hidden = last = (sigma, _from_a if own else lambda z, a: prime(z))
        if self.activation != "sigmoid":
            hidden = self.activation.value, self.activation.slope
        if self._ends_in_softmax():
            last = _softmax, _from_a  # of which δ makes no use
        return [*[hidden] * (len(self.weights) - 1), last]

    def _is_own(self, *names: str) -> bool:
        """Whether these methods are the book's."""
        mine = vars(self)
        there = [name for name in names if name in self.own]
        return all(name not in mine and getattr(type(self), name) is self.own[name] for name in there)

    def _all_outputs(self, x: Array) -> Array:
        """Return the outputs (n_L, n) of samples x (n, n_0)."""
        found = [self.feedforward(x[start : start + AT_ONCE].T) for start in range(0, len(x), AT_ONCE)]
        return np.concatenate(found, axis=1)

    # For the kernels.

    def _parameters(self) -> tuple[list[Array], list[Array]]:
        """Return weights (n_out, n_in) and biases (n_out,) as they are now; NotColumns if they are of other shapes."""
        try:
            weights = [np.asarray(w, np.float64) for w in self.weights]
            biases = [np.asarray(b, np.float64) for b in self.biases]
        except (TypeError, ValueError):
            raise NotColumns from None
        sizes = [w.shape[-1:] for w in weights[1:]]
        regular = (
            len(weights) == len(biases) == self.num_layers - 1
            and all(w.ndim == 2 and w.size and b.shape == (len(w), 1) for w, b in zip(weights, biases, strict=True))
            and all((len(w),) == size for w, size in zip(weights, sizes, strict=False))
        )
        if not regular:
            raise NotColumns
        return weights, [b[:, 0] for b in biases]

    def _take(self, core: Core) -> None:
        """Bind new lists with the parameters of fastbp's network."""
        weights, biases = core._get_parameters()
        self.weights, self.biases = weights, [b[:, None] for b in biases]

    def _columns(self, samples: list[Any], *, labelled: bool) -> Columns:
        """Return the samples as columns; those seen lately are known again."""
        kept: list[Columns] = vars(self).setdefault("_kept_columns", [])
        n_in, n_out = self.weights[0].shape[1], len(self.weights[-1])
        for place, columns in enumerate(kept):
            if columns.kind == (n_in, n_out, labelled) and columns.are(samples):
                kept.insert(0, kept.pop(place))
                return columns
        try:
            x, y = samples[0]
        except (TypeError, ValueError):
            raise NotColumns from None
        check_column("x", x, self.weights)
        if not labelled:
            check_target(y, n_out)
        columns = Columns(samples, n_in, n_out, labelled=labelled)
        kept.insert(0, columns)
        del kept[KEPT:]
        return columns
