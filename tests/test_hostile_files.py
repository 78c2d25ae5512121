"""Files that somebody has damaged, by chance or on purpose: only our errors, and no memory to speak of.

A process of its own reads thousands of them; the short form 5000 of each kind, the long one (`pytest -m soak`) 100 000.
"""

import subprocess
import sys

import pytest

SCRIPT = """
import gzip, pickle, random, resource, struct, sys, warnings
import numpy as np
import fastbp
from fastbp.cli import data
from fastbp.errors import DataFileError, ModelFileError
from fastbp.nielsen import mnist_loader, network2

warnings.simplefilter("ignore")
folder, count = sys.argv[1], int(sys.argv[2])
rng = np.random.default_rng(0)
x, y = rng.random((40, 5)), rng.integers(0, 3, 40)
net = fastbp.Network([5, 4, 3], cost="cross_entropy", seed=0)
net.fit(x, y, 2, callbacks=[fastbp.Checkpoint(f"{folder}/run")], verbose=0)
net.save(f"{folder}/model")
network2.Network([5, 4, 3]).save(f"{folder}/network2")
images = rng.integers(0, 255, (9, 4, 4)).astype(np.uint8)
open(f"{folder}/idx", "wb").write(bytes([0, 0, 8, 3]) + struct.pack(">3i", *images.shape) + images.tobytes())
open(f"{folder}/idx.gz", "wb").write(gzip.compress(open(f"{folder}/idx", "rb").read()))
parts = tuple((rng.random((3, 6)).astype(np.float32), np.arange(3)) for _ in range(3))
open(f"{folder}/mnist.pkl.gz", "wb").write(gzip.compress(pickle.dumps(parts, 2), 0))
np.savez(f"{folder}/pair.npz", x=x, y=y)
np.savez_compressed(f"{folder}/packed.npz", x_train=x, y_train=y, x_test=x, y_test=y)
rows = [f"{i},{i / 7:.4g},{'ab'[i % 2]},{'yes' if i % 3 else 'no'}" for i in range(30)]
open(f"{folder}/table.csv", "w").write("\\n".join(["n,part,letter,answer", *rows]))

OTHER = rng.random((40, 5))
ours = (ModelFileError, DataFileError)
kinds = {
    "model": (fastbp.load, ours),
    "run": (lambda path: fastbp.resume(path, OTHER, y, verbose=0), (*ours, ValueError, TypeError)),  # of other data
    "network2": (network2.load, ours),
    "idx": (fastbp.datasets.load_idx, ours),
    "idx.gz": (fastbp.datasets.load_idx, ours),
    "mnist.pkl.gz": (mnist_loader.load_data, ours),
    "pair.npz": (data.load, ours),
    "packed.npz": (data.load, ours),
    "table.csv": (data.load, ours),
}


def mutated(content, chance):
    content = bytearray(content)
    for _ in range(chance.choice((1, 1, 1, 2, 5))):
        place = chance.randrange(len(content))
        what = chance.randrange(6)
        if what == 0:
            content[place] ^= 1 << chance.randrange(8)
        elif what == 1:
            content[place : place + chance.randrange(9)] = chance.randbytes(chance.randrange(9))
        elif what == 2:
            del content[place + 1 :]
        elif what == 3:
            content[place:place] = content[place : place + chance.randrange(200)]
        elif what == 4:
            content[place : place + 8] = struct.pack(chance.choice("<>") + "q", chance.choice((-1, 2**31, 2**62, 0)))
        else:
            words = (b"9" * 400, b"-1", b"null", b"NaN", b"1e999", b"[" * 2000, b'"', b"{}")
            content[place:place] = chance.choice(words)
        content = content or bytearray(b"x")
    return bytes(content)


chance = random.Random(1)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
for name, (read, allowed) in kinds.items():
    whole = open(f"{folder}/{name}", "rb").read()
    suffix = name[name.index("."):] if "." in name else ""
    path = f"{folder}/mutant{suffix}"
    refused = 0
    for number in range(count):
        mutant = mutated(whole, chance)
        open(path, "wb").write(mutant)
        try:
            read(path)
        except allowed as error:
            refused += 1
            assert len(str(error)) < 2000, (name, str(error)[:300])
        except BaseException as error:
            open(f"{folder}/culprit", "wb").write(mutant)
            raise AssertionError(f"{name}, mutant {number}: {error!r:.300}") from error
    print(name, refused, flush=True)
    assert refused > count / 10
print("MB", (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""
MOST_MB = 200


def survive(folder, count):
    pytest.importorskip("resource")
    run = subprocess.run([sys.executable, "-c", SCRIPT, str(folder), str(count)], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr[-3000:]
    assert int(run.stdout.split()[-1]) < MOST_MB


def test_damaged_files_raise_only_our_errors_and_take_no_memory(tmp_path):
    survive(tmp_path, 5000)


@pytest.mark.soak
def test_thousands_of_damaged_files(tmp_path):
    survive(tmp_path, 100_000)
