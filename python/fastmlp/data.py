"""Data for a classifier: make it, read it, split it, weigh its classes, standardise it."""

from collections.abc import Sequence
from itertools import accumulate
from numbers import Real
from operator import index
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastmlp._extras import require
from fastmlp.reading.csv_hints import DataError
from fastmlp.reading.csv_reader import Table, read_csv

__all__ = [
    "DataError",
    "Table",
    "class_counts",
    "class_weights",
    "make_spiral",
    "read_csv",
    "shuffle",
    "split",
    "standardize",
]

RandomState: TypeAlias = int | np.random.Generator | np.random.RandomState | None

MAX_CLASSES = 2**24  # bounds the memory that one wrong class code can claim


def make_spiral(
    n_samples: int = 1500,
    n_classes: int = 3,
    *,
    noise: float = 0.2,
    random_state: RandomState = None,
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Make points on interleaved spiral arms, one arm per class.

    Along arm c the radius r grows linearly from 0 to 1 and the angle t, in radians, from 4c to 4(c
    + 1), plus normal noise; a point is (r sin t, r cos t). No straight line separates the arms. The
    data set is that of Stanford's CS231n course notes, "Putting it together: minimal neural network
    case study".

    Parameters
    ----------
    n_samples : int, default=1500
        Number of points, at least `n_classes`. If it is not a multiple of `n_classes`, the first
        arms have one point more.
    n_classes : int, default=3
        Number of arms, at least 1.
    noise : float, default=0.2
        Standard deviation of the angle's noise in radians, >= 0.
    random_state : None, int, Generator or RandomState, default=None
        Source of the noise; an int >= 0 gives the same points every time.

    Returns
    -------
    X : ndarray of float64, shape (n_samples, 2)
        Points in the unit disc, arm by arm, from the centre outwards.
    y : ndarray of int64, shape (n_samples,)
        Arm of each point.

    Raises
    ------
    TypeError
        If a count is not an integer or the noise not a real number.
    ValueError
        If an argument is outside its range.
    """
    n_samples, n_classes = _integer("n_samples", n_samples), _integer("n_classes", n_classes)
    if n_classes < 1:
        raise ValueError(f"n_classes must be at least 1, got {n_classes}")
    if n_samples < n_classes:
        raise ValueError(f"n_samples must be at least n_classes = {n_classes}, got {n_samples}")
    if not isinstance(noise, Real):
        raise TypeError(f"noise must be a real number, got {noise!r}")
    if not 0 <= noise < np.inf:
        raise ValueError(f"noise must be finite and >= 0, got {noise}")
    rng = _generator(random_state)
    arms = []
    for c in range(n_classes):
        n = n_samples // n_classes + (c < n_samples % n_classes)
        radius = np.linspace(0, 1, n)
        angle = np.linspace(4 * c, 4 * (c + 1), n) + noise * rng.standard_normal(n)
        arms.append(radius[:, None] * np.column_stack([np.sin(angle), np.cos(angle)]))
    return np.concatenate(arms), np.repeat(np.arange(n_classes), [len(arm) for arm in arms])


def shuffle(
    X: NDArray[Any], y: NDArray[Any], *, random_state: RandomState = None
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Put the rows in a random order, the same for both.

    Parameters
    ----------
    X : ndarray, shape (n, ...)
        Features, any dtype.
    y : ndarray, shape (n,)
        Labels, any dtype.
    random_state : None, int, Generator or RandomState, default=None
        Source of the order; an int >= 0 gives the same order every time.

    Returns
    -------
    X, y : ndarray
        Copies with the rows reordered.

    Raises
    ------
    ValueError
        If X and y differ in length.
    """
    X, y = _paired(X, y)
    order = _generator(random_state).permutation(len(y))
    return X[order], y[order]


def split(
    X: NDArray[Any],
    y: NDArray[Any],
    *,
    fractions: Sequence[float] = (0.70, 0.15, 0.15),
    random_state: RandomState = None,
) -> list[tuple[NDArray[Any], NDArray[Any]]]:
    """Split the rows at random into parts with the class proportions of the whole.

    The proportions hold to within one row: of n rows of a class, a part with fraction f gets n f
    rounded up or down.

    Parameters
    ----------
    X : ndarray, shape (n, ...)
        Features, any dtype.
    y : ndarray, shape (n,)
        Labels of one kind, any dtype; at least as many rows of each class as there are parts.
    fractions : sequence of float, default=(0.70, 0.15, 0.15)
        Share of each part: two or more numbers > 0 that sum to 1. The default is for
        training, validation and test.
    random_state : None, int, Generator or RandomState, default=None
        Source of the order; an int >= 0 gives the same parts every time.

    Returns
    -------
    list of (X, y)
        One pair of copies per part, rows in random order; each row is in exactly one part.

    Raises
    ------
    TypeError
        If `fractions` is not a sequence of numbers, or `y` holds labels that have no order,
        such as numbers beside text.
    ValueError
        If X and y differ in length, if the fractions are not as above, if a class has fewer
        rows than there are parts, or if a part would be empty.
    """
    X, y = _paired(X, y)
    fractions = _shares(fractions)
    try:
        classes, codes = np.unique(y, return_inverse=True)
    except TypeError as error:
        raise TypeError(f"y must hold labels of one kind: {error}") from error
    order = _generator(random_state).permutation(len(y))
    codes = codes[order]
    ends = np.array([*accumulate(fractions[:-1]), 1.0])
    part = np.empty(len(y), dtype=np.int64)
    by_class = np.split(np.argsort(codes, kind="stable"), np.bincount(codes).cumsum()[:-1])
    for c, (label, rows) in enumerate(zip(classes, by_class, strict=True)):
        if len(rows) < len(fractions):
            raise ValueError(
                f"a split into {len(fractions)} parts needs as many rows of each class, "
                f"but class {label} has {len(rows)}"
            )
        # A cut is floor(n end + shift) with one shift in (0, 1) per class: the parts of a class are
        # then n f rounded up or down, and over the classes the roundings cancel.
        cuts = np.floor(len(rows) * ends + (c + 0.5) / len(classes))
        part[rows] = np.searchsorted(cuts, np.arange(len(rows)), side="right")
    parts = [order[part == p] for p in range(len(fractions))]
    for fraction, rows in zip(fractions, parts, strict=True):
        if not rows.size:
            raise ValueError(f"a part with fraction {fraction} of {len(y)} rows would be empty")
    return [(X[rows], y[rows]) for rows in parts]


def class_counts(y: ArrayLike, n_classes: int | None = None) -> NDArray[np.int64]:
    """Count the rows of each class.

    Parameters
    ----------
    y : array-like of int, shape (n,)
        Classes, from 0 and below 2**24.
    n_classes : int, default=None
        Number of classes, at most 2**24; None means one more than the largest in `y`.

    Returns
    -------
    ndarray of int64, shape (n_classes,)
        Entry c counts the rows of class c.

    Raises
    ------
    TypeError
        If `y` does not hold integers.
    ValueError
        If `y` is not 1-D, has no rows, a negative class or one beyond `n_classes`; if a class
        or `n_classes` is too large, see above.
    """
    y = np.asarray(y)
    if y.ndim != 1 or not y.size:
        raise ValueError(f"y must be 1-D and hold rows, got shape {y.shape}")
    if not np.issubdtype(y.dtype, np.integer):
        raise TypeError(f"y must hold integer classes, got {y.dtype}")
    if y.min() < 0:
        raise ValueError(f"y must hold classes from 0, got {y.min()}")
    if y.max() >= MAX_CLASSES:
        raise ValueError(f"y must hold classes below {MAX_CLASSES:,}, got {y.max()}")
    if n_classes is not None:
        if n_classes > MAX_CLASSES:
            raise ValueError(f"n_classes must be at most {MAX_CLASSES:,}, got {n_classes}")
        if y.max() >= n_classes:
            raise ValueError(f"y has class {y.max()}, but there are {n_classes} classes")
    return np.bincount(y.astype(np.int64), minlength=n_classes or 0).astype(np.int64)


def class_weights(
    y: ArrayLike,
    scheme: Literal["balanced", "inverse"] = "balanced",
    n_classes: int | None = None,
) -> NDArray[np.float64]:
    """Weights that give every class the same influence on the loss.

    Parameters
    ----------
    y : array-like of int, shape (n,)
        Classes, from 0 and below 2**24.
    scheme : {"balanced", "inverse"}, default="balanced"
        "inverse" is ``1 / count``. "balanced" is ``n / (n_classes * count)``, as in
        scikit-learn, which makes the mean weight of the rows 1.
    n_classes : int, default=None
        Number of classes, at most 2**24; None means one more than the largest in `y`.

    Returns
    -------
    ndarray of float64, shape (n_classes,)
        Weight of each class.

    Raises
    ------
    TypeError
        If `y` does not hold integers.
    ValueError
        If `class_counts` rejects `y`, if a class has no rows, or if the scheme is unknown.
    """
    if scheme not in ("balanced", "inverse"):
        raise ValueError(f"scheme must be 'balanced' or 'inverse', got {scheme!r}")
    counts = class_counts(y, n_classes)
    if not counts.all():
        raise ValueError(f"class {counts.argmin()} has no rows in y, so it has no weight")
    weights = 1 / counts
    return weights if scheme == "inverse" else weights * (counts.sum() / len(counts))


def standardize(
    X_train: ArrayLike,
    *others: ArrayLike,
    dtype: Literal["float32", "float64"] = "float32",
) -> tuple[Any, tuple[NDArray[Any], ...]]:
    """Shift and scale each feature to mean 0 and standard deviation 1 over the training part.

    Parameters
    ----------
    X_train : array-like, shape (n, d)
        Features of the training part, from which mean and scale are computed.
    *others : array-like, shape (m, d)
        Features of the other parts, scaled in the same way.
    dtype : {"float32", "float64"}, default="float32"
        Type of the arrays returned; the arithmetic is in float64.

    Returns
    -------
    scaler : sklearn.preprocessing.StandardScaler
        Fitted to `X_train`; ``mean_`` and ``scale_`` are float64. A constant feature has
        scale 1.
    arrays : tuple of ndarray
        `X_train` and the others, standardised.

    Raises
    ------
    ImportError
        If scikit-learn is not installed.
    TypeError
        If an array is sparse, or holds dates or durations, whose numbers depend on their unit.
    ValueError
        If `dtype` is neither of these; if an array is not 2-D, is empty, or has another number of
        features than `X_train`; if a value is not finite, before or after standardising; if a
        variance is not finite.
    """
    if dtype not in ("float32", "float64"):
        raise ValueError(f"dtype must be 'float32' or 'float64', got {dtype!r}")
    preprocessing = require("sklearn.preprocessing", "standardize")
    given = {"X_train": X_train} | {f"others[{i}]": X for i, X in enumerate(others)}
    arrays = {name: _real(name, X) for name, X in given.items()}
    n_features = arrays["X_train"].shape[-1:]
    for name, X in arrays.items():
        if X.ndim != 2 or not X.size:
            raise ValueError(f"{name} must be 2-D and not empty, got shape {X.shape}")
        if X.shape[1:] != n_features:
            raise ValueError(f"{name} has {X.shape[1]} features, but X_train has {n_features[0]}")
        check_finite(name, X, X, "finite")
    scaler = preprocessing.StandardScaler()
    with np.errstate(over="ignore", invalid="ignore"):  # overflow is reported with its position
        X = arrays["X_train"]
        scaler.fit(X)
        if not np.isfinite(scaler.var_).all():
            column = np.isfinite(scaler.var_).argmin()
            row = np.abs(X[:, column]).argmax()
            raise ValueError(
                f"X_train must have a finite variance, got {X[row, column]} in row {row}, "
                f"column {column}"
            )
        standardized = tuple(scaler.transform(X).astype(dtype) for X in arrays.values())
    for (name, X), result in zip(arrays.items(), standardized, strict=True):
        check_finite(name, X, result, f"finite once standardized to {dtype}")
    return scaler, standardized


def check_finite(name: str, X: NDArray[Any], result: NDArray[Any], expected: str) -> None:
    """Raise a ValueError with the position and value in `X` where `result` is not finite."""
    wrong = np.argwhere(~np.isfinite(result))
    if wrong.size:
        row, column = wrong[0]
        raise ValueError(
            f"{name} must be {expected}, got {X[row, column]} in row {row}, column {column}"
        )


def _real(name: str, values: ArrayLike) -> NDArray[np.float64]:
    if hasattr(values, "toarray"):
        kind = type(values).__name__
        raise TypeError(f"{name} is of type {kind}, expected a dense array: use {name}.toarray()")
    found = np.asarray(values)
    if found.dtype.kind in "mM":
        raise TypeError(
            f"{name} has dtype {found.dtype}, expected numbers: divide by a unit of time"
        )
    return np.asarray(found, dtype=np.float64)


def _integer(name: str, value: int) -> int:
    try:
        return index(value)
    except TypeError:
        raise TypeError(f"{name} must be an integer, got {value!r}") from None


def _shares(fractions: Sequence[float]) -> tuple[float, ...]:
    expected = "fractions must be two or more numbers > 0 that sum to 1"
    try:
        shares = tuple(map(float, fractions))
    except (TypeError, ValueError):
        raise TypeError(f"{expected}, got {fractions!r}") from None
    if len(shares) < 2 or min(shares) <= 0 or not np.isclose(sum(shares), 1):
        raise ValueError(f"{expected}, got {shares}")
    return shares


def _paired(X: NDArray[Any], y: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    X, y = np.asarray(X), np.asarray(y)
    if y.ndim != 1 or X.shape[:1] != y.shape:
        raise ValueError(f"X and y must have the same rows, got shapes {X.shape} and {y.shape}")
    return X, y


def _generator(random_state: RandomState) -> np.random.Generator | np.random.RandomState:
    if isinstance(random_state, np.random.RandomState):
        return random_state
    try:
        return np.random.default_rng(random_state)
    except (TypeError, ValueError) as error:
        raise type(error)(
            "random_state must be None, an int >= 0, a Generator or a RandomState, "
            f"got {random_state!r}"
        ) from error
