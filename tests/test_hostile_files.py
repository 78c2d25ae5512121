"""Files that somebody has damaged, by chance or on purpose: only our errors, and no memory to speak of.

A process of its own reads them, see damaged.py: 5000 of each kind; the long form (`pytest -m soak`) 100 000 of each,
and as many that atheris (`pip install atheris`) makes, which looks for those that go ways not gone before.
"""

import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("resource")

MOST_MB = 200
KINDS = ["model", "run", "network2", "idx", "idx.gz", "mnist.pkl.gz", "pair.npz", "packed.npz", "table.csv"]


def read(folder, count, *kind):
    script = Path(__file__).with_name("damaged.py")
    run = subprocess.run([sys.executable, script, folder, str(count), *kind], capture_output=True, text=True)
    assert run.returncode == 0, run.stdout[-2000:] + run.stderr[-2000:]
    return run.stdout, run.stderr


@pytest.mark.parametrize("count", [5000, pytest.param(100_000, marks=pytest.mark.soak)])
def test_damaged_files_raise_only_our_errors_and_take_no_memory(count, tmp_path):
    out, _ = read(tmp_path, count)
    assert [line.split()[0] for line in out.splitlines()] == [*KINDS, "MB"]
    assert int(out.split()[-1]) < MOST_MB


@pytest.mark.soak
@pytest.mark.parametrize("kind", KINDS)
def test_files_made_to_go_new_ways_raise_only_our_errors(kind, tmp_path):
    pytest.importorskip("atheris")
    _, err = read(tmp_path, 100_000, kind)
    assert "Done 100000 runs" in err


def test_a_foreign_error_would_be_noticed(tmp_path):
    script = "import damaged; damaged.READERS['model'] = (lambda path: 1 / 0, damaged.OURS); damaged.main()"
    run = subprocess.run(
        [sys.executable, "-c", script, tmp_path, "1"], capture_output=True, text=True, cwd=Path(__file__).parent
    )
    assert run.returncode == 1
    assert "model: ZeroDivisionError" in run.stderr
