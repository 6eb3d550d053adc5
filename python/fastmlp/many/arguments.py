"""Checks of what `fit_many` is given, and how its messages count fits."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastmlp._core import MLP, Optimizer
from fastmlp.estimators.base import BaseMLP

_EXPECTED = "an MLPClassifier, an MLPRegressor or a tuple (MLP, Optimizer[, dict])"
# More ranges than this make no message.
_MOST_RANGES = 20


def check_estimators(estimators: Sequence[Any]) -> None:
    """Refuse what cannot be trained, and what would be trained by two fits at once."""
    where: dict[int, int] = {}
    for index, estimator in enumerate(estimators):
        if isinstance(estimator, BaseMLP):
            if type(estimator).fit is not BaseMLP.fit:
                kind = type(estimator).__name__
                raise TypeError(f"estimators[{index}] is a {kind} with a fit of its own")
            if hasattr(estimator, "_skl_callbacks"):
                raise ValueError(
                    f"estimators[{index}] has callbacks of scikit-learn, which are told of fits by "
                    "themselves: use the parameter callback"
                )
            parts = [estimator]
        elif _is_network(estimator):
            parts = list(estimator[:2])
        else:
            found = type(estimator).__name__
            if isinstance(estimator, tuple):
                found = f"tuple ({', '.join(type(part).__name__ for part in estimator)})"
            raise TypeError(f"estimators[{index}] is of type {found}, expected {_EXPECTED}")
        for part in parts:
            first = where.setdefault(id(part), index)
            if first != index:
                raise ValueError(
                    f"estimators[{index}] has the {type(part).__name__} of estimators[{first}], "
                    "expected one of its own: use copy.copy or sklearn.base.clone"
                )


def as_list(name: str, values: Any, expected: str) -> list[Any]:
    """Return the entries of an iterable, or raise a TypeError for anything else."""
    try:
        return list(values)
    except TypeError:
        found = type(values).__name__
        raise TypeError(f"{name} is of type {found}, expected {expected}") from None


def checked_rows(name: str, rows: Any, n_rows: int) -> NDArray[np.intp]:
    """Return indices of rows, of these or of a mask."""
    rows = np.asarray(rows)
    expected = f"a slice, a mask of shape ({n_rows},) or indices"
    if rows.dtype == bool and rows.shape == (n_rows,):
        rows = np.flatnonzero(rows)
    elif rows.dtype.kind not in "iu" or rows.ndim != 1:
        raise ValueError(
            f"{name} has dtype {rows.dtype} and shape {rows.shape}, expected {expected}"
        )
    if not len(rows):
        raise ValueError(f"{name} is empty, expected {expected}")
    if rows.min() < 0 or rows.max() >= n_rows:
        raise ValueError(
            f"{name} has indices from {rows.min()} to {rows.max()}, expected 0 to {n_rows - 1}"
        )
    return rows


def listed(indices: Sequence[int]) -> str:
    """Write rising indices as ranges, such as ``"0-3, 7"``."""
    ranges: list[list[int]] = []
    for index in indices:
        if ranges and index == ranges[-1][1] + 1:
            ranges[-1][1] = index
        else:
            ranges.append([index, index])
    words = [f"{a}-{b}" if a < b else f"{a}" for a, b in ranges[:_MOST_RANGES]]
    return ", ".join(words + ["..."] * (len(ranges) > _MOST_RANGES))


def _is_network(estimator: Any) -> bool:
    return (
        isinstance(estimator, tuple)
        and len(estimator) in (2, 3)
        and isinstance(estimator[0], MLP)
        and isinstance(estimator[1], Optimizer)
        and isinstance(estimator[-1], Optimizer if len(estimator) == 2 else dict)
    )
