"""From a table to a model and back: columns by name, kinds of columns and targets, scores, what is said."""

import json
import shlex

import numpy as np
import pandas as pd
import pytest

import fastbp
from fastbp import DataFileError, cli
from fastbp.cli import confusion, scores, targets

ROWS = 120


@pytest.fixture(autouse=True)
def _empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def run(capsys):
    """Run a command with --json; return what it printed."""

    def run(*argv, code=0):
        assert cli.main([*argv, "--json"]) == code
        return json.loads(capsys.readouterr().out)

    return run


def table(rows=ROWS):
    """Make a table whose class follows from a number and a text."""
    rng = np.random.default_rng(1)
    size, color = rng.normal(50, 20, rows), rng.choice(["red", "blue", "green"], rows)
    kind = np.where((color == "red") | (size > 70), "fruit", "stone")
    return pd.DataFrame({"size": size, "color": color, "weight": rng.normal(0, 1, rows), "kind": kind})


@pytest.fixture
def trained(run):
    """Train on the table; return its frame, what was said, and the predictions for it."""
    frame = table()
    frame.to_csv("t.csv", index=False)
    said = run("train", "t.csv", "--no-plot")
    return frame, said, run("predict", "t.safetensors", "t.csv")


def test_a_mixed_table_is_learnt(trained):
    _, said, predicted = trained
    assert said["sizes"] == [5, 256, 256, 2]
    assert said["test_accuracy"] > 0.9
    assert predicted["accuracy"] > 0.95
    net = fastbp.load(said["model"])
    assert net.columns.names == ["size", "color", "weight"]
    assert net.classes.tolist() == ["fruit", "stone"]
    assert net.notes == {"task": "classification", "target": "kind"}


@pytest.mark.parametrize("order", [["kind", "weight", "color", "size"], ["size", "more", "kind", "color", "weight"]])
def test_another_order_and_more_columns_change_nothing(trained, run, order):
    frame, _, expected = trained
    frame.assign(more=1)[order].to_csv("other.csv", index="more" in order)
    said = run("predict", "t.safetensors", "other.csv")
    assert said["predictions"] == expected["predictions"]
    assert said["accuracy"] == expected["accuracy"]
    assert any("'Unnamed: 0', 'more' ignored" in note for note in said["notes"]) == ("more" in order)


@pytest.mark.parametrize("command", ["predict t.safetensors o.csv", "check t.safetensors --data o.csv"])
def test_a_missing_column_is_named(trained, run, command):
    trained[0].drop(columns="weight").to_csv("o.csv", index=False)
    assert "o.csv: the table has no column 'weight'" in run(*command.split(), code=1)["error"]


def test_answers_need_not_be_there(trained, run):
    frame, _, expected = trained
    frame.drop(columns="kind").to_csv("other.csv", index=False)
    said = run("predict", "t.safetensors", "other.csv")
    assert said["predictions"] == expected["predictions"]
    assert said["accuracy"] is None


def test_missing_and_unknown_cells_are_noted(trained, run):
    frame = trained[0].head(4).copy()
    frame.loc[0, "size"], frame.loc[1, "color"], frame.loc[2, "color"], frame.loc[3, "kind"] = None, "pink", None, None
    frame.to_csv("other.csv", index=False)
    said = run("predict", "t.safetensors", "other.csv")
    assert said["samples"] == 4
    notes = " ".join(said["notes"])
    for words in ("'pink' in 1 row", "'size': missing in 1 row, taken for the median", "1 rows have no answer"):
        assert words in notes
    assert said["accuracy"] in (0, 1 / 3, 2 / 3, 1)


def test_a_table_without_a_header_is_taken_in_order(trained, run):
    frame, _, expected = trained
    frame.drop(columns="kind").to_csv("other.csv", index=False, header=False)
    said = run("predict", "t.safetensors", "other.csv")
    assert said["predictions"] == expected["predictions"]
    assert "in the order size, color, weight" in said["notes"][0]
    frame.to_csv("other.csv", index=False, header=False)
    assert "name them in a first line: size, color" in run("predict", "t.safetensors", "other.csv", code=1)["error"]


def test_a_network_without_columns_takes_them_in_order(run):
    fastbp.Network([2, 3], output="softmax", cost="cross_entropy", seed=0).save("n.safetensors")
    pd.DataFrame({"a": [1, 2], "b": [3, 4], "c": [0, 1045]}).to_csv("t.csv", index=False)
    said = run("predict", "n.safetensors", "t.csv")
    assert said["samples"] == 2
    assert "column 'c' is taken for the answers" in said["notes"][0]
    assert "'1045' are none of the network's classes 0, 1, 2" in said["notes"][1]
    pd.DataFrame({"a": [1]}).to_csv("t.csv", index=False)
    error = run("predict", "n.safetensors", "t.csv", code=1)["error"]
    assert "t.csv: has 1 columns of numbers, the network takes 2" in error
    pd.DataFrame({"a": [1, None], "b": [1, 1]}).to_csv("t.csv", index=False)
    assert "t.csv line 3, column 'a': empty" in run("predict", "n.safetensors", "t.csv", code=1)["error"]


def test_the_score_is_printed_in_each_mode(trained, capsys):
    for options in ([], ["--values"], ["--output", "p.csv"]):
        assert cli.main(["predict", "t.safetensors", "t.csv", *options]) == 0
        captured = capsys.readouterr()
        assert "% right (" in captured.err
        assert "% right" not in captured.out
    assert cli.main(["predict", "t.safetensors", "t.csv", "--values"]) == 0
    assert capsys.readouterr().out.startswith("fruit,stone\n")


def test_predictions_are_written_whole_or_not_at_all(trained, run, monkeypatch, tmp_path):
    (tmp_path / "p.csv").write_text("old")
    monkeypatch.setattr("os.fsync", lambda descriptor: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    assert "no space left" in run("predict", "t.safetensors", "t.csv", "--output", "p.csv", code=1)["error"]
    assert (tmp_path / "p.csv").read_text() == "old"


def test_a_missing_folder_is_named(trained, run):
    error = run("predict", "t.safetensors", "t.csv", "--output", "nowhere/p.csv", code=1)["error"]
    assert "there is no folder" in error
    assert "nowhere" in error
    assert ".tmp" not in error


def test_what_follows_can_be_run_as_it_stands(capsys):
    table(30).to_csv("my table.csv", index=False)
    for argv in (["my table.csv", "--epochs", "1"], ["--epochs", "1"]):
        assert cli.main(["train", *argv, "--no-plot"]) == 0
        last = capsys.readouterr().out.splitlines()[-1]
        name, _, command = last.partition(" ")
        assert name == "next:"
        assert cli.main(shlex.split(command)[1:]) == 0
        assert "% right (" in capsys.readouterr().err


def test_index_constant_and_name_columns_are_dropped_with_a_note(run):
    frame = table().assign(constant=3, person=[f"p{k}" for k in range(ROWS)])
    frame[["constant", "person", *frame.columns[:4]]].to_csv("t.csv")
    said = run("train", "t.csv", "--no-plot", "--epochs", "1", "--drop", "weight")
    assert fastbp.load("t.safetensors").columns.names == ["size", "color"]
    notes = " ".join(said["notes"])
    for words in ("'Unnamed: 0' dropped: no more", "'constant' dropped: the same", "'person' dropped: 120 different"):
        assert words in notes
    assert "weight" not in notes
    assert "'kind' is the target" in run("train", "t.csv", "--drop", "kind", code=1)["error"]
    assert "no column 'wight' to drop; choose from" in run("train", "t.csv", "--drop", "wight", code=1)["error"]


@pytest.mark.parametrize(
    ("name", "values", "dropped"),
    [
        ("index", range(ROWS), True),
        ("PassengerId", range(7, 7 + ROWS), True),
        ("id", np.random.default_rng(0).permutation(ROWS), True),  # rows were shuffled
        ("id", np.arange(ROWS) % 50, False),
        ("fluid", range(ROWS), False),
        ("index", np.arange(ROWS) / 7, False),
    ],
)
def test_what_numbers_the_rows(run, name, values, dropped):
    table().assign(**{name: values})[[name, "size", "kind"]].to_csv("t.csv", index=False)
    run("train", "t.csv", "--no-plot", "--epochs", "1")
    assert (name not in fastbp.load("t.safetensors").columns.names) == dropped


def test_a_target_with_thousands_is_a_quantity(run):
    frame = table()
    frame["price"] = [f"{1000 + 40 * size:,.0f}" for size in frame["size"]]
    frame.to_csv("t.csv", index=False)
    said = run("train", "t.csv", "--no-plot")
    assert said["task"] == "regression"
    assert said["test_r2"] > 0.5
    said = run("predict", "t.safetensors", "t.csv")
    assert np.shape(said["predictions"]) == (ROWS, 1)
    assert said["r2"] > 0.9


def test_rows_without_a_target_are_left_out(run):
    frame = table()
    frame.loc[:9, "kind"] = None
    frame.to_csv("t.csv", index=False)
    said = run("train", "t.csv", "--no-plot", "--epochs", "1")
    assert said["training_samples"] + said["test_samples"] == ROWS - 10
    assert said["notes"][0].startswith("10 rows without a value of 'kind' left out")


def drawn(values, rows):
    """Draw whole numbers, each of which occurs."""
    return np.random.default_rng(0).permutation(np.resize(np.asarray(values), rows))


@pytest.mark.parametrize(
    ("y", "classes", "doubt"),
    [
        (drawn(range(10), 1797), True, False),  # digits
        (drawn(range(3, 9), 1599), True, False),  # qualities of wine
        (drawn(range(3), 15), True, True),
        (drawn([0, 1], 6), True, False),
        (drawn(range(15), 30), False, True),
        (drawn(range(65), 80), False, True),
        (drawn(range(25, 239), 442), False, False),  # diabetes
        (drawn(range(18, 90), 1000), False, True),  # ages
        (drawn(range(26), 2000), True, True),  # letters
        (drawn(range(500), 100_000), False, True),
        (np.array(["a", "b"] * 5), True, False),
        (np.array([0.5, 1, 2] * 9), False, False),
        (np.array([1.0, 2, 3] * 40), True, False),
    ],
)
def test_the_values_say_what_kind_of_target_it_is(y, classes, doubt):
    target = targets.decide("t", y, "auto")
    assert (target.classes is not None) == classes
    assert ("--task" in target.words) == doubt
    other = "regression" if classes else "classification"
    if y.dtype.kind == "i":
        assert (targets.decide("t", y, other).classes is None) == classes


@pytest.mark.parametrize(
    ("y", "task", "words"),
    [
        (np.array(["class_0", "b"]), "regression", "text such as 'class_0' cannot"),
        (np.array([1.5, 2.5]), "classification", "got 1.5; leave --task out"),
        (np.array([3, 3]), "classification", "every sample is of class 3"),
        (np.array([3.5, 3.5]), "auto", "3.5 in every row"),
        (np.array([f"name {k}" for k in range(50)]), "auto", "50 different texts in 50 rows"),
    ],
)
def test_targets_that_cannot_be_learnt(y, task, words):
    with pytest.raises(DataFileError, match=words):
        targets.decide("t", y, task)


def test_a_score_no_better_than_a_guess_is_a_warning(run, capsys):
    frame = table()
    frame["kind"] = np.random.default_rng(0).permutation(np.where(np.arange(ROWS) < 100, "usual", "rare"))
    frame.to_csv("t.csv", index=False)
    said = run("train", "t.csv", "--no-plot", "--epochs", "1")
    assert "always answering 'usual' is right as often" in said["warnings"][0]
    cli.main(["train", "t.csv", "--no-plot", "--epochs", "1"])
    assert "\nwarning      always answering 'usual'" in capsys.readouterr().out


def test_scores():
    truth, training = np.array([0, 1, 1, 1]), np.array([1, 1, 0])
    better = scores.of_labels(truth, truth, training, ["a", "b"])
    assert (better.scores, better.warning) == ({"accuracy": 1.0, "guess": 0.75}, "")
    assert "--epochs" in scores.of_labels(np.ones(4, int), truth, training, ["a", "b"]).warning
    y = np.array([[1.0], [3.0]])
    assert scores.of_numbers(y + 1, y).scores == {"rmse": 1.0, "r2": 0.0}
    assert "the mean is as good" in scores.of_numbers(y + 1, y).warning
    assert scores.of_numbers(y, y).warning == ""


def test_confusion():
    truth, answers = np.array([0, 0, 1, 2, 2, 2]), np.array([0, 1, 1, 2, 0, 0])
    counts = confusion.count(truth, answers, 3)
    np.testing.assert_array_equal(counts, [[1, 1, 0], [0, 1, 0], [2, 0, 1]])
    head, *rows = confusion.describe(counts, ["a", "bb", "a very long name"])
    assert head.startswith("truth          | a  bb  a very long n…")
    assert [row.split() for row in rows][1] == ["bb", "|", ".", "1", "."]
    many = confusion.describe(np.pad(counts, (0, 9)), list("abcdefghijkl"))
    assert many[1:] == ["c taken for a: 2 of 3", "a taken for b: 1 of 2"]
    assert confusion.describe(np.eye(3, dtype=int), list("abc")) == ["every test sample is right"]


# The picture


def test_the_picture_is_beside_the_model(run, tmp_path):
    assert run("train", "--epochs", "1")["picture"] == "digits.png"
    assert (tmp_path / "digits.png").read_bytes().startswith(b"\x89PNG")
    assert run("train", "--epochs", "1")["picture"] == "digits.png"  # its own it may replace
    assert run("train", "--epochs", "1", "--no-plot", "--output", "b.safetensors")["picture"] is None
    assert not (tmp_path / "b.png").exists()


def test_a_picture_of_another_is_not_overwritten(run, capsys, tmp_path):
    (tmp_path / "digits.png").write_bytes(b"\x89PNG mine")
    assert cli.main(["train", "--epochs", "1"]) == 0
    assert "name another with --plot" in capsys.readouterr().out
    assert (tmp_path / "digits.png").read_bytes() == b"\x89PNG mine"


def test_without_matplotlib_there_is_none(capsys, monkeypatch):
    monkeypatch.setattr("fastbp.cli.picture.find_spec", lambda name: None)
    assert cli.main(["train", "--epochs", "1"]) == 0
    assert "pip install 'fastbp[plot]'" in capsys.readouterr().out


def test_images_show_the_worst_mistakes(run, monkeypatch):
    shown = []
    monkeypatch.setattr("fastbp.cli.picture.plot_training", lambda *args, **names: shown.append(args) or Figure())
    run("train", "--epochs", "1", "--sizes", "4")
    table().to_csv("t.csv", index=False)
    run("train", "t.csv", "--epochs", "1")
    (_, counts, classes, mistakes), (*_, none) = shown
    assert counts.sum() == 355
    assert classes == [str(k) for k in range(10)]
    assert mistakes[0].image.shape == (8, 8)
    assert mistakes[0].truth != mistakes[0].answer
    chances = [mistake.probability for mistake in mistakes]
    assert chances == sorted(chances)
    assert none is None


class Figure:
    def savefig(self, file, **options):
        file.write(b"picture")


# The model file


def test_columns_are_kept_by_copies_and_refused_if_damaged(trained, run, tmp_path):
    import copy

    net = fastbp.load("t.safetensors")
    assert copy.deepcopy(net).columns == net.to_reference().columns == net.columns
    content = (tmp_path / "t.safetensors").read_bytes()
    damaged = {b'\\"red\\"': b'\\"rad\\"', b'\\"kind\\": \\"number\\"': b'\\"kind\\": \\"nomber\\"'}
    for old, new in damaged.items():
        assert old in content
        (tmp_path / "d.safetensors").write_bytes(content.replace(old, new))
        broken = b"nomber" in new
        said = run("predict", "d.safetensors", "t.csv", code=int(broken))
        assert ("choose from number, category" in said["error"]) if broken else ("'red' in" in said["notes"][0])
    net.columns = type(net.columns)(net.columns.columns[1:])
    net.save("d.safetensors")
    error = run("predict", "d.safetensors", "t.csv", code=1)["error"]
    assert "its columns make 4 inputs, the network takes 5" in error


def test_one_mistake_among_targets_is_named(run):
    """It would make classes of all quantities."""
    frame = table().assign(kind=np.round(np.random.default_rng(0).normal(50, 9, ROWS)).astype(int).astype(object))
    frame.loc[7, "kind"] = "n.a."
    frame.to_csv("t.csv", index=False)
    said = run("train", "t.csv", "--no-plot", code=1)
    assert "t.csv line 9, column 'kind': 'n.a.' is not a number, as the other targets are" in said["error"]


def test_classes_with_leading_zeros_keep_them(run):
    frame = table()
    frame.assign(kind=np.where(frame.kind == "fruit", "007", "010")).to_csv("t.csv", index=False)
    assert run("train", "t.csv", "--no-plot")["classes"] == ["007", "010"]
    assert set(run("predict", "t.safetensors", "t.csv")["predictions"]) == {"007", "010"}


def test_what_counts_as_missing_is_said(run):
    frame = table()
    frame.assign(kind=frame.kind.where(frame["size"] < 75, "NA")).to_csv("t.csv", index=False)
    (note,) = [note for note in run("train", "t.csv", "--no-plot")["notes"] if "left out" in note]
    assert "without a value of 'kind' left out (empty, or one of NA, N/A" in note


def test_a_number_far_from_all_others_is_noted(run):
    frame = table()
    frame.loc[3, "weight"] = 1e9
    frame.to_csv("t.csv", index=False)
    notes = run("train", "t.csv", "--no-plot")["notes"]
    assert any("t.csv line 5, column 'weight': 1e+09 is far from all others" in note for note in notes)


def test_texts_of_many_kinds_are_noted(run):
    frame = table().assign(share=[f"{row % 30}%" for row in range(ROWS)])
    frame[["share", "size", "color", "kind"]].to_csv("t.csv", index=False)
    notes = run("train", "t.csv", "--no-plot")["notes"]
    assert any("column 'share' is text of 30 kinds, an input for each; --drop 'share'" in note for note in notes)
    assert not any("'color'" in note for note in notes)
