"""A run of the fused engine: parameters, optimizer's state, workspace and data, in one record that kernels read."""

from collections.abc import Sequence
from functools import cache
from time import perf_counter
from typing import Any

import numba
import numpy as np

from ..border.spec import NetworkSpec
from ..compiler.interrupts import interrupts_wait
from ..formulas import Array
from ..formulas.looks import Looks
from ..formulas.optimizers import Optimizer
from ..kernels import chains, drop, epoch, looks, online, pieces
from ..kernels.barrier import DONE, ENDED
from ..kernels.clock import seconds_now
from ..kernels.convert import gather_address
from ..kernels.costs import cost_address
from ..kernels.halves import SECOND_HALF, apply_gradient, second_half
from ..kernels.looks.gauge import nabla_squares_address
from ..kernels.products import sparse as skipping
from ..kernels.products.dense import PRODUCT, panel_product
from ..kernels.records import Record
from ..kernels.rules import GRADIENT, Rule, penalty_address, rule_address, rule_of
from ..memory.looks import LookArrays
from ..memory.parameters import Parameters, aligned
from ..memory.workspace import Workspace
from ..training.loop import NOTHING, Data, Plan, Progress, have_moved
from ..training.pace import LATEST, TeamSize, Turn
from ..training.team import run_team
from .constants import Constants
from .nonzeros import NO_SHORT_FORM, Nonzeros

LONG_STEP = 100_000_000  # multiply-adds of a mini-batch from which threads take pieces, see kernels/pieces.py


def dtype_of(name: str) -> Any:
    """Return numba's float32 or float64."""
    return getattr(numba, name)


@cache
def product_address(dtype: str) -> int:
    """Return the address of the product of panels."""
    return PRODUCT.address(panel_product, dtype_of(dtype))


@cache
def addresses(dtype: str, *names: str) -> dict[str, int]:
    """Return the addresses of kernels that not every run needs: who does not need them does not wait for them."""
    callees = {
        "forward_entries": (skipping.FORWARD_ENTRIES, skipping.forward_entries),
        "add_entries": (skipping.ADD_ENTRIES, skipping.add_entries),
        "chain_gradient": (chains.CHAIN_GRADIENT, chains.chain_gradient),
        "update_from_chains": (chains.UPDATE_FROM_CHAINS, chains.update_from_chains),
        "update_and_forward": (online.UPDATE_AND_FORWARD, online.update_and_forward),
        "drop_inputs": (drop.DROP_INPUTS, drop.drop_inputs),
        "drop_errors": (drop.DROP_ERRORS, drop.drop_errors),
        "second_half": (SECOND_HALF, second_half),
        "take_rows": (pieces.TAKE_ROWS, pieces.take_rows),
        "take_updates": (pieces.TAKE_UPDATES, pieces.take_updates),
        **looks.KERNELS,
    }
    return {name: callees[name][0].address(callees[name][1], dtype_of(dtype)) for name in names}


class State:
    """What an optimizer remembers from step to step; it belongs to the run."""

    def __init__(self, parameters: Parameters, optimizer: Optimizer, dtype: Any, *, averages: bool = False) -> None:
        self.parameters = parameters
        self.average = aligned(parameters.buffer.size, dtype) if averages else None  # of the parameters
        self.shows_average = False  # it lies where the parameters do, and they lie in its place
        self.buffer = aligned(len(optimizer.slots) * parameters.buffer.size, dtype)
        self.slots = self.buffer.reshape(len(optimizer.slots), parameters.buffer.size)
        self.step = np.zeros(1, np.int64)

    @property
    def steps(self) -> int:
        """Updates made."""
        return int(self.step[0])

    @steps.setter
    def steps(self, steps: int) -> None:
        self.step[0] = steps

    def get(self, slot: int) -> tuple[list[Array], list[Array]]:
        """Return copies of one array of state, in the shapes of weights and biases."""
        return self.parameters.read(self.slots[slot])

    def read_average(self) -> tuple[list[Array], list[Array]]:
        """Return copies of the average, in the shapes of weights and biases."""
        assert self.average is not None
        return self.parameters.read(self.average)

    def set_average(self, weights: Sequence[Array], biases: Sequence[Array]) -> None:
        """Copy an average in."""
        assert self.average is not None
        self.parameters.write(self.average, weights, biases)

    def set(self, slot: int, weights: Sequence[Array], biases: Sequence[Array]) -> None:
        """Copy one array of state in."""
        self.parameters.write(self.slots[slot], weights, biases)


class Run:
    """Kernels, workspace and data of one run; changes the network's own parameters.

    - plan: None where nothing is changed (to evaluate), or where only the gradient is wanted (`whole`)
    """

    def __init__(
        self,
        parameters: Parameters,
        spec: NetworkSpec,
        batch_size: int,
        plan: Plan | None = None,
        state: State | None = None,
        *,
        keep_z: Sequence[bool],
        whole: Array | None = None,
        halves: bool = False,
        sizes: Sequence[int] = (1,),
        input_blocks: int = 0,
        steps: int = 0,
    ) -> None:
        dtype = dtype_of(spec.dtype)
        self.parameters, self.spec, self.plan, self.state = parameters, spec, plan, state
        self.optimizer = plan.rule if plan else None
        self.whole, self.halves, self.capacity = whole, halves, batch_size
        self.space = Workspace(parameters, batch_size, max(sizes), input_blocks, train=True, keep_z=keep_z)
        self.record = Record(spec.dtype, product=product_address(spec.dtype), **self._settings(batch_size))
        self.record.hold(
            layers=self.space.layers, parameters=parameters.buffer, work=self.space.buffer, costs=self.space.costs,
            right=self.space.right, sync=self.space.sync, seen=self.space.seen, picked=self.space.picked,
        )  # fmt: skip
        self.record.set(cost=cost_address(spec.cost_row, spec.activation_rows[-1], dtype))
        self._choose_rules(dtype, batch_size, input_blocks, sizes)
        if plan:
            self._choose_second_half()
        if plan and plan.look_every:
            self._look(dtype, plan.look_every, max(sizes))
        self.team = TeamSize(sizes, steps, self._kind(batch_size, input_blocks, sizes))

    def _kind(self, *settings: Any) -> Any:
        """What the pace of a step depends on."""
        return self.spec.sizes, self.spec.dtype, self.record["rule"], self.whole is None, str(settings)

    def _settings(self, batch_size: int) -> dict[str, Any]:
        space, spec = self.space, self.spec
        return {
            "zeros": space.zeros,
            "scratch": space.scratch,
            "scratch_size": space.scratch_size,
            "turned": space.turned,
            "sums": space.sums,
            "gradients": space.gradients,
            "num_layers": len(space.layers),
            "num_parameters": self.parameters.buffer.size,
            "num_neurons": int(space.layers["columns"].sum()),
            "capacity": len(space.costs),
            "batch_size": batch_size,
            "l1": spec.l1,
            "l2": spec.l2,
        }

    def _choose_rules(self, dtype: Any, batch_size: int, input_blocks: int, sizes: Sequence[int]) -> None:
        """Set what becomes of the gradient: fused with BP4, or left whole, for a second half to take."""
        record, spec = self.record, self.spec
        rule = None if self.optimizer is None else rule_of(self.optimizer)
        self.constants = (
            Constants(self.optimizer, rule, self.plan.ema) if self.plan and self.optimizer and rule else None
        )
        penalized = bool(spec.l1 or spec.l2)
        if self.whole is not None:
            record.hold(whole=self.whole, state=self.whole)
            record.set(learns=1, rule=rule_address(Rule(GRADIENT), dtype))
            if rule and self.state:
                record.hold(second_state=self.state.buffer)
                self.second_rule = rule_address(rule, dtype)
                record.set(second_rule=0 if self.halves else self.second_rule)
        elif rule and self.state:
            straight = rule.is_straight and not penalized
            record.hold(state=self.state.buffer)
            record.set(learns=1, straight=straight, rule=0 if straight else rule_address(rule, dtype))
            if batch_size == 1 and not input_blocks and not self._goes_on:
                record.set(online=online.online_address(online.STRAIGHT if straight else rule, dtype))
                record.set(**addresses(spec.dtype, "update_and_forward"))
        if penalized and record["learns"]:
            record.set(penalty=penalty_address(dtype))
        if input_blocks:
            record.set(**addresses(spec.dtype, "forward_entries", "add_entries"))
        elif self.space.gradients:
            record.set(**addresses(spec.dtype, "chain_gradient", "update_from_chains"))
        elif max(sizes) > 1 and spec.macs(batch_size) >= LONG_STEP:
            record.set(**addresses(spec.dtype, "take_rows", "take_updates"))

    @property
    def _goes_on(self) -> bool:
        """Whether something follows the update."""
        averages = self.state is not None and self.state.average is not None
        return self.spec.is_constrained or averages or (self.plan is not None and self.plan.journal is not None)

    def _choose_second_half(self) -> None:
        """Set what limits the gradient, and what follows the update."""
        assert self.plan
        record, plan, spec = self.record, self.plan, self.spec
        limit = plan.clip_norm if plan.clip_layer_norm is None else plan.clip_layer_norm
        if limit is not None:
            record.set(clip_norm=limit, clip_layers=plan.clip_layer_norm is not None)
        if spec.max_norm is not None:
            record.set(max_norm=spec.max_norm)
        record.set(penalty_per_batch=plan.penalty_per_batch)
        record.hold(journal=plan.journal)
        if plan.accumulate > 1:
            record.set(accumulate=plan.accumulate)
            self.gathered = aligned(self.parameters.buffer.size, self.parameters.buffer.dtype)
            record.hold(gathered=self.gathered)
        if self.state and self.state.average is not None:
            record.hold(average=self.state.average)
        if spec.signs is not None:
            record.hold(signs=np.concatenate(spec.signs).astype(spec.dtype))
        if self.whole is not None or self._goes_on:
            record.hold(squares=np.zeros(record["num_neurons"]))
            record.set(**({} if self.halves else addresses(spec.dtype, "second_half")))

    def _look(self, dtype: Any, every: int, threads: int) -> None:
        """Look at one in so many mini-batches."""
        whole = self.whole is not None
        self.look_arrays = LookArrays(self.parameters, len(self.space.costs), threads, whole=whole)
        names = ("looks", "row_squares", "neuron_squares", "slopes", "counts", "dots", "before")
        self.record.hold(**{name: getattr(self.look_arrays, name) for name in names})
        self.record.set(
            look_every=every,
            fused=not whole and not self.record["straight"],
            nabla_squares=nabla_squares_address(self.spec.cost_row, self.spec.activation_rows[-1], dtype),
            **addresses(self.spec.dtype, *looks.KERNELS),
        )

    def take_looks(self) -> Looks:
        """Return what was seen since the last time."""
        return self.look_arrays.take(self.spec.sizes)

    def bind(self, data: Data) -> bool:
        """Take the data of the next mini-batch; False, and nothing done, if there is no room for it."""
        if len(data.x) > self.capacity:
            return False
        self.record.set(batch_size=len(data.x))
        self.take(data, drops=True)
        return True

    def take(self, data: Data, nonzeros: Nonzeros = NO_SHORT_FORM, *, drops: bool = False) -> None:
        """Read these samples from now on."""
        labelled = data.y.ndim == 1
        foreign = data.x is not None and data.x.dtype != self.parameters.buffer.dtype
        if foreign:
            self.record.set(gather_from=gather_address(data.x.dtype, dtype_of(self.spec.dtype)))
            self.space.layers["blocks"][0] = -1
        elif self.space.layers["blocks"][0] < 0:  # the mini-batch before was of another dtype
            self.space.layers["blocks"][0] = 0
        if drops and any(self.spec.dropouts):
            self.record.set(**addresses(self.spec.dtype, "drop_inputs", "drop_errors"))
        self.record.hold(
            x=data.x, labels=data.y if labelled else None, targets=None if labelled else data.y,
            weights=data.sample_weight, starts=nonzeros.starts, entries=nonzeros.entries,
        )  # fmt: skip

    def compile(self) -> None:
        """Run no mini-batch: compiles by one thread, before there is a team in which others would wait for it."""
        self._begin(np.arange(0), None, 0, 0)
        epoch.train(self.record.array, 0, 0, 0, 1)

    def train(
        self, order: Array, first: int, count: int, seed: int, so_far: Progress = NOTHING, rates: Array | None = None
    ) -> Progress:
        """Run mini-batches first .. first + count - 1 of `order`, and add what is seen to what was.

        - rates: of each mini-batch of the order; None: the optimizer's, which is a number
        """
        self.record.set(seed=seed)
        stop = first + count
        while first < stop and so_far.failed < 0:
            most = self.constants.most(rates) if self.constants else stop - first
            turn = self.team.next(min(stop - first, most))
            start = perf_counter()
            so_far, made = self._train(turn, order, first, so_far, rates)
            self.team.learn(turn, made, perf_counter() - start)
            first += made
        return so_far

    def _train(
        self, turn: Turn, order: Array, first: int, so_far: Progress, rates: Array | None
    ) -> tuple[Progress, int]:
        """Run mini-batches as it is this team's turn to; return how many it has made before it was too late, too."""
        size, count = turn.size, turn.batches
        self._begin(order, rates, first, count)
        if size > 1:
            now = seconds_now()
            self.record.set(deadline=now + turn.grace, patience=turn.pace, latest=now + LATEST)
        seen = self.space.seen
        seen[:size] = so_far

        def work(thread: int, team: int) -> None:
            epoch.train(self.record.array, first, count, thread, team)

        run_team(work, size, self._open_barriers)
        failed = int(seen[0, 3])
        count = int(self.space.sync[ENDED]) or count
        if self.state and self.plan and not self.halves:
            made = count if failed < 0 else failed - first
            if self.plan.accumulate > 1:
                made = self.plan.updates(first, made, -(-len(order) // self.record["batch_size"]))
            self.state.step += made
        cost, correct, weight = seen[0, :3].tolist()
        return Progress(cost, correct, weight, failed), count

    def _begin(self, order: Array, rates: Array | None, first: int, count: int) -> None:
        self.space.sync[:] = 0
        if order is not self.record.held.get("order"):
            self.record.hold(order=order)
            self.record.set(num_samples=len(order))
        if self.state:
            self.record.set(look_from=self.state.steps - first)  # of more mini-batches to an update nobody looks at one
        if self.constants and self.state and count:
            table, row = self._constants(rates, first, count)
            if table is not self.record.held.get("constants"):
                self.record.hold(constants=table)
                width = table.shape[1]
                self.record.set(num_constants=len(self.constants.names), constants_step=width if len(table) > 1 else 0)
            self.record.set(first_constants=row * table.shape[1])

    def _constants(self, rates: Array | None, first: int, count: int) -> tuple[Array, int]:
        """What the rule needs in mini-batches first .. first + count - 1, and the row of the first."""
        assert self.constants
        assert self.state
        assert self.plan
        if self.plan.accumulate == 1:
            return self.constants.rows(self.state.steps, count, None if rates is None else rates[first : first + count])
        groups = np.arange(first, first + count) // self.plan.accumulate  # a group has the rate that it begins with
        steps = self.state.steps + groups - first // self.plan.accumulate
        return self.constants.at(steps, None if rates is None else rates[groups * self.plan.accumulate]), 0

    def _open_barriers(self) -> None:
        """Let a team whose member is missing run to its end; what it computes is worth nothing."""
        self.space.sync[DONE] = 2**62  # more generations than will ever be waited for

    def whole_gradient(self) -> tuple[list[Array], list[Array]]:
        """Return the gradient that was left whole, in the shapes of weights and biases."""
        assert self.whole is not None
        return self.parameters.read(self.whole)

    def gradient(self, seed: int) -> Array | None:
        """The first half of a step alone: the whole gradient of the mini-batch, None where C is not finite."""
        seen = self.train(np.arange(self.record["batch_size"]), 0, 1, seed)
        return None if self.whole is None or seen.failed >= 0 else self.whole.copy()

    def apply(self, gradient: Array, rate: float) -> None:
        """The second half alone, by one thread."""
        assert self.whole is not None
        np.copyto(self.whole, gradient)
        self._begin(np.arange(0), np.array([rate]), 0, 1)
        self.record.set(second_rule=self.second_rule)
        apply_gradient(self.record.array, 0, 1)
        if self.state:
            self.state.step += 1

    def show_average(self, shown: bool) -> None:
        """Let the network have the average of its parameters, or have them back; nothing where there is none."""
        state = self.state
        if state and state.average is not None and state.steps and shown != state.shows_average:
            average, parameters = state.average, self.parameters.buffer
            average[...], parameters[...] = parameters.copy(), average.copy()
            state.shows_average = shown

    def finite(self) -> bool:
        """Whether all parameters are finite."""
        return bool(np.isfinite(self.parameters.buffer).all())

    @property
    def _changing(self) -> tuple[Array, ...]:
        state = self.state
        if not state:
            return (self.parameters.buffer,)
        more = (state.average, self.gathered if self.plan and self.plan.accumulate > 1 else None)
        return (self.parameters.buffer, state.buffer, state.step, *(array for array in more if array is not None))

    def snapshot(self, into: list[Array] | None = None) -> list[Array]:
        """Return copies of parameters, optimizer state and step count, made in `into` if it is given."""
        snapshot = into or [np.empty_like(array) for array in self._changing]
        for kept, array in zip(snapshot, self._changing, strict=True):
            np.copyto(kept, array)
        return snapshot

    def restore(self, snapshot: list[Array]) -> None:
        """Return to a snapshot, which stays as it is; a second Ctrl-C does not come in between."""
        with interrupts_wait():
            for kept, array in zip(snapshot, self._changing, strict=True):
                np.copyto(array, kept)

    def moved(self, snapshot: list[Array]) -> bool:
        """Whether any weight differs from the snapshot's by more than STILL of the largest."""
        size = int(self.parameters.layers[0]["bias"])  # weights come first
        return have_moved(self.parameters.buffer[:size], snapshot[0][:size])
