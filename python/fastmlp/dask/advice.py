"""Warnings: of a fit that has little to gain from more machines, and of rows that are sorted."""

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from fastmlp._core import MLP
from fastmlp.dask.plan import Plan
from fastmlp.dask.survey import Survey, merged
from fastmlp.estimators.scale import TOO_FAR, FeatureScaleWarning, spread_of

# Floating-point operations per second that one core is assumed to make. It decides about advice and
# the length of rounds, which must not depend on a measurement: results would depend on it too.
ASSUMED_SPEED = 4e10
# Seconds of computation below which more machines do not pay.
_SHORT = 600.0
# How much the shares of classes, or the mean of targets in deviations, may differ between shards,
# beside what chance does.
_APART = 0.15


class SmallFitWarning(UserWarning):
    """The fit is too small to gain from more than one machine."""


class SortedRowsWarning(UserWarning):
    """The shards differ in their targets, so that averages of their networks are poor."""


def seconds_per_row(network: MLP) -> float:
    """Return the time of a training step per row that `ASSUMED_SPEED` leads to."""
    # A multiplication and an addition per weight in each of three products.
    return 6.0 * sum(weights.size for weights in network.weights) / ASSUMED_SPEED


def warn_of_a_small_fit(network: MLP, n_rows: int, max_iter: int, kind: str) -> None:
    """Warn if one machine trains in less time than more of them are worth."""
    seconds = n_rows * max_iter * seconds_per_row(network)
    if seconds < _SHORT:
        warnings.warn(
            f"{max_iter} epochs of {n_rows} rows take about {seconds:.2g} seconds on one core: "
            f"below {_SHORT / 60:.0f} minutes, {kind} on one machine is likely to be faster",
            SmallFitWarning,
            stacklevel=5,
        )


def warn_of_scales(found: Survey, names: Any) -> None:
    """Warn if features differ in scale, as a fit in memory does."""
    assert found.magnitudes is not None
    spread = spread_of(found.magnitudes[None, :], names)
    if spread.ratio > TOO_FAR:
        warnings.warn(
            f"Features differ in scale: {spread.largest} reaches {spread.most:.3g} in magnitude, "
            f"{spread.ratio:.1g} times as much as {spread.smallest}. A network learns little from "
            "the small ones, and may diverge. To scale them: standardize=True",
            FeatureScaleWarning,
            stacklevel=5,
        )


def warn_of_sorted_rows(plan: Plan, surveys: Sequence[Survey], found: Survey) -> None:
    """Warn if a shard, by the surveys of partitions, has other targets than all rows together."""
    for number, blocks in enumerate(plan.shards):
        shard = merged([surveys[place] for block in blocks for place in block.partitions])
        distance, noise = _distance(shard, found)
        if distance > _APART + noise:
            warnings.warn(
                f"Shard {number} has other targets than the rows as a whole: they seem to be "
                "sorted, which makes averages of networks poor. Shuffle the rows across the "
                "partitions before the fit.",
                SortedRowsWarning,
                stacklevel=5,
            )
            return


def _distance(shard: Survey, found: Survey) -> tuple[float, float]:
    """Return how far the targets of a shard are from those of all rows, and what chance does."""
    if found.classes is not None:
        assert shard.classes is not None
        apart = sum(
            abs(shard.classes[label] / shard.n_rows - count / found.n_rows)
            for label, count in found.classes.items()
        )
        return apart / 2, float(np.sqrt(len(found.classes) / shard.n_rows) / 2)
    assert shard.targets is not None
    assert found.targets is not None
    deviation = found.targets.deviation
    shift = np.abs(shard.targets.mean - found.targets.mean) / np.where(deviation > 0, deviation, 1)
    return float(shift.max()), float(3 / np.sqrt(shard.n_rows))
