"""From rows to a verdict: which equation is wrong, in which layer, and what it looks like."""

from collections.abc import Sequence

import numpy as np

from ..formulas import Array
from .local import Comparison
from .report import EquationRow

LIKE = 0.02  # of the largest entry: a suspicion that leaves no more unexplained is worth telling
NAMES = {"(25)": "the forward pass", "BP1": "BP1", "BP2": "BP2", "BP3": "BP3", "BP4": "BP4"}
STEP = "a training step"
WHOLE = "C"


def verdict(rows: Sequence[EquationRow], compared: Sequence[Comparison], samples: int) -> str:
    """Return what is wrong, in words; that nothing is, if so."""
    by_itself = [row for row in rows if row.against not in (STEP, WHOLE)]
    causes = [row for row in by_itself if not row.passed]
    if causes:
        hints = {(c.quantity, c.layer): hint(c, samples) for c in compared}
        words = [_describe(row, hints.get((row.quantity, row.layer), "")) for row in causes]
        others = sum(not row.passed for row in rows) - len(causes)
        follows = f" {others} more gradients are wrong because of it." if others else ""
        return "; ".join(words) + "." + follows
    for against, what in ((WHOLE, "backprop"), (STEP, STEP)):
        failed = [row for row in rows if row.against == against and not row.passed]
        if failed:
            return _of_gradient(failed, rows, against, what)
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
    scale = float(np.max(np.abs(g), initial=0.0))
    if not np.isfinite(scale) or scale == 0:
        return "; it is 0 everywhere" if scale == 0 and np.any(right != 0) else ""
    for words, suspect in found.suspects.items():
        if np.max(np.abs(g - suspect[found.exists])) <= LIKE * scale and not np.allclose(suspect, found.right):
            return f"; these are the numbers that come out if {words}"
    norm = float(np.sum(right * right))
    factor = float(np.sum(g * right)) / norm if norm > 0 else 0.0
    if abs(factor) > 1e-12 and np.max(np.abs(g - factor * right)) <= LIKE * scale:
        return f"; it is {_factor(factor, samples)} what it should be"
    return ""


def _factor(factor: float, samples: int) -> str:
    for words, value in ((f"1/m = 1/{samples} of", 1 / samples), (f"m = {samples} times", float(samples))):
        if samples > 1 and abs(factor / value - 1) < LIKE:
            return words
    return f"{factor:.3g} times"


def _of_gradient(failed: Sequence[EquationRow], rows: Sequence[EquationRow], against: str, what: str) -> str:
    """Blame the equation behind the highest layer in which a gradient is wrong."""
    layer = max(row.layer for row in failed)
    wrong = {row.quantity for row in failed if row.layer == layer}
    last = max(row.layer for row in rows)
    both = {row.quantity for row in rows if row.against == against and row.layer == layer and row.checked}
    if wrong == both and len(both) == 2:
        equation = "BP1" if layer == last else "BP2"
    else:
        equation = "BP3" if wrong == {"nabla_b"} else "BP4"
    worst = max((row for row in failed if row.layer == layer), key=lambda row: row.share)
    size = f"{worst.quantity}[{layer}] is off by {_percent(worst.error)} of its largest entry"
    only = " (backprop is right)" if against == STEP else ", though each equation follows from the numbers before it"
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
