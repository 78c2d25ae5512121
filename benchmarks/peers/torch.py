"""PyTorch: eager with its fused optimizers, and a whole step compiled; denormals are flushed to zero."""

from collections.abc import Callable
from typing import Any

from .contender import Contender, Job, one_by_one


def eager(job: Job) -> Contender:
    """Autograd and torch.optim."""
    import torch

    prepare(job)
    if job.case.optimizer is None:
        return _predict(job, lambda function: function)
    weights, biases = _parameters(job)
    params = [p.requires_grad_() for p in [*weights, *biases]]
    rule = job.case.optimizer
    kind = torch.optim.Adam if hasattr(rule, "beta1") else torch.optim.SGD
    optimizer = kind(params, rule.learning_rate, fused=True)
    cost = _cost(job)
    x, y = torch.from_numpy(job.x), torch.from_numpy(job.y)

    def run(order: Any) -> None:
        for rows in torch.from_numpy(order).split(job.case.batch_size):
            optimizer.zero_grad()
            cost((weights, biases), x[rows], y[rows]).backward()
            optimizer.step()

    return Contender(run, lambda: weights[0].detach().numpy())


def compiled(job: Job) -> Contender:
    """torch.compile of the whole step: gathering the mini-batch, forward, backward and update are one graph."""
    import torch

    prepare(job)
    torch.compiler.reset()
    compiler = torch.compile(fullgraph=True, dynamic=False)
    if job.case.optimizer is None:
        return _predict(job, compiler)
    theta = _parameters(job)
    flat = [*theta[0], *theta[1]]
    cost, rule = _cost(job), job.case.optimizer
    m, v = [torch.zeros_like(p) for p in flat], [torch.zeros_like(p) for p in flat]
    count = torch.zeros(1, dtype=flat[0].dtype)  # of shape () and float64, it would be read before it is counted
    x, y = torch.from_numpy(job.x), torch.from_numpy(job.y)

    def gradients(rows: Any) -> list[Any]:
        nabla_w, nabla_b = torch.func.grad(cost)(theta, x[rows], y[rows])
        return [*nabla_w, *nabla_b]

    def sgd(rows: Any) -> None:
        for p, g in zip(flat, gradients(rows), strict=True):
            p.sub_(rule.learning_rate * g)

    def adam(rows: Any) -> None:
        count.add_(1)
        c1, c2 = 1 - rule.beta1**count, 1 - rule.beta2**count
        for p, g, s, r in zip(flat, gradients(rows), m, v, strict=True):
            s.mul_(rule.beta1).add_((1 - rule.beta1) * g)
            r.mul_(rule.beta2).add_((1 - rule.beta2) * g * g)
            p.sub_(rule.learning_rate * (s / c1) / ((r / c2).sqrt() + rule.epsilon))

    step = compiler(adam if hasattr(rule, "beta1") else sgd)

    def run(order: Any) -> None:
        with torch.no_grad():
            for rows in torch.from_numpy(order).split(job.case.batch_size):
                step(rows)

    return Contender(run, lambda: theta[0][0].numpy())


def prepare(job: Job) -> None:
    """Set what holds for the whole process."""
    import torch

    torch.set_num_threads(job.threads)
    torch.set_flush_denormal(True)


def _parameters(job: Job) -> tuple[list[Any], list[Any]]:
    import torch

    return tuple([torch.from_numpy(a.copy()) for a in arrays] for arrays in (job.net.weights, job.net.biases))


def _forward(job: Job, theta: Any, a: Any) -> Any:
    """Return the output; softmax stays undone, since the cost does it."""
    import torch

    for w, b, name in zip(*theta, job.net.spec.activations, strict=True):
        a = torch.nn.functional.linear(a, w, b)
        if name in ("sigmoid", "tanh", "relu"):
            a = getattr(torch, name)(a)
    return a


def _cost(job: Job) -> Callable[[Any, Any, Any], Any]:
    from torch.nn import functional

    if job.case.cost == "cross_entropy":
        return lambda theta, x, y: functional.cross_entropy(_forward(job, theta, x), y)
    half_n_out = job.case.sizes[-1] / 2
    return lambda theta, x, y: functional.mse_loss(_forward(job, theta, x), y) * half_n_out


def _predict(job: Job, compiler: Callable[[Any], Any]) -> Contender:
    import torch

    theta = _parameters(job)
    forward = compiler(lambda x: _forward(job, theta, x))

    def predict(x: Any) -> Any:
        with torch.inference_mode():
            return forward(torch.from_numpy(x)).numpy()

    return one_by_one(predict, job.x)
