"""How kernels read the records of a run: layers, and pointers into its arrays, by name."""

from typing import Any

from numba import types
from numba.core import cgutils
from numba.extending import intrinsic
from numba.np import numpy_support

from ..compiler.callee import Kind
from ..vectors.simd import dtype_of
from .records import LAYER as LAYER_DTYPE
from .records import record_of

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


parameters_at, state_at, second_state_at, work_at, x_at, weights_at, whole_at, before_at, slopes_at = (
    _place_in(name, dtype_of)
    for name in ("parameters", "state", "second_state", "work", "x", "weights", "whole", "before", "slopes")
)
gathered_at, average_at, signs_at = (_place_in(name, dtype_of) for name in ("gathered", "average", "signs"))
costs_at, right_at, seen_at, constants_at, squares_at, journal_at = (
    _place_in(name, _double) for name in ("costs", "right", "seen", "constants", "squares", "journal")
)
looks_at, row_squares_at, neuron_squares_at, dots_at = (
    _place_in(name, _double) for name in ("looks", "row_squares", "neuron_squares", "dots")
)
order_at, sync_at, picked_at, starts_at, counts_at = (
    _place_in(name, _integer) for name in ("order", "sync", "picked", "starts", "counts")
)


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
