"""The lesson: its numbers are right, its claims are true, and it can be read in a terminal and as a page."""

import json
import math
import re
import string
import subprocess
import sys

import numpy as np
import pytest
from processes import SECONDS

from fastbp.cli import main
from fastbp.lesson import en, zh
from fastbp.lesson.charts import Chart, as_text
from fastbp.lesson.experiments import BIASES, EPOCHS, ETA, WEIGHTS, X, Y, run
from fastbp.lesson.story import tell


@pytest.fixture(scope="module")
def lesson():
    return run()


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def test_the_small_network_by_hand(lesson):
    small = lesson.small
    a0 = X[0]
    z1 = WEIGHTS[0] @ a0 + BIASES[0]
    a1 = sigmoid(z1)
    z2 = WEIGHTS[1] @ a1 + BIASES[1]
    a2 = sigmoid(z2)
    delta2 = (a2 - Y[0]) * a2 * (1 - a2)
    delta1 = (WEIGHTS[1].T @ delta2) * a1 * (1 - a1)
    np.testing.assert_allclose(small.zs[1][0], z2, rtol=1e-14)
    assert small.cost == pytest.approx(0.5 * np.sum((a2 - Y[0]) ** 2), rel=1e-14)
    np.testing.assert_allclose(small.deltas[1][0], delta2, rtol=1e-13)
    np.testing.assert_allclose(small.deltas[0][0], delta1, rtol=1e-13)
    np.testing.assert_allclose(small.back[0], WEIGHTS[1].T @ delta2, rtol=1e-13)
    np.testing.assert_allclose(small.nabla_w[0], np.outer(delta1, a0), rtol=1e-13)
    np.testing.assert_allclose(small.checked_w[1], np.outer(delta2, a1), rtol=1e-7)
    np.testing.assert_allclose(small.checked_b[0], delta1, rtol=1e-7)
    assert small.costs[2] == pytest.approx((small.costs[0] + small.costs[1]) / 2)
    np.testing.assert_allclose(small.slow[:, 0] / small.slow[:, 1], 100)


def test_one_neuron_in_ten_lines_of_python(lesson):
    for neuron in lesson.neurons:
        w, b = neuron.w, neuron.b
        outputs = []
        for _ in range(EPOCHS + 1):
            a = 1 / (1 + math.exp(-(w + b)))
            outputs.append(a)
            delta = a * a * (1 - a) if neuron.cost == "quadratic" else a
            w, b = w - ETA * delta, b - ETA * delta
        np.testing.assert_allclose(neuron.outputs, outputs, rtol=1e-9)


def test_what_the_text_claims_is_so(lesson):
    near, far, near_ce, far_ce = lesson.neurons
    assert (near.w, far.w) == (0.6, 2.0)
    assert round(near.outputs[-1], 2) == 0.09  # as in the book
    assert round(far.outputs[-1], 2) == 0.20
    assert far.speed < near.speed / 5
    assert far.half > 5 * near.half
    assert far_ce.speed > near_ce.speed
    assert far_ce.half < far.half / 10
    assert lesson.sigmoid.slowdown > 10
    assert lesson.steady.slowdown < 2
    assert lesson.steady.accuracy > lesson.sigmoid.accuracy + 0.4


@pytest.mark.parametrize("words", [en.WORDS, zh.WORDS], ids=["en", "zh"])
def test_all_of_it_is_told(words, lesson):
    blocks = tell(lesson, words)
    assert sum(block.kind == "heading" for block in blocks) == 8
    assert sum(block.kind == "chart" for block in blocks) == 4
    assert not any("{" in block.text for block in blocks)
    text = " ".join(block.text for block in blocks)
    assert f"{lesson.small.cost:.6f}" in text
    assert str(lesson.neurons[1].half) in text


def placeholders(text):
    return sorted(name for _, name, _, _ in string.Formatter().parse(text) if name)


def test_both_languages_say_the_same():
    assert list(en.WORDS) == list(zh.WORDS)
    for key, words in en.WORDS.items():
        assert placeholders(words) == placeholders(zh.WORDS[key]), key


def test_no_sentence_is_left_in_english():
    for key, words in zh.WORDS.items():
        prose = re.sub(r"fastbp diagnose MODEL DATA|fastbp[\w.]*(\(.*?\))?|\{.*?\}", "", words)
        english = re.findall(r"[A-Za-z]{3,} [A-Za-z]{3,}", prose)
        assert not [phrase for phrase in english if "lambda" not in phrase], (key, english)
        assert re.search(r"[\u4e00-\u9fff]", words), key


def test_a_terminal_and_a_pipe_show_it():
    command = [sys.executable, "-m", "fastbp", "lesson", "--lang", "zh"]
    run = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", timeout=SECONDS, check=True)
    assert run.stdout.startswith("反向传播")
    assert "│" in run.stdout
    assert run.stderr == ""


def test_text_is_no_wider_than_it_may_be(capsys):
    assert main(["lesson"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 105
    assert len(lines) > 120


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_a_page_is_one_file(lang, tmp_path, capsys):
    pytest.importorskip("matplotlib")
    path = tmp_path / "lesson.html"
    assert main(["lesson", "--lang", lang, "--html", str(path)]) == 0
    assert str(path) in capsys.readouterr().out
    page = path.read_text(encoding="utf-8")
    assert page.count('<img src="data:image/png;base64,') == 4
    assert f'<html lang="{lang}">' in page
    assert "http" not in page
    assert main(["lesson", "--html", str(path)]) == 0  # it is ours: written again
    path.write_text("mine")
    assert main(["lesson", "--html", str(path)]) == 2
    assert path.read_text() == "mine"


def test_wrong_commands_say_so(capsys, monkeypatch):
    assert main(["lesson", "--lang", "xx"]) == 2
    assert "choose from" in capsys.readouterr().err
    assert main(["lesson", "--html", "none/x.html"]) == 1
    assert "no such folder" in capsys.readouterr().err
    monkeypatch.setattr("fastbp.cli.lesson.find_spec", lambda name: None)
    assert main(["lesson", "--html", "x.html"]) == 1
    assert "pip install 'fastbp[plot]'; or leave out --html" in capsys.readouterr().err


def test_json_has_the_numbers(capsys):
    assert main(["lesson", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert len(said["neurons"]) == 4
    assert said["deep"][0]["slowdown"] > 10


def test_a_chart_of_characters_shows_its_ends():
    lines = as_text(Chart({"up": [1.0, 10.0, 100.0], "flat": [1.0, 1.0, 1.0]}, "y", log=True)).splitlines()
    assert lines[0] == "y"
    assert lines[1].startswith("1e+02 │")
    assert lines[1].rstrip().endswith("●")
    assert "○" in lines[11]
    assert "● up   ○ flat" in lines[-1]
