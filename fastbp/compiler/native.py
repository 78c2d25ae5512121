"""Functions that are emitted whole: machine code of their own, without numba's compiler, kept on disk.

A formula's function takes 20 ms to compile, and 1 ms to be found again. numba's compiler would add as much for a
Python function around it, and its wrapper 10 ns to each call.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.core.registry import cpu_target
from numba.extending import intrinsic

from .callee import Emitted
from .insides import MISSING, global_compiler_lock
from .interrupts import interrupts_wait
from .jit import callback

if not MISSING:
    from .cache import Entry

Emit = Callable[..., None]
_known: dict[str, tuple[int, Any]] = {}  # addresses, and what must live as long as the process: their code


def address_of(callee: Emitted, dtype: Any, key: str, emit: Emit) -> int:
    """Return the address of the function that `emit(builder, *operands)` emits.

    - key: tells what is emitted, besides the callee, the dtype and this package's sources
    """
    name = f"fastbp_{callee.name}_{dtype}_{key}"
    if name not in _known:
        with interrupts_wait(), np.errstate(over="ignore"):  # a constant beyond float32 is inf, as it is in NumPy
            _known[name] = _by_numba(callee, dtype, emit) if MISSING else _alone(name, callee, dtype, emit)
    return _known[name][0]


def _alone(name: str, callee: Emitted, dtype: Any, emit: Emit) -> tuple[int, Any]:
    with global_compiler_lock:
        if name in _known:  # another thread was faster; a second function of the name would be refused
            return _known[name]
        library = _library(name, callee, dtype, emit)
        return int(library.get_pointer_to_function(name)), library


def _library(name: str, callee: Emitted, dtype: Any, emit: Emit) -> Any:
    codegen = cpu_target.target_context.codegen()
    entry = Entry("row", (name, codegen.magic_tuple()))
    library = entry.load(codegen.unserialize_library)
    if library is None:
        library = codegen.create_library(name)
        library.enable_object_caching()
        library.add_ir_module(_module(library, name, callee, dtype, emit))
        library.finalize()
        entry.save(library.serialize_using_object_code)
    return library


def _module(library: Any, name: str, callee: Emitted, dtype: Any, emit: Emit) -> Any:
    module = library.create_ir_module(name)
    kinds = [cpu_target.target_context.get_value_type(kind) for kind in callee.types(dtype)]
    function = ir.Function(module, ir.FunctionType(ir.VoidType(), kinds), name)
    function.attributes.add("optsize")  # LLVM then unrolls no loops, which gained nothing
    builder = ir.IRBuilder(function.append_basic_block())
    emit(builder, *function.args)
    builder.ret_void()
    return module


def _by_numba(callee: Emitted, dtype: Any, emit: Emit) -> tuple[int, Any]:
    """The same by numba's public means: slower to compile and to call, and not kept."""

    def define(typing_context, *operands):
        def codegen(context, builder, signature, arguments):
            emit(builder, *arguments)
            return context.get_dummy_value()

        return types.void(*operands), codegen

    define.__signature__ = callee.signature
    compiled = callback(callee.make(intrinsic(define)), types.void(*callee.types(dtype)))
    return int(compiled.address), compiled
