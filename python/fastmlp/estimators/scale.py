"""How far features differ in scale, which decides whether a network learns from all of them."""

import warnings
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import issparse

# Ratio of two features from which on a fit warns.
TOO_FAR = 1e4


class FeatureScaleWarning(UserWarning):
    """Features differ so much in scale that the network learns little from the small ones."""


class Spread(NamedTuple):
    """The features of the largest and of the smallest scale."""

    largest: str
    most: float
    smallest: str
    least: float

    @property
    def ratio(self) -> float:
        """How many times the scale of the smallest that of the largest is; 1 without features."""
        with np.errstate(over="ignore"):
            return float(np.divide(self.most, self.least)) if self.least > 0 else 1.0


def magnitudes(X: Any) -> NDArray[Any]:
    """Return the largest magnitude in each column of an array or a CSR matrix."""
    if issparse(X):
        largest = np.zeros(X.shape[1], X.dtype)
        np.maximum.at(largest, X.indices, np.abs(X.data))
        return largest
    return np.asarray(np.maximum(X.max(axis=0), -X.min(axis=0)))


def spread_of(X: Any, names: NDArray[Any] | None) -> Spread:
    """Compare the features of `X`, but for those that are 0 in all rows.

    Parameters
    ----------
    X : {ndarray, sparse matrix} of shape (n_samples, n_features)
        Finite numbers, of one row or more.
    names : ndarray of shape (n_features,) or None
        Names of the features.

    Returns
    -------
    Spread
        With scales of 0 if all features are 0.
    """
    scales = magnitudes(X).astype(np.float64)
    largest = int(scales.argmax())
    smallest = int(np.where(scales > 0, scales, np.inf).argmin())

    def name(j: int) -> str:
        return f"column {j}" if names is None else f"{names[j]!r}"

    return Spread(name(largest), float(scales[largest]), name(smallest), float(scales[smallest]))


def cure(estimator: object, X: Any) -> str:
    """Return the expression that scales the features before such an estimator sees them."""
    scaler = "MaxAbsScaler" if issparse(X) else "StandardScaler"
    return f"make_pipeline({scaler}(), {type(estimator).__name__}(...))"


def warn_of_scales(estimator: object, X: Any, spread: Spread) -> None:
    """Warn where features differ by more than `TOO_FAR` in scale."""
    if spread.ratio > TOO_FAR:
        warnings.warn(
            f"Features differ in scale: {spread.largest} reaches {spread.most:.3g} in magnitude, "
            f"{spread.ratio:.1g} times as much as {spread.smallest}. A network learns little from "
            f"the small ones, and may diverge. To scale them: {cure(estimator, X)}",
            FeatureScaleWarning,
            stacklevel=2,
        )
