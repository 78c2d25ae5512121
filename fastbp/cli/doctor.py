"""Show versions, processor, vector width, threads, and where compiled kernels are kept."""

import argparse
import os
import platform
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from ..processors import allowed_cores, processor_name, quota
from .outcome import Outcome

REQUIRED = ("fastbp", "numpy", "numba", "llvmlite", "safetensors", "tqdm")
OPTIONAL = ("matplotlib", "polars")
PREFIXES = ("NUMBA_", "FASTBP_")


def add_options(parser: argparse.ArgumentParser) -> None:
    """Declare no options."""


def run(options: argparse.Namespace) -> Outcome:
    """Collect the facts; what is amiss is said last."""
    from ..compiler.folders import cache_info
    from ..compiler.insides import MISSING
    from ..compiler.target import describe

    report: dict[str, Any] = {
        "python": f"{platform.python_version()}, {platform.system()} {platform.machine()}",
        "versions": {name: found for name in (*REQUIRED, *OPTIONAL) if (found := _version(name))},
        "processor": {"name": processor_name(), **describe()},
        "threads": {"cores": os.cpu_count(), "allowed": allowed_cores(), "quota": quota()},
        "kernels": cache_info()._asdict() | {"plain": MISSING or None},
        "environment": {k: v for k, v in sorted(os.environ.items()) if k.startswith(PREFIXES)},
    }
    report["problems"] = _problems(report)
    return Outcome(report, "\n".join(_lines(report)))


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


def _problems(report: dict[str, Any]) -> list[str]:
    """Return what makes fastbp slower than it could be, each with the way out."""
    problems = []
    if report["kernels"]["folder"] is None or not report["kernels"]["writable"]:
        problems.append(
            "compiled kernels cannot be kept, every process compiles anew: "
            "set NUMBA_CACHE_DIR to a folder that only you can write to"
        )
    if os.environ.get("NUMBA_DISABLE_JIT", "0") != "0":
        problems.append("NUMBA_DISABLE_JIT is set, kernels cannot be compiled: unset it")
    if report["kernels"]["plain"]:
        problems.append(
            f"numba's inside is not as expected ({report['kernels']['plain']}): every process compiles anew, and for "
            "longer; results are the same. Install a version of numba that this fastbp was tried with: 0.62 to 0.68"
        )
    limit = report["threads"]["quota"]
    if limit is not None and limit < report["threads"]["allowed"]:
        problems.append(f"this container may use {limit:g} cores' worth of time; use that many threads")
    return problems


def _lines(values: dict[str, Any], indent: str = "") -> list[str]:
    lines = []
    for key, value in values.items():
        if isinstance(value, dict) and value:
            lines += [f"{indent}{key}", *_lines(value, f"{indent}  ")]
        else:
            lines.append(f"{indent}{key:<{14 - len(indent)}} {_text(value)}")
    return lines


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (list, tuple)):
        return ", ".join(map(str, value)) or "none"
    return "none" if value is None or value == {} else str(value)
