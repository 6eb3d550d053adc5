"""How good predicted classes are: accuracy, precision, recall, F1 and the confusion matrix."""

import warnings
from collections.abc import Sequence
from typing import TypedDict

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastmlp.metrics._arrays import (
    UndefinedMetricWarning,
    check_kinds,
    check_rows,
    labels_of,
    weights_of,
)

MAX_MATRIX_CLASSES = 8192  # their confusion matrix takes 512 MiB


class ClassScores(TypedDict):
    """Scores of one class."""

    precision: float
    recall: float
    f1: float
    num_samples: int


class OverallScores(ClassScores):
    """Scores over all classes, each class weighted by its number of samples."""

    accuracy: float


class Metrics(TypedDict):
    """What `classification_metrics` returns."""

    overall: OverallScores
    classes: dict[str, ClassScores]


def accuracy(y_true: ArrayLike, y_pred: ArrayLike) -> float:
    """Share of rows whose predicted class is the true one.

    Parameters
    ----------
    y_true, y_pred : array-like of int, shape (n,)
        True and predicted classes.

    Returns
    -------
    float
        Between 0 and 1.

    Raises
    ------
    TypeError
        If the classes are not integers.
    ValueError
        If the two differ in length, are not 1-D, hold no rows, a negative class or one beyond
        int64.
    """
    true, predicted = _class_codes(y_true, y_pred)
    return float(np.mean(true == predicted))


def confusion_matrix(
    y_true: ArrayLike, y_pred: ArrayLike, n_classes: int | None = None
) -> NDArray[np.int64]:
    """Count how often each true class was predicted as each class.

    Parameters
    ----------
    y_true, y_pred : array-like of int, shape (n,)
        True and predicted classes, from 0.
    n_classes : int, default=None
        Number of classes, at most 8,192; None means one more than the largest class present.

    Returns
    -------
    ndarray of int64, shape (n_classes, n_classes)
        Entry ``[i, j]`` counts the rows of true class i predicted as class j.

    Raises
    ------
    TypeError
        If the classes are not integers.
    ValueError
        If the two differ in length, are not 1-D, hold no rows, a negative class or one
        beyond `n_classes`; if there are more than 8,192 classes.
    """
    if n_classes is not None and n_classes > MAX_MATRIX_CLASSES:
        raise ValueError(f"n_classes must be at most {MAX_MATRIX_CLASSES:,}, got {n_classes}")
    true, predicted = _class_codes(y_true, y_pred, n_classes, limit=MAX_MATRIX_CLASSES)
    if n_classes is None:
        n_classes = int(max(true.max(), predicted.max())) + 1
    cells = true * n_classes + predicted
    counts = np.bincount(cells, minlength=n_classes * n_classes)
    return counts.reshape(n_classes, n_classes).astype(np.int64, copy=False)


def classification_metrics(
    y_true: ArrayLike, y_pred: ArrayLike, class_names: Sequence[str] | None = None
) -> Metrics:
    """Precision, recall, F1 and number of samples, overall and per class.

    Parameters
    ----------
    y_true, y_pred : array-like of int, shape (n,)
        True and predicted classes, from 0.
    class_names : sequence of str, default=None
        Name of each class, distinct. None means the classes present, named by their number.

    Returns
    -------
    dict
        ``{"overall": {...}, "classes": {name: {...}}}`` of plain floats and ints, ready for
        ``json.dumps``. Each inner dict has ``precision``, ``recall``, ``f1`` and
        ``num_samples`` (rows of that true class); ``overall`` has ``accuracy`` too, and its
        scores are the means of the classes' scores weighted by ``num_samples``. A score
        whose denominator is zero is 0.

    Raises
    ------
    TypeError
        If the classes are not integers.
    ValueError
        If the two differ in length, are not 1-D, hold no rows, a negative class, one beyond
        int64 or one without a name, or if a name occurs twice.
    """
    if class_names is None:
        true, predicted = _class_codes(y_true, y_pred)
        labels = np.union1d(true, predicted)
        class_names = [str(label) for label in labels]
    else:
        if len(set(class_names)) < len(class_names):
            raise ValueError(f"class_names must be distinct, got {list(class_names)}")
        true, predicted = _class_codes(y_true, y_pred, len(class_names))
        labels = np.arange(len(class_names))
    n_true, n_predicted, hits = (
        np.bincount(np.searchsorted(labels, rows), minlength=len(labels))
        for rows in (true, predicted, true[true == predicted])
    )
    precision, recall, f1 = (
        _ratio(part, whole)
        for part, whole in (
            (hits, n_predicted),
            (hits, n_true),
            (2 * hits, n_predicted + n_true),
        )
    )
    return {
        "overall": {
            "accuracy": accuracy(true, predicted),
            "precision": float(np.average(precision, weights=n_true)),
            "recall": float(np.average(recall, weights=n_true)),
            "f1": float(np.average(f1, weights=n_true)),
            "num_samples": len(true),
        },
        "classes": {
            name: {"precision": float(p), "recall": float(r), "f1": float(f), "num_samples": int(n)}
            for name, p, r, f, n in zip(class_names, precision, recall, f1, n_true, strict=True)
        },
    }


def balanced_accuracy_score(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    *,
    sample_weight: ArrayLike | None = None,
    adjusted: bool = False,
) -> float:
    """Mean over the classes of the share of their rows that are predicted as such.

    Parameters
    ----------
    y_true, y_pred : array-like of shape (n,)
        True and predicted classes, of any kind.
    sample_weight : array-like of shape (n,), default=None
        Weight of each row, >= 0.
    adjusted : bool, default=False
        Whether to scale the score, so that guessing has 0 and perfect predictions have 1.

    Returns
    -------
    float
        From 0 to 1; the higher, the better. NaN, with an `UndefinedMetricWarning`, if it is to be
        adjusted and there is one class alone.

    Raises
    ------
    ValueError
        If the two differ in length, are not 1-D or have no rows; if labels are missing, or text in
        one of the two alone; if a weight is negative or all weights are 0.

    Warns
    -----
    UserWarning
        If a class is predicted that has no rows with a weight above 0; it does not count.
    """
    true, predicted = labels_of("y_true", y_true), labels_of("y_pred", y_pred)
    check_rows(true, "y_pred", predicted)
    check_kinds(true, "y_pred", predicted)
    weights = weights_of(sample_weight, len(true))
    classes, codes = np.unique(np.concatenate([true, predicted]), return_inverse=True)
    codes = codes[: len(true)]
    total = np.bincount(codes, weights, minlength=len(classes))
    each = np.ones(len(true)) if weights is None else weights
    hits = np.bincount(codes, each * (true == predicted), minlength=len(classes))
    present = total > 0
    if not present.all():
        absent = classes[~present].tolist()
        warnings.warn(f"y_pred has the classes {absent}, which y_true has not", stacklevel=2)
    score = float(np.mean(hits[present] / total[present]))
    if not adjusted:
        return score
    n_classes = int(np.count_nonzero(present))
    if n_classes == 1:
        warnings.warn(
            "the adjusted balanced accuracy is not defined for one class alone",
            UndefinedMetricWarning,
            stacklevel=2,
        )
        return float("nan")
    chance = 1 / n_classes
    return (score - chance) / (1 - chance)


def metrics_table(metrics: Metrics) -> str:
    """Lay out what `classification_metrics` returns as an aligned table.

    Parameters
    ----------
    metrics : dict
        As `classification_metrics` returns it.

    Returns
    -------
    str
        A header, one line per class, and the overall scores; no newline at the end.
    """
    overall = metrics["overall"]
    rows = [*metrics["classes"].items(), ("overall", overall)]
    width = max(len("accuracy"), *(len(name) for name, _ in rows))
    rule = "-" * (width + 40)
    lines = [
        f"{name:<{width}}{s['precision']:>11.3f}{s['recall']:>9.3f}{s['f1']:>9.3f}"
        f"{s['num_samples']:>11,}"
        for name, s in rows
    ]
    return "\n".join(
        [
            f"{'class':<{width}}{'precision':>11}{'recall':>9}{'F1':>9}{'samples':>11}",
            rule,
            *lines[:-1],
            rule,
            lines[-1],
            f"{'accuracy':<{width}}{overall['accuracy']:>11.3f}",
        ]
    )


def _ratio(part: NDArray[np.intp], whole: NDArray[np.intp]) -> NDArray[np.float64]:
    """Return the ratio of counts; 0 where there is nothing."""
    return np.divide(part, whole, out=np.zeros(len(part)), where=whole > 0)


def _class_codes(
    y_true: ArrayLike, y_pred: ArrayLike, n_classes: int | None = None, *, limit: int = 2**63
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return both as arrays after checking that they can be compared row by row."""
    true, predicted = np.asarray(y_true), np.asarray(y_pred)
    for name, codes in (("y_true", true), ("y_pred", predicted)):
        if codes.ndim != 1:
            raise ValueError(f"{name} must be 1-D, got shape {codes.shape}")
        if codes.size == 0:
            raise ValueError(f"{name} has no rows")
        if not np.issubdtype(codes.dtype, np.integer):
            raise TypeError(f"{name} must hold integer classes, got {codes.dtype}")
        if codes.min() < 0:
            raise ValueError(f"{name} must hold classes from 0, got {codes.min()}")
        if codes.max() >= limit:
            raise ValueError(f"{name} must hold classes below {limit:,}, got {codes.max()}")
        if n_classes is not None and codes.max() >= n_classes:
            raise ValueError(f"{name} has class {codes.max()}, but there are {n_classes} classes")
    if len(true) != len(predicted):
        raise ValueError(f"y_true has {len(true)} rows, but y_pred has {len(predicted)}")
    return true.astype(np.int64, copy=False), predicted.astype(np.int64, copy=False)
