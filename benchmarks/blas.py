"""The kernels of the peers' BLAS: this processor's best, whatever the environment says, and named in each table."""

import os
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

HANDICAPS = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")  # with them NumPy and scikit-learn can take 3 times as long
OWNERS = ("numpy", "scipy", "torch")
UNKNOWN = "unknown (install threadpoolctl)"


def free() -> list[str]:
    """Drop the handicaps, return those that were set. OpenBLAS reads them when NumPy is loaded: call this before."""
    found = [name for name in HANDICAPS if name in os.environ]
    if found and "numpy" in sys.modules:
        way_out = " ".join(f"-u {name}" for name in HANDICAPS)
        raise RuntimeError(f"NumPy was loaded with {' and '.join(found)}, which slow it: start with `env {way_out}`")
    for name in found:
        del os.environ[name]
    return found


def kernels() -> str:
    """Name every BLAS that is loaded by now, with the processor that it has chosen its kernels for."""
    if find_spec("threadpoolctl") is None:
        return UNKNOWN
    from threadpoolctl import threadpool_info

    found = [_describe(library) for library in threadpool_info() if library["user_api"] == "blas"]
    torch = sys.modules.get("torch")
    if torch and torch.backends.mkl.is_available():  # linked into it, where threadpoolctl does not see it
        found.append("torch mkl (kernels not told)")
    return ", ".join(sorted(found)) or "none that threadpoolctl knows"


def _describe(library: dict[str, Any]) -> str:
    folders = Path(library["filepath"]).parts
    owner = [name for name in OWNERS if any(folder.startswith(name) for folder in folders)]
    words = [*owner, library["internal_api"], library["version"], library.get("architecture")]
    return " ".join(word for word in words if word)
