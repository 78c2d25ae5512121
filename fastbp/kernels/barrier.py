"""A team of threads that all run one kernel, and meet at barriers.

Python threads run the same nogil kernel: no threading layer of numba's, so nothing breaks after a
fork or in a worker. A barrier costs about 0.2 us while every thread has a core; a thread that waits
for long gives its core away.
"""

import ctypes
import math
import sys

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from ..compiler.jit import part
from ..vectors.fpu import ON_X86
from ..vectors.pointers import advance
from .clock import now
from .fields import sync_at

I64 = ir.IntType(64)
SPINS = 2000  # some 20 us, then yield at every look
DONE = 8  # int64 from the count of arrivals to the count of generations: another cache line
ENDED = 16  # and to the mini-batches after which a call ends early, 0 while it does not
SYNC_SIZE = 24
_yield = types.ExternalFunction("sched_yield", types.int32())
HAS_YIELD = sys.platform != "win32" and hasattr(ctypes.CDLL(None), "sched_yield")


@intrinsic
def _fetch_add(typing_context, place, value):
    def codegen(context, builder, signature, arguments):
        return builder.atomic_rmw("add", *arguments, "seq_cst")

    return types.int64(types.CPointer(types.int64), types.int64), codegen


@intrinsic
def load(typing_context, place):
    def codegen(context, builder, signature, arguments):
        return builder.load_atomic(arguments[0], "seq_cst", 8)

    return types.int64(types.CPointer(types.int64)), codegen


@intrinsic
def _pause(typing_context):
    def codegen(context, builder, signature, arguments):
        if ON_X86:
            kind = ir.FunctionType(ir.VoidType(), [])
            builder.call(cgutils.get_or_insert_function(builder.module, kind, "llvm.x86.sse2.pause"), [])
        return context.get_dummy_value()

    return types.void(), codegen


@part
def begin_of(thread, team, count, grain):
    """Where a thread's part of `count` things begins, in whole grains; thread = team: where the last one's ends."""
    if thread == 0:
        return 0
    if thread == team:
        return count  # without the division, which a mini-batch of a small network would feel
    return (count + grain - 1) // grain * thread // team * grain


@part
def barrier(sync, team, generation):
    """Return once all of the team have called with this generation (0, 1, 2, ...).

    - sync: pointer to (SYNC_SIZE,) zeros at the start: arrivals, and on another cache line generations done
    """
    done = advance(sync, DONE)
    if _fetch_add(sync, 1) == generation * team + team - 1:
        _fetch_add(done, 1)
        return
    spins = 0
    while load(done) <= generation:
        spins += 1
        if HAS_YIELD and spins > SPINS:
            _yield()
        else:
            _pause()


@part
def meet(run, team, generation):
    """Wait for the whole team of a run; return the next generation."""
    if team > 1:
        barrier(sync_at(run, 0), team, generation)
    return generation + 1


@part
def end_if_late(run, done):
    """Let the call end after `done` mini-batches, if it takes longer than it may, see training/pace.py.

    The first thread calls it after the whole team has met, and before it meets again: then all of them know.
    """
    if run.latest < math.inf and now() > min(run.deadline + done * run.patience, run.latest):
        _fetch_add(sync_at(run, ENDED), done)


@part
def ends(run):
    """Whether the call ends here."""
    return load(sync_at(run, ENDED)) > 0
