"""One record for a run: where its arrays lie, what is called by address, and what is set.

Kernels get the record, and find everything from it by name. Addresses instead of arrays: a slice of a numba array
counts references with atomic instructions, and two threads that do so fight over one cache line.
"""

from functools import cache
from typing import Any

import numpy as np
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic
from numba.np import numpy_support

from ..parameters import LAYER as LAYER_DTYPE
from .callee import Kind
from .simd import dtype_of

FIELDS = {
    # addresses of arrays
    "layers": np.int64,  # (num_layers,) of LAYER
    "parameters": np.int64,  # (num_parameters,)
    "state": np.int64,  # (slots, num_parameters)
    "work": np.int64,  # the workspace
    "x": np.int64,  # (N, n_0)
    "targets": np.int64,  # (N, n_L), or 0
    "labels": np.int64,  # (N,) of int64, or 0
    "weights": np.int64,  # (N,) of the samples, or 0
    "order": np.int64,  # (num_samples,) of int64: the samples of an epoch, one mini-batch after the other
    "constants": np.int64,  # (steps, num_constants) of float64, see rules.py
    "costs": np.int64,  # (batch_size,) of float64: weight · C_x
    "right": np.int64,  # (batch_size,) of float64: weight where the answer is right, else 0
    "seen": np.int64,  # (threads, 4) of float64, see epoch.py
    "sync": np.int64,  # see team.py
    "starts": np.int64,  # see nonzeros.py
    "entries": np.int64,
    "picked": np.int64,
    "whole": np.int64,  # (num_parameters,): the gradient, where it is wanted whole, see halves.py; or 0
    "second_state": np.int64,  # (slots, num_parameters), of the rule that takes the whole gradient
    "squares": np.int64,  # (num_squares,) of float64: Σ (∂C/∂w)² of each neuron
    # addresses of functions, 0 where there is nothing to do
    "product": np.int64,
    "cost": np.int64,
    "rule": np.int64,
    "penalty": np.int64,
    "online": np.int64,
    "second_rule": np.int64,  # what becomes of the whole gradient
    "forward_entries": np.int64,
    "add_entries": np.int64,
    "block_gradient": np.int64,
    "update_from_blocks": np.int64,
    "update_and_forward": np.int64,
    # offsets in work, in numbers
    "zeros": np.int64,  # (panel,) of 0
    "scratch": np.int64,  # (threads, scratch_size)
    "scratch_size": np.int64,
    "turned": np.int64,  # in a thread's scratch: a transposed panel
    "gradients": np.int64,  # (blocks of samples, num_parameters), see blocks.py; 0: none
    # sizes and settings
    "num_layers": np.int64,
    "num_parameters": np.int64,
    "num_squares": np.int64,
    "num_samples": np.int64,
    "num_constants": np.int64,
    "first_constants": np.int64,  # where those of this call's first mini-batch begin
    "constants_step": np.int64,  # numbers from one mini-batch's constants to the next: 0 if they are all the same
    "batch_size": np.int64,
    "learns": np.int64,  # 0: nothing is changed
    "straight": np.int64,  # plain SGD without penalties, which adds -η/m δ aᵀ straight to w
    "seed": np.uint64,  # of dropout in this epoch
    "l1": np.float64,
    "l2": np.float64,
    "dropout": np.float64,
    "clip_norm": np.float64,  # of the whole gradient; inf: as it is
}  # fmt: skip


@cache
def record_of(dtype: str) -> np.dtype[Any]:
    """Return the record for numbers of float32 or float64; `one` is the input of every bias."""
    return np.dtype([*FIELDS.items(), ("one", dtype)], align=True)


PLACES = {name: place for place, name in enumerate(FIELDS)}  # in words of 8 bytes
DOUBLES = {name for name, kind in FIELDS.items() if kind is np.float64}


class Record:
    """A run's record, and the arrays whose addresses are in it: they live as long as it does."""

    def __init__(self, dtype: str, **values: Any) -> None:
        self.array = np.ones(1, record_of(dtype))
        # To set an element of the record itself takes 250 ns, of these 60
        self.words = self.array.view(np.uint8)[: 8 * len(FIELDS)].view(np.int64)
        self.doubles = self.words.view(np.float64)
        self.words[:] = 0
        self.held: dict[str, Any] = {}
        self.set(**{"clip_norm": np.inf} | values)

    @property
    def address(self) -> int:
        """Where the record lies."""
        return int(self.array.ctypes.data)

    def set(self, **values: Any) -> None:
        """Set addresses of functions, offsets, sizes and settings."""
        for name, value in values.items():
            (self.doubles if name in DOUBLES else self.words)[PLACES[name]] = value

    def __getitem__(self, name: str) -> Any:
        """Return what is set."""
        return (self.doubles if name in DOUBLES else self.words)[PLACES[name]].item()

    def hold(self, **arrays: Any) -> None:
        """Keep arrays, C-contiguous, and set their addresses; None is 0."""
        for name, array in arrays.items():
            self.held[name] = array
            self.words[PLACES[name]] = 0 if array is None else array.ctypes.data


RECORDS = {kind: numpy_support.from_dtype(record_of(kind.name)) for kind in (types.float32, types.float64)}
RUN = Kind(RECORDS.__getitem__)
LAYER_RECORD = numpy_support.from_dtype(LAYER_DTYPE)
LAYER = Kind(lambda dtype: LAYER_RECORD)
LAYER_SIZE = LAYER_DTYPE.itemsize


def _emit_record(context, builder, kind, address):
    return builder.inttoptr(address, context.get_value_type(kind))


@intrinsic
def run_at(typing_context, address, like):
    """The run whose record lies at an address, of numbers such as `like` holds."""
    kind = RECORDS[like.dtype]

    def codegen(context, builder, signature, arguments):
        return _emit_record(context, builder, kind, arguments[0])

    return kind(types.intp, like), codegen


@intrinsic
def layer_at(typing_context, run, place):
    """Layer `place` of a run."""

    def codegen(context, builder, signature, arguments):
        first = _emit_field(context, builder, run, arguments[0], "layers")
        offset = builder.mul(arguments[1], arguments[1].type(LAYER_SIZE))
        return _emit_record(context, builder, LAYER_RECORD, builder.add(first, offset))

    return LAYER_RECORD(run, types.intp), codegen


def _emit_field(context, builder, run, record, name):
    kind = context.get_data_type(run.typeof(name))
    return builder.load(cgutils.get_record_member(builder, record, run.offset(name), kind))


def _place_in(field: str, of: Any) -> Any:
    """Make the function that gives the pointer to number `offset` of an array of a run."""

    @intrinsic
    def at(typing_context, run, offset):
        place = types.CPointer(of(run))

        def codegen(context, builder, signature, arguments):
            first = _emit_field(context, builder, run, arguments[0], field)
            return builder.gep(builder.inttoptr(first, context.get_value_type(place)), [arguments[1]])

        return place(run, types.intp), codegen

    return at


def _double(run: Any) -> Any:
    return types.float64


def _integer(run: Any) -> Any:
    return types.int64


parameters_at, state_at, second_state_at, work_at, x_at, weights_at, whole_at = (
    _place_in(name, dtype_of)
    for name in ("parameters", "state", "second_state", "work", "x", "weights", "whole")
)
costs_at, right_at, seen_at, constants_at, squares_at = (
    _place_in(name, _double) for name in ("costs", "right", "seen", "constants", "squares")
)
order_at, sync_at, picked_at, starts_at = (_place_in(name, _integer) for name in ("order", "sync", "picked", "starts"))


@intrinsic
def one_of(typing_context, run):
    """Pointer to the 1 of a run."""
    place = types.CPointer(dtype_of(run))

    def codegen(context, builder, signature, arguments):
        number = context.get_data_type(place.dtype)
        return cgutils.get_record_member(builder, arguments[0], run.offset("one"), number)

    return place(run), codegen


@intrinsic
def number_at(typing_context, place):
    """The number at a pointer."""

    def codegen(context, builder, signature, arguments):
        return builder.load(arguments[0])

    return place.dtype(place), codegen


@intrinsic
def put(typing_context, place, number):
    """Leave a number at a pointer, rounded to what lies there."""

    def codegen(context, builder, signature, arguments):
        place, number = arguments
        kind = place.type.pointee
        if number.type != kind:
            number = builder.fptrunc(number, kind)
        builder.store(number, place)
        return context.get_dummy_value()

    return types.void(place, number), codegen


