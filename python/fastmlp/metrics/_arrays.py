"""What the measures are given, checked: labels, numbers and weights of rows."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]


class UndefinedMetricWarning(UserWarning):
    """A measure is not defined for these rows."""


def labels_of(name: str, values: ArrayLike) -> NDArray[Any]:
    """Return one label per row.

    Raises
    ------
    ValueError
        If it is not of shape (n,) or (n, 1), has no rows, or holds numbers that are no classes, or
        objects that have no order, as where a label is missing.
    """
    labels = _column(name, np.asarray(values))
    if labels.dtype.kind == "f":
        is_whole = np.isfinite(labels) & (labels == np.floor(labels))
        if not is_whole.all():
            row = int(np.argmin(is_whole))
            raise ValueError(f"{name} must hold classes, got {labels[row]} in row {row}")
    elif labels.dtype.kind == "O":
        try:
            np.sort(labels)
        except TypeError:
            kinds = ", ".join(sorted({type(label).__name__ for label in labels}))
            raise ValueError(
                f"{name} must hold labels of one kind, got values of type {kinds}"
            ) from None
    return labels


def check_kinds(true: NDArray[Any], name: str, other: NDArray[Any]) -> None:
    """Raise a ValueError for text that is compared with anything else: it is never equal."""
    kinds = ["text" if _is_text(labels) else labels.dtype.name for labels in (true, other)]
    if kinds.count("text") == 1:
        raise ValueError(
            f"y_true and {name} must hold labels of one kind, got {kinds[0]} and {kinds[1]}"
        )


def numbers_of(name: str, values: ArrayLike) -> Floats:
    """Return float64 of one or two dimensions, finite; a single column stays as it is."""
    numbers = np.asarray(values)
    if numbers.dtype.kind not in "fiub":
        raise TypeError(f"{name} must hold real numbers, got dtype {numbers.dtype}")
    if numbers.ndim not in (1, 2) or not numbers.size:
        raise ValueError(f"{name} must be 1-D or 2-D and not empty, got shape {numbers.shape}")
    numbers = numbers.astype(np.float64)
    if not np.isfinite(numbers).all():
        row = int(np.argmin(np.isfinite(numbers.reshape(len(numbers), -1)).all(axis=1)))
        raise ValueError(f"{name} must be finite, got {numbers[row]} in row {row}")
    return numbers


def scores_of(name: str, values: ArrayLike) -> Floats:
    """Return one finite number per row."""
    return _column(name, numbers_of(name, values))


def probabilities_of(name: str, values: ArrayLike) -> Floats:
    """Return numbers from 0 to 1."""
    probabilities = numbers_of(name, values)
    low, high = probabilities.min(), probabilities.max()
    if low < 0 or high > 1:
        raise ValueError(f"{name} must be from 0 to 1, got {low if low < 0 else high}")
    return probabilities


def weights_of(sample_weight: ArrayLike | None, n_rows: int) -> Floats | None:
    """Return the weights of the rows: finite, >= 0, and not all of them 0."""
    if sample_weight is None:
        return None
    weights = scores_of("sample_weight", sample_weight)
    if len(weights) != n_rows:
        raise ValueError(f"sample_weight has {len(weights)} rows, but y_true has {n_rows}")
    if weights.min() < 0:
        raise ValueError(f"sample_weight must be >= 0, got {weights.min()}")
    if not weights.any():
        raise ValueError("sample_weight must not be 0 for all rows")
    return weights


def check_rows(y_true: NDArray[Any], name: str, other: NDArray[Any]) -> None:
    """Raise a ValueError for arrays of different lengths."""
    if len(y_true) != len(other):
        raise ValueError(f"y_true has {len(y_true)} rows, but {name} has {len(other)}")


def check_choice(name: str, value: object, choices: tuple[object, ...]) -> None:
    """Raise a ValueError for a value that is none of these."""
    if not any(value is choice or value == choice for choice in choices):
        raise ValueError(f"{name} must be one of {choices}, got {value!r}")


def classes_of(true: NDArray[Any], labels: ArrayLike | None) -> NDArray[Any]:
    """Return the classes in ascending order: those present, or the given ones if they have these.

    Raises
    ------
    ValueError
        If the given ones are out of order or one of those present is missing.
    """
    present = np.unique(true)
    if labels is None:
        return present
    classes = labels_of("labels", labels)
    if not np.array_equal(np.unique(classes), classes):
        raise ValueError(f"labels must be distinct and ascending, got {classes.tolist()}")
    missing = np.setdiff1d(present, classes)
    if len(missing):
        raise ValueError(f"y_true has the class {missing[0]}, which is not in labels")
    return classes


def positive_label(pos_label: Any, classes: NDArray[Any], *, or_greatest: bool = False) -> Any:
    """Return the label of the positive class.

    None means 1, of the classes 0 and 1 or -1 and 1. Of other numbers it is the greatest if that is
    asked for.

    Raises
    ------
    ValueError
        If the positive class is not given and the classes do not tell, or is neither of two.
    """
    known = classes.tolist()
    if pos_label is not None:
        if len(known) == 2 and pos_label not in known:
            raise ValueError(f"pos_label must be one of the classes {known}, got {pos_label!r}")
        return pos_label
    if classes.dtype.kind in "fiub":
        if any(set(known) <= pair for pair in ({0, 1}, {-1, 1})):
            return 1
        if or_greatest:
            return known[-1]
    raise ValueError(f"pos_label must be given for y_true with the classes {known}")


def _is_text(labels: NDArray[Any]) -> bool:
    return labels.dtype.kind in "UT" or isinstance(labels[0], str)


def _column(name: str, values: NDArray[Any]) -> NDArray[Any]:
    if values.ndim == 2 and values.shape[1] == 1:
        values = values[:, 0]
    if values.ndim != 1:
        raise ValueError(f"{name} must be 1-D, got shape {values.shape}")
    if not len(values):
        raise ValueError(f"{name} has no rows")
    return values
