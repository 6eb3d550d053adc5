"""Measures of predicted numbers against scikit-learn's."""

import re

import numpy as np
import pytest
from hypothesis import given, settings
from measures import assert_agrees, generators, weights

from fastmlp.metrics import (
    UndefinedMetricWarning,
    mean_absolute_error,
    mean_pinball_loss,
    r2_score,
    root_mean_squared_error,
)

ERRORS = ("mean_absolute_error", "root_mean_squared_error", "mean_pinball_loss")


def cases(rng):
    """Targets and predictions of one or more outputs; often constant or right."""
    n, n_outputs = rng.integers(2, 9), rng.integers(1, 4)
    shape = (n,) if n_outputs == 1 and rng.random() < 0.5 else (n, n_outputs)
    if rng.random() < 0.5:
        return [rng.integers(0, 2, shape) * 0.1 for _ in range(2)]
    return [rng.standard_normal(shape) for _ in range(2)]


@pytest.mark.parametrize("name", [*ERRORS, "r2_score"])
@given(rng=generators())
@settings(deadline=None, max_examples=60)
def test_measures_agree_with_scikit_learn(name, rng):
    y_true, y_pred = cases(rng)
    options = {"sample_weight": weights(rng, len(y_true))}
    averages = ["raw_values", "uniform_average"]
    if y_true.ndim == 2 and y_true.shape[1] > 1:
        averages.append(rng.random(y_true.shape[1]))
    if name == "r2_score":
        averages += ["variance_weighted", None]
        options["force_finite"] = bool(rng.integers(2))
    if name == "mean_pinball_loss":
        options["alpha"] = [0, 0.5, 1, rng.random()][rng.integers(4)]
    for average in averages:
        assert_agrees(name, y_true, y_pred, multioutput=average, **options)


def test_lists_and_single_precision_are_measured_in_double_precision():
    y_true, y_pred = np.float32([0.1, 0.2, 0.4]), np.float32([0.2, 0.2, 0.1])
    assert_agrees("mean_absolute_error", y_true.astype(float), y_pred.astype(float))
    assert mean_absolute_error(y_true, y_pred) == mean_absolute_error(
        y_true.tolist(), y_pred.tolist()
    )


def test_of_one_row_r_squared_is_not_defined():
    with pytest.warns(UndefinedMetricWarning, match="R squared is not defined for less than two"):
        assert np.isnan(r2_score([1.0], [2.0]))


@pytest.mark.parametrize(
    "measure", [mean_absolute_error, root_mean_squared_error, mean_pinball_loss, r2_score]
)
@pytest.mark.parametrize(
    ("y_true", "y_pred", "options", "error", "message"),
    [
        ([1, 2], [1], {}, ValueError, "y_true has 2 rows, but y_pred has 1"),
        ([], [], {}, ValueError, "y_true must be 1-D or 2-D and not empty, got shape (0,)"),
        ([[1, 2]], [[1]], {}, ValueError, "y_true has 2 outputs, but y_pred has 1"),
        ([1, 2], [1, np.nan], {}, ValueError, "y_pred must be finite, got nan in row 1"),
        ([1, 2], ["a", "b"], {}, TypeError, "y_pred must hold real numbers, got dtype <U1"),
        (
            [1, 2],
            [1, 2],
            {"sample_weight": [1, -1]},
            ValueError,
            "sample_weight must be >= 0, got -1.0",
        ),
        (
            [1, 2],
            [1, 2],
            {"sample_weight": [0, 0]},
            ValueError,
            "sample_weight must not be 0 for all rows",
        ),
        (
            [1, 2],
            [1, 2],
            {"sample_weight": [1]},
            ValueError,
            "sample_weight has 1 rows, but y_true has 2",
        ),
        (
            [1, 2],
            [1, 2],
            {"multioutput": "mean"},
            ValueError,
            "multioutput must be one of ('raw_values', 'uniform_average'), got 'mean'",
        ),
        (
            [[1, 2]] * 2,
            [[1, 2]] * 2,
            {"multioutput": [1, -1]},
            ValueError,
            "multioutput must not be weights whose sum is 0, got [1.0, -1.0]",
        ),
        (
            [1, 2],
            [1, 2],
            {"multioutput": [1.0]},
            ValueError,
            "multioutput must have one weight for each of several outputs, got shape (1,) for 1",
        ),
    ],
)
def test_bad_arguments(measure, y_true, y_pred, options, error, message):
    if measure is r2_score:  # which has one more choice
        message = message.replace("'uniform_average')", "'uniform_average', 'variance_weighted')")
    with pytest.raises(error, match=f"^{re.escape(message)}$"):
        measure(y_true, y_pred, **options)


def test_a_level_that_is_none():
    with pytest.raises(ValueError, match=r"^alpha must be from 0 to 1, got 1\.5$"):
        mean_pinball_loss([1, 2], [1, 2], alpha=1.5)
