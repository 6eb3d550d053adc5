"""What scikit-learn's checks let through, and no network can use."""

from typing import Any

from scipy.sparse import issparse


def refuse_times(name: str, values: Any) -> None:
    """Raise a TypeError for dates and durations: as numbers they would depend on their unit.

    Parameters
    ----------
    name : str
        The argument.
    values : object
        What was given: an array, or a table with one dtype per column.
    """
    dtypes: Any = getattr(values, "dtypes", getattr(values, "dtype", None))
    for dtype in dtypes if hasattr(dtypes, "__iter__") else [dtypes]:
        if getattr(dtype, "kind", "") in ("m", "M"):
            raise TypeError(
                f"{name} has dates or durations of dtype {dtype}, expected numbers: divide "
                "durations by their unit, such as numpy.timedelta64(1, 's')"
            )


def refuse_sparse_targets(y: Any) -> None:
    """Raise a TypeError for a sparse `y`, which no loss reads."""
    if issparse(y):
        raise TypeError(f"y is of type {type(y).__name__}, expected a dense array: use y.toarray()")
