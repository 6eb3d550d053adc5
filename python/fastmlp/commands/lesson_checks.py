"""Checks of a table before a network is trained on it or predicts from it."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastmlp.commands.results import Part, Parts
from fastmlp.data import DataError, Table, class_counts, split
from fastmlp.metrics import MAX_MATRIX_CLASSES


def split_table(
    csv_file: Path,
    target: str,
    table: Table[NDArray[np.int64]],
    fractions: Sequence[float],
    seed: int,
) -> Parts:
    """Split the rows, or name the class that has too few; later only its code would be known."""
    hint = "; the target looks continuous" if _looks_continuous(table) else ""
    counts = class_counts(table.y, len(table.class_names))
    rarest = counts.argmin()
    if counts[rarest] < len(fractions):
        raise DataError(
            f"{csv_file} has {counts[rarest]} of the {len(fractions)} rows that class "
            f"{table.class_names[rarest]!r} of column {target!r} needs, one for each part{hint}"
        )
    if len(counts) > MAX_MATRIX_CLASSES:
        raise DataError(
            f"{csv_file} has {len(counts)} classes in column {target!r}, "
            f"more than {MAX_MATRIX_CLASSES}{hint}"
        )
    pairs = split(table.X, table.y, fractions=fractions, random_state=seed)
    parts = Parts(*(Part(*pair) for pair in pairs))
    counts = class_counts(parts.train.y, len(table.class_names))
    if not counts.all():
        name = table.class_names[counts.argmin()]
        raise DataError(f"{csv_file} has class {name!r} in none of the rows to train on")
    return parts


def _looks_continuous(table: Table[NDArray[np.int64]]) -> bool:
    """Whether the classes are numbers, and many of them."""
    try:
        numeric = np.isfinite([float(name) for name in table.class_names]).all()
    except ValueError:
        return False
    return bool(numeric) and len(table.class_names) > min(20, len(table.y) / 2)


def check_spread(csv_file: Path, table: Table[Any]) -> None:
    """Refuse numbers too large for a variance, and for the scale of a plot."""
    with np.errstate(over="ignore", invalid="ignore"):
        wrong = np.flatnonzero(~np.isfinite(table.X.var(axis=0)))
    if wrong.size:
        feature = wrong[0]
        row = np.abs(table.X[:, feature]).argmax()
        raise _data_error(csv_file, table, row, feature, "too large to standardize")


def check_range(
    csv_file: Path, table: Table[Any], mean: NDArray[Any], scale: NDArray[Any], dtype: str
) -> None:
    """Refuse a number, in any part, that would be infinite for the network."""
    features = np.arange(len(table.feature_names))
    for rows in (table.X.argmin(axis=0), table.X.argmax(axis=0)):
        with np.errstate(over="ignore", invalid="ignore"):
            standardized = ((table.X[rows, features] - mean) / scale).astype(dtype)
        wrong = np.flatnonzero(~np.isfinite(standardized))
        if wrong.size:
            row, feature = rows[wrong[0]], wrong[0]
            problem = f"not finite once standardized to {dtype}"
            raise _data_error(csv_file, table, row, feature, problem)


def _data_error(
    csv_file: Path, table: Table[Any], row: np.intp, feature: np.intp, problem: str
) -> DataError:
    return DataError(
        f"{csv_file}, row {row + 1} below the header: feature {table.feature_names[feature]!r} "
        f"is {table.X[row, feature]}, {problem}"
    )
