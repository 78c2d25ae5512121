"""Tables as they are found: headers, delimiters, mistakes; and the scaling of their columns."""

import numpy as np
import pytest

from fastbp import DataFileError, Network, ReferenceNetwork
from fastbp.cli.scaling import choose, fold_into_inputs, fold_into_outputs, standard
from fastbp.cli.tables import read_csv


@pytest.mark.parametrize(
    ("text", "target", "x", "y"),
    [
        ("1,2,a\n3,4,b\n", None, [[1, 2], [3, 4]], ["a", "b"]),
        ("p,q,r\n1,2,a\n3,4,b\n", None, [[1, 2], [3, 4]], ["a", "b"]),
        ("p,q,r\n1,2,5\n3,4,6\n", "p", [[2, 5], [4, 6]], ["1", "3"]),
        ("p,q,r\n1,2,5\n3,4,6\n", "1", [[1, 5], [3, 6]], ["2", "4"]),
        ("p,q,r\n1,2,5\n3,4,6\n", "-3", [[2, 5], [4, 6]], ["1", "3"]),
        ("0,1,goal\n1,2,5\n3,4,6\n", None, [[1, 2], [3, 4]], ["5", "6"]),  # numbers as names
        ("name,goal\n1,yes\n3,no\n", "goal", [[1], [3]], ["yes", "no"]),
        ("1;2;a\n3;4;b\n", None, [[1, 2], [3, 4]], ["a", "b"]),
        ("1\t2\ta\n3\t4\tb\n", None, [[1, 2], [3, 4]], ["a", "b"]),
        ("\ufeffp,q\r\n1,2\r\n\r\n3,4\r\n", None, [[1], [3]], ["2", "4"]),
        ('1, 2," a, b "\n', None, [[1, 2]], ["a, b"]),
    ],
)
def test_tables_are_understood(tmp_path, text, target, x, y):
    path = tmp_path / "t.csv"
    path.write_text(text, encoding="utf-8", newline="")
    table = read_csv(path, target)
    np.testing.assert_array_equal(table.x, x)
    assert table.target == y


@pytest.mark.parametrize(("n_in", "width", "y"), [(3, 3, []), (2, 2, ["3", "6"])])
def test_a_table_of_features_alone_has_no_target(tmp_path, n_in, width, y):
    path = tmp_path / "t.csv"
    path.write_text("1,2,3\n4,5,6\n")
    table = read_csv(path, n_in=n_in)
    assert table.x.shape == (2, width)
    assert table.target == y


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty"),
        (b"p,q\n", "no features"),
        (b"1,2\n3\n", "line 2: 1 columns, the first line has 2"),
        (b"p,q,y\n1,,3\n", "line 2, column 'q': '' is not a number"),
        (b"p,q,y\n1,nan,3\n", "'nan' is not a number"),
        (b"p,q,y\n1,2,\n", "the target is empty"),
        (b"1,?,3,0\n4,5,6,1\n", r"line 1, column 1: '\?' is not a number"),
        (b"1\n2\n", "no features"),
        (b"\xff\xfe\x00", "not a table"),
        (b"a" * 200_000 + b",1\n", "not a table"),
    ],
)
def test_mistakes_are_named_with_their_line(tmp_path, content, words):
    path = tmp_path / "t.csv"
    path.write_bytes(content)
    with pytest.raises(DataFileError, match=words):
        read_csv(path)


def test_when_features_are_scaled():
    small, large = np.array([[-1.0], [0.5]]), np.array([[3.0], [5.0]])
    assert choose(small, "auto") is None
    assert choose(large, "none") is None
    np.testing.assert_allclose(choose(large, "auto")(large), [[-1], [1]])
    np.testing.assert_allclose(choose(small, "standard")(small), [[-1], [1]])
    pixels = np.array([[0, 255]], np.uint8)
    np.testing.assert_array_equal(choose(pixels, "auto")(pixels), np.float32([[0, 1]]))
    np.testing.assert_array_equal(standard(np.ones((3, 1)))(np.ones((3, 1))), np.zeros((3, 1)))


@pytest.mark.parametrize("engine", [Network, ReferenceNetwork])
def test_folded_scaling_changes_no_prediction(engine):
    rng = np.random.default_rng(0)
    x, y = rng.normal(100, [1, 20, 3], (50, 3)), rng.normal(7, [1, 100], (50, 2))
    net = engine([3, 5, 2], activation="tanh", output="identity", dtype="float64", seed=0)
    scale_x, scale_y = standard(x), standard(y)
    expected = net.predict(scale_x(x)) * scale_y.scale + scale_y.shift
    fold_into_inputs(net, scale_x)
    fold_into_outputs(net, scale_y)
    np.testing.assert_allclose(net.predict(x), expected, rtol=1e-12)
