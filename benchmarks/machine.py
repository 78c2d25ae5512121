"""Where and with what a table was measured, so that it says so wherever it is pasted."""

import os
import platform
from datetime import date
from importlib.metadata import PackageNotFoundError, version

from fastbp.compiler.target import describe
from fastbp.processors import processor_name

from . import blas

PACKAGES = ("fastbp", "numba", "numpy", "torch", "jax", "scikit-learn", "onnxruntime")


def describe_machine() -> dict[str, str]:
    """Return processor, system, versions, the kernels of every BLAS that is loaded by now, and the day."""
    target = describe()
    cores = os.cpu_count()
    return {
        "processor": f"{processor_name()} ({target['cpu']}, vectors of {target['lanes']} float32), cores: {cores}",
        "system": f"{platform.system()} {platform.machine()}, Python {platform.python_version()}",
        "versions": ", ".join(f"{name} {found}" for name in PACKAGES if (found := installed_version(name))),
        "blas": blas.kernels(),
        "date": date.today().isoformat(),
    }


def installed_version(package: str) -> str | None:
    """Return the version of a package, None if it is not installed."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None
