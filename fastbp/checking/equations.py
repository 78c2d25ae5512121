"""Are the four equations right? Each by itself, and the gradients they lead to, against numerical derivatives.

- Each equation by itself (local.py): what the network computed, from its own numbers at the place before. So a wrong σ'
  in one layer is found there, and nowhere else.
- The gradients as a whole (overall.py): ∂C/∂w and ∂C/∂b of backprop, and of a training step with its dropout, against
  derivatives of C. This is what makes it true.
"""

from collections.abc import Iterator, Sequence

import numpy as np

from ..formulas import Array
from ..networks.base import BaseNetwork
from ..networks.reference import targets_of
from ..networks.results import Forward, Gradients
from .blame import FUSED, STEP, WHOLE, Evidence, Gradient, rowed, verdict
from .cross import Quantities, compare, gradient_terms, references
from .local import SHARP, Numbers, clipped, comparisons
from .overall import Derivative, Overall
from .report import EquationReport, EquationRow
from .step import fused_step, training_step, without_bias

ROWS = 64  # of x, for each equation by itself
WHOLE_ROWS = 16  # of x, for derivatives of C: each takes passes over all of them
NEAR = 2.4e-5  # of a kink: a difference would reach across
SIGNS = 4.0  # errors of many entries, added up with random signs, are no larger than so many typical ones


def check_equations(net: BaseNetwork, x: object, y: object) -> EquationReport:
    """Check (25) and BP1 to BP4 in every layer, and name the one that is wrong, if one is.

    Each equation is checked by itself, given the numbers that the network computed before it; then the gradients of
    backprop and of a training step, dropout included, against numerical derivatives of C: by every parameter of small
    layers, of large ones by some and along random directions through all. C has no derivative at the kink of relu, of
    |w| under l1, and where a cost clips its logarithm: such entries are left out, and a row says if none is left.

    Parameters
    ----------
    net
        of either engine; it is not changed
    x, y
        as in ``net.backprop``; the first 64 samples are looked at, for derivatives of C the first 16

    Returns
    -------
    EquationReport
        for each equation and layer the largest and the typical error, where it is and what is allowed; `verdict` says
        in words what is wrong. It is true if nothing is

    Raises
    ------
    ValueError
        where C has no derivative at any of the samples

    """
    x, y = net._checked(x, y)
    truth, single = references(net)
    own = _own_numbers(net, x[:ROWS], y[:ROWS])
    found = list(comparisons(own))
    rows = [rowed(comparison) for comparison in found]
    x, y = _smooth_rows(truth, x[:WHOLE_ROWS], y[:WHOLE_ROWS])
    unbiased = list(without_bias(truth, own.x, own.y, None))
    whole, evidence = _whole(net, truth, single, x, y)
    rows += whole
    title = f"{net!r}: the equations in {len(own.x)} samples"
    return EquationReport(title, tuple(rows), verdict(rows, found, len(own.x), unbiased, evidence))


def _own_numbers(net: BaseNetwork, x: Array, y: Array) -> Numbers:
    """Return what a network computes for these samples, in float64."""
    weights, biases = net._get_parameters()
    states, gradients = net.forward(x), net.backprop(x, net._named(y))
    wide = Forward(_wide(states.zs), _wide(states.activations))
    found = Gradients(gradients.cost, *(_wide(arrays) for arrays in gradients[1:]))
    targets = targets_of(net.spec, y, np.float64)
    return Numbers(net.spec, _wide(weights), _wide(biases), x.astype(np.float64), targets, wide, found)


def _wide(arrays: Sequence[Array]) -> list[Array]:
    return [np.asarray(array, np.float64) for array in arrays]


def _whole(
    net: BaseNetwork, truth: BaseNetwork, single: BaseNetwork, x: Array, y: Array
) -> tuple[list[EquationRow], dict[str, Evidence]]:
    """Compare the gradients of backprop and of training steps with derivatives of C."""

    def backprop(n: BaseNetwork) -> Quantities:
        found = n.backprop(x, n._named(y))
        return {"nabla_w": found.nabla_w, "nabla_b": found.nabla_b}

    def step(n: BaseNetwork) -> Quantities:
        found = training_step(n, x, y)
        return {"nabla_w": found.weights, "nabla_b": found.biases}

    def fused(n: BaseNetwork) -> Quantities:
        weights, biases = fused_step(n, x, y)
        return {"nabla_w": weights, "nabla_b": biases}

    keeps = training_step(net, x, y).keeps
    plain = list(_derivatives(Overall(truth, x, y)))
    dropped = plain if keeps is None else list(_derivatives(Overall(truth, x, y, keeps)))
    terms, rows, evidence = gradient_terms(truth, x, y), [], {}
    for measure, numeric, against in ((backprop, plain, WHOLE), (step, dropped, STEP), (fused, dropped, FUSED)):
        compared = compare(measure, net, truth, single, len(x), terms=terms)
        allowed = {(row.quantity, row.layer): row.tolerance for row in compared}
        found, gradients = measure(net), {}
        for name, equation, layer, derivatives in numeric:
            g = np.asarray(found[name][layer], np.float64)
            rows.append(_row(derivatives, g, allowed[name, layer], EquationRow(equation, layer, name, against=against)))
            gradients[name, layer] = _pairs(derivatives, g)
        masks = None if against == WHOLE else keeps
        at_the_end = numeric[len(net.sizes) - 2][3]  # ∂C/∂b^L
        unbiased = [_along(at_the_end, delta.mean(axis=0)) for delta in without_bias(truth, x, y, masks)]
        evidence[against] = Evidence(len(x), gradients, unbiased)
    return rows, evidence


def _pairs(derivatives: list[Derivative], g: Array) -> Gradient:
    known = [d for d in derivatives if np.isfinite(d.off)]
    return Gradient(_along(known, g), np.array([d.value for d in known]))


def _along(derivatives: list[Derivative], g: Array) -> Array:
    """<g, v> in every direction in which C has a derivative."""
    return np.array([float(np.sum(g * d.direction)) for d in derivatives if np.isfinite(d.off)])


def _derivatives(numeric: Overall) -> Iterator[tuple[str, str, int, list[Derivative]]]:
    for name, array, equation in (("nabla_b", "biases", "BP3"), ("nabla_w", "weights", "BP4")):
        for layer in range(len(numeric.weights)):
            yield name, equation, layer, list(numeric.of(array, layer))


def _row(derivatives: list[Derivative], g: Array, tolerance: float, row: EquationRow) -> EquationRow:
    """Fill in a row: the derivative that is nearest to failing."""
    scale = float(np.max(np.abs(g))) or 1.0
    errors: list[float] = []
    place: tuple[int, ...] = ()
    worst = (-1.0, 0.0, 0.0)  # share of what is allowed, error, allowed
    for derivative in derivatives:
        if not np.isfinite(derivative.off):
            continue
        error = abs(float(np.sum(g * derivative.direction)) - derivative.value)
        several = 1.0 if derivative.place else SIGNS
        limit = several * (1e-6 + tolerance) * max(scale, abs(derivative.value)) + derivative.off
        share = error / limit if error == error else np.inf
        errors.append(error / scale)
        if share > worst[0]:
            worst, place = (float(share), error / scale, float(limit) / scale), derivative.place or ()
    if not errors:
        return row
    return row._replace(error=worst[1], typical=float(np.median(errors)), place=place, tolerance=worst[2])


def _smooth_rows(truth: BaseNetwork, x: Array, y: Array) -> tuple[Array, Array]:
    """Return the samples at which C has a derivative, a few steps around included."""
    zs, activations = truth.forward(x)
    rows, cost = truth.spec.activation_rows, truth.spec.cost_row
    keep = ~clipped(activations[-1], rows[-1], cost, SHARP).any(axis=1)
    from_kinks = [z - kink for z, row in zip(zs, rows, strict=True) for kink in row.kinks]
    from_kinks += [activations[-1] - targets_of(truth.spec, y, np.float64) - kink for kink in cost.kinks]
    for distance in from_kinks:
        near = np.abs(distance) <= NEAR
        dead = near.all(axis=0)  # near for every sample: not a reason to drop them all
        keep &= ~near[:, ~dead].any(axis=1)
    if not keep.any():
        raise ValueError(
            f"C has no derivative at any of the first {len(x)} samples: they lie at a kink of an activation "
            f"or {truth.spec.cost} clips its logarithm; give other samples or other weights"
        )
    return x[keep], y[keep]
