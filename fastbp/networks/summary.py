"""What a network is, at a glance: its layers, its parameters and its settings."""

from dataclasses import dataclass
from typing import Any

from ..html import table

HEADS = ("layer", "inputs x outputs", "activation", "parameters")
NAMED = 12  # of the classes


@dataclass(frozen=True, repr=False)
class Summary:
    """A row per computed layer and the settings by name; print it to read it."""

    title: str
    layers: tuple[tuple[str, ...], ...]  # as HEADS
    settings: dict[str, str]

    def __repr__(self) -> str:
        """Return a table of layers, then a line per setting."""
        widths = [max(map(len, column)) for column in zip(HEADS, *self.layers, strict=True)]
        lines = [self.title, ""]
        for layer, shape, activation, parameters in (HEADS, *self.layers):
            cells = (f"{layer:<{widths[0]}}", f"{shape:<{widths[1]}}", f"{activation:<{widths[2]}}")
            lines.append("  ".join([*cells, f"{parameters:>{widths[3]}}"]))
        width = max(map(len, self.settings))
        return "\n".join([*lines, "", *(f"{name:<{width}}  {value}" for name, value in self.settings.items())])

    def _repr_html_(self) -> str:
        return table(HEADS, self.layers, self.title) + table(("setting", "value"), list(self.settings.items()))


def summary(net: Any) -> Summary:
    """Describe a network of any engine."""
    spec = net.spec
    pairs = list(zip(spec.sizes, spec.sizes[1:], strict=False))
    layers = [
        (str(place), f"{n} x {k}", name, f"{k * (n + 1):,}")
        for place, ((n, k), name) in enumerate(zip(pairs, spec.activations, strict=True))
    ]
    settings = {
        "parameters": f"{sum(k * (n + 1) for n, k in pairs):,}",
        "cost": spec.cost,
        "initializer": ", ".join(dict.fromkeys(spec.initializers)),
        "penalties": f"l1 {spec.l1:g}, l2 {spec.l2:g}",
        "dropout": _shares(spec.dropout),
        "constraints": _constraints(spec),
        "dtype": spec.dtype,
        "seed": str(spec.seed),
        "threads": str(net.threads),
        "epochs trained": str(net.epochs_trained),
    }
    if not settings["constraints"]:
        del settings["constraints"]
    classes = getattr(net, "classes", None)
    if classes is not None and len(classes):
        names = [str(name) for name in classes]
        settings["classes"] = ", ".join(names if len(names) <= NAMED else [*names[: NAMED - 2], "...", names[-1]])
    return Summary(f"{type(net).__name__} {'-'.join(map(str, spec.sizes))}", tuple(layers), settings)


def _shares(dropout: Any) -> str:
    return ", ".join(f"{share:g}" for share in (dropout if isinstance(dropout, tuple) else [dropout]))


def _constraints(spec: Any) -> str:
    found = {"max_norm": spec.max_norm, "nonnegative": spec.nonnegative, "monotone": spec.monotone}
    told = (name if value is True else f"{name} {value}" for name, value in found.items() if value)
    return ", ".join(told)
