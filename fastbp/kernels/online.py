"""Mini-batches of one sample: a weight is changed, and used for the next sample while it is in a register.

By itself a step reads all weights forward, and reads and writes them in BP4, from the second-level cache or from
farther away, and waits for nothing else. So a sample's update is put off until the next sample comes by: 784-128-10
with plain SGD takes 6 us a sample instead of 11.5, of which 6.2 were BP4's. The two samples take turns in rows 0 and 1
of the workspace. The bits are those of `forward.py` and `update.py`.
"""

from typing import Any

from numba import types
from numba.extending import intrinsic
from numba.np import numpy_support

from ..parameters import LAYER
from .flow import I64, Loop, call_apart, choose
from .jit import address, kernel
from .numbers import Number
from .pointers import pointer
from .rows import add
from .rules import FORMULAS, emit_change, load_constants, num_slots, penalize
from .settings import ADAM, MOMENTUM, NESTEROV, PLAIN, SCALED, SETTINGS
from .simd import PANEL_VECTORS, Vectors, lanes_of, panel_of
from .update import update_weights


def scaled(c, g, w):
    """w ← w + g, where δ holds -η/m δ."""
    return g, w + g


RULES = {SCALED: scaled, **{rule: FORMULAS[rule] for rule in (PLAIN, MOMENTUM, NESTEROV, ADAM)}}


def emit_panel(simd, formula, vectors, c, n, a, delta, w, first, second, following, bias, z):
    """W ← rule(a δᵀ), z = bias + Wᵀ a', for one panel of W, `vectors` vectors wide."""
    builder, at = simd.builder, simd.builder.gep
    offsets = [I64(v * simd.count) for v in range(vectors)]
    constants = load_constants(simd, c)
    errors = [simd.load(at(delta, [offset])) for offset in offsets]
    arrays = [w, first, second][: 1 + num_slots(formula)]

    def rule(c, g, w, *state):
        # Without penalties this adds 0: cheaper than a second version of everything.
        return formula(c, g if formula is scaled else penalize(c, g, w)[0], w, *state)

    with Loop(builder, n, a, following, I64(0), *[simd.zero()] * vectors) as loop:
        a_k, following_k, row, *sums = loop.values
        old, new = (simd.broadcast(builder.load(place)) for place in (a_k, following_k))
        for v, offset in enumerate(offsets):
            g = Number(simd, builder.fmul(old, errors[v]))  # rounded, as where it is stored first
            _, w_k, *_ = emit_change(simd, rule, constants, g, arrays, builder.add(row, offset))
            sums[v] = simd.fma(new, w_k.value, sums[v])
        below = at(a_k, [I64(1)]), at(following_k, [I64(1)]), builder.add(row, I64(vectors * simd.count))
        loop.later = [*below, *sums]
    for offset, total in zip(offsets, loop.values[3:], strict=True):
        simd.store(builder.fadd(simd.load(at(bias, [offset])), total), at(z, [offset]))


@intrinsic
def change_and_multiply(typing_context, rule, vectors, c, n, a, delta, w, first, second, following, bias, z):
    """W ← rule(a δᵀ), z = bias + Wᵀ a', for one panel of W.

    - rule: one of RULES; vectors: width of the panel; c: pointer to CONSTANTS
    - a (n,), delta (panel,): input and error of the sample that W has yet to learn from
    - w (n, panel); first, second: the optimizer's state, any pointer where it has none
    - following (n,), bias (panel,), z (panel,): a' and what becomes of it
    """

    def codegen(context, builder, signature, arguments):
        rule, vectors, *operands = arguments

        def call_panel(formula, width):
            def emit(inside, *operands):
                emit_panel(Vectors(inside, w.dtype), formula, width, *operands)

            call_apart(builder, f"fastbp_online_{formula.__name__}_{w.dtype}_{width}", emit, operands)

        widths = {width: width for width in range(1, PANEL_VECTORS + 1)}
        choose(
            builder, rule, RULES,
            lambda formula: choose(builder, vectors, widths, lambda width: call_panel(formula, width)),
        )  # fmt: skip
        return context.get_dummy_value()

    size, place = types.intp, types.CPointer(w.dtype)
    return types.void(size, size, place, size, *[place] * 8), codegen


@kernel(no_cpython_wrapper=True)
def update_and_forward(settings, layer, parameters, state, work, z, row):
    """The rule for the sample in the other row, then z^l = w^l a^(l-1) + b^l for the one in this, left at work[z:]."""
    constants = pointer(work, settings.scratch)
    other = 1 - row
    delta = layer.delta + other * layer.ld
    if settings.rule == SCALED:
        add(pointer(work, delta), pointer(parameters, layer.bias), layer.columns)
    else:
        update_weights(settings, False, layer.bias, layer.columns, pointer(work, delta), parameters, state, constants)
    panel = panel_of(parameters)
    for j in range(0, layer.columns, panel):
        place = layer.weights + j * layer.rows
        w = pointer(parameters, place)
        change_and_multiply(
            settings.rule, min(panel, layer.columns - j) // lanes_of(parameters),
            constants, layer.n_in,
            pointer(work, layer.input + other * layer.ld_input), pointer(work, delta + j),
            w,
            pointer(state, place) if len(state) >= settings.slot_size else w,
            pointer(state, settings.slot_size + place) if len(state) > settings.slot_size else w,
            pointer(work, layer.input + row * layer.ld_input), pointer(parameters, layer.bias + j),
            pointer(work, z + j),
        )  # fmt: skip


def addresses(dtype: Any) -> tuple[int]:
    """Address of update_and_forward for a numba type; who does not need it need not wait for it."""
    settings, layer = numpy_support.from_dtype(SETTINGS), numpy_support.from_dtype(LAYER)
    arrays = [dtype[::1]] * 3
    return (address(update_and_forward, types.void(settings, layer, *arrays, types.intp, types.intp)),)
