"""From rows to a verdict: which equation is wrong, in which layer, and what it looks like."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from ..formulas import Array
from .local import Comparison
from .report import EquationRow

LIKE = 0.02  # of the largest error: a suspicion that leaves no more unexplained is worth telling
NAMES = {"(25)": "the forward pass", "BP1": "BP1", "BP2": "BP2", "BP3": "BP3", "BP4": "BP4"}
STEP = "a training step"
FUSED = "Trainer.step"
WHOLE = "C"


class Gradient(NamedTuple):
    """What a gradient is in some directions, and what it should be."""

    found: Array
    right: Array


class Evidence(NamedTuple):
    """What the gradients of one pass over m samples say."""

    samples: int
    gradients: Mapping[tuple[str, int], Gradient]  # by array and layer
    unbiased: Sequence[Array]  # ∂C/∂b^L in the same directions, as formulas have it, and without one bias: `step.py`


def verdict(
    rows: Sequence[EquationRow],
    compared: Sequence[Comparison],
    samples: int,
    unbiased: Sequence[Array],
    evidence: Mapping[str, Evidence],
) -> str:
    """Return what is wrong, in words; that nothing is, if so.

    - unbiased: δ^L as formulas have it, and without one bias, see `step.py`; - evidence: by what rows are held against
    """
    by_itself = [row for row in rows if row.against not in (FUSED, STEP, WHOLE)]
    causes = [row for row in by_itself if not row.passed]
    if causes and causes[0].equation == "BP1":
        (delta,) = (c for c in compared if c.equation == "BP1")
        place = explained(delta.found[delta.exists], delta.right[delta.exists], [d[delta.exists] for d in unbiased])
        if place:
            return _no_bias(place - 1, "backprop, though not of forward", sum(not row.passed for row in rows))
    if causes:
        hints = {(c.quantity, c.layer): hint(c, samples) for c in compared}
        words = [_describe(row, hints.get((row.quantity, row.layer), "")) for row in causes]
        others = sum(not row.passed for row in rows) - len(causes)
        follows = f" {others} more gradients are wrong because of it." if others else ""
        return "; ".join(words) + "." + follows
    for against, what in ((WHOLE, "backprop"), (STEP, STEP), (FUSED, FUSED)):
        failed = [row for row in rows if row.against == against and not row.passed]
        if failed:
            return _of_gradient(failed, rows, against, what, evidence[against])
    vague = sum(not row.tells for row in rows)
    rest = f"; {vague} rows tell nothing: kinks, or rounding as large as the numbers" if vague else ""
    return f"the four equations hold in all {1 + max(row.layer for row in rows)} layers{rest}"


def _describe(row: EquationRow, like: str) -> str:
    where = f"{NAMES[row.equation]} is wrong in layer {row.layer}"
    size = f"{row.quantity}[{row.layer}] is off by {_percent(row.error)} of its largest entry at {list(row.place)}"
    return f"{where}: {size} (typically by {_percent(row.typical)}), given {row.against}{like}"


def hint(found: Comparison, samples: int) -> str:
    """Return what the wrong array looks like, if it is explained by it: tried, not guessed."""
    g, right = found.found[found.exists], found.right[found.exists]
    if not np.isfinite(g).all():
        return ""
    if not g.any():
        return "; it is 0 everywhere" if right.any() else ""
    place = explained(g, right, [suspect[found.exists] for suspect in found.suspects.values()])
    if place is not None:
        return f"; these are the numbers that come out if {list(found.suspects)[place]}"
    factor = multiple(g, right)
    return f"; it is {_factor(factor, samples)} what it should be" if factor else ""


def explained(g: Array, right: Array, suspects: Sequence[Array]) -> int | None:
    """Return the place of the suspect that comes nearest to g, if it leaves no more than LIKE of the error."""
    if not suspects or not np.isfinite(g).all():
        return None
    left = [float(np.max(np.abs(g - suspect), initial=0.0)) for suspect in suspects]
    best = int(np.argmin(left))
    return best if left[best] <= LIKE * float(np.max(np.abs(g - right), initial=0.0)) else None


def multiple(g: Array, right: Array) -> float | None:
    """Return what g is as a multiple of what is right, if it is one."""
    norm = float(np.sum(right * right))
    factor = float(np.sum(g * right)) / norm if norm > 0 else 0.0
    return factor if factor and explained(g, right, [factor * right]) is not None else None


def _no_bias(layer: int, what: str, wrong: int) -> str:
    numbers = "these are the numbers that come out if its bias was left out"
    return f"{NAMES['(25)']} is wrong in layer {layer} of {what}: {numbers}. {wrong} arrays are wrong because of it."


def _factor(factor: float, samples: int) -> str:
    for words, value in ((f"1/m = 1/{samples} of", 1 / samples), (f"m = {samples} times", float(samples))):
        if samples > 1 and abs(factor / value - 1) < LIKE:
            return words
    return f"{factor:.{3 if abs(factor - 1) > LIKE else 7}g} times"


def _of_gradient(
    failed: Sequence[EquationRow], rows: Sequence[EquationRow], against: str, what: str, evidence: Evidence
) -> str:
    """Blame the equation behind the highest layer in which a gradient is wrong."""
    layer = max(row.layer for row in failed)
    wrong = {row.quantity for row in failed if row.layer == layer}
    last = max(row.layer for row in rows)
    both = {row.quantity for row in rows if row.against == against and row.layer == layer and row.checked}
    more = ""
    if wrong == both and len(both) == 2:
        equation = "BP1" if layer == last else "BP2"
        factors = [multiple(*evidence.gradients[name, layer]) for name in sorted(both)]
        known = [factor for factor in factors if factor]
        left_out = explained(*evidence.gradients["nabla_b", last], evidence.unbiased)
        if layer == last and left_out:
            return _no_bias(left_out - 1, what, len(failed))
        if len(known) == 2 and abs(known[0] / known[1] - 1) < LIKE:
            more = f"; both gradients are {_factor(known[0], evidence.samples)} what they should be"
            equation = "BP3" if "m = " in more else equation  # of δ itself, no mean is taken
    else:
        equation = "BP3" if wrong == {"nabla_b"} else "BP4"
    worst = max((row for row in failed if row.layer == layer), key=lambda row: row.share)
    size = f"{worst.quantity}[{layer}] is off by {_percent(worst.error)} of its largest entry{more}"
    only = " (backprop is right)" if against != WHOLE else ", though each equation follows from the numbers before it"
    return f"{equation} is wrong in layer {layer} of {what}{only}: {size}, against a numerical derivative of C."


def rowed(found: Comparison) -> EquationRow:
    """Return the row of a comparison: of the entry that is furthest beyond, or nearest to, what is allowed."""
    exists = found.exists
    off = np.abs(found.found - found.right)
    bad = ~np.isfinite(found.found) & exists
    if not exists.any():
        return EquationRow(found.equation, found.layer, found.quantity, against=found.given)
    with np.errstate(all="ignore"):
        share = np.where(exists, np.where(bad, np.inf, off / found.allowed), -1.0)
    share = np.where(np.isnan(share) & exists, 0.0, share)  # 0 / 0
    place = tuple(int(i) for i in np.unravel_index(int(np.argmax(share)), share.shape))
    scale = _scale(found, exists)
    error, allowed = (float(array[place]) / scale for array in (off, found.allowed))
    typical = float(np.median(off[exists])) / scale
    return EquationRow(found.equation, found.layer, found.quantity, error, typical, place, allowed, found.given)


def _scale(found: Comparison, exists: Array) -> float:
    right = np.abs(found.right[exists])
    return float(np.max(right, initial=0.0)) or 1.0


def _percent(share: float) -> str:
    return f"{100 * share:.2g} %"
