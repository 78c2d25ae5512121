"""The lesson: its numbers are right, its words are true, and it can be read in a terminal, in a pipe and as a page."""

import dataclasses
import json
import math
import os
import re
import string
import subprocess
import sys
from unicodedata import east_asian_width

import numpy as np
import pytest
from processes import SECONDS

import fastbp
from fastbp.cli import main
from fastbp.lesson import en, zh
from fastbp.lesson.charts import Chart, as_text
from fastbp.lesson.claims import CLAIMS, check
from fastbp.lesson.experiments import DEEP, DEEP_EPOCHS, EPOCHS, LOOK_EVERY, STEADY, deep_network, run
from fastbp.lesson.meaning import OTHER, STEPS, WEAK
from fastbp.lesson.small import BIASES, WEIGHTS, X, Y, differences
from fastbp.lesson.story import CODE, tell
from fastbp.lesson.terminal import PIECE, unbroken, wrap
from fastbp.lesson.written import aligned, beside, columns, matrix, number, product, total, vector

LANGUAGES = {"en": en.WORDS, "zh": zh.WORDS}
WIDEST = 100
PAGE_PLOTS = 4
both_languages = pytest.mark.parametrize("lang", LANGUAGES)


@pytest.fixture(scope="module")
def lesson():
    return run()


@pytest.fixture(scope="module")
def told(lesson):
    return {lang: "\n".join(block.text for block in tell(lesson, words)) for lang, words in LANGUAGES.items()}


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def by_hand(x, y, weights=WEIGHTS, biases=BIASES):
    """The book's equations for one sample, in its own notation: columns, and one sample at a time."""
    z1 = weights[0] @ x + biases[0]
    a1 = sigmoid(z1)
    z2 = weights[1] @ a1 + biases[1]
    a2 = sigmoid(z2)
    delta2 = (a2 - y) * sigmoid(z2) * (1 - sigmoid(z2))
    delta1 = (weights[1].T @ delta2) * sigmoid(z1) * (1 - sigmoid(z1))
    return (z1, z2), (a1, a2), (delta1, delta2), 0.5 * np.sum((a2 - y) ** 2)


# The numbers


def test_the_small_network_is_what_one_gets_by_hand(lesson):
    small = lesson.small
    zs, activations, deltas, cost = by_hand(X[0], Y[0])
    assert small.cost == pytest.approx(cost, rel=1e-13)
    for layer in (0, 1):
        before = X[0] if layer == 0 else activations[0]
        np.testing.assert_allclose(small.zs[layer][0], zs[layer], rtol=1e-13)
        np.testing.assert_allclose(small.activations[layer + 1][0], activations[layer], rtol=1e-13)
        slope = activations[layer] * (1 - activations[layer])
        np.testing.assert_allclose(small.slopes[layer][0], slope, rtol=1e-13)
        for found, tolerance in ((small.equations, 1e-13), (small.differences, 1e-7)):
            np.testing.assert_allclose(found.deltas[layer][0], deltas[layer], rtol=tolerance)
            np.testing.assert_allclose(found.nabla_b[layer], deltas[layer], rtol=tolerance)
            np.testing.assert_allclose(found.nabla_w[layer], np.outer(deltas[layer], before), rtol=tolerance)
    np.testing.assert_allclose(small.back[0], WEIGHTS[1].T @ deltas[1], rtol=1e-13)
    assert 0 < small.worst < 1e-9
    assert small.checks > 0
    assert small.failed == 0


def test_differences_are_derivatives():
    at = np.array([[1.0, -2.0], [0.5, 3.0]])
    np.testing.assert_allclose(differences(lambda v: float(np.sum(v**3)), at), 3 * at**2, rtol=1e-8)


def test_the_meaning_is_what_one_gets_by_hand(lesson):
    meaning = lesson.meaning
    zs, _, deltas, cost = by_hand(X[0], Y[0])
    other = by_hand(OTHER[0][0], OTHER[1][0])[3]
    np.testing.assert_allclose(meaning.costs, (cost, other, (cost + other) / 2), rtol=1e-13)
    assert meaning.exchanged == pytest.approx(cost, rel=1e-13)
    for layer, (pushes, changes) in enumerate(meaning.pushes):
        assert np.all(np.sign(pushes) == -np.sign(deltas[layer]))
        for j, push in enumerate(pushes):
            pushed = [b.copy() for b in BIASES]
            pushed[layer][j] += push  # z is w a + b: the same push
            assert changes[j] == pytest.approx(by_hand(X[0], Y[0], biases=pushed)[3] - cost, rel=1e-10)
    for neuron, z in zip(meaning.neurons, zs[1][1] + np.array([0, -5, 5]), strict=True):
        a = sigmoid(z)
        assert neuron == pytest.approx((z, a, 0, a * (1 - a), a * a * (1 - a)), rel=1e-12)


def test_weights_from_a_weak_input_learn_slowly_by_hand(lesson):
    weak = lesson.meaning.weak
    weights, biases = [w.copy() for w in WEIGHTS], [b.copy() for b in BIASES]
    for step in range(STEPS):
        _, (a1, _), (delta1, delta2), _ = by_hand(WEAK[0], Y[0], weights, biases)
        if step == 0:
            np.testing.assert_allclose(weak.delta, delta1, rtol=1e-12)
            np.testing.assert_allclose(weak.nabla_w, np.outer(delta1, WEAK[0]), rtol=1e-12)
        weights = [weights[0] - np.outer(delta1, WEAK[0]), weights[1] - np.outer(delta2, a1)]
        biases = [biases[0] - delta1, biases[1] - delta2]
    np.testing.assert_allclose(weak.moved, weights[0] - WEIGHTS[0], rtol=1e-10)
    assert weak.ratio == pytest.approx(100)
    assert weak.moved_ratio == pytest.approx(100)


def test_one_neuron_in_ten_lines_of_python(lesson):
    assert [(one.w, one.b) for one in lesson.learners] == 3 * [(0.6, 0.9), (2.0, 2.0)]
    assert [one.eta for one in lesson.learners] == [0.15, 0.15, 0.15, 0.15, 0.005, 0.005]
    for learner in lesson.learners:
        w, b = learner.w, learner.b
        outputs = []
        for _ in range(EPOCHS + 1):
            a = 1 / (1 + math.exp(-(w + b)))
            outputs.append(a)
            delta = a * a * (1 - a) if learner.cost == "quadratic" else a
            w, b = w - learner.eta * delta, b - learner.eta * delta
        np.testing.assert_allclose(learner.outputs, outputs, rtol=1e-9)
        below = [epoch for epoch, a in enumerate(outputs) if a < 0.5]
        assert learner.half == (below[0] if below else None)
        assert learner.step == pytest.approx(learner.eta * abs(learner.nabla_w))
        first = outputs[0] * (outputs[0] * (1 - outputs[0]) if learner.cost == "quadratic" else 1)
        assert learner.nabla_w == pytest.approx(first, rel=1e-12)


def test_one_neuron_ends_where_the_book_has_it(lesson):
    assert [round(one.outputs[-1], 2) for one in lesson.learners[:2]] == [0.09, 0.20]


def test_only_sigma_differs_between_the_deep_networks(lesson):
    one, other = deep_network("sigmoid"), deep_network(STEADY)
    for w, v in zip(one.weights + one.biases, other.weights + other.biases, strict=True):
        np.testing.assert_array_equal(w, v)
    assert lesson.sigmoid.eta == lesson.steady.eta
    assert dataclasses.replace(other.spec, activations=one.spec.activations) == one.spec


@pytest.mark.parametrize("name", ["sigmoid", "steady"])
def test_the_reference_learns_the_digits_at_the_same_speeds(name, lesson):
    data = fastbp.datasets.load_digits()
    seen = getattr(lesson, name)
    net = deep_network(STEADY if name == "steady" else name).to_reference()
    watch = fastbp.Diagnostics(LOOK_EVERY)
    optimizer = fastbp.SGD(seen.eta)
    net.fit(data.x_train, data.y_train, DEEP_EPOCHS, optimizer=optimizer, callbacks=[watch], verbose=0)
    for looks, others in zip(seen.looks[:3], watch.epochs[:3], strict=True):
        np.testing.assert_allclose([one.nabla_b for one in looks], [one.nabla_b for one in others], rtol=1e-3)
    assert len(seen.looks) == DEEP_EPOCHS
    assert seen.accuracy == pytest.approx(np.mean(net.predict(data.x_test).argmax(axis=1) == data.y_test), abs=0.01)


def test_the_code_that_is_shown_makes_the_network_that_was_run():
    names = {"fastbp": fastbp, "np": np}
    exec(CODE.format(sizes=DEEP), names)
    shown, run = names["net"], deep_network(STEADY)
    assert dataclasses.replace(shown.spec, activations=run.spec.activations) == run.spec
    z = np.linspace(-3, 3, 50)
    np.testing.assert_array_equal(names["steady"].value(z), STEADY.value(z))
    np.testing.assert_array_equal(shown.weights[0], run.weights[0])


def test_delta_is_what_the_two_factors_make_of_it(lesson):
    for seen in (lesson.sigmoid, lesson.steady):
        for look, behind in zip(seen.looks[0][:-1], seen.looks[0][1:], strict=True):
            assert look.delta == pytest.approx(behind.delta * look.by_weights * look.by_slope)


def test_the_cure_has_the_slope_that_is_said():
    z = np.linspace(-30, 30, 10001)
    slope = STEADY.slope(z, STEADY.value(z))
    np.testing.assert_allclose((STEADY.value(z + 1e-6) - STEADY.value(z - 1e-6)) / 2e-6, slope, atol=1e-8)
    assert 0.5 <= slope.min() < slope.max() <= 1.5


# The words


def test_the_claims_hold(lesson):
    check(lesson)


def spoilt(lesson):
    """Yield what a lesson might be whose numbers are others, and a part of the claim that is no longer true."""
    small, meaning, learners = lesson.small, lesson.meaning, lesson.learners
    off = small.differences._replace(deltas=[small.differences.deltas[0] + 1, small.differences.deltas[1]])
    yield lesson._replace(small=small._replace(differences=off)), "the differences agree"
    yield lesson._replace(small=small._replace(failed=1)), "nothing wrong"
    yield lesson._replace(steady=lesson.steady._replace(failed=1)), "nothing wrong"
    yield lesson._replace(meaning=meaning._replace(costs=(0.3, 0.2, 0.5))), "mean of C_x"
    yield lesson._replace(meaning=meaning._replace(exchanged=0.3)), "where the outputs are"
    pushes = [(push, -change) for push, change in meaning.pushes]
    yield lesson._replace(meaning=meaning._replace(pushes=pushes)), "δ Δz"
    yield lesson._replace(meaning=meaning._replace(neurons=meaning.neurons[::-1])), "saturated"
    yield lesson._replace(meaning=meaning._replace(weak=meaning.weak._replace(moved=np.ones((3, 2))))), "weak input"
    a, b, c, d, e, f = learners
    yield lesson._replace(learners=[b, a, c, d, e, f]), "further off"
    yield lesson._replace(learners=[a, b._replace(outputs=[0.99, 0.9]), c, d, e, f]), "below 0.5"
    yield lesson._replace(learners=[a, b._replace(nabla_w=9.0), c, d, e, f]), "learns slower"
    yield lesson._replace(learners=[a, b, c, d._replace(nabla_w=0.1), e, f]), "learns faster"
    yield lesson._replace(learners=[a, b, c, d, e, f._replace(nabla_w=0.1)]), "small η"
    yield lesson._replace(sigmoid=lesson.sigmoid._replace(looks=lesson.steady.looks)), "slower than the next"
    steep = [tuple(look._replace(by_slope=0.5) for look in looks) for looks in lesson.sigmoid.looks]
    yield lesson._replace(sigmoid=lesson.sigmoid._replace(looks=steep)), "a quarter"
    yield lesson._replace(impatient=lesson.impatient._replace(accuracy=0.1)), "slow is not unable"
    yield lesson._replace(steady=lesson.steady._replace(accuracy=0.1)), "the cure helps"


def test_words_that_are_no_longer_true_are_not_said(lesson):
    cases = list(spoilt(lesson))
    for changed, claim in cases:
        with pytest.raises(AssertionError, match=claim):
            tell(changed, en.WORDS)
    named = {name for name in CLAIMS for _, claim in cases if claim in name}
    assert named == set(CLAIMS)  # each claim has been seen to fail


def test_a_cure_that_is_merely_less_slow_is_called_slower(lesson):
    slower = [tuple(look._replace(nabla_b=2.0 ** (look.layer / 2)) for look in looks) for looks in lesson.steady.looks]
    changed = lesson._replace(steady=lesson.steady._replace(looks=slower))
    text = " ".join(block.text for block in tell(changed, en.WORDS))
    assert "Now layer 1 learns only 2.0 times slower than layer 3" in text
    assert "times as fast" not in text


@both_languages
def test_numbers_are_told_as_they_are(lang, lesson, told):
    blocks = tell(lesson, LANGUAGES[lang])
    assert sum(block.kind == "heading" for block in blocks) == 8
    assert sum(block.kind == "chart" for block in blocks) == PAGE_PLOTS
    text = told[lang]
    assert "{" not in text
    near, far = lesson.learners[:2]
    slow = f"{near.nabla_w / far.nabla_w:.1f}"
    seen = [slow, str(far.half), str(near.half), f"{lesson.sigmoid.slowdown:.0f}", f"{lesson.small.worst:.1g}"]
    seen += [f"{100 * net.accuracy:.0f} %" for net in (lesson.sigmoid, lesson.impatient, lesson.steady)]
    seen += [f"{1 / lesson.steady.slowdown:.1f}", f"{lesson.learners[5].step / far.step:.1f}", "-".join(map(str, DEEP))]
    missing = [part for part in seen if not re.search(rf"(?<![\d.]){re.escape(part)}(?!\d)", text)]
    assert not missing


def test_every_sum_that_is_written_out_is_right(told):
    """As a reader would check it: each line of products is computed again, from what is printed."""
    sums = re.findall(r"= ([-\d.()·+ ]*[·+][-\d.()·+ ]*) = (-?\d+\.\d{5})", told["en"])
    assert len(sums) == 5 + 2 + 2 + 6 + 12 + 6 + 1 - 1  # z; σ', δ²; BP2; BP4; (32); the mean is C's
    for written, result in sums:
        terms = [math.prod(map(value, term.split("·"))) for term in written.split(" + ")]
        assert sum(terms) == pytest.approx(float(result), abs=2e-5), written


def value(part):
    """A number, or a difference in brackets."""
    first, *others = part.strip().strip("()").split(" - ")
    return float(first) - sum(map(float, others))


def test_every_derivative_stands_beside_its_difference(told):
    pairs = re.findall(r"= (-?\d\.\d{5}) +\[(-?\d\.\d{5})\]", told["en"])
    assert len(pairs) == 5 + 5 + 12
    assert all(one == pytest.approx(other, abs=1.1e-5) for one, other in ([float(n) for n in pair] for pair in pairs))


def placeholders(text):
    return sorted({name + ":" + spec for _, name, spec, _ in string.Formatter().parse(text) if name})


def test_both_languages_say_the_same():
    assert list(en.WORDS) == list(zh.WORDS)
    for key, words in en.WORDS.items():
        assert placeholders(words) == placeholders(zh.WORDS[key]), key


ALLOWED = {"Michael", "Nielsen", "Hadamard", "epoch", "softmax", "tanh", "fastbp"}


def test_no_sentence_is_left_in_english():
    for key, words in zh.WORDS.items():
        prose = re.sub(r"fastbp diagnose MODEL DATA|a_in δ_out|fastbp[\w.]*(\(.*?\))?|\{.*?\}", "", words)
        english = set(re.findall(r"[A-Za-z]{3,}", prose))
        assert english <= ALLOWED, key
        assert re.search(r"[\u4e00-\u9fff]", words), key
    for key, words in en.WORDS.items():
        assert not re.search(r"[\u3000-\u9fff\uff00-\uffef]", words), key


# Written by hand


def test_numbers_are_written_as_by_hand():
    assert [number(v) for v in (0.5, -2.0, 1 / 3, 0.01)] == ["0.5", "-2", "0.33333", "0.01"]
    assert product(-0.5, -2) == "-0.5·(-2)"
    assert total([(0.5, 1), (-2, -1 / 3)], -0.1) == "0.5·1 + (-2)·(-0.33333) + (-0.1)"
    assert vector(np.array([1, -0.25])) == "(1, -0.25)"
    one, other = matrix("w =", np.array([[1, -0.5], [0.25, 2]])), matrix("b =", np.array([3.0]))
    assert one.split("\n") == ["w = [    1  -0.5 ]", "    [ 0.25     2 ]"]
    assert beside(one, other).split("\n") == ["w = [    1  -0.5 ]    b = [ 3 ]", "    [ 0.25     2 ]"]
    assert columns(("l", "δ"), [("10", "0.5")]) == " l     δ\n10   0.5"
    assert aligned([("a", "1"), ("bcd", ""), ("ef", "2")]) == "a      1\nbcd\nef     2"


def test_a_chart_of_characters_shows_its_ends():
    chart = Chart({"up": [1.0, 10.0, 100.0], "flat": [1.0, 1.0, 1.0]}, "y", log=True, first=1)
    lines = as_text(chart).splitlines()
    assert lines[0] == "y"
    assert lines[1].startswith("1e+02 ┤")
    assert lines[1].endswith("●")
    assert lines[6].startswith("   10 ┤")
    assert "○" in lines[11]
    assert lines[13].split() == ["1", "epoch", "3"]
    assert "● up   ○ flat" in lines[-1]


def test_a_constant_curve_can_be_drawn():
    assert "●" in as_text(Chart({"flat": [2.0, 2.0]}, "y"))


def cells(line):
    return sum(2 if east_asian_width(char) in "WF" else 1 for char in line)


@both_languages
@pytest.mark.parametrize("width", [60, 77, 100])
def test_lines_break_where_one_would_break_them(lang, width):
    for text in LANGUAGES[lang].values():
        lines = wrap(text, width)
        assert "".join("".join(PIECE.findall(text)).split()) == "".join("".join(lines).split())
        assert max(map(cells, lines)) <= width
        for line in lines[1:]:
            assert line[0] not in "，。；：、）”》)]'"
        for line in lines[:-1]:
            assert line[-1] not in "（“《(["


def test_formulas_and_percents_stay_in_one_piece():
    assert wrap("it is 97 %.", 8) == ["it is", "97 %."]
    assert wrap("let δ = a - y be", 10) == ["let", "δ = a - y", "be"]
    assert unbroken("let δ = a - y be 9 % of it.").split(" ") == [
        "let",
        "δ\xa0=\xa0a\xa0-\xa0y",
        "be",
        "9\xa0%",
        "of",
        "it.",
    ]


# The command


def call(*arguments, **environment):
    command = [sys.executable, "-m", "fastbp", "lesson", *arguments]
    settings = {"PYTHONIOENCODING": "utf-8"} | environment
    return subprocess.run(
        command, capture_output=True, encoding="utf-8", timeout=SECONDS, env=os.environ | settings, check=False
    )


@both_languages
def test_a_pipe_shows_it(lang):
    run = call("--lang", lang)
    assert (run.returncode, run.stderr) == (0, "")
    lines = run.stdout.splitlines()
    assert lines[0] == LANGUAGES[lang]["title"]
    assert max(map(cells, lines)) <= WIDEST
    assert not [line for line in lines if line != line.rstrip()]
    assert len(lines) > 250
    assert "\x1b" not in run.stdout


def test_an_output_without_greek_says_what_to_do():
    run = call(PYTHONIOENCODING="ascii")
    assert run.returncode == 2
    assert run.stdout == ""
    assert "set PYTHONIOENCODING=utf-8" in run.stderr


def test_json_has_the_numbers(capsys, lesson):
    assert main(["lesson", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["small"]["equations"]["deltas"][1] == lesson.small.equations.deltas[1].tolist()
    assert said["learners"][1]["half"] == lesson.learners[1].half
    assert said["learners"][0]["outputs"] == lesson.learners[0].outputs
    assert said["sigmoid"]["slowdown"] == lesson.sigmoid.slowdown  # the same to the bit in each run
    assert said["steady"]["looks"][0][0]["nabla_b"] == lesson.steady.looks[0][0].nabla_b
    assert said["meaning"]["weak"]["ratio"] == lesson.meaning.weak.ratio


@both_languages
def test_a_page_is_one_file(lang, tmp_path, capsys):
    pytest.importorskip("matplotlib")
    path = tmp_path / "lesson.html"
    assert main(["lesson", "--lang", lang, "--html", str(path)]) == 0
    assert str(path) in capsys.readouterr().out
    page = path.read_text(encoding="utf-8")
    assert page.count('<img src="data:image/png;base64,') == PAGE_PLOTS
    assert f'<html lang="{lang}">' in page
    assert LANGUAGES[lang]["end"] in page
    assert "http" not in page
    assert not re.search(r"<script|<link|@import|url\(", page)


def test_a_page_is_written_again_but_no_file_of_others(tmp_path, capsys):
    pytest.importorskip("matplotlib")
    path = tmp_path / "lesson.html"
    for _ in range(2):
        assert main(["lesson", "--html", str(path)]) == 0
    path.write_text("mine")
    assert main(["lesson", "--html", str(path)]) == 2
    assert path.read_text() == "mine"
    assert "name another with --html" in capsys.readouterr().err


def test_plots_have_only_letters_that_matplotlib_can_draw(lesson):
    """The page keeps quiet about missing glyphs, because names there may be the user's; so they are looked for here."""
    pytest.importorskip("matplotlib")
    from matplotlib import font_manager, ft2font

    font = ft2font.FT2Font(font_manager.findfont("DejaVu Sans"))
    for block in tell(lesson, zh.WORDS):
        if block.chart is not None:
            text = "".join([*block.chart.curves, block.chart.label, "epoch"])
            assert not [char for char in text if not font.get_char_index(ord(char))]


def test_wrong_commands_say_so_before_any_work(capsys, monkeypatch):
    monkeypatch.setattr("fastbp.cli.lesson.run_experiments", lambda: pytest.fail("work was done"))
    assert main(["lesson", "--lang", "xx"]) == 2
    assert "choose from" in capsys.readouterr().err
    assert main(["lesson", "--html", "none/x.html"]) == 1
    assert "no such folder" in capsys.readouterr().err
    monkeypatch.setattr("fastbp.cli.lesson.find_spec", lambda name: None)
    assert main(["lesson", "--html", "x.html"]) == 1
    assert "pip install 'fastbp[plot]'; or leave out --html" in capsys.readouterr().err


def test_import_fastbp_leaves_the_lesson_alone():
    code = "import sys, fastbp; print([name for name in sys.modules if name.startswith('fastbp.lesson')])"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"
