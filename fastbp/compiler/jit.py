"""The one home of numba's options: every kernel is compiled with these, lazily, and cached.

x / 0 is inf or nan, as in NumPy: kernels never raise. No fastmath: LLVM may neither reorder a sum (reassoc), assume
finite numbers (nnan, ninf), nor choose where a product is fused with a sum (contract). Kernels say where, so that
results do not depend on what LLVM sees around a formula, and isfinite stays honest. No runtime of numba's (_nrt):
kernels allocate nothing, and without it they count no references to the arrays that they are given, an atomic addition
each time one part calls another. 4-16-2 at batch 8 took 0.92 us with it, 0.84 without.
"""

from typing import Any

from numba import cfunc, njit, types

from .folders import cache_info as cache_info
from .insides import MISSING
from .interrupts import interrupts_wait

OPTIONS = {"nogil": True, "_nrt": False, "error_model": "numpy"}
PART = {"no_cpython_wrapper": True, "no_cfunc_wrapper": True}
_kept: list[Any] = []  # their code is called by address for as long as the process lives

if not MISSING:
    from .cache import KernelCache
    from .parts import PartCompiler

    PART["pipeline_class"] = PartCompiler


def kernel(function=None, *, cache=True, **options):
    """Compile a function of this package with numba, at its first call; keep the code on disk.

    `cache=False` is for functions made at run time, such as a user's own formula.
    """
    if function is None:
        return lambda function: kernel(function, cache=cache, **options)
    dispatcher = njit(**{**OPTIONS, **options})(function)
    if not hasattr(dispatcher, "_cache"):  # a plain function under NUMBA_DISABLE_JIT=1
        return dispatcher
    dispatcher.compile = interrupts_wait()(dispatcher.compile)
    if cache and not MISSING:
        dispatcher._cache = KernelCache(dispatcher)
    return dispatcher


def part(function):
    """Compile a function that only kernels call; it is kept on disk as part of them.

    numba would compile it anew for each constant among its arguments, say for -1 and for any integer: 0.6 s in all.
    """
    dispatcher = kernel(function, cache=False, **PART)
    if hasattr(dispatcher, "get_call_template"):  # not under NUMBA_DISABLE_JIT=1
        find = dispatcher.get_call_template
        dispatcher.get_call_template = lambda args, kws: find(tuple(map(types.unliteral, args)), kws)
    return dispatcher


def entry(dispatcher: Any, signature: Any) -> Any:
    """Return the function of Python's that runs a kernel compiled for this signature, and trusts its arguments.

    A call of the dispatcher looks at each argument's type first, 0.1 us of 0.4. `signature` is as
    `types.boolean(types.int64)`.
    """
    return dispatcher if MISSING else dispatcher.get_compile_result(signature).entry_point


def for_users(function):
    """Compile a function by numba's public means, for compiled functions of a user's own to call."""
    return njit(nogil=True)(function)


def callback(function, signature):
    """Compile a function by numba's public means for callers in C: its `address` is good while it lives."""
    return cfunc(signature, **OPTIONS)(function)


def address(dispatcher, signature):
    """Return the address of the C function that a kernel compiles to for this signature.

    The kernel must outlive the address. `signature` is as `types.void(types.intp, types.float32)`.
    """
    if MISSING:
        compiled = callback(dispatcher.py_func, signature)
        _kept.append(compiled)
        return compiled.address
    result = dispatcher.get_compile_result(signature)
    return result.library.get_pointer_to_function(result.fndesc.llvm_cfunc_wrapper_name)
