"""Why is learning slow? One step of a copy of the network is looked at, and what may help is tried."""

from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import Any, NamedTuple

import numpy as np

from ..border import options
from ..formulas import Array
from ..formulas.looks import LayerLook
from ..formulas.schedules import rates_at
from ..html import table
from ..networks.base import BaseNetwork
from ..pages import picture
from ..plotting import Display, plot_diagnosis, plot_distributions
from ..training.loop import Data, Plan
from .anew import arguments_of
from .cures import CURES, Case
from .signs import Seen, Sign, found
from .words import HEADS, row, text

MOST_SAMPLES = 2048  # of x; more tell hardly more
HELPS = 0.5  # of the measure, or less, may be left once a cure is taken
NOTHING = "nothing here stands in the way of learning"


class Advice(NamedTuple):
    """One thing that slows learning down, and what helps: each cure named was tried, in a network of its own."""

    kind: str  # "output", "dead", "slow", "small inputs" or "large steps"
    layer: int  # place in net.weights
    text: str
    measure: float  # how bad it is: see `signs`
    cures: dict[str, float]  # by name, what would be left of the measure; the best first


@dataclass(frozen=True, repr=False)
class Diagnosis:
    """How each layer of a network learns, and what stands in its way; print it to read it."""

    title: str
    layers: tuple[LayerLook, ...]
    advice: tuple[Advice, ...]
    cost: float  # over the samples, without penalties
    samples: int  # looked at
    net: Any = field(compare=False)  # a copy
    x: Array = field(compare=False)  # (samples, n_0)
    y: Array = field(compare=False)

    def to_dict(self) -> dict[str, Any]:
        """Return what JSON can hold."""
        return {
            "cost": self.cost,
            "samples": self.samples,
            "layers": [layer._asdict() for layer in self.layers],
            "advice": [advice._asdict() for advice in self.advice],
        }

    def __repr__(self) -> str:
        """Return a table of layers, then the advice."""
        return "\n".join([self.title, "", text(self.layers), "", *self.sentences])

    @property
    def sentences(self) -> list[str]:
        """The advice in words, a sentence or two each; or that there is none."""
        return [advice.text for advice in self.advice] or [f"{NOTHING[0].upper()}{NOTHING[1:]}."]

    def plot(self) -> Display:
        """Draw BP2's factors, and the shares of neurons that do not learn: a picture with `ax_` and `figure_`."""
        return plot_diagnosis(self)

    def _repr_html_(self) -> str:
        cells = [row(layer) for layer in self.layers]
        words = table(HEADS, cells, f"{self.title}. {' '.join(self.sentences)}")
        if find_spec("matplotlib") is None:
            return words
        pictures = (self.plot, lambda: plot_distributions(self.net, self.x))
        return words + "".join(f'<img src="{picture(draw)}">' for draw in pictures)


def diagnose(net: BaseNetwork, x: object, y: object, optimizer: object = None) -> Diagnosis:
    """Say why a network learns slowly, if it does: each layer's δ, ∂C/∂w, saturation and BP2's factors, and advice.

    The network is not changed: a copy, without dropout, makes one step on all samples (on 2048 of them, evenly spread,
    if there are more). What is advised has been tried on these samples, in another copy or in a fresh network.

    Parameters
    ----------
    net
        of either engine, trained or not
    x, y
        as in ``net.fit``
    optimizer
        whose step is looked at, as in ``net.fit``; None: ``fastbp.Adam(1e-3)``

    Raises
    ------
    ValueError
        where C is not finite

    """
    chosen = options.checked_optimizer(optimizer)
    x, y = net._checked(x, y)
    total, places = len(x), _spread(len(x))
    x, y = np.ascontiguousarray(x[places]), np.ascontiguousarray(y[places])
    case = Case(arguments_of(net), x, chosen, net._get_parameters())
    seen, cost = look(type(net), case, y)
    advice = tuple(_advise(type(net), case, y, seen, sign) for sign in found(seen))
    of = f"{len(x)} samples" if len(x) == total else f"{len(x)} of {total} samples"
    title = f"{type(net).__name__} {'-'.join(map(str, net.sizes))}, {net.spec.cost}: one step of {chosen} on {of}"
    return Diagnosis(title, tuple(seen.layers), advice, cost, len(x), net._twin(type(net)), x, y)


def look(engine: type[BaseNetwork], case: Case, y: Array) -> tuple[Seen, float]:
    """Return what one step on all samples shows, and C without penalties before it."""
    net = engine(**case.arguments)
    if case.parameters is not None:
        net._set_parameters(*case.parameters)
    weights = net._get_parameters()[0]
    rate = case.optimizer.learning_rate
    rates = rates_at(rate, np.zeros(1)) if callable(rate) else None
    plan = Plan(case.optimizer, len(case.x), look_every=1)
    session = net._session(Data(case.x, y), plan, net._new_state(case.optimizer))
    done = session.train(np.arange(len(case.x)), 0, 1, 0, rates=rates)
    if done.failed >= 0:
        layer = net._faulty_layer(case.x)
        raise ValueError(f"C is not finite at these samples, from layer {layer} on: give it other weights, or scale x")
    layers = session.take_looks().layers(net.spec.activation_rows, weights)
    return Seen(layers, net.spec, float(np.max(np.abs(case.x)))), done.cost / len(case.x)


def _spread(m: int) -> Array:
    return np.unique(np.linspace(0, m - 1, min(m, MOST_SAMPLES)).astype(np.int64))


def _advise(engine: type[BaseNetwork], case: Case, y: Array, seen: Seen, sign: Sign) -> Advice:
    """Take the cures of a sign one by one, and advise those that help."""
    measure = sign.measure(seen)
    left = {name: _left(engine, CURES[name].apply(case), y, sign) for name in ("fresh", *sign.cures)}
    cures = {}
    for name in sign.cures:
        changed, after = CURES[name].apply(case), left[name]
        if changed is None or after is None:
            continue
        fresh = left["fresh"]
        anew = changed.parameters is None and name != "fresh" and fresh is not None
        # What begins anew must be better than fresh weights alone.
        if after <= HELPS * measure and not (anew and fresh is not None and after >= HELPS * fresh):
            cures[name] = after
    # Those that cure it altogether come first, in their own order.
    best = dict(sorted(cures.items(), key=lambda item: item[1] if item[1] >= sign.limit else 0.0))
    layer, what = sign.words(seen)
    return Advice(sign.kind, layer, f"{what[0].upper()}{what[1:]}. {_try(best, case, sign)}", measure, best)


def _left(engine: type[BaseNetwork], changed: Case | None, y: Array, sign: Sign) -> float | None:
    """Return what a cure leaves of the measure; None where it cannot be taken."""
    if changed is None:
        return None
    try:
        return sign.measure(look(engine, changed, y)[0])
    except ValueError:  # the new cost does not take these targets, or C is not finite
        return None


def _try(cures: dict[str, float], case: Case, sign: Sign) -> str:
    if not cures:
        return "Nothing that was tried here helps."
    named = [f"{CURES[name].words(case)} ({sign.left(left)})" for name, left in list(cures.items())[:2]]
    return f"Try {' or '.join(named)}."
