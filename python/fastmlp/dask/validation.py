"""Scores on rows that no step is made on, added up over partitions."""

from collections.abc import Callable, Sequence
from functools import reduce
from typing import Any, NamedTuple

import numpy as np
from distributed import Future
from numpy.typing import NDArray
from sklearn.base import is_classifier

from fastmlp._core import MLP
from fastmlp.dask.blocks import Rows
from fastmlp.dask.cluster import Cluster
from fastmlp.dask.survey import Moments
from fastmlp.dask.tasks import itself
from fastmlp.estimators.loss import has_several_levels
from fastmlp.estimators.validation import Measured
from fastmlp.losses import Loss, SquaredError


class Sums(NamedTuple):
    """What is measured on some rows, as sums over them."""

    weight: float
    loss: float
    n_right: float
    # Of a regressor: moments of the targets, and the squared errors of each.
    targets: Moments | None
    squared_errors: NDArray[np.float64] | None

    def merged(self, other: "Sums") -> "Sums":
        """Return the sums over the rows of both."""
        if not (self.weight and other.weight):
            return self if self.weight else other
        targets, squared_errors = self.targets, self.squared_errors
        if targets is not None and other.targets is not None:
            targets = targets.merged(other.targets)
        if squared_errors is not None and other.squared_errors is not None:
            squared_errors = squared_errors + other.squared_errors
        return Sums(
            self.weight + other.weight,
            self.loss + other.loss,
            self.n_right + other.n_right,
            targets,
            squared_errors,
        )


def measure(network: MLP, rows: Rows, has_r2: bool) -> Sums:
    """Measure a network on rows."""
    X, y, sample_weight = rows.aligned()
    weight = float(len(y) if sample_weight is None else sample_weight.sum())
    if not weight:
        return Sums(0.0, 0.0, 0.0, None, None)
    if has_r2:
        loss = network.loss(X, y, sample_weight=sample_weight)
        columns = (y[:, None] if y.ndim == 1 else y).astype(np.float64)
        errors = Moments.of(np.square(columns - network.predict(X)), sample_weight)
        targets = Moments.of(columns, sample_weight)
        return Sums(weight, weight * loss, np.nan, targets, weight * errors.mean)
    if network.output in ("softmax", "sigmoid"):
        loss, accuracy = network.evaluate(X, y, sample_weight=sample_weight)
    else:
        loss, accuracy = network.loss(X, y, sample_weight=sample_weight), np.nan
    return Sums(weight, weight * loss, weight * accuracy, None, None)


class Parts:
    """Rows for validation that are in the memory of the workers.

    Parameters
    ----------
    cluster : Cluster
    parts : sequence of Future
        Rows of each.
    """

    def __init__(self, cluster: Cluster, parts: Sequence[Future]) -> None:
        self.cluster = cluster
        self.parts = parts
        self.n_measured = 0

    def each(self, function: Callable[..., Any], network: MLP, *arguments: Any) -> list[Future]:
        """Call a function of a network, of the rows of each part, and of further arguments."""
        self.n_measured += 1
        shared = self.cluster.submit(f"network-{self.n_measured}", itself, network.copy())
        return [
            self.cluster.submit(
                f"validation-{self.n_measured}-{number}", function, shared, part, *arguments
            )
            for number, part in enumerate(self.parts)
        ]


class ClusterValidation(Parts):
    """Score and loss of an estimator in training.

    Parameters
    ----------
    estimator : MLPClassifier or MLPRegressor
    cluster, parts
        As those of `Parts`.
    """

    def __init__(self, estimator: Any, cluster: Cluster, parts: Sequence[Future]) -> None:
        super().__init__(cluster, parts)
        self.scores_loss = estimator.scoring == "loss"
        self.has_r2 = not is_classifier(estimator) and not self.scores_loss
        # The loss of training is a mean over the outputs where scikit-learn's is.
        averages = isinstance(estimator._loss, SquaredError)
        self.n_terms = estimator.n_outputs_ if averages else 1

    def measure(self, network: MLP) -> Measured:
        """Return score and loss of the network; the score is NaN where the loss is not finite."""
        sums = reduce(Sums.merged, self.cluster.results(self.each(measure, network, self.has_r2)))
        loss = sums.loss / sums.weight / self.n_terms
        if not np.isfinite(loss):
            return Measured(np.nan, loss)
        if self.scores_loss:
            return Measured(-loss, loss)
        if sums.targets is None or sums.squared_errors is None:
            return Measured(sums.n_right / sums.weight, loss)
        return Measured(_r2(sums.squared_errors, sums.targets), loss)


def check_scoring(estimator: Any) -> None:
    """Raise a ValueError for a score that is no sum over rows."""
    own = "accuracy" if is_classifier(estimator) else "r2"
    if estimator.scoring not in (None, own, "loss"):
        raise ValueError(
            f"scoring must be None, {own!r} or 'loss', which add up over partitions, got "
            f"{estimator.scoring!r}"
        )
    is_scored = isinstance(estimator._loss, Loss) and not has_several_levels(estimator._loss)
    if not is_scored and estimator.scoring != "loss":
        raise ValueError(f"loss={estimator.loss!r} needs scoring='loss', got {estimator.scoring!r}")


def _r2(squared_errors: NDArray[np.float64], targets: Moments) -> float:
    """Return the mean over the targets of R squared; as scikit-learn has it for constant ones."""
    # The mean of equal numbers may be off by a rounding error.
    varies = targets.deviation > 4 * np.finfo(np.float64).eps * np.abs(targets.mean)
    explained = 1 - squared_errors / np.where(varies, targets.squares, 1)
    explained[~varies] = np.where(squared_errors[~varies] > 0, 0.0, 1.0)
    return float(explained.mean())
