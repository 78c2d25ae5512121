"""The optimizers' rules as vector code, each a formula: what becomes of w once its gradient is there.

g is Σ over the samples, and lies in the cache still. To work the rule off beside the sums of the next tile,
where its square roots and divisions might hide, was tried and was slower (Zen 3, 784 x 128, batch 32: 123 us
against 104), since what is not a division competes with the sums.
"""

from types import SimpleNamespace

from numba import types
from numba.extending import intrinsic

from .jit import part
from .pointers import emit_prefetch
from .settings import ADAM, MOMENTUM, NESTEROV, PLAIN
from .simd import I64, IR_TYPES, Loop, Number, Vectors, lanes, sqrt, with_sign_of

# What the formulas call c, in this order in memory.
CONSTANTS = ("share", "l1", "l2", "rate", "mu", "beta1", "rest1", "beta2", "rest2", "root", "epsilon")
AHEAD = 16  # vectors: what is asked for while it is still on its way from the outer caches

PENALIZE, FIRST = -1, -2  # beside the rules of `settings`


def penalize(c, g, w):
    """g ← g + (l1 sign w + l2 w) / share."""
    return g + (with_sign_of(w, c.l1) + c.l2 * w), w


def first_slot(c, g, w, v):
    """The gradient itself, to the first slot."""
    return g, w, c.share * g


def plain(c, g, w):
    """w ← w - η ∂C/∂w."""
    return g, w - c.rate * (c.share * g)


def momentum(c, g, w, v):
    """v ← μ v + ∂C/∂w; w ← w - η v."""
    v = c.mu * v + c.share * g
    return g, w - c.rate * v, v


def nesterov(c, g, w, v):
    """v ← μ v + ∂C/∂w; w ← w - η (∂C/∂w + μ v)."""
    g = c.share * g
    v = c.mu * v + g
    return g, w - c.rate * (g + c.mu * v), v


def adam(c, g, w, first, second):
    """Adam: `rest1` and `rest2` hold the share, `rate` and `root` take the bias out of the moments."""
    first = c.beta1 * first + c.rest1 * g
    second = c.beta2 * second + c.rest2 * (g * g)
    return g, w - c.rate * (first / (c.root * sqrt(second) + c.epsilon)), first, second


FORMULAS = {
    PENALIZE: penalize, FIRST: first_slot, PLAIN: plain, MOMENTUM: momentum, NESTEROV: nesterov, ADAM: adam,
}  # fmt: skip


@intrinsic(prefer_literal=True)
def _run(typing_context, code, c, count, g, w, first, second):
    """One formula over `count` numbers, whole vectors; stores what it changes."""
    dtype = w.dtype
    formula = FORMULAS[code.literal_value]
    slots = formula.__code__.co_argcount - 3

    def codegen(context, builder, signature, arguments):
        _, c, count, g, *arrays = arguments
        simd = Vectors(builder, IR_TYPES[dtype], lanes(dtype))
        at = builder.gep
        values = {name: builder.load(at(c, [I64(i)])) for i, name in enumerate(CONSTANTS)}
        constants = SimpleNamespace(**{name: Number(simd, simd.broadcast(x)) for name, x in values.items()})
        arrays = [g, *arrays[: 1 + slots]]
        with Loop(builder, builder.udiv(count, I64(simd.count)), I64(0)) as loop:
            (offset,) = loop.values
            for array in arrays[1:]:
                emit_prefetch(builder, at(array, [builder.add(offset, I64(AHEAD * simd.count))]))
            old = [Number(simd, simd.load(at(array, [offset]))) for array in arrays]
            for array, before, after in zip(arrays, old, formula(constants, *old), strict=True):
                if after is not before:
                    simd.store(after.value, at(array, [offset]))
            loop.later = [builder.add(offset, I64(simd.count))]
        return context.get_dummy_value()

    pointer = types.CPointer(dtype)
    return types.void(code, pointer, types.intp, pointer, pointer, pointer, pointer), codegen


@part
def apply_rule(rule, penalized, c, count, g, w, first, second):
    """W ← rule(Σ g), for pointers to `count` numbers each; the rule's state is changed too.

    - c: pointer to CONSTANTS; penalized: whether their l1 and l2 count
    - first, second: the optimizer's state, any pointer where it has none
    """
    if penalized:
        _run(PENALIZE, c, count, g, w, first, second)
    if rule == ADAM:
        _run(ADAM, c, count, g, w, first, second)
    elif rule == MOMENTUM:
        _run(MOMENTUM, c, count, g, w, first, second)
    elif rule == NESTEROV:
        _run(NESTEROV, c, count, g, w, first, second)
    elif rule == PLAIN:
        _run(PLAIN, c, count, g, w, first, second)
    else:
        _run(FIRST, c, count, g, w, first, second)
