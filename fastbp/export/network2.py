"""The JSON files of the book's network2."""

import json
import os
from typing import Any

from .. import files
from ..errors import ModelFileError
from ..networks.fast import Network
from ..nielsen.stored import read_network
from .parts import network_of

COSTS = {"QuadraticCost": ("sigmoid", "quadratic"), "CrossEntropyCost": ("sigmoid", "binary_cross_entropy")}


def to_network2_json(model: Any, path: str | os.PathLike[str]) -> None:
    """Write a file that the book's network2, and ``fastbp.nielsen.network2``, can load.

    Raises
    ------
    ValueError
        where activations or cost are others than the book's: sigmoids, with "quadratic" or "binary_cross_entropy"

    """
    net = network_of(model)
    if others := sorted(set(net.spec.activations) - {"sigmoid"}):
        raise ValueError(f"network2 has sigmoids everywhere, and this network {', '.join(others)}")
    names = [name for name, (_, cost) in COSTS.items() if cost == net.spec.cost]
    if not names:
        raise ValueError(f"network2 has the costs quadratic and binary_cross_entropy, not {net.spec.cost}")
    data = {
        "sizes": list(net.sizes),
        "weights": [w.tolist() for w in net.weights],
        "biases": [b[:, None].tolist() for b in net.biases],
        "cost": names[0],
    }
    files.replace(path, json.dumps(data).encode())


def from_network2_json(path: str | os.PathLike[str]) -> Network:
    """Return the network of a file that network2's `save` wrote, in float64; a damaged one raises ModelFileError."""
    sizes, weights, biases, name, activation = read_network(path)
    if name not in COSTS:
        raise ModelFileError(f"{os.fspath(path)}: its cost {name!r:.80} is not one of {', '.join(COSTS)}")
    output, cost = COSTS[name]
    return Network(
        sizes, activation=activation, output=output, cost=cost, dtype="float64", seed=0,  # type: ignore[arg-type]
        initializer=(weights, [b[:, 0] for b in biases]),
    )  # fmt: skip
