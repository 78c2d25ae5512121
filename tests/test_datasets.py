import gzip
import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fastbp import DataFileError
from fastbp.datasets import load_digits, load_idx, load_mnist


def idx(array, code=0x08, shape=None):
    shape = array.shape if shape is None else shape
    return struct.pack(f">BBBB{len(shape)}I", 0, 0, code, len(shape), *shape) + array.tobytes()


def test_digits_are_split_and_scaled():
    data = load_digits()
    assert data.x_train.shape[1] == data.x_test.shape[1] == 64
    assert len(data.x_train) + len(data.x_test) == 1797
    assert data.x_train.dtype == np.float32
    assert 0 == data.x_train.min() < data.x_train.max() == 1
    assert set(data.y_test) == set(range(10)) == set(data.y_train)
    again = load_digits()
    np.testing.assert_array_equal(again.x_test, data.x_test)
    rows = {row.tobytes() for row in data.x_train}
    assert not any(row.tobytes() in rows for row in data.x_test)


IMAGES = np.arange(24, dtype=np.uint8).reshape(4, 3, 2)


@pytest.mark.parametrize("zipped", [False, True])
@pytest.mark.parametrize("mmap", [False, True])
def test_idx_files_are_read(tmp_path, zipped, mmap):
    content = idx(IMAGES)
    path = tmp_path / "a"
    path.write_bytes(gzip.compress(content) if zipped else content)
    got = load_idx(path, mmap=mmap)
    np.testing.assert_array_equal(got, IMAGES)
    assert isinstance(got, np.memmap) == (mmap and not zipped)
    assert isinstance(load_idx(path), np.memmap) == (not zipped)


@pytest.mark.parametrize(
    ("code", "dtype"), [(0x08, "u1"), (0x09, "i1"), (0x0B, ">i2"), (0x0C, ">i4"), (0x0D, ">f4"), (0x0E, ">f8")]
)  # as the format's author lists them
def test_numbers_of_every_type_are_read(tmp_path, code, dtype):
    numbers = np.array([100, 200, 3] if dtype == "u1" else [100, -56, 3], dtype)
    path = tmp_path / "a"
    path.write_bytes(idx(numbers, code))
    np.testing.assert_array_equal(load_idx(path), numbers)


GOOD = idx(IMAGES)
BAD = {
    "wrong magic": (b"\1" + GOOD[1:], "IDX header"),
    "unknown type": (b"\0\0\7\3" + GOOD[4:], "IDX header"),
    "no dimensions": (b"\0\0\10\0", "IDX header"),
    "empty": (b"", "nothing"),
    "half a header": (GOOD[:9], "within its header"),
    "truncated": (GOOD[:-1], "promises 24 bytes"),
    "too long": (GOOD + b"x", "promises|goes on"),
    "more than fits in": (idx(IMAGES, shape=(2**30,)), "promises 1073741824 bytes"),
    "a little more than 16 GiB": (idx(IMAGES, shape=(2**31, 9)), "absurd dimensions .*: more than 16 GiB"),
    "8 GiB of single pixels": (idx(IMAGES, shape=(2**31, 4, 1, 1)), "promises 8589934592 bytes"),
    "nothing, of absurd rows": (idx(IMAGES[:0], shape=(0, 2**32 - 1, 2**32 - 1)), "absurd"),
    "absurd": (idx(IMAGES, shape=(2**32 - 1,) * 3), "absurd"),
}


@pytest.mark.parametrize("zipped", [False, True])
@pytest.mark.parametrize("mmap", [False, True])
@pytest.mark.parametrize("name", BAD)
def test_damaged_idx_files_are_refused(tmp_path, name, mmap, zipped):
    content, message = BAD[name]
    path = tmp_path / "a"
    path.write_bytes(gzip.compress(content) if zipped else content)
    with pytest.raises(DataFileError, match=message):
        load_idx(path, mmap=mmap)


def test_damaged_gzip_is_refused(tmp_path):
    path = tmp_path / "a.gz"
    path.write_bytes(gzip.compress(GOOD)[:-6])
    with pytest.raises(DataFileError, match="gzip"):
        load_idx(path)


def test_gzip_bomb_is_not_unpacked(tmp_path):
    path = tmp_path / "bomb.gz"
    path.write_bytes(gzip.compress(GOOD + bytes(50_000_000)))
    with pytest.raises(DataFileError, match="goes on"):
        load_idx(path)


def write_mnist(folder, parts, labels=4):
    for part in parts:
        (folder / f"{part}-images-idx3-ubyte").write_bytes(GOOD)
        content = idx(np.arange(labels, dtype=np.uint8))
        (folder / f"{part}-labels-idx1-ubyte.gz").write_bytes(gzip.compress(content))


def test_mnist_is_read(tmp_path):
    write_mnist(tmp_path, ["train", "t10k"])
    data = load_mnist(tmp_path)
    assert data.x_train.shape == (4, 6)
    np.testing.assert_allclose(data.x_test[0], np.arange(6) / 255, rtol=1e-6)
    np.testing.assert_array_equal(data.y_test, range(4))


def test_mnist_test_files_alone_are_split(tmp_path):
    write_mnist(tmp_path, ["t10k"])
    data = load_mnist(tmp_path)
    assert [len(part) for part in data] == [3, 3, 1, 1]


def test_mnist_that_does_not_fit_is_refused(tmp_path):
    write_mnist(tmp_path, ["t10k"], labels=3)
    with pytest.raises(DataFileError, match="do not go with"):
        load_mnist(tmp_path)
    with pytest.raises(DataFileError, match="MNIST"):
        load_mnist(tmp_path / "nowhere")


@pytest.mark.parametrize("missing", ["images-idx3-ubyte", "labels-idx1-ubyte.gz"])
def test_half_of_mnist_is_not_taken_for_its_test_part(tmp_path, missing):
    write_mnist(tmp_path, ["train", "t10k"])
    (tmp_path / f"train-{missing}").unlink()
    with pytest.raises(DataFileError, match=f"train files lack their {missing[:6]}"):
        load_mnist(tmp_path)


def test_mnist_of_other_numbers_is_refused(tmp_path):
    write_mnist(tmp_path, ["t10k"])
    (tmp_path / "t10k-labels-idx1-ubyte.gz").write_bytes(idx(np.full(4, np.nan, ">f4"), 0x0D))
    with pytest.raises(DataFileError, match="uint8"):
        load_mnist(tmp_path)


@pytest.fixture(scope="module")
def scratch(tmp_path_factory):
    return tmp_path_factory.mktemp("idx") / "a"


@settings(max_examples=300, derandomize=True, database=None, deadline=None)
@given(
    changes=st.lists(st.tuples(st.integers(0, len(GOOD) - 1), st.integers(0, 255)), max_size=4),
    cut=st.sampled_from([0, 0, 1, 8, 20, 27]),
    zipped=st.booleans(),
    mmap=st.booleans(),
)
def test_mutations_raise_nothing_but_data_file_error(scratch, changes, cut, zipped, mmap):
    content = bytearray(gzip.compress(GOOD, mtime=0) if zipped else GOOD)
    for place, value in changes:
        content[min(place, len(content) - 1)] = value
    scratch.write_bytes(content[: len(content) - cut])
    try:
        array = load_idx(scratch, mmap=mmap)
    except DataFileError:
        return
    assert array.size <= len(GOOD)
