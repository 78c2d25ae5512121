"""How many processors this process may use, by affinity and by a container's quota, how many pay, and their name."""

import math
import os
import platform
from functools import cache
from pathlib import Path

CGROUPS = Path("/sys/fs/cgroup")
OWN_GROUPS = Path("/proc/self/cgroup")
CPUINFO = Path("/proc/cpuinfo")

# Multiply-adds of a mini-batch below which a second thread is not even tried: some 4 us of work, of which the meetings
# of two threads would be half.
WORTH_TRYING = 200_000


def allowed_cores() -> int:
    """Return the number of cores that the system lets this process run on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@cache
def quota() -> float | None:
    """Return the cores' worth of time that cgroups (containers) grant; None if there is no limit.

    Read once: the ten files take 0.4 ms, of which a fit of 2 ms would feel each.
    """
    limits = [limit for folder in _folders() if (limit := _limit(folder)) is not None]
    return min(limits, default=None)


def available_cores() -> int:
    """Return the cores that this process may keep busy, at least 1."""
    limit = quota()
    return allowed_cores() if limit is None else max(1, min(allowed_cores(), math.ceil(limit)))


def team_sizes(wanted: int | str, macs: int, batch_size: int) -> list[int]:
    """Return the sizes of team to choose from, for mini-batches of `macs` multiply-adds: 1, 2, 4, .. all cores.

    The first begins. A number that was asked for does, and is left for one thread only where that is far faster.
    """
    if wanted != "auto":
        number = min(int(wanted), batch_size)
        return [number] if number == 1 else [number, 1]
    if macs < WORTH_TRYING or batch_size == 1:
        return [1]
    most = min(available_cores(), batch_size)
    return sorted({most, *(2**i for i in range(most.bit_length()))})


def processor_name() -> str:
    """Return the maker's name, as far as the system tells."""
    try:
        lines = CPUINFO.read_text().splitlines()
    except OSError:
        return platform.processor()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()


def _folders() -> list[Path]:
    """Return the process's groups with their parents, each of which may set a limit."""
    try:
        lines = OWN_GROUPS.read_text().splitlines()
    except OSError:
        return []
    folders = []
    for line in lines:
        _, controllers, path = (*line.split(":", 2), "", "")[:3]  # whatever some container makes up
        if controllers and "cpu" not in controllers.split(","):
            continue
        root = CGROUPS / controllers  # version 2 has no controllers, and no folder for them
        group = root / path.lstrip("/")
        folders += [group, *(parent for parent in group.parents if parent.is_relative_to(root))]
    return folders


def _limit(folder: Path) -> float | None:
    """Return quota / period of one group: cpu.max of version 2, or cpu.cfs_* of version 1."""
    try:
        if (folder / "cpu.max").is_file():
            used, period = (folder / "cpu.max").read_text().split()
        else:
            used = (folder / "cpu.cfs_quota_us").read_text()
            period = (folder / "cpu.cfs_period_us").read_text()
        return float(used) / float(period) if float(used) > 0 else None
    except (OSError, ValueError, ZeroDivisionError):  # "max": no limit
        return None
