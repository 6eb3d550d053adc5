"""Tables of every kind, read column by column.

narwhals reads the frames of pandas, polars, pyarrow and others alike; arrays are read here. A
column is read when it is asked for, so that no second copy of a table lies in memory.
"""

import sys
from typing import Any, NamedTuple

import narwhals.stable.v2 as nw
import numpy as np
from narwhals.exceptions import DuplicateError
from numpy.typing import NDArray

from fastmlp.tabular.values import Numbers, Text, read_distinct, read_objects, seconds

_CATEGORIES = (nw.Categorical, nw.Enum)
_TIMES = (nw.Date, nw.Datetime)
_NESTED = (nw.List, nw.Array, nw.Struct, nw.Binary)


class Column(NamedTuple):
    """A column of a table."""

    # What messages call it: a name in quotes, or a number.
    name: str
    values: Numbers | Text
    # Whether its dtype says that its values are categories.
    is_category: bool


class Table:
    """Rows of a frame or of a two-dimensional array."""

    def __init__(
        self,
        data: "nw.DataFrame[Any] | NDArray[Any]",
        names: list[str] | None,
        rows: range | NDArray[np.intp] | None = None,
    ) -> None:
        self._data = data
        self._rows = range(len(data)) if rows is None else rows
        # Of the columns; None if they have none, or others than text.
        self.names = names
        self.n_columns: int = data.shape[1]
        self.n_rows = len(self._rows)

    def take(self, rows: NDArray[np.intp] | slice) -> "Table":
        """Return a table of some rows."""
        if isinstance(rows, slice):
            return Table(self._data, self.names, self._rows[rows])
        return Table(self._data, self.names, np.asarray(self._rows)[rows])

    def select(self, names: list[str]) -> "Table":
        """Return a table of a frame's columns of these names, in this order."""
        assert not isinstance(self._data, np.ndarray)
        return Table(self._data.select(names), names, self._rows)

    def label(self, place: int) -> str:
        """Return the name that messages give to a column."""
        return str(place) if self.names is None else repr(self.names[place])

    def column(self, place: int) -> Column:
        """Read a column.

        Raises
        ------
        TypeError
            If its dtype is not one of numbers, booleans, text, categories, dates or times.
        """
        name = self.label(place)
        rows = self._rows
        # A slice of consecutive rows copies nothing.
        chosen = slice(rows.start, rows.stop) if isinstance(rows, range) else rows
        if isinstance(self._data, np.ndarray):
            return Column(name, _read_array(name, self._data[chosen, place]), False)
        series = self._data[self._data.columns[place]][chosen]
        return Column(name, _read_series(name, series), isinstance(series.dtype, _CATEGORIES))


def read_frame(X: Any) -> Table | None:
    """Return a table if this is a data frame, else None.

    Raises
    ------
    TypeError
        If the frame is a lazy one.
    ValueError
        If several columns have the same name.
    """
    names_are_text = True
    if nw.dependencies.is_pandas_dataframe(X):
        names_are_text = all(isinstance(name, str) for name in X.columns)
        if not names_are_text:
            X = X.set_axis([str(place) for place in range(X.shape[1])], axis=1)
    try:
        frame: Any = nw.from_native(X, pass_through=True)
    except DuplicateError:
        names = list(getattr(X, "column_names", X.columns))
        twice = sorted({name for name in names if names.count(name) > 1})
        raise ValueError(
            f"the columns of X must have different names, got several of {twice}"
        ) from None
    if isinstance(frame, nw.LazyFrame):
        raise TypeError(f"X is of type {type(X).__name__}, expected a frame in memory: collect it")
    if not isinstance(frame, nw.DataFrame):
        return None
    return Table(frame, list(frame.columns) if names_are_text else None)


def _read_series(name: str, series: "nw.Series[Any]") -> Numbers | Text:
    dtype = series.dtype
    if isinstance(dtype, _NESTED):
        raise TypeError(
            f"column {name} of X has dtype {dtype}, expected numbers, booleans, text, categories, "
            "dates or times"
        )
    if dtype.is_numeric() or isinstance(dtype, nw.Boolean):
        return series.cast(nw.Float64).to_numpy()
    if isinstance(dtype, _TIMES):
        return series.dt.timestamp("us").cast(nw.Float64).to_numpy() / 1e6
    if isinstance(dtype, nw.Duration):
        return series.dt.total_microseconds().cast(nw.Float64).to_numpy() / 1e6
    as_category = isinstance(dtype, _CATEGORIES)
    if nw.dependencies.is_pandas_series(native := nw.to_native(series)):
        try:  # it hashes faster than Python does
            codes, distinct = sys.modules["pandas"].factorize(native)
        except TypeError:  # a value that cannot be hashed, refused below
            pass
        else:
            return read_distinct(name, distinct.tolist(), codes, as_category=as_category)
    return read_objects(name, series.to_list(), as_category=as_category)


def _read_array(name: str, values: NDArray[Any]) -> Numbers | Text:
    if values.dtype.kind in "biuf":
        return values.astype(np.float64)
    if values.dtype.kind in "mM":
        return seconds(values)
    if values.dtype.kind == "S":
        values = values.astype(str)
    return read_objects(name, values.tolist(), as_category=False)
