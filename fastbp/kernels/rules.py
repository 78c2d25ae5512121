"""The optimizers' rules: what becomes of w once its gradient is there, a function for each, called by address.

g is Σ over the samples, and lies in the cache still. To work the rule off beside the sums of the next tile,
where its square roots and divisions might hide, was tried and was slower (Zen 3, 784 x 128, batch 32: 123 us
against 104), since what is not a division competes with the sums.
"""

from functools import lru_cache
from typing import Any

from ..compiler.callee import NUMBERS, SIZE, Emitted
from ..compiler.native import address_of
from ..formulas.expression import Formula, trace
from ..formulas.optimizers import MOST_CONSTANTS, SGD, Optimizer, constants_at, is_steady, traced_rule
from ..formulas.penalties import penalty_gradient
from ..vectors.compute import compute
from ..vectors.flow import I64, Loop
from ..vectors.numbers import numbers
from ..vectors.pointers import emit_prefetch
from ..vectors.simd import Vectors
from .blocking import MAX_CONSTANTS, VECTORS_AHEAD

# The constants of a step, in this order in memory: what a sample's gradient counts in C; the penalties over that; then
# what `optimizers.constants_at` names.
FIXED = ("share", "l1", "l2")
assert len(FIXED) + MOST_CONSTANTS <= MAX_CONSTANTS


@Emitted
def RULE(body: Any) -> Any:
    """Make a function of an optimizer's rule."""

    def change(c: NUMBERS, count: SIZE, total: NUMBERS, w: NUMBERS, state: NUMBERS, slot_size: SIZE):
        """W and state ← rule(share · Σ g), for `count` numbers, whole vectors.

        - c: pointer to the constants; total: to Σ g; state: to the first array of state, slot_size before the next
        """
        body(c, count, total, w, state, slot_size)

    return change


@Emitted
def PENALTY(body: Any) -> Any:
    """Make a function of the penalties."""

    def penalize(c: NUMBERS, count: SIZE, total: NUMBERS, w: NUMBERS):
        """Σ g ← Σ g + ∂/∂w of l1 |w| + l2/2 w², over share, for `count` numbers, whole vectors."""
        body(c, count, total, w)

    return penalize


call_rule, call_penalty = RULE.call, PENALTY.call

GRADIENT = trace(lambda share, total, w, slope: (w, share * total), ["share", "total", "w", "state.slope"])
PLAIN = traced_rule(SGD(0.1))
PENALIZED = trace(lambda total, w, l1, l2: total + penalty_gradient(w, l1, l2), ["total", "w", "l1", "l2"])


class Rule:
    """A rule as kernels have it: its formula, and where it finds its constants."""

    def __init__(self, formula: Formula, names: tuple[str, ...] = (), steady: bool = True) -> None:
        self.formula, self.names, self.steady = formula, names, steady
        self.slots = tuple(name for name in formula.inputs if name.startswith("state."))
        self.places = {name: i for i, name in enumerate([*FIXED, *(f"c.{name}" for name in names)])}
        self.key = formula.digest

    @property
    def is_straight(self) -> bool:
        """Whether it is w ← w - η g: then the sum of what δ holds is the update, once δ is -η/m δ."""
        return self.formula[1:] == PLAIN[1:]

    def constants(self, simd: Any, c: Any) -> dict[str, Any]:
        """What lies at the pointer c, as vectors by name."""
        builder, used = simd.builder, [name for name in self.places if self.formula.uses(name)]
        values = (builder.load(builder.gep(c, [I64(self.places[name])])) for name in used)
        return dict(zip(used, numbers(simd, *values), strict=True))

    def change(self, simd: Any, values: dict[str, Any], arrays: dict[str, Any], offset: Any) -> Any:
        """One vector of each array (w and the state) at an offset, as the rule says; return the new w.

        - values: Numbers by name, share and total among them; arrays: pointers by name
        """
        builder, at = simd.builder, simd.builder.gep
        for array in arrays.values():
            emit_prefetch(builder, at(array, [builder.add(offset, I64(VECTORS_AHEAD * simd.count))]))
        old = numbers(simd, *(simd.load(at(array, [offset])) for array in arrays.values()))
        new = compute(simd, self.formula, values | dict(zip(arrays, old, strict=True)))
        for (name, array), result, value in zip(arrays.items(), self.formula.outputs, new, strict=True):
            if result != name:
                simd.store(value.value, at(array, [offset]))
        return new[0]


def rule_of(optimizer: Optimizer) -> Rule:
    """Return the rule of an optimizer."""
    try:
        return _rule_of(optimizer)
    except TypeError:  # one of a user's own with a list among its fields, say, has no hash
        return _rule_of.__wrapped__(optimizer)


@lru_cache(256)
def _rule_of(optimizer: Optimizer) -> Rule:
    formula = traced_rule(optimizer)
    names = [name for name in constants_at(optimizer, 1, 0.1) if name == "learning_rate" or formula.uses(f"c.{name}")]
    return Rule(formula, tuple(names), is_steady(optimizer))


def rule_address(rule: Rule, dtype: Any) -> int:
    """Return the address of a rule."""

    def emit(builder, c, count, total, w, state, slot_size):
        simd, at = Vectors(builder, dtype), builder.gep
        constants = rule.constants(simd, c)
        slots = {name: at(state, [builder.mul(slot_size, I64(i))]) for i, name in enumerate(rule.slots)}
        with Loop(builder, builder.udiv(count, I64(simd.count)), I64(0)) as loop:
            (offset,) = loop.values
            (g,) = numbers(simd, simd.load(at(total, [offset])))
            rule.change(simd, constants | {"total": g}, {"w": w} | slots, offset)
            loop.later = [builder.add(offset, I64(simd.count))]

    return address_of(RULE, dtype, rule.key, emit)


def penalty_address(dtype: Any) -> int:
    """Return the address of the penalties' gradient."""

    def emit(builder, c, count, total, w):
        simd, at = Vectors(builder, dtype), builder.gep
        constants = Rule(PENALIZED).constants(simd, c)
        with Loop(builder, builder.udiv(count, I64(simd.count)), I64(0)) as loop:
            (offset,) = loop.values
            place = at(total, [offset])
            g, w_k = numbers(simd, simd.load(place), simd.load(at(w, [offset])))
            (new,) = compute(simd, PENALIZED, constants | {"total": g, "w": w_k})
            simd.store(new.value, place)
            loop.later = [builder.add(offset, I64(simd.count))]

    return address_of(PENALTY, dtype, PENALIZED.digest, emit)
