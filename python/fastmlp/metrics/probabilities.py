"""How good predicted probabilities are: log loss and Brier score."""

import warnings
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastmlp.metrics._arrays import (
    Floats,
    check_choice,
    check_rows,
    classes_of,
    labels_of,
    positive_label,
    probabilities_of,
    weights_of,
)


def log_loss(
    y_true: ArrayLike,
    y_proba: ArrayLike,
    *,
    normalize: bool = True,
    sample_weight: ArrayLike | None = None,
    labels: ArrayLike | None = None,
) -> float:
    """Mean of ``-log(p)`` over the rows, ``p`` being the predicted probability of the true class.

    Probabilities are clipped to between the epsilon of their dtype and 1 minus it.

    Parameters
    ----------
    y_true : array-like of shape (n,)
        True classes, of any kind.
    y_proba : array-like of shape (n,) or (n, n_classes)
        Predicted probabilities of the classes in ascending order, or, of two classes, of the
        second.
    normalize : bool, default=True
        Whether to return the mean; otherwise the sum.
    sample_weight : array-like of shape (n,), default=None
        Weight of each row, >= 0.
    labels : array-like of shape (n_classes,), default=None
        All classes, in ascending order; None means those in `y_true`.

    Returns
    -------
    float
        At least 0; the lower, the better.

    Raises
    ------
    TypeError
        If `y_proba` does not hold real numbers.
    ValueError
        If the lengths differ or there are no rows; if a label is missing, or a number that is not
        whole; if a probability is not from 0 to 1; if the columns are not as many as the classes;
        if there is one class alone; if a weight is negative or all weights are 0.

    Warns
    -----
    UserWarning
        If the probabilities of a row do not sum to 1.
    """
    is_true, probabilities = classes_and_probabilities(y_true, y_proba, labels)
    weights = weights_of(sample_weight, len(is_true))
    epsilon = _epsilon(y_proba)
    losses = -np.log(np.clip(probabilities, epsilon, 1 - epsilon)[is_true])
    if normalize:
        return float(np.average(losses, weights=weights))
    return float(np.sum(losses) if weights is None else np.dot(losses, weights))


def brier_score_loss(
    y_true: ArrayLike,
    y_proba: ArrayLike,
    *,
    sample_weight: ArrayLike | None = None,
    pos_label: Any = None,
    labels: ArrayLike | None = None,
    scale_by_half: bool | Literal["auto"] = "auto",
) -> float:
    """Mean squared distance between predicted probabilities and what happened.

    Parameters
    ----------
    y_true : array-like of shape (n,)
        True classes, of any kind.
    y_proba : array-like of shape (n,) or (n, n_classes)
        Predicted probabilities of the positive one of two classes, or of all classes in ascending
        order.
    sample_weight : array-like of shape (n,), default=None
        Weight of each row, >= 0.
    pos_label : int, float, bool or str, default=None
        The positive class, if `y_proba` is of shape (n,). None means 1 of the classes 0, 1 and -1,
        and the greater one of other numbers.
    labels : array-like of shape (n_classes,), default=None
        All classes, in ascending order, if `y_proba` has a column for each; None means those in
        `y_true`.
    scale_by_half : bool or "auto", default="auto"
        Whether to halve the sum of the squares over the classes, so that the largest score is 1
        and not 2; "auto" does so for two classes.

    Returns
    -------
    float
        From 0 to 1, or to 2; the lower, the better.

    Raises
    ------
    TypeError, ValueError
        As `log_loss`; if `y_proba` has one column and there are more than two classes, or classes
        of text and no `pos_label`.

    Warns
    -----
    UserWarning
        If the probabilities of a row do not sum to 1.
    """
    check_choice("scale_by_half", scale_by_half, (True, False, "auto"))
    if is_of_one_class(y_proba):
        is_positive, positive = positive_and_probabilities(y_true, y_proba, pos_label)
        errors, n_classes = 2 * (is_positive - positive) ** 2, 2
    else:
        is_true, probabilities = classes_and_probabilities(y_true, y_proba, labels)
        errors = np.sum((is_true - probabilities) ** 2, axis=1)
        n_classes = probabilities.shape[1]
    score = np.average(errors, weights=weights_of(sample_weight, len(errors)))
    is_halved = n_classes < 3 if scale_by_half == "auto" else scale_by_half
    return float(score / 2 if is_halved else score)


def is_of_one_class(y_proba: ArrayLike) -> bool:
    """Return whether there are the probabilities of the positive one of two classes alone."""
    shape = np.shape(y_proba)
    return len(shape) < 2 or shape[1] == 1


def _epsilon(y_proba: ArrayLike) -> float:
    dtype = np.asarray(y_proba).dtype
    return float(np.finfo(dtype if dtype.kind == "f" else np.float64).eps)


def positive_and_probabilities(
    y_true: ArrayLike, y_proba: ArrayLike, pos_label: Any
) -> tuple[NDArray[np.bool_], Floats]:
    """Return whether each row is of the positive class, and its predicted probability."""
    true, probabilities = labels_of("y_true", y_true), probabilities_of("y_proba", y_proba).ravel()
    check_rows(true, "y_proba", probabilities)
    classes = np.unique(true)
    if len(classes) > 2:
        raise ValueError(
            f"y_proba must have a column for each of {len(classes)} classes, got one column"
        )
    return true == positive_label(pos_label, classes, or_greatest=True), probabilities


def classes_and_probabilities(
    y_true: ArrayLike, y_proba: ArrayLike, labels: ArrayLike | None
) -> tuple[NDArray[np.bool_], Floats]:
    """Return whether each row is of each class, and the predicted probability of it."""
    true, probabilities = labels_of("y_true", y_true), probabilities_of("y_proba", y_proba)
    check_rows(true, "y_proba", probabilities)
    classes = classes_of(true, labels)
    if len(classes) < 2:
        raise ValueError(
            f"y_true has the class {classes[0]} alone: give all classes as labels"
            if labels is None
            else f"labels must hold at least two classes, got {classes.tolist()}"
        )
    if probabilities.ndim == 1 or probabilities.shape[1] == 1:
        probabilities = probabilities.reshape(-1, 1)
        probabilities = np.concatenate([1 - probabilities, probabilities], axis=1)
    if probabilities.shape[1] != len(classes):
        where = "y_true: give all classes as labels" if labels is None else "labels"
        raise ValueError(
            f"y_proba has {probabilities.shape[1]} columns, but there are {len(classes)} classes "
            f"in {where}"
        )
    if not np.allclose(probabilities.sum(axis=1), 1, rtol=_epsilon(y_proba) ** 0.5, atol=0):
        warnings.warn(
            "the probabilities of a row of y_proba do not sum to 1", UserWarning, stacklevel=3
        )
    return true[:, np.newaxis] == classes, probabilities
