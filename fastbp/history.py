"""What `fit` measured, epoch by epoch."""

from dataclasses import asdict, dataclass, field

COLUMNS = ("cost", "accuracy", "validation_cost", "validation_accuracy", "learning_rate", "seconds")


@dataclass(repr=False)
class History:
    """One entry per epoch in each list; None where it was not measured or has no meaning.

    `cost` and `accuracy` are running means over the samples as training saw them, each before the
    update it took part in (so the first epochs look worse than the network is at their end);
    `cost` includes the penalty on the weights at the epoch's end.
    """

    cost: list[float] = field(default_factory=list)
    accuracy: list[float | None] = field(default_factory=list)
    validation_cost: list[float | None] = field(default_factory=list)
    validation_accuracy: list[float | None] = field(default_factory=list)
    learning_rate: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)

    def __len__(self) -> int:
        """Return the number of epochs."""
        return len(self.cost)

    def to_dict(self) -> dict[str, list[float | None]]:
        """Return the lists by name, ready for JSON or a data frame."""
        return asdict(self)

    def describe(self, epoch: int) -> str:
        """Return one epoch in a line."""
        values = [(name, getattr(self, name)[epoch]) for name in COLUMNS]
        return "  ".join(f"{name} {value:.4g}" for name, value in values if value is not None)

    def __repr__(self) -> str:
        """Return a table of at most ten epochs."""
        epochs = list(range(len(self)))
        shown = epochs if len(epochs) <= 10 else [*epochs[:5], *epochs[-5:]]
        lines = ["epoch  " + "  ".join(f"{name:>{max(len(name), 8)}}" for name in COLUMNS)]
        for place, epoch in enumerate(shown):
            if place and epoch != shown[place - 1] + 1:
                lines.append("  ...")
            cells = (_cell(getattr(self, name)[epoch], max(len(name), 8)) for name in COLUMNS)
            lines.append(f"{epoch + 1:>5}  " + "  ".join(cells))
        return "\n".join(lines)


def _cell(value: float | None, width: int) -> str:
    return f"{'-' if value is None else format(value, '.4g'):>{width}}"
