"""Mini-batches of one sample: a weight is changed, and used for the next sample while it is in a register.

By itself a step reads all weights forward, and reads and writes them in BP4, from the second-level cache or from
farther away, and waits for nothing else. So a sample's update is put off until the next sample comes by: 784-128-10
with plain SGD takes 6 us a sample instead of 11.5, of which 6.2 were BP4's. The two samples take turns in rows 0 and 1
of the workspace. The bits are those of `forward.py` and `update.py`.
"""

from typing import Any

from ..compiler.callee import NUMBERS, SIZE, Callee, Emitted
from ..compiler.jit import kernel
from ..compiler.native import address_of
from ..formulas.expression import trace
from ..vectors.compute import compute
from ..vectors.flow import I64, Loop, call_apart, choose
from ..vectors.numbers import Number, numbers
from ..vectors.simd import Vectors, lanes_of
from .blocking import PANEL_VECTORS, panel_of
from .fields import LAYER, RUN, parameters_at, state_at, work_at
from .rows import add
from .rules import PENALIZED, Rule
from .update import update_weights

# Plain SGD without penalties: δ holds -η/m δ already, and the sum is the update.
STRAIGHT = Rule(trace(lambda total, w: w + total, ["total", "w"]))


@Emitted
def ONLINE(body: Any) -> Any:
    """Make a function of an optimizer's rule."""

    def change_and_multiply(
        vectors: SIZE, c: NUMBERS, n: SIZE, a: NUMBERS, delta: NUMBERS, w: NUMBERS, state: NUMBERS, slot_size: SIZE,
        following: NUMBERS, bias: NUMBERS, z: NUMBERS,
    ):  # fmt: skip
        """W ← rule(a δᵀ), z = bias + Wᵀ a', for one panel of W, `vectors` vectors wide.

        - c: pointer to the rule's constants
        - a (n,), delta (panel,): input and error of the sample that W has yet to learn from
        - w (n, panel); state: the first array of the optimizer's state, slot_size before the next
        - following (n,), bias (panel,), z (panel,): a' and what becomes of it
        """
        body(vectors, c, n, a, delta, w, state, slot_size, following, bias, z)

    return change_and_multiply


call_online = ONLINE.call


def online_address(rule: Rule, dtype: Any) -> int:
    """Return the address of a rule that goes with the next sample's product."""

    def emit(builder, vectors, *operands):
        def panel(width):
            def emit_width(inside, *operands):
                emit_panel(Vectors(inside, dtype), rule, width, *operands)

            call_apart(builder, f"fastbp_online_{rule.key}_{dtype}_{width}", emit_width, operands)

        choose(builder, vectors, {width: width for width in range(1, PANEL_VECTORS + 1)}, panel)

    return address_of(ONLINE, dtype, rule.key, emit)


def emit_panel(simd, rule, vectors, c, n, a, delta, w, state, slot_size, following, bias, z):
    """W ← rule(a δᵀ), z = bias + Wᵀ a', for one panel of W, `vectors` vectors wide."""
    builder, at = simd.builder, simd.builder.gep
    offsets = [I64(v * simd.count) for v in range(vectors)]
    constants = rule.constants(simd, c)
    errors = [simd.load(at(delta, [offset])) for offset in offsets]
    arrays = {"w": w} | {name: at(state, [builder.mul(slot_size, I64(i))]) for i, name in enumerate(rule.slots)}
    # Without penalties they add 0: cheaper than a second version of everything.
    penalties = {} if rule is STRAIGHT else Rule(PENALIZED).constants(simd, c)

    with Loop(builder, n, a, following, I64(0), *[simd.zero()] * vectors) as loop:
        a_k, following_k, row, *sums = loop.values
        old, new = (simd.broadcast(builder.load(place)) for place in (a_k, following_k))
        for v, offset in enumerate(offsets):
            place = builder.add(row, offset)
            g = Number(simd, builder.fmul(old, errors[v]))  # rounded, as where it is stored first
            if penalties:
                (w_k,) = numbers(simd, simd.load(at(w, [place])))
                (g,) = compute(simd, PENALIZED, penalties | {"total": g, "w": w_k})
            w_k = rule.change(simd, constants | {"total": g}, arrays, place)
            sums[v] = simd.fma(new, w_k.value, sums[v])
        below = at(a_k, [I64(1)]), at(following_k, [I64(1)]), builder.add(row, I64(vectors * simd.count))
        loop.later = [*below, *sums]
    for offset, total in zip(offsets, loop.values[3:], strict=True):
        simd.store(builder.fadd(simd.load(at(bias, [offset])), total), at(z, [offset]))


@kernel(no_cpython_wrapper=True)
def update_and_forward(run: RUN, layer: LAYER, row: SIZE):
    """The rule for the sample in the other row, then z^l = w^l a^(l-1) + b^l for the one in this, left at layer.z."""
    constants = work_at(run, run.scratch)
    other = 1 - row
    delta = layer.delta + other * layer.ld
    if run.straight:
        add(work_at(run, delta), parameters_at(run, layer.bias), layer.columns)
    else:
        update_weights(run, False, layer.bias, layer.columns, work_at(run, delta), constants)
    panel = panel_of(run)
    for j in range(0, layer.columns, panel):
        place = layer.weights + j * layer.rows
        call_online(
            address=run.online, vectors=min(panel, layer.columns - j) // lanes_of(run), c=constants,
            n=layer.n_in, a=work_at(run, layer.input + other * layer.ld_input), delta=work_at(run, delta + j),
            w=parameters_at(run, place), state=state_at(run, place), slot_size=run.num_parameters,
            following=work_at(run, layer.input + row * layer.ld_input), bias=parameters_at(run, layer.bias + j),
            z=work_at(run, layer.z + row * layer.ld + j),
        )  # fmt: skip


UPDATE_AND_FORWARD = Callee(update_and_forward.py_func)
call_update_and_forward = UPDATE_AND_FORWARD.call
