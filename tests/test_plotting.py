"""Pictures: what is drawn, and that it can be read."""

import sys

import numpy as np
import pytest

import fastbp
from fastbp import History
from fastbp.plotting import Mistake, check_format, plot_confusion, plot_history, plot_mistakes, plot_training

FULL = History([2.0, 1.0], [0.5, 0.75], [1.5, 2.5], [0.4, 0.6], [1.0, 1.0], [0.1, 0.1])
COST_ONLY = History([2.0, 1.0], [None, None], [None, None], [None, None], [1.0, 1.0], [0.1, 0.1])
GAPS = History([2.0, 1.0], [None, None], [None, 1.5], [None, None], [1.0, 1.0], [0.1, 0.1])
ERRORS = History([2.0, 1.0], [None, None], [2.5, 1.5], [None, None], [1.0, 1.0], [0.1, 0.1], [20.0, 10.0], [25.0, 15.0])
ONE = History([2.0], [0.5], [2.5], [0.6], [1.0], [0.1])
CONFUSION = np.array([[900, 2, 0], [1, 800, 0], [0, 0, 700]])
IMAGE = np.arange(6.0).reshape(2, 3)
SEVEN = Mistake(IMAGE, "7", "1", 0.125)


def long_history(epochs):
    e = np.arange(1, epochs + 1)
    columns = [1 / e, 1 - 0.5 / e, 1 / e + 0.01, 0.9 - 0.5 / e, np.ones(epochs), np.ones(epochs)]
    return History(*map(list, columns))


def drawn(ax):
    """Return the curves with names, of both axes that share a place."""
    return [line for each in ax.figure.axes for line in each.lines if not line.get_label().startswith("_")]


@pytest.mark.parametrize(("history", "lines"), [(FULL, 5), (COST_ONLY, 2), (GAPS, 3), (ERRORS, 3)])
def test_history_is_drawn(history, lines, tmp_path):
    ax = plot_history(history)
    assert len(ax.get_legend().get_lines()) == len(drawn(ax)) == lines
    assert list(ax.lines[0].get_ydata()) == (history.rmse or history.cost)
    assert ax.get_title() == "Learning curve: 2 epochs, 0.2 s"
    ax.figure.savefig(tmp_path / "h.png")
    assert (tmp_path / "h.png").stat().st_size > 1000


def test_axes_are_named_in_the_colours_of_their_lines():
    left, right = plot_history(FULL).figure.axes
    for ax, name in ((left, "cost"), (right, "accuracy")):
        assert ax.get_ylabel() == name
        assert {ax.yaxis.label.get_color()} == {line.get_color() for line in drawn(ax) if name in line.get_label()[:8]}
    assert left.yaxis.label.get_color() != right.yaxis.label.get_color()


def test_errors_in_units_of_y_take_the_place_of_the_cost():
    ax = plot_history(ERRORS)
    assert ax.get_ylabel() == "root mean square error, in units of y"
    assert list(ax.lines[1].get_ydata()) == ERRORS.validation_rmse


@pytest.mark.parametrize(
    ("history", "label"),
    [
        (FULL, "best epoch: 1 (validation cost 1.5)"),
        (COST_ONLY, "best epoch: 2 (training cost 1)"),
        (GAPS, "best epoch: 2 (validation cost 1.5)"),
        (ERRORS, "best epoch: 2 (validation error 15)"),
    ],
)
def test_the_best_epoch_is_marked(history, label):
    (star,) = [line for line in drawn(plot_history(history)) if line.get_marker() == "*"]
    assert star.get_label() == label
    assert f"best epoch: {star.get_xdata()[0]} " in label


@pytest.mark.parametrize("epochs", [1, 2, 7, 30, 300, 5000])
def test_ticks_are_whole_epochs(epochs):
    ax = plot_history(long_history(epochs))
    low, high = ax.get_xlim()
    ticks = [tick for tick in ax.get_xticks() if low <= tick <= high]
    assert 1 <= len(ticks) <= 11
    assert all(tick == int(tick) and 1 <= tick <= high for tick in ticks)


@pytest.mark.parametrize("validation", [True, False])
def test_one_epoch_is_seen(validation):
    history = ONE if validation else History([2.0], [0.5], [None], [None], [1.0], [0.1])
    ax = plot_history(history)
    ax.figure.draw_without_rendering()
    lines = [line for line in drawn(ax) if line.get_marker() != "*"]
    places = [line.get_transform().transform(line.get_xydata())[0] for line in lines]
    assert all(line.get_marker() not in ("", "None") for line in lines)
    apart = [np.hypot(*(one - other)) for i, one in enumerate(places) for other in places[:i]]
    assert min(apart) > 10  # pixels: no marker hides another
    assert all(ax.bbox.contains(*place) for place in places)


def test_long_histories_are_lines_without_dots():
    curves = [line for line in drawn(plot_history(long_history(300))) if line.get_marker() != "*"]
    assert {line.get_marker() for line in curves} == {""}
    assert [line.get_linestyle() for line in curves] == ["-", "--"] * 2


def test_a_cost_that_falls_far_is_drawn_in_decades():
    assert plot_history(long_history(300)).get_yscale() == "log"
    assert plot_history(long_history(50)).get_yscale() == "linear"


def test_gaps_stay_gaps():
    line = plot_history(GAPS).lines[1]
    np.testing.assert_array_equal(line.get_ydata(), [np.nan, 1.5])
    long = long_history(300)
    long.validation_cost[1::2] = [None] * 150
    assert plot_history(long).lines[1].get_marker() == "o"  # or a value between gaps would not be seen


def test_a_history_that_diverged_is_drawn(tmp_path):
    history = History([float("nan"), 1.0, float("inf")], [None] * 3, [None] * 3, [None] * 3, [1.0] * 3, [0.1] * 3)
    ax = plot_history(history)
    ax.figure.savefig(tmp_path / "h.png")
    assert drawn(ax)[-1].get_label() == "best epoch: 2 (training cost 1)"


def test_axes_of_the_user_are_used():
    from matplotlib.figure import Figure

    ax = Figure().subplots()
    assert plot_history(COST_ONLY, ax) is ax
    assert list(ax.lines[0].get_ydata()) == COST_ONLY.cost
    ax.figure.draw_without_rendering()
    assert ax.bbox.containsx(ax.get_legend().get_window_extent().x0)
    assert ax.bbox.containsy(ax.get_legend().get_window_extent().y0)  # there is no room outside


def test_the_legend_hides_nothing():
    ax = plot_history(FULL)
    ax.figure.draw_without_rendering()
    legend = ax.get_legend().get_window_extent()
    assert legend.y1 < ax.xaxis.label.get_window_extent().y0
    assert legend.y0 >= 0


# Confusion


def test_mistakes_stand_out_beside_a_huge_diagonal():
    ax = plot_confusion(CONFUSION, ["a", "b", "c"])
    (image,) = ax.images
    red, green, blue, _ = image.to_rgba(image.get_array(), bytes=True)[0, 1].astype(int)
    assert red > 2 * max(green, blue)
    assert image.get_clim() == (0, 2)
    assert ax.get_title() == "Confusion: 3 of 2,403 wrong"


def test_cells_say_how_many():
    ax = plot_confusion(CONFUSION, ["a", "b", "c"])
    written = {text.get_position(): text.get_text() for text in ax.texts}
    assert written == {(0, 0): "900", (1, 0): "2", (0, 1): "1", (1, 1): "800", (2, 2): "700"}  # (answer, truth)
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("answer", "truth")


def test_many_classes_have_a_scale_instead_of_numbers():
    ax = plot_confusion(np.full((40, 40), 2))
    assert not ax.texts
    assert ax.figure.axes[1].get_ylabel() == "wrong answers"
    assert [text.get_text() for text in ax.get_yticklabels()] == [str(i) for i in range(0, 40, 2)]


@pytest.mark.parametrize("confusion", [np.diag([3, 4]), np.zeros((2, 2), int), np.array([[5]])])
def test_no_mistakes_are_drawn_too(confusion, tmp_path):
    ax = plot_confusion(confusion)
    ax.figure.savefig(tmp_path / "c.png")
    assert ax.get_title() == f"Confusion: 0 of {confusion.sum()} wrong"


def test_names_of_classes_are_no_formulas(tmp_path):
    names = [r"$\frac$", "a name that is far too long"]
    ax = plot_confusion([[1, 2], [3, 4]], names)
    ax.figure.savefig(tmp_path / "c.png")  # which would raise
    assert [text.get_text() for text in ax.get_xticklabels()] == [names[0], "a name that i…"]


# Mistakes, and all in one


def test_worst_mistakes_are_images():
    figure = plot_mistakes([SEVEN, (IMAGE, "$x$", "$^$", 0.0)])
    figure.draw_without_rendering()
    assert [ax.get_title() for ax in figure.axes[:3]] == ["7, not 1", "$x$, not $^$", ""]
    assert figure.axes[0].get_xlabel() == "12%"
    np.testing.assert_array_equal(figure.axes[0].images[0].get_array(), IMAGE)
    assert len(plot_mistakes([SEVEN] * 99).axes) == 10


@pytest.mark.parametrize(
    ("parts", "titles"),
    [
        ({}, ["Learning curve"]),
        ({"confusion": CONFUSION}, ["Learning curve", "Confusion"]),
        ({"mistakes": [SEVEN]}, ["Learning curve", "7, not 1"]),
        ({"confusion": CONFUSION, "mistakes": []}, ["Learning curve", "Confusion"]),
        ({"confusion": CONFUSION, "mistakes": [SEVEN]}, ["Learning curve", "Confusion", "7, not 1"]),
    ],
)
def test_training_is_drawn_in_one_figure(parts, titles, tmp_path):
    figure = plot_training(FULL, classes=["a", "b", "c"], title=r"$\frac$", **parts)
    figure.savefig(tmp_path / "t.png")
    assert [ax.get_title().partition(":")[0] for ax in figure.axes if ax.get_title()] == titles
    assert figure.get_figheight() == (6.4 if parts.get("mistakes") else 4.5)  # no empty strip
    boxes = [ax.get_tightbbox() for ax in figure.axes if ax.get_title()]
    assert not [1 for i, box in enumerate(boxes) for other in boxes[:i] if box.overlaps(other)]
    assert figure.get_suptitle() == r"$\frac$"


# The library


def test_no_window_and_no_backend_is_chosen(monkeypatch):
    monkeypatch.delitem(sys.modules, "matplotlib.pyplot", raising=False)
    plot_training(FULL, CONFUSION, mistakes=[SEVEN])
    assert "matplotlib.pyplot" not in sys.modules


def test_plotting_is_there_without_another_import():
    assert fastbp.plotting.plot_history is plot_history


def test_formats():
    check_format("a.png")
    with pytest.raises(ValueError, match=r"unknown kind of picture; choose from .*\.png"):
        check_format("a.doc")


def test_missing_matplotlib_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    for call in (lambda: plot_history(FULL), lambda: check_format("a.png")):
        with pytest.raises(ImportError, match=r"pip install 'fastbp\[plot\]'"):
            call()
