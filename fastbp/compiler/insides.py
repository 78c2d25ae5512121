"""What is used of numba's inside, and may change from version to version; tried with 0.62 to 0.68.

Where some of it is missing, plain numba does the same with the same results: it compiles longer, and keeps compiled
kernels its own way. `fastbp doctor` says so.
"""

import os

try:
    from numba import _dynfunc
    from numba.core.caching import _Cache
    from numba.core.codegen import JITCodeLibrary
    from numba.core.compiler import CompilerBase, CompileResult, DefaultPassBuilder
    from numba.core.compiler_lock import global_compiler_lock
    from numba.core.compiler_machinery import register_pass
    from numba.core.runtime.nrt import rtsys
    from numba.core.typed_passes import NativeLowering

    CompileResult._rebuild, CompileResult._reduce, JITCodeLibrary._finalize_dynamic_globals  # noqa: B018
    MISSING = ""
except (ImportError, AttributeError) as error:
    MISSING = str(error)
if os.environ.get("FASTBP_PLAIN_NUMBA"):
    MISSING = "FASTBP_PLAIN_NUMBA is set"

__all__ = [
    "MISSING", "CompileResult", "CompilerBase", "DefaultPassBuilder", "JITCodeLibrary", "NativeLowering", "_Cache",
    "_dynfunc", "global_compiler_lock", "register_pass", "rtsys",
]  # fmt: skip
