"""How well scores rank the rows of a class above all others: ROC curve, its area, and precision."""

import warnings
from itertools import combinations
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastmlp.metrics._arrays import (
    Floats,
    UndefinedMetricWarning,
    check_choice,
    check_rows,
    classes_of,
    labels_of,
    numbers_of,
    positive_label,
    scores_of,
    weights_of,
)
from fastmlp.metrics._averages import (
    AVERAGES,
    Average,
    averaged,
    check_columns,
    has_several_columns,
    indicators_of,
)


def roc_curve(
    y_true: ArrayLike,
    y_score: ArrayLike,
    *,
    pos_label: Any = None,
    sample_weight: ArrayLike | None = None,
    drop_intermediate: bool = True,
) -> tuple[Floats, Floats, Floats]:
    """Rates of false and true positives for each threshold of a score.

    Rows whose weight is 0 are left out.

    Parameters
    ----------
    y_true : array-like of shape (n,)
        True classes, two of them.
    y_score : array-like of shape (n,)
        Scores, higher for the positive class: probabilities, or any other numbers.
    pos_label : int, float, bool or str, default=None
        The positive class; None means 1, of the classes 0 and 1 or -1 and 1.
    sample_weight : array-like of shape (n,), default=None
        Weight of each row, >= 0.
    drop_intermediate : bool, default=True
        Whether to leave out points on a line between others, which change no plot and no area.

    Returns
    -------
    fpr : ndarray of shape (n_thresholds,)
        Share of the other rows whose score is at least the threshold, in ascending order from 0;
        NaN, with an `UndefinedMetricWarning`, if there are none.
    tpr : ndarray of shape (n_thresholds,)
        The same of the positive rows.
    thresholds : ndarray of shape (n_thresholds,)
        The thresholds, from infinity down.

    Raises
    ------
    TypeError
        If the scores are not real numbers.
    ValueError
        If the lengths differ or there are no rows; if a score is not finite; if there are more than
        two classes and no `pos_label`, or if it is neither of two; if a weight is negative or all
        weights are 0.
    """
    true, scores = labels_of("y_true", y_true), scores_of("y_score", y_score)
    check_rows(true, "y_score", scores)
    is_positive = true == positive_label(pos_label, np.unique(true))
    counts = _counts(is_positive, scores, weights_of(sample_weight, len(true)))
    if drop_intermediate:
        counts = counts.without_points_on_lines()
    for rows, count in (("negative", counts.false), ("positive", counts.true)):
        if not count[-1]:
            warnings.warn(f"y_true has no {rows} rows", UndefinedMetricWarning, stacklevel=2)
    with np.errstate(invalid="ignore"):
        rates = [np.concatenate([[0.0], count]) / count[-1] for count in counts[:2]]
    return rates[0], rates[1], np.concatenate([[np.inf], counts.thresholds])


def roc_auc_score(
    y_true: ArrayLike,
    y_score: ArrayLike,
    *,
    average: Average = "macro",
    sample_weight: ArrayLike | None = None,
    max_fpr: float | None = None,
    multi_class: Literal["raise", "ovr", "ovo"] = "raise",
    labels: ArrayLike | None = None,
) -> Any:
    """Area under the ROC curve: how likely a row of a class has a higher score than another row.

    Parameters
    ----------
    y_true : array-like of shape (n,) or (n, n_labels)
        True classes, or the indicators 0 and 1 of several labels.
    y_score : array-like of shape (n,), (n, n_classes) or (n, n_labels)
        Scores of the greater of two classes; probabilities of more classes, in ascending order; or
        scores of the labels.
    average : {"macro", "weighted", "micro", "samples"} or None, default="macro"
        What to return for several classes or labels: the mean of their areas; their mean weighted
        by the number of rows of each; the area of all entries together, for labels and "ovr" alone;
        the mean of the areas of the rows, for labels alone; or, not for "ovo", all areas.
    sample_weight : array-like of shape (n,), default=None
        Weight of each row, >= 0; not for "ovo".
    max_fpr : float, default=None
        Return the area up to this rate of false positives, above 0 and at most 1, scaled to 0.5 for
        scores without information and 1 for perfect ones [2]_; not for more than two classes.
    multi_class : {"raise", "ovr", "ovo"}, default="raise"
        What to do with more than two classes: raise an error; compare each with all others; or
        compare all pairs, whose areas do not depend on how frequent the classes are [1]_.
    labels : array-like of shape (n_classes,), default=None
        All of more than two classes, in ascending order; None means those in `y_true`.

    Returns
    -------
    float or ndarray of shape (n_classes,)
        From 0 to 1; the higher, the better; 0.5 for scores without information. NaN, with an
        `UndefinedMetricWarning`, if there is one class alone.

    Raises
    ------
    TypeError
        If the scores are not real numbers.
    ValueError
        If the lengths differ or there are no rows; if a score is not finite; if the columns are not
        as many as the classes; if an argument is none of its choices, or does not go with several
        classes; if a weight is negative or all weights are 0.

    References
    ----------
    .. [1] D. J. Hand and R. J. Till, "A simple generalisation of the area under the ROC curve for
       multiple class classification problems", Machine Learning 45, 2001.
    .. [2] D. K. McClish, "Analyzing a portion of the ROC curve", Medical Decision Making 9, 1989.
    """
    check_choice("average", average, AVERAGES)
    check_choice("multi_class", multi_class, ("raise", "ovr", "ovo"))
    if max_fpr is not None and not 0 < max_fpr <= 1:
        raise ValueError(f"max_fpr must be above 0 and at most 1, got {max_fpr}")
    scores = numbers_of("y_score", y_score)

    def area(is_positive: NDArray[np.bool_], score: Floats, weights: Floats | None) -> float:
        return _area(_counts(is_positive, score, weights), max_fpr)

    if has_several_columns(y_true):
        indicators = indicators_of(y_true, scores)
        return averaged(area, indicators, scores, average, weights_of(sample_weight, len(scores)))
    true = labels_of("y_true", y_true)
    check_rows(true, "y_score", scores)
    present = np.unique(true)
    n_columns = 1 if scores.ndim == 1 else scores.shape[1]
    weights = weights_of(sample_weight, len(true))
    if len(present) <= 2 and n_columns <= 2:
        if n_columns == 2:
            raise ValueError(
                "y_score must have one column for two classes, that of the greater: y_score[:, 1]"
            )
        return area(true == present[-1], scores.ravel(), weights)
    classes = classes_of(true, labels)
    _check_several_classes(classes, scores, average, multi_class, max_fpr)
    if multi_class == "ovr":
        return averaged(area, true[:, np.newaxis] == classes, scores, average, weights)
    if weights is not None:
        raise ValueError('sample_weight must be None for multi_class="ovo"')
    return _average_of_pairs(np.searchsorted(classes, true), scores, average)


def average_precision_score(
    y_true: ArrayLike,
    y_score: ArrayLike,
    *,
    average: Average = "macro",
    pos_label: Any = 1,
    sample_weight: ArrayLike | None = None,
) -> Any:
    """Mean of the precisions at all thresholds, each weighted by the recall that it adds.

    Parameters
    ----------
    y_true : array-like of shape (n,) or (n, n_labels)
        True classes, or the indicators 0 and 1 of several labels.
    y_score : array-like of shape (n,), (n, n_classes) or (n, n_labels)
        Scores of the positive one of two classes; of more classes, in ascending order; or of the
        labels.
    average : {"macro", "weighted", "micro", "samples"} or None, default="macro"
        What to return for several classes, each compared with all others, or labels: the mean of
        their scores; their mean weighted by the number of rows of each; the score of all entries
        together; the mean of the scores of the rows; or all scores.
    pos_label : int, float, bool or str, default=1
        The positive one of two classes.
    sample_weight : array-like of shape (n,), default=None
        Weight of each row, >= 0.

    Returns
    -------
    float or ndarray of shape (n_classes,)
        From 0 to 1; the higher, the better; without information it is the share of positive rows.
        0, with an `UndefinedMetricWarning`, if there are no positive rows.

    Raises
    ------
    TypeError
        If the scores are not real numbers.
    ValueError
        If the lengths differ or there are no rows; if a score is not finite; if the columns are not
        as many as the classes; if `pos_label` is not one of two classes, or not 1 for several; if a
        weight is negative or all weights are 0.
    """
    check_choice("average", average, AVERAGES)
    scores = numbers_of("y_score", y_score)
    several = has_several_columns(y_true)
    true = np.asarray(y_true) if several else labels_of("y_true", y_true)
    check_rows(true, "y_score", scores)
    weights = weights_of(sample_weight, len(true))
    classes = np.unique(true)
    if not several and len(classes) <= 2:
        is_positive = true == positive_label(pos_label, classes)
        return _average_precision(is_positive, scores_of("y_score", scores), weights)
    if pos_label != 1:
        raise ValueError(f"pos_label must be 1 for more than two classes, got {pos_label!r}")
    if several:
        is_positive = indicators_of(y_true, scores)
    else:
        is_positive = true[:, np.newaxis] == classes
        check_columns(scores, len(classes))
    return averaged(_average_precision, is_positive, scores, average, weights)


class _Counts(NamedTuple):
    """Weights of the rows whose score is at least each threshold, from the highest threshold on."""

    false: Floats
    true: Floats
    thresholds: Floats

    def without_points_on_lines(self) -> "_Counts":
        if len(self.true) <= 2:
            return self
        turns = (np.diff(self.false, 2) != 0) | (np.diff(self.true, 2) != 0)
        kept = np.concatenate([[True], turns, [True]])
        return _Counts(*(values[kept] for values in self))


def _counts(is_positive: NDArray[np.bool_], scores: Floats, weights: Floats | None) -> _Counts:
    if weights is not None:
        counted = weights > 0
        is_positive, scores, weights = is_positive[counted], scores[counted], weights[counted]
    order = np.argsort(-scores, kind="stable")
    is_positive, scores = is_positive[order], scores[order]
    each = np.ones(len(scores)) if weights is None else weights[order]
    last = np.append(np.flatnonzero(np.diff(scores)), len(scores) - 1)  # of rows of one score
    return _Counts(
        np.cumsum(~is_positive * each)[last], np.cumsum(is_positive * each)[last], scores[last]
    )


def _area(counts: _Counts, max_fpr: float | None) -> float:
    """Return the area under the ROC curve, or the scaled part of it."""
    if not counts.false[-1] or not counts.true[-1]:
        warnings.warn(
            "the area under the ROC curve is not defined for one class alone",
            UndefinedMetricWarning,
            stacklevel=4,
        )
        return float("nan")
    fpr, tpr = (np.concatenate([[0.0], count]) / count[-1] for count in counts[:2])
    if max_fpr is None or max_fpr == 1:
        return float(np.trapezoid(tpr, fpr))
    stop = int(np.searchsorted(fpr, max_fpr, "right"))
    end = np.interp(max_fpr, fpr[stop - 1 : stop + 1], tpr[stop - 1 : stop + 1])
    part = np.trapezoid(np.append(tpr[:stop], end), np.append(fpr[:stop], max_fpr))
    least = max_fpr**2 / 2
    return float((1 + (part - least) / (max_fpr - least)) / 2)


def _average_precision(
    is_positive: NDArray[np.bool_], scores: Floats, weights: Floats | None
) -> float:
    counts = _counts(is_positive, scores, weights)
    total = counts.true[-1]
    if not total:
        warnings.warn("y_true has no positive rows", UndefinedMetricWarning, stacklevel=3)
        return 0.0
    precision = counts.true / (counts.true + counts.false)
    return float(np.sum(np.diff(counts.true / total, prepend=0.0) * precision))


def _average_of_pairs(codes: NDArray[np.intp], scores: Floats, average: Average) -> float:
    """Return the mean of the areas of all pairs of classes, each as positive once."""
    areas: list[float] = []
    shares: list[float] = []
    for pair in combinations(np.unique(codes), 2):
        rows = np.isin(codes, pair)
        both = [_area(_counts(codes[rows] == c, scores[rows, c], None), None) for c in pair]
        areas.append((both[0] + both[1]) / 2)
        shares.append(float(np.mean(rows)))
    return float(np.average(areas, weights=shares if average == "weighted" else None))


def _check_several_classes(
    classes: NDArray[Any], scores: Floats, average: Average, multi_class: str, max_fpr: float | None
) -> None:
    if max_fpr is not None and max_fpr != 1:
        raise ValueError(f"max_fpr must be None for more than two classes, got {max_fpr}")
    if multi_class == "raise":
        raise ValueError('multi_class must be "ovr" or "ovo" for more than two classes')
    allowed = (
        ("macro", "weighted", "micro", None) if multi_class == "ovr" else ("macro", "weighted")
    )
    if average not in allowed:
        raise ValueError(
            f"average must be one of {allowed} for multi_class={multi_class!r}, got {average!r}"
        )
    check_columns(scores, len(classes))
    if not np.allclose(scores.sum(axis=1), 1):
        raise ValueError("y_score must hold probabilities of more than two classes: rows sum to 1")
