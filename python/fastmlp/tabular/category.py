"""A column of categories as inputs of a network: one per category that is frequent enough."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from fastmlp.tabular.values import Numbers, Text

# Categories with an input of their own; those that are less frequent share one.
MAX_CATEGORIES = 100
# Text with more values than this is no category if most of them occur once or twice.
_FEW = 20


@dataclass(frozen=True)
class Category:
    """What was learned of a column of categories.

    Two categories are 1 and -1 of one input, more have inputs that are 0 or 1. What is missing is 0
    in all of them, and so is a category that training did not see, unless rare ones share an input.
    """

    # In the order of their inputs, which is that of the alphabet.
    levels: tuple[str, ...]
    # Whether rare categories share an input, the last one.
    has_others: bool

    @classmethod
    def learn(cls, values: Text, weights: Numbers | None) -> Self | None:
        """Learn from a column; None if it says nothing, having one value at most.

        Parameters
        ----------
        values : Text
            Names of categories.
        weights : ndarray of shape (n_samples,) or None
            Weights of the rows, > 0.
        """
        levels = sorted(values.names)
        if not levels or (len(levels) == 1 and values.codes.min() == 0):
            return None
        if len(levels) <= MAX_CATEGORIES:
            return cls(tuple(levels), False)
        codes = encode(values, levels)
        counts = np.bincount(codes + 1, weights, minlength=len(levels) + 1)[1:]
        frequent = np.sort(np.argsort(counts, kind="stable")[1 - MAX_CATEGORIES :])
        return cls(tuple(levels[level] for level in frequent), True)

    @property
    def width(self) -> int:
        """Inputs of the column."""
        return 1 if self._is_pair else len(self.levels) + self.has_others

    def write(self, values: Text, inputs: NDArray[np.floating]) -> None:
        """Write the inputs (n_samples, width) of a column."""
        codes = encode(values, self.levels)
        if self._is_pair:
            inputs[:, 0] = np.array([1, -1, 0])[codes]  # the last is that of code -1
            return
        inputs[:] = 0
        (rows,) = np.nonzero(codes >= 0)
        inputs[rows, codes[rows]] = 1
        if self.has_others:
            inputs[:, -1] = (codes < 0) & (values.codes >= 0)

    @property
    def _is_pair(self) -> bool:
        return len(self.levels) == 2 and not self.has_others


def encode(values: Text, levels: Sequence[str]) -> NDArray[np.intp]:
    """Return the place of each value among the levels, -1 where it is not there."""
    places = {level: place for place, level in enumerate(levels)}
    of_names = [places.get(name, -1) for name in values.names]
    return np.array([*of_names, -1])[values.codes]  # the last is that of code -1


def is_free_text(n_levels: int, n_values: int) -> bool:
    """Say whether text does not name categories: all values are different, or most are rare."""
    one_each = n_levels == n_values > 2
    return one_each or (n_levels > _FEW and n_levels > n_values / 2)
