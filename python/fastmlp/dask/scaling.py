"""Standardised features, and a network that makes up for them.

Training sees ``(x - mean) / deviation``. The first layer of the network that a caller gets has
scaling and shift folded in, so that it takes the features as they are.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastmlp._core import MLP
from fastmlp.dask.survey import Moments


class Scaling(NamedTuple):
    """Mean and deviation of each feature, in the dtype of the network."""

    mean: NDArray[Any]
    deviation: NDArray[Any]

    @classmethod
    def of(cls, features: Moments, dtype: str) -> "Scaling":
        """Return those of rows; a feature that is constant keeps its scale."""
        deviation = features.deviation
        constant = deviation <= np.finfo(dtype).eps * np.abs(features.mean)
        deviation = np.where(constant, 1.0, deviation)
        return cls(features.mean.astype(dtype), deviation.astype(dtype))

    def apply(self, X: NDArray[Any]) -> NDArray[Any]:
        """Return standardised rows."""
        scaled = X - self.mean
        scaled /= self.deviation
        return scaled

    def fold(self, network: MLP) -> None:
        """Make a network of standardised features one of features as they are."""
        weights, biases = network.weights[0], network.biases[0]
        folded = weights / self.deviation[:, None].astype(np.float64)
        biases[...] = biases - self.mean.astype(np.float64) @ folded
        weights[...] = folded

    def unfold(self, network: MLP) -> None:
        """Make a network of features as they are one of standardised features."""
        weights, biases = network.weights[0], network.biases[0]
        biases[...] = biases + self.mean.astype(np.float64) @ weights.astype(np.float64)
        weights[...] = weights * self.deviation[:, None].astype(np.float64)
