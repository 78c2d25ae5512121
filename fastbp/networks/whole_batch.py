"""Training by methods that take all samples at once: L-BFGS by SciPy, and Levenberg-Marquardt."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from ..formulas import Array
from ..formulas.second_order import LBFGS, LevenbergMarquardt
from ..training.loop import Data, Progress, have_moved
from .engine import GRAM_COLUMNS
from .objective import Objective, flatten, unflatten
from .predicting import OUTPUT

MOST_BYTES = 2**30  # of JᵀJ
BLOCK = 2**22  # numbers of J at a time
TRIES = 40  # of a smaller step, each shorter than the one before

EndOfEpoch = Callable[[Progress], bool]  # whether to stop


class WholeBatchSession:
    """What both share: the network, whose parameters are those of the last iteration."""

    net: Any

    def show_average(self, shown: bool) -> None:
        """There is none."""

    def snapshot(self) -> Array:
        """Return the parameters."""
        return flatten(*self.net._get_parameters())

    def moved(self, before: Array) -> bool:
        """Whether any has changed to speak of."""
        return have_moved(self.snapshot(), before)


class ByLBFGS(WholeBatchSession):
    """Iterations of SciPy's L-BFGS-B; the network has the parameters of the last."""

    def __init__(self, net: Any, data: Data, method: LBFGS) -> None:
        self.net, self.method = net, method
        self.objective = Objective(net, data)

    def drive(self, epochs: int, end_epoch: EndOfEpoch) -> None:
        """Minimize C; a line search that finds no lower C ends the run, as one that has converged does."""
        try:
            from scipy.optimize import minimize
        except ImportError:
            raise ImportError("LBFGS needs SciPy: pip install 'fastbp[scipy]', or pip install scipy") from None
        net = self.net

        def after(intermediate_result: Any) -> None:
            net._set_parameters(*unflatten(intermediate_result.x, net.sizes, net.dtype))
            self.objective(intermediate_result.x)
            if end_epoch(self.objective.seen):
                raise StopIteration

        minimize(
            self.objective, flatten(*net._get_parameters()), jac=True, method="L-BFGS-B", callback=after,
            options={"maxiter": epochs, "maxfun": 100 * epochs, "maxcor": self.method.memory,
                     "ftol": self.method.tolerance, "gtol": self.method.tolerance},
        )  # fmt: skip


class ByLevenbergMarquardt(WholeBatchSession):
    """Damped Gauss-Newton steps, in float64 whatever the network's dtype."""

    def __init__(self, net: Any, data: Data, method: LevenbergMarquardt) -> None:
        spec = net.spec
        count = flatten(*net._get_parameters()).size
        if not spec.cost_row.half_square:
            raise ValueError(f"LevenbergMarquardt is for cost quadratic, not {spec.cost}; try fastbp.LBFGS()")
        if spec.l1:
            raise ValueError("LevenbergMarquardt takes l2, not l1, whose slope jumps; try fastbp.LBFGS()")
        if 8 * count * count > MOST_BYTES:
            raise ValueError(
                f"LevenbergMarquardt keeps a number for each pair of parameters: {count:,} of these would take "
                f"{8 * count * count / 2**30:.1f} GiB, at most {MOST_BYTES / 2**30:g} are allowed; try fastbp.LBFGS()"
            )
        self.net, self.method, self.count = net, method, count
        double = replace(spec, dtype="float64", dropout=0.0)
        x = np.ascontiguousarray(data.x, np.float64)
        y = data.y if data.y.ndim == 1 else np.ascontiguousarray(data.y, np.float64)
        weight = None if data.sample_weight is None else data.sample_weight.astype(np.float64)
        twin = net._assemble(double, *net._get_parameters(), net.threads)
        self.objective = Objective(twin, Data(x, y, weight))
        one_output = replace(double, cost=OUTPUT.name, formulas=(*spec.formulas, OUTPUT), l1=0.0, l2=0.0)
        self.probe = net._assemble(one_output, *net._get_parameters(), net.threads)  # whose δ are those of one output
        self.x, self.y = x, np.eye(spec.sizes[-1])[y] if y.ndim == 1 else y
        share = np.full(len(x), 1 / len(x)) if weight is None else weight / (weight.sum() or 1)
        self.root = np.sqrt(share)
        self.decay = np.zeros(count)
        self.decay[: count - sum(spec.sizes[1:])] = spec.l2  # of the weights, which come first

    def normal_equations(self, flat: Array) -> tuple[Array, Array]:
        """Return H = Σ share · JᵀJ + l2 (P, P), and ∂C/∂w = Σ share · Jᵀ(a - y) + l2 w (P,)."""
        n_out, probe, count = self.y.shape[1], self.probe, self.count
        probe._set_parameters(*unflatten(flat, probe.sizes, np.float64))
        columns = -(-(count + 1) // GRAM_COLUMNS) * GRAM_COLUMNS  # the first that is none of J is r: Jᵀr comes along
        gram = np.zeros((columns, columns))
        step, units = max(1, BLOCK // (columns * n_out)), np.eye(n_out)
        for start in range(0, len(self.x), step):
            rows = slice(start, start + step)
            x, root = np.repeat(self.x[rows], n_out, axis=0), np.repeat(self.root[rows], n_out)
            activations = probe._forward(x).activations
            deltas = probe._backprop(x, np.tile(units, (len(x) // n_out, 1))).deltas
            j = np.zeros((len(x), columns))
            pairs = zip(deltas, activations, strict=False)
            products = [(delta[:, :, None] * a[:, None, :]).reshape(len(x), -1) for delta, a in pairs]
            np.concatenate([*products, *deltas], axis=1, out=j[:, :count])
            j[:, count] = (activations[-1][::n_out] - self.y[rows]).ravel()
            j *= root[:, None]
            probe._add_gram(j, gram)
        gradient = gram[:count, count] + self.decay * flat
        gram = np.triu(gram[:count, :count])
        gram += np.triu(gram, 1).T
        gram[np.diag_indices(count)] += self.decay
        return gram, gradient

    def drive(self, epochs: int, end_epoch: EndOfEpoch) -> None:
        """Make steps until none lowers C any more."""
        net, flat = self.net, flatten(*self.net._get_parameters())
        cost, _ = self.objective(flat)
        damping, growth = 0.0, 2.0
        for _ in range(epochs):
            gram, gradient = self.normal_equations(flat)
            diagonal = np.diag_indices(self.count)
            damping = damping or self.method.damping * max(float(gram[diagonal].max()), 1e-30)
            lowered, before = False, cost
            for _ in range(TRIES):
                gram[diagonal] += damping
                try:
                    change = np.linalg.solve(gram, -gradient)
                except np.linalg.LinAlgError:
                    change = np.zeros(self.count)
                gram[diagonal] -= damping
                foretold = 0.5 * float(change @ (damping * change - gradient))
                found, _ = self.objective(flat + change)
                gain = (cost - found) / foretold if foretold > 0 else -1.0
                if found < cost and gain > 0:
                    flat, cost, lowered = flat + change, found, True
                    damping *= max(1 / 3, 1 - (2 * gain - 1) ** 3)
                    growth = 2.0
                    break
                damping, growth = damping * growth, 2 * growth
            if not lowered:
                self.objective(flat)
            net._set_parameters(*unflatten(flat, net.sizes, net.dtype))
            if end_epoch(self.objective.seen) or not lowered or before - cost <= self.method.tolerance * before:
                return


def whole_batch_session(net: Any, data: Data, method: Any) -> Any:
    """Return what makes the iterations of a method."""
    return ByLBFGS(net, data, method) if isinstance(method, LBFGS) else ByLevenbergMarquardt(net, data, method)
