"""The peers, each at its best, each in a file: a function from a job to a contender, or to None if it cannot do it.

All begin with fastbp's own initial parameters, so that their results can be compared.
"""

import shutil
from collections.abc import Callable
from importlib.util import find_spec
from typing import NamedTuple

from . import book, jax, numpy, onnx, sklearn, torch
from .contender import Contender as Contender
from .contender import Job as Job
from .ours import fused as fused
from .reference import reference as reference

COMPILERS = ("c++", "g++", "clang++", "cl")


class Peer(NamedTuple):
    """How to make one, and the packages it needs."""

    make: Callable[[Job], Contender | None]
    packages: tuple[str, ...]
    compiles: bool = False  # with a C++ compiler

    @property
    def lacks(self) -> str | None:
        """Say what is missing here; None: it can run."""
        for package in self.packages:
            if find_spec(package) is None:
                return f"{package} is not installed"
        if self.compiles and not any(shutil.which(name) for name in COMPILERS):
            return "no C++ compiler is found"
        return None


PEERS = {
    "torch": Peer(torch.eager, ("torch",)),
    "torch compiled": Peer(torch.compiled, ("torch",), compiles=True),
    "jax": Peer(jax.scanned, ("jax",)),
    "sklearn": Peer(sklearn.mlp, ("sklearn", "threadpoolctl")),
    "numpy": Peer(numpy.batched, ()),
    "book": Peer(book.book, ()),
    "onnxruntime": Peer(onnx.runtime, ("onnxruntime", "onnx")),
}


def present() -> tuple[list[str], dict[str, str]]:
    """Return the names of the peers that can run here, and of the others with the reason."""
    missing = {name: reason for name, peer in PEERS.items() if (reason := peer.lacks)}
    return [name for name in PEERS if name not in missing], missing
