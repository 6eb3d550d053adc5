"""What a fit is given: partitions of rows, and what all of them have in common."""

from typing import Any, NamedTuple, Self

import dask.array as da
import numpy as np
from dask.base import is_dask_collection
from dask.delayed import Delayed
from numpy.typing import NDArray

from fastmlp.dask.keys import with_own_keys


class Partition(NamedTuple):
    """Rows that are read at once, by tasks that have not run yet."""

    X: Delayed
    y: Delayed
    sample_weight: Delayed | None


class Table(NamedTuple):
    """The rows of a fit, or those for validation.

    Attributes
    ----------
    partitions : list of Partition
    n_features : int
    feature_names : list of str or None
        Those of a DataFrame.
    is_single : bool
        Whether all features are float32.
    n_targets : int or None
        Columns of `y`; None if it has one dimension.
    """

    partitions: list[Partition]
    n_features: int
    feature_names: list[str] | None
    is_single: bool
    n_targets: int | None

    @classmethod
    def of(cls, X: Any, y: Any, sample_weight: Any = None, suffix: str = "") -> Self:
        """Pair the partitions of Dask collections.

        Parameters
        ----------
        X : dask Array or DataFrame of shape (n, n_features)
        y : dask Array, Series or DataFrame of shape (n,) or (n, n_targets)
        sample_weight : dask Array or Series of shape (n,), default=None
        suffix : str, default=""
            What follows the names of the arguments, in messages.

        Raises
        ------
        TypeError
            If one of them is no Dask collection.
        ValueError
            If they differ in rows or partitions.
        """
        names = [f"{name}{suffix}" for name in ("X", "y", "sample_weight")]
        given = [(names[0], X), (names[1], y)]
        if sample_weight is not None:
            given.append((names[2], sample_weight))
        for name, values in given:
            check_collection(name, values)
        if X.ndim != 2:
            raise ValueError(f"{names[0]} has {X.ndim} dimensions, expected 2")
        if isinstance(X, da.Array):
            X = X.rechunk({1: -1})
        others = [_cut_alike(names[0], X, name, values) for name, values in given[1:]]
        parts: list[list[Any]] = [partitions_of(values) for values in (X, *others)]
        for (name, _), found in zip(given[1:], parts[1:], strict=True):
            if len(found) != len(parts[0]):
                raise ValueError(
                    f"{names[0]} has {len(parts[0])} partitions, and {name} {len(found)}, "
                    "expected the same"
                )
        if sample_weight is None:
            parts.append([None] * len(parts[0]))
        columns = getattr(X, "columns", None)
        dtypes = [X.dtype] if columns is None else list(X.dtypes)
        return cls(
            [Partition(*each) for each in zip(*parts, strict=True)],
            int(X.shape[1]) if columns is None else len(columns),
            None if columns is None else list(columns),
            all(dtype == np.float32 for dtype in dtypes),
            None if y.ndim == 1 else int(y.shape[1]),
        )

    def with_own_keys(self, run: str) -> Self:
        """Return the table with tasks that are those of a run alone."""
        parts = [
            list(of_all) if of_all[0] is None else with_own_keys(of_all, run)
            for of_all in zip(*self.partitions, strict=True)
        ]
        return self._replace(partitions=[Partition(*each) for each in zip(*parts, strict=True)])


def validation_table(X: Any, y: Any, sample_weight: Any) -> Table | None:
    """Return the rows for validation, if there are any; half of them is an error."""
    if (X is None) != (y is None):
        given, missing = ("y_val", "X_val") if X is None else ("X_val", "y_val")
        raise ValueError(f"{given} is given without {missing}, expected both or neither")
    if X is None:
        if sample_weight is not None:
            raise ValueError("sample_weight_val is given without X_val and y_val")
        return None
    return Table.of(X, y, sample_weight, "_val")


def check_collection(name: str, values: Any) -> None:
    """Raise a TypeError for what has no partitions."""
    if not is_dask_collection(values) or not hasattr(values, "to_delayed"):
        raise TypeError(
            f"{name} is of type {type(values).__name__}, expected a Dask Array or DataFrame; "
            "the estimators without Dask in their names take data in memory"
        )


def partitions_of(values: Any) -> list[Delayed]:
    """Return the partitions of a collection whose columns are not cut.

    Graphs of arrays stay as they are: optimised one by one, a task that reads features and targets
    from the same file would become part of both, and run twice.
    """
    if isinstance(values, da.Array):
        return list(values.to_delayed(optimize_graph=False).ravel())
    return list(values.to_delayed())


def _cut_alike(first: str, X: Any, name: str, values: Any) -> Any:
    """Return an array cut into the rows of `X`, where both know their rows."""
    if not isinstance(values, da.Array):
        return values
    if isinstance(X, da.Array) and not np.isnan([*X.chunks[0], *values.chunks[0]]).any():
        if len(values) != len(X):
            raise ValueError(f"{first} has {len(X)} rows, and {name} {len(values)}")
        values = values.rechunk({0: X.chunks[0]})
    return values.rechunk({1: -1}) if values.ndim == 2 else values


def with_names(names: Any, X: NDArray[Any]) -> Any:
    """Return a DataFrame of the rows if there are names, as an estimator takes them."""
    if names is None:
        return X
    import pandas as pd

    return pd.DataFrame(X, columns=names)
