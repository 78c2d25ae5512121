"""The book's mnist.pkl.gz, read without running it: a pickle is a program, of which only arrays are made here."""

import gzip
import io
import os
import pickletools
import zlib
from typing import Any

import numpy as np

from ..errors import DataFileError
from ..formulas import Array

MAX_BYTES = 2**30  # unzipped; the book's file has 220 MB
TYPES = {"u1", "i1", "i2", "i4", "i8", "u2", "u4", "u8", "f4", "f8"}
MARK = object()


def read_arrays(path: str | os.PathLike[str]) -> list[tuple[Array, Array]]:
    """Return the pairs of NumPy's arrays that a file of pickled tuples holds; anything else raises DataFileError."""
    try:
        with open(path, "rb") as raw, gzip.GzipFile(fileobj=raw) as file:
            content = file.read(MAX_BYTES + 1)
        if len(content) > MAX_BYTES:
            raise ValueError(f"it unzips to more than {MAX_BYTES >> 20} MB")
        found = _Machine().run(content)
        pairs = [tuple(map(_array, pair)) for pair in found]
        if any(len(pair) != 2 for pair in pairs):
            raise ValueError("it holds no pairs of arrays")
        return pairs  # type: ignore[return-value]
    except (ValueError, TypeError, LookupError, AttributeError, EOFError, OverflowError, zlib.error, OSError) as error:
        if isinstance(error, OSError) and not isinstance(error, gzip.BadGzipFile):
            raise
        raise DataFileError(f"{os.fspath(path)}: not the book's mnist.pkl.gz: {error!s:.200}") from None


class _Pickled:
    """An array or a dtype in the making."""

    def __init__(self, what: str, *arguments: Any) -> None:
        self.what, self.arguments, self.state = what, arguments, ()


def _array(pickled: Any) -> Array:
    if not isinstance(pickled, _Pickled) or pickled.what != "ndarray" or len(pickled.state) != 5:
        raise ValueError("it holds something else than arrays")
    _, shape, dtype, fortran, content = pickled.state
    order, kind = dtype.state[1] if dtype.state else "<", dtype.arguments[0]
    if dtype.what != "dtype" or kind not in TYPES or order not in "<>|=":
        raise ValueError(f"it has numbers of type {kind!r:.20}")
    raw = content.encode("latin-1") if isinstance(content, str) else content
    return np.frombuffer(raw, np.dtype(order + kind)).reshape(shape, order="F" if fortran else "C")


class _Machine:
    """Pickle's stack, for the few operations that arrays in tuples need."""

    def __init__(self) -> None:
        self.stack: list[Any] = []
        self.memo: dict[int, Any] = {}

    def run(self, content: bytes) -> Any:
        """Return what the pickle says."""
        for code, argument, _ in pickletools.genops(io.BytesIO(content)):
            if code.name == "STOP":
                return self.stack.pop()
            self._do(code.name, argument)
        raise ValueError("it ends early")

    def _do(self, name: str, argument: Any) -> None:
        stack = self.stack
        if name in ("PROTO", "FRAME"):
            return
        if name in ("PUT", "BINPUT", "LONG_BINPUT", "MEMOIZE"):
            self.memo[len(self.memo) if name == "MEMOIZE" else argument] = stack[-1]
        elif name in ("GET", "BINGET", "LONG_BINGET"):
            stack.append(self.memo[argument])
        elif name == "MARK":
            stack.append(MARK)
        elif name in ("TUPLE", "LIST"):
            place = len(stack) - 1 - stack[::-1].index(MARK)
            stack[place:] = [tuple(stack[place + 1 :])]
        elif name in ("TUPLE1", "TUPLE2", "TUPLE3"):
            count = int(name[-1])
            stack[-count:] = [tuple(stack[-count:])]
        elif name in ("EMPTY_TUPLE", "NONE", "NEWTRUE", "NEWFALSE"):
            stack.append({"EMPTY_TUPLE": (), "NONE": None, "NEWTRUE": True, "NEWFALSE": False}[name])
        elif name in ("GLOBAL", "STACK_GLOBAL"):
            if name == "STACK_GLOBAL":
                argument = f"{stack.pop(-2)} {stack.pop()}"
            stack.append(str(argument).rpartition(" ")[2])
        elif name == "REDUCE":
            arguments, function = stack.pop(), stack.pop()
            kinds = {"_reconstruct": "ndarray", "dtype": "dtype", "encode": "bytes"}
            made = _Pickled(kinds[function], *arguments)
            stack.append(arguments[0].encode("latin-1") if made.what == "bytes" else made)
        elif name == "BUILD":
            state = stack.pop()
            stack[-1].state = state
        elif argument is not None and isinstance(argument, (int, float, str, bytes)):
            stack.append(argument)
        else:
            raise ValueError(f"it asks for {name}, which arrays do not need")
