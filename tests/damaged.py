"""Files of every kind that fastbp reads, damaged thousands of times, in a process of its own.

    python tests/damaged.py FOLDER COUNT           # of each kind, by mutations that know what such files are made of
    python tests/damaged.py FOLDER COUNT KIND      # one kind, by atheris, which looks for ways not gone before

Whatever is read raises one of our errors or is read; the last line has the MB of memory that it took.
"""

import gzip
import pickle
import random
import resource
import struct
import sys
import traceback
import warnings
from pathlib import Path

import numpy as np

if len(sys.argv) > 3:
    import atheris

    with atheris.instrument_imports(include=["fastbp.networks", "fastbp.nielsen", "fastbp.datasets", "fastbp.cli",
                                             "fastbp.border", "fastbp.files", "fastbp.training"]):  # fmt: skip
        import fastbp
        from fastbp.cli import data
        from fastbp.nielsen import mnist_loader, network2
else:
    import fastbp
    from fastbp.cli import data
    from fastbp.nielsen import mnist_loader, network2

OURS = (fastbp.ModelFileError, fastbp.DataFileError)
LONGEST_MESSAGE = 2000

rng = np.random.default_rng(0)
X, Y = rng.random((40, 5)), rng.integers(0, 3, 40)


def resume(path):
    fastbp.resume(path, X, Y, epochs=2, verbose=0)  # it is finished then


READERS = {
    "model": (fastbp.load, OURS),
    "run": (resume, (*OURS, ValueError, TypeError)),  # those of `fit`, of a setting or of other data
    "network2": (network2.load, OURS),
    "idx": (fastbp.datasets.load_idx, OURS),
    "idx.gz": (fastbp.datasets.load_idx, OURS),
    "mnist.pkl.gz": (mnist_loader.load_data, OURS),
    "pair.npz": (data.load, OURS),
    "packed.npz": (data.load, OURS),
    "table.csv": (data.load, OURS),
}


def write_all(folder):
    """Write a sound file of each kind."""
    net = fastbp.Network([5, 4, 3], cost="cross_entropy", seed=0)
    net.fit(X, Y, 2, callbacks=[fastbp.Checkpoint(folder / "run")], verbose=0)
    net.save(folder / "model")
    network2.Network([5, 4, 3]).save(str(folder / "network2"))
    images = rng.integers(0, 255, (9, 4, 4)).astype(np.uint8)
    idx = bytes([0, 0, 8, 3]) + struct.pack(">3i", *images.shape) + images.tobytes()
    (folder / "idx").write_bytes(idx)
    (folder / "idx.gz").write_bytes(gzip.compress(idx))
    parts = tuple((rng.random((3, 6)).astype(np.float32), np.arange(3)) for _ in range(3))
    (folder / "mnist.pkl.gz").write_bytes(gzip.compress(pickle.dumps(parts, 2), 0))
    np.savez(folder / "pair.npz", x=X, y=Y)
    np.savez_compressed(folder / "packed.npz", x_train=X, y_train=Y, x_test=X, y_test=Y)
    rows = [f"{i},{i / 7:.4g},{'ab'[i % 2]},{'yes' if i % 3 else 'no'}" for i in range(30)]
    (folder / "table.csv").write_text("\n".join(["n,part,letter,answer", *rows]))


def mutated(content, chance):
    """Return the content with one to five faults."""
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


def refuses(folder, kind, content):
    """Whether a file of this content is refused, in our words; anything else that it raises is a fault."""
    read, allowed = READERS[kind]
    path = folder / f"mutant{kind[kind.index('.') :] if '.' in kind else ''}"
    path.write_bytes(content)
    try:
        read(str(path))
    except BaseException as error:
        found = error
    else:
        return False
    if not (isinstance(found, allowed) and raised(found) and len(str(found)) < LONGEST_MESSAGE):
        raise AssertionError(f"{kind}: {found!r:.300}, see {path}") from found
    return True


def raised(error):
    """Whether we said so, in a line that begins with `raise`; Python's own say it of a line that computes."""
    last = traceback.extract_tb(error.__traceback__)[-1]
    return "fastbp" in Path(last.filename).parts and last.line.startswith("raise")


def memory():
    """Return the most memory that this process ever had, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def main():
    """Read damaged files."""
    warnings.simplefilter("ignore")
    folder, count = Path(sys.argv[1]), int(sys.argv[2])
    write_all(folder)
    if len(sys.argv) > 3:
        kind, corpus = sys.argv[3], folder / "corpus"
        corpus.mkdir(exist_ok=True)
        (corpus / "sound").write_bytes((folder / kind).read_bytes())
        options = [f"-runs={count}", "-seed=1", "-max_len=100000", "-rss_limit_mb=2000", f"-artifact_prefix={folder}/"]
        atheris.Setup([sys.argv[0], *options, str(corpus)], lambda content: refuses(folder, kind, content))
        atheris.Fuzz()  # which ends the process
    chance = random.Random(1)
    before = memory()
    for kind in READERS:
        whole = (folder / kind).read_bytes()
        refused = sum(refuses(folder, kind, mutated(whole, chance)) for _ in range(count))
        print(kind, refused, flush=True)
        assert refused > count / 10
    print("MB", memory() - before)


if __name__ == "__main__":
    main()
