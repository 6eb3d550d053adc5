"""Reading CSV files: values to the bit, labels, and every error with its message."""

import csv
import io
import os
import re
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.preprocessing import LabelEncoder

import fastmlp
from fastmlp.data import DataError, Table, read_csv
from fastmlp.reading import csv_lines


@pytest.fixture
def write(tmp_path):
    def write(content, name="points.csv"):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


def read_text(tmp_path_factory, text, *arguments, **options):
    path = tmp_path_factory.mktemp("csv") / "points.csv"
    path.write_bytes(text.encode())
    return read_csv(path, *arguments, **options)


def test_table(write):
    table = read_csv(write("X1,X2,color\n1,2.5,c2\n-3e-1,4,c1\n"), "color")
    assert isinstance(table, Table)
    np.testing.assert_array_equal(table.X, [[1, 2.5], [-0.3, 4]])
    np.testing.assert_array_equal(table.y, [1, 0])
    assert (table.X.dtype, table.y.dtype) == (np.float64, np.int64)
    assert table.X.flags.c_contiguous
    assert table.X.flags.writeable
    assert table.feature_names == ("X1", "X2")
    assert table.class_names == ("c1", "c2")


PLAIN = "X1,X2,color\n1,2,a\n3,4,b\n"


@pytest.mark.parametrize(
    "text",
    [
        PLAIN,
        PLAIN.rstrip("\n"),
        PLAIN.replace("\n", "\r\n"),
        PLAIN.replace("\n", "\r"),
        "\N{BYTE ORDER MARK}" + PLAIN,
        "\N{BYTE ORDER MARK}" + PLAIN.replace("X1,X2", '"X1","X2"').replace("\n", "\r\n"),
        '"X1","X2","color"\n"1","2","a"\n"3","4","b"\n',
        "X1, X2 , color\n 1, 2 , a\n3 ,4, b \n",
        'X1, "X2",color\n1, "2", "a"\n3,4," b "\n',
        "\n  \nX1,X2,color\n\n1,2,a\n   \n3,4,b\n\n",
        "X1,X2,color\n+1.0,2e0,a\n3.,0004,b\n",
    ],
)
def test_ways_to_write_the_same_table(write, text):
    table = read_csv(write(text), "color")
    np.testing.assert_array_equal(table.X, [[1, 2], [3, 4]])
    np.testing.assert_array_equal(table.y, [0, 1])
    assert table.feature_names == ("X1", "X2")
    assert table.class_names == ("a", "b")


def test_names_and_labels_may_hold_anything_quoted(write):
    text = '"length, mm","say ""x""",größe\n1,2,"a,b"\n3,4,"two\nlines"\n5,6,naïve\n'
    table = read_csv(write(text), "größe")
    assert table.feature_names == ("length, mm", 'say "x"')
    assert table.class_names == ("a,b", "naïve", "two\nlines")
    np.testing.assert_array_equal(table.y, [0, 2, 1])


finite = st.floats(allow_nan=False, allow_infinity=False)
# The bar keeps them from being marks of missing values.
words = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"])).map("{}|".format)


@given(
    values=st.lists(st.tuples(finite, finite), min_size=2, max_size=20),
    labels=st.lists(words, min_size=2, max_size=4, unique=True),
    newline=st.sampled_from(["\n", "\r\n"]),
)
@settings(max_examples=80, deadline=None)
def test_round_trip_to_the_bit(tmp_path_factory, values, labels, newline):
    rows = [(*row, labels[i % len(labels)]) for i, row in enumerate(values)]
    text = io.StringIO()
    csv.writer(text, lineterminator=newline).writerows([("a", "b", "label"), *rows])
    names = labels[: len(rows)]
    table = read_text(tmp_path_factory, text.getvalue(), "label", class_names=names)
    np.testing.assert_array_equal(table.X.view(np.int64), np.array(values).view(np.int64))
    assert [table.class_names[code] for code in table.y] == [row[-1] for row in rows]


@pytest.mark.parametrize(
    "labels",
    [
        np.array([10, 9, -1, 10, 100]),
        np.array([0.5, 10.25, 9.0, -2.5]),
        np.array([True, False, True]),
        np.array(["b", "a", "B", "10", "9"]),
        np.array(["é", "e", "f"]),
    ],
    ids=["integer", "float", "bool", "text and digits", "accents"],
)
def test_labels_are_coded_as_scikit_learn_codes_the_values(write, labels):
    text = "x,label\n" + "".join(f"0,{label}\n" for label in labels)
    table = read_csv(write(text), "label")
    encoder = LabelEncoder()
    np.testing.assert_array_equal(table.y, encoder.fit_transform(labels))
    assert table.class_names == tuple(map(str, encoder.classes_))


def test_labels_keep_their_spelling(write):
    table = read_csv(write("x,label\n1,02\n2,001\n3,1e1\n"), "label")
    assert table.class_names == ("001", "02", "1e1")


def test_matching_a_trained_model(write):
    path = write("note,X2,id,color,X1\nhi,2,,b,1\n,4,9,b,3\n")
    table = read_csv(path, "color", class_names=["c", "b", "a"], feature_names=["X1", "X2"])
    np.testing.assert_array_equal(table.X, [[1, 2], [3, 4]])
    np.testing.assert_array_equal(table.y, [1, 1])
    assert table.feature_names == ("X1", "X2")
    assert table.class_names == ("c", "b", "a")


def test_without_a_target(write):
    path = write("X1,X2\n1,2\n3,4\n")
    table = read_csv(path, None)
    np.testing.assert_array_equal(table.X, [[1, 2], [3, 4]])
    assert (table.y, table.class_names) == (None, ())
    one = read_csv(path, None, feature_names=("X2",))
    np.testing.assert_array_equal(one.X, [[2], [4]])


def test_one_row_without_a_target(write):
    np.testing.assert_array_equal(read_csv(write("x\n7\n"), None).X, [[7]])


def test_integers_beyond_64_bits_and_truth_values(write):
    path = write(f"a,b\n{10**30},True\n{-(2**63)},FALSE\n{2**64 - 1},true\n")
    np.testing.assert_array_equal(
        read_csv(path, None).X, [[1e30, 1], [-(2.0**63), 0], [2.0**64, 1]]
    )


@pytest.fixture(scope="module")
def large():
    """Enough rows for pandas to read them in many pieces."""
    rng = np.random.default_rng(0)
    X, codes = rng.normal(size=(100_000, 3)), rng.integers(0, 4, 100_000)
    lines = [f"{a!r},{b!r},{c!r},k{k}" for (a, b, c), k in zip(X.tolist(), codes, strict=True)]
    return X, codes, ["a,b,c,k", *lines]


def test_large_file(write, large):
    X, codes, lines = large
    table = read_csv(write("\n".join(lines)), "k")
    np.testing.assert_array_equal(table.X, X)
    np.testing.assert_array_equal(table.y, codes)


def test_text_late_in_a_large_file(write, large):
    lines = list(large[-1])
    lines[-1] = "0,1,two,k0"
    path = write("\n".join(lines))
    message = f"{path}, line 100001: feature 'c' is 'two', expected a finite number"
    with pytest.raises(DataError, match=f"^{re.escape(message)}$"):
        read_csv(path, "k")
    assert read_csv(path, "k", feature_names=["a", "b"]).X.shape == (100_000, 2)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="named pipes are POSIX")
def test_a_pipe_is_read_once(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_text, args=(PLAIN,))
    writer.start()
    table = read_csv(pipe, "color")
    writer.join()
    np.testing.assert_array_equal(table.y, [0, 1])


def test_missing_file(tmp_path):
    path = tmp_path / "absent.csv"
    with pytest.raises(FileNotFoundError, match=re.escape(str(path))):
        read_csv(path, "color")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", " is empty, expected a header line with the column names"),
        ("\n\n", " is empty, expected a header line with the column names"),
        ("a,b\n1,2\n", " has no column 'color'; its columns are 'a', 'b'"),
        ("a,color,a\n1,x,2\n", " has 2 columns named 'a'"),
        ("a,color,color\n1,x,y\n", " has 2 columns named 'color'"),
        (",a,color\n0,1,x\n", " has no name for column 1"),
        ("color\nx\ny\n", " has no feature columns"),
        ("a,color\n", " has no rows below its header"),
        (
            "a,color\n1,x\n2,x\n",
            " has only one class in column 'color', 'x'; expected at least two",
        ),
        (
            "a,color\n1,x\n\n2,y\nabc,y\n",
            ", line 5: feature 'a' is 'abc', expected a finite number",
        ),
        (
            'a,color\n1,"two\nlines"\n , x\n1 2,y\n',
            ", line 5: feature 'a' is '1 2', expected a finite number",
        ),
        (
            "a,color\n1,x\n2,y\n-inf,x\n",
            ", line 4: feature 'a' is '-inf', expected a finite number",
        ),
        ("a,color\n1,x\n1e999,y\n", ", line 3: feature 'a' is '1e999', expected a finite number"),
        ("a,color\nTrue,x\n2,y\n", ", line 2: feature 'a' is 'True', expected a finite number"),
        ("a,color\n1,x\n,y\n3,x\n", " has 1 missing value in column 'a', first on line 3"),
        (
            "a,b,color\n1,0,x\n\nNA,0,y\nnan,0,x\n NULL,0,y\nNone,0,x\nn/a,0,y\n",
            " has 5 missing values in column 'a', first on line 4",
        ),
        ("a,color\n1,\n2,x\n3, \n", " has 2 missing values in column 'color', first on line 2"),
        ("a,color\n1,x\n2\n", ", line 3: expected 2 values as in the header, found 1"),
        (
            "a,color\n1,x\n2,y,z\n",
            ", line 3: expected 2 values as in the header, found 3; "
            "a value that holds a comma must be in quotes",
        ),
        (
            "a,color\n1,1\n2,2\n3,1.0\n",
            " writes one class of column 'color' in two ways, '1' and '1.0'",
        ),
        ('a,color\n1,x\n2,"y\n3,x\n', ", line 3: unexpected end of data"),
        ('a,color\n1,x\n2,y\n3,"  "\n', " has 1 missing value in column 'color', first on line 4"),
        ("a,color,note\n1,x,\n2,y\n", ", line 3: expected 3 values as in the header, found 2"),
        (
            "a,color\n1,x,\n2,y\n",
            ", line 2: expected 2 values as in the header, found 3; "
            "the line ends with delimiters that the header does not have",
        ),
        ("a,b,color\n1,2,x\n3,y\n", ", line 3: expected 3 values as in the header, found 2"),
        ("a,color\n1_0,x\n2,y\n", ", line 2: feature 'a' is '1_0', expected a finite number"),
        (
            "a,b,color\nTrue,1,x\nFALSE,z,y\n",
            ", line 3: feature 'b' is 'z', expected a finite number",
        ),
        (
            f"a,color\n{10**30},x\nTrue,y\n",
            ", line 3: feature 'a' is 'True', expected a finite number",
        ),
    ],
)
def test_bad_files(write, text, message):
    path = write(text)
    with pytest.raises(DataError, match=f"^{re.escape(f'{path}{message}')}$"):
        read_csv(path, "color")


def test_labels_are_text_whatever_pandas_takes_them_for(write):
    names = ["", "None", "NA", "null", "nan", "N/A", "1_2", "12", "inf", "infinity", "-1.#IND"]
    text = "x,label\n" + "".join(f"0,{name}\n" for name in names[1:])
    table = read_csv(write(text), "label")
    assert table.class_names == tuple(sorted(names[1:]))
    assert [table.class_names[code] for code in table.y] == names[1:]


def test_labels_that_are_numbers_are_compared_exactly(write):
    names = ("-1e500", "-1e400", "0", "1.0000000000000000001", "1.0000000000000000002", "1e400")
    text = "x,label\n" + "".join(f"0,{name}\n" for name in reversed(names))
    assert read_csv(write(text), "label").class_names == names
    path = write("x,label\n0,1e400\n0,10e399\n")
    message = f"{path} writes one class of column 'label' in two ways, '10e399' and '1e400'"
    with pytest.raises(DataError, match=f"^{re.escape(message)}$"):
        read_csv(path, "label")


def test_further_marks_of_missing_values(write):
    path = write("x,label\n1,a\n?,b\n-,b\n")
    message = f"{path} has 2 missing values in column 'x', first on line 3"
    with pytest.raises(DataError, match=f"^{re.escape(message)}$"):
        read_csv(path, "label", missing=["?", "-"])
    path = write("x,label\n1,a\n2,NA\n3,b\n")
    assert read_csv(path, "label").class_names == ("NA", "a", "b")
    message = f"{path} has 1 missing value in column 'label', first on line 3"
    with pytest.raises(DataError, match=f"^{re.escape(message)}$"):
        read_csv(path, "label", missing=["NA"])


@pytest.mark.parametrize("delimiter", [";", "\t", "|", " ", ":"])
def test_other_delimiters(write, delimiter):
    path = write(PLAIN.replace(",", delimiter))
    table = read_csv(path, "color", delimiter=delimiter)
    np.testing.assert_array_equal(table.X, [[1, 2], [3, 4]])
    assert table.class_names == ("a", "b")


def test_decimal_commas_to_the_bit(write, rng):
    X = rng.standard_normal((50, 2)) * 10.0 ** rng.integers(-300, 300, (50, 2))
    lines = [f"{a!r};{b!r};k{i % 2}" for i, (a, b) in enumerate(X.tolist())]
    path = write("\n".join(["a;b;k", *lines]).replace(".", ","))
    table = read_csv(path, "k", delimiter=";", decimal=",")
    np.testing.assert_array_equal(table.X, X)


def test_the_number_of_columns_costs_no_square(write, monkeypatch):
    # The test counts comparisons and does not measure time.
    def calls(width):
        names = ",".join(f"x{i}" for i in range(width))
        path = write(f"{names},k\n" + f"{'1,' * width}a\n{'2,' * width}b\n")
        compared = 0

        class Name(str):
            __hash__ = str.__hash__

            def __eq__(self, other):
                nonlocal compared
                compared += 1
                return str.__eq__(self, other)

        header = csv_lines.Lines.header
        with monkeypatch.context() as patch:
            patch.setattr(csv_lines.Lines, "header", lambda self: [*map(Name, header(self))])
            assert read_csv(path, "k").X.shape == (2, width)
        return compared

    assert calls(2000) < 2.5 * calls(1000)


def test_module_names_are_none_of_the_standard_library_s():
    package = Path(fastmlp.__file__).parent
    names = {path.stem for path in package.rglob("*.py*")}
    assert "csv_reader" in names
    assert not names & sys.stdlib_module_names


def test_data_error_is_a_value_error():
    assert issubclass(DataError, ValueError)


def test_unknown_class(write):
    path = write("a,color\n1,x\n2,z\n3,z\n")
    message = f"{path}, line 3: class 'z' in column 'color' is not one of 'x', 'y'"
    with pytest.raises(DataError, match=f"^{re.escape(message)}$"):
        read_csv(path, "color", class_names=["x", "y"])


def test_absent_feature(write):
    path = write("X1,color\n1,x\n")
    message = f"{path} has no column 'X2'; its columns are 'X1', 'color'"
    with pytest.raises(DataError, match=f"^{re.escape(message)}$"):
        read_csv(path, "color", feature_names=["X1", "X2"])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"class_names": ["a", "b", "a"]}, "class_names must be distinct, found 'a' twice"),
        (
            {"feature_names": ["X1", "X1"]},
            "feature_names and target must be distinct, found 'X1' twice",
        ),
        (
            {"feature_names": ["X1", "color"]},
            "feature_names and target must be distinct, found 'color' twice",
        ),
        (
            {"delimiter": ";;"},
            "delimiter must be one character that no number, name or line has, such as ',', ';' "
            r"or '\\t', got ';;'",
        ),
        ({"decimal": "'"}, r"decimal must be '\.' or ',', got \"'\""),
        ({"decimal": ","}, "delimiter and decimal must differ, got ',' for both"),
    ],
)
def test_arguments_are_checked_before_the_file(tmp_path, options, message):
    with pytest.raises(ValueError, match=f"^{message}$"):
        read_csv(tmp_path / "absent.csv", "color", **options)
