"""Columns are read alike from every library, and what cannot be read is named."""

import datetime
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from fastmlp.tabular.table import Table, read_frame

EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
MIDNIGHT = datetime.time(tzinfo=datetime.UTC)
NUMBERS = {
    "size": float,
    "rooms": float,
    "garden": float,
    "built": lambda day: (datetime.datetime.combine(day, MIDNIGHT) - EPOCH).total_seconds(),
    "seen": lambda moment: (moment - EPOCH).total_seconds(),
    "opens": lambda time: 3600 * time.hour + 60 * time.minute,
    "vacant": lambda duration: duration.total_seconds(),
}


def table_of(X):
    return X if isinstance(X, Table) else read_frame(X) or Table(X, None)


def values_of(X, place=0):
    """Return numbers as an array, and text as a list with None where a value is missing."""
    values = table_of(X).column(place).values
    if isinstance(values, np.ndarray):
        return values
    return [values.names[code] if code >= 0 else None for code in values.codes]


@pytest.mark.parametrize(
    "library",
    [
        *("pandas", "pandas, nullable", "pandas, arrow", "pandas, objects"),
        *("polars", "pyarrow", "array"),
    ],
)
@pytest.mark.parametrize("rows", [slice(None), slice(10, 70), np.array([7, 3, 3, 90])], ids=repr)
def test_every_library_gives_the_same_numbers_and_text(library, rows, frames, drawn):
    table = table_of(frames[library]).take(rows)
    for place, (name, raw) in enumerate(drawn.items()):
        expected = np.array(raw, dtype=object)[rows].tolist()
        column = table.column(place)
        assert not column.is_category
        assert column.name == (repr(name) if library != "array" else str(place))
        if name in NUMBERS:
            numbers = [np.nan if raw is None else NUMBERS[name](raw) for raw in expected]
            np.testing.assert_array_equal(column.values, numbers, err_msg=name)
            assert column.values.dtype == np.float64
        else:
            assert values_of(table, place) == expected


def test_rows_can_be_taken_of_rows():
    table = table_of(pl.DataFrame({"a": range(10)})).take(slice(2, 8))
    np.testing.assert_array_equal(table.take(np.array([5, 0])).column(0).values, [7, 2])
    np.testing.assert_array_equal(table.take(slice(1, 3)).column(0).values, [3, 4])
    assert table.take(np.array([5, 0, 1])).take(slice(1, 3)).n_rows == 2


@pytest.mark.parametrize(
    "X",
    [
        pd.DataFrame({"a": pd.Categorical([2, None, 10], categories=[10, 2])}),
        pd.DataFrame({"a": pd.Categorical(["2", None, "10"])}),
        pl.DataFrame({"a": pl.Series(["2", None, "10"], dtype=pl.Categorical)}),
        pl.DataFrame({"a": pl.Series(["2", None, "10"], dtype=pl.Enum(["2", "10"]))}),
        pa.table({"a": pa.array(["2", None, "10"]).dictionary_encode()}),
    ],
)
def test_categories_are_text_whatever_they_were(X):
    column = read_frame(X).column(0)
    assert column.is_category
    assert values_of(X) == ["2", None, "10"]


def test_categories_of_any_object_are_its_text():
    X = pd.DataFrame({"a": pd.cut([1.0, 2.0, np.nan], [0.0, 1.0, 2.0])})
    assert values_of(X) == ["(0.0, 1.0]", "(1.0, 2.0]", None]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([1, 2.5, True, None], [1, 2.5, 1, np.nan]),
        ([Decimal("0.5"), np.float32(2), Fraction(1, 4)], [0.5, 2, 0.25]),
        ([np.bool_(True), float("nan"), np.nan], [1, np.nan, np.nan]),
        ([10**400, -(10**400)], [np.inf, -np.inf]),
        ([None, None], [np.nan, np.nan]),
        ([pd.NA, 2, pd.NaT], [np.nan, 2, np.nan]),
        ([np.datetime64("1970-01-02"), np.datetime64("NaT")], [86400, np.nan]),
        ([pd.Timestamp("1970-01-01T00:00:02"), datetime.date(1970, 1, 2)], [2, 86400]),
        ([np.timedelta64(2, "h"), datetime.timedelta(0, 1, 500_000)], [7200, 1.5]),
        ([datetime.time(0, 1, 2, 500_000)], [62.5]),
    ],
    ids=repr,
)
def test_objects_that_are_numbers(values, expected):
    X = np.array([*values, 0], dtype=object)[:-1].reshape(-1, 1)
    np.testing.assert_array_equal(values_of(X), expected)


@pytest.mark.parametrize(
    ("array", "expected"),
    [
        (np.array([[True], [False]]), [1, 0]),
        (np.array([[3], [250]], np.uint8), [3, 250]),
        (np.array([[0.1]], np.float32), [np.float64(np.float32(0.1))]),
        (np.array([["1970-01-01T01"], ["NaT"]], "M8[h]"), [3600, np.nan]),
        (np.array([[90], [-1]], "m8[m]"), [5400, -60]),
        (np.array([["1"], ["b"]]), ["1", "b"]),
        (np.array([[b"1"], [b"b"]]), ["1", "b"]),
        (np.array([[1], ["b"], [2.5], [None]], object), ["1", "b", "2.5", None]),
    ],
    ids=repr,
)
def test_arrays_of_every_dtype(array, expected):
    values = values_of(array)
    assert isinstance(values, list) == isinstance(expected[0], str)
    np.testing.assert_array_equal(values, expected)


def test_names_that_are_no_text_count_by_place():
    table = read_frame(pd.DataFrame([[1, 2]], columns=[3, 3]))
    assert table.names is None
    assert table.column(1).name == "1"
    np.testing.assert_array_equal(table.column(1).values, [2])


@pytest.mark.parametrize("X", [np.zeros((2, 2)), [[1, 2]], pd.Series([1]), pl.Series([1]), None])
def test_what_is_no_frame_is_left_to_others(X):
    assert read_frame(X) is None


def test_duplicated_names_are_refused():
    message = r"^the columns of X must have different names, got several of \['a'\]$"
    frames = (
        pd.DataFrame([[1, 2, 3]], columns=["a", "b", "a"]),
        pa.table([[1], [2], [3]], names=["a", "b", "a"]),
    )
    for frame in frames:
        with pytest.raises(ValueError, match=message):
            read_frame(frame)


def test_a_lazy_frame_is_refused():
    message = r"^X is of type LazyFrame, expected a frame in memory: collect it$"
    with pytest.raises(TypeError, match=message):
        read_frame(pl.LazyFrame({"a": [1]}))


def test_nested_columns_are_refused():
    message = (
        r"^column 'a' of X has dtype List\(Int64\), expected numbers, booleans, text, categories, "
        r"dates or times$"
    )
    for frame in (pl.DataFrame({"a": [[1]]}), pa.table({"a": [[1]]})):
        with pytest.raises(TypeError, match=message):
            read_frame(frame).column(0)


@pytest.mark.parametrize(
    ("value", "kind"),
    [({}, "dict, int"), (1j, "complex, int"), (datetime.date(2024, 1, 1), "date, int")],
)
def test_values_of_other_types_are_refused(value, kind):
    message = (
        r"^each value of column 'a' of X must be a number or text, or all of them dates or times; "
        rf"an argument must be a string or a number, got values of type {kind}$"
    )
    with pytest.raises(TypeError, match=message):
        values_of(pd.DataFrame({"a": pd.Series([value, 1], dtype=object)}))
