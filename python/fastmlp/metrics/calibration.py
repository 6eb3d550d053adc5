"""Whether what is predicted with a probability happens as often."""

from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from fastmlp.metrics._arrays import Floats, check_choice, weights_of
from fastmlp.metrics.probabilities import (
    classes_and_probabilities,
    is_of_one_class,
    positive_and_probabilities,
)


def calibration_error(
    y_true: ArrayLike,
    y_proba: ArrayLike,
    *,
    n_bins: int = 10,
    strategy: Literal["uniform", "quantile"] = "uniform",
    sample_weight: ArrayLike | None = None,
    pos_label: Any = None,
    labels: ArrayLike | None = None,
) -> float:
    """Mean distance of predicted probabilities from observed frequencies.

    The rows are put into bins by their probability ``p``. The expected calibration error is the
    mean over the bins, weighted by their rows, of the distance between the mean probability and the
    frequency of what was predicted [1]_::

        sum(w[b] * abs(mean(hit[b]) - mean(p[b])) for b in bins) / sum(w)

    With one column in `y_proba`, ``p`` is the predicted probability of the positive class, and a
    row is a hit if it is of that class. With a column per class, ``p`` is the largest probability
    of the row, and the row is a hit if the class that has it is the true one; of several such
    classes the first counts.

    Parameters
    ----------
    y_true : array-like of shape (n,)
        True classes, of any kind.
    y_proba : array-like of shape (n,) or (n, n_classes)
        Predicted probabilities of the positive one of two classes, or of all classes in ascending
        order.
    n_bins : int, default=10
        Number of bins, >= 1. Empty ones do not count.
    strategy : {"uniform", "quantile"}, default="uniform"
        Bins of the same width, ``(0, 1 / n_bins]`` and so on, of which the first has 0 too; or bins
        between the quantiles of ``p``, with about as many rows each.
    sample_weight : array-like of shape (n,), default=None
        Weight of each row, >= 0, in means and frequencies; the quantiles count all rows alike.
    pos_label : int, float, bool or str, default=None
        The positive class, as in `brier_score_loss`.
    labels : array-like of shape (n_classes,), default=None
        All classes, in ascending order, if `y_proba` has a column for each; None means those in
        `y_true`.

    Returns
    -------
    float
        From 0 to 1; the lower, the better.

    Raises
    ------
    TypeError, ValueError
        As `brier_score_loss`; if `n_bins` or `strategy` is none of these.

    References
    ----------
    .. [1] C. Guo, G. Pleiss, Y. Sun and K. Q. Weinberger, "On calibration of modern neural
       networks", ICML 2017.
    """
    bins = calibration_bins(y_true, y_proba, n_bins, strategy, sample_weight, pos_label, labels)
    return bins.error()


class CalibrationBins(NamedTuple):
    """The bins that have rows: their edges, the means of ``p`` and of the hits, and the weights."""

    lower: Floats
    upper: Floats
    probabilities: Floats
    frequencies: Floats
    weights: Floats

    def error(self) -> float:
        """Return the mean distance of the probabilities from the frequencies."""
        distances = np.abs(self.frequencies - self.probabilities)
        return float(np.average(distances, weights=self.weights))


def calibration_bins(
    y_true: ArrayLike,
    y_proba: ArrayLike,
    n_bins: int,
    strategy: str,
    sample_weight: ArrayLike | None,
    pos_label: Any,
    labels: ArrayLike | None,
) -> CalibrationBins:
    """Put rows into bins by their probability, as `calibration_error` describes."""
    if not isinstance(n_bins, int | np.integer) or n_bins < 1:
        raise ValueError(f"n_bins must be an integer of at least 1, got {n_bins!r}")
    check_choice("strategy", strategy, ("uniform", "quantile"))
    if is_of_one_class(y_proba):
        hits, p = positive_and_probabilities(y_true, y_proba, pos_label)
    else:
        is_true, probabilities = classes_and_probabilities(y_true, y_proba, labels)
        rows, predicted = np.arange(len(is_true)), probabilities.argmax(axis=1)
        hits, p = is_true[rows, predicted], probabilities[rows, predicted]
    weights = weights_of(sample_weight, len(p))
    each = np.ones(len(p)) if weights is None else weights
    shares = np.linspace(0, 1, n_bins + 1)
    edges = shares if strategy == "uniform" else np.percentile(p, shares * 100)
    bins = np.searchsorted(edges[1:-1], p)
    total, predicted_sum, hit_sum = (
        np.bincount(bins, weights=each * values, minlength=n_bins).astype(np.float64)
        for values in (1.0, p, hits)
    )
    filled = total > 0
    total = total[filled]
    return CalibrationBins(
        edges[:-1][filled],
        edges[1:][filled],
        predicted_sum[filled] / total,
        hit_sum[filled] / total,
        total,
    )
