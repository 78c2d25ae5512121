"""What slows learning down, read off the layers' numbers: a row for each sign, with its measure and its words."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from ..border.spec import NetworkSpec
from ..formulas.looks import LayerLook
from ..formulas.steepness import FLAT, flattens, steepest

SLOW = 10.0  # times slower than a layer behind it
SATURATED = 0.5  # of samples and neurons: it is worth a word where a layer is slow
HELD_BACK = 10.0  # times smaller: what σ' at the output makes of a mistake; it is 4 for sigmoids at their best
DEAD = 0.2  # of neurons
SMALL, LARGEST = 0.5, 0.1  # of inputs, where none is larger: images and tables may well have many zeros
LARGE_STEP = 0.3  # of a weight's size, in one step


class Seen(NamedTuple):
    """What signs are read off."""

    layers: Sequence[LayerLook]
    spec: NetworkSpec
    largest_input: float | None = None  # max |x|, if x is known


class Sign(NamedTuple):
    """One thing that slows learning down: its measure is larger the worse it is, and bad from the limit on."""

    kind: str
    limit: float
    measure: Callable[[Seen], float]
    words: Callable[[Seen], tuple[int, str]]  # the layer, and what is the matter with it
    left: Callable[[float], str]  # what a cure leaves of the measure, in words
    cures: tuple[str, ...]  # names in cures.py


def slowdown(seen: Seen) -> float:
    """How many times smaller δ is in a hidden layer than in one behind it; infinite where nothing arrives.

    Not |∂C/∂b|, as the book has it: in a network that has learned, that is small where the samples' errors cancel.
    """
    return _slowest(seen.layers)[2]


def held_back(seen: Seen) -> float:
    """How many times smaller δ^L is than ∇ₐC (BP1)."""
    factor = seen.layers[-1].by_slope
    return 1.0 if factor is None else _times(1.0, factor)


def deaths(seen: Seen) -> float:
    """The largest share of dead neurons in a hidden layer."""
    return max((layer.dead or 0.0 for layer in seen.layers[:-1]), default=0.0)


def small_inputs(seen: Seen) -> float:
    """The share of the network's inputs that are near 0, where all are small."""
    return seen.layers[0].small_inputs if seen.largest_input is not None and seen.largest_input < LARGEST else 0.0


def large_steps(seen: Seen) -> float:
    """|Δw| / |w|, of the layer where it is largest."""
    return max(layer.update_ratio or 0.0 for layer in seen.layers)


def _slowest(layers: Sequence[LayerLook]) -> tuple[LayerLook, LayerLook, float]:
    """Return the layer that learns slowest beside one behind it, that one, and how many times slower."""
    found = layers[-1], layers[-1], 1.0
    for place, slow in enumerate(layers[:-1]):
        fast = max(layers[place + 1 :], key=lambda layer: layer.delta)
        times = _times(fast.delta, slow.delta)
        if times > found[2]:
            found = slow, fast, times
    return found


def _say_slow(seen: Seen) -> tuple[int, str]:
    slow, fast, times = _slowest(seen.layers)
    if not np.isfinite(times):
        text = f"layer {slow.layer} does not learn at all: δ is 0 there"
    else:
        text = f"layer {slow.layer} learns {_shown(times)} times slower than layer {fast.layer}"
        text += f" (|δ| {slow.delta:.2g} against {fast.delta:.2g})"
    return slow.layer, f"{text}. {_why(seen.layers, slow.layer)}{_saturated(seen, slow)}"


def _why(layers: Sequence[LayerLook], slow: int) -> str:
    """Where δ is lost on the way back to a layer, by BP2's factors."""
    behind = layers[slow:-1]
    by_slope = float(np.prod([1.0 if layer.by_slope is None else layer.by_slope for layer in behind]))
    by_weights = float(np.prod([1.0 if layer.by_weights is None else layer.by_weights for layer in behind]))
    return f"On the way back there σ' makes δ {_become(by_slope)}, and the weights make it {_become(by_weights)} (BP2)"


def _saturated(seen: Seen, slow: LayerLook) -> str:
    """Say so where a slow layer, or one behind it, is saturated, by a σ that is flat on both sides."""
    rows = seen.spec.activation_rows
    behind = [layer for layer in seen.layers[slow.layer : -1] if all(flattens(rows[layer.layer]))]
    worst = max(behind, key=lambda layer: layer.saturated or 0.0, default=slow)
    if not behind or (worst.saturated or 0.0) < SATURATED:
        return ""
    limit = FLAT * steepest(rows[worst.layer])
    share = f"{100 * (worst.saturated or 0.0):.0f} % of the {worst.activation}s of layer {worst.layer} are saturated"
    return f"; {share} (σ' < {limit:.2g})"


def _say_held_back(seen: Seen) -> tuple[int, str]:
    last = seen.layers[-1]
    text = f"the output's σ' makes the mistake ∇ₐC {_become(last.by_slope or 0.0)} before any layer learns of it (BP1)"
    return last.layer, f"{text}: outputs that are wrong and sure of it learn slowest"


def _say_dead(seen: Seen) -> tuple[int, str]:
    worst = max(seen.layers[:-1], key=lambda layer: layer.dead or 0.0)
    text = f"{100 * (worst.dead or 0.0):.0f} % of the {worst.activation}s of layer {worst.layer} are dead"
    return worst.layer, f"{text}: σ' is 0 for every sample, so they never change again"


def _say_small(seen: Seen) -> tuple[int, str]:
    text = f"{100 * seen.layers[0].small_inputs:.0f} % of the inputs are nearer to 0 than 0.01"
    return 0, f"{text}: ∂C/∂w = a_in δ (32), so the weights from there hardly learn"


def _say_large(seen: Seen) -> tuple[int, str]:
    worst = max(seen.layers, key=lambda layer: layer.update_ratio or 0.0)
    text = f"one step changes the weights of layer {worst.layer} by {_share(worst.update_ratio or 0.0)} of their size"
    return worst.layer, f"{text}: what was learned before is overwritten (0.1 % is usual)"


def _times_left(times: float) -> str:
    return "then not at all" if times <= 1 else f"then {_shown(times)} times"


def _share_left(share: float) -> str:
    return f"then {_share(share)}"


def _share(share: float) -> str:
    return f"{100 * share:.0f} %"


ANEW = ("fresh", "glorot_uniform")
RATES = ("rate / 10", "rate / 100", "rate / 1000")
SIGNS = (
    Sign("output", HELD_BACK, held_back, _say_held_back, _times_left, ("cross_entropy", "fresh")),
    Sign("dead", DEAD, deaths, _say_dead, _share_left, ("fresh", "leaky_relu")),
    Sign("slow", SLOW, slowdown, _say_slow, _times_left, ("scaled", *ANEW, "he_normal", "tanh", "relu")),
    Sign("small inputs", SMALL, small_inputs, _say_small, _share_left, ("scaled",)),
    Sign("large steps", LARGE_STEP, large_steps, _say_large, _share_left, RATES),
)


def found(seen: Seen) -> list[Sign]:
    """Return the signs that these layers show, the nearest to the output first."""
    return [sign for sign in SIGNS if sign.measure(seen) >= sign.limit]


def _times(large: float, small: float) -> float:
    if small > 0:
        return large / small
    return float("inf") if large > 0 else 1.0


def _shown(times: float) -> str:
    return f"{times:.0f}" if times >= 10 else f"{times:.1f}"


def _become(factor: float) -> str:
    if factor == 0:
        return "0"
    if factor > 0.7:
        return f"{factor:.2g} times as large"
    return f"{_shown(1 / factor)} times smaller"
