"""One value for several columns: classes, each against all others, or labels."""

from collections.abc import Callable
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastmlp.metrics._arrays import Floats, check_rows, numbers_of

Average: TypeAlias = Literal["micro", "macro", "weighted", "samples"] | None
Measure: TypeAlias = Callable[[NDArray[np.bool_], Floats, Floats | None], float]

AVERAGES = ("micro", "macro", "weighted", "samples", None)


def averaged(
    measure: Measure,
    is_positive: NDArray[np.bool_],
    scores: Floats,
    average: Average,
    weights: Floats | None,
) -> Any:
    """Return a measure of several columns as `average` says."""
    if average == "micro":
        repeated = None if weights is None else np.repeat(weights, scores.shape[1])
        return measure(is_positive.ravel(), scores.ravel(), repeated)
    if average == "samples":
        is_positive, scores, weights, of_each = is_positive.T, scores.T, None, weights
    elif average == "weighted":
        of_each = np.sum(is_positive if weights is None else is_positive * weights[:, None], axis=0)
        if not of_each.any():
            return 0.0
    else:
        of_each = None
    values = np.array(
        [measure(*pair, weights) for pair in zip(is_positive.T, scores.T, strict=True)]
    )
    if average is None:
        return values
    if of_each is not None:
        values[of_each == 0] = 0  # what is not defined there does not count
    return float(np.average(values, weights=of_each))


def has_several_columns(y_true: ArrayLike) -> bool:
    """Return whether there are indicators of several labels."""
    shape = np.shape(y_true)
    return len(shape) == 2 and shape[1] > 1


def indicators_of(y_true: ArrayLike, scores: Floats) -> NDArray[np.bool_]:
    """Return the indicators of several labels as bools after checking that each has a score."""
    indicators = numbers_of("y_true", y_true)
    check_rows(indicators, "y_score", scores)
    if not np.isin(indicators, (0, 1)).all():
        raise ValueError("y_true must hold 0 and 1 alone if it has several columns")
    check_columns(scores, indicators.shape[1])
    return np.equal(indicators, 1)


def check_columns(scores: Floats, n_classes: int) -> None:
    """Raise a ValueError for scores without a column per class."""
    if scores.ndim == 1 or scores.shape[1] != n_classes:
        raise ValueError(
            f"y_score must have a column for each of {n_classes} classes, got shape {scores.shape}"
        )
