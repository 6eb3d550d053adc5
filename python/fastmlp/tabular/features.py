"""Which columns are categories because the caller says so."""

from typing import Any

import numpy as np
from numpy.typing import NDArray


def named_categories(
    categorical_features: Any, n_columns: int, names: list[str] | None
) -> NDArray[np.bool_]:
    """Return a mask of the columns that `categorical_features` names.

    Parameters
    ----------
    categorical_features : 'from_dtype' or array-like of bool, int or str
        A mask, places or names of columns; 'from_dtype' names none.
    n_columns : int
        Columns of the table.
    names : list of str or None
        Their names, if they have some.

    Raises
    ------
    ValueError
        If it is none of these, or names a column that is not there.
    """
    mask = np.zeros(n_columns, dtype=bool)
    if isinstance(categorical_features, str) and categorical_features == "from_dtype":
        return mask
    found = np.asarray(categorical_features)
    if found.size == 0:
        return mask
    if found.ndim != 1 or found.dtype.kind not in "biuUO":
        raise ValueError(
            "categorical_features must be 'from_dtype' or a list of bools, integers or names, "
            f"got {categorical_features!r}"
        )
    if found.dtype.kind == "b":
        if len(found) != n_columns:
            raise ValueError(
                f"categorical_features must have one bool per column of X, {n_columns}, "
                f"got {len(found)}"
            )
        return found
    if found.dtype.kind in "iu":
        if found.min() < 0 or found.max() >= n_columns:
            raise ValueError(
                f"categorical_features must be places from 0 to {n_columns - 1}, "
                f"got {found.tolist()}"
            )
        mask[found] = True
        return mask
    if names is None:
        raise ValueError(
            "categorical_features must be a mask or places of columns where X has no names of "
            f"columns, got {found.tolist()}"
        )
    unknown = [name for name in found.tolist() if name not in names]
    if unknown:
        raise ValueError(f"categorical_features names {unknown}, but the columns of X are {names}")
    return np.isin(names, found)
