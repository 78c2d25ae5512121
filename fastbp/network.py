"""Network: the fused engine. Memory, and calls into the kernels."""

import math
import threading
from collections.abc import Sequence
from functools import cache
from time import perf_counter
from typing import Any

import numba
import numpy as np

from . import options
from .base import BaseNetwork
from .formulas import Array
from .formulas.optimizers import SGD, Adam
from .kernels import blocks, epoch, online, skipping
from .kernels.activations import ACTIVATION_CODES
from .kernels.costs import cost_code
from .kernels.gemm import product_address
from .kernels.jit import entry
from .kernels.predict import PLAN, predict, predict_one
from .kernels.settings import ADAM, EVALUATE, GRADIENT, MOMENTUM, NESTEROV, PLAIN, SCALED, settings
from .kernels.simd import lanes
from .kernels.team import LINE
from .nonzeros import NO_SHORT_FORM, Nonzeros, find_nonzeros
from .pace import TeamSize
from .parameters import Parameters, aligned
from .processors import team_sizes
from .results import Forward, Gradients
from .team import run_team
from .training import NOTHING, Progress, have_moved
from .workspace import Workspace

PREDICT_ROWS = 256  # samples that predict and forward take at a time


@cache
def _product_address(dtype: str) -> int:
    return product_address(getattr(numba, dtype))


@cache
def _addresses(module: Any, dtype: str, needed: bool, *names: str) -> dict[str, int]:
    return dict(zip(names, module.addresses(getattr(numba, dtype)), strict=True)) if needed else {}


@cache
def _predict_one(dtype: str) -> Any:
    array = numba.types.Array(getattr(numba, dtype), 1, "C")
    return entry(predict_one, numba.boolean(numba.int64, array, array))


def _read_only(array: Array) -> Array:
    """Return a view that numba sees as read-only, so that every kind of input is one signature."""
    view = array.view()
    view.flags.writeable = False
    return view


class Network(BaseNetwork, engine="fast"):
    """A fully connected network whose whole training epoch runs inside compiled kernels."""

    def _allocate(self) -> None:
        self._parameters = Parameters(self.spec.sizes, self.dtype, lanes(self.dtype))
        codes = [ACTIVATION_CODES[name] for name in self.spec.activations]
        self._parameters.layers["activation"] = codes
        self._local = threading.local()  # workspaces: one per thread that predicts

    def _get_parameters(self) -> tuple[list[Array], list[Array]]:
        return self._parameters.get()

    def _set_parameters(self, weights: Sequence[Array], biases: Sequence[Array]) -> None:
        self._parameters.set(weights, biases)

    def workspace_bytes(self, batch_size: int, optimizer: SGD | Adam | None = None) -> int:
        """Return the bytes that `fit` allocates for mini-batches of this size, apart from copies of the data.

        They are the workspace, the optimizer's state, and one copy of parameters and state, to go back to after a
        divergence or Ctrl-C; where an epoch takes longer than a second there is another such copy. Of x there is a
        copy if it has another dtype than the network, and a short form, half as large, if three quarters of it are
        zeros.
        """
        batch_size = options.integer("batch_size", batch_size, low=1)
        slots = options.checked_optimizer(optimizer).num_slots
        space = Workspace(self._parameters, batch_size, max(self._team_sizes(batch_size)), train=True)
        return space.nbytes + (2 * slots + 1) * self._parameters.buffer.nbytes

    def _team_sizes(self, batch_size: int) -> list[int]:
        macs = 3 * batch_size * sum(n * k for n, k in zip(self.spec.sizes, self.spec.sizes[1:], strict=False))
        return team_sizes(self.threads, macs, batch_size)

    def predict(self, x: object, out: Array | None = None) -> Array:
        """Return the output activations: (m, n_0) → (m, n_L), (n_0,) → (n_L,).

        One sample in an array of the network's dtype takes a short way, which checks no more than it must.
        """
        if type(x) is not np.ndarray or x.ndim != 1:  # before the short way is compiled, which a batch does not take
            return super().predict(x, out)
        try:
            plan, dtype, n_out, run = self._local.short_way
        except AttributeError:
            plan, dtype, n_out, run = self._find_short_way()
        if x.dtype is not dtype:
            return super().predict(x, out)
        if out is None:
            out = np.empty(n_out, dtype)
        elif type(out) is not np.ndarray or out.ndim != 1 or out.dtype is not dtype or not out.flags.carray:
            return super().predict(x, out)
        if run(plan, x if x.flags.carray else x.copy(), out):
            return out
        return super().predict(x, out)  # which says what is wrong

    def _find_short_way(self) -> tuple[int, Any, int, Any]:
        """Look up what predicting one sample needs, once per thread: address of a PLAN, dtype, n_L, the kernel."""
        store = self._parameters
        space = Workspace(store, 1, train=False)
        plan = np.zeros(1, PLAN)
        plan["multiply"] = _product_address(self.spec.dtype)
        plan["num_layers"], plan["layers"] = len(space.layers), space.layers.ctypes.data
        plan["num_parameters"], plan["parameters"] = store.buffer.size, store.buffer.ctypes.data
        plan["work_size"], plan["work"] = space.buffer.size, space.buffer.ctypes.data
        self._local.kept = plan, space  # alive, as the parameters are
        self._local.short_way = plan.ctypes.data, self.dtype, self.spec.sizes[-1], _predict_one(self.spec.dtype)
        return self._local.short_way  # type: ignore[no-any-return]

    def _inference_space(self) -> Workspace:
        space: Workspace | None = getattr(self._local, "space", None)
        if space is None:
            space = Workspace(self._parameters, PREDICT_ROWS, train=False)
            self._local.space = space
            self._local.order = np.arange(PREDICT_ROWS)
        return space

    def _run_forward(self, x: Array, *, keep_z: bool) -> Workspace:
        """Run at most PREDICT_ROWS samples; return the workspace that holds the results."""
        space, store = self._inference_space(), self._parameters
        predict(
            _product_address(self.spec.dtype),
            space.layers,
            store.buffer,
            space.buffer,
            _read_only(x),
            self._local.order,
            0,
            len(x),
            keep_z,
        )
        return space

    def _predict(self, x: Array, out: Array) -> None:
        for start in range(0, len(x), PREDICT_ROWS):
            rows = x[start : start + PREDICT_ROWS]
            space = self._run_forward(rows, keep_z=False)
            out[start : start + len(rows)] = space.matrix("output", space.layers[-1], len(rows))

    def _forward(self, x: Array) -> Forward:
        shapes = [(len(x), n) for n in self.spec.sizes]
        zs = [np.empty(shape, self.dtype) for shape in shapes[1:]]
        activations = [x.copy(), *(np.empty(shape, self.dtype) for shape in shapes[1:])]
        for start in range(0, len(x), PREDICT_ROWS):
            rows = slice(start, min(start + PREDICT_ROWS, len(x)))
            m = rows.stop - rows.start
            space = self._run_forward(x[rows], keep_z=True)
            for z, a, layer in zip(zs, activations[1:], space.layers, strict=True):
                z[rows] = space.matrix("delta", layer, m)
                a[rows] = space.matrix("output", layer, m)
        return Forward(zs, activations)

    def _backprop(self, x: Array, y: Array) -> Gradients:
        run = Run(self, x, y, None, GRADIENT, len(x), num_slots=1)
        seen = run.train(np.arange(len(x)), 0, 1, 0)
        nabla_w, nabla_b = self._parameters.read(run.state[: len(self._parameters.buffer)])
        deltas = [run.space.matrix("delta", layer, len(x)) for layer in run.space.layers]
        cost = seen.cost / len(x) + self._penalty()
        return Gradients(math.nan if seen.failed >= 0 else cost, nabla_w, nabla_b, deltas)

    def _evaluate(self, x: Array, y: Array) -> tuple[float, int]:
        run = Run(self, x, y, None, EVALUATE, min(PREDICT_ROWS, len(x)), num_slots=0)
        batches = -(-len(x) // run.batch_size)
        seen = run.train(np.arange(len(x)), 0, batches, 0)
        return (math.nan if seen.failed >= 0 else seen.cost), round(seen.correct)

    def _needs_compiling(self) -> bool:
        compiled = getattr(epoch.train, "signatures", ())  # it is plain Python under NUMBA_DISABLE_JIT
        return not any(str(signature[2].dtype) == self.spec.dtype for signature in compiled)

    def _session(
        self,
        x: Array,
        y: Array,
        sample_weight: Array | None,
        optimizer: SGD | Adam,
        batch_size: int,
        epochs: int = 1,
    ) -> "Run":
        rates: dict[str, float] = {
            name: getattr(optimizer, name)
            for name in ("learning_rate", "momentum", "beta1", "beta2", "epsilon")
            if hasattr(optimizer, name)
        }
        rule = _rule(optimizer)
        return Run(
            self, x, y, sample_weight, rule, batch_size,
            num_slots=optimizer.num_slots, sizes=self._team_sizes(batch_size), epochs=epochs,
            dropout=self.spec.dropout, nonzeros=find_nonzeros(x, batch_size, epochs), **rates,
        )  # fmt: skip


def _rule(optimizer: SGD | Adam) -> int:
    if isinstance(optimizer, Adam):
        return ADAM
    if optimizer.momentum == 0:
        return PLAIN
    return NESTEROV if optimizer.nesterov else MOMENTUM


class Run:
    """Kernels, workspace and data of one run; changes the network's own parameters."""

    def __init__(
        self,
        net: Network,
        x: Array,
        y: Array,
        sample_weight: Array | None,
        rule: int,
        batch_size: int,
        *,
        num_slots: int,
        sizes: Sequence[int] = (1,),
        epochs: int = 1,
        nonzeros: Nonzeros = NO_SHORT_FORM,
        **rates: float,
    ) -> None:
        store, spec = net._parameters, net.spec
        dtype = net.dtype
        self.store, self.batch_size = store, batch_size
        kind = spec.sizes, batch_size, spec.dtype, rule, nonzeros.blocks, tuple(sizes)
        self.team = TeamSize(sizes, epochs * -(-len(x) // batch_size), kind)
        self.space = Workspace(store, batch_size, max(sizes), nonzeros.blocks, train=True)
        self.nonzeros = nonzeros  # alive, as the workspace is: the settings hold addresses
        self.state = aligned(num_slots * store.buffer.size, dtype)
        labelled = y.ndim == 1
        self.data = (
            _read_only(x),
            _read_only(np.empty((0, 0), dtype) if labelled else y),
            _read_only(y if labelled else np.empty(0, np.int64)),
            _read_only(np.empty(0, dtype) if sample_weight is None else sample_weight),
        )
        if rule == PLAIN and not (spec.l1 or spec.l2):
            rule = SCALED
        one_by_one = batch_size == 1 and not nonzeros.blocks and rule not in (GRADIENT, EVALUATE)
        self.settings = settings(
            multiply=_product_address(spec.dtype),
            zeros=self.space.zeros,
            one=self.space.one,
            scratch=self.space.scratch,
            scratch_size=self.space.scratch_size,
            turned=self.space.turned,
            **_addresses(skipping, spec.dtype, bool(nonzeros.blocks), "forward_entries", "add_entries"),
            **_addresses(blocks, spec.dtype, bool(self.space.gradients), "block_gradient", "update_from_blocks"),
            **_addresses(online, spec.dtype, one_by_one, "update_and_forward"),
            starts=nonzeros.starts.ctypes.data,
            entries=nonzeros.entries.ctypes.data,
            picked=self.space.picked.ctypes.data,
            gradients=self.space.gradients,
            slot_size=store.buffer.size,
            batch_size=batch_size,
            cost=cost_code(spec.cost, spec.activations[-1]),
            rule=rule,
            l1=spec.l1,
            l2=spec.l2,
            **rates,
        )
        self.changing = (store.buffer, self.state, self.settings["step"])
        # No mini-batch: compiles the kernel, by one thread, before there is a team in which others would wait for it.
        self._call(np.arange(0), 0, 0, 0, 1, np.zeros(4))

    def train(self, order: Array, first: int, count: int, seed: int, so_far: Progress = NOTHING) -> Progress:
        """Run mini-batches first .. first + count - 1 of `order`, and add what is seen to what was."""
        self.settings["seed"] = seed
        stop = first + count
        while first < stop and so_far.failed < 0:
            size, part = self.team.next(stop - first)
            start = perf_counter()
            so_far = self._train(size, order, first, part, so_far)
            self.team.learn(size, part, perf_counter() - start)
            first += part
        return so_far

    def _train(self, size: int, order: Array, first: int, count: int, so_far: Progress) -> Progress:
        """Run mini-batches by a team of this size."""
        self.space.sync[:] = 0
        seen = np.tile(np.array(so_far, float), (size, 1))

        def work(thread: int, team: int) -> None:
            self._call(order, first, count, thread, team, seen[thread])

        run_team(work, size, self._open_barriers)
        failed = int(seen[0, 3])
        self.settings["step"] += count if failed < 0 else failed - first
        cost, correct, weight = seen[0, :3].tolist()
        return Progress(cost, correct, weight, failed)

    def _call(self, order: Array, first: int, count: int, thread: int, team: int, seen: Array) -> None:
        space = self.space
        epoch.train(
            self.settings, space.layers, self.store.buffer, self.state,
            space.buffer, *self.data, order, space.costs, space.right, space.sync,
            first, count, thread, team, seen,
        )  # fmt: skip

    def _open_barriers(self) -> None:
        """Let a team whose member is missing run to its end; what it computes is worth nothing."""
        self.space.sync[LINE] = 2**62  # more generations than will ever be waited for

    def finite(self) -> bool:
        """Whether all parameters are finite."""
        return bool(np.isfinite(self.store.buffer).all())

    def snapshot(self, into: list[Array] | None = None) -> list[Array]:
        """Return copies of parameters, optimizer state and step count, made in `into` if it is given."""
        snapshot = into or [np.empty_like(array) for array in self.changing]
        for kept, array in zip(snapshot, self.changing, strict=True):
            np.copyto(kept, array)
        return snapshot

    def restore(self, snapshot: list[Array]) -> None:
        """Return to a snapshot, which stays as it is."""
        for kept, array in zip(snapshot, self.changing, strict=True):
            np.copyto(array, kept)

    def moved(self, snapshot: list[Array]) -> bool:
        """Whether any weight differs from the snapshot's by more than STILL of the largest."""
        size = int(self.store.layers[0]["bias"])  # weights come first
        return have_moved(self.store.buffer[:size], snapshot[0][:size])
