"""The optimizers' rules as vector code, each a formula: what becomes of w once its gradient is there.

g is Σ over the samples, and lies in the cache still. To work the rule off beside the sums of the next tile,
where its square roots and divisions might hide, was tried and was slower (Zen 3, 784 x 128, batch 32: 123 us
against 104), since what is not a division competes with the sums.
"""

from types import SimpleNamespace

from numba import types
from numba.extending import intrinsic

from .flow import I64, Loop, call_apart, choose
from .numbers import numbers, sqrt, with_sign_of
from .pointers import emit_prefetch
from .settings import ADAM, GRADIENT, MOMENTUM, NESTEROV, PLAIN
from .simd import Vectors

# What the formulas call c, in this order in memory.
CONSTANTS = ("share", "l1", "l2", "rate", "mu", "beta1", "rest1", "beta2", "rest2", "root", "epsilon")
AHEAD = 16  # vectors: what is asked for while it is still on its way from the outer caches


def penalize(c, g, w):
    """g ← g + (l1 sign w + l2 w) / share."""
    return g + (with_sign_of(w, c.l1) + c.l2 * w), w


def gradient(c, g, w, v):
    """v ← ∂C/∂w."""
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
    slope = c.share * g
    v = c.mu * v + slope
    return g, w - c.rate * (slope + c.mu * v), v


def adam(c, g, w, first, second):
    """Adam: `rest1` and `rest2` hold the share, `rate` and `root` take the bias out of the moments."""
    first = c.beta1 * first + c.rest1 * g
    second = c.beta2 * second + c.rest2 * (g * g)
    return g, w - c.rate * (first / (c.root * sqrt(second) + c.epsilon)), first, second


FORMULAS = {GRADIENT: gradient, PLAIN: plain, MOMENTUM: momentum, NESTEROV: nesterov, ADAM: adam}


def load_constants(simd, c):
    """What lies at the pointer c, as vectors by name."""
    builder = simd.builder
    values = numbers(simd, *(builder.load(builder.gep(c, [I64(i)])) for i in range(len(CONSTANTS))))
    return SimpleNamespace(**dict(zip(CONSTANTS, values, strict=True)))


def num_slots(formula):
    """How many arrays of state a formula has, behind c, g, w."""
    return formula.__code__.co_argcount - 3


def emit_change(simd, formula, constants, g, arrays, offset):
    """One vector of each array (w and the state) at an offset, as the formula says; stores what it changes.

    Returns all that the formula gives.
    """
    builder, at = simd.builder, simd.builder.gep
    for array in arrays:
        emit_prefetch(builder, at(array, [builder.add(offset, I64(AHEAD * simd.count))]))
    old = numbers(simd, *(simd.load(at(array, [offset])) for array in arrays))
    new = formula(constants, g, *old)
    for array, before, after in zip(arrays, old, new[1:], strict=True):
        if after is not before:
            simd.store(after.value, at(array, [offset]))
    return new


def emit_rule(simd, formula, c, count, g, w, first, second):
    """One formula over `count` numbers, whole vectors."""
    builder, at = simd.builder, simd.builder.gep
    constants = load_constants(simd, c)
    arrays = [w, first, second][: 1 + num_slots(formula)]
    with Loop(builder, builder.udiv(count, I64(simd.count)), I64(0)) as loop:
        (offset,) = loop.values
        place = at(g, [offset])
        (old,) = numbers(simd, simd.load(place))
        new, *_ = emit_change(simd, formula, constants, old, arrays, offset)
        if new is not old:
            simd.store(new.value, place)
        loop.later = [builder.add(offset, I64(simd.count))]


@intrinsic
def apply_rule(typing_context, rule, penalized, c, count, g, w, first, second):
    """W ← rule(Σ g), for pointers to `count` numbers each; the rule's state is changed too.

    - c: pointer to CONSTANTS; penalized: whether their l1 and l2 count
    - first, second: the optimizer's state, any pointer where it has none
    """

    def codegen(context, builder, signature, arguments):
        rule, penalized, *operands = arguments

        def case(formula):
            def emit(inside, *operands):
                emit_rule(Vectors(inside, w.dtype), formula, *operands)

            call_apart(builder, f"fastbp_{formula.__name__}_{w.dtype}", emit, operands)

        with builder.if_then(penalized):
            case(penalize)
        choose(builder, rule, FORMULAS, case)
        return context.get_dummy_value()

    pointer = types.CPointer(w.dtype)
    return types.void(types.intp, types.boolean, pointer, types.intp, pointer, pointer, pointer, pointer), codegen
