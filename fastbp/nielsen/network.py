"""The network of the book's first chapter: sigmoids, and the quadratic cost."""

from collections.abc import Callable, Iterable
from typing import Any

from ..formulas import Array
from ..formulas.activations import Activation
from .book import Book
from .book import sigmoid as sigmoid
from .book import sigmoid_prime as sigmoid_prime
from .columns import as_list
from .initial import normal_parameters
from .judging import count_right
from .training import Training, run


class Network(Book):
    """``Network([784, 30, 10])``, with weights and biases from `np.random.randn`: all biases first.

    Parameters
    ----------
    sizes
        neurons per layer, inputs first
    activation
        of the hidden layers, if not "sigmoid": a name or an ``fastbp.Activation``; the output stays sigmoid
    dtype
        "float64", or "float32", which the kernels compute twice as fast

    """

    def __init__(self, sizes: Any, *, activation: str | Activation = "sigmoid", dtype: str = "float64") -> None:
        self._begin(sizes, activation, dtype)
        self.biases, self.weights = normal_parameters(sizes)

    def SGD(
        self,
        training_data: Iterable[Any],
        epochs: int,
        mini_batch_size: int,
        eta: float,
        test_data: Iterable[Any] | None = None,
        *,
        momentum: float = 0.0,
        epoch_callback: Callable[["Network", int], object] | None = None,
        verbose: bool = True,
    ) -> None:
        """Train on mini-batches in random order, and print how many of the test data are right after each epoch.

        Parameters
        ----------
        training_data
            (x, y), columns (n_0, 1) and (n_L, 1); a list is shuffled in place, as in the book, by `random.shuffle`
        epochs, mini_batch_size, eta
            sweeps over the data, samples per step, learning rate
        test_data
            (x, label), the label being the place of the output that should be largest
        momentum
            μ in v ← μ v + ∇C, w ← w - η v
        epoch_callback
            called as ``epoch_callback(net, epoch)`` after each epoch, and stops training if it returns True
        verbose
            False: nothing is printed

        Raises
        ------
        ValueError
            where x is 1-D, or y a label; where training leaves the finite numbers

        """
        tests = as_list(test_data)

        def end_epoch(epoch: int) -> bool:
            if verbose and tests:
                print(f"Epoch {epoch}: {self.evaluate(tests)} / {len(tests)}")
            elif verbose:
                print(f"Epoch {epoch} complete")
            return False

        data = as_list(training_data)
        run(
            self,
            Training(data, epochs, mini_batch_size, eta, 0.0, momentum, end_epoch, epoch_callback),
            update=lambda mini_batch: self.update_mini_batch(mini_batch, eta),
            steps=("backprop", "update_mini_batch", "cost_derivative"),
        )

    def update_mini_batch(self, mini_batch: list[Any], eta: float) -> None:
        """Make one step down the gradient over a list of (x, y); new lists take the place of weights and biases."""
        nabla_b, nabla_w = self._sums(mini_batch)
        step = eta / len(mini_batch)
        self.weights = [w - step * nw for w, nw in zip(self.weights, nabla_w, strict=True)]
        self.biases = [b - step * nb for b, nb in zip(self.biases, nabla_b, strict=True)]

    def evaluate(self, test_data: Iterable[Any]) -> int:
        """Return how many of (x, label) are right: the label is the place of the largest output."""
        return count_right(self, as_list(test_data), labelled=True)

    def cost_derivative(self, output_activations: Any, y: Any) -> Any:
        """∇ₐC_x = a - y."""
        return output_activations - y

    def _module(self) -> tuple[Callable[[Any], Any], Callable[[Any], Any]]:
        return sigmoid, sigmoid_prime

    def _output_delta(self, z: Array, a: Array, y: Array) -> Any:
        return self.cost_derivative(a, y) * self._functions()[-1][1](z, a)

    def _formulas(self) -> tuple[str, str] | None:
        return "sigmoid", "quadratic"


Network.own = {name: getattr(Network, name) for name in dir(Network) if not name.startswith("__")}
