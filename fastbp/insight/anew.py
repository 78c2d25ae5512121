"""What makes a network like another one, anew."""

from typing import Any

from ..networks.base import BaseNetwork


def arguments_of(net: BaseNetwork) -> dict[str, Any]:
    """Return the arguments of a network like this one, but for dropout."""
    spec, rows = net.spec, net.spec.activation_rows
    return {
        "sizes": spec.sizes, "activation": list(rows[:-1]), "output": rows[-1], "cost": spec.cost_row,
        "initializer": spec.initializer, "l1": spec.l1, "l2": spec.l2, "dtype": spec.dtype, "seed": spec.seed,
        "max_norm": spec.max_norm, "nonnegative": spec.nonnegative, "monotone": spec.monotone,
    }  # fmt: skip


def fresh_twin(net: BaseNetwork) -> BaseNetwork:
    """Return a network like this one, with its classes and columns, but untrained."""
    twin = type(net)(**arguments_of(net), dropout=net.spec.dropout)
    twin.threads = net.threads
    twin.__setstate__(net._besides())
    return twin
