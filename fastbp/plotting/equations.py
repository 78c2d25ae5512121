"""The verdict on the equations: how far each array is off, beside what it may be."""

from typing import Any

import numpy as np

from .display import Display, axes, display

RIGHT, WRONG, ALLOWED = "#2e7d32", "#b3202a", "#888888"
LEAST = 1e-18


def plot_equations(report: Any, ax: Any = None) -> Display:
    """Draw the error of every row of `check_equations`, and how far it may be off, on a logarithmic axis."""
    rows = [row for row in report.rows if row.checked]
    ax = axes(ax, 8, 1.4 + 0.19 * max(len(rows), 4))
    if not rows:
        ax.set(xticks=[], yticks=[])
        ax.text(0.5, 0.5, "nothing was checked: there is no derivative here", ha="center", transform=ax.transAxes)
        return display(ax)
    places = np.arange(len(rows))
    allowed = np.array([max(row.tolerance, LEAST) for row in rows])
    errors = np.array([max(row.error, LEAST) if np.isfinite(row.error) else np.inf for row in rows])
    known = np.isfinite(errors)
    most = max(errors[known].max(initial=LEAST), allowed.max())
    errors = np.where(known, errors, 10 * most)  # beyond all others
    failed = np.array([not row.passed for row in rows])
    vague = np.array([not row.tells for row in rows])
    plain = ax.xaxis.label.get_color()
    ax.hlines(places, LEAST, allowed, color=ALLOWED, lw=5, alpha=0.35, label="allowed")
    for marker, size, fill, which, shade, name in (
        ("o", 5, "full", ~failed & ~vague, RIGHT, "error, passed"),
        ("o", 5, "none", vague, plain, "error, tells nothing"),
        ("X", 10, "full", failed, WRONG, "error, FAILED"),
    ):
        if which.any():
            ax.plot(errors[which], places[which], marker, ms=size, fillstyle=fill, color=shade, label=name)
    ax.set_xscale("log")
    ax.set_xlim(min(errors.min(), allowed.min()) / 3, max(errors.max(), most) * 3)
    ax.set_yticks(places, [row.name for row in rows], fontsize=7)
    ax.invert_yaxis()
    ax.set(xlabel="error, relative to the largest entry")
    where = " where they can be checked" if vague.any() or len(rows) < len(report.rows) else ""
    ax.set_title(f"The equations hold{where}" if report.passed else "The equations do NOT all hold")
    ax.grid(axis="x", alpha=0.25)
    ax.legend(fontsize=8, loc="upper left", bbox_to_anchor=(1.01, 1))
    return display(ax)
