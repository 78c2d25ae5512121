"""JAX: the whole epoch in one jitted scan with donated buffers; its threads are set before it is imported."""

from typing import Any

import numpy as np

from .contender import Contender, Job, one_by_one


def scanned(job: Job) -> Contender:
    """One call per epoch; one call per prediction."""
    import jax
    import jax.numpy as jnp

    jax.config.update("jax_enable_x64", job.net.spec.dtype == "float64")
    functions = {"sigmoid": jax.nn.sigmoid, "tanh": jnp.tanh, "relu": jax.nn.relu}
    case, rule, names = job.case, job.case.optimizer, job.net.spec.activations
    params = [(jnp.asarray(w.T), jnp.asarray(b)) for w, b in zip(job.net.weights, job.net.biases, strict=True)]

    def forward(params: Any, a: Any) -> Any:
        for (w, b), name in zip(params, names, strict=True):
            a = functions.get(name, lambda z: z)(a @ w + b)
        return a

    if rule is None:
        call = jax.jit(forward)
        return one_by_one(lambda x: np.asarray(call(params, x)), job.x)

    xs, ys = jnp.asarray(job.x), jnp.asarray(job.y)

    def cost(params: Any, rows: Any) -> Any:
        a = forward(params, xs[rows])
        if case.cost == "quadratic":
            return jnp.sum((a - ys[rows]) ** 2) / (2 * len(rows))
        return -jnp.mean(jax.nn.log_softmax(a)[jnp.arange(len(rows)), ys[rows]])

    def sgd(state: Any, rows: Any) -> Any:
        new = jax.tree.map(lambda p, g: p - rule.learning_rate * g, state, jax.grad(cost)(state, rows))
        return new, None

    def adam(state: Any, rows: Any) -> Any:
        params, m, v, count = state
        nabla = jax.grad(cost)(params, rows)
        count = count + 1
        m = jax.tree.map(lambda s, g: rule.beta1 * s + (1 - rule.beta1) * g, m, nabla)
        v = jax.tree.map(lambda s, g: rule.beta2 * s + (1 - rule.beta2) * g * g, v, nabla)
        c1, c2 = 1 - rule.beta1**count, 1 - rule.beta2**count
        new = jax.tree.map(
            lambda p, s, r: p - rule.learning_rate * (s / c1) / (jnp.sqrt(r / c2) + rule.epsilon), params, m, v
        )
        return (new, m, v, count), None

    state: Any = params
    step = sgd
    if hasattr(rule, "beta1"):
        zeros = [jax.tree.map(jnp.zeros_like, params) for _ in range(2)]
        state, step = (params, *zeros, jnp.zeros((), job.net.dtype)), adam
    epoch = jax.jit(lambda state, batches: jax.lax.scan(step, state, batches)[0], donate_argnums=0)

    def run(order: Any) -> None:
        nonlocal state
        state = jax.block_until_ready(epoch(state, order.reshape(-1, case.batch_size)))

    def result() -> Any:
        return np.asarray(jax.tree.leaves(state)[0]).T

    return Contender(run, result)
