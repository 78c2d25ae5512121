import sys

import numpy as np
import pytest

from fastbp import History
from fastbp.plotting import check_format, plot_history

FULL = History([2.0, 1.0], [0.5, 0.75], [2.5, 1.5], [0.4, 0.6], [1.0, 1.0], [0.1, 0.1])
COST_ONLY = History([2.0, 1.0], [None, None], [None, None], [None, None], [1.0, 1.0], [0.1, 0.1])
GAPS = History([2.0, 1.0], [None, None], [None, 1.5], [None, None], [1.0, 1.0], [0.1, 0.1])


@pytest.mark.parametrize(("history", "lines"), [(FULL, 4), (COST_ONLY, 1), (GAPS, 2)])
def test_history_is_drawn(history, lines, tmp_path):
    ax = plot_history(history)
    assert len(ax.get_legend().get_lines()) == lines
    assert list(ax.lines[0].get_ydata()) == history.cost
    ax.figure.savefig(tmp_path / "h.png")
    assert (tmp_path / "h.png").stat().st_size > 1000


def test_gaps_stay_gaps():
    np.testing.assert_array_equal(plot_history(GAPS).lines[1].get_ydata(), [np.nan, 1.5])


def test_axes_of_the_user_are_used():
    from matplotlib.figure import Figure

    ax = Figure().subplots()
    assert plot_history(COST_ONLY, ax) is ax
    assert len(ax.lines) == 1


def test_no_window_and_no_backend_is_chosen(monkeypatch):
    monkeypatch.delitem(sys.modules, "matplotlib.pyplot", raising=False)
    plot_history(FULL)
    assert "matplotlib.pyplot" not in sys.modules


def test_formats():
    check_format("a.png")
    with pytest.raises(ValueError, match=r"unknown kind of picture; choose from .*\.png"):
        check_format("a.doc")


def test_missing_matplotlib_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    for call in (lambda: plot_history(FULL), lambda: check_format("a.png")):
        with pytest.raises(ImportError, match=r"pip install 'fastbp\[plot\]'"):
            call()
