"""Tables that an estimator is given, checked as scikit-learn does, and columns found by name."""

import warnings
from typing import Any

import numpy as np
from sklearn.utils.validation import validate_data

from fastmlp.tabular.table import Table, read_frame
from fastmlp.tabular.values import named


def check_table(estimator: Any, X: Any) -> Table:
    """Read a table to learn from, and set what the estimator knows of its columns.

    Raises
    ------
    TypeError
        If names of columns are text in part.
    ValueError
        If it is no table, has no row or no column, or several columns of one name.
    """
    table = read_frame(X)
    if table is None:
        return _check_array(estimator, X, reset=True)
    _refuse_empty(table)
    validate_data(estimator, X, skip_check_array=True, reset=True)
    return table


def matching_table(estimator: Any, X: Any, name: str = "X") -> Table:
    """Read a table that has the columns of training; those of a frame are found by name.

    Parameters
    ----------
    estimator : object
        The estimator, which knows the columns of training.
    X : object
        The table.
    name : str, default="X"
        What messages call it.

    Raises
    ------
    ValueError
        If it is no table, or columns are missing.

    Warns
    -----
    UserWarning
        If there are further columns, or if names are there on one side alone.
    """
    table = read_frame(X)
    if table is None:
        return _check_array(estimator, X, reset=False)
    _refuse_empty(table)
    if table.names is None or not hasattr(estimator, "feature_names_in_"):
        validate_data(estimator, X, skip_check_array=True, reset=False)
        return table
    expected = estimator.feature_names_in_.tolist()
    if table.names == expected:
        return table
    known, found = set(expected), set(table.names)
    missing = [column for column in expected if column not in found]
    if missing:
        raise ValueError(f"{name} lacks columns that were there in training: {named(missing)}")
    further = [column for column in table.names if column not in known]
    if further:
        warnings.warn(
            f"{name} has columns that were not there in training, and are ignored: "
            f"{named(further)}",
            UserWarning,
            stacklevel=2,
        )
    return table.select(expected)


def _refuse_empty(table: Table) -> None:
    for count, what in ((table.n_rows, "sample"), (table.n_columns, "feature")):
        if count == 0:
            raise ValueError(
                f"Found a frame with 0 {what}(s) (shape={(table.n_rows, table.n_columns)}) while a "
                "minimum of 1 is required."
            )


def _check_array(estimator: Any, X: Any, *, reset: bool) -> Table:
    if isinstance(X, list | tuple):
        objects = np.array(X, dtype=object)
        # Numbers stay numbers beside text, which NumPy would make text of.
        X = objects if np.asarray(X).dtype.kind in "US" else X
    array = validate_data(estimator, X, dtype=None, ensure_all_finite=False, reset=reset)
    return Table(array, None)
