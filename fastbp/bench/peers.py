"""The peers, each at its best: a function from a case to "one epoch over these mini-batches".

Every peer begins with fastbp's own initial parameters, so that after one epoch its cost can be compared.
A peer whose package is not installed is left out.
"""

from collections.abc import Callable
from importlib.util import find_spec
from typing import Any, NamedTuple

import numpy as np

from .cases import Case


class Contender(NamedTuple):
    """One library in one case: `epoch(order)` trains, `weights()` returns the first layer (n_out, n_in)."""

    epoch: Callable[[Any], None]
    weights: Callable[[], Any]
    steps: int = 0  # that `epoch` makes whatever the order; 0: as many as the order holds


def fastbp(case: Case, net: Any, x: Any, y: Any, threads: int) -> Contender:
    """The fused engine."""
    net.threads = threads
    session = net._session(*net._checked(x, y), None, case.optimizer, case.batch_size)
    size = case.batch_size
    return Contender(lambda order: session.train(order, 0, len(order) // size, 0), lambda: net.weights[0])


def numpy(case: Case, net: Any, x: Any, y: Any, threads: int) -> Contender:
    """The reference engine: batched NumPy."""
    twin = net.to_reference()
    session = twin._session(*twin._checked(x, y), None, case.optimizer, case.batch_size)
    size = case.batch_size
    return Contender(lambda order: session.train(order, 0, len(order) // size, 0), lambda: twin.weights[0])


def torch(case: Case, net: Any, x: Any, y: Any, threads: int) -> Contender:
    """PyTorch, eager, with its fused or foreach optimizer and flush-denormal on."""
    import torch as t

    t.set_num_threads(threads)
    t.set_flush_denormal(True)
    kinds = {"sigmoid": t.nn.Sigmoid, "tanh": t.nn.Tanh, "relu": t.nn.ReLU}
    layers: list[Any] = []
    for w, b, name in zip(net.weights, net.biases, net.spec.activations, strict=True):
        layer = t.nn.Linear(w.shape[1], w.shape[0], dtype=getattr(t, net.spec.dtype))
        with t.no_grad():
            layer.weight.copy_(t.from_numpy(w.copy()))
            layer.bias.copy_(t.from_numpy(b.copy()))
        layers.append(layer)
        if name in kinds:
            layers.append(kinds[name]())
    model = t.nn.Sequential(*layers)
    if case.cost == "quadratic":
        half_n_out = net.sizes[-1] / 2
        mse = t.nn.MSELoss()

        def loss(a: Any, target: Any) -> Any:
            return mse(a, target) * half_n_out
    else:
        loss = t.nn.CrossEntropyLoss()
    rate = case.optimizer.learning_rate
    if hasattr(case.optimizer, "beta1"):
        optimizer: Any = t.optim.Adam(model.parameters(), rate, fused=True)
    else:
        optimizer = t.optim.SGD(model.parameters(), rate, foreach=True)
    xs = t.from_numpy(x.astype(net.dtype))
    ys = t.from_numpy(y if y.ndim == 1 else y.astype(net.dtype))

    def epoch(order: Any) -> None:
        places = t.from_numpy(order)
        for i in range(0, len(order) - case.batch_size + 1, case.batch_size):
            rows = places[i : i + case.batch_size]
            optimizer.zero_grad()
            loss(model(xs[rows]), ys[rows]).backward()
            optimizer.step()

    return Contender(epoch, lambda: layers[0].weight.detach().numpy())


def jax(case: Case, net: Any, x: Any, y: Any, threads: int) -> Contender:
    """JAX, the whole epoch in one jitted scan with donated buffers; its threads are set before it is imported."""
    import jax as j
    import jax.numpy as jnp

    if net.spec.dtype == "float64":
        j.config.update("jax_enable_x64", True)
    functions = {"sigmoid": j.nn.sigmoid, "tanh": jnp.tanh, "relu": j.nn.relu}
    names = net.spec.activations
    xs, ys = jnp.asarray(x.astype(net.dtype)), jnp.asarray(y if y.ndim == 1 else y.astype(net.dtype))
    params = [(jnp.asarray(w.T), jnp.asarray(b)) for w, b in zip(net.weights, net.biases, strict=True)]
    o = case.optimizer
    adam = hasattr(o, "beta1")

    def cost(params: Any, rows: Any) -> Any:
        a = xs[rows]
        for (w, b), name in zip(params, names, strict=True):
            a = functions.get(name, lambda z: z)(a @ w + b)
        if case.cost == "quadratic":
            return jnp.sum((a - ys[rows]) ** 2) / (2 * len(rows))
        return -jnp.mean(j.nn.log_softmax(a)[jnp.arange(len(rows)), ys[rows]])

    def step(state: Any, rows: Any) -> Any:
        params, m, v, count = state
        g = j.grad(cost)(params, rows)
        if not adam:
            return (j.tree.map(lambda p, d: p - o.learning_rate * d, params, g), m, v, count), None
        count = count + 1
        m = j.tree.map(lambda s, d: o.beta1 * s + (1 - o.beta1) * d, m, g)
        v = j.tree.map(lambda s, d: o.beta2 * s + (1 - o.beta2) * d * d, v, g)
        c1, c2 = 1 - o.beta1**count, 1 - o.beta2**count
        new = j.tree.map(
            lambda p, s, t: p - o.learning_rate * (s / c1) / (jnp.sqrt(t / c2) + o.epsilon), params, m, v
        )
        return (new, m, v, count), None

    run = j.jit(lambda state, order: j.lax.scan(step, state, order)[0], donate_argnums=0)
    zeros = j.tree.map(jnp.zeros_like, params) if adam else 0
    box = [(params, zeros, j.tree.map(jnp.copy, zeros), jnp.zeros((), net.dtype))]

    def epoch(order: Any) -> None:
        batches = order[: len(order) // case.batch_size * case.batch_size].reshape(-1, case.batch_size)
        box[0] = j.block_until_ready(run(box[0], batches))

    return Contender(epoch, lambda: np.asarray(box[0][0][0][0]).T)


def sklearn(case: Case, net: Any, x: Any, y: Any, threads: int) -> Contender | None:
    """scikit-learn's MLP where it can do the case: its first layers, its own initial parameters."""
    from sklearn.neural_network import MLPClassifier, MLPRegressor
    from threadpoolctl import threadpool_limits

    if net.spec.activations[-1] == "sigmoid":
        return None
    kind = MLPClassifier if case.cost == "cross_entropy" else MLPRegressor
    adam = hasattr(case.optimizer, "beta1")
    model = kind(
        hidden_layer_sizes=case.sizes[1:-1],
        activation="logistic" if case.activation == "sigmoid" else case.activation,
        solver="adam" if adam else "sgd",
        batch_size=case.batch_size,
        learning_rate_init=case.optimizer.learning_rate,
        momentum=0.0,
        nesterovs_momentum=False,
        alpha=0.0,
        shuffle=True,
    )
    if x.shape[1] * case.sizes[1] > 10**6:  # it always trains on the whole of x: minutes, for large layers
        x, y = x[: 20 * case.batch_size], y[: 20 * case.batch_size]
    xs = x.astype(net.dtype)
    ys = y.ravel() if y.ndim == 2 and y.shape[1] == 1 else y
    classes = {"classes": np.arange(case.sizes[-1])} if kind is MLPClassifier else {}

    def epoch(order: Any) -> None:
        with threadpool_limits(threads):
            model.partial_fit(xs, ys, **classes)

    return Contender(epoch, lambda: None, len(x) // case.batch_size)


PEERS = {"torch": torch, "jax": jax, "sklearn": sklearn, "numpy": numpy}


def installed() -> tuple[list[str], list[str]]:
    """Return the names of the peers that are here, and of those that are not."""
    here = [name for name in PEERS if find_spec(name) is not None]
    return here, [name for name in PEERS if name not in here]
