"""The bar that `fit` draws: on a terminal of 80 columns, in a notebook, and not elsewhere."""

import os
import pty
import re
import struct
import subprocess
import sys
import termios
import types
import warnings

import pytest

from fastbp import History, notebook
from fastbp.training.progress import Reporter

LONGEST = History([1.234e-10], [None], [1.234e-8], [None], [1.0], [1.0])

ON_A_TERMINAL = """
from fastbp import History
from fastbp.training.progress import Reporter
reporter = Reporter("auto", 1000, 10)
with reporter.compiling():
    pass
for epoch in range(1, 1001):
    reporter.show(epoch, 10)
    if epoch % 100 == 0:
        reporter.bar.refresh()
    reporter.end_epoch(History([1.234e-10], [None], [1.234e-8], [None], [1.0], [1.0]))
reporter.close()
"""


def on_a_terminal(code, columns):
    """Return what a program writes to a terminal that is so wide."""
    import fcntl

    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    environment = {**os.environ, "TERM": "xterm", "PYTHONIOENCODING": "utf-8"}
    with subprocess.Popen([sys.executable, "-c", code], stdout=theirs, stderr=theirs, env=environment) as program:
        os.close(theirs)
        written = b""
        while True:
            try:
                written += (chunk := os.read(ours, 65536))
            except OSError:  # how Linux says that the other side is closed
                break
            if not chunk:
                break
        os.close(ours)
        assert program.wait(60) == 0, written
    return written.decode()


@pytest.mark.parametrize("columns", [60, 80, 200])
def test_the_bar_stays_on_its_line(columns):
    written = on_a_terminal(ON_A_TERMINAL, columns)
    frames = [frame.rstrip() for frame in re.split(r"[\r\n]+", written) if frame.strip()]
    assert max(map(len, frames)) < min(columns, 80)
    assert len(frames) > 10
    assert "compiling" in written
    assert "compiling" not in frames[-1]
    assert "100%" in frames[-1]
    assert frames[-1].startswith("epoch 1000/1000 |")
    assert written.count("\n") == 1  # the last: each frame takes the place of the one before
    if columns >= 80:
        assert frames[-1].endswith("cost 1.23e-10, validation 1.23e-08")


@pytest.mark.parametrize(
    ("history", "words"),
    [
        (History([0.5], [0.75], [0.25], [0.875], [1.0], [1.0]), "cost 0.5, validation 87.5%"),
        (History([0.5], [None], [0.25], [None], [1.0], [1.0]), "cost 0.5, validation 0.25"),
        (History([0.5], [0.75], [None], [None], [1.0], [1.0]), "cost 0.5, accuracy 75.0%"),
        (History([0.12345], [None], [None], [None], [1.0], [1.0]), "cost 0.123"),
    ],
)
def test_figures_of_an_epoch(history, words, capsys):
    reporter = Reporter(1, 1, 10)
    reporter.show(1, 10)
    reporter.end_epoch(history)
    reporter.close()
    last = capsys.readouterr().err.strip().split("\r")[-1]
    assert last.split("%", 1)[1].split(", ", 1)[1] == words
    assert last.startswith("epoch 1/1 |")


def test_compiling_is_said_while_it_lasts_and_not_timed(capsys):
    reporter = Reporter(1, 1, 10)
    now = [reporter.bar.start_t]
    reporter.bar._time = lambda: now[0]
    capsys.readouterr()
    with reporter.compiling():
        assert "compiling, once, about 4 s" in capsys.readouterr().err
        now[0] += 90.0
    assert "compiling" not in capsys.readouterr().err.split("\r")[-1]
    assert reporter.bar.format_dict["elapsed"] == 0
    reporter.close()


def test_compiling_that_fails_leaves_no_word(capsys):
    reporter = Reporter(1, 1, 10)
    with pytest.raises(KeyboardInterrupt), reporter.compiling():
        raise KeyboardInterrupt
    reporter.close()
    assert "compiling" not in capsys.readouterr().err.strip().split("\r")[-1]


@pytest.mark.parametrize("verbose", ["auto", 0, 2])
def test_compiling_says_nothing_without_a_bar(verbose, capsys):
    with Reporter(verbose, 1, 10).compiling():
        pass
    assert capsys.readouterr() == ("", "")


def test_a_line_per_epoch(capsys):
    reporter = Reporter(2, 9, 10)
    reporter.end_epoch(LONGEST)
    assert capsys.readouterr().err == f"epoch 1/9  {LONGEST.describe(-1)}\n"


def test_short_epochs_do_not_spend_their_time_on_drawing(capsys):
    reporter = Reporter(1, 1000, 10)
    now = [reporter.bar.start_t]
    reporter.bar._time = lambda: now[0]
    for epoch in range(1, 1001):
        now[0] += 1e-3
        reporter.show(epoch, 10)
        reporter.end_epoch(LONGEST)
    reporter.close()
    assert 5 <= capsys.readouterr().err.count("\r") <= 15  # of 1 s


def test_a_program_without_a_console(monkeypatch):
    monkeypatch.setattr(sys, "stderr", None)
    assert Reporter("auto", 1, 10).bar is None


# Notebooks


@pytest.fixture
def kernel(monkeypatch):
    """Pretend that this process is a kernel, and that tqdm was not imported before."""
    module = types.ModuleType("IPython")
    module.get_ipython = lambda: types.SimpleNamespace(kernel=object())
    monkeypatch.setitem(sys.modules, "IPython", module)
    for name in [name for name in sys.modules if name.startswith("tqdm.auto")]:
        monkeypatch.delitem(sys.modules, name)


@pytest.mark.usefixtures("kernel")
def test_a_notebook_has_a_bar_by_itself(capsys):
    assert notebook.is_notebook()
    reporter = Reporter("auto", 1, 10)
    assert type(reporter.bar).__module__ in ("tqdm.auto", "tqdm.asyncio")  # asyncio's is what tqdm.auto falls back to
    reporter.show(1, 10)
    reporter.close()
    assert "100%" in capsys.readouterr().err


@pytest.mark.usefixtures("kernel")
def test_a_notebook_without_ipywidgets_has_a_bar_of_text_and_no_warning(monkeypatch, capsys):
    def import_tqdm(name):
        warnings.warn("IProgress not found. Please update jupyter and ipywidgets.", UserWarning, stacklevel=2)
        return getattr(original, name)

    import tqdm.auto as original

    noisy = types.ModuleType("tqdm.auto")
    noisy.__getattr__ = import_tqdm
    monkeypatch.setitem(sys.modules, "tqdm.auto", noisy)
    reporter = Reporter("auto", 1, 10)  # a warning would be an error
    reporter.close()
    assert "epoch 1/1" in capsys.readouterr().err
