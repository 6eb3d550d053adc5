"""Rows in memory, as a network reads them: what tasks make of partitions."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import issparse, vstack

from fastmlp.dask.plan import held_out
from fastmlp.dask.scaling import Scaling
from fastmlp.estimators.inputs import as_targets


class Rows(NamedTuple):
    """Features, targets and weights of some rows; features may be in CSR format."""

    X: Any
    y: NDArray[Any]
    sample_weight: NDArray[Any] | None

    def aligned(self) -> "Rows":
        """Return them on aligned addresses, which arrays that came over the network need not be."""
        return self._with(aligned)

    def at(self, places: NDArray[np.intp]) -> "Rows":
        """Return some of them."""
        return self._with(lambda values: values[places])

    def _with(self, change: Callable[[Any], Any]) -> "Rows":
        weights = None if self.sample_weight is None else change(self.sample_weight)
        return Rows(change(self.X), change(self.y), weights)


class Held(NamedTuple):
    """Which rows of each partition are held out: a fraction, drawn by a seed, of a fold."""

    seed: int
    fraction: float
    fold: int = 0

    def chosen(self, partition: int, n_rows: int, *, is_held: bool) -> NDArray[np.bool_]:
        """Say which rows of a partition are held out, or which are not."""
        held = held_out(self.seed, partition, n_rows, self.fraction, self.fold)
        return held if is_held else ~held


class Reader(NamedTuple):
    """Reads partitions that a survey has checked.

    Attributes
    ----------
    estimator : MLPClassifier or MLPRegressor
        The estimator in training, which knows its classes and their weights.
    held : Held or None
        What is held out, if anything is.
    """

    estimator: Any
    held: Held | None = None

    def read(
        self, number: int, partition: Sequence[Any], *, is_held: bool, weighs: bool = True
    ) -> Rows:
        """Return the rows of a partition to train on, or those that are held out.

        Parameters
        ----------
        number : int
            Of the partition.
        partition : sequence of X, y and sample_weight
        is_held : bool
            Whether to return the rows that are held out.
        weighs : bool, default=True
            Whether weights of classes count.
        """
        network = self.estimator.network_
        X: Any
        X, y, sample_weight = (
            part if part is None or issparse(part) else np.asarray(part) for part in partition
        )
        assert y is not None
        if y.ndim == 2 and y.shape[1] == 1:
            y = y.ravel()
        if self.held is not None:
            chosen = self.held.chosen(number, len(y), is_held=is_held)
            X, y = X[chosen], y[chosen]
            sample_weight = None if sample_weight is None else sample_weight[chosen]
        if len(y):
            targets = as_targets(self.estimator._encode_validation(y), network)
            if weighs:
                sample_weight = self.estimator._weigh(y, sample_weight, incremental=False)
        else:
            targets = y
        if issparse(X):
            X = X.tocsr().astype(network.dtype, copy=False)
        else:
            X = np.ascontiguousarray(X, dtype=network.dtype)
        return Rows(X, targets, None if sample_weight is None else sample_weight.astype("float64"))


def make_block(
    reader: Reader,
    scaling: Scaling | None,
    numbers: Sequence[int],
    partitions: Sequence[Sequence[Any]],
) -> Rows:
    """Return the rows of some partitions to train on."""
    rows = _joined(
        [
            reader.read(number, partition, is_held=False)
            for number, partition in zip(numbers, partitions, strict=True)
        ]
    )
    return rows if scaling is None else rows._replace(X=scaling.apply(rows.X))


def make_validation(reader: Reader, number: int, partition: Sequence[Any], *, weighs: bool) -> Rows:
    """Return the rows of a partition that are for validation."""
    return reader.read(number, partition, is_held=True, weighs=weighs)


def aligned(values: Any) -> Any:
    """Return the array, or a copy if it is on other addresses than its dtype asks for."""
    if issparse(values):
        parts = [aligned(part) for part in (values.data, values.indices, values.indptr)]
        return type(values)(tuple(parts), shape=values.shape)
    return np.require(values, requirements="A")


def _joined(parts: Sequence[Rows]) -> Rows:
    if len(parts) == 1:
        return parts[0]
    filled = [part for part in parts if len(part.y)]
    X, y, weights = zip(*filled, strict=True)
    return Rows(
        vstack(X, format="csr") if issparse(X[0]) else np.concatenate(X),
        np.concatenate(y),
        None if weights[0] is None else np.concatenate(weights),
    )
