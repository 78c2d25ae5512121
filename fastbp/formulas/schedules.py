"""Learning rates that change: functions of t, the time in epochs (2.5: in the middle of the third).

``fastbp.Adam(fastbp.schedules.cosine(1e-3, epochs=30))``; any function of t will do, which takes an array too or not.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from . import Array, number


@dataclass(frozen=True)
class cosine:
    """η(t) = η ½ (1 + cos(π t / epochs)), after `warmup` epochs of linear growth from 0; 0 after the last.

    With warmup w it is η t / w up to w, then the cosine over the epochs that are left (Loshchilov, Hutter 2016).
    """

    learning_rate: float
    epochs: float
    warmup: float = 0.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "learning_rate", number("learning_rate", self.learning_rate))
        object.__setattr__(self, "epochs", number("epochs", self.epochs, positive=True))
        object.__setattr__(self, "warmup", number("warmup", self.warmup, below=self.epochs))

    def __call__(self, t: Any) -> Any:
        """Return the rate at t epochs."""
        t = np.clip(np.asarray(t, float), 0, self.epochs)
        rising = t / self.warmup if self.warmup else np.ones_like(t)
        falling = 0.5 * (1 + np.cos(np.pi * (t - self.warmup) / (self.epochs - self.warmup)))
        return self.learning_rate * np.where(t < self.warmup, rising, falling)


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
