"""The network of the book's third chapter: cross-entropy, L2, better initial weights, and what is monitored."""

import json
import os
import sys
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from .. import files
from ..errors import ModelFileError
from ..formulas import Array
from ..formulas.activations import Activation
from .book import Book
from .book import sigmoid as sigmoid
from .book import sigmoid_prime as sigmoid_prime
from .columns import as_list
from .costs import CrossEntropyCost as CrossEntropyCost
from .costs import LogLikelihoodCost as LogLikelihoodCost
from .costs import QuadraticCost as QuadraticCost
from .costs import find_cost, is_ours
from .initial import normal_parameters
from .judging import count_right, mean_cost
from .mnist_loader import vectorized_result as vectorized_result
from .stored import read_network
from .training import Training, run

Monitored = tuple[list[float], list[int], list[float], list[int]]


class Network(Book):
    """``Network([784, 30, 10], cost=CrossEntropyCost)``.

    Parameters
    ----------
    sizes
        neurons per layer, inputs first
    cost
        a class, or an instance of one, with functions ``fn(a, y)`` and ``delta(z, a, y)``; or a name, "quadratic",
        "cross_entropy", or "log_likelihood", which makes the outputs a softmax
    activation
        of the hidden layers, if not "sigmoid": a name or an ``fastbp.Activation``
    dtype
        "float64", or "float32", which the kernels compute twice as fast

    """

    cost: Any = CrossEntropyCost

    def __init__(
        self, sizes: Any, cost: Any = CrossEntropyCost, *, activation: str | Activation = "sigmoid",
        dtype: str = "float64",
    ) -> None:  # fmt: skip
        self._begin(sizes, activation, dtype)
        self.default_weight_initializer()
        self.cost = find_cost(cost)

    def default_weight_initializer(self) -> None:
        """Draw new parameters: normal, those of weights into a neuron with deviation 1/√(their number)."""
        self.biases, self.weights = normal_parameters(self.sizes, scaled=True)

    def large_weight_initializer(self) -> None:
        """Draw new parameters as in the first chapter: normal with deviation 1."""
        self.biases, self.weights = normal_parameters(self.sizes)

    def SGD(
        self,
        training_data: Iterable[Any],
        epochs: int,
        mini_batch_size: int,
        eta: float,
        lmbda: float = 0.0,
        evaluation_data: Iterable[Any] | None = None,
        monitor_evaluation_cost: bool = False,
        monitor_evaluation_accuracy: bool = False,
        monitor_training_cost: bool = False,
        monitor_training_accuracy: bool = False,
        early_stopping_n: int = 0,
        *,
        momentum: float = 0.0,
        epoch_callback: Callable[["Network", int], object] | None = None,
        verbose: bool = True,
    ) -> Monitored:
        """Train on mini-batches in random order; print and return what is monitored after each epoch.

        Parameters
        ----------
        training_data
            (x, y), columns (n_0, 1) and (n_L, 1); a list is shuffled in place, as in the book, by `random.shuffle`
        epochs, mini_batch_size, eta
            sweeps over the data, samples per step, learning rate
        lmbda
            λ of λ/(2n) Σ w², n being the number of training samples
        evaluation_data
            (x, label)
        monitor_evaluation_cost, monitor_evaluation_accuracy, monitor_training_cost, monitor_training_accuracy
            what is measured
        early_stopping_n
            stop once the accuracy, of the evaluation data if it is monitored, has not risen for so many epochs; 0: never
        momentum
            μ in v ← μ v + ∇C, w ← w - η v
        epoch_callback
            called as ``epoch_callback(net, epoch)`` after each epoch, and stops training if it returns True
        verbose
            False: nothing is printed

        Returns
        -------
        evaluation_cost, evaluation_accuracy, training_cost, training_accuracy
            a number for each epoch, right answers counted; empty where it is not monitored

        Raises
        ------
        ValueError
            where x is 1-D, or y a label; where training leaves the finite numbers; where evaluation data are to be
            monitored, and there are none

        """  # noqa: E501
        training, evaluation = as_list(training_data), as_list(evaluation_data)
        n, seen = len(training), Seen()
        accurate = monitor_evaluation_accuracy or monitor_training_accuracy
        if not evaluation and (monitor_evaluation_cost or monitor_evaluation_accuracy):
            raise ValueError("evaluation_data is to be monitored, and there is none")
        if early_stopping_n > 0 and not accurate:
            raise ValueError("early_stopping_n goes by accuracy: write monitor_evaluation_accuracy=True")
        say: Callable[..., None] = print if verbose else (lambda *words: None)

        def end_epoch(epoch: int) -> bool:
            say(f"Epoch {epoch} training complete")
            if monitor_training_cost:
                seen.training_cost.append(self.total_cost(training, lmbda))
                say(f"Cost on training data: {seen.training_cost[-1]}")
            if monitor_training_accuracy:
                seen.training_accuracy.append(self.accuracy(training, convert=True))
                say(f"Accuracy on training data: {seen.training_accuracy[-1]} / {n}")
            if monitor_evaluation_cost:
                seen.evaluation_cost.append(self.total_cost(evaluation, lmbda, convert=True))
                say(f"Cost on evaluation data: {seen.evaluation_cost[-1]}")
            if monitor_evaluation_accuracy:
                seen.evaluation_accuracy.append(self.accuracy(evaluation))
                say(f"Accuracy on evaluation data: {seen.evaluation_accuracy[-1]} / {len(evaluation)}")
            say()
            return early_stopping_n > 0 and seen.waited() == early_stopping_n

        l2 = lmbda / max(n, 1)
        run(
            self,
            Training(training, epochs, mini_batch_size, eta, l2, momentum, end_epoch, epoch_callback),
            update=lambda mini_batch: self.update_mini_batch(mini_batch, eta, lmbda, n),
            steps=("backprop", "update_mini_batch"),
        )
        return seen.evaluation_cost, seen.evaluation_accuracy, seen.training_cost, seen.training_accuracy

    def update_mini_batch(self, mini_batch: list[Any], eta: float, lmbda: float, n: int) -> None:
        """Make one step over a list of (x, y), of n training samples; new lists take the place of the old."""
        nabla_b, nabla_w = self._sums(mini_batch)
        step, kept = eta / len(mini_batch), 1 - eta * (lmbda / n)
        self.weights = [kept * w - step * nw for w, nw in zip(self.weights, nabla_w, strict=True)]
        self.biases = [b - step * nb for b, nb in zip(self.biases, nabla_b, strict=True)]

    def accuracy(self, data: Iterable[Any], convert: bool = False) -> int:
        """Return how many of (x, label) are right; `convert`: of (x, y), as training data are."""
        return count_right(self, as_list(data), labelled=not convert)

    def total_cost(self, data: Iterable[Any], lmbda: float, convert: bool = False) -> float:
        """Return C over (x, y) with its penalty, λ/(2n) Σ w² for n samples of `data`; `convert`: over (x, label)."""
        samples = as_list(data)
        adds_up = is_ours(self.cost)
        cost = mean_cost(self, samples, self.cost, self._one_hot, labelled=convert, adds_up=adds_up)
        # Not np.linalg.norm: NumPy's BLAS may take several threads for it, which keep their cores busy for 20 ms after.
        return cost + float(0.5 * (lmbda / len(samples)) * sum(np.sum(np.square(w)) for w in self.weights))

    def save(self, filename: str | os.PathLike[str]) -> None:
        """Write the network to a JSON file, as the book does; one with another activation names it, too."""
        cost = self.cost if isinstance(self.cost, type) else type(self.cost)
        more = {} if self.activation == "sigmoid" else {"activation": self.activation.name}
        data = {
            "sizes": [int(n) for n in self.sizes],
            "weights": [np.asarray(w).tolist() for w in self.weights],
            "biases": [np.asarray(b).tolist() for b in self.biases],
            "cost": cost.__name__,
            **more,
        }
        files.replace(filename, json.dumps(data).encode())

    def _one_hot(self, label: Any) -> Any:
        """The column of a label: the book's has 10 rows, this one as many as there are outputs."""
        outputs = len(self.weights[-1])
        if outputs == 1:
            return np.array([[float(label)]])
        column = np.zeros((outputs, 1))
        column[label] = 1.0
        return column

    def _module(self) -> tuple[Callable[[Any], Any], Callable[[Any], Any]]:
        return sigmoid, sigmoid_prime

    def _output_delta(self, z: Array, a: Array, y: Array) -> Any:
        return self.cost.delta(z, a, y)

    def _ends_in_softmax(self) -> bool:
        return self.cost is LogLikelihoodCost or type(self.cost) is LogLikelihoodCost

    def _formulas(self) -> tuple[str, str] | None:
        return self.cost.formulas if is_ours(self.cost) else None


Network.own = {name: getattr(Network, name) for name in dir(Network) if not name.startswith("__")}


class Seen:
    """What is monitored, epoch by epoch."""

    def __init__(self) -> None:
        self.evaluation_cost: list[float] = []
        self.evaluation_accuracy: list[int] = []
        self.training_cost: list[float] = []
        self.training_accuracy: list[int] = []

    def waited(self) -> int:
        """How many epochs have passed since the accuracy was best; 0 is what it has to rise above."""
        accuracies = [0, *(self.evaluation_accuracy or self.training_accuracy)]
        return len(accuracies) - 1 - accuracies.index(max(accuracies))


def load(filename: str | os.PathLike[str]) -> Network:
    """Return the network that `save` wrote, here or in the book; a damaged file raises ModelFileError."""
    sizes, weights, biases, name, activation = read_network(filename)
    cost = getattr(sys.modules[__name__], name, None)  # of one's own too, if it has been put into this module
    if not (isinstance(cost, type) and hasattr(cost, "fn") and hasattr(cost, "delta")):
        raise ModelFileError(
            f"{os.fspath(filename)}: the cost {name!r:.80} is not known here; write network2.{name[:40]} = your class"
        )
    net = Network(sizes, cost=cost, activation=activation)
    net.weights, net.biases = weights, biases
    return net
