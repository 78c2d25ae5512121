"""A mini-batch shared out in pieces, taken as threads come: for steps so long that others may take a core meanwhile.

Each thread begins with its own part, whose weights its cache holds, and helps the others when that is done. Beside
one busy core of two, 1024-2048-2048-1000 takes 0.7 times as long as by one thread; shared out for good it took as long
as by one. Who takes a piece changes no bit: what a piece computes is the same whoever does.
"""

from numba import types
from numba.extending import intrinsic

from ..compiler.callee import DOUBLE, SIZE, Callee
from ..compiler.jit import kernel, part
from .barrier import DONE, SYNC_SIZE, begin_of, load
from .blocking import CHUNK_ROWS, PIECE_ROWS
from .fields import RUN, layer_at, sync_at
from .passes import rows_up_and_down
from .update import update_inputs

ROUND = 32  # bits from the pieces taken, in a counter, to the round in which they were


@intrinsic
def _swap_if(typing_context, place, expected, value):
    """Put a value where the expected one is; return whether it was."""

    def codegen(context, builder, signature, arguments):
        result = builder.cmpxchg(*arguments, "seq_cst", "seq_cst")
        return builder.extract_value(result, 1)

    return types.boolean(types.CPointer(types.int64), types.int64, types.int64), codegen


@part
def take(run, owner, kind, met, size):
    """Take one of `size` pieces of an owner's part; return which, -1 when all are taken.

    - kind: of the part: 0 for rows, 1 + l for the weights of layer l; met: see barrier.meet
    """
    stride = (run.num_layers + DONE) // DONE * DONE
    place = sync_at(run, SYNC_SIZE + owner * stride + kind)
    begun = (met + 1) << ROUND  # what the counter held in earlier rounds is less
    while True:
        was = load(place)
        taken = was - begun if was >= begun else 0
        if taken >= size:
            return -1
        if _swap_if(place, was, begun + taken + 1):
            return taken


@kernel(no_cpython_wrapper=True)
def take_rows(
    run: RUN, thread: SIZE, batch: SIZE, place: SIZE, m: SIZE, share: DOUBLE, team: SIZE, met: SIZE
):  # fmt: skip
    """Forward, BP1 and BP2 of a mini-batch of m samples, a piece of the rows after the other; see rows_up_and_down."""
    for turn in range(team):
        owner = (thread + turn) % team
        begin, stop = begin_of(owner, team, m, 1), begin_of(owner + 1, team, m, 1)
        pieces = (stop - begin + PIECE_ROWS - 1) // PIECE_ROWS
        piece = take(run, owner, 0, met, pieces)
        while piece >= 0:
            first = begin + piece * PIECE_ROWS
            rows_up_and_down(run, thread, batch, place, first, min(PIECE_ROWS, stop - first), share, False, False)
            piece = take(run, owner, 0, met, pieces)


@kernel(no_cpython_wrapper=True)
def take_updates(
    run: RUN, m: SIZE, thread: SIZE, team: SIZE, following: SIZE, m_following: SIZE, met: SIZE
):  # fmt: skip
    """BP3, BP4 and the rule, a chunk of a layer's inputs after the other; see update_layer."""
    for turn in range(team):
        owner = (thread + turn) % team
        for l in range(run.num_layers):
            layer, m_asked = layer_at(run, l), m_following if l == 0 else 0
            begin, stop = begin_of(owner, team, layer.n_in, 1), begin_of(owner + 1, team, layer.n_in, 1)
            bias = 1 if owner == 0 else 0
            pieces = bias + (stop - begin + CHUNK_ROWS - 1) // CHUNK_ROWS
            piece = take(run, owner, 1 + l, met, pieces)
            while piece >= 0:
                k = begin + (piece - bias) * CHUNK_ROWS if piece >= bias else -1
                end = min(k + CHUNK_ROWS, stop) if k >= 0 else 0
                update_inputs(run, l, m, k, end, thread, team, following, m_asked)
                piece = take(run, owner, 1 + l, met, pieces)


TAKE_ROWS, TAKE_UPDATES = Callee(take_rows.py_func), Callee(take_updates.py_func)
call_take_rows, call_take_updates = TAKE_ROWS.call, TAKE_UPDATES.call
