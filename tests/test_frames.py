"""Data frames of pandas and polars, in Python: columns by name, categories, targets as a series."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from numpy.testing import assert_array_equal

RNG = np.random.default_rng(3)
N = 90
AGE, OLD = RNG.normal(size=N), RNG.random(N) < 0.5
COLOR = RNG.choice(["blue", "green", "red"], N)
KIND = np.where(AGE + OLD > 0.5, "yes", "no")
X = np.column_stack([AGE, OLD, *(name == COLOR for name in ("blue", "green", "red"))]).astype(float)

FRAMES = {
    "pandas": lambda: pd.DataFrame({"age": AGE, "old": OLD, "color": pd.Categorical(COLOR)}),
    "polars": lambda: pl.DataFrame({"age": AGE, "old": OLD, "color": pl.Series(COLOR, dtype=pl.Categorical)}),
}
SERIES = {"pandas": pd.Series, "polars": pl.Series}


@pytest.fixture(params=FRAMES)
def kind(request):
    return request.param


def make(engine, n_in=5, n_out=2, **options):
    return engine([n_in, 20, n_out], **{"activation": "relu", "cost": "cross_entropy", "seed": 0, **options})


def test_a_frame_is_what_its_numbers_are(engine, kind):
    net, plain = make(engine), make(engine)
    frame, y = FRAMES[kind](), SERIES[kind](KIND)
    history = net.fit(frame, y, validation_data=(frame, y))
    expected = plain.fit(X, KIND, validation_data=(X, KIND))
    assert history.validation_cost == expected.validation_cost
    assert history.validation_accuracy[-1] > 0.9
    assert_array_equal(net.predict(frame), plain.predict(X))
    assert_array_equal(net.predict_labels(frame), plain.predict_labels(X))
    assert_array_equal(net.forward(frame).zs[0], plain.forward(X).zs[0])
    assert net.evaluate(frame, y) == plain.evaluate(X, KIND)
    assert net.columns.names == ["age", "old", "color"]


def test_columns_are_found_by_name_in_another_process_too(engine, kind, tmp_path):
    net = make(engine)
    frame = FRAMES[kind]()
    net.fit(frame, KIND, 1)
    net.save(tmp_path / "net")
    again = type(net).load(tmp_path / "net")
    for other in (again, again.to_reference(), again.to_fast()):
        assert_array_equal(other.predict(frame[["color", "age", "old"]]), other.predict(X))
        with pytest.raises(ValueError, match="the table has no column 'age', which the network was trained on"):
            other.predict(frame[["color", "old"]])


def test_what_is_ignored_or_unknown_is_said_at_the_callers_line(engine):
    net = make(engine)
    net.fit(FRAMES["pandas"](), KIND, 1)
    frame = FRAMES["pandas"]().assign(more=1.0, color="pink")
    with pytest.warns(UserWarning, match="ignored|categories") as caught:
        outputs = net.predict(frame)
    said = " ".join(str(warning.message) for warning in caught)
    assert "column 'more' ignored" in said
    assert "'pink' in 90 rows: none of the 3 categories that are known" in said
    assert {warning.filename for warning in caught} == {__file__}
    assert_array_equal(outputs, net.predict(X * [1, 1, 0, 0, 0]))


@pytest.mark.parametrize(
    ("column", "values", "message"),
    [
        ("when", pd.Timestamp("2026-01-01"), "column 'when' holds dates"),
        ("name", "a", "column 'name' holds text: drop it, or make it categories"),
        ("gap", [np.nan] + [1.0] * (N - 1), "column 'gap' is missing in row 0; fill it"),
        ("far", [1.0, np.inf] + [1.0] * (N - 2), "column 'far' is inf in row 1"),
        ("long", 1.0, r"make 6 inputs \(age, old, color: 3, long\), the network takes 5; make it Net"),
    ],
)
def test_frames_that_are_refused_name_the_column(engine, column, values, message):
    net = make(engine)
    with pytest.raises(ValueError, match=message):
        net.fit(FRAMES["pandas"]().assign(**{column: values}), KIND)
    assert net.columns is None
    assert net.classes is None


def test_a_network_trained_without_names_takes_columns_in_order_and_says_so(engine, kind):
    net = make(engine, n_in=2)
    net.fit(X[:, :2], KIND, 1)
    frame = FRAMES[kind]()
    with pytest.warns(UserWarning, match=r"trained without names: the columns are taken in the order old, age"):
        assert_array_equal(net.predict(frame[["old", "age"]]), net.predict(X[:, [1, 0]]))
    with pytest.raises(ValueError, match="so it knows no categories"):
        make(engine).predict(frame)


def test_a_row_out_of_its_frame_is_refused(engine):
    net = make(engine)
    frame = FRAMES["pandas"]()
    net.fit(frame, KIND, 1)
    with pytest.raises(TypeError, match=r"keep it one: frame.iloc\[\[i\]\]"):
        net.predict(frame.iloc[3])
    assert_array_equal(net.predict(frame.iloc[[3]]), net.predict(X[3:4]))


def test_numbers_that_pandas_keeps_as_objects_are_numbers(engine):
    net, plain = make(engine), make(engine)
    frame = FRAMES["pandas"]().astype({"age": object, "old": object})
    assert net.fit(frame, KIND, 1).cost == plain.fit(X, KIND, 1).cost


TARGETS = {
    "series": lambda y: pd.Series(y),
    "categorical": lambda y: pd.Series(pd.Categorical(y)),
    "string dtype": lambda y: pd.Series(y, dtype="string"),
    "frame of one column": lambda y: pd.DataFrame({"y": y}),
    "other index": lambda y: pd.Series(y, index=range(N, 0, -1)),
    "polars": lambda y: pl.Series(y),
    "polars categorical": lambda y: pl.Series(y, dtype=pl.Categorical),
    "polars frame": lambda y: pl.DataFrame({"y": y}),
}


@pytest.mark.parametrize("given", TARGETS.values(), ids=TARGETS)
def test_labels_in_a_series(engine, given):
    net, plain = make(engine), make(engine)
    assert net.fit(X, given(KIND), 2).cost == plain.fit(X, KIND, 2).cost
    assert_array_equal(net.classes, ["no", "yes"])


@pytest.mark.parametrize("dtype", ["int64", "Int64", "float32", "bool", "boolean", "category"])
def test_numbers_and_bools_in_a_series(engine, dtype):
    net, plain = make(engine), make(engine)
    y = (KIND == "yes").astype(int)
    assert net.fit(X, pd.Series(y).astype(dtype), 2).cost == plain.fit(X, y, 2).cost


def test_integers_in_a_frame_of_one_column(engine):
    y = (KIND == "yes").astype(int)
    net, plain = make(engine), make(engine)
    assert net.fit(X, pd.DataFrame({"y": y}), 2).cost == plain.fit(X, y, 2).cost


def test_a_series_in_another_order_than_its_frame_is_doubted(engine):
    frame, y = FRAMES["pandas"](), pd.Series(KIND)
    net = make(engine)
    net.fit(frame, y, 1)
    with pytest.warns(UserWarning, match="x and y have different indexes; their rows are taken in order"):
        net.fit(frame, y.sample(frac=1, random_state=0), 1)


def test_a_label_that_is_missing_is_named(engine):
    for y in (pd.Series(["no", None] * 45), pd.Series([0, None] * 45, dtype="Int64"), pd.Series([True, None] * 45)):
        with pytest.raises((ValueError, TypeError), match=r"y\[1\] is (nan|None|<NA>)"):
            make(engine).fit(X, y)


def test_quantities_in_a_frame(engine):
    y = np.column_stack([AGE, AGE * OLD])
    net, plain = (make(engine, cost="quadratic") for _ in range(2))
    assert net.fit(X, pd.DataFrame(y), 2).cost == plain.fit(X, y, 2).cost


def test_a_network_of_plain_arrays_takes_them_still(engine):
    net = make(engine)
    net.fit(FRAMES["pandas"](), KIND, 1)
    assert net.predict(X).shape == (N, 2)


def test_history_has_the_error_in_units_of_the_target(engine):
    net = make(engine, n_out=1, cost="quadratic", l2=0.1)
    history = net.fit(X, AGE * 3, 3, validation_data=(X, AGE * 3))
    error = np.sqrt(np.mean((net.predict(X)[:, 0] - AGE * 3) ** 2))
    assert history.validation_rmse[-1] == pytest.approx(error, rel=1e-5)
    assert len(history.rmse) == 3
    assert make(engine).fit(X, KIND, 2).rmse == [None, None]
    assert make(engine, cost="quadratic").fit(X, X[:, :2], 2).rmse == [None, None]  # two quantities may have two units


def test_fastbp_imports_neither(engine):
    import subprocess
    import sys

    code = "import fastbp, sys; print({'pandas', 'polars'} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() == "set()"
