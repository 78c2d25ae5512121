"""SGD of the book's networks: through the kernels where nothing is in the way, else by the book's loop."""

import random
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from ..border import options
from ..border.spec import NetworkSpec
from ..errors import DivergenceError, warn
from ..formulas import Array, number
from ..formulas.optimizers import SGD
from ..networks.fast import Network as Core
from ..training.loop import Data, Plan, Task
from .book import Book, sigmoid, sigmoid_prime
from .columns import Columns, NotColumns
from .live import Live
from .shuffle import shuffled

JUDGES = ("feedforward", "evaluate", "accuracy", "total_cost")


class Training(NamedTuple):
    """What SGD is asked for."""

    data: list[Any]  # (x, y), which are put into another order
    epochs: int
    mini_batch_size: int
    eta: float
    l2: float  # λ / n
    momentum: float
    end_epoch: Callable[[int], bool]  # judges, given the epoch's number; True stops
    epoch_callback: Callable[[Any, int], object] | None  # the user's


def run(net: Book, asked: Training, *, update: Callable[[list[Any]], None], steps: tuple[str, ...]) -> None:
    """Run the epochs.

    - update: makes the step of a mini-batch, in the book's loop; steps: the methods that kernels stand for
    """
    options.integer("mini_batch_size", asked.mini_batch_size, low=1)
    options.integer("epochs", asked.epochs, low=0)
    number("momentum", asked.momentum, below=1.0)
    why = _why_loop(net, asked, steps)
    if why is None and asked.data and asked.epochs:
        try:
            columns, parameters = net._columns(asked.data, labelled=False), net._parameters()
        except NotColumns:
            why = "the samples or parameters are not columns of one kind each"
        else:
            _by_kernels(net, asked, columns, _core(net, *parameters, asked.l2))
            return
    if why is not None and not vars(net).get("_said"):
        net._said = True  # type: ignore[attr-defined]
        warn(f"training takes the book's loop in Python, not the kernels: {why}")
    _by_loop(net, asked, update)


def _why_loop(net: Book, asked: Training, steps: tuple[str, ...]) -> str | None:
    """Return why the book's loop has to do; None where kernels can."""
    if others := [name for name in steps if not net._is_own(name)]:
        return f"{' and '.join(others)} {'is' if len(others) == 1 else 'are'} not the book's"
    if net._module() != (sigmoid, sigmoid_prime):
        return "sigmoid or sigmoid_prime has been replaced"
    if net._formulas() is None:
        return "its cost is one of its own"
    if any(not 0 <= rate < np.inf for rate in (asked.eta, asked.l2)):
        return "eta or lmbda is below 0"
    return None


def _core(net: Book, weights: list[Array], biases: list[Array], l2: float) -> Core:
    """Return a network of fastbp's with these parameters; the last one is kept."""
    formulas = net._formulas()
    assert formulas
    sizes = (weights[0].shape[1], *map(len, weights))
    key = (sizes, net.activation, formulas, l2, net.dtype)
    kept = vars(net).get("_kept_core")
    if kept is None or kept[0] != key:
        output, cost = formulas
        spec = NetworkSpec.from_arguments(
            sizes, net.activation, output, cost, None, dtype=net.dtype, seed=0, l1=0.0, l2=l2, dropout=0.0
        )
        kept = net._kept_core = (key, Core._assemble(spec, weights, biases))  # type: ignore[attr-defined]
    core: Core = kept[1]
    core._set_parameters(weights, biases)
    return core


def _by_kernels(net: Book, asked: Training, columns: Columns, core: Core) -> None:
    """Run the epochs in the kernels; at the end, and on Ctrl-C, the network has new lists."""
    data, callback = asked.data, asked.epoch_callback
    x, y = columns.numbers(core.dtype)
    order = np.arange(len(data))
    live = Live(core) if net._is_own(*JUDGES) else None
    if live:
        live.add(data, x, y, labelled=False)

    def next_order() -> Array:
        nonlocal order
        order = order[shuffled(len(data))]
        return order

    def put_in_order() -> None:
        data[:] = [columns.samples[i] for i in order.tolist()]

    def end_epoch(core: Core, history: Any) -> bool:
        epoch = len(history) - 1
        net._take(core)
        if live:
            live.end_epoch()
        else:
            put_in_order()
        net._live = live
        stops = asked.end_epoch(epoch)
        net._live = None
        if callback:
            put_in_order()
            stops = callback(net, epoch) is True or stops
        if callback or not live:
            core._set_parameters(*_changed(net, core))
        return stops

    plan = Plan(SGD(asked.eta, asked.momentum), min(asked.mini_batch_size, len(data)), epochs=asked.epochs)
    try:
        core._train(Task(Data(x, y), plan, callbacks=(end_epoch,), order=next_order))
    except DivergenceError as error:
        if not (np.isfinite(x).all() and np.isfinite(y).all()):
            raise ValueError("there is NaN or inf in training_data, in x or y") from None
        raise ValueError(f"{error.what}: choose a smaller eta") from None
    finally:
        net._live = None
        net._take(core)
        put_in_order()
        columns.reorder(order)


def _changed(net: Book, core: Core) -> tuple[list[Array], list[Array]]:
    """Return the parameters, which somebody may have changed after an epoch."""
    try:
        weights, biases = net._parameters()
    except NotColumns:
        weights, biases = [], []
    if [w.shape for w in weights] != [(n, k) for k, n in zip(core.sizes, core.sizes[1:], strict=False)]:
        raise ValueError(f"weights and biases must keep the shapes of {list(core.sizes)} while SGD is under way")
    return weights, biases


def _by_loop(net: Book, asked: Training, update: Callable[[list[Any]], None]) -> None:
    """Run the book's loop; momentum goes by how far each step has changed the parameters."""
    velocity: list[Any] = []
    for epoch in range(asked.epochs):
        random.shuffle(asked.data)
        for start in range(0, len(asked.data), asked.mini_batch_size):
            before = [*net.weights, *net.biases]
            update(asked.data[start : start + asked.mini_batch_size])
            if asked.momentum:
                after, layers = [*net.weights, *net.biases], len(net.weights)
                steps = [new - old for new, old in zip(after, before, strict=True)]
                velocity = velocity or [0.0] * len(steps)
                velocity = [asked.momentum * v + step for v, step in zip(velocity, steps, strict=True)]
                moved = [old + v for old, v in zip(before, velocity, strict=True)]
                net.weights, net.biases = moved[:layers], moved[layers:]
        stops = asked.end_epoch(epoch)
        if (asked.epoch_callback and asked.epoch_callback(net, epoch) is True) or stops:
            return
