"""Back-propagation in plain NumPy, to be read beside chapter 2 of Nielsen's book.

Rows are samples: a and z are (m, n_l), w is (n_l, n_(l-1)) with w_jk from neuron k to neuron j.
The book's equations for one sample x become those for m of them by a sum over the rows.
"""

# mypy: disable-error-code="no-any-return"
# (NumPy types its ufuncs and operators as Any.)

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..border.spec import NetworkSpec
from ..formulas import Array
from ..formulas.activations import Activation
from ..formulas.averages import newest_share
from ..formulas.constraints import constrained
from ..formulas.costs import Cost
from ..formulas.dropout import keep_scales
from ..formulas.looks import Looks
from ..formulas.optimizers import Optimizer, update
from ..formulas.penalties import penalty, penalty_gradient
from ..training.loop import NOTHING, Data, Plan, Progress, have_moved
from .base import BaseNetwork
from .reference_looks import Passes, add_change, add_look
from .results import Forward, Gradients

CHUNK = 4096  # samples that predict and evaluate hold at a time

# What is infinite or NaN shows in the cost, where `fit` looks for it.
quietly = np.errstate(over="ignore", invalid="ignore", divide="ignore")


def forward(
    x: Array,
    weights: Sequence[Array],
    biases: Sequence[Array],
    activations: Sequence[Activation],
    keeps: Sequence[Array] | None = None,
) -> Forward:
    """z^l = w^l a^(l-1) + b^l, a^l = σ(z^l)    (25).

    - x: (m, n_0); - keeps: what dropout multiplies each a^l by, x first
    """
    zs, outputs = [], [x]
    for place, (w, b, activation) in enumerate(zip(weights, biases, activations, strict=True)):
        a = outputs[-1] if keeps is None else outputs[-1] * keeps[place]
        zs.append(a @ w.T + b)
        outputs.append(activation.value(zs[-1]))
    return Forward(zs, outputs)


def cost_per_sample(z: Array, a: Array, y: Array, activation: Activation, cost: Cost) -> Array:
    """C_x (m,), from z where output activation and cost belong together, else from a."""
    pair = cost.pair(activation)
    if pair is None or pair.function is None:
        return np.sum(cost.terms(a, y), axis=1)
    of_row = (z.max(axis=1, keepdims=True), a.max(axis=1, keepdims=True)) if pair.over_rows else ()
    return np.sum(pair.function(z, y, *of_row), axis=1)


def output_delta(z: Array, a: Array, y: Array, activation: Activation, cost: Cost) -> Array:
    """δ^L = ∇ₐC ⊙ σ'(z^L)    (BP1).

    - z, a, y: (m, n_L). It is a - y where activation and cost belong together, and Jᵀ ∇ₐC for
      softmax, whose Jacobian is J_jk = a_j (1 if j = k else 0) - a_j a_k.
    """
    pair = cost.pair(activation)
    if pair:
        return pair.delta(a, y)
    nabla_a = cost.slope(a, y)
    if activation.over_rows:
        return activation.scale * a * (nabla_a - np.sum(a * nabla_a, axis=1, keepdims=True))
    return nabla_a * activation.slope(z, a)


def hidden_delta(w_next: Array, delta_next: Array, z: Array, a: Array, prime: Any) -> Array:
    """δ^l = ((w^(l+1))ᵀ δ^(l+1)) ⊙ σ'(z^l)    (BP2).

    - w_next: (n_(l+1), n_l); - delta_next: (m, n_(l+1)); - z, a: (m, n_l); - prime: σ'
    """
    return (delta_next @ w_next) * prime(z, a)


def bias_gradient(delta: Array, share: Array) -> Array:
    """∂C/∂b^l_j = δ^l_j    (BP3), averaged over the samples.

    - delta: (m, n_l); - share (m,): of each sample in C, 1/m if all weigh the same
    """
    return share @ delta


def weight_gradient(a_previous: Array, delta: Array, share: Array) -> Array:
    """∂C/∂w^l_jk = a^(l-1)_k δ^l_j    (BP4), averaged over the samples.

    - a_previous: (m, n_(l-1)); - delta: (m, n_l); - share (m,): as in `bias_gradient`
    """
    return (delta * share[:, None]).T @ a_previous


def backward(
    states: Forward,
    y: Array,
    weights: Sequence[Array],
    spec: NetworkSpec,
    keeps: Sequence[Array] | None = None,
) -> list[Array]:
    """Return δ^l for every computed layer, last to first by BP1 and BP2, in order."""
    zs, activations = states
    rows = spec.activation_rows
    deltas = [output_delta(zs[-1], activations[-1], y, rows[-1], spec.cost_row)]
    for place in range(len(zs) - 2, -1, -1):
        z, a = zs[place], activations[place + 1]
        delta = hidden_delta(weights[place + 1], deltas[0], z, a, rows[place].slope)
        deltas.insert(0, delta if keeps is None else delta * keeps[place + 1])
    return deltas


def targets_of(spec: NetworkSpec, y: Array, dtype: Any) -> Array:
    """Return labels (m,) as rows (m, n_L) of 0 and 1, what is no label as it is; smoothed, if the cost says so."""
    n = spec.sizes[-1]
    rows: Array = spec.cost_row.smooth(y if y.ndim == 2 else np.eye(n, dtype=dtype)[y], n)
    return rows.astype(dtype, copy=False)


class ReferenceNetwork(BaseNetwork, engine="reference"):
    """The network in plain NumPy: the slow truth that `fastbp.Network` is checked against."""

    def _allocate(self) -> None:
        self._rows = self.spec.activation_rows

    def _get_parameters(self) -> tuple[list[Array], list[Array]]:
        return [w.copy() for w in self._weights], [b.copy() for b in self._biases]

    def _set_parameters(self, weights: Sequence[Array], biases: Sequence[Array]) -> None:
        self._weights = [w.copy() for w in weights]
        self._biases = [b.copy() for b in biases]

    @quietly
    def _forward(self, x: Array) -> Forward:
        x = x.astype(self.dtype, copy=False)
        states = forward(x, self._weights, self._biases, self._rows)
        return Forward(states.zs, [a.copy() for a in states.activations])

    def _predict(self, x: Array, out: Array) -> None:
        for start in range(0, len(x), CHUNK):
            rows = slice(start, start + CHUNK)
            out[rows] = self._forward(x[rows]).activations[-1]

    @quietly
    def _backprop(self, x: Array, y: Array) -> Gradients:
        spec, y = self.spec, self._matrix(y)
        states = self._forward(x)
        deltas = backward(states, y, self._weights, spec)
        share = np.full(len(x), 1 / len(x), self.dtype)
        nabla_w, nabla_b = self._gradients(states.activations, deltas, share)
        cost = float(np.mean(self._costs(states, y), dtype=np.float64))
        cost += penalty(self._weights, spec.l1, spec.l2)
        return Gradients(cost, nabla_w, nabla_b, deltas)

    def compiled(self) -> Any:
        """Refuse: this one is plain NumPy."""
        raise TypeError("ReferenceNetwork is plain NumPy, which numba cannot call: write net.to_fast().compiled()")

    def _add_gram(self, j: Array, gram: Array) -> None:
        gram += j.T @ j

    @quietly
    def _input_errors(self, x: Array, y: Array, spec: NetworkSpec) -> Array:
        found = np.empty(x.shape, self.dtype)
        for start in range(0, len(x), CHUNK):
            rows = slice(start, start + CHUNK)
            targets = targets_of(spec, y[rows], self.dtype)
            found[rows] = backward(self._forward(x[rows]), targets, self._weights, spec)[0] @ self._weights[0]
        return found

    @quietly
    def _evaluate(self, x: Array, y: Array) -> tuple[float, int]:
        cost, correct = 0.0, 0
        for start in range(0, len(x), CHUNK):
            rows = slice(start, start + CHUNK)
            states, targets = self._forward(x[rows]), self._matrix(y[rows])
            cost += float(np.sum(self._costs(states, targets), dtype=np.float64))
            correct += int(np.sum(right_answers(states.activations[-1], targets, self.spec.threshold)))
        return cost, correct

    def _new_state(self, optimizer: Optimizer, *, averages: bool = False) -> "State":
        return State([*self._weights, *self._biases], optimizer, averages=averages)

    def _gradient_size(self) -> int:
        return sum(p.size for p in (*self._weights, *self._biases))

    def _read_gradient(self, flat: Array) -> tuple[list[Array], list[Array]]:
        parameters = [*self._weights, *self._biases]
        parts = np.split(flat, np.cumsum([p.size for p in parameters])[:-1])
        arrays = [part.reshape(p.shape) for part, p in zip(parts, parameters, strict=True)]
        return arrays[: len(self._weights)], arrays[len(self._weights) :]

    def _session(
        self, data: Data, plan: Plan, state: "State | None" = None, halves: bool = False
    ) -> "ReferenceSession":
        return ReferenceSession(
            self, data, plan, state or self._new_state(plan.optimizer, averages=plan.ema is not None)
        )

    def _matrix(self, y: Array) -> Array:
        return targets_of(self.spec, y, self.dtype)

    def _costs(self, states: Forward, y: Array) -> Array:
        z, a = states.zs[-1], states.activations[-1]
        return cost_per_sample(z, a, y, self._rows[-1], self.spec.cost_row)

    def _gradients(
        self, inputs: Sequence[Array], deltas: Sequence[Array], share: Array, part: float = 1.0
    ) -> tuple[list[Array], list[Array]]:
        """Return ∂C/∂w and ∂C/∂b by BP3 and BP4, penalties included, of which a part may count."""
        l1, l2 = self.spec.l1 * part, self.spec.l2 * part
        nabla_w = [weight_gradient(a, d, share) for a, d in zip(inputs, deltas, strict=False)]
        if l1 or l2:
            pairs = zip(nabla_w, self._weights, strict=True)
            nabla_w = [g + penalty_gradient(w, l1, l2) for g, w in pairs]
        return nabla_w, [bias_gradient(d, share) for d in deltas]


class State:
    """What an optimizer remembers from step to step."""

    def __init__(self, parameters: Sequence[Array], optimizer: Optimizer, *, averages: bool = False) -> None:
        self.arrays = [[np.zeros_like(p) for _ in optimizer.slots] for p in parameters]
        self.average = [np.zeros_like(p) for p in parameters] if averages else None  # of the parameters
        self.shows_average = False  # it lies where the parameters do, and they lie in its place
        self.steps = 0  # updates made

    def get(self, slot: int) -> tuple[list[Array], list[Array]]:
        """Return copies of one array of state, in the shapes of weights and biases."""
        arrays, half = [slots[slot].copy() for slots in self.arrays], len(self.arrays) // 2
        return arrays[:half], arrays[half:]

    def read_average(self) -> tuple[list[Array], list[Array]]:
        """Return copies of the average, in the shapes of weights and biases."""
        arrays = [mean.copy() for mean in self.average or []]
        return arrays[: len(arrays) // 2], arrays[len(arrays) // 2 :]

    def set_average(self, weights: Sequence[Array], biases: Sequence[Array]) -> None:
        """Copy an average in."""
        for mean, array in zip(self.average or [], [*weights, *biases], strict=True):
            mean[...] = array

    def set(self, slot: int, weights: Sequence[Array], biases: Sequence[Array]) -> None:
        """Copy one array of state in."""
        for slots, array in zip(self.arrays, [*weights, *biases], strict=True):
            slots[slot][...] = array


class ReferenceSession:
    """A run of ReferenceNetwork: the network's own parameters, changed in place."""

    def __init__(self, net: ReferenceNetwork, data: Data, plan: Plan, state: State) -> None:
        self.net, self.plan, self.state = net, plan, state
        self.gathered: list[Array] = []  # the gradient of the mini-batches before, of several that are added up
        self.looks = Looks(net.spec.sizes)
        self._take(data)

    def bind(self, data: Data) -> bool:
        """Take the data of the next mini-batch; False, and nothing done, if it is larger than they are."""
        if len(data.x) > self.plan.batch_size:
            return False
        self._take(data)
        return True

    def _take(self, data: Data) -> None:
        self.x, self.y, weight = data
        self.sample_weight = np.ones(len(data.x), self.net.dtype) if weight is None else weight

    def _parameters(self) -> list[Array]:
        return [*self.net._weights, *self.net._biases]

    @quietly
    def train(
        self, order: Array, first: int, count: int, seed: int, so_far: Progress = NOTHING, rates: Array | None = None
    ) -> Progress:
        """Run mini-batches first .. first + count - 1 of `order`, and add what is seen to what was."""
        size, group = self.plan.batch_size, self.plan.accumulate
        total = np.array(so_far[:3])
        for batch in range(first, first + count):
            places = np.arange(batch * size, min((batch + 1) * size, len(order)))
            rate = self.plan.optimizer.learning_rate if rates is None else rates[batch // group * group]
            looks = self._looks_at_next()
            seen, gradients = self._first_half(order[places], places, seed, looks)
            if gradients is None:
                return Progress._make((*total.tolist(), batch))
            before = [w.copy() for w in self.net._weights] if looks else []
            whole = self._add_up(gradients, order, batch) if group > 1 else gradients
            if whole is not None:
                self._second_half(whole, float(rate))
            if self.plan.journal is not None:
                self.plan.journal[batch, 0] = seen[0]
                self.plan.journal[batch + 1, 1] = sum(np.sum(np.square(w, dtype=float)) for w in self.net._weights)
            if looks:
                add_change(looks, before, self.net._weights)
            total += seen
        return Progress._make((*total.tolist(), -1))

    def _add_up(self, gradients: list[Array], order: Array, batch: int) -> list[Array] | None:
        """Return the gradient over a group of mini-batches after its last, else None: each has its samples' weight."""
        size, group = self.plan.batch_size, self.plan.accumulate
        first = batch // group * group
        weights = (
            self.sample_weight[order[place * size : (place + 1) * size]] for place in range(first, first + group)
        )
        sums = [float(weight.sum()) for weight in weights]
        part = sums[batch - first] / (sum(sums) or 1)
        parts = [g * self.net.dtype.type(part) for g in gradients]
        self.gathered = parts if batch == first else [a + b for a, b in zip(self.gathered, parts, strict=True)]
        due = batch == first + group - 1 or (batch + 1) * size >= len(order)
        return self.gathered if due else None

    def _looks_at_next(self) -> Looks | None:
        """Return where the next mini-batch is noted, if it is looked at."""
        every = self.plan.look_every
        return self.looks if every and self.state.steps % every == 0 else None

    def take_looks(self) -> Looks:
        """Return what was seen since the last time."""
        found, self.looks = self.looks, Looks(self.net.spec.sizes)
        return found

    def _first_half(
        self, rows: Array, places: Array, seed: int, looks: Looks | None = None
    ) -> tuple[Any, list[Array] | None]:
        """Return Σ weight · C_x, Σ weight of right answers, Σ weight; and ∂C/∂w, ∂C/∂b, None where C is not finite."""
        net, weight = self.net, self.sample_weight[rows]
        x = np.asarray(self.x[rows]).astype(net.dtype, copy=False)
        y = net._matrix(self.y[rows])
        keeps = self._keeps(places, seed)
        states = forward(x, net._weights, net._biases, net._rows, keeps)
        cost = float(np.sum(weight * net._costs(states, y), dtype=np.float64))
        right = right_answers(states.activations[-1], y, net.spec.threshold)
        seen = cost, float(weight[right].sum()), float(weight.sum())
        if not np.isfinite(cost):
            return seen, None
        deltas = backward(states, y, net._weights, net.spec, keeps)
        inputs = states.activations
        if keeps is not None:
            inputs = [a * keep for a, keep in zip(inputs, keeps, strict=False)]
        if looks:
            weighted = [delta * weight[:, None] for delta in deltas]
            add_look(looks, net.spec, net._weights, Passes(states, inputs, y, weighted, weight))
        total = weight.sum()
        part = 1 / (total or 1) if self.plan.penalty_per_batch else 1.0
        nabla_w, nabla_b = net._gradients(inputs, deltas, weight / (total or 1), part)
        gradients = [*nabla_w, *nabla_b]
        # A mini-batch without weight says nothing, of penalties neither.
        return seen, gradients if total else [np.zeros_like(g) for g in gradients]

    def _second_half(self, gradients: list[Array], rate: float) -> None:
        """The rule for a gradient that is scaled down where it is too long; then constraints and the average."""
        plan, state, spec = self.plan, self.state, self.net.spec
        half = len(gradients) // 2  # weights, then biases
        if plan.clip_norm is not None:
            gradients = clipped(gradients, plan.clip_norm)
        if plan.clip_layer_norm is not None:
            layers = zip(gradients[:half], gradients[half:], strict=True)
            pairs = [clipped(list(layer), plan.clip_layer_norm) for layer in layers]
            gradients = [*(w for w, _ in pairs), *(b for _, b in pairs)]
        state.steps += 1
        for w, g, slots in zip(self._parameters(), gradients, state.arrays, strict=True):
            update(plan.rule, w, g, slots, state.steps, rate)
        if spec.is_constrained:
            for place, w in enumerate(self.net._weights):
                w[...] = constrained(w, spec.signs[place] if spec.signs else None, spec.max_norm)
        if plan.ema is not None and state.average is not None:
            share = newest_share(plan.ema, state.steps)
            for mean, w in zip(state.average, self._parameters(), strict=True):
                mean += share * (w - mean)

    def show_average(self, shown: bool) -> None:
        """Let the network have the average of its parameters, or have them back; nothing where there is none."""
        state = self.state
        if state.average is not None and state.steps and shown != state.shows_average:
            for mean, w in zip(state.average, self._parameters(), strict=True):
                mean[...], w[...] = w.copy(), mean.copy()
            state.shows_average = shown

    def whole_gradient(self) -> tuple[list[Array], list[Array]]:
        """Return the gradient of mini-batches that were added up, in the shapes of weights and biases."""
        half = len(self.gathered) // 2
        return self.gathered[:half], self.gathered[half:]

    @quietly
    def gradient(self, seed: int) -> Array | None:
        """The first half of a step alone, for all samples: one flat array, None where C is not finite."""
        places = np.arange(len(self.x))
        _, gradients = self._first_half(places, places, seed)
        return None if gradients is None else np.concatenate([g.ravel() for g in gradients])

    @quietly
    def apply(self, gradient: Array, rate: float) -> None:
        """The second half alone."""
        weights, biases = self.net._read_gradient(gradient)
        self._second_half([*weights, *biases], rate)

    def _keeps(self, places: Array, seed: int) -> list[Array] | None:
        spec = self.net.spec
        if not any(spec.dropouts):
            return None
        return keep_scales(seed, places, spec.sizes, spec.dropouts, self.net.dtype)

    def finite(self) -> bool:
        """Whether all parameters are finite."""
        return all(bool(np.isfinite(p).all()) for p in self._parameters())

    def snapshot(self, into: Any = None) -> Any:
        """Return copies of parameters, optimizer state and step count."""
        arrays, average = ([p.copy() for p in some] for some in (self._parameters(), self.state.average or []))
        slots = [[s.copy() for s in slots] for slots in self.state.arrays]
        return arrays, slots, self.state.steps, average, list(self.gathered)

    def moved(self, snapshot: Any) -> bool:
        """Whether any weight differs from the snapshot's by more than STILL of the largest."""
        before, after = ([w.ravel() for w in weights] for weights in (snapshot[0], self.net._weights))
        return have_moved(np.concatenate(after), np.concatenate(before[: len(after)]))

    def restore(self, snapshot: Any) -> None:
        """Return to a snapshot, which stays as it is."""
        parameters, state, self.state.steps, average, self.gathered = snapshot
        for mean, kept in zip(self.state.average or [], average, strict=True):
            mean[...] = kept
        for parameter, kept in zip(self._parameters(), parameters, strict=True):
            parameter[...] = kept
        self.state.arrays = [[s.copy() for s in slots] for slots in state]


def clipped(gradients: list[Array], limit: float) -> list[Array]:
    """∂C/∂w of several arrays, scaled down so that the norm over all of them is at most the limit."""
    norm = float(np.sqrt(sum(np.sum(np.square(g, dtype=np.float64)) for g in gradients)))
    return [g * (limit / norm) for g in gradients] if norm > limit else gradients


def right_answers(a: Array, y: Array, threshold: float = 0.5) -> Array:
    """Whether the largest output is the largest target (one output: above the threshold as y is above ½)."""
    if a.shape[1] == 1:
        return (a[:, 0] > threshold) == (y[:, 0] > 0.5)
    return np.argmax(a, axis=1) == np.argmax(y, axis=1)
