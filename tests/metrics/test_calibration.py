"""The calibration error against its formula, and its bins against scikit-learn's."""

import re

import numpy as np
import pytest
from hypothesis import given, settings
from measures import generators, probabilities, tied, weights
from sklearn.calibration import calibration_curve

from fastmlp.metrics import calibration_error


@given(rng=generators())
@settings(deadline=None, max_examples=60)
def test_the_calibration_error_of_one_class_is_what_its_formula_says(rng):
    n, n_bins = rng.integers(1, 30), rng.integers(1, 8)
    y_true, y_proba = rng.integers(0, 2, n), tied(rng, n)
    each = weights(rng, n)
    w = np.ones(n) if each is None else each
    total = 0.0
    for b in range(n_bins):
        above = y_proba > b / n_bins if b else np.full(n, True)
        rows = above & ((y_proba <= (b + 1) / n_bins) if b < n_bins - 1 else True)
        total += abs(np.sum(w[rows] * (y_true[rows] - y_proba[rows])))
    value = calibration_error(y_true, y_proba, n_bins=n_bins, sample_weight=each)
    assert value == pytest.approx(total / w.sum(), abs=1e-12)
    assert 0 <= value <= 1


@pytest.mark.parametrize("strategy", ["uniform", "quantile"])
def test_the_bins_are_those_of_scikit_learn_s_curve(strategy, rng):
    y_true, y_proba = rng.integers(0, 2, 600), rng.random(600) ** 2
    frequencies, means = calibration_curve(y_true, y_proba, n_bins=6, strategy=strategy)
    edges = (
        np.linspace(0, 1, 7) if strategy == "uniform" else np.quantile(y_proba, np.arange(7) / 6)
    )
    share = np.histogram(y_proba, edges)[0] / 600
    expected = np.sum(share * np.abs(frequencies - means))
    value = calibration_error(y_true, y_proba, n_bins=6, strategy=strategy)
    assert value == pytest.approx(expected, rel=1e-12)


def test_the_calibration_error_of_several_classes_is_that_of_the_predicted_one(rng):
    y_true, y_proba = rng.choice(list("abc"), 200), probabilities(rng, 200, 3)
    hits = np.array(list("abc"))[y_proba.argmax(axis=1)] == y_true
    expected = calibration_error(hits, y_proba.max(axis=1), n_bins=7)
    assert calibration_error(y_true, y_proba, n_bins=7) == expected


def test_a_calibration_error_by_hand():
    # Bin (0.8, 1]: 0.9 predicted, half of it true; bin [0, 0.2]: 0.1 predicted, none true.
    y_true, y_proba = [1, 0, 0, 0], [0.9, 0.9, 0.1, 0.1]
    assert calibration_error(y_true, y_proba, n_bins=5) == pytest.approx((0.4 + 0.1) / 2)
    weighted = calibration_error(y_true, y_proba, n_bins=5, sample_weight=[3, 1, 0, 0])
    assert weighted == pytest.approx(0.9 - 0.75)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n_bins": 0}, "n_bins must be an integer of at least 1, got 0"),
        ({"n_bins": 2.5}, "n_bins must be an integer of at least 1, got 2.5"),
        ({"strategy": "wide"}, "strategy must be one of ('uniform', 'quantile'), got 'wide'"),
        ({"pos_label": 2}, "pos_label must be one of the classes [0, 1], got 2"),
    ],
)
def test_bad_arguments_of_the_calibration_error(options, message):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        calibration_error([0, 1], [0.5, 0.5], **options)
