"""Tables as they are found: headers, separators, encodings, numbers of other countries, mistakes."""

import gzip
import io
import sys

import pytest

from fastbp import DataFileError
from fastbp.cli import data, kinds, tables
from fastbp.cli.data import target_name


@pytest.fixture
def read(tmp_path):
    """Write a file, read it as a table; return its columns, as numbers where they are."""

    def read(content, name="t.csv"):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        table = tables.read(str(path))
        frame = table.frame.with_columns(kinds._typed(table, name) for name in table.frame.columns)
        return {name: frame[name].to_list() for name in frame.columns}

    return read


@pytest.mark.parametrize(
    ("text", "columns"),
    [
        ("1,2,a\n3,4,b\n", {"column 0": [1, 3], "column 1": [2, 4], "column 2": ["a", "b"]}),
        ("p,q,r\n1,2,a\n3,4,b\n", {"p": [1, 3], "q": [2, 4], "r": ["a", "b"]}),
        ("0,1,goal\n1,2,5\n3,4,6\n", {"0": [1, 3], "1": [2, 4], "goal": [5, 6]}),  # numbers as names
        ("name,goal\n1,yes\n3,no\n", {"name": [1, 3], "goal": ["yes", "no"]}),
        ("color,size\nred,big\nblue,big\n", {"color": ["red", "blue"], "size": ["big", "big"]}),
        ("red,big\nblue,big\nred,small\n", {"column 0": ["red", "blue", "red"], "column 1": ["big", "big", "small"]}),
        ("a;b\n1;x\n", {"a": [1], "b": ["x"]}),
        ("a\tb\n1\tx, y\n", {"a": [1], "b": ["x, y"]}),
        ("a|b\n1|x\n", {"a": [1], "b": ["x"]}),
        ("1.0 2.0\n3.0  4.0\n", {"column 0": [1, 3], "column 1": [2, 4]}),  # numpy.savetxt
        ("sep=;\na;b\n1;2\n", {"a": [1], "b": [2]}),  # Excel
        ("\ufeffp,q\r\n1,2\r\n\r\n3,4\r\n", {"p": [1, 3], "q": [2, 4]}),
        ("p,q\r1,2\r", {"p": [1], "q": [2]}),
        ('p,q\n1, x \n2,"a ""b"", c"\n', {"p": [1, 2], "q": ["x", 'a "b", c']}),
        ("p,q,\n1,2,\n3,4,\n", {"p": [1, 3], "q": [2, 4]}),  # each line ends with a separator
        (",p\n0,1\n1,2\n", {"Unnamed: 0": [0, 1], "p": [1, 2]}),
        ("p,q\nNA,x\n?,NULL\n-,\n,\n1,y\n,\n", {"p": [None, None, None, 1], "q": ["x", None, None, "y"]}),
        ("p,q\ntrue,1e-3\nFALSE,-.5\n", {"p": [1, 0], "q": [0.001, -0.5]}),
    ],
)
def test_tables_are_understood(read, text, columns):
    assert read(text) == columns


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ('p,q\n1,"1,234"\n1,"12,345.5"\n', [1234, 12345.5]),
        ("p;q\n1;1,5\n1;2,25\n", [1.5, 2.25]),
        ("p;q\n1;1.234,5\n1;2\n", [1234.5, 2]),
        ("p;q\n1;1,234\n1;2,345\n", [1.234, 2.345]),  # as spreadsheets write it where a comma is decimal
        ("p;q\n1,5;1.234\n1;2.345\n", [1234, 2345]),  # as p has a decimal comma
        ("p;q\n1,5;0.234\n1;2.345\n", [0.234, 2.345]),  # and yet: no thousands begin with 0
        ("p;q\n1;1.5\n1;2.234\n", [1.5, 2.234]),
        ("p\tq\n1\t1 234\n1\t12\u00a0345,5\n", [1234, 12345.5]),
        ("p\tq\n1\t1'234.5\n1\t2\n", [1234.5, 2]),
    ],
)
def test_numbers_are_read_as_people_write_them(read, text, values):
    assert read(text)["q"] == values


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp1252"])
def test_encodings(read, encoding):
    assert read("größe,art\n1,süß\n2,x\n".encode(encoding)) == {"größe": [1, 2], "art": ["süß", "x"]}


def test_empty_rows_are_noted_if_they_part_others(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("a,b\n1,2\n,\n\n3,4\n,\n")
    table = tables.read(str(path))
    assert table.frame.height == 2
    assert table.lines.tolist() == [2, 5]
    assert table.notes == ["2 rows of empty cells left out"]


def test_a_guessed_encoding_is_noted(tmp_path):
    path = tmp_path / "t.csv"
    path.write_bytes("a,b\n1,süß\n".encode("cp1252"))
    assert "Windows-1252" in tables.read(str(path)).notes[0]
    path.write_bytes("a,b\n1,süß\n".encode())
    assert tables.read(str(path)).notes == []


@pytest.mark.parametrize("name", ["t.TSV", "t.Txt.GZ", "t.parquet"])
def test_kinds_of_files(read, name):
    import polars as pl

    content = b"a\tb\n1\tx\n2\t\n"
    if name.endswith("GZ"):
        content = gzip.compress(content)
    if name.endswith("parquet"):
        file = io.BytesIO()
        pl.DataFrame({"a": [1, 2], "b": pl.Series(["x", None], dtype=pl.Categorical)}).write_parquet(file)
        content = file.getvalue()
    assert read(content, name) == {"a": [1, 2], "b": ["x", None]}


def test_standard_input(monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"a,b\n1,2\n")))
    assert tables.read("-").frame.rows() == [("1", "2")]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "the file is empty"),
        (b"\n\n", "the file is empty"),
        (b",", "every cell of the file is empty"),
        (b"p,%b\n1,2\n" % (b"q" * 1001), "name of a column has 1,001 characters: 'qqq.*; shorten it"),
        (b"p,^q$\n1,2\n", r"takes a name such as '\^q\$' for a pattern; rename the column"),
        (b"p,q\n", r"has a header \(p, q\) and no rows"),
        (b"1,2\n3\n", "line 2: 1 cell between ',', the first line has 2"),
        (b"p,q\n1,2\n\n3,4,5\n", "line 4: 3 cells between ',', the first line has 2"),
        (b'p,q\n1,"a\nb"\n3,4,5\n', "line 4: 3 cells"),
        (b"p,p\n1,2\n", "two columns are named 'p'; rename"),
        (b'p,q\n1,"x\n2,3\n', "quotes"),
        (b'"', "quotes"),
        (b"\xff\xfe\x00", "damaged text in utf-16"),
        (b"a,b\n1,\x002\n" * 9, "zero bytes"),
        (b"PK\x03\x04...", "export the sheet as .csv"),
        (b"\x1f\x8b\x08broken", "damaged .gz"),
        (b"PAR1broken", "damaged .parquet"),
        (b"p,q\n1,2\n1,x\n3,4\n", r"t.csv line 3, column 'q': 'x' is not a number; mend the cell.* --drop 'q'"),
        (b'p,q\n"a\n\nb",1\nc,x\nd,3\n', r"line 5, column 'q': 'x' is not"),
        (b"1,2\n1,inf\n3,4\n", "line 2, column 1: 'inf' is not a number"),
        (b"day,q\n2020-01-31,2\n2020-02-01,3\n", "column 'day' holds dates, such as 2020-01-31.* --drop 'day'"),
        (b"q,day\n1,31.1.2020\n2,1.2.2020\n", "holds dates"),
    ],
)
def test_mistakes_are_named(read, content, words):
    with pytest.raises(DataFileError, match=words):
        read(content)


@pytest.mark.parametrize(("target", "name"), [(None, "c"), ("b", "b"), ("0", "a"), ("-2", "b")])
def test_the_target_has_a_name_or_a_number(tmp_path, target, name):
    path = tmp_path / "t.csv"
    path.write_text("a,b,c\n1,2,3\n")
    table = tables.read(str(path))
    assert target_name(table, target) == name
    with pytest.raises(DataFileError, match="no column 'd'; choose from a, b, c"):
        target_name(table, "d")


def test_tables_need_polars(monkeypatch):
    monkeypatch.setattr(tables, "find_spec", lambda name: None)
    with pytest.raises(ImportError, match=r"pip install 'fastbp\[table\]'"):
        tables.read("t.csv")


def test_a_column_known_only_where_samples_are_held_out_is_dropped(tmp_path):
    path, noted = tmp_path / "t.csv", 0
    for known in range(10):
        rows = [f"{i},{'7' if i == known else ''},{i * i}" for i in range(10)]
        path.write_text("\n".join(["p,q,r", *rows]))
        found = data.load(str(path))
        dropped = [note for note in found.notes if "'q' dropped: empty in every row but those held out" in note]
        assert found.x_train.shape[1] == (1 if dropped else 2), found.notes
        noted += len(dropped)
    assert noted == 2


def test_a_column_may_have_the_name_of_a_pattern(tmp_path):
    """As polars would take it for."""
    path = tmp_path / "t.csv"
    path.write_text("\n".join(["n,m,*,target", *(f"{i},{i % 4},,{i * i % 7}" for i in range(12))]))
    found = data.load(str(path))
    assert found.x_train.shape[1] == 2
    assert any("'*' dropped: empty in every row" in note for note in found.notes)
    path.write_text("\n".join(["n,m,*,target", *(f"{i},{i % 4},{i % 3},{i * i % 7}" for i in range(12))]))
    assert data.load(str(path), data.Choice("*")).x_train.shape[1] == 3


def test_messages_repeat_no_page(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("n,answer\n" + f"1,{'x' * 5000}\n" * 3)
    with pytest.raises(DataFileError, match=r"every sample is of class x{80}; there is nothing to learn"):
        data.load(str(path))


def test_what_unpacks_to_more_than_fits_is_refused_on_the_way(tmp_path, monkeypatch):
    monkeypatch.setattr(tables, "memory_bytes", lambda: 4 * 2**22)
    path = tmp_path / "t.csv.gz"
    for lines, fits in ((2**20 - 1, True), (2**20, False)):
        path.write_bytes(gzip.compress(b"a,b\n" + b"1,2\n" * lines))
        if fits:
            assert tables.read(str(path)).frame.height == lines
        else:
            with pytest.raises(DataFileError, match=r"unpacks to more than 0\.00419 GB, a quarter of the memory here"):
                tables.read(str(path))
