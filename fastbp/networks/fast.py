"""Network: the fused engine. Memory, and calls into the kernels."""

import math
import threading
from collections.abc import Callable, Sequence
from functools import cache
from time import perf_counter
from typing import Any

import numba
import numpy as np

from ..border import options
from ..border.sparse import SparseRows
from ..border.spec import NetworkSpec
from ..compiler.jit import entry
from ..errors import warn
from ..formulas import Array
from ..formulas.optimizers import Optimizer
from ..kernels import epoch
from ..kernels.activate import activation_address, needs_z, prime_address
from ..kernels.convert import can_convert, gather_address
from ..kernels.costs import jacobian_follows
from ..kernels.embedded import MOST_STACK, embed
from ..kernels.gram import add_gram
from ..kernels.inputs import input_errors
from ..kernels.looks.gauge import gauge_address
from ..kernels.predict import predict, predict_one
from ..kernels.records import Record
from ..memory.parameters import Parameters, aligned
from ..memory.workspace import Workspace
from ..processors import team_sizes
from ..training.loop import CALL_SECONDS, NOTHING, Data, Plan
from ..vectors.simd import lanes
from .base import BaseNetwork
from .nonzeros import LEAST_EPOCHS, NO_SHORT_FORM, find_nonzeros, of_sparse
from .results import Forward, Gradients
from .run import Run, State, dtype_of, product_address

_kept: list[Any] = []  # what compiled functions have addresses of
NO_ROWS: Any = None  # x of samples that are all in short form
PREDICT_ROWS = 256  # samples that predict and forward take at a time
VIEWS = 10_000  # calls that may be to come, for whoever chooses a team
VIEW_ROWS = 1024  # and who looks at the same samples again and again: a team begins less often


@cache
def _predict_one(dtype: str) -> Any:
    array = numba.types.Array(dtype_of(dtype), 1, "C")
    return entry(predict_one, numba.boolean(numba.int64, array, array))


class Network(BaseNetwork, engine="fast"):
    """A fully connected network whose whole training epoch runs inside compiled kernels."""

    def _allocate(self) -> None:
        if getattr(self, "_compiled", None) is not None:
            warn("the first y has changed the network's output: call compiled() again, what it gave is of the old one")
        self._parameters = Parameters(self.spec.sizes, self.dtype, lanes(self.dtype))
        self._local = threading.local()  # workspaces: one per thread that predicts
        self._compiled: Any = None
        self._coded = False

    def _code(self) -> Parameters:
        """Return the parameters, after the formulas' addresses have been written beside them."""
        if not self._coded:
            dtype, rows = dtype_of(self.spec.dtype), self.spec.activation_rows
            layers = self._parameters.layers
            layers["sigma"] = [activation_address(row, dtype) for row in rows]
            layers["prime"][:-1] = [prime_address(row, dtype) for row in rows[:-1]]
            if jacobian_follows(self.spec.cost_row, rows[-1]):
                layers["prime"][-1] = prime_address(rows[-1], dtype)
            layers["dropout"] = self.spec.dropouts
            self._keep_z = [needs_z(row, dtype) for row in rows]
            self._coded = True
        return self._parameters

    def _get_parameters(self) -> tuple[list[Array], list[Array]]:
        return self._parameters.get()

    def _set_parameters(self, weights: Sequence[Array], biases: Sequence[Array]) -> None:
        self._parameters.set(weights, biases)

    def workspace_bytes(self, batch_size: int, optimizer: Optimizer | None = None) -> int:
        """Return the bytes that `fit` allocates for mini-batches of this size, apart from copies of the data.

        They are the workspace, the optimizer's state, and one copy of parameters and state, to go back to after a
        divergence or Ctrl-C; where an epoch takes longer than a second there is another such copy. Of x there is a
        copy if it has another dtype than the network, and a short form, half as large, if three quarters of it are
        zeros.
        """
        batch_size = options.integer("batch_size", batch_size, low=1)
        slots = len(options.checked_optimizer(optimizer).slots)
        store, threads = self._code(), max(self._team_sizes(batch_size))
        space = Workspace(store, batch_size, threads, train=True, keep_z=self._keep_z)
        return space.nbytes + (2 * slots + 1) * self._parameters.buffer.nbytes

    def _team_sizes(self, batch_size: int) -> list[int]:
        return team_sizes(self.threads, self.spec.macs(batch_size), batch_size)

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

    def compiled(self) -> Any:
        """Return f(x, out), which leaves the outputs of one sample in `out`, for your own ``@njit`` functions.

        x (n_0,) and out (n_L,) are C-contiguous arrays of the network's dtype. Nothing is allocated, no Python is
        called, and any number of threads may be in it, so `prange` is fine. f follows the network: after more training
        it gives the new outputs. x is not checked: NaN gives NaN. The bits are those of `predict`.

        numba does not cache what calls f on disk, since it has addresses of this process in it. The parameters stay in
        memory as long as the process lives.

        Raises
        ------
        ValueError
            where its activations do not fit onto a stack, some 60 000 neurons of float32 in all layers together; and f
            itself, where x or out is of another length

        """
        if self._compiled is None:
            space = Workspace(self._code(), 1, train=False)
            if space.buffer.nbytes > MOST_STACK:
                raise ValueError(
                    f"a sample's activations take {space.buffer.nbytes:,} bytes, of at most {MOST_STACK:,} on a stack; "
                    "write net.predict(x, out=out) instead"
                )
            record = self._record(space)
            _kept.append((record, self._parameters))
            ends = self.spec.sizes[0], self.spec.sizes[-1]
            self._compiled = embed(record, space.buffer.nbytes, ends, dtype_of(self.spec.dtype))
        return self._compiled

    def _find_short_way(self) -> tuple[int, Any, int, Any]:
        """Look up what predicting one sample needs, once per thread: address of a run, dtype, n_L, the kernel."""
        record = self._local.one = self._record(Workspace(self._code(), 1, train=False))
        self._local.short_way = record.address, self.dtype, self.spec.sizes[-1], _predict_one(self.spec.dtype)
        return self._local.short_way  # type: ignore[no-any-return]

    def _record(self, space: Workspace) -> Record:
        """Return a run that only goes forward."""
        store = self._code()
        record = Record(self.spec.dtype, product=product_address(self.spec.dtype), num_layers=len(space.layers))
        record.hold(layers=space.layers, parameters=store.buffer, work=space.buffer)
        return record

    def _run_forward(self, x: Array, *, keep_z: bool) -> Workspace:
        """Run at most PREDICT_ROWS samples; return the workspace that holds the results."""
        local = self._local
        if not hasattr(local, "space"):
            local.space = Workspace(self._code(), PREDICT_ROWS, train=False)
            local.with_z = local.space.layers.copy()
            local.with_z["z"] = local.with_z["delta"]  # which nothing else needs there
            local.record = self._record(local.space)
            local.record.hold(order=np.arange(PREDICT_ROWS))
        space: Workspace = local.space
        local.record.hold(x=x, layers=local.with_z if keep_z else space.layers)
        foreign = x.dtype != self.dtype
        local.record.set(gather_from=gather_address(x.dtype, dtype_of(self.spec.dtype)) if foreign else 0)
        predict(local.record.array, 0, len(x))
        local.record.hold(x=None)
        return space

    def _predict(self, x: Array, out: Array) -> None:
        for start in range(0, len(x), PREDICT_ROWS):
            rows = x[start : start + PREDICT_ROWS]
            space = self._run_forward(rows, keep_z=False)
            out[start : start + len(rows)] = space.matrix("output", space.layers[-1], len(rows))

    def _forward(self, x: Array) -> Forward:
        shapes = [(len(x), n) for n in self.spec.sizes]
        zs = [np.empty(shape, self.dtype) for shape in shapes[1:]]
        activations = [x.astype(self.dtype), *(np.empty(shape, self.dtype) for shape in shapes[1:])]
        for start in range(0, len(x), PREDICT_ROWS):
            rows = slice(start, min(start + PREDICT_ROWS, len(x)))
            m = rows.stop - rows.start
            space = self._run_forward(x[rows], keep_z=True)
            for z, a, layer in zip(zs, activations[1:], space.layers, strict=True):
                z[rows] = space.matrix("delta", layer, m)
                a[rows] = space.matrix("output", layer, m)
        return Forward(zs, activations)

    def _backprop(self, x: Array, y: Array) -> Gradients:
        whole = aligned(self._parameters.buffer.size, self.dtype)
        run = self._run(Data(x, y), len(x), whole=whole)
        seen = run.train(np.arange(len(x)), 0, 1, 0)
        nabla_w, nabla_b = self._parameters.read(whole)
        deltas = [run.space.matrix("delta", layer, len(x)) for layer in run.space.layers]
        cost = seen.cost / len(x) + self._penalty()
        return Gradients(math.nan if seen.failed >= 0 else cost, nabla_w, nabla_b, deltas)

    def _input_errors(self, x: Array, y: Array, spec: NetworkSpec) -> Array:
        rows, output = min(PREDICT_ROWS, len(x)), spec.activation_rows[-1]
        run = Run(self._code(), spec, rows, keep_z=self._keep_z)
        if jacobian_follows(spec.cost_row, output):
            run.space.layers["prime"][-1] = prime_address(output, dtype_of(spec.dtype))
        run.record.set(learns=1, num_samples=len(x))
        run.record.hold(order=np.arange(len(x)))
        run.take(Data(x, y))
        found = np.empty(x.shape, self.dtype)
        for start in range(0, len(x), rows):
            m = min(rows, len(x) - start)
            input_errors(run.record.array, start, m)
            found[start : start + m] = run.space.matrix("input", run.space.layers[0], m)
        return found

    def _add_gram(self, j: Array, gram: Array) -> None:
        add_gram(product_address("float64"), j, gram, lanes(gram.dtype))

    def _evaluate(self, x: Array, y: Array) -> tuple[float, int]:
        batch_size = min(PREDICT_ROWS, len(x))
        batches, order, seen, first, count = -(-len(x) // batch_size), np.arange(len(x)), NOTHING, 0, 1
        run = self._run(Data(x, y), batch_size, sizes=self._team_sizes(batch_size), steps=batches)
        while first < batches and seen.failed < 0:  # in calls of about a tenth of a second, for Ctrl-C
            start, count = perf_counter(), min(count, batches - first)
            seen = run.train(order, first, count, 0, seen)
            first += count
            count = 2 * count if perf_counter() - start < CALL_SECONDS / 2 else count
        return (math.nan if seen.failed >= 0 else seen.cost), round(seen.correct)

    def _viewer(self, x: Array, y: Array) -> Callable[[], tuple[Array, float]]:
        """Return a function that gives outputs (m, n_L) and Σ C_x for checked samples, with the parameters of then.

        What is known of x, its nonzeros, is found out once; the team is as large as pays.
        """
        rows = min(VIEW_ROWS, len(x))
        nonzeros = find_nonzeros(x, rows, LEAST_EPOCHS) if x.dtype == self.dtype else NO_SHORT_FORM
        run = self._run(Data(x, y), rows, sizes=self._team_sizes(rows), input_blocks=nonzeros.blocks, steps=VIEWS)
        run.take(Data(x, y), nonzeros)
        run.compile()
        order, found = np.arange(len(x)), np.empty((len(x), self.spec.sizes[-1]), self.dtype)

        def view() -> tuple[Array, float]:
            cost = 0.0
            for place, start in enumerate(range(0, len(x), rows)):
                cost += run.train(order, place, 1, 0).cost
                m = min(rows, len(x) - start)
                found[start : start + m] = run.space.matrix("output", run.space.layers[-1], m)
            return found.copy(), cost

        return view

    def _run(self, data: Data, batch_size: int, **options: Any) -> Run:
        store = self._code()
        run = Run(store, self.spec, batch_size, keep_z=self._keep_z, **options)
        run.take(data)
        return run

    @staticmethod
    def _converts(dtype: np.dtype[Any]) -> bool:
        return can_convert(dtype)

    def _needs_compiling(self) -> bool:
        compiled = getattr(epoch.train, "signatures", ())  # it is plain Python under NUMBA_DISABLE_JIT
        return not any(str(signature[0].dtype.typeof("one")) == self.spec.dtype for signature in compiled)

    def _new_state(self, optimizer: Optimizer, *, averages: bool = False) -> State:
        return State(self._parameters, optimizer, self.dtype, averages=averages)

    def _gradient_size(self) -> int:
        return self._parameters.buffer.size

    def _read_gradient(self, flat: Array) -> tuple[list[Array], list[Array]]:
        return self._parameters.read(flat)

    def _session(self, data: Data, plan: Plan, state: State | None = None, halves: bool = False) -> Run:
        store, nonzeros = self._code(), NO_SHORT_FORM
        if isinstance(data.x, SparseRows):
            nonzeros, data = of_sparse(data.x), data._replace(x=NO_ROWS)
        elif not self.spec.dropouts[0] and data.x.dtype == self.dtype:  # dropout would make new zeros in each epoch
            nonzeros = find_nonzeros(data.x, plan.batch_size, plan.epochs)
        if plan.look_every:
            store.layers["gauge"] = [gauge_address(row, dtype_of(self.spec.dtype)) for row in self.spec.activation_rows]
        run = Run(
            store, self.spec, plan.batch_size, plan,
            state or self._new_state(plan.optimizer, averages=plan.ema is not None),
            keep_z=self._keep_z, halves=halves,
            whole=aligned(store.buffer.size, self.dtype) if halves or plan.needs_whole else None,
            sizes=self._team_sizes(plan.batch_size), input_blocks=nonzeros.blocks,
            steps=plan.steps or plan.epochs * -(-len(data.y) // plan.batch_size),
        )  # fmt: skip
        run.take(data, nonzeros, drops=True)
        run.compile()
        return run
