"""Learning rates that change: functions of t, the time in epochs (2.5: in the middle of the third).

``fastbp.Adam(fastbp.schedules.cosine(1e-3, epochs=30))``; any function of t will do, which takes an array too or not.
Each is a frozen dataclass, so that a checkpoint can hold it. PyTorch's schedulers count calls of `step`: called once an
epoch, theirs are these at t = 0, 1, 2, ...
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from . import Array, number

ANY: Mapping[str, Any] = {}
POSITIVE: Mapping[str, Any] = {"positive": True}


class Schedule:
    """What the schedules of this package share."""

    def _check(self, **ranges: Mapping[str, Any]) -> None:
        """Keep each field as a checked number."""
        for name, limits in ranges.items():
            object.__setattr__(self, name, number(name, getattr(self, name), **limits))  # frozen: the one moment


@dataclass(frozen=True)
class constant(Schedule):
    """η(t) = η: a number by itself is the same, but for `warmup`."""

    learning_rate: float

    def __post_init__(self) -> None:
        self._check(learning_rate=ANY)

    def __call__(self, t: Any) -> Any:
        """Return the rate at t epochs."""
        return np.full_like(np.asarray(t, float), self.learning_rate)


@dataclass(frozen=True)
class step(Schedule):
    """η(t) = η f^⌊t / every⌋: times `factor` after each so many epochs."""

    learning_rate: float
    every: float
    factor: float = 0.1

    def __post_init__(self) -> None:
        self._check(learning_rate=ANY, every=POSITIVE, factor=ANY)

    def __call__(self, t: Any) -> Any:
        """Return the rate at t epochs."""
        return self.learning_rate * self.factor ** np.floor(np.asarray(t, float) / self.every)


@dataclass(frozen=True)
class exponential(Schedule):
    """η(t) = η fᵗ: times `factor` in each epoch, a little at each step."""

    learning_rate: float
    factor: float = 0.95

    def __post_init__(self) -> None:
        self._check(learning_rate=ANY, factor=ANY)

    def __call__(self, t: Any) -> Any:
        """Return the rate at t epochs."""
        return self.learning_rate * self.factor ** np.asarray(t, float)


@dataclass(frozen=True)
class inverse_scaling(Schedule):
    """η(t) = η / (1 + t / scale)^p.

    scikit-learn's "invscaling" is η / (samples seen)^p, which falls from the first sample on; this begins at η, and
    follows it from a few `scale` epochs on.
    """

    learning_rate: float
    power: float = 0.5
    scale: float = 1.0

    def __post_init__(self) -> None:
        self._check(learning_rate=ANY, power=ANY, scale=POSITIVE)

    def __call__(self, t: Any) -> Any:
        """Return the rate at t epochs."""
        return self.learning_rate / (1 + np.asarray(t, float) / self.scale) ** self.power


@dataclass(frozen=True)
class cosine(Schedule):
    """η(t) = η ½ (1 + cos(π t / epochs)), after `warmup` epochs of linear growth from 0; 0 after the last.

    With warmup w it is η t / w up to w, then the cosine over the epochs that are left (Loshchilov, Hutter 2016).
    """

    learning_rate: float
    epochs: float
    warmup: float = 0.0

    def __post_init__(self) -> None:
        self._check(learning_rate=ANY, epochs=POSITIVE)
        self._check(warmup={"below": self.epochs})

    def __call__(self, t: Any) -> Any:
        """Return the rate at t epochs."""
        t = np.clip(np.asarray(t, float), 0, self.epochs)
        rising = t / self.warmup if self.warmup else np.ones_like(t)
        falling = 0.5 * (1 + np.cos(np.pi * (t - self.warmup) / (self.epochs - self.warmup)))
        return self.learning_rate * np.where(t < self.warmup, rising, falling)


@dataclass(frozen=True)
class cosine_restarts(Schedule):
    """η(t) = η_min + (η - η_min) ½ (1 + cos(π s / S)), s the time since the last restart, S until the next.

    The first cycle takes `epochs`, each other `growth` times as long as the one before (Loshchilov, Hutter 2016;
    PyTorch's CosineAnnealingWarmRestarts).
    """

    learning_rate: float
    epochs: float
    growth: float = 1.0
    lowest: float = 0.0

    def __post_init__(self) -> None:
        self._check(learning_rate=ANY, epochs=POSITIVE, growth={"low": 1.0}, lowest=ANY)

    def __call__(self, t: Any) -> Any:
        """Return the rate at t epochs."""
        t = np.maximum(np.asarray(t, float), 0)
        if self.growth == 1:
            cycle, since = self.epochs, t % self.epochs
        else:  # cycle n begins at epochs (gⁿ - 1) / (g - 1)
            g = self.growth
            n = np.floor(np.log1p(t / self.epochs * (g - 1)) / np.log(g) + 1e-12)
            cycle, since = self.epochs * g**n, t - self.epochs * (g**n - 1) / (g - 1)
        falling = 0.5 * (1 + np.cos(np.pi * np.clip(since / cycle, 0, 1)))
        return self.lowest + (self.learning_rate - self.lowest) * falling


@dataclass(frozen=True)
class one_cycle(Schedule):
    """Up from η / `begin` to η in the share `rise` of the epochs, then down to η / (`begin` · `end`), along cosines.

    η is the largest rate, which is larger than others can be (Smith, Topin 2017; PyTorch's OneCycleLR, the rate only).
    """

    learning_rate: float
    epochs: float
    rise: float = 0.3
    begin: float = 25.0
    end: float = 1e4

    def __post_init__(self) -> None:
        self._check(learning_rate=ANY, epochs=POSITIVE, begin=POSITIVE, end=POSITIVE)
        self._check(rise={"below": 1.0, "positive": True})

    def __call__(self, t: Any) -> Any:
        """Return the rate at t epochs."""
        t = np.clip(np.asarray(t, float), 0, self.epochs)
        top, first = self.rise * self.epochs, self.learning_rate / self.begin
        up = _between(first, self.learning_rate, t / top)
        down = _between(self.learning_rate, first / self.end, (t - top) / (self.epochs - top))
        return np.where(t < top, up, down)


@dataclass(frozen=True)
class warmup:
    """η(t) = (t / epochs) s(epochs) up to `epochs`, then s(t): any schedule s, begun from 0 (Goyal et al. 2017)."""

    schedule: Any
    epochs: float

    def __post_init__(self) -> None:
        if not callable(self.schedule):
            object.__setattr__(self, "schedule", constant(self.schedule))
        object.__setattr__(self, "epochs", number("epochs", self.epochs, positive=True))

    @property
    def learning_rate(self) -> float:
        """Where it leads to."""
        return float(rates_at(self.schedule, np.array([self.epochs]))[0])

    def __call__(self, t: Any) -> Any:
        """Return the rate at t epochs."""
        t = np.asarray(t, float)
        later = rates_at(self.schedule, np.maximum(t, self.epochs).ravel()).reshape(t.shape)
        return np.where(t < self.epochs, t / self.epochs * self.learning_rate, later)


def _between(first: float, last: float, share: Any) -> Any:
    """From first to last along half a cosine."""
    return last + (first - last) * 0.5 * (1 + np.cos(np.pi * np.clip(share, 0, 1)))


SCHEDULES: dict[str, type[Any]] = {
    row.__name__: row
    for row in (constant, step, exponential, inverse_scaling, cosine, cosine_restarts, one_cycle, warmup)
}


def rates_at(learning_rate: Any, times: Array) -> Array:
    """Return the rate at each of the times (in epochs): finite numbers, not below 0."""
    if not callable(learning_rate):
        return np.full(len(times), float(learning_rate))
    try:
        rates = np.asarray(learning_rate(times), float)
    except (TypeError, ValueError):  # a function of one number, with an `if` in it, say
        rates = np.array([learning_rate(float(t)) for t in times], float)
    if rates.ndim == 0:
        rates = np.full(len(times), float(rates))
    if rates.shape != times.shape:
        raise ValueError(f"the schedule returns {rates.shape} for {len(times)} times; it must return a rate for each")
    wrong = ~(np.isfinite(rates) & (rates >= 0))
    if wrong.any():
        place = int(np.argmax(wrong))
        raise ValueError(f"the schedule is {rates[place]} at {times[place]:g} epochs; a rate is finite and not below 0")
    return rates
