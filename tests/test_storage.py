"""Model files: what is saved comes back, and nothing but ModelFileError comes of a bad file."""

import builtins
import errno
import hashlib
import io
import json
import os
import pickle
import stat
import struct
import subprocess
import sys
import tracemalloc
from itertools import pairwise

import numpy as np
import pytest
import safetensors.numpy
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fastbp import ModelFileError, ReferenceNetwork, files, room
from fastbp.networks import storage

RNG = np.random.default_rng(1)
METADATA = {
    "format": "fastbp",
    "version": 1,
    "sizes": [3, 4, 2],
    "activations": ["sigmoid", "softmax"],
    "cost": "cross_entropy",
    "initializer": "normal",
    "l1": 0.0,
    "l2": 1e-4,
    "dropout": 0.0,
    "dtype": "float32",
    "seed": 2**53 - 1,
    "epochs_trained": 7,
}


def model(sizes=(3, 4, 2), dtype="float32"):
    arrays = {}
    for i, (n_in, n_out) in enumerate(pairwise(sizes)):
        arrays[f"weights.{i}"] = RNG.normal(size=(n_out, n_in)).astype(dtype)
        arrays[f"biases.{i}"] = RNG.normal(size=n_out).astype(dtype)
    return arrays


ARRAYS = model()


def load_model(path):
    arrays, metadata = storage.read(path)
    storage.check_model(arrays, metadata)
    return arrays, metadata


@pytest.fixture
def path(tmp_path):
    return tmp_path / "model.safetensors"


@pytest.fixture
def saved(path):
    storage.write(path, ARRAYS, METADATA)
    return path


# Back as they were


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("sizes", [(1, 1), (3, 4, 2), (5, 1, 1, 7)])
def test_round_trip(path, sizes, dtype):
    arrays, metadata = model(sizes, dtype), METADATA | {"sizes": list(sizes), "dtype": dtype}
    storage.write(path, arrays, metadata)
    got, described = load_model(path)
    assert described == metadata
    assert got.keys() == arrays.keys()
    for name, array in arrays.items():
        assert got[name].dtype == array.dtype
        np.testing.assert_array_equal(got[name], array)


def test_special_numbers_keep_their_bits(path):
    numbers = np.array([np.nan, np.inf, -np.inf, -0.0, 5e-324, 1 + 2**-52])
    storage.write(path, {"biases.0": numbers}, METADATA)
    assert storage.read(path)[0]["biases.0"].tobytes() == numbers.tobytes()


W = RNG.normal(size=(6, 8)).astype(np.float32)
LAYOUTS = {
    "Fortran order": np.asfortranarray(W),
    "transposed": W.T,
    "strided": W[::2, 1::3],
    "reversed": W[::-1, ::-1],
    "broadcast": np.broadcast_to(W[0], (4, 8)),
    "big endian": W.astype(">f4"),
    "big endian, transposed": W.astype(">f8").T,
    "read-only": np.frombuffer(W.tobytes(), np.float32),
    "no elements": W[:0],
}


@pytest.mark.parametrize("array", LAYOUTS.values(), ids=LAYOUTS.keys())
def test_any_memory_layout_is_saved_right(array, path):
    before = array.copy()
    storage.write(path, {"a": array}, {})
    np.testing.assert_array_equal(storage.read(path)[0]["a"], before)
    np.testing.assert_array_equal(array, before)


def test_the_same_model_gives_the_same_bytes(tmp_path):
    for name in ("a", "b"):
        storage.write(tmp_path / name, ARRAYS, METADATA)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_other_tools_can_read_it(saved):
    np.testing.assert_array_equal(safetensors.numpy.load_file(saved)["weights.1"], ARRAYS["weights.1"])


@pytest.mark.parametrize("dtype", ["int64", "float16", "complex64", "bool", "longdouble"])
def test_only_what_can_be_read_is_written(dtype, path):
    with pytest.raises(TypeError, match="choose from float32, float64"):
        storage.write(path, {"a": np.ones(3, dtype)}, METADATA)
    with pytest.raises(ValueError, match="JSON"):
        storage.write(path, ARRAYS, {"l2": float("nan")})
    with pytest.raises(ValueError, match="out of range"):
        storage.write(path, ARRAYS, {"seed": 10**400})
    assert list(path.parent.iterdir()) == []


# Bad files


def packed(header, data=b""):
    header = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(header)) + header + data


def entry(shape=(1,), dtype="F32", begin=0, end=None):
    end = begin + 4 * int(np.prod(shape)) if end is None else end
    return {"dtype": dtype, "shape": list(shape), "data_offsets": [begin, end]}


def described(text):
    """Return a file that is fine but for its metadata."""
    return packed({"__metadata__": {"fastbp": text}, "a": entry()}, bytes(4))


def holding(*entries, size=4):
    meta = {"fastbp": "{}"}
    return packed({"__metadata__": meta} | dict(enumerate(entries)), bytes(size))


FINE = safetensors.numpy.save(ARRAYS, metadata={"fastbp": json.dumps(METADATA)})
HEADER_END = 8 + struct.unpack("<Q", FINE[:8])[0]
BAD_FILES = {
    "empty": b"",
    "7 bytes": FINE[:7],
    "no header": FINE[:8],
    "half a header": FINE[: HEADER_END // 2],
    "no data": FINE[:HEADER_END],
    "truncated": FINE[:-1],
    "trailing byte": FINE + b"\0",
    "header of 2**63 bytes": struct.pack("<Q", 2**63) + FINE[8:],
    "header of 100 MB": struct.pack("<Q", 10**8) + FINE[8:],
    "header over the limit": packed(b'{"__metadata__":{"fastbp":"{}"}}' + b" " * 2**20),
    "not UTF-8": packed(b'{"\xff": 1}'),
    "not JSON": packed(b"{format: fastbp}"),
    "not an object": packed(b"[1, 2]"),
    "a number": packed(b"1"),
    "null": packed(b"null"),
    "deep": packed(b'{"a":' + b"[" * 100_000),
    "huge integer": packed(b'{"a": ' + b"9" * 100_000 + b"}"),
    "pickle": pickle.dumps({"weights.0": [1.0]}),
    "pickle that runs code": b"cos\nsystem\n(S'exit 1'\ntR.",
    "numpy": b"\x93NUMPY\x01\x00v\x00{'descr': '<f4'}",
    "zip": b"PK\x03\x04" + bytes(100),
    "text": b"what a nice model\n" * 9,
    "no metadata": packed({"a": entry()}, bytes(4)),
    "other metadata": packed({"__metadata__": {"format": "pt"}, "a": entry()}, bytes(4)),
    "metadata is a list": packed({"__metadata__": ["fastbp"], "a": entry()}, bytes(4)),
    "metadata is not text": packed({"__metadata__": {"fastbp": {}}, "a": entry()}, bytes(4)),
    "our metadata is not JSON": described("sizes=3"),
    "our metadata is empty": described(""),
    "our metadata is a list": described("[]"),
    "our metadata is a number": described("1"),
    "our metadata is null": described("null"),
    "our metadata is deep": described("[" * 100_000),
    "our metadata is not finite": described('{"l2": NaN}'),
    "our metadata is infinite": described('{"l2": -Infinity}'),
    "our metadata overflows": described('{"l2": 1e999}'),
    "our metadata has a huge integer": described('{"seed": ' + "9" * 4000 + "}"),
    "our metadata says it twice": described('{"l2": 0, "l2": 1}'),
    "lone surrogate": described('{"cost": "\\ud800'),
    "array twice": packed(
        b'{"__metadata__":{"fastbp":"{}"},'
        b'"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},'
        b'"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}',
        bytes(4),
    ),
    "entry is a number": holding(1),
    "entry is null": holding(None),
    "entry is empty": holding({}),
    "BF16": holding(entry(dtype="BF16", end=2), size=2),
    "F16": holding(entry(dtype="F16", end=2), size=2),
    "I64": holding(entry(dtype="I64", end=8), size=8),
    "unknown dtype": holding(entry(dtype="F31")),
    "dtype is a list": holding(entry(dtype=["F32"])),
    "negative shape": holding(entry(shape=(-1,), end=4)),
    "fraction of a shape": holding({**entry(), "shape": [1.0]}),
    "shape is text": holding({**entry(), "shape": "1"}),
    "shape overflows": holding(entry(shape=(1, 1), end=4) | {"shape": [2**40, 2**40]}),
    "shape overflows to nothing": holding({**entry(), "shape": [2**32, 2**32]}),
    "absurd empty shape": holding({**entry(end=0), "shape": [0, 2**62, 2**62]}, size=0),
    "many dimensions": holding({**entry(), "shape": [1] * 1000}),
    "overlapping": holding(entry(), entry()),
    "hole": holding(entry(), entry(begin=8), size=12),
    "beyond the end": holding(entry(begin=2**40)),
    "negative offsets": holding(entry(begin=-4)),
    "backwards": holding(entry(begin=4, end=0)),
    "5000 arrays": holding(*[entry((0,))] * 5000, size=0),
}


@pytest.mark.parametrize("content", BAD_FILES.values(), ids=BAD_FILES.keys())
def test_bad_files_are_refused(content, path):
    path.write_bytes(content)
    with pytest.raises(ModelFileError, match=r"model\.safetensors: not a fastbp model file: ") as e:
        storage.read(path)
    assert len(str(e.value)) < 1000
    assert e.value.__suppress_context__


def test_a_hole_of_12_gb_is_refused_before_it_is_read(path):
    path.write_bytes(FINE)
    os.truncate(path, 12 * 2**30)
    tracemalloc.start()
    try:
        with pytest.raises(ModelFileError, match=r"it has 12884901888 bytes, and its header tells of \d+; it was not"):
            storage.read(path)
        assert tracemalloc.get_traced_memory()[1] < 2**22
    finally:
        tracemalloc.stop()


def test_a_file_larger_than_memory_is_refused_in_words(saved, monkeypatch):
    monkeypatch.setattr(room, "memory_bytes", lambda: 1000)
    with pytest.raises(ModelFileError, match=r"to read it takes 0\.0 GB, and this machine has 0\.0 GB of memory"):
        storage.read(saved)


@pytest.mark.parametrize("number", [np.nan, np.inf])
def test_parameters_that_are_not_finite_are_refused(saved, number):
    broken = ARRAYS | {"weights.1": ARRAYS["weights.1"] * number}
    storage.write(saved, broken, METADATA)
    with pytest.raises(ModelFileError, match=r"model\.safetensors: weights\.1 is not finite"):
        ReferenceNetwork.load(saved)


def test_every_truncation_is_refused(path):
    for length in range(0, len(FINE), 7):
        path.write_bytes(FINE[:length])
        with pytest.raises(ModelFileError):
            storage.read(path)


def test_what_is_no_file_stays_an_oserror(tmp_path):
    with pytest.raises(FileNotFoundError):
        storage.read(tmp_path / "missing")
    with pytest.raises(IsADirectoryError if os.name == "posix" else PermissionError):
        storage.read(tmp_path)


MUTATIONS = st.lists(
    st.tuples(
        st.sampled_from(["flip", "replace", "remove", "insert", "repeat"]),
        # Most bytes that matter are in the header.
        st.integers(0, HEADER_END + 20) | st.integers(0, len(FINE)),
        st.integers(1, 255),
    ),
    min_size=1,
    max_size=6,
)


def mutated(content, mutations):
    content = bytearray(content)
    for kind, place, value in mutations:
        place = min(place, len(content) - 1)
        if kind == "flip":
            content[place] ^= value
        elif kind == "replace":
            content[place : place + 1] = str(value).encode()
        elif kind == "remove" and len(content) > value:
            del content[place : place + value]
        elif kind == "insert":
            content[place:place] = bytes([value])
        elif kind == "repeat":
            content[place:place] = content[place : place + value]
    return bytes(content)


@settings(
    max_examples=400,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(mutations=MUTATIONS, keep_length=st.booleans())
def test_mutations_raise_nothing_but_model_file_error(mutations, keep_length, path):
    content = mutated(FINE, mutations)
    if keep_length and len(content) > 8:
        length = max(0, HEADER_END - 8 + len(content) - len(FINE))
        content = struct.pack("<Q", length) + content[8:]
    path.write_bytes(content)
    try:
        net = ReferenceNetwork.load(path)
    except ModelFileError:
        return
    assert all(w.shape for w in net.weights)  # what passes is a whole network


# Wrong models in good files

BAD_METADATA = {
    "no format": ({"format": None}, "format is None"),
    "other format": ({"format": "keras"}, "format is 'keras'"),
    "no version": ({"version": None}, "version is None"),
    "version of tomorrow": ({"version": 2}, "version is 2, this fastbp reads 1"),
    "version is true": ({"version": True}, "version is True"),
    "version is text": ({"version": "1"}, "version is '1'"),
    "no sizes": ({"sizes": None}, "sizes must list"),
    "sizes is text": ({"sizes": "342"}, "sizes must list"),
    "one size": ({"sizes": [3]}, "sizes must list"),
    "size of text": ({"sizes": [3, "4", 2]}, "sizes must list"),
    "size of 4.0": ({"sizes": [3, 4.0, 2]}, "sizes must list"),
    "size of true": ({"sizes": [3, True, 2]}, "sizes must list"),
    "size of 0": ({"sizes": [3, 0, 2]}, "sizes must list"),
    "negative size": ({"sizes": [3, -4, 2]}, "sizes must list"),
    "nested sizes": ({"sizes": [[3], [4], [2]]}, "sizes must list"),
    "absurd size": ({"sizes": [3, 10**300, 2]}, "weights.0 is float32 of shape"),
    "thousands of sizes": ({"sizes": [3, 4] * 9000}, "lacks 'biases.10"),
    "fewer sizes": ({"sizes": [3, 4]}, "unexpected 'biases.1'"),
    "more sizes": ({"sizes": [3, 4, 2, 2]}, "lacks 'biases.2'"),
    "other sizes": ({"sizes": [4, 3, 2]}, "weights.0 is float32 of shape"),
    "no dtype": ({"dtype": None}, "dtype is None"),
    "other dtype": ({"dtype": "float64"}, "expected float64"),
    "unknown dtype": ({"dtype": "float16"}, "choose from float32, float64"),
    "dtype is a list": ({"dtype": ["float32"]}, "choose from float32, float64"),
}


@pytest.mark.parametrize(("change", "message"), BAD_METADATA.values(), ids=BAD_METADATA.keys())
def test_metadata_that_describes_no_network(change, message, path):
    storage.write(path, ARRAYS, METADATA | change)
    with pytest.raises(ModelFileError, match=message) as e:
        load_model(path)
    assert len(str(e.value)) < 1000


@pytest.mark.parametrize(
    "change",
    [
        {"cost": "guess"},
        {"cost": ["cross_entropy"]},
        {"cost": None},
        {"activations": ["sigmoid"]},
        {"activations": "sigmoid"},
        {"activations": [1, 2]},
        {"activations": None},
        {"activations": ["softmax", "softmax"]},
        {"initializer": {}},
        {"l1": -1},
        {"l2": "0"},
        {"l2": 10**300},
        {"dropout": 1},
        {"dropout": None},
        {"seed": -1},
        {"seed": 1.5},
        {"seed": None},
        {"epochs_trained": -1},
        {"epochs_trained": "7"},
        {"surprise": 1},
    ],
)
def test_descriptions_that_no_network_fits(change, path):
    storage.write(path, ARRAYS, METADATA | change)
    if change == {"l2": 10**300}:  # large, but a number
        assert ReferenceNetwork.load(path).spec.l2 == 1e300
        return
    with pytest.raises(ModelFileError):
        ReferenceNetwork.load(path)


@pytest.mark.parametrize("missing", sorted(METADATA.keys() - {"epochs_trained"}))
def test_incomplete_descriptions(missing, path):
    storage.write(path, ARRAYS, {k: v for k, v in METADATA.items() if k != missing})
    with pytest.raises(ModelFileError):
        ReferenceNetwork.load(path)


BAD_ARRAYS = {
    "missing": ({"biases.1": None}, "lacks 'biases.1'"),
    "unexpected": ({"extra": W}, "unexpected 'extra'"),
    "renamed": ({"weights.1": None, "weights.01": ARRAYS["weights.1"]}, "weights.01"),
    "transposed": (
        {"weights.0": ARRAYS["weights.0"].T},
        r"shape \(3, 4\), expected .* \(4, 3\)",
    ),
    "broken chain": (
        {"weights.1": np.ones((2, 5), "f4")},
        r"weights.1 is .* shape \(2, 5\)",
    ),
    "column": ({"biases.0": ARRAYS["biases.0"][:, None]}, r"biases.0 is .* shape \(4, 1\)"),
    "scalar": ({"biases.0": np.float32(1)[...]}, r"biases.0 is float32 of shape \(\)"),
    "wrong dtype": ({"biases.0": np.ones(4)}, "biases.0 is float64"),
}


@pytest.mark.parametrize(("change", "message"), BAD_ARRAYS.values(), ids=BAD_ARRAYS.keys())
def test_arrays_that_are_not_the_parameters(change, message, path):
    arrays = {k: v for k, v in (ARRAYS | change).items() if v is not None}
    storage.write(path, arrays, METADATA)
    with pytest.raises(ModelFileError, match=message):
        load_model(path)


# Writing


@pytest.mark.parametrize("step", ["fsync", "replace", "chmod"])
def test_crash_while_writing_leaves_the_old_file(step, saved, monkeypatch):
    before = saved.read_bytes()

    def crash(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(files.os, step, crash)
        with pytest.raises(KeyboardInterrupt):
            storage.write(saved, model(), METADATA)
    assert saved.read_bytes() == before
    assert list(saved.parent.iterdir()) == [saved]


def test_data_is_on_disk_before_its_name_and_then_the_name_is(path, monkeypatch):
    steps, written = [], []
    for step in ("fsync", "replace"):
        function = getattr(os, step)
        monkeypatch.setattr(files.os, step, lambda *a, s=step, f=function: (steps.append(s), f(*a))[1])
    fsync = files.os.fsync
    monkeypatch.setattr(files.os, "fsync", lambda fd: (written.append(os.fstat(fd).st_size), fsync(fd))[1])
    storage.write(path, ARRAYS, METADATA)
    assert written[0] == path.stat().st_size  # nothing waits in a buffer
    assert steps == ["fsync", "replace", *(["fsync"] if os.name == "posix" else [])]  # the folder's


def open_files():
    """How many this process has open; 0 where the system does not list them."""
    return len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else 0


@pytest.mark.skipif(not open_files(), reason="lists open files")
def test_no_file_stays_open(path):
    before = open_files()
    for _ in range(3):
        storage.write(path, ARRAYS, METADATA)
        storage.read(path)
    assert open_files() == before


@pytest.mark.skipif(os.name != "posix", reason="permission bits")
@pytest.mark.parametrize("mode", [0o600, 0o640, 0o664])
def test_permissions_are_kept(mode, saved):
    saved.chmod(mode)
    storage.write(saved, model(), METADATA)
    assert stat.S_IMODE(saved.stat().st_mode) == mode


@pytest.mark.skipif(os.name != "posix", reason="permission bits")
@pytest.mark.parametrize("umask", [0o022, 0o077])
def test_new_files_obey_the_umask(umask, path):
    before = os.umask(umask)
    try:
        storage.write(path, ARRAYS, METADATA)
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o666 & ~umask


@pytest.mark.skipif(os.name != "posix", reason="symbolic links")
def test_a_link_to_a_model_stays_a_link(saved, tmp_path):
    link = tmp_path / "latest"
    link.symlink_to(saved)
    storage.write(link, {"a": W}, {})
    assert link.is_symlink()
    np.testing.assert_array_equal(storage.read(saved)[0]["a"], W)


@pytest.mark.skipif(os.name != "posix", reason="symbolic links")
def test_a_planted_temporary_link_is_not_followed(path, tmp_path, monkeypatch):
    class Known:
        hex = "known"

    victim = tmp_path / "victim"
    victim.write_text("precious")
    name = f".fastbp-{hashlib.sha256(path.name.encode()).hexdigest()[:8]}-known.tmp"
    (tmp_path / name).symlink_to(victim)
    monkeypatch.setattr(files.uuid, "uuid4", Known)
    with pytest.raises(FileExistsError):
        storage.write(path, ARRAYS, METADATA)
    assert victim.read_text() == "precious"
    assert (tmp_path / name).is_symlink()


def test_folders_and_devices_are_not_replaced(tmp_path):
    with pytest.raises(IsADirectoryError):
        storage.write(tmp_path, ARRAYS, METADATA)
    if os.name == "posix":
        os.mkfifo(tmp_path / "pipe")
        with pytest.raises(OSError, match="not a regular file"):
            storage.write(tmp_path / "pipe", ARRAYS, METADATA)
    with pytest.raises(FileNotFoundError):
        storage.write(tmp_path / "missing" / "model", ARRAYS, METADATA)
    assert {p.name for p in tmp_path.iterdir()} <= {"pipe"}


def test_a_relative_path_and_any_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("model", "ναι .safetensors", "x" * 250):
        storage.write(name, ARRAYS, METADATA)
        load_model(name)
    assert len(list(tmp_path.iterdir())) == 3


# Disks that fail, and processes that are killed


@pytest.mark.parametrize("step", ["open", "chmod", "write", "fsync", "replace"])
@pytest.mark.parametrize("code", ["ENOSPC", "EACCES", "EIO"])
def test_a_failing_disk_leaves_the_file_and_is_named(step, code, saved, monkeypatch):
    before, number = saved.read_bytes(), getattr(errno, code)

    def fail(*args, **named):
        raise OSError(number, os.strerror(number))

    class Full(io.BufferedWriter):
        write = fail

    with monkeypatch.context() as patch:
        if step == "write":
            patch.setattr(builtins, "open", lambda file, mode: Full(io.FileIO(file, mode)))
        else:
            patch.setattr(files.os, step, fail)
        with pytest.raises(OSError, match=os.strerror(number)) as caught:
            storage.write(saved, model(), METADATA)
    assert caught.value.errno == number
    assert caught.value.filename == str(saved)
    assert "as it was" in str(caught.value)
    assert saved.read_bytes() == before
    assert list(saved.parent.iterdir()) == [saved]


def test_what_a_killed_save_left_is_removed_by_the_next_process(saved):
    script = f"""
import os, sys
from fastbp import files
files.os.fsync = lambda descriptor: os.kill(os.getpid(), 9)
files.replace({str(saved)!r}, b"x" * 100)
"""
    other = saved.parent / ".fastbp-00000000-of-another-file.tmp"
    other.touch()
    for _ in range(3):
        assert subprocess.run([sys.executable, "-c", script]).returncode != 0
        assert len(list(saved.parent.glob(".fastbp-*.tmp"))) == 2  # the next one clears it, and leaves its own
    files._cleared.clear()
    storage.write(saved, model(), METADATA)
    assert sorted(saved.parent.iterdir()) == [other, saved]


def test_a_process_looks_once_for_what_others_left_beside_a_path(saved, monkeypatch):
    looked = []
    monkeypatch.setattr(files, "_clear", lambda *beside: looked.append(beside))
    files._cleared.clear()
    for _ in range(3):
        storage.write(saved, model(), METADATA)
    assert len(looked) == 1


@pytest.mark.skipif(os.name != "posix", reason="locks")
def test_a_temporary_file_that_somebody_removes_before_it_is_locked_is_made_anew(saved, monkeypatch):
    lock, removed = files.fcntl.flock, []

    def flock(descriptor, kind):
        if not removed:
            removed.extend(saved.parent.glob(".fastbp-*.tmp"))
            removed[0].unlink()
        lock(descriptor, kind)

    monkeypatch.setattr(files.fcntl, "flock", flock)
    before = open_files()
    storage.write(saved, model(), METADATA)
    assert storage.read(saved)[1] == METADATA
    assert len(removed) == 1
    assert open_files() == before  # the first is closed


@pytest.mark.skipif(os.name != "posix", reason="locks")
def test_what_another_process_is_writing_is_left_alone(saved):
    prefix = f".fastbp-{hashlib.sha256(saved.name.encode()).hexdigest()[:8]}-"
    descriptor, temporary = files._create(str(saved.parent), prefix)
    files._cleared.clear()
    storage.write(saved, model(), METADATA)
    assert os.path.exists(temporary)
    os.close(descriptor)
    files._cleared.clear()
    storage.write(saved, model(), METADATA)
    assert not os.path.exists(temporary)
