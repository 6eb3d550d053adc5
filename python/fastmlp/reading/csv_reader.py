"""Read a CSV file into features and class labels, or say where it is wrong."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from decimal import Decimal
from itertools import pairwise
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeVar, overload

import numpy as np
from numpy.typing import NDArray

from fastmlp._extras import require
from fastmlp.reading.csv_file import CsvFile, Marks, quoted
from fastmlp.reading.csv_hints import (
    DataError,
    decimal_hint,
    delimiter_hint,
    is_number,
    looks_headless,
    refuse_other_formats,
)

if TYPE_CHECKING:
    from pandas import DataFrame, Series

Labels = TypeVar("Labels", bound=NDArray[np.int64] | None)


# Up to this many columns pandas reads in pieces: less memory, but more time per column and piece.
_NARROW = 1000


class Table(NamedTuple, Generic[Labels]):
    """Features and labels read from a file.

    Attributes
    ----------
    X : ndarray of float64, shape (n, d)
        Features, C-contiguous.
    y : ndarray of int64, shape (n,), or None
        Class of each row, an index into `class_names`; None without a target.
    feature_names : tuple of str, length d
        Column of the file that each feature comes from.
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
    delimiter: str = ",",
    decimal: str = ".",
    missing: Sequence[str] = (),
) -> Table[NDArray[np.int64]]: ...
@overload
def read_csv(
    path: str | PathLike[str],
    target: None,
    *,
    class_names: Sequence[str] | None = None,
    feature_names: Sequence[str] | None = None,
    delimiter: str = ",",
    decimal: str = ".",
    missing: Sequence[str] = (),
) -> Table[None]: ...
def read_csv(
    path: str | PathLike[str],
    target: str | None,
    *,
    class_names: Sequence[str] | None = None,
    feature_names: Sequence[str] | None = None,
    delimiter: str = ",",
    decimal: str = ".",
    missing: Sequence[str] = (),
) -> Table[Any]:
    """Read features and class labels from a CSV file.

    The file is UTF-8 text whose first line has the column names. Spaces around names and values are
    ignored, and so are blank lines. A feature is missing if it is empty or one of the marks that
    `pandas.read_csv` knows, such as NA, NaN and null; a label, which may be any text, is missing
    only if it is empty. A feature of nothing but true and false becomes 1 and 0. A number becomes
    the nearest float64.

    Parameters
    ----------
    path : str or path-like
        The file.
    target : str or None
        Column of the class labels; None reads only features.
    class_names : sequence of str, default=None
        The classes in the order of their codes, such as those of a trained model. None uses the
        labels of the file, sorted as numbers if all of them are numbers, else as text.
    feature_names : sequence of str, default=None
        Columns of the features, in this order, such as those of a trained model. None uses every
        column but the target, in the file's order.
    delimiter : str, default=","
        The character between two values.
    decimal : {".", ","}, default="."
        The decimal mark of the features.
    missing : sequence of str, default=()
        Further marks of a missing feature or label, such as "?".

    Returns
    -------
    Table
        ``(X, y, feature_names, class_names)``.

    Raises
    ------
    ImportError
        If pandas is not installed.
    OSError
        If the file cannot be opened: FileNotFoundError if it does not exist.
    DataError
        If the file is not UTF-8, leaves a quote open or has a line of another length than its
        header; if its first line seems to be data; if a column is absent, has no name or no name of
        its own; if there are no feature columns or no rows; if a feature is missing or not a finite
        number; if a label is missing, not among `class_names`, or a number written in two ways ("1"
        and "1.0"); if there is only one class and `class_names` is None.
    ValueError
        If a name occurs twice in `class_names`, or in `feature_names` and `target`; if
        `delimiter` or `decimal` is not allowed, or both are the same.
    """
    _check_distinct("class_names", class_names or ())
    _check_distinct("feature_names and target", [*(feature_names or ()), target])
    marks = Marks(delimiter, decimal, tuple(missing))
    require("pandas", "read_csv")
    content = Path(path).read_bytes()
    refuse_other_formats(path, content)
    file = _File(path, content, marks)
    if feature_names is None:
        feature_names = [name for name in file.header if name != target]
    columns = [file.column(name) for name in feature_names]
    label_column = None if target is None else file.column(target)
    if not columns:
        hint = delimiter_hint(file.content, delimiter)
        raise DataError(f"{path} has no feature columns{hint}")

    frame, labels = file.rows(columns, label_column)
    if target is not None and looks_headless(file.header, target, labels):
        raise DataError(
            f"{path} seems to have no header: {target!r}, in its first line, is one of the values "
            "below it; add a line with the names of the columns"
        )
    X = file.features(columns, frame)
    if label_column is None:
        return Table(X, None, tuple(feature_names), ())
    y, class_names = file.codes(label_column, frame[label_column], labels, class_names)
    return Table(X, y, tuple(feature_names), tuple(class_names))


def _check_distinct(argument: str, names: Iterable[str | None]) -> None:
    for name, count in Counter(names).items():
        if count > 1:
            raise ValueError(f"{argument} must be distinct, found {name!r} twice")


class _File(CsvFile):
    """A CSV file of features that are numbers, and of labels."""

    def rows(
        self, features: Sequence[int], label_column: int | None
    ) -> tuple["DataFrame", list[str]]:
        """Return every row below the header, with its label as a number, and the labels by number.

        Features are numbers, unless some value is text.
        """
        width = len(self.header)
        ignored = {*range(width)} - {*features, label_column}
        text: dict[int, type] = dict.fromkeys(ignored, str)
        numbers: dict[int, type] = dict.fromkeys(features, np.float64)
        # Labels are numbered as they come; pandas would parse some of them as missing values.
        labels: defaultdict[str, int] = defaultdict()
        labels.default_factory = labels.__len__
        converters = {} if label_column is None else {label_column: labels.__getitem__}
        missing = self.marks.missing
        try:
            frame = self.parse(
                text | numbers, missing, converters=converters, low_memory=width <= _NARROW
            )
        except ValueError:
            frame = self.parse(text, missing, converters=converters, low_memory=False)
        if frame.empty:
            raise DataError(f"{self.path} has no rows below its header")
        # pandas pads short lines with missing values.
        if "" in labels if width - 1 == label_column else frame[width - 1].hasnans:
            self.lines.check()
        return frame, [label.strip() for label in labels]

    def features(self, columns: Sequence[int], frame: "DataFrame") -> NDArray[np.float64]:
        """Return finite numbers of shape (n, d), or raise an error with the first other value."""
        X = np.empty((len(frame), len(columns)))
        for feature, column in enumerate(columns):
            values = frame[column]
            if values.dtype.kind not in "fiub" and self.marks.decimal != ".":
                values = values.map(_with_point, na_action="ignore")
            if values.dtype.kind not in "fiu":
                values = self.pandas.to_numeric(values, errors="coerce").astype(np.float64)
            X[:, feature] = values.to_numpy()
        wrong = np.flatnonzero(~np.isfinite(X).all(axis=0))
        if wrong.size:
            feature = wrong[0]
            column = columns[feature]
            self.refuse_feature(column, frame[column], X[:, feature])
        return X

    def refuse_feature(
        self, column: int, values: "Series[Any]", numbers: NDArray[np.float64]
    ) -> None:
        wrong = np.flatnonzero(values.notna() & ~np.isfinite(numbers))
        if not wrong.size:
            self.refuse_missing(column, np.flatnonzero(np.isnan(numbers)))
        line, fields = self.lines.record(wrong[0])
        value = fields[column].strip()
        raise DataError(
            f"{self.path}, line {line}: feature {self.header[column]!r} is {value!r}, "
            f"expected a finite number{decimal_hint(value, self.marks.decimal)}"
        )

    def refuse_missing(self, column: int, rows: NDArray[np.intp]) -> None:
        line, _ = self.lines.record(rows[0])
        count = "1 missing value" if rows.size == 1 else f"{rows.size} missing values"
        raise DataError(
            f"{self.path} has {count} in column {self.header[column]!r}, first on line {line}"
        )

    def codes(
        self,
        column: int,
        numbers: "Series[int]",
        labels: Sequence[str],
        class_names: Sequence[str] | None,
    ) -> tuple[NDArray[np.int64], Sequence[str]]:
        """Code of each label, and the names of the classes."""
        gaps = [label in ("", *self.marks.missing) for label in labels]
        if any(gaps):
            self.refuse_missing(column, np.flatnonzero(np.array(gaps)[numbers]))
        if class_names is None:
            class_names = self.classes(column, sorted({*labels}))
        places = {name: code for code, name in enumerate(class_names)}
        codes = np.array([places.get(label, -1) for label in labels], np.int64)[numbers]
        unknown = np.flatnonzero(codes < 0)
        if unknown.size:
            line, fields = self.lines.record(unknown[0])
            raise DataError(
                f"{self.path}, line {line}: class {fields[column].strip()!r} in column "
                f"{self.header[column]!r} is not one of {quoted(class_names)}"
            )
        return codes, class_names

    def classes(self, column: int, labels: list[str]) -> list[str]:
        """Sort distinct labels as text, or as numbers if all of them are numbers."""
        if len(labels) == 1:
            raise DataError(
                f"{self.path} has only one class in column {self.header[column]!r}, "
                f"{labels[0]!r}; expected at least two"
            )
        if not all(map(is_number, labels)):
            return labels
        by_value = sorted(labels, key=Decimal)  # exact, so that 1e400 and 1e500 differ
        for first, second in pairwise(by_value):
            if Decimal(first) == Decimal(second):
                raise DataError(
                    f"{self.path} writes one class of column {self.header[column]!r} in two ways, "
                    f"{first!r} and {second!r}"
                )
        return by_value


def _with_point(text: str) -> str:
    """Write a decimal comma as a point, and a point as a character that no number has."""
    return text.translate({ord("."): "?", ord(","): "."})
