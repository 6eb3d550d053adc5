"""What is learned of all partitions before training: checks, classes, sums.

Each partition is read once by one task; the client adds up, in the order of the partitions.
"""

from collections import Counter
from collections.abc import Sequence
from functools import reduce
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import issparse
from sklearn.utils import check_array
from sklearn.utils.multiclass import check_classification_targets

from fastmlp.estimators.loss import check_targets, loss_of
from fastmlp.estimators.scale import magnitudes


class Moments(NamedTuple):
    """Count, mean and sum of squared deviations of columns.

    They are merged as in T. Chan, G. Golub and R. LeVeque, "Updating formulae and a pairwise
    algorithm for computing sample variances", 1979.
    """

    n: float
    mean: NDArray[np.float64]
    squares: NDArray[np.float64]

    @classmethod
    def of(cls, values: NDArray[Any], weights: NDArray[Any] | None = None) -> Self:
        """Return those of the columns of an array, weighted if asked for."""
        columns = values[:, None] if values.ndim == 1 else values
        n = float(len(values) if weights is None else weights.sum())
        if n == 0:
            return cls(0.0, np.zeros(columns.shape[1]), np.zeros(columns.shape[1]))
        mean = np.average(columns, axis=0, weights=weights).astype(np.float64)
        squares = np.square(columns - mean)
        if weights is not None:
            squares *= weights[:, None]
        return cls(n, mean, squares.sum(axis=0))

    def merged(self, other: Self) -> Self:
        """Return those of the rows of both."""
        n = self.n + other.n
        if n == 0:
            return self
        apart = other.mean - self.mean
        mean = self.mean + apart * (other.n / n)
        squares = self.squares + other.squares + np.square(apart) * (self.n * other.n / n)
        return type(self)(n, mean, squares)

    @property
    def deviation(self) -> NDArray[np.float64]:
        """The standard deviation; 0 without rows."""
        return np.sqrt(self.squares / max(self.n, 1.0))


class Reading(NamedTuple):
    """How partitions are read.

    Attributes
    ----------
    dtype : str
        Of the features.
    n_features : int
    kind : str
        What targets are: "classes", "labels" (an indicator of several) or "numbers".
    loss : object
        The parameter of a regressor; None for classes.
    suffix : str
        What follows the names of the arguments, in messages.
    is_weighted : bool
        Whether rows of weight 0 count for nothing, and others by their weights.
    """

    dtype: str
    n_features: int
    kind: str
    loss: Any
    suffix: str = ""
    is_weighted: bool = False


class Survey(NamedTuple):
    """What is found in some rows."""

    n_rows: int
    n_weighted: int
    # Of numbers; of several labels, whose mean is how often each occurs.
    targets: Moments | None
    # The smallest and the largest of them.
    bounds: NDArray[np.float64] | None
    classes: "Counter[Any] | None"
    classes_dtype: np.dtype[Any] | None
    # Of features that are numbers; of sparse ones there are no moments.
    features: Moments | None = None
    magnitudes: NDArray[np.float64] | None = None
    # Numbers that sparse rows have; None of dense ones.
    n_stored: int | None = None


def survey(reading: Reading, X: Any, y: Any, sample_weight: Any) -> Survey:
    """Read a partition, refuse what cannot be trained on, and say what is in it."""
    name = f"X{reading.suffix}"
    X = check_array(
        X, accept_sparse="csr", dtype=reading.dtype, input_name=name, ensure_min_samples=0
    )
    if X.shape[1] != reading.n_features:
        raise ValueError(
            f"a partition of {name} has {X.shape[1]} features, expected {reading.n_features}"
        )
    found = survey_targets(reading, X, y, sample_weight)
    if issparse(X):
        return found._replace(magnitudes=magnitudes(X).astype(np.float64), n_stored=X.nnz)
    return found._replace(
        features=Moments.of(X), magnitudes=np.abs(X).max(axis=0, initial=0).astype(np.float64)
    )


def survey_targets(reading: Reading, X: Any, y: Any, sample_weight: Any) -> Survey:
    """Read the targets and the weights of a partition; of `X` the number of rows matters alone."""
    names = [f"{name}{reading.suffix}" for name in ("X", "y", "sample_weight")]
    none = {"ensure_min_samples": 0}
    numeric = "numeric" if reading.kind == "numbers" else None
    y = check_array(y, ensure_2d=False, dtype=numeric, input_name=names[1], **none)
    if y.ndim == 2 and y.shape[1] == 1:
        y = y.ravel()
    _check_rows(names[0], X, names[1], y)
    n_weighted = X.shape[0]
    if sample_weight is not None:
        sample_weight = check_array(
            sample_weight, ensure_2d=False, dtype="float64", input_name=names[2], **none
        )
        _check_rows(names[0], X, names[2], sample_weight)
        if sample_weight.min(initial=0) < 0:
            raise ValueError(f"{names[2]} must be >= 0, got {sample_weight.min()}")
        n_weighted = int(np.count_nonzero(sample_weight))
        if reading.is_weighted:
            y, sample_weight = y[sample_weight > 0], sample_weight[sample_weight > 0]
    targets, bounds, classes = None, None, None
    if reading.kind == "classes":
        if len(y):
            check_classification_targets(y)
        labels, counts = np.unique(y, return_counts=True)
        classes = Counter(dict(zip(labels.tolist(), counts.tolist(), strict=True)))
    else:
        if reading.kind == "labels" and not np.isin(y, (0, 1)).all():
            raise ValueError(f"{names[1]} has 2 dimensions, expected an indicator of 0 and 1")
        if reading.kind == "numbers" and len(y):
            check_targets(names[1], y, loss_of(reading.loss), reading.loss)
        columns = (y[:, None] if y.ndim == 1 else y).astype(np.float64)
        targets = Moments.of(columns, sample_weight if reading.is_weighted else None)
        bounds = np.array(
            [columns.min(axis=0, initial=np.inf), columns.max(axis=0, initial=-np.inf)]
        )
    return Survey(
        len(y),
        n_weighted,
        targets,
        bounds,
        classes,
        None if classes is None else y.dtype,
    )


def merged(surveys: Sequence[Survey]) -> Survey:
    """Return what is found in the rows of all of them."""
    return reduce(_merged_pair, surveys)


def classes_of(found: Survey) -> NDArray[Any]:
    """Return the classes in sorted order, of the dtype of the targets."""
    assert found.classes is not None
    return np.array(sorted(found.classes), dtype=found.classes_dtype)


def balanced(found: Survey) -> Any:
    """Return the weights that class_weight='balanced' stands for."""
    if found.classes is not None:
        n, k = found.n_rows, len(found.classes)
        return {label: n / (k * count) for label, count in found.classes.items()}
    assert found.targets is not None
    return [
        {value: 1 / (2 * share) for value, share in ((0, 1 - mean), (1, mean)) if share > 0}
        for mean in found.targets.mean
    ]


def _merged_pair(a: Survey, b: Survey) -> Survey:
    targets, bounds, classes, dtype = a.targets, a.bounds, a.classes, a.classes_dtype
    if targets is not None and b.targets is not None:
        targets = targets.merged(b.targets)
        assert bounds is not None
        assert b.bounds is not None
        bounds = np.array([np.minimum(bounds[0], b.bounds[0]), np.maximum(bounds[1], b.bounds[1])])
    features, largest, n_stored = a.features, a.magnitudes, a.n_stored
    if features is not None and b.features is not None:
        features = features.merged(b.features)
    if largest is not None and b.magnitudes is not None:
        largest = np.maximum(largest, b.magnitudes)
    if n_stored is not None and b.n_stored is not None:
        n_stored += b.n_stored
    if classes is not None and b.classes is not None:
        assert dtype is not None
        assert b.classes_dtype is not None
        classes, dtype = classes + b.classes, np.promote_types(dtype, b.classes_dtype)
    return Survey(
        a.n_rows + b.n_rows,
        a.n_weighted + b.n_weighted,
        targets,
        bounds,
        classes,
        dtype,
        features,
        largest,
        n_stored,
    )


def _check_rows(first: str, X: Any, name: str, values: NDArray[Any]) -> None:
    if len(values) != X.shape[0]:
        raise ValueError(
            f"a partition of {first} has {X.shape[0]} rows, and that of {name} {len(values)}"
        )
