"""How far predicted numbers are from the true ones."""

import warnings
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from fastmlp.metrics._arrays import (
    Floats,
    UndefinedMetricWarning,
    check_choice,
    check_rows,
    numbers_of,
    weights_of,
)

_AVERAGES = ("raw_values", "uniform_average")


def mean_absolute_error(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    *,
    sample_weight: ArrayLike | None = None,
    multioutput: str | ArrayLike = "uniform_average",
) -> Any:
    """Mean of the distances between predictions and targets.

    Parameters
    ----------
    y_true, y_pred : array-like of shape (n,) or (n, n_outputs)
        Targets and predictions.
    sample_weight : array-like of shape (n,), default=None
        Weight of each row, >= 0.
    multioutput : str or array-like of shape (n_outputs,), default="uniform_average"
        "raw_values" returns the errors of all outputs, "uniform_average" their mean, and an array
        their mean with these weights.

    Returns
    -------
    float or ndarray of shape (n_outputs,)
        At least 0; the lower, the better.

    Raises
    ------
    TypeError
        If one of them does not hold real numbers.
    ValueError
        If the two differ in shape, have no rows or are not finite; if a weight is negative or all
        weights are 0; if `multioutput` is none of these.
    """
    true, predicted, weights = _targets(y_true, y_pred, sample_weight)
    errors = np.average(np.abs(predicted - true), axis=0, weights=weights)
    return _combined(errors, multioutput)


def root_mean_squared_error(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    *,
    sample_weight: ArrayLike | None = None,
    multioutput: str | ArrayLike = "uniform_average",
) -> Any:
    """Square root of the mean of the squared distances between predictions and targets.

    Parameters
    ----------
    y_true, y_pred : array-like of shape (n,) or (n, n_outputs)
        Targets and predictions.
    sample_weight : array-like of shape (n,), default=None
        Weight of each row, >= 0.
    multioutput : str or array-like of shape (n_outputs,), default="uniform_average"
        "raw_values" returns the errors of all outputs, "uniform_average" their mean, and an array
        their mean with these weights.

    Returns
    -------
    float or ndarray of shape (n_outputs,)
        At least 0; the lower, the better.

    Raises
    ------
    TypeError, ValueError
        As `mean_absolute_error`.
    """
    true, predicted, weights = _targets(y_true, y_pred, sample_weight)
    squared = np.average((true - predicted) ** 2, axis=0, weights=weights)
    return _combined(np.sqrt(squared), multioutput)


def mean_pinball_loss(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    *,
    sample_weight: ArrayLike | None = None,
    alpha: float = 0.5,
    multioutput: str | ArrayLike = "uniform_average",
) -> Any:
    """Mean pinball loss, which the predicted quantile of level `alpha` minimises.

    It is ``alpha * (y - p)`` where the target ``y`` is above the prediction ``p``, and
    ``(1 - alpha) * (p - y)`` elsewhere; with the level 0.5, half the absolute error.

    Parameters
    ----------
    y_true, y_pred : array-like of shape (n,) or (n, n_outputs)
        Targets and predictions.
    sample_weight : array-like of shape (n,), default=None
        Weight of each row, >= 0.
    alpha : float, default=0.5
        Level of the quantile, from 0 to 1.
    multioutput : str or array-like of shape (n_outputs,), default="uniform_average"
        "raw_values" returns the losses of all outputs, "uniform_average" their mean, and an array
        their mean with these weights.

    Returns
    -------
    float or ndarray of shape (n_outputs,)
        At least 0; the lower, the better.

    Raises
    ------
    TypeError, ValueError
        As `mean_absolute_error`; if `alpha` is out of its range.

    See Also
    --------
    fastmlp.losses.Quantile : The loss with which a network learns quantiles.
    """
    if not 0 <= alpha <= 1:
        raise ValueError(f"alpha must be from 0 to 1, got {alpha}")
    true, predicted, weights = _targets(y_true, y_pred, sample_weight)
    above = true - predicted
    losses = np.where(above >= 0, alpha * above, (alpha - 1) * above)
    return _combined(np.average(losses, axis=0, weights=weights), multioutput)


def r2_score(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    *,
    sample_weight: ArrayLike | None = None,
    multioutput: str | ArrayLike | None = "uniform_average",
    force_finite: bool = True,
) -> Any:
    """Share of the variance of the targets that the predictions explain, R squared.

    It is ``1 - sum(w * (y - p)**2) / sum(w * (y - mean(y))**2)`` of targets ``y`` and predictions
    ``p``: 1 for perfect predictions, 0 for the mean of the targets, and below 0 for worse ones.

    Parameters
    ----------
    y_true, y_pred : array-like of shape (n,) or (n, n_outputs)
        Targets and predictions.
    sample_weight : array-like of shape (n,), default=None
        Weight of each row, >= 0.
    multioutput : str, None or array-like of shape (n_outputs,), default="uniform_average"
        "raw_values" returns the scores of all outputs, "uniform_average" and None their mean,
        "variance_weighted" their mean weighted by the variances of the targets, and an array their
        mean with these weights.
    force_finite : bool, default=True
        Whether constant targets have the score 1 if all predictions are right and else 0; otherwise
        the score is NaN or minus infinity.

    Returns
    -------
    float or ndarray of shape (n_outputs,)
        At most 1; the higher, the better. NaN, with an `UndefinedMetricWarning`, for a single row.

    Raises
    ------
    TypeError, ValueError
        As `mean_absolute_error`.
    """
    if isinstance(multioutput, str):
        check_choice("multioutput", multioutput, (*_AVERAGES, "variance_weighted"))
    true, predicted, weights = _targets(y_true, y_pred, sample_weight)
    if len(true) < 2:
        warnings.warn(
            "R squared is not defined for less than two rows", UndefinedMetricWarning, stacklevel=2
        )
        return float("nan")
    factor = 1.0 if weights is None else weights[:, np.newaxis]
    unexplained = np.sum(factor * (true - predicted) ** 2, axis=0)
    mean = np.average(true, axis=0, weights=weights)
    variances = np.sum(factor * (true - mean) ** 2, axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        scores = 1 - unexplained / variances
    if force_finite:
        scores = np.where(variances == 0, unexplained == 0, scores)
    if isinstance(multioutput, str) and multioutput == "variance_weighted":
        return float(np.average(scores, weights=variances if variances.any() else None))
    return _combined(scores, "uniform_average" if multioutput is None else multioutput)


def _targets(
    y_true: ArrayLike, y_pred: ArrayLike, sample_weight: ArrayLike | None
) -> tuple[Floats, Floats, Floats | None]:
    """Return targets and predictions, each with a column per output, and the weights."""
    true, predicted = numbers_of("y_true", y_true), numbers_of("y_pred", y_pred)
    check_rows(true, "y_pred", predicted)
    true, predicted = true.reshape(len(true), -1), predicted.reshape(len(predicted), -1)
    if true.shape != predicted.shape:
        raise ValueError(f"y_true has {true.shape[1]} outputs, but y_pred has {predicted.shape[1]}")
    return true, predicted, weights_of(sample_weight, len(true))


def _combined(values: Floats, multioutput: str | ArrayLike) -> Any:
    """Return the values of the outputs as `multioutput` says."""
    if isinstance(multioutput, str):
        check_choice("multioutput", multioutput, _AVERAGES)
        return values if multioutput == "raw_values" else float(np.mean(values))
    weights = np.asarray(multioutput, dtype=np.float64)
    if weights.shape != values.shape or len(values) == 1:
        raise ValueError(
            f"multioutput must have one weight for each of several outputs, got shape "
            f"{weights.shape} for {len(values)}"
        )
    if not weights.sum():
        raise ValueError(f"multioutput must not be weights whose sum is 0, got {weights.tolist()}")
    return float(np.average(values, weights=weights))
