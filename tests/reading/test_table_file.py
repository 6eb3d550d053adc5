"""Tables are read from files of every kind as people have them."""

import bz2
import gzip
import io
import lzma
import re
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from pyarrow import parquet as pq

from fastmlp.reading.csv_hints import DataError
from fastmlp.reading.table_file import Reading, open_table

TEXT = "size,kind,sold\n1.5,flat,2020-01-31\n,house,2020-02-01\n"
FRAME = pd.DataFrame(
    {
        "size": [1.5, np.nan],
        "kind": ["flat", "house"],
        "sold": pd.to_datetime(["2020-01-31", "2020-02-01"], utc=True),
    }
)


@pytest.fixture
def table(tmp_path):
    """Open a file of some content."""

    def call(content, name="table.csv", **reading):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return open_table(path, Reading(**reading))

    return call


def assert_same(frame, expected):
    pd.testing.assert_frame_equal(frame, expected, check_dtype=False)


GERMAN = "size;kind;sold\n1,5;flat;31.01.2020\n;house;1.2.2020\n"
KINDS = {
    "plain": (TEXT.encode(), {}, "CSV, UTF-8, delimiter ',', decimal point"),
    "tabs": (TEXT.replace(",", "\t").encode(), {}, r"CSV, UTF-8, delimiter '\t', decimal point"),
    "bars": (TEXT.replace(",", "|").encode(), {}, "CSV, UTF-8, delimiter '|', decimal point"),
    "named": (
        TEXT.replace(",", "!").encode(),
        {"delimiter": "!"},
        "CSV, UTF-8, delimiter '!', decimal point",
    ),
    "German": (GERMAN.encode(), {}, "CSV, UTF-8, delimiter ';', decimal comma"),
    "German, named": (
        GERMAN.encode(),
        {"decimal": ","},
        "CSV, UTF-8, delimiter ';', decimal comma",
    ),
    "gzip": (gzip.compress(TEXT.encode()), {}, "gzip, CSV, UTF-8, delimiter ',', decimal point"),
    "bz2": (bz2.compress(TEXT.encode()), {}, "bz2, CSV, UTF-8, delimiter ',', decimal point"),
    "xz": (lzma.compress(TEXT.encode()), {}, "lzma, CSV, UTF-8, delimiter ',', decimal point"),
    "UTF-8 with a mark": (
        TEXT.encode("utf-8-sig"),
        {},
        "CSV, UTF-8, delimiter ',', decimal point",
    ),
    "UTF-16": (TEXT.encode("utf-16"), {}, "CSV, utf-16, delimiter ',', decimal point"),
    "UTF-32": (TEXT.encode("utf-32"), {}, "CSV, utf-32, delimiter ',', decimal point"),
    "spaces": (
        b"size, kind ,sold\n 1.5,flat , 2020-01-31\n ,  house, 2020-02-01\n\n",
        {},
        "CSV, UTF-8, delimiter ',', decimal point",
    ),
    "day first": (
        TEXT.replace("2020-01-31", "31/01/2020").replace("2020-02-01", "01/02/2020").encode(),
        {},
        "CSV, UTF-8, delimiter ',', decimal point",
    ),
    "month first": (
        TEXT.replace("2020-01-31", "1/31/2020").replace("2020-02-01", "2/1/2020").encode(),
        {},
        "CSV, UTF-8, delimiter ',', decimal point",
    ),
    "row numbers": (
        b",size,kind,sold\n0,1.5,flat,2020-01-31\n1,,house,2020-02-01\n",
        {},
        "CSV, UTF-8, delimiter ',', decimal point",
    ),
    "delimiters at the end": (
        TEXT.replace("\n", ",\n").encode(),
        {},
        "CSV, UTF-8, delimiter ',', decimal point",
    ),
}


@pytest.mark.parametrize(("content", "reading", "description"), KINDS.values(), ids=KINDS)
def test_what_is_not_named_is_found_out(table, content, reading, description):
    file = table(content, **reading)
    assert_same(file.frame(), FRAME)
    assert file.names == ["size", "kind", "sold"]
    assert file.description == description


@pytest.mark.parametrize("encoding", [None, "cp1252"])
def test_text_of_windows_is_read(table, encoding):
    file = table("größe,preis\n1,5 €\n2,6 €\n".encode("cp1252"), encoding=encoding)
    assert file.frame().to_dict("list") == {"größe": [1, 2], "preis": ["5 €", "6 €"]}
    assert file.description == "CSV, cp1252, delimiter ',', decimal point"


@pytest.mark.parametrize("name", ["table.parquet", "table.pq", "table"])
def test_parquet_is_known_by_its_suffix_or_its_first_bytes(table, name):
    file = io.BytesIO()
    FRAME.to_parquet(file)
    found = table(file.getvalue(), name)
    assert_same(found.frame(), FRAME)
    assert found.texts(["size", "kind"]).to_dict("list") == {
        "size": ["1.5", ""],
        "kind": ["flat", "house"],
    }
    assert found.description == "Parquet"


def test_an_index_of_a_parquet_file_is_a_column_if_it_has_a_name(table):
    for index, names in ((["x", "y"], ["size"]), (pd.Index(["x", "y"], name="id"), ["id", "size"])):
        file = io.BytesIO()
        pd.DataFrame({"size": [1.0, 2.0]}, index=index).to_parquet(file)
        assert table(file.getvalue()).names == names


def test_columns_of_a_parquet_file_may_have_tuples_as_names(table):
    file = io.BytesIO()
    columns = pd.MultiIndex.from_tuples([("a", "x"), ("b", "y")])
    pd.DataFrame([[1.5, "z"]], columns=columns).to_parquet(file)
    found = table(file.getvalue())
    first, second = found.names
    assert (first, second) == ("('a', 'x')", "('b', 'y')")
    assert found.frame().to_dict("list") == {first: [1.5], second: ["z"]}
    assert found.texts([second]).to_dict("list") == {second: ["z"]}


def test_a_parquet_file_with_two_columns_of_one_name_is_refused(table):
    file = io.BytesIO()
    pq.write_table(pa.table([[1], [2]], names=["a", "a"]), file)
    with pytest.raises(
        DataError, match=r"is no readable Parquet file: it has 2 columns named 'a'$"
    ):
        table(file.getvalue())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a;b\n0.5;1,234\n1.25;5,678\n", {"a": [0.5, 1.25], "b": [1234, 5678]}),
        ("a;b\n0.5;1,234\n;5,678\n", {"a": [0.5, None], "b": [1234, 5678]}),
        ("a;b\n1.234;1,234\n5.678;5,678\n", {"a": [1234, 5678], "b": [1.234, 5.678]}),
        ("a;b\n1.234;1,23\n5.678;5,67\n", {"a": [1234, 5678], "b": [1.23, 5.67]}),
        ("a;b\n1;1,234\n2;5,678\n", {"a": [1, 2], "b": [1.234, 5.678]}),
    ],
)
def test_a_point_without_thousands_is_the_decimal_mark_beside_commas_with_them(
    table, text, expected
):
    assert_same(table(text).frame(), pd.DataFrame(expected))


def test_a_dash_is_standard_input(monkeypatch):
    for content in (TEXT.encode(), gzip.compress(TEXT.encode())):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))
        file = open_table(Path("-"), Reading())
        assert_same(file.frame(), FRAME)
        assert file.name == "standard input"
    monkeypatch.setattr(sys, "stdin", None)
    with pytest.raises(DataError, match=r"^standard input is closed$"):
        open_table(Path("-"), Reading())


def test_missing_values_are_empty_or_marked(table):
    file = table("a,b,c\n1,x,NA\n?,-,2\n3,?,\n,null,5\n", missing=("-",))
    frame = file.frame()
    assert frame["a"].tolist()[:3:2] == [1, 3]
    assert frame.isna().to_dict("list") == {
        "a": [False, True, False, True],
        "b": [False, True, True, True],
        "c": [True, False, True, False],
    }
    assert frame["c"].dtype.kind == "f"


THOUSANDS = {
    "comma": 'a,b\n"1,234",x\n999,y\n"12,345,678.5",z\n',
    "point": "a;b\n1.234;x\n999;y\n12.345.678,5;z\n",
}


@pytest.mark.parametrize("text", THOUSANDS.values(), ids=THOUSANDS)
def test_marks_between_thousands_are_read(table, text):
    expected = [1234, 999, 12_345_678.5]
    assert table(text).frame()["a"].tolist() == expected
    assert table(text).frame("a")["a"].tolist() == expected
    assert table(text).frame(as_text=["a"])["a"].str.len().tolist() == [5, 3, 12]


@pytest.mark.parametrize("value", ["1,23", "1,2,3", "12,3456", ",123", "1,234,5"])
def test_other_commas_mark_no_thousands(table, value):
    assert table(f'a,b\n"{value}",x\n1,y\n').frame()["a"].tolist() == [value, "1"]


def test_a_label_may_be_any_text(table):
    file = table("a,risk,n\n1,None,1\n2,NA,NA\n3,high,3\n4,,4\n5,-,5\n", missing=("-",))
    assert file.frame("risk")["risk"].tolist()[:3] == ["None", "NA", "high"]
    assert file.frame("risk")["risk"].isna().tolist() == [False] * 3 + [True] * 2
    assert file.frame("n")["n"].isna().tolist() == [False, True, False, False, False]


def test_columns_are_text_where_that_is_asked_for(table):
    file = table("id,zip,when\n007,01234,2020-01-31\n8,1e5,2020-02-01\n")
    assert file.frame(as_text=["id", "when"]).to_dict("list") == {
        "id": ["007", "8"],
        "zip": [1234.0, 100_000.0],
        "when": ["2020-01-31", "2020-02-01"],
    }
    assert file.texts(["zip", "id"]).to_dict("list") == {
        "zip": ["01234", "1e5"],
        "id": ["007", "8"],
    }


@pytest.mark.parametrize(
    "values",
    [
        ["01/02/2020", "03/04/2020"],  # no date tells which number is the day
        ["2020-01-31", "soon"],
        ["10-14", "15-19"],
        ["1.2.3", "1.3.0"],
        ["31/01/2020", "01/31/2020"],
    ],
    ids=lambda values: values[0],
)
def test_text_that_may_be_no_date_stays_text(table, values):
    rows = "".join(f"{value},1\n" for value in values)
    assert table(f"when,n\n{rows}").frame()["when"].tolist() == values


BAD = {
    "empty": (b"", {}, "table.csv is empty, expected a header line with the column names"),
    "no rows": (b"a,b\n", {}, "table.csv has no rows below its header"),
    "one name": (b"a,a\n1,2\n", {}, "table.csv has 2 columns named 'a'"),
    "long": (b"a,b\n1,2\n1,2,3\n", {}, "table.csv, line 3: expected 2 values as in the header"),
    "short": (b"a,b,c\n1,2,3\n1,2\n", {}, "table.csv, line 3: expected 3 values as in the header"),
    "Parquet": (b"PAR1", {}, "table.csv is no readable Parquet file: "),
    "gzip": (gzip.compress(TEXT.encode())[:-5], {}, "table.csv is a damaged file of gzip: "),
    "xz": (lzma.compress(TEXT.encode())[:-5], {}, "table.csv is a damaged file of lzma: "),
    "zip": (b"PK\3\4", {}, "table.csv is an Excel workbook or another zip archive, expected CSV"),
    "bytes": (b"a,b\n\x81,2\n", {}, "table.csv is not UTF-8 text: "),
    "encoding": (
        "a,b\n1,ü\n".encode("cp1252"),
        {"encoding": "utf-8"},
        "table.csv is not text of the encoding utf-8: ",
    ),
    "marks": (b"a;b\n1;2\n", {"delimiter": ",", "decimal": ","}, "delimiter and decimal must"),
}


@pytest.mark.parametrize(("content", "reading", "message"), BAD.values(), ids=BAD)
def test_a_file_without_a_table_is_refused(table, content, reading, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        table(content, **reading).frame()


def test_a_column_that_is_not_there_is_named(table):
    file = io.BytesIO()
    FRAME.to_parquet(file)
    for content in (TEXT, file.getvalue()):
        message = "has no column 'price'; its columns are 'size', 'kind', 'sold'"
        found = table(content)
        found.check_columns(["size", "sold"])
        with pytest.raises(DataError, match=re.escape(message)):
            found.check_columns(["size", "price"])


def test_a_parquet_file_without_rows_is_refused(table):
    file = io.BytesIO()
    FRAME[:0].to_parquet(file)
    with pytest.raises(DataError, match=r"has no rows$"):
        table(file.getvalue())
