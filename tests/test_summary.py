"""Networks and reports as tables, of text and for notebooks."""

import re

import pytest

from fastbp import CheckReport
from fastbp.checking.report import Row
from fastbp.html import table


@pytest.fixture
def net(engine):
    return engine(
        [784, 30, 10], activation="relu", output="softmax", cost="cross_entropy", initializer="he_normal",
        l1=0.5, l2=1e-4, dropout=0.25, dtype="float64", seed=3, threads=2,
    )  # fmt: skip


def test_summary_of_a_network(net):
    lines = [re.split(r"\s{2,}", line) for line in repr(net.summary()).splitlines()]
    assert lines == [
        [f"{type(net).__name__} 784-30-10"],
        [""],
        ["layer", "inputs x outputs", "activation", "parameters"],
        ["0", "784 x 30", "relu", "23,550"],
        ["1", "30 x 10", "softmax", "310"],
        [""],
        ["parameters", "23,860"],
        ["cost", "cross_entropy"],
        ["initializer", "he_normal"],
        ["penalties", "l1 0.5, l2 0.0001"],
        ["dropout", "0.25"],
        ["dtype", "float64"],
        ["seed", "3"],
        ["threads", "2"],
        ["epochs trained", "0"],
    ]


def test_parameters_are_counted(net):
    count = sum(array.size for array in [*net.weights, *net.biases])
    assert net.summary().settings["parameters"] == f"{count:,}"
    sizes = [w.size + b.size for w, b in zip(net.weights, net.biases, strict=True)]
    assert [layer[-1] for layer in net.summary().layers] == [f"{size:,}" for size in sizes]


def test_numbers_stand_below_each_other(net):
    lines = repr(net.summary()).splitlines()[2:5]
    assert len({len(line) for line in lines}) == 1


@pytest.mark.parametrize(
    ("classes", "words"), [(["no", "yes"], "no, yes"), (range(99), "0, 1, 2, 3, 4, 5, 6, 7, 8, 9, ..., 98")]
)
def test_classes_are_named(net, classes, words, monkeypatch):
    monkeypatch.setattr(type(net), "classes", classes, raising=False)
    assert net.summary().settings["classes"] == words


def test_a_notebook_shows_the_network(net):
    html = net._repr_html_()
    assert html == net.summary()._repr_html_()
    for text in ["784-30-10", "784 x 30", "23,860", "he_normal", "float64"]:
        assert text in html


def test_html_is_escaped(net, monkeypatch):
    evil = "<script>&\"'"
    for html in (table([evil], [[evil]], evil), CheckReport(evil, (Row(evil, None, 1.0, 2.0),))._repr_html_()):
        assert "<script" not in html
        assert html.count("&lt;script&gt;&amp;&quot;&#x27;") >= 3
    monkeypatch.setattr(type(net), "classes", [evil], raising=False)
    assert "<script" not in net._repr_html_()


def test_failed_rows_of_a_report_are_marked():
    report = CheckReport("net", (Row("weights", 0, 1.0, 2.0), Row("biases", 1, 3.0, 2.0)))
    rows = re.findall(r"<tr(.*?)>(.*?)</tr>", report._repr_html_())
    assert [("color" in style, "FAILED" in cells) for style, cells in rows] == [
        (False, False), (False, False), (True, True)
    ]  # fmt: skip
    assert "weights[0]" in rows[1][1]
    assert "biases[1]" in rows[2][1]
    assert "net: FAILED; worst: biases[1], at 1.5 of what is allowed" in report._repr_html_()
