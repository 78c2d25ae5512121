"""What the lesson says in words: each is looked up in the numbers before it is said."""

from collections.abc import Callable

import numpy as np

from .experiments import Lesson

CLAIMS: dict[str, Callable[[Lesson], bool]] = {
    "the equations and the differences agree": lambda it: it.small.worst < 1e-8,
    "check_equations finds nothing wrong": lambda it: not (it.small.failed or it.sigmoid.failed or it.steady.failed),
    "C is the mean of C_x": lambda it: bool(np.isclose(it.meaning.costs[2], np.mean(it.meaning.costs[:2]), rtol=1e-9)),
    "C is the same where the outputs are": lambda it: bool(np.isclose(it.meaning.exchanged, it.small.cost, rtol=1e-12)),
    "the demon's push changes C by about δ Δz": lambda it: all(
        np.allclose(delta[0] * push, change, rtol=0.1, atol=0)
        for delta, (push, change) in zip(it.small.equations.deltas, it.meaning.pushes, strict=True)
    ),
    "δ is small where the neuron is nearly right, and where it is saturated": lambda it: (
        10 * max(abs(neuron.delta) for neuron in it.meaning.neurons[1:]) < abs(it.meaning.neurons[0].delta)
        and it.meaning.neurons[1].a < it.meaning.neurons[0].a < it.meaning.neurons[2].a
    ),
    "weights from a weak input learn slowly": lambda it: (
        it.meaning.weak.ratio > 10 and it.meaning.weak.moved_ratio > 10
    ),
    "the neuron that is badly wrong is further off": lambda it: it.learners[1].outputs[0] > it.learners[0].outputs[0],
    "all neurons get below 0.5, with the book's first η": lambda it: all(one.half for one in it.learners[:4]),
    "with the quadratic cost it learns slower, and is later": lambda it: (
        it.learners[1].step < it.learners[0].step and (it.learners[1].half or 0) > (it.learners[0].half or 0)
    ),
    "with the cross-entropy it learns faster": lambda it: it.learners[3].step > it.learners[2].step,
    "with the book's small η its first step is longer than with the quadratic cost": lambda it: (
        it.learners[5].eta < it.learners[1].eta and it.learners[5].step > it.learners[1].step
    ),
    "the first layer of sigmoids is slower than the next, and so on": lambda it: bool(
        np.all(np.diff([look.nabla_b for look in it.sigmoid.looks[0][:-1]]) > 0)
    ),
    "no sigmoid lets more than a quarter of δ through": lambda it: all(
        look.by_slope is not None and look.by_slope <= 0.25 for look in it.sigmoid.looks[0][:-1]
    ),
    "slow is not unable": lambda it: it.impatient.eta > it.sigmoid.eta and it.impatient.accuracy > it.sigmoid.accuracy,
    "the cure helps": lambda it: it.steady.slowdown < it.sigmoid.slowdown and it.steady.accuracy > it.sigmoid.accuracy,
}


def check(lesson: Lesson) -> None:
    """Raise an AssertionError where the numbers do not bear out what the words say."""
    for claim, holds in CLAIMS.items():
        if not holds(lesson):
            raise AssertionError(f"the lesson says that {claim}, and its numbers do not bear it out")
