"""A network inside compiled code of a user's own: a call without Python, memory on the caller's stack.

Each call copies the record of a run (0.8 KB) beside work memory of its own, so any number of threads may be in it.
"""

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils, errors
from numba.extending import intrinsic

from ..compiler.callee import NUMBERS, Callee
from ..compiler.jit import for_users, kernel
from ..vectors.fpu import flush_denormals, restore_denormals
from .blocking import LINE
from .fields import RUN, layer_at, work_at
from .forward import forward_layer
from .records import PLACES, Record
from .rows import copy

MOST_STACK = 2**18  # bytes: a thread may have a stack of no more than 512 KB on some systems
I8, I64 = ir.IntType(8), ir.IntType(64)


@kernel(no_cpython_wrapper=True)
def predict_into(run: RUN, x: NUMBERS, out: NUMBERS):
    """out = a^L of one sample.

    - x: pointer to (n_0,); out: to (n_L,)
    """
    bottom, top = layer_at(run, 0), layer_at(run, run.num_layers - 1)
    copy(x, work_at(run, bottom.input), bottom.n_in)
    old = flush_denormals()
    for l in range(run.num_layers):
        forward_layer(run, layer_at(run, l), 0, 1)
    restore_denormals(old)
    copy(work_at(run, top.output), out, top.n_out)


PREDICT_INTO = Callee(predict_into.py_func)


def embed(record: Record, work_bytes: int, sizes: tuple[int, int], dtype: Any) -> Any:
    """Return a function f(x, out) that numba compiles into whatever calls it.

    - work_bytes: of the workspace for one sample; sizes: n_0, n_L
    - record: must outlive every use, and so must what it holds
    """
    n_in, n_out = sizes
    call = _caller(record, PREDICT_INTO.address(predict_into, dtype), work_bytes, dtype)
    wrong = f"x must be ({n_in},), and out ({n_out},)"

    @for_users
    def f(x, out):
        if len(x) != n_in or len(out) != n_out:
            raise ValueError(wrong)
        call(x, out)

    return f


def _caller(record: Record, function: int, work_bytes: int, dtype: Any) -> Any:
    """Make the call of the kernel, with a copy of the record on the stack."""
    source, size = record.address, record.words.nbytes
    start = -(-size // LINE) * LINE
    wanted = types.Array(dtype, 1, "C")

    @intrinsic
    def call(typing_context, x, out):
        for name, array in (("x", x), ("out", out)):
            kind = isinstance(array, types.Array) and (array.dtype, array.ndim, array.layout)
            if kind != (dtype, 1, "C") or (name == "out" and not array.mutable):
                raise errors.TypingError(f"{name} must be a C-contiguous {wanted}, got {array}")

        def codegen(context, builder, signature, arguments):
            pairs = zip(signature.args, arguments, strict=True)
            data = [context.make_array(kind)(context, builder, value=value).data for kind, value in pairs]
            stack = cgutils.alloca_once(builder, ir.ArrayType(I8, start + work_bytes))
            stack.align = LINE
            here = builder.bitcast(stack, I8.as_pointer())
            # Addresses of this process: numba keeps code that has some out of its cache.
            there = context.add_dynamic_addr(builder, source, "fastbp run")
            cgutils.raw_memcpy(builder, here, builder.bitcast(there, here.type), I64(size), I64(1))
            work = builder.gep(here, [I64(start)])
            cgutils.memset(builder, work, I64(work_bytes), 0)
            place = builder.gep(here, [I64(8 * PLACES["work"])])
            builder.store(builder.ptrtoint(work, I64), builder.bitcast(place, I64.as_pointer()))
            run = builder.bitcast(here, context.get_value_type(RUN.of(dtype)))
            kernel_type = ir.FunctionType(ir.VoidType(), [run.type, *(pointer.type for pointer in data)])
            address = context.add_dynamic_addr(builder, function, "fastbp predict")
            builder.call(builder.bitcast(address, kernel_type.as_pointer()), [run, *data])
            return context.get_dummy_value()

        return types.void(x, out), codegen

    return call
