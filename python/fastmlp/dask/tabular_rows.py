"""Rows of tables, as networks read them, and what a network is worth on them."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from distributed import Future
from numpy.typing import NDArray

from fastmlp._core import MLP
from fastmlp.dask.blocks import Held, Rows
from fastmlp.dask.cluster import Cluster
from fastmlp.dask.columns import Columns, columns_of
from fastmlp.dask.validation import Parts
from fastmlp.tabular import target as local
from fastmlp.tabular.base import without_weight_0
from fastmlp.tabular.input import matching_table
from fastmlp.tabular.table import Table
from fastmlp.tabular.target import Classes, Target, calibrate, log_losses


class TableReader(NamedTuple):
    """Reads partitions of tables whose targets a survey has checked.

    Attributes
    ----------
    estimator : TabularClassifier or TabularRegressor
        The draft, which knows its target; where rows are read, also how columns become inputs.
    class_weights : ndarray of shape (n_classes,) or None
    dtype : str
        Of the inputs.
    largest_weight : float
        By which weights are divided: float32 may not hold them, and their scale has no meaning.
    held : Held or None
        What is held out, if anything is.
    is_periodic : bool
        Whether rows are read for networks with periodic features.
    """

    estimator: Any
    class_weights: NDArray[np.float64] | None
    dtype: str = "float32"
    largest_weight: float = 1.0
    held: Held | None = None
    is_periodic: bool = False

    def read(
        self, number: int, partition: Sequence[Any], *, is_held: bool, weighs: bool = True
    ) -> Rows:
        """Return the rows of a partition to train on, or those that are held out.

        With `weighs` weights of classes count, and rows of weight 0 are left out.
        """
        table, labels, weights = self._rows(partition, weighs=weighs)
        if self.held is not None:
            chosen = np.flatnonzero(self.held.chosen(number, len(labels), is_held=is_held))
            table, labels = table.take(chosen), labels[chosen]
            weights = None if weights is None else weights[chosen]
        y = self.estimator._encode(labels)
        if y.dtype.kind == "f":
            y = y.astype(self.dtype)
        if weights is not None:
            weights = (weights / self.largest_weight).astype(self.dtype)
        inputs = self.estimator._front.inputs(table, self.dtype, self.is_periodic)
        return Rows(inputs, y, weights)

    def columns(
        self, number: int, partition: Sequence[Any], is_category: NDArray[np.bool_], seed: int
    ) -> Columns:
        """Say what the columns of a partition hold."""
        table, _, weights = self._rows(partition, weighs=True)
        return columns_of(table, weights, is_category, seed, number)

    def _rows(
        self, partition: Sequence[Any], *, weighs: bool
    ) -> tuple[Table, NDArray[Any], NDArray[np.float64] | None]:
        X, y, sample_weight = partition
        table = matching_table(self.estimator, X)
        labels = self.estimator._checked_target(y)
        weights = None if sample_weight is None else np.asarray(sample_weight, dtype=np.float64)
        if not weighs:
            return table, labels, weights
        table, labels, weights = without_weight_0(table, labels, weights)
        if self.class_weights is not None:
            of_classes = self.class_weights[self.estimator._encode(labels)]
            weights = of_classes if weights is None else weights * of_classes
        return without_weight_0(table, labels, weights)


class TableValidation(Parts):
    """What a network of a table is worth on rows for validation.

    Parameters
    ----------
    target : Target
    cluster, parts
        As those of `Parts`.
    """

    def __init__(self, target: Target, cluster: Cluster, parts: Sequence[Future]) -> None:
        super().__init__(cluster, parts)
        self.target = target

    def score(self, network: MLP) -> float:
        """Return the score: the mean over the rows of all parts."""
        return self._mean(self.each(_weighted_score, network, self.target))

    def finish(self, network: MLP) -> None:
        """Correct the outputs of a trained network, as `Target.finish` does."""
        if not isinstance(self.target, Classes):
            return
        outputs = self.each(_outputs, network)

        def log_loss(factor: float) -> float:
            name = f"calibration-{self.n_measured}-{float(factor)!r}"
            return self._mean(
                [
                    self.cluster.submit(f"{name}-{number}", _weighted_log_loss, out, part, factor)
                    for number, (out, part) in enumerate(zip(outputs, self.parts, strict=True))
                ]
            )

        calibrate(network, log_loss)

    def _mean(self, futures: list[Future]) -> float:
        weights, values = zip(*self.cluster.results(futures), strict=True)
        return float(np.average(values, weights=weights))


def _weighted_score(network: MLP, rows: Rows, target: Target) -> tuple[float, float]:
    """Return the weight of rows, and the score of the network on them."""
    X, y, weights = rows.aligned()
    weight = float(len(y) if weights is None else weights.sum(dtype=np.float64))
    if not weight:
        return 0.0, 0.0
    return weight, target.score(network, local.Rows(X, y, weights), None)


def _outputs(network: MLP, rows: Rows) -> NDArray[np.float64]:
    return network.forward(rows.aligned().X).astype(np.float64)


def _weighted_log_loss(
    outputs: NDArray[np.float64], rows: Rows, factor: float
) -> tuple[float, float]:
    """Return the weight of rows, and their mean log loss."""
    losses = log_losses(outputs, rows.y, factor)
    weights = np.ones(len(losses)) if rows.sample_weight is None else rows.sample_weight
    weight = float(weights.sum(dtype=np.float64))
    if not weight:
        return 0.0, 0.0
    return weight, float(np.average(losses, weights=weights))
