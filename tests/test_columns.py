"""Columns with names: learnt from a data frame, matched by name, kept as JSON."""

import json

import numpy as np
import pandas as pd
import polars as pl
import pytest

from fastbp.border.columns import Column, Columns, is_frame

LEARNT = Columns((Column("age", "number"), Column("ok", "number"), Column("color", "category", ("blue", "red"))))
PANDAS = pd.DataFrame({"age": [30, 40], "ok": [True, False], "color": pd.Categorical(["red", "blue"])})
POLARS = pl.DataFrame({"age": [30, 40], "ok": [True, False], "color": pl.Series(["red", "blue"], dtype=pl.Categorical)})
frames = pytest.mark.parametrize("frame", [PANDAS, POLARS], ids=["pandas", "polars"])


@frames
def test_what_is_learnt_of_a_frame(frame):
    assert is_frame(frame)
    columns = Columns.learn(frame)
    assert columns == LEARNT
    assert columns.names == ["age", "ok", "color"]
    assert columns.width == 4
    encoded = columns.encode(frame)
    np.testing.assert_array_equal(encoded.x, [[30, 1, 0, 1], [40, 0, 1, 0]])
    assert encoded.x.dtype == np.float64
    assert encoded.notes == []


@pytest.mark.parametrize("value", [np.zeros((2, 2)), [[1]], {"a": [1]}, pd.Series([1]), pl.Series([1]), None])
def test_what_is_no_frame(value):
    assert not is_frame(value)


@frames
def test_columns_are_found_by_name(frame):
    other = frame[["color", "ok", "age"]].copy() if frame is PANDAS else frame[["color", "ok", "age"]]
    np.testing.assert_array_equal(LEARNT.encode(other).x, LEARNT.encode(frame).x)
    with pytest.raises(ValueError, match="no columns 'age', 'ok', which the network was trained on; it has color"):
        LEARNT.encode(frame[["color"]])


def test_what_is_unknown_is_zeros_and_noted():
    frame = PANDAS.assign(extra=1, color=["green", None])
    encoded = LEARNT.encode(frame)
    np.testing.assert_array_equal(encoded.x[:, 2:], np.zeros((2, 2)))
    extra, unknown, missing = encoded.notes
    assert "'extra' ignored" in extra
    assert "column 'color': 'green' in 1 row: none of the 2 categories" in unknown
    assert "column 'color': missing in 1 row, all its inputs are 0" in missing


@pytest.mark.parametrize(
    ("series", "words"),
    [
        (pd.Series(["red"]), r"'a' holds text.*frame.astype\(\{\"a\": \"category\"\}\)"),
        (pl.Series(["red"]), r"'a' holds text.*frame.cast\(\{\"a\": pl.Categorical\}\)"),
        (pd.Series([1, "x"]), "'a' holds text"),
        (pd.to_datetime(pd.Series(["2020-01-31"])), "'a' holds dates"),
        (pl.Series([1]).cast(pl.Date), "'a' holds dates"),
        (pd.Series([1j]), "dtype complex128"),
        (pl.Series([[1]]), "dtype List"),
        (pd.Series([1, np.nan]), "'a' is missing in row 1; fill it"),
        (pd.Series([1, None], dtype="Int64"), "'a' is missing in row 1"),
        (pl.Series([None, 1.5]), "'a' is missing in row 0"),
        (pd.Series(["x", None], dtype="category"), "'a' is missing in row 1; fill it, for example with a category"),
        (pd.Series([1, np.inf]), "'a' is inf in row 1"),
    ],
)
def test_what_is_refused(series, words):
    frame = pd.DataFrame({"a": series}) if isinstance(series, pd.Series) else pl.DataFrame({"a": series})
    with pytest.raises(ValueError, match=words):
        Columns.learn(frame)


def test_two_columns_of_one_name():
    with pytest.raises(ValueError, match="two columns are named '1'"):
        Columns.learn(pd.DataFrame([[1, 2]], columns=["1", 1]))


def test_a_number_that_became_text():
    with pytest.raises(ValueError, match=r"column 'age' is .*, the network was trained on numbers"):
        LEARNT.encode(PANDAS.assign(age=["x", "y"]))


def test_missing_values_are_refused_by_what_was_learnt_without():
    with pytest.raises(ValueError, match="'age' is missing in row 0"):
        LEARNT.encode(PANDAS.assign(age=[None, 1.0]))


@pytest.mark.parametrize("dtype", ["Int64", "float32", "boolean", "Float64"])
def test_dtypes_of_pandas(dtype):
    frame = pd.DataFrame({"a": pd.Series([1, 0], dtype=dtype)})
    np.testing.assert_array_equal(Columns.learn(frame).encode(frame).x, [[1], [0]])


def test_whole_numbers_are_the_same_category_however_they_are_kept():
    learnt = Columns.learn(pd.DataFrame({"a": pd.Categorical([1, 2])}))
    assert learnt.columns[0].categories == ("1", "2")
    np.testing.assert_array_equal(learnt.encode(pd.DataFrame({"a": [2.0, 1.0]})).x, [[0, 1], [1, 0]])


def test_forgiving():
    frame = pl.DataFrame({"age": [1.0, None, 9, 3], "color": ["x", None, "x", "y"]})
    columns = Columns.learn(frame, forgiving=True)
    assert columns.columns == (Column("age", "number", fill=3.0), Column("color", "category", ("x", "y")))
    encoded = columns.encode(frame)
    np.testing.assert_array_equal(encoded.x, [[1, 1, 0], [3, 0, 0], [9, 1, 0], [3, 0, 1]])
    assert "'age': missing in 1 row, taken for the median 3" in encoded.notes[0]


def test_of_many_categories_the_most_frequent_are_learnt():
    words = [f"rare {k}" for k in range(150)] + ["usual"] * 2
    columns = Columns.learn(pl.DataFrame({"a": words}), forgiving=True)
    assert columns.width == 100
    assert "usual" in columns.columns[0].categories
    assert "in 51 rows" in columns.encode(pl.DataFrame({"a": words})).notes[0]


def test_many_gaps_are_one_note():
    frame = pl.DataFrame({f"c{k}": [1.0, 2.0] for k in range(9)})
    gaps = frame.with_columns(pl.lit(None).alias(f"c{k}") for k in range(9)).cast(pl.Float64)
    (note,) = Columns.learn(frame, forgiving=True).encode(gaps).notes
    assert note.startswith("9 columns lack values")
    assert "a number is taken for the median of its column" in note
    assert "category" not in note
    with_words = Columns.learn(frame.with_columns(a=pl.Series(["x", "y"])), forgiving=True)
    (note,) = with_words.encode(gaps.with_columns(a=pl.lit(None, pl.String))).notes
    assert "all inputs of a category are 0" in note


def test_json_and_back():
    columns = Columns((*LEARNT.columns, Column("n", "number", fill=0.5)))
    assert Columns.from_json(json.loads(json.dumps(columns.to_json()))) == columns


GOOD = {"name": "a", "kind": "number", "categories": [], "fill": None}


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (None, "a list that is not empty"),
        ([], "a list that is not empty"),
        ({"columns": []}, "a list that is not empty"),
        ({"columns": [3]}, "must have name, kind"),
        ({"columns": [GOOD | {"more": 1}]}, "must have name, kind"),
        ({"columns": [GOOD, GOOD]}, "two columns are named 'a'"),
        ({"columns": [GOOD | {"name": 3}]}, "column 3 is of kind"),
        ({"columns": [GOOD | {"kind": ["number"]}]}, "choose from number, category"),
        ({"columns": [GOOD | {"categories": "ab"}]}, "list of text"),
        ({"columns": [GOOD | {"categories": [1]}]}, "list of text"),
        ({"columns": [GOOD | {"categories": ["x"]}]}, "is a number with the categories"),
        ({"columns": [GOOD | {"kind": "category"}]}, "is a category with the categories"),
        ({"columns": [GOOD | {"kind": "category", "categories": ["x", "x"]}]}, "is a category with"),
        ({"columns": [GOOD | {"fill": float("nan")}]}, "finite number or null"),
        ({"columns": [GOOD | {"fill": True}]}, "finite number or null"),
        ({"columns": [GOOD | {"fill": 10**400}]}, "finite number or null"),
        ({"columns": [GOOD | {"kind": "category", "categories": ["x"], "fill": 1.0}]}, "finite number or null"),
    ],
)
def test_a_damaged_file(value, words):
    with pytest.raises(ValueError, match=words):
        Columns.from_json(value)
