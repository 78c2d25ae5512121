"""Is the fast engine right? The same numbers from both engines, side by side.

The truth is a ReferenceNetwork in float64 with the very parameters of the network under check,
whatever its dtype. An array g passes against the truth g* if

    max|g - g*| <= TOLERANCES[dtype] √max(n, m) (L + 1) k max|t|  +  16 u/u₃₂ max|g₃₂ - g*|

- n: widest layer; - m: samples; - L: computed layers; - k: training steps, 1 for a gradient;
- t: g*, and where g* is a gradient, the sum that it would be if no two samples cancelled, as they
  do in a network that has learned all it can: Σ|δ| / m for Σδ / m;
- u: unit roundoff of the dtype under check, u₃₂ that of float32;
- g₃₂: the same from a ReferenceNetwork in float32. The second term is what single precision does
  to these very numbers: in a trained network a - y cancels, and no engine can save the digits.

Where z lies on a kink of σ, such as the 0 of a relu whose inputs and bias are 0, rounding decides on which side, and
training goes other ways from there. So where training steps fail, the truth is trained again from parameters moved by a
rounding, SHAKES times; how far it goes from itself is added to what is allowed.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import partial

import numpy as np

from ..border.options import checked_optimizer, integer
from ..errors import DivergenceError
from ..formulas import Array
from ..formulas.optimizers import SGD, Adadelta, Adagrad, Adam, AdamW, Nadam, Optimizer, RMSprop
from ..networks.base import BaseNetwork
from ..networks.reference import ReferenceNetwork
from ..training.loop import Data, Plan, Task
from .report import CheckReport, Row

ROUNDOFF = {"float32": 2.0**-24, "float64": 2.0**-53}
TOLERANCES = {dtype: 16 * u for dtype, u in ROUNDOFF.items()}

SINGLE = ("cost", "evaluate", "predict")  # one number or array, no list over layers

MAX_ROWS = 1024  # of x, in the comparison of single passes
SHAKES = 8  # a z on a kink falls on the other side in one of them: all but one time in 256

# Adam divides by √v + ε: where a gradient is nearly 0, a small ε would make rounding errors steps.
OPTIMIZERS: tuple[Optimizer, ...] = (
    SGD(0.03),
    SGD(0.03, momentum=0.9),
    SGD(0.03, momentum=0.9, nesterov=True),
    Adam(1e-3, epsilon=1e-4),
    AdamW(1e-3, epsilon=1e-4),
    RMSprop(1e-3, epsilon=1e-3),
    Nadam(1e-3, epsilon=1e-4),
    Adagrad(1e-2, epsilon=1e-3),
    Adadelta(0.1, epsilon=1e-2),
)

Quantities = dict[str, Sequence[Array]]


def cross_check(
    net: BaseNetwork,
    x: object,
    y: object,
    *,
    steps: int = 20,
    batch_size: int = 10,
    optimizer: Optimizer | Iterable[Optimizer] | None = None,
) -> CheckReport:
    """Compare `net` with the reference on one pass over x and on `steps` training steps.

    `optimizer` is one or several; by default every kind takes its turn, at a learning rate at
    which this network does not diverge. The network itself is not changed: copies are trained, on
    as many mini-batches of x as there are steps, the last one half as long.
    """
    steps = integer("steps", steps, low=1)
    batch_size = integer("batch_size", batch_size, low=1)
    x, y = net._checked(x, y)
    truth, single = references(net)
    rows = _check_passes(net, truth, single, x[:MAX_ROWS], y[:MAX_ROWS])
    chosen = np.resize(np.arange(len(x)), steps * batch_size - batch_size // 2)

    def train(n: BaseNetwork, one: Optimizer) -> Quantities:
        twin = n._twin(type(n))
        twin._train(Task(Data(x[chosen], y[chosen]), Plan(one, batch_size), shuffle=False))
        what = f"after {steps} steps of {one}"
        return {f"weights {what}": twin.weights, f"biases {what}": twin.biases}

    optimizers = _optimizers(optimizer)
    if optimizer is None:
        same_dtype = truth if net.dtype == truth.dtype else single
        optimizers = [_tamed(one, partial(train, same_dtype)) for one in optimizers]
    for one in optimizers:
        measure = partial(train, one=one)
        found = compare(measure, net, truth, single, batch_size, steps)
        if not all(row.passed for row in found):
            found = forgiving(found, measure, truth, ROUNDOFF[net.spec.dtype])
        rows += found
    title = f"{net!r} against the reference in float64"
    return CheckReport(title, tuple(rows))


def compare(
    measure: Callable[[BaseNetwork], Quantities],
    net: BaseNetwork,
    truth: BaseNetwork,
    single: BaseNetwork,
    m: int,
    steps: int = 1,
    terms: Quantities | None = None,
) -> list[Row]:
    """Measure the same quantities of three networks, and return a row for each array.

    `terms` has t, where it may be larger than g*.
    """
    got, right = measure(net), measure(truth)
    rough = _measured_in_single(measure, single)
    base = tolerance(net, m) * steps
    rounding = 16 * ROUNDOFF[net.spec.dtype] / ROUNDOFF["float32"]
    rows = []
    for name, arrays in got.items():
        for place, (g, g_true) in enumerate(zip(arrays, right[name], strict=True)):
            drift = max_error(rough[name][place], g_true) if rough else 0.0
            scale = float(np.max(np.abs(g_true))) or 1.0
            reach = float(np.max(terms[name][place])) if terms and name in terms else 0.0
            allowed = base * max(1.0, reach / scale) + rounding * drift / scale
            layer = None if name in SINGLE else place
            rows.append(Row(name, layer, max_error(g, g_true) / scale, allowed))
    return rows


def forgiving(
    rows: Sequence[Row], measure: Callable[[BaseNetwork], Quantities], truth: BaseNetwork, u: float
) -> list[Row]:
    """Return rows that allow also what a rounding u of the parameters does to the truth, where it does not diverge."""
    right = measure(truth)
    spread = {(name, place): 0.0 for name, arrays in right.items() for place in range(len(arrays))}
    for shake in range(SHAKES):
        try:
            moved = measure(_shaken(truth, u, np.random.default_rng(shake)))
        except DivergenceError:
            continue
        for name, place in spread:
            scale = float(np.max(np.abs(right[name][place]))) or 1.0
            distance = max_error(moved[name][place], right[name][place]) / scale
            spread[name, place] = max(spread[name, place], distance)
    return [row._replace(tolerance=row.tolerance + 2 * spread[row.quantity, row.layer or 0]) for row in rows]


def _shaken(truth: BaseNetwork, u: float, rng: np.random.Generator) -> BaseNetwork:
    """Return a copy whose parameters are each moved by at most a rounding of their layer's largest."""
    twin = truth._twin(type(truth))
    weights, biases = twin._get_parameters()
    for w, b in zip(weights, biases, strict=True):
        largest = max(np.abs(w).max(), np.abs(b).max())
        for array in (w, b):
            array += u * largest * rng.uniform(-1, 1, array.shape)
    twin._set_parameters(weights, biases)
    return twin


def gradient_terms(truth: BaseNetwork, x: Array, y: Array) -> Quantities:
    """Return Σ|δ| / m and Σ|δ||a| / m, for BP3 and BP4."""
    deltas = [np.abs(delta) for delta in truth.backprop(x, truth._named(y)).deltas]
    inputs = [np.abs(a) for a in truth.forward(x).activations[:-1]]
    return {
        "nabla_b": [delta.mean(axis=0) for delta in deltas],
        "nabla_w": [delta.T @ a / len(x) for delta, a in zip(deltas, inputs, strict=True)],
    }


def tolerance(net: BaseNetwork, m: int) -> float:
    """TOLERANCES[dtype] √max(n, m) (L + 1)."""
    largest = max(*net.sizes, m)
    return TOLERANCES[net.spec.dtype] * float(np.sqrt(largest)) * net.num_layers


def max_error(g: Array, g_true: Array) -> float:
    """max|g - g*|, in float64; NaN if either has one."""
    return float(np.max(np.abs(np.asarray(g, np.float64) - g_true)))


def references(net: BaseNetwork) -> tuple[BaseNetwork, BaseNetwork]:
    """Return the truth in float64, and the same in float32."""
    with np.errstate(over="ignore"):
        return net._twin(ReferenceNetwork, "float64"), net._twin(ReferenceNetwork, "float32")


def _tamed(optimizer: Optimizer, train: Callable[[Optimizer], object]) -> Optimizer:
    """Return the optimizer at the first of ever smaller learning rates that does not diverge."""
    while True:
        try:
            train(optimizer)
        except DivergenceError:
            if optimizer.learning_rate < 1e-9:
                raise
            optimizer = replace(optimizer, learning_rate=optimizer.learning_rate / 100)  # type: ignore[type-var]
        else:
            return optimizer


def _optimizers(optimizer: object) -> Sequence[Optimizer]:
    if optimizer is None:
        return OPTIMIZERS
    several = optimizer if isinstance(optimizer, Iterable) and not isinstance(optimizer, str) else [optimizer]
    return [checked_optimizer(one) for one in several]


def _measured_in_single(measure: Callable[[BaseNetwork], Quantities], single: BaseNetwork) -> Quantities | None:
    """Return the quantities in float32, or None where that is not wide enough for them."""
    try:
        with np.errstate(all="ignore"):
            quantities = measure(single)
    except (DivergenceError, ValueError):
        return None
    arrays = [a for arrays in quantities.values() for a in arrays]
    return quantities if all(np.isfinite(a).all() for a in arrays) else None


def _check_passes(net: BaseNetwork, truth: BaseNetwork, single: BaseNetwork, x: Array, y: Array) -> list[Row]:
    def passed_forward(n: BaseNetwork) -> Quantities:
        states = n.forward(x)
        cost = np.array(n.evaluate(x, n._named(y)).cost)
        return {
            "zs": states.zs,
            "activations": states.activations,
            "predict": [n.predict(x)],
            "evaluate": [cost],
        }

    keep = _same_side([net, truth, single], x)

    def passed_backward(n: BaseNetwork) -> Quantities:
        found = n.backprop(x[keep], n._named(y[keep]))
        arrays = {name: getattr(found, name) for name in ("deltas", "nabla_w", "nabla_b")}
        return {"cost": [np.array(found.cost)], **arrays}

    rows = compare(passed_forward, net, truth, single, len(x))
    terms = gradient_terms(truth, x[keep], y[keep])
    return rows + compare(passed_backward, net, truth, single, len(x), terms=terms)


def _same_side(nets: Sequence[BaseNetwork], x: Array) -> Array:
    """Rows of x whose z are on the same side of the kinks of σ in every network.

    Where rounding decides on which side z falls, σ' is 0 for one network and 1 for the other,
    and both are right; z itself is compared for every row.
    """
    places = [(i, kink) for i, row in enumerate(nets[0].spec.activation_rows) for kink in row.kinks]
    keep = np.ones(len(x), bool)
    if places:
        with np.errstate(over="ignore"):
            signs = [[n._forward(x.astype(n.dtype)).zs[i] > kink for i, kink in places] for n in nets]
        for other in signs[1:]:
            for one, two in zip(signs[0], other, strict=True):
                keep &= np.all(one == two, axis=1)
    return keep if keep.any() else ~keep
