"""No kernel writes beyond its arrays, or reads what nobody wrote: fences around every buffer, which begin as NaN.

Random fits, each compared with the same fit in plain memory, to the bit. The long form (`pytest -m soak`) makes 10 000,
and runs tests of kernels with numba's own check of indices.
"""

import contextlib
import math
import os
import subprocess
import sys
import warnings
from unittest import mock

import numpy as np
import pytest

import fastbp
from fastbp.memory import looks, parameters, workspace
from fastbp.networks import fast, predicting, run
from fastbp.training import pace

LINE, FENCE = 64, 4096  # bytes
FENCE_BYTE, FRESH_BYTE = 0xA5, 0xFF  # the latter makes a NaN of any width
MODULES = (parameters, workspace, looks, run, fast, predicting)
SIZES = (1, 2, 3, 4, 7, 8, 15, 16, 17, 31, 33, 40)


class Fences:
    """Arrays with a fence before and right behind each."""

    def __init__(self):
        self.arrays = []

    def array(self, shape, dtype=float, fill=0):
        """Return an array that begins on a cache line; every byte of it is `fill`."""
        dtype = np.dtype(dtype)
        size = math.prod(shape if isinstance(shape, tuple) else (shape,)) * dtype.itemsize
        raw = np.full(FENCE + LINE + size + FENCE, FENCE_BYTE, np.uint8)
        start = FENCE + -(raw.ctypes.data + FENCE) % LINE
        raw[start : start + size] = fill
        self.arrays.append((raw, start, start + size))
        return raw[start : start + size].view(dtype).reshape(shape)

    def check(self):
        """Say which array was left, if one was."""
        for place, (raw, start, stop) in enumerate(self.arrays):
            assert (raw[:start] == FENCE_BYTE).all(), f"before array {place}, of {stop - start} bytes"
            assert (raw[stop:] == FENCE_BYTE).all(), f"behind array {place}, of {stop - start} bytes"

    @contextlib.contextmanager
    def around_everything(self):
        """Let whatever the package allocates meanwhile have fences."""

        class Numpy:
            zeros = staticmethod(self.array)

            def __getattr__(_, name):
                return getattr(np, name)

            @staticmethod
            def empty(shape, dtype=float):
                return self.array(shape, dtype, FRESH_BYTE)

        def make(space, *arguments, make=workspace.Workspace.__init__, **options):
            make(space, *arguments, **options)
            space.buffer.view(np.uint8)[:] = FRESH_BYTE
            panel = arguments[0].panel
            space.buffer[space.zeros : space.zeros + panel] = 0
            if space.gradients:  # the last of the buffer; the pads between its rows stay 0
                space.buffer[space.gradients :] = 0
            for array in (space.costs, space.right, space.picked):
                array.view(np.uint8)[:] = FRESH_BYTE

        with contextlib.ExitStack() as patches:
            for module in MODULES:
                patches.enter_context(mock.patch.object(module, "np", Numpy()))
                if hasattr(module, "aligned"):
                    patches.enter_context(mock.patch.object(module, "aligned", self.array))
            patches.enter_context(mock.patch.object(workspace.Workspace, "__init__", make))
            yield


ENDS = [("identity", "quadratic"), ("softmax", "cross_entropy"), ("sigmoid", "binary_cross_entropy"),
        ("sigmoid", "quadratic"), ("tanh", "huber")]  # fmt: skip
OPTIMIZERS = [fastbp.SGD(0.01), fastbp.SGD(0.01, momentum=0.9), fastbp.Adam(0.001), fastbp.RMSprop(0.001)]


class Case:
    """A network, its data and its training, drawn by a number."""

    def __init__(self, number):
        draw = np.random.default_rng(number)

        def one_of(*values):
            return values[int(draw.integers(len(values)))]

        def sometimes(value, otherwise=None, share=0.2):
            return value if draw.random() < share else otherwise

        sizes = [int(one_of(*SIZES)) for _ in range(int(draw.integers(2, 5)))]
        output, cost = one_of(*ENDS)
        if output == "softmax" and sizes[-1] == 1:
            sizes[-1] = 2
        sparse = draw.random() < 0.2
        if sparse:
            sizes[0] = int(one_of(97, 200, 300))
        self.network = {
            "sizes": sizes, "activation": one_of("sigmoid", "tanh", "relu"), "output": output, "cost": cost,
            "dtype": one_of("float32", "float64"), "seed": number,
            "l1": sometimes(1e-3, 0.0), "l2": sometimes(0.01, 0.0), "dropout": sometimes(0.3, 0.0),
            "max_norm": sometimes(1.0, share=0.1), "nonnegative": sometimes(True, False, 0.1),
        }  # fmt: skip
        self.m = m = int(one_of(1, 2, 3, 16, 17, 33, 60, 100, 300))
        x = draw.random((m, sizes[0]))
        self.x = one_of(x, x.astype("float32"), (100 * x).astype("uint8"))
        if sparse:
            self.x = self.x * (draw.random(x.shape) < 0.1).astype(self.x.dtype)
        self.y = draw.integers(0, sizes[-1], m) if output == "softmax" else draw.random((m, sizes[-1])).round(2)
        if cost == "binary_cross_entropy":
            self.y = self.y.round()
        clips = sometimes([("clip_norm", 0.1), ("clip_layer_norm", 0.1), ("clip_value", 0.01)][number % 3], share=0.3)
        accumulate = sometimes(2, 1, 0.1)
        self.training = {
            "epochs": 2, "batch_size": int(one_of(1, 2, 7, 16, 33, 300)), "optimizer": one_of(*OPTIMIZERS),
            "sample_weight": sometimes(draw.random(m) + 0.1), "accumulate": accumulate, "ema": sometimes(0.9),
            "callbacks": [fastbp.Diagnostics(2)] if draw.random() < 0.2 and accumulate == 1 and not sparse else [],
            "verbose": 0, **({clips[0]: clips[1]} if clips else {}),
        }  # fmt: skip
        self.threads, self.large, self.long = int(one_of(1, 1, 2, 3)), one_of(-1, 10**9), one_of(0, 10**9)

    def result(self, threads):
        """Train, then look at everything; return all that comes of it, as bytes."""
        settings = [
            mock.patch("fastbp.border.arrays.LARGE", self.large),
            mock.patch.object(run, "LONG_STEP", self.long),
            mock.patch.object(pace, "WORTH_ALONE", math.inf),
            warnings.catch_warnings(action="ignore"),
        ]
        with contextlib.ExitStack() as stack:
            for setting in settings:
                stack.enter_context(setting)
            net = fastbp.Network(**self.network, threads=threads)
            try:
                cost = net.fit(self.x, self.y, **self.training).cost
            except fastbp.DivergenceError as error:  # in any memory
                cost = [error.epoch, error.batch, error.layer]
            found = [*net.weights, *net.biases, net.predict(self.x), net.predict(self.x[0].astype(net.dtype))]
            found += [*net.forward(self.x[:5]).zs, *net.backprop(self.x[:9], self.y[:9]).nabla_w]
            found += [net.input_gradient(self.x[:3], self.y[:3]), net.jacobian(self.x[:2])]
            return [np.asarray(array).tobytes() for array in [*found, cost, net.evaluate(self.x, self.y).cost]]

    def check(self):
        expected = self.result(1)
        fences = Fences()
        with fences.around_everything():
            found = self.result(self.threads)
        fences.check()
        assert len(fences.arrays) > 10
        assert found == expected, self.__dict__


def test_fences_see_a_number_beyond_an_array():
    fences = Fences()
    array = fences.array((3, 5), np.float32)
    fences.check()
    behind = np.lib.stride_tricks.as_strided(array, (16,), (4,))
    behind[15] = 1
    with pytest.raises(AssertionError, match="behind array 0, of 60 bytes"):
        fences.check()


@pytest.mark.parametrize("hundred", range(3))
def test_no_kernel_leaves_its_arrays(hundred):
    for number in range(100 * hundred, 100 * (hundred + 1)):
        Case(number).check()


@pytest.mark.soak
@pytest.mark.parametrize("thousand", range(10))
def test_no_kernel_leaves_its_arrays_in_10_000_fits(thousand):
    for number in range(1000 * thousand, 1000 * (thousand + 1)):
        Case(number).check()


@pytest.mark.soak
def test_kernels_pass_with_numbas_check_of_indices(tmp_path):
    environment = {**os.environ, "NUMBA_BOUNDSCHECK": "1", "NUMBA_CACHE_DIR": str(tmp_path)}
    files = [
        "kernels",
        "test_kernels.py",
        "test_network.py",
        "test_training.py",
        "test_predicting.py",
        "test_updates.py",
    ]
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *files]
    done = subprocess.run(command, env=environment, cwd=os.path.dirname(__file__), capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-3000:]
