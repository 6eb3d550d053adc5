"""A column of numbers as inputs of a network.

A number x becomes ``z / sqrt(1 + (z / 3)**2)`` with ``z = (x - centre) * scale``: the median goes
to 0, most numbers come to lie between -1 and 1, and an outlier stays below 3 [1]_. Beside it stand
its places in bins with about as many rows each [2]_: 0 below a bin, 1 above, linear within,
so that one layer can follow any piecewise linear function of x. What is missing counts as the
median, with one more input that says so where training saw it.

References
----------
.. [1] D. Holzmüller, L. Grinsztajn and I. Steinwart, "Better by default: strong pre-tuned MLPs and
   boosted trees on tabular data", NeurIPS 2024.
.. [2] Y. Gorishniy, I. Rubachev and A. Babenko, "On embeddings for numerical features in tabular
   deep learning", NeurIPS 2022.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from fastmlp.tabular.values import Numbers

# Where the smooth clipping ends.
_LIMIT = 3.0
# What is further away is there already.
_FAR = 1e12
_LARGEST = np.finfo(np.float64).max


@dataclass(frozen=True)
class Numeric:
    """What was learned of a column of numbers."""

    centre: float
    # 0 for a column that has one value.
    scale: float
    # Ascending; none if the column has no bins.
    edges: Numbers
    # Whether there is an input for what is missing.
    marks_missing: bool

    @classmethod
    def learn(cls, name: str, values: Numbers, weights: Numbers | None, n_bins: int) -> Self | None:
        """Learn from a column; None if it says nothing, having one value at most.

        Parameters
        ----------
        name : str
            What messages call the column.
        values : ndarray of shape (n_samples,)
            The numbers, NaN where one is missing.
        weights : ndarray of shape (n_samples,) or None
            Weights of the rows, > 0. Twice the weight counts as a row that is there twice.
        n_bins : int
            Bins, at most.

        Raises
        ------
        ValueError
            If a number is infinite.
        """
        check_finite(name, values)
        is_there = ~np.isnan(values)
        marks_missing = not is_there.all()
        values = values[is_there]
        if weights is not None:
            weights = weights[is_there]
        if not len(values) or (values.min() == values.max() and not marks_missing):
            return None
        low, centre, high = quantiles(values, np.array([0.25, 0.5, 0.75]), weights)
        edges = _edges(values, weights, n_bins)
        with np.errstate(over="ignore", divide="ignore"):
            spreads = (high - low, (values.max() - values.min()) / 2)
            scale = next((1 / spread for spread in spreads if 0 < 1 / spread < np.inf), 0.0)
        return cls(float(centre), float(scale), edges, marks_missing)

    @property
    def width(self) -> int:
        """Inputs of the column."""
        return 1 + max(len(self.edges) - 1, 0) + self.marks_missing

    def write(self, name: str, values: Numbers, inputs: NDArray[np.floating]) -> None:
        """Write the inputs (n_samples, width) of a column.

        Raises
        ------
        ValueError
            If a number is infinite.
        """
        check_finite(name, values)
        missing = np.isnan(values)
        values = np.where(missing, self.centre, values)
        inputs[:, 0] = self.scaled(values)
        if len(self.edges):
            self._write_bins(values, inputs[:, 1 : len(self.edges)])
        if self.marks_missing:
            inputs[:, -1] = missing

    def scaled(self, values: Numbers) -> Numbers:
        """Return finite numbers scaled, and clipped smoothly."""
        with np.errstate(over="ignore"):
            from_centre = np.clip(values - self.centre, -_LARGEST, _LARGEST)
            z = np.clip(from_centre * self.scale, -_FAR, _FAR)
        return z / np.hypot(1, z / _LIMIT)

    def _write_bins(self, values: Numbers, inputs: NDArray[np.floating]) -> None:
        """Write the places of numbers in bins (n_samples, n_bins)."""
        n_bins = len(self.edges) - 1
        own = np.clip(np.searchsorted(self.edges, values, side="right") - 1, 0, n_bins - 1)
        low, high = self.edges[own], self.edges[own + 1]
        # The bins below the one that a number lies in are full.
        inputs[:] = np.tri(n_bins, k=-1, dtype=inputs.dtype)[own]
        with np.errstate(over="ignore"):
            inputs[np.arange(len(own)), own] = np.clip((values - low) / (high - low), 0, 1)


def _edges(values: Numbers, weights: Numbers | None, n_bins: int) -> Numbers:
    """Return the edges of bins between which about as many rows lie.

    A number that has more rows than that is an edge by itself, and the others share the other bins.
    """
    if not n_bins:
        return np.empty(0)
    distinct, places = np.unique(values, return_inverse=True)
    if len(distinct) <= n_bins:
        # Two numbers are told apart without a bin.
        return distinct if len(distinct) > 2 else np.empty(0)
    counts = np.bincount(places, weights)
    frequent = counts * n_bins > counts.sum()
    n_others = max(n_bins - int(frequent.sum()), 1)
    is_other = ~frequent[places]
    others = weights if weights is None else weights[is_other]
    between = quantiles(values[is_other], np.linspace(0, 1, n_others + 1), others)
    return np.union1d(distinct[frequent], between)


def quantiles(values: Numbers, shares: Numbers, weights: Numbers | None) -> Numbers:
    """Return the numbers below which these shares of the weight lie."""
    # Of the methods of NumPy the one that knows weights.
    return np.quantile(values, shares, method="inverted_cdf", weights=weights)


def check_finite(name: str, values: Numbers) -> None:
    """Refuse infinite numbers."""
    if np.isinf(values).any():
        raise ValueError(f"Input X contains infinity in column {name}")
