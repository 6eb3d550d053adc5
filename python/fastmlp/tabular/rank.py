"""A column of numbers as its ranks, which periodic features read.

A number becomes the quantile of the standard normal distribution that belongs to its rank in
training, so that the column has the same distribution whatever its own. Between ranks that were
learned it is interpolated, and a value that many rows share has the middle of their ranks, as in
`sklearn.preprocessing.QuantileTransformer`. Beside it may stand the scaled number of `numeric`,
because ranks do not tell how far apart numbers are. What is missing is 0, with one more input that
says so where training saw it.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from fastmlp.tabular.numeric import Numeric, check_finite, quantiles
from fastmlp.tabular.values import Numbers

# There is a knot per so many rows, but no fewer and no more than these.
_ROWS_PER_KNOT = 30
_FEWEST_KNOTS, _MOST_KNOTS = 10, 1_000
# Where a number lies that is smaller or greater than all of training.
_LIMIT = 4.0


@dataclass(frozen=True)
class Rank:
    """What was learned of the ranks of a column of numbers."""

    # The numbers at equal distances of rank, from the smallest to the greatest.
    knots: Numbers
    # Whether there is an input for what is missing.
    marks_missing: bool
    # The column as other networks read it, if its scaled number stands beside the rank.
    beside: Numeric | None = None

    @classmethod
    def learn(
        cls, column: Numeric, values: Numbers, weights: Numbers | None, *, has_number: bool
    ) -> Self:
        """Learn from a column of which other inputs were learned.

        Parameters
        ----------
        column : Numeric
            What was learned before.
        values : ndarray of shape (n_samples,)
            The numbers, NaN where one is missing.
        weights : ndarray of shape (n_samples,) or None
            Weights of the rows, > 0.
        has_number : bool
            Whether the scaled number stands beside the rank.
        """
        is_there = ~np.isnan(values)
        n_knots = np.clip(is_there.sum() // _ROWS_PER_KNOT, _FEWEST_KNOTS, _MOST_KNOTS)
        weights = None if weights is None else weights[is_there]
        shares = np.linspace(0, 1, n_knots)
        knots = quantiles(values[is_there], shares, weights)
        return cls(knots, column.marks_missing, column if has_number else None)

    @property
    def width(self) -> int:
        """Inputs of the column."""
        return 1 + (self.beside is not None) + self.marks_missing

    def write(self, name: str, values: Numbers, inputs: NDArray[np.floating]) -> None:
        """Write the inputs (n_samples, width) of a column.

        Raises
        ------
        ValueError
            If a number is infinite.
        """
        check_finite(name, values)
        missing = np.isnan(values)
        shares = np.linspace(0, 1, len(self.knots))
        # From both sides, which differ where knots are equal.
        below = np.interp(values, self.knots, shares)
        above = np.interp(-values, -self.knots[::-1], shares)
        ranks = np.where(missing, 0.5, (below + (1 - above)) / 2)
        inputs[:, 0] = ndtri(np.clip(ranks, ndtr(-_LIMIT), ndtr(_LIMIT)))
        if self.beside is not None:
            inputs[:, 1] = self.beside.scaled(np.where(missing, self.beside.centre, values))
        if self.marks_missing:
            inputs[:, -1] = missing
