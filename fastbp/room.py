"""How much memory the machine has, so that what cannot fit is refused in words, before it is asked for."""

import os


def memory_bytes() -> int | None:
    """Return the machine's memory; None where the system does not tell."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, OSError, ValueError):
        return None


def no_room(nbytes: int) -> str | None:
    """Say that so many bytes are more than the machine has, or None: systems promise more than that, and then kill."""
    has = memory_bytes()
    if has is None or nbytes <= has:
        return None
    return f"{nbytes / 1e9:,.1f} GB, and this machine has {has / 1e9:,.1f} GB of memory"
