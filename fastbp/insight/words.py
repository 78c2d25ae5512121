"""A layer's numbers as the cells of a table."""

from collections.abc import Sequence

from ..formulas.looks import LayerLook

HEADS = (
    "layer", "|δ|", "|∂C/∂w|", "|∂C/∂b|", "|Δw|/|w|", "saturated", "dead", "inputs near 0", "δ by wᵀ", "δ by σ'",
)  # fmt: skip


def row(look: LayerLook) -> tuple[str, ...]:
    """Return one layer, under HEADS; - for what has no meaning there."""
    return (
        f"{look.layer} {look.activation}",
        *map(number, (look.delta, look.nabla_w, look.nabla_b, look.update_ratio)),
        *map(percent, (look.saturated, look.dead, look.small_inputs)),
        *map(factor, (look.by_weights, look.by_slope)),
    )


def text(layers: Sequence[LayerLook]) -> str:
    """Return the table in plain text."""
    rows = [HEADS, *map(row, layers)]
    first, *others = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = []
    for name, *cells in rows:
        padded = (f"{cell:>{width}}" for cell, width in zip(cells, others, strict=True))
        lines.append("  ".join([f"{name:<{first}}", *padded]))
    return "\n".join(lines)


def number(value: float | None) -> str:
    """Return two digits."""
    return "-" if value is None else f"{value:.2g}"


def percent(value: float | None) -> str:
    """Return whole percents."""
    return "-" if value is None else f"{100 * value:.0f} %"


def factor(value: float | None) -> str:
    """Return a factor."""
    return "-" if value is None else f"x {value:.2g}"
