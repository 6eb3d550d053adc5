"""A file that is not the expected CSV: the message names the cause and the remedy."""

import bz2
import gzip
import io
import lzma
import re
import zipfile

import numpy as np
import pytest

from fastmlp.data import DataError, read_csv

TEXT = "a,color\n1.5,x\n2.5,y\n"


def refused(tmp_path, content, target="color", **options):
    """Message of the error, without the path in front."""
    path = tmp_path / "points.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(DataError, match=f"^{re.escape(str(path))}") as caught:
        read_csv(path, target, **options)
    return str(caught.value).removeprefix(str(path))


def zipped(text):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("points.csv", text)
    return file.getvalue()


def saved(array):
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


CONVERT = ", expected CSV in UTF-8: save it as CSV in UTF-8"
UNPACK = ", expected CSV in UTF-8: decompress it"
FORMATS = {
    "gzip": (gzip.compress(TEXT.encode(), mtime=0), f" is compressed by gzip{UNPACK}"),
    "bzip2": (bz2.compress(TEXT.encode()), f" is compressed by bzip2{UNPACK}"),
    "xz": (lzma.compress(TEXT.encode()), f" is compressed by xz{UNPACK}"),
    "zip": (zipped(TEXT), f" is an Excel workbook or another zip archive{CONVERT}"),
    "Parquet": (b"PAR1\x15\x04\x15\x10", f" is a Parquet file{CONVERT}"),
    "NumPy": (saved(np.ones(3)), f" is a NumPy array{CONVERT}"),
    "UTF-16": (TEXT.encode("utf-16"), f" is UTF-16 text{CONVERT}"),
    "UTF-16 LE without a mark": (TEXT.encode("utf-16-le"), f" is UTF-16 text{CONVERT}"),
    "UTF-16 BE without a mark": (TEXT.encode("utf-16-be"), f" is UTF-16 text{CONVERT}"),
    "UTF-32": (TEXT.encode("utf-32"), f" is UTF-32 text{CONVERT}"),
    "zeros": (bytes(100), f" is a binary file{CONVERT}"),
    "Latin-1": (
        "a,color\n1,x\n2,größe\n".encode("latin-1"),
        " is not UTF-8 text: 'utf-8' codec can't decode byte 0xf6 in position 16: "
        "invalid start byte, on line 3; save it as UTF-8",
    ),
    "Latin-1 in the header": (
        "größe,color\n1,x\n2,y\n".encode("latin-1"),
        " is not UTF-8 text: 'utf-8' codec can't decode byte 0xf6 in position 2: "
        "invalid start byte, on line 1; save it as UTF-8",
    ),
}


@pytest.mark.parametrize(("content", "message"), FORMATS.values(), ids=FORMATS)
def test_other_formats(tmp_path, content, message):
    assert refused(tmp_path, content) == message


SEPARATED = "; the columns seem to be separated by"
HEADER = "; if its first line is data, add a header, a line with the names of the columns"
TEXTS = {
    "semicolons": (
        "a;b;color\n1;2;x\n3;4;y\n",
        " has no column 'color'; its columns are 'a;b;color'"
        f"{SEPARATED} ';': give delimiter=';' (on the command line --delimiter ';')",
    ),
    "tabs": (
        "a\tcolor\n1\tx\n2\ty\n",
        " has no column 'color'; its columns are 'a\\tcolor'"
        f"{SEPARATED} tabs: give delimiter='\\t' (on the command line --delimiter '\\t')",
    ),
    "bars": (
        "a|color\n1|x\n2|y\n",
        " has no column 'color'; its columns are 'a|color'"
        f"{SEPARATED} '|': give delimiter='|' (on the command line --delimiter '|')",
    ),
    "spaces": (
        "a b color\n1 2 x\n2 3 y\n",
        " has no column 'color'; its columns are 'a b color'"
        f"{SEPARATED} spaces: give delimiter=' ' (on the command line --delimiter ' ')",
    ),
    "semicolons and decimal commas": (
        "a;b;color\n1,5;2,5;x\n3,5;4;y\n",
        ", line 2: expected 1 values as in the header, found 3"
        f"{SEPARATED} ';': give delimiter=';' and decimal=',' "
        "(on the command line --delimiter ';' --decimal ',')",
    ),
    "decimal commas that are not quoted": (
        "a,b,color\n1,5,2,5,x\n3,5,4,5,y\n",
        ", line 2: expected 3 values as in the header, found 5; "
        "a value that holds a comma must be in quotes",
    ),
    "quoted decimal commas": (
        'a,color\n"1,5",x\n"2,5",y\n',
        ", line 2: feature 'a' is '1,5', expected a finite number; if it has a decimal comma, "
        "give decimal=',' (on the command line --decimal ',')",
    ),
    "Excel's note": (
        "sep=;\na;color\n1;x\n2;y\n",
        " begins with 'sep=;', which is a note to Excel and no header: delete this line, and give "
        "delimiter=';' (on the command line --delimiter ';')",
    ),
    "Excel's note of commas": (
        "sep=,\na,color\n1,x\n2,y\n",
        " begins with 'sep=,', which is a note to Excel and no header: delete this line",
    ),
    "columns without names": (
        "a,color,,\n1,x,,\n2,y,,\n",
        " has no name for column 3; the header seems to end with delimiters: delete them",
    ),
    "no header": (
        "1.5,2.5,x\n3.5,4.5,y\n",
        f" has no column 'color'; its columns are '1.5', '2.5', 'x'{HEADER}",
    ),
    "no header, and twice the same number": (
        "1.5,1.5,color\n3.5,4.5,y\n",
        f" has 2 columns named '1.5'{HEADER}",
    ),
    "no header, and the target a value": (
        "1.5,2.5,color\n3.5,4.5,y\n3.5,4.5,color\n",
        " seems to have no header: 'color', in its first line, is one of the values below it; "
        "add a line with the names of the columns",
    ),
}


@pytest.mark.parametrize(("content", "message"), TEXTS.values(), ids=TEXTS)
def test_other_ways_to_write_a_table(tmp_path, content, message):
    assert refused(tmp_path, content) == message


def test_what_the_hint_says_helps(tmp_path):
    path = tmp_path / "points.csv"
    path.write_text("a;b;color\n1,5;2,5;x\n3,5;4;y\n")
    table = read_csv(path, "color", delimiter=";", decimal=",")
    np.testing.assert_array_equal(table.X, [[1.5, 2.5], [3.5, 4]])


def test_a_decimal_point_where_commas_were_announced(tmp_path):
    assert refused(tmp_path, "a;color\n1.5;x\n2;y\n", delimiter=";", decimal=",") == (
        ", line 2: feature 'a' is '1.5', expected a finite number; if it has a decimal point, "
        "give decimal='.' (on the command line --decimal '.')"
    )


def test_a_delimiter_that_fits_is_not_doubted(tmp_path):
    assert refused(tmp_path, "a;b,c;d\n1,2\n3,4\n") == (
        " has no column 'color'; its columns are 'a;b', 'c;d'"
    )
    assert refused(tmp_path, "x\n1\n") == " has no column 'color'; its columns are 'x'"


def test_many_columns_are_not_all_listed(tmp_path):
    names = [f"x{i}" for i in range(15_000)]
    shown = ", ".join(map(repr, names[:20]))
    assert refused(tmp_path, ",".join(names) + "\n") == (
        f" has no column 'color'; its columns are {shown} and 14980 more"
    )


def test_numbers_may_be_names(tmp_path):
    path = tmp_path / "points.csv"
    path.write_text("0,1,2\n5,6,2\n7,8,0\n9,9,1\n")  # as pandas writes columns without names
    table = read_csv(path, "2")
    assert table.feature_names == ("0", "1")
    assert table.class_names == ("0", "1", "2")
    path.write_text("400.5,401.0,kind\n5,6,b\n7,8,a\n")  # a spectrum
    assert read_csv(path, "kind").feature_names == ("400.5", "401.0")
