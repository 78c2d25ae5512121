"""`fastbp diagnose`: one page that says why learning is slow; it needs no network, and a browser shows all of it."""

import html
import json
import re
import shutil
import subprocess

import numpy as np
import pytest

import fastbp
from fastbp.cli import main
from fastbp.cli.arrays import Pair
from fastbp.cli.diagnose import report
from fastbp.pages import Page

pytest.importorskip("matplotlib")
BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome", "chrome"))), None)
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update", "--hide-scrollbars",
)  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A slow network for the digits, saved, and its report."""
    path = tmp_path_factory.mktemp("report")
    net = fastbp.Network([64, 30, 30, 30, 30, 10], seed=0)
    net.fit(*fastbp.datasets.load_digits()[:2], epochs=1, verbose=0)
    net.save(path / "slow.safetensors")
    assert main(["diagnose", str(path / "slow.safetensors")]) == 0
    return path


@pytest.fixture(scope="module")
def page(folder):
    return (folder / "slow.html").read_text(encoding="utf-8")


def test_it_has_all_parts_in_one_file(page):
    headings = re.findall("<h2>(.*?)</h2>", page)
    assert headings == ["How each layer learns", "Samples", "The equations", "The network"]
    assert "times slower than layer" in page
    assert "the four equations hold in all 5 layers" in page
    assert len(re.findall('<img src="data:image/png;base64,', page)) == 6
    assert not re.findall(r"(?:src|href|srcset)=\"(?!data:)", page)
    assert "http" not in page
    assert "<script" not in page


def test_the_terminal_says_what_matters(folder, capsys):
    assert main(["diagnose", str(folder / "slow.safetensors"), "--output", str(folder / "other.html")]) == 0
    said = capsys.readouterr().out
    assert "Layer 0 learns" in said
    assert "equations   passed" in said
    assert f"report      {folder / 'other.html'}" in said


def test_json_is_the_diagnosis(folder, capsys):
    assert main(["diagnose", str(folder / "slow.safetensors"), "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["advice"][0]["kind"] == "slow"
    assert said["equations"]["passed"]
    assert len(said["layers"]) == 5


MARK = '<meta name="generator" content="fastbp">'


@pytest.mark.parametrize("mine", ["mine", "", f"<!doctype html>\n<html><body><pre>{MARK}</pre>", f"{MARK}\n# my notes"])
@pytest.mark.parametrize("command", ["diagnose", "lesson"])
def test_no_file_of_anybody_else_is_written_over(command, mine, folder, capsys):
    """A page that quotes ours is not ours."""
    (folder / "mine.html").write_text(mine)
    option = "--output" if command == "diagnose" else "--html"
    model = [str(folder / "slow.safetensors")] if command == "diagnose" else []
    assert main([command, *model, option, str(folder / "mine.html")]) == 2
    assert f"name another with {option}" in capsys.readouterr().err
    assert (folder / "mine.html").read_text() == mine


def test_a_page_of_ours_is_written_again(folder, page, capsys):
    assert MARK in page[:1000]
    (folder / "again.html").write_text(Page("another", lang="zh").render(), encoding="utf-8")
    assert main(["diagnose", str(folder / "slow.safetensors"), "--output", str(folder / "again.html")]) == 0
    assert (folder / "again.html").read_text(encoding="utf-8") == page


def test_a_folder_that_is_not_there_is_named(folder, capsys):
    assert main(["diagnose", str(folder / "slow.safetensors"), "--output", str(folder / "none" / "x.html")]) == 1
    assert "no such folder" in capsys.readouterr().err


def test_nothing_is_said_of_random_numbers(tmp_path, capsys):
    fastbp.Network([3, 5, 2], seed=0).save(tmp_path / "other.safetensors")
    assert main(["diagnose", str(tmp_path / "other.safetensors")]) == 2
    assert "fastbp diagnose MODEL DATA" in capsys.readouterr().err
    assert not (tmp_path / "other.html").exists()


def test_names_of_classes_and_columns_are_text(tmp_path):
    evil = "<script>alert(1)</script>"
    rng = np.random.default_rng(0)
    x = rng.normal(size=(60, 3))
    y = np.where(x[:, 0] > 0, evil, "b & <b>")
    net = fastbp.Network([3, 5, 2], activation="relu", cost="cross_entropy", seed=0)
    net.fit(x, y, epochs=1, verbose=0)
    net.save(tmp_path / "evil.safetensors")
    np.savez(tmp_path / "data.npz", x=x, y=y)
    assert main(["diagnose", str(tmp_path / "evil.safetensors"), str(tmp_path / "data.npz")]) == 0
    page = (tmp_path / "evil.html").read_text(encoding="utf-8")
    assert "<script" not in page
    assert html.escape(evil) in page


def test_without_matplotlib_it_has_words_and_tables(folder, monkeypatch, capsys):
    monkeypatch.setattr("fastbp.cli.diagnose.find_spec", lambda name: None)
    assert main(["diagnose", str(folder / "slow.safetensors"), "--output", str(folder / "words.html")]) == 0
    assert "pip install 'fastbp[plot]'" in capsys.readouterr().err
    page = (folder / "words.html").read_text(encoding="utf-8")
    assert "<img" not in page
    assert "times slower than layer" in page


def test_quantities_have_a_report_too(tmp_path):
    rng = np.random.default_rng(0)
    x = rng.uniform(-1, 1, (50, 2))
    np.savez(tmp_path / "data.npz", x=x, y=x[:, :1] * x[:, 1:])
    net = fastbp.Network([2, 20, 1], activation="tanh", seed=0)
    net.save(tmp_path / "price.safetensors")
    assert main(["diagnose", str(tmp_path / "price.safetensors"), str(tmp_path / "data.npz")]) == 0


@pytest.mark.parametrize("task", ["two classes", "probabilities", "a quantity"])
def test_one_output_is_confused_where_it_has_classes(task):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(50, 3))
    up = x[:, 0] > 0
    answers = {"two classes": np.where(up, "up", "down"), "probabilities": np.where(up, 0.75, 0.25)}
    y = answers.get(task, x[:, :1])
    output, cost = ("sigmoid", "binary_cross_entropy") if task in answers else ("identity", "quadratic")
    net = fastbp.Network([3, 5, 1], output=output, cost=cost, seed=0)
    net.fit(x, y, epochs=1, verbose=0)
    page = report(net, Pair(x, y), "some", fastbp.diagnose(net, x, y), fastbp.check_equations(net, x, y))
    assert ("Which class is taken for which." in page) == (task == "two classes")
    assert "The worst mistakes" not in page


@pytest.mark.parametrize(("name", "images"), [("pixel", True), ("age", False)])
def test_columns_are_pixels_if_they_are_called_so(name, images, tmp_path):
    """As in the picture that `fastbp train` draws."""
    rng = np.random.default_rng(0)
    rows = [",".join([*(f"{name}{i}" for i in range(25)), "kind"])]
    rows += [",".join([*map(str, rng.normal(size=25).round(3)), "ab"[k % 2]]) for k in range(60)]
    (tmp_path / "data.csv").write_text("\n".join(rows) + "\n")
    model, data = str(tmp_path / "net.safetensors"), str(tmp_path / "data.csv")
    assert main(["train", data, "--target", "kind", "--epochs", "1", "--output", model, "--no-plot"]) == 0
    assert main(["diagnose", model, data]) == 0
    page = (tmp_path / "net.html").read_text(encoding="utf-8")
    assert ("as images of its inputs" in page) == ("The worst mistakes" in page) == images
    assert "Which class is taken for which." in page


PROBE = """<script>
addEventListener("load", () => document.body.setAttribute("data-seen", JSON.stringify({
  images: [...document.images].map(image => image.naturalWidth),
  outside: [...document.querySelectorAll("body > *")].filter(e => e.getBoundingClientRect().right > innerWidth + 1)
    .map(e => e.tagName),
  scroll: document.documentElement.scrollWidth, width: innerWidth,
  hidden: [...document.querySelectorAll(".box, pre")].filter(e => e.scrollWidth > e.clientWidth).map(e => e.tagName),
})));
</script>"""


@pytest.mark.skipif(BROWSER is None, reason="no Chromium here to open the page in")
@pytest.mark.parametrize(("width", "medium"), [(1200, "screen"), (520, "screen"), (700, "print")])
def test_a_browser_shows_all_of_it(width, medium, page, tmp_path):
    """On a screen what is wide scrolls in its box; paper, of 700 px, cannot scroll."""
    probe = tmp_path / "probe.html"
    shown = page.replace("@media print", "@media all") if medium == "print" else page
    probe.write_text(shown.replace("</body>", f"{PROBE}</body>"), encoding="utf-8")
    command = [BROWSER, *FLAGS, f"--user-data-dir={tmp_path / 'browser'}", f"--window-size={width},900"]
    run = subprocess.run(
        [*command, "--virtual-time-budget=4000", "--dump-dom", probe.as_uri()],
        capture_output=True, text=True, timeout=120, check=True,
    )  # fmt: skip
    seen = json.loads(html.unescape(re.search('data-seen="(.*?)"', run.stdout).group(1)))
    assert len(seen["images"]) == 6
    assert min(seen["images"]) > 300
    assert seen["outside"] == []
    assert seen["scroll"] <= seen["width"]
    if medium == "print":
        assert seen["hidden"] == []
    picture = tmp_path / "page.png"
    subprocess.run([*command, f"--screenshot={picture}", probe.as_uri()], capture_output=True, timeout=120, check=True)
    assert picture.stat().st_size > 20_000


def test_a_page_escapes_what_it_is_given():
    page = Page("<b>", lang="zh")
    page.heading("<i>")
    page.paragraph("a & b", "advice")
    page.text("<pre>")
    page.table(("<th>",), [("<td>",)])
    text = page.render()
    assert '<html lang="zh">' in text
    assert "&lt;b&gt;" in text
    for tag in ("<b>", "<i>", "<th><th>"):
        assert tag not in text
    assert 'class="advice">a &amp; b' in text
