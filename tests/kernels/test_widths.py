"""The tests beside this one, at the vector widths that this processor would not be given."""

import os
import subprocess
import sys
from pathlib import Path

import harness
import pytest
from processes import SECONDS

FILES = ("test_products.py", "test_transpose.py", "test_entries.py", "test_rows.py")


@pytest.mark.parametrize("lanes", [lanes for lanes in harness.CHOICES if lanes != harness.LANES])
def test_kernels_hold_at_every_vector_width(lanes):
    """In a process of its own: the width is chosen when the package is imported."""
    here = Path(__file__).parent
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *(here / name for name in FILES)],
        env={**os.environ, "FASTBP_LANES": str(lanes), harness.FEW: "1"},
        timeout=SECONDS, capture_output=True, text=True,
    )  # fmt: skip
    assert run.returncode == 0, run.stdout[-5000:] + run.stderr[-2000:]
