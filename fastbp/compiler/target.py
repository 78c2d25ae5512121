"""The processor that kernels are compiled for: how many float32 numbers one vector holds."""

import os

from llvmlite import binding as llvm

CHOICES = (4, 8, 16)


def host_features() -> frozenset[str]:
    """Return the names of the host's vector features, empty where LLVM cannot tell."""
    try:
        features = llvm.get_host_cpu_features()
    except RuntimeError:
        return frozenset()
    return frozenset(name for name, present in features.items() if present)


def choose_lanes(features: frozenset[str], forced: str | None = None) -> int:
    """Return 16 (AVX-512), 8 (AVX2 with FMA) or 4 (SSE, NEON): float32 lanes per vector.

    `forced` is the text of FASTBP_LANES. A width that the CPU lacks is allowed: LLVM splits the
    vectors, and every output keeps its bits.
    """
    if forced:
        if forced not in map(str, CHOICES):
            raise ValueError(f"FASTBP_LANES={forced!r} is not a vector width; choose from 4, 8, 16")
        return int(forced)
    if "avx512f" in features:
        return 16
    return 8 if {"avx2", "fma"} <= features else 4


FEATURES = host_features()
LANES = choose_lanes(FEATURES, os.environ.get("FASTBP_LANES"))


def describe() -> dict[str, object]:
    """Return what `fastbp doctor` shows: CPU, the features that matter here, and the lanes."""
    relevant = ("sse4.2", "avx", "avx2", "fma", "avx512f", "neon", "sve")
    return {
        "cpu": llvm.get_host_cpu_name(),
        "features": [name for name in relevant if name in FEATURES],
        "lanes": LANES,
        "lanes_forced": bool(os.environ.get("FASTBP_LANES")),
    }
