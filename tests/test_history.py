"""What `fit` returns: read as text, in a notebook, and as a picture."""

import sys
import types
from html.parser import HTMLParser

import pytest

from fastbp import History, notebook

PLAIN = History([2.0, 1.0], [None] * 2, [None] * 2, [None] * 2, [0.5] * 2, [0.1] * 2)
QUANTITIES = History([2.0, 1.0], [None] * 2, [2.5, 1.5], [None] * 2, [0.5] * 2, [0.1] * 2, [20.0, 10.0], [25.0, 15.0])
WIDEST = History(*[[1.234e-10] * 12] * 6)


class Cells(HTMLParser):
    """The text of a table, row by row."""

    def __init__(self, html):
        super().__init__()
        self.rows = []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        if tag == "tr":
            self.rows.append([])

    def handle_data(self, data):
        if data.strip():
            self.rows[-1].append(data)


def test_only_what_was_measured_is_shown():
    assert repr(PLAIN).splitlines()[0].split() == ["epoch", "cost", "learning_rate", "seconds"]
    names = ["epoch", "cost", "rmse", "validation_cost", "validation_rmse", "learning_rate", "seconds"]
    assert repr(QUANTITIES).splitlines()[0].split() == names
    assert repr(QUANTITIES).splitlines()[2].split() == ["2", "1", "10", "1.5", "15", "0.5", "0.1"]


def test_the_table_fits_and_its_columns_are_straight():
    lines = repr(WIDEST).splitlines()
    assert max(map(len, lines)) <= 100
    assert {len(line) for line in lines if "..." not in line} == {len(lines[0])}
    assert lines[6] == "  ..."


def test_a_gap_is_a_dash():
    history = History([2.0, 1.0], [None] * 2, [None, 1.5], [None] * 2, [0.5] * 2, [0.1] * 2)
    assert repr(history).splitlines()[1].split() == ["1", "2", "-", "0.5", "0.1"]
    assert history.describe(0) == "cost 2  learning_rate 0.5  seconds 0.1"


def test_no_epochs():
    assert repr(History()) == "epoch"


def test_lists_that_were_never_measured_are_left_out():
    assert {len(column) for column in PLAIN.to_dict().values()} == {2}
    assert "rmse" not in PLAIN.to_dict()
    assert QUANTITIES.to_dict()["validation_rmse"] == [25.0, 15.0]


def test_a_notebook_shows_the_same_table():
    for history in (PLAIN, QUANTITIES, WIDEST):
        text = [line.split() for line in repr(history).splitlines()]
        rows = Cells(history._repr_html_()).rows
        assert [row for row in rows if "..." not in row] == [row for row in text if "..." not in row]
        assert len(rows) == len(text)


# Pictures


@pytest.fixture
def shown(monkeypatch):
    """What a kernel that pretends to run this process shows."""
    displayed = []
    shell = types.SimpleNamespace(kernel=object())
    module = types.ModuleType("IPython")
    module.get_ipython, module.version_info = lambda: shell, (9, 0)
    module.display = types.ModuleType("IPython.display")
    module.display.display = lambda data, raw: displayed.append(data)
    monkeypatch.setitem(sys.modules, "IPython", module)
    monkeypatch.setitem(sys.modules, "IPython.display", module.display)
    return displayed


def test_plot_draws_the_learning_curve():
    ax = PLAIN.plot()
    assert list(ax.lines[0].get_ydata()) == PLAIN.cost


def test_plot_shows_once_in_a_notebook(shown):
    ax = PLAIN.plot()
    (picture,) = shown
    assert picture["image/png"].startswith(b"\x89PNG")
    assert not any(hasattr(ax, f"_repr_{kind}_") for kind in ("png", "html", "mimebundle"))  # the cell's last value
    assert "matplotlib.pyplot" not in sys.modules or not sys.modules["matplotlib.pyplot"].get_fignums()


def test_axes_of_the_user_are_shown_by_the_user(shown):
    from matplotlib.figure import Figure

    ax = Figure().subplots()
    assert PLAIN.plot(ax) is ax
    assert shown == []


@pytest.mark.parametrize("shell", [None, types.SimpleNamespace()], ids=["python", "terminal"])
def test_nothing_is_shown_elsewhere(shown, shell, monkeypatch):
    monkeypatch.setattr(sys.modules["IPython"], "get_ipython", lambda: shell)
    PLAIN.plot()
    assert shown == []
    assert not notebook.is_notebook()
