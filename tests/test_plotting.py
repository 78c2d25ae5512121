import sys

import pytest

from fastbp import History
from fastbp.plotting import plot_history

FULL = History([2.0, 1.0], [0.5, 0.75], [2.5, 1.5], [0.4, 0.6], [1.0, 1.0], [0.1, 0.1])
COST_ONLY = History([2.0, 1.0], [None, None], [None, None], [None, None], [1.0, 1.0], [0.1, 0.1])


@pytest.mark.parametrize(("history", "lines"), [(FULL, 4), (COST_ONLY, 1)])
def test_history_is_drawn(history, lines, tmp_path):
    ax = plot_history(history)
    assert len(ax.get_legend().get_lines()) == lines
    assert list(ax.lines[0].get_ydata()) == history.cost
    ax.figure.savefig(tmp_path / "h.png")


def test_missing_matplotlib_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(ImportError, match=r"fastbp\[plot\]"):
        plot_history(FULL)
