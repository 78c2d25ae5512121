"""Show versions, processor, vector width, threads, and where compiled kernels are kept."""

import argparse
import os
import platform
from importlib.metadata import version
from typing import Any

PACKAGES = ("fastbp", "numpy", "numba", "llvmlite", "safetensors", "tqdm")


def add_options(parser: argparse.ArgumentParser) -> None:
    """No options of its own."""


def run(options: argparse.Namespace) -> dict[str, Any]:
    """Collect the facts."""
    from ..kernels.jit import cache_info
    from ..kernels.target import describe

    info = cache_info()
    affinity = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    result: dict[str, Any] = {
        "python": platform.python_version(),
        "versions": {name: version(name) for name in PACKAGES},
        **describe(),
        "cores": os.cpu_count(),
        "cores_allowed": affinity,
        "cache": {key: str(value) if hasattr(value, "parts") else value for key, value in info._asdict().items()},
    }
    return result | {"text": "\n".join(_lines(result))}


def _lines(values: dict[str, Any], indent: str = "") -> list[str]:
    lines = []
    for key, value in values.items():
        if isinstance(value, dict):
            lines += [f"{indent}{key}", *_lines(value, indent + "  ")]
        else:
            text = ", ".join(map(str, value)) if isinstance(value, list) else value
            lines.append(f"{indent}{key:<14} {text}")
    return lines
