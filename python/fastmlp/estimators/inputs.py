"""What the network reads: data in its dtype, without what scikit-learn's checks let through."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array, csr_matrix, issparse
from sklearn.base import is_regressor
from sklearn.utils import assert_all_finite, column_or_1d
from sklearn.utils.validation import _check_sample_weight, validate_data

from fastmlp._core import MLP
from fastmlp.estimators.scale import Spread

# Numbers from which on the checks of a fit do not matter beside its first epoch.
MANY = 2**16


class CsrRows(NamedTuple):
    """A matrix in compressed rows, without what SciPy's classes do at each of their attributes."""

    format: str
    shape: tuple[int, int]
    data: NDArray[Any]
    indices: NDArray[Any]
    indptr: NDArray[Any]


class Examples(NamedTuple):
    """What an estimator is trained on, checked."""

    X: Any
    # Labels or numbers as the caller has them.
    y: NDArray[Any]
    sample_weight: NDArray[Any] | None
    # `y` as the network is trained on it; None if the estimator has still to learn the classes.
    encoded: NDArray[Any] | None = None
    # How the features differ in scale; None if nobody has looked.
    spread: Spread | None = None

    def at(self, rows: Any) -> "Examples":
        """Return some of them."""
        weights = None if self.sample_weight is None else self.sample_weight[rows]
        encoded = None if self.encoded is None else self.encoded[rows]
        return Examples(self.X[rows], self.y[rows], weights, encoded)


def read_examples(
    estimator: Any, X: Any, y: Any, sample_weight: Any, *, dtype: str | None, reset: bool
) -> Examples:
    """Check what an estimator is trained on.

    Parameters
    ----------
    estimator : object
        The estimator; with `reset` it learns the features from `X`.
    X, y, sample_weight : object
        As the caller gave them.
    dtype : str or None
        The dtype of `X`; None keeps float32, and makes float64 of all else.
    reset : bool
        Whether `X` may have other features than before.
    """
    for name, values in (("X", X), ("y", y)):
        refuse_times(name, values)
    if is_regressor(estimator):
        refuse_sparse_targets("y", y)
    with np.errstate(over="ignore"):  # what became infinite in `dtype` is refused
        X, y = validate_data(
            estimator,
            X,
            y,
            accept_sparse="csr",
            multi_output=True,
            y_numeric=is_regressor(estimator),
            dtype=dtype or (np.float64, np.float32),
            reset=reset,
            skip_check_array=are_plainly_right(X, y, dtype),
        )
    if y.ndim == 2 and y.shape[1] == 1:
        y = column_or_1d(y, warn=True)
    if sample_weight is not None:
        sample_weight = _check_sample_weight(sample_weight, X, ensure_non_negative=True)
    return Examples(X, y, sample_weight)


def read_inputs(estimator: Any, X: Any, dtype: str) -> Any:
    """Return `X` as a network of this dtype reads it, after the checks that scikit-learn makes.

    They take tens of microseconds, and hundreds for sparse data. What is plainly right is spared
    them: a program that predicts row by row would wait for little else.
    """
    if "feature_names_in_" not in estimator.__dict__:
        plain = plainly_right(X, estimator.n_features_in_, dtype)
        if plain is not None:
            return plain
    refuse_times("X", X)
    X = validate_data(
        estimator, X, accept_sparse="csr", dtype=(np.float64, np.float32), reset=False
    )
    return readable(X, dtype)


def are_plainly_right(X: Any, y: Any, dtype: str | None) -> bool:
    """Say whether scikit-learn would check these examples in vain and return them as they are.

    For large ones it is not asked: it would take memory, and training them takes longer.
    """
    return (
        type(X) is type(y) is np.ndarray
        and X.ndim == 2
        and 0 < X.size <= MANY
        and X.dtype.name in ((dtype,) if dtype else ("float32", "float64"))
        and plainly_right(X, X.shape[1], X.dtype.name) is X
        and y.shape == X.shape[:1]
        and y.dtype.kind in "biuf"
        and bool(np.isfinite(y).all())
    )


def plainly_right(X: Any, n_features: int, dtype: str) -> Any:
    """Return `X` for the network if it needs no validation, else None.

    Parameters
    ----------
    X : object
        What is asked about.
    n_features : int
        How many columns it has to have.
    dtype : str
        The dtype of the network.

    Returns
    -------
    ndarray, CsrRows or None
        Finite numbers of that dtype.
    """
    kind = type(X)
    if kind is np.ndarray:
        if (
            X.ndim == 2
            and X.dtype == dtype
            and X.dtype.isnative
            and X.flags.aligned
            and X.shape[0] > 0
            and X.shape[1] == n_features
            and np.isfinite(X).all()
        ):
            return X
    elif kind is csr_matrix or kind is csr_array:
        data, shape = X.data, X.shape
        if len(shape) != 2 or shape[0] == 0 or shape[1] != n_features:
            return None
        if data.dtype != dtype:
            # Counts of words, for the most part.
            if data.dtype.kind not in "iub":
                return None
            data = data.astype(dtype)
        # The network itself looks at indices and their bounds.
        if np.isfinite(data).all():
            return CsrRows("csr", shape, data, X.indices, X.indptr)
    elif kind is CsrRows:
        return X
    return None


def readable(X: Any, dtype: str, name: str = "X") -> Any:
    """Return `X` in the network's dtype and on aligned addresses; the same object if it is so."""
    if X.dtype != dtype:
        with np.errstate(over="ignore"):
            X = X.astype(dtype)
        # What is finite in float64 may be infinite in float32.
        assert_all_finite(X, input_name=name)
    if isinstance(X, np.ndarray) and not X.flags.aligned:
        return X.copy()
    return X


def as_targets(y: NDArray[Any], network: MLP) -> NDArray[Any]:
    """Return encoded targets in the dtype that the network's output asks for."""
    if network.output == "softmax":
        return y
    with np.errstate(over="ignore"):  # the network refuses what became infinite
        return y.astype(network.dtype)


def refuse_times(name: str, values: Any) -> None:
    """Raise a TypeError for dates and durations: as numbers they would depend on their unit.

    Parameters
    ----------
    name : str
        The argument.
    values : object
        What was given: an array, or a table with one dtype per column.
    """
    dtypes: Any = getattr(values, "dtypes", getattr(values, "dtype", None))
    for dtype in dtypes if hasattr(dtypes, "__iter__") else [dtypes]:
        if getattr(dtype, "kind", "") in ("m", "M"):
            raise TypeError(
                f"{name} has dates or durations of dtype {dtype}, expected numbers: divide "
                "durations by their unit, such as numpy.timedelta64(1, 's')"
            )


def refuse_sparse_targets(name: str, y: Any) -> None:
    """Raise a TypeError for a sparse `y`, which no loss reads."""
    if issparse(y):
        raise TypeError(
            f"{name} is of type {type(y).__name__}, expected a dense array: use {name}.toarray()"
        )
