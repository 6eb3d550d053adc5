"""The target of a table: classes or numbers."""

from collections.abc import Hashable
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastmlp._extras import require
from fastmlp.reading.csv_hints import DataError

if TYPE_CHECKING:
    from pandas import Series

Task = Literal["classification", "regression"]

# What pandas calls numbers.
_NUMERIC = ("integer", "floating", "mixed-integer-float", "decimal")
# Whole numbers are classes if there are at most so many different ones, in twice as many rows.
_FEW = 20


class Target(NamedTuple):
    """What is to be predicted."""

    task: Task
    # Text, whole numbers or booleans of classes; float64 of a regression.
    y: NDArray[Any]
    # Why it is this task.
    reason: str


def target_of(file: str, values: "Series[Any]", task: Task | None) -> Target:
    """Read a target without missing values.

    Parameters
    ----------
    file : str
        What messages call the file.
    values : Series
        The column.
    task : {'classification', 'regression'} or None
        What it is for; None detects it.

    Raises
    ------
    DataError
        If the column does not suit the task, or has one value alone.
    """
    what = f"column {values.name!r}"
    if not isinstance(values.iloc[0], Hashable):
        raise DataError(
            f"{file} has values of type {type(values.iloc[0]).__name__} in {what}, "
            "expected classes or numbers"
        )
    if values.nunique() < 2:
        raise DataError(
            f"{file} has only one value in {what}, {str(values.iloc[0])!r}; expected at least two"
        )
    if task == "regression":
        return Target(task, numbers_of(file, values), "--task says")
    kind = _kind_of(values)
    reason = f"it has {kind} values"
    if kind in _NUMERIC:
        y = numbers_of(file, values)
        found, reason = _infer(y)
        if task is None and found == "regression":
            return Target(found, y, reason)
    labels = labels_of(values)
    n_classes = len(np.unique(labels))
    if n_classes > len(labels) / 2:
        raise DataError(
            f"{file} has {n_classes} different values in the {len(labels)} rows of {what}; "
            "expected classes, each with several rows, or numbers"
        )
    return Target("classification", labels, reason if task is None else "--task says")


def numbers_of(file: str, values: "Series[Any]") -> NDArray[np.float64]:
    """Return numbers, or raise a DataError about what is none."""
    kind = _kind_of(values)
    if kind not in _NUMERIC:
        is_other = require("pandas", "a table").to_numeric(values, errors="coerce").isna()
        example = values[is_other].iloc[0] if is_other.any() else values.iloc[0]
        raise DataError(
            f"{file} has {kind} values in column {values.name!r}, such as "
            f"{str(example)!r}; a regression needs numbers"
        )
    y = values.to_numpy(dtype=np.float64)
    if not np.isfinite(y).all():
        raise DataError(f"{file} has an infinite number in column {values.name!r}")
    return y


def labels_of(values: "Series[Any]") -> NDArray[Any]:
    """Return classes as booleans, whole numbers, or text."""
    values = values.infer_objects()  # booleans beside a missing value were objects
    if values.dtype.kind in "iub":
        return values.to_numpy()
    if values.dtype.kind == "f" and _are_whole(values.to_numpy()):
        return values.to_numpy().astype(np.int64)
    return np.array([str(value) for value in values])


def _kind_of(values: "Series[Any]") -> str:
    kind: str = require("pandas", "a table").api.types.infer_dtype(values)
    return "text" if kind == "string" else kind


def _infer(y: NDArray[np.float64]) -> tuple[Task, str]:
    n_values = len(np.unique(y))
    if not _are_whole(y):
        return "regression", "it has numbers that are not whole"
    if n_values > min(_FEW, len(y) / 2):
        return "regression", f"it has {n_values:,} different numbers"
    return "classification", f"it has {n_values:,} different whole numbers"


def _are_whole(numbers: NDArray[Any]) -> bool:
    return bool((numbers == np.trunc(numbers)).all())
