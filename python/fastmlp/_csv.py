"""Read a CSV file into features and class labels, or say where it is wrong."""

import csv
from collections.abc import Iterator, Sequence
from io import BytesIO, TextIOWrapper
from itertools import islice, pairwise
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeVar, overload

import numpy as np
from numpy.typing import NDArray

from fastmlp._extras import require

if TYPE_CHECKING:
    from pandas import DataFrame, Series

Labels = TypeVar("Labels", bound=NDArray[np.int64] | None)


class DataError(ValueError):
    """A data file does not hold what was asked of it."""


class Table(NamedTuple, Generic[Labels]):
    """Features and labels read from a file.

    Attributes
    ----------
    X : ndarray of float64, shape (n, d)
        Features, C-contiguous.
    y : ndarray of int64, shape (n,), or None
        Class of each row, an index into `class_names`; None without a target.
    feature_names : tuple of str, length d
        Column of the file each feature comes from.
    class_names : tuple of str
        Label of each class as the file writes it; empty without a target.
    """

    X: NDArray[np.float64]
    y: Labels
    feature_names: tuple[str, ...]
    class_names: tuple[str, ...]


@overload
def read_csv(
    path: str | PathLike[str],
    target: str,
    *,
    class_names: Sequence[str] | None = None,
    feature_names: Sequence[str] | None = None,
) -> Table[NDArray[np.int64]]: ...
@overload
def read_csv(
    path: str | PathLike[str],
    target: None,
    *,
    class_names: Sequence[str] | None = None,
    feature_names: Sequence[str] | None = None,
) -> Table[None]: ...
def read_csv(
    path: str | PathLike[str],
    target: str | None,
    *,
    class_names: Sequence[str] | None = None,
    feature_names: Sequence[str] | None = None,
) -> Table[Any]:
    """Read features and class labels from a CSV file.

    The file is UTF-8 text, comma-separated, its first line the column names. Spaces around
    names and values do not count, nor do blank lines. A value is missing if it is empty or one
    of the marks `pandas.read_csv` knows, such as NA, NaN and null. A feature of true and false
    alone is 1 and 0. A number becomes the float64 nearest to it with pandas 3.1 or later, and
    may be one unit in the last place off with an earlier one.

    Parameters
    ----------
    path : str or path-like
        The file.
    target : str or None
        Column of the class labels; None reads features alone.
    class_names : sequence of str, default=None
        The classes in the order of their codes, such as those of a trained model. None takes
        the file's own labels, sorted as numbers if all of them are numbers, else as text.
    feature_names : sequence of str, default=None
        Columns of the features, in this order, such as those of a trained model. None takes
        every column but the target, in the file's order.

    Returns
    -------
    Table
        ``(X, y, feature_names, class_names)``.

    Raises
    ------
    ImportError
        If pandas is not installed.
    OSError
        If the file cannot be opened: FileNotFoundError if there is none.
    DataError
        If the file is not UTF-8, leaves a quote open or has a line of another length than its
        header; if a column is absent, has no name or shares it; if there are no feature
        columns or no rows; if a feature is missing or not a finite number; if a label is
        missing, not among `class_names`, or written in two ways ("1" and "1.0"); if there is
        only one class and `class_names` is None.
    ValueError
        If a name occurs twice in `class_names`, or in `feature_names` and `target`.
    """
    _check_distinct("class_names", class_names or ())
    _check_distinct("feature_names and target", [*(feature_names or ()), target])
    file = _File(path)
    if feature_names is None:
        feature_names = [name for name in file.header if name != target]
    columns = [file.column(name) for name in feature_names]
    label_column = None if target is None else file.column(target)
    if not columns:
        raise DataError(f"{path} has no feature columns")

    frame = file.rows(columns)
    X = np.empty((len(frame), len(columns)))
    for feature, column in enumerate(columns):
        X[:, feature] = file.numbers(column, frame[column])
    if label_column is None:
        return Table(X, None, tuple(feature_names), ())
    y, class_names = file.codes(label_column, frame[label_column], class_names)
    return Table(X, y, tuple(feature_names), tuple(class_names))


def _check_distinct(argument: str, names: Sequence[str | None]) -> None:
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f"{argument} must be distinct, found {name!r} twice")


class _File:
    """A CSV file, its columns known by position, and the errors that name a place in it."""

    def __init__(self, path: str | PathLike[str]) -> None:
        self.pandas = require("pandas", "read_csv")
        self.path = path
        self.content = Path(path).read_bytes()
        # Told of no header, pandas lets names repeat and holds the first row to their number.
        top = self.parse(header=None, nrows=2, dtype=str, na_filter=False)
        self.header = [name.strip() for name in top.iloc[0]]

    def parse(self, **options: Any) -> "DataFrame":
        errors = self.pandas.errors
        try:
            frame: DataFrame = self.pandas.read_csv(
                BytesIO(self.content), encoding="utf-8-sig", skipinitialspace=True, **options
            )
        except errors.EmptyDataError:
            raise DataError(
                f"{self.path} is empty, expected a header line with the column names"
            ) from None
        except errors.ParserError as error:
            self.check_lines()
            raise DataError(f"{self.path}: {error}") from error
        except UnicodeDecodeError as error:
            raise DataError(f"{self.path} is not UTF-8 text: {error}") from error
        return frame

    def column(self, name: str) -> int:
        """Position of the one column with this name."""
        if name not in self.header:
            names = ", ".join(map(repr, self.header))
            raise DataError(f"{self.path} has no column {name!r}; its columns are {names}")
        column, count = self.header.index(name), self.header.count(name)
        if not name:
            raise DataError(f"{self.path} has no name for column {column + 1}")
        if count > 1:
            raise DataError(f"{self.path} has {count} columns named {name!r}")
        return column

    def rows(self, features: Sequence[int]) -> "DataFrame":
        """Every row below the header; features are numbers, unless some value is text."""
        width = len(self.header)
        options: dict[str, Any] = {"header": 0, "names": range(width), "index_col": False}
        text = {column: str for column in range(width) if column not in features}
        try:
            frame = self.parse(dtype=text | dict.fromkeys(features, np.float64), **options)
        except ValueError:
            frame = self.parse(dtype=text, low_memory=False, **options)
        if frame.empty:
            raise DataError(f"{self.path} has no rows below its header")
        if frame[width - 1].hasnans:  # pandas fills short lines up with missing values
            self.check_lines()
        return frame

    def numbers(self, column: int, values: "Series[Any]") -> "Series[float]":
        numbers: Series[float] = self.pandas.to_numeric(values, errors="coerce").astype(np.float64)
        wrong = np.flatnonzero(values.notna() & ~np.isfinite(numbers))
        if wrong.size:
            line, fields = self.record(wrong[0])
            raise DataError(
                f"{self.path}, line {line}: feature {self.header[column]!r} is "
                f"{fields[column].strip()!r}, expected a finite number"
            )
        self.check_missing(column, values)
        return numbers

    def codes(
        self, column: int, values: "Series[str]", class_names: Sequence[str] | None
    ) -> tuple[NDArray[np.int64], Sequence[str]]:
        """Code of each label, and the names of the classes."""
        labels = values.map(str.strip, na_action="ignore")
        labels = labels.where(labels != "")
        self.check_missing(column, labels)
        if class_names is None:
            class_names = self.classes(column, labels.unique().tolist())
        codes = self.pandas.Index(class_names).get_indexer(labels)
        unknown = np.flatnonzero(codes < 0)
        if unknown.size:
            line, fields = self.record(unknown[0])
            known = ", ".join(map(repr, class_names))
            raise DataError(
                f"{self.path}, line {line}: class {fields[column].strip()!r} in column "
                f"{self.header[column]!r} is not one of {known}"
            )
        return codes.astype(np.int64), class_names

    def classes(self, column: int, labels: list[str]) -> list[str]:
        """Sort distinct labels, as numbers if all of them are numbers."""
        if len(labels) == 1:
            raise DataError(
                f"{self.path} has only one class in column {self.header[column]!r}, "
                f"{labels[0]!r}; expected at least two"
            )
        try:
            by_value = sorted(labels, key=float)
        except ValueError:
            return sorted(labels)
        for first, second in pairwise(by_value):
            if float(first) == float(second):
                raise DataError(
                    f"{self.path} writes one class of column {self.header[column]!r} in two ways, "
                    f"{first!r} and {second!r}"
                )
        return by_value

    def check_missing(self, column: int, values: "Series[Any]") -> None:
        missing = np.flatnonzero(values.isna())
        if missing.size:
            line, _ = self.record(missing[0])
            count = "1 missing value" if missing.size == 1 else f"{missing.size} missing values"
            raise DataError(
                f"{self.path} has {count} in column {self.header[column]!r}, first on line {line}"
            )

    def check_lines(self) -> None:
        """Raise at the first line that leaves a quote open or is of another length."""
        for _ in self.records():
            pass

    def record(self, row: int) -> tuple[int, list[str]]:
        """Line number and fields of a row below the header."""
        return next(islice(self.records(), row + 1, None))

    def records(self) -> Iterator[tuple[int, list[str]]]:
        """Yield the line number and the fields of each record that is not blank.

        Only for errors, since slow: pandas does not tell the line of a record, and a quoted
        value may span several.
        """
        file = TextIOWrapper(BytesIO(self.content), "utf-8-sig", errors="replace", newline="")
        lines = file.readlines()
        reader = csv.reader(lines, skipinitialspace=True, strict=True)
        start, length = 0, None
        try:
            for fields in reader:
                if "".join(lines[start : reader.line_num]).strip(" \t\r\n"):
                    length = length or len(fields)
                    if len(fields) != length:
                        raise csv.Error(
                            f"expected {length} values as in the header, found {len(fields)}"
                        )
                    yield start + 1, fields
                start = reader.line_num
        except csv.Error as error:
            raise DataError(f"{self.path}, line {start + 1}: {error}") from error
