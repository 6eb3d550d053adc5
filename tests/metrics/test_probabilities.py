"""Measures of probabilities against scikit-learn's."""

import re

import numpy as np
import pytest
from hypothesis import given, settings
from measures import assert_agrees, generators, labels, probabilities, tied, weights

from fastmlp.metrics import brier_score_loss, calibration_error, log_loss


@pytest.mark.parametrize("name", ["log_loss", "brier_score_loss"])
@given(rng=generators())
@settings(deadline=None, max_examples=60)
def test_several_classes_agree_with_scikit_learn(name, rng):
    n, n_classes = rng.integers(1, 12), rng.integers(2, 6)
    classes = np.unique(labels(np.random.default_rng(rng.integers(99)), 99, n_classes))
    y_true = classes[rng.integers(0, len(classes), n)]
    y_proba = probabilities(rng, n, len(classes))
    option = {"log_loss": "normalize", "brier_score_loss": "scale_by_half"}[name]
    options = {option: bool(rng.integers(2)), "sample_weight": weights(rng, n)}
    assert_agrees(name, y_true, y_proba, labels=classes, **options)
    if len(np.unique(y_true)) == len(classes):
        assert_agrees(name, y_true, y_proba, **options)


@pytest.mark.parametrize("name", ["log_loss", "brier_score_loss"])
@given(rng=generators())
@settings(deadline=None, max_examples=60)
def test_one_column_agrees_with_scikit_learn(name, rng):
    n = rng.integers(2, 12)
    y_true = np.resize(labels(rng, 2, 2), n)
    y_true[:2] = np.array([0, 1] if y_true.dtype.kind != "U" else ["a", "b"], y_true.dtype)
    is_text = name == "brier_score_loss" and y_true.dtype.kind == "U"
    options = {"pos_label": ["a", "b"][rng.integers(2)]} if is_text else {}
    y_proba = tied(rng, (n, 1)[: rng.integers(1, 3)])
    assert_agrees(name, y_true, y_proba, sample_weight=weights(rng, n), **options)


@pytest.mark.parametrize("classes", [[0, 1], [-1, 1], [2, 5], [-1, 0], [0], [3], [False, True]])
def test_the_positive_class_of_the_brier_score_is_scikit_learn_s(classes, rng):
    y_true = np.resize(classes, 7)
    assert_agrees("brier_score_loss", y_true, rng.random(7))


def test_probabilities_of_single_precision_are_clipped_at_its_epsilon():
    y_proba = np.float32([1, 0])
    value = log_loss([0, 1], y_proba)
    assert value == pytest.approx(-np.log(np.finfo(np.float32).eps), rel=1e-12)
    assert_agrees("log_loss", [0, 1], y_proba.astype(float))


MEASURES = [log_loss, brier_score_loss, calibration_error]


@pytest.mark.parametrize("measure", MEASURES)
@pytest.mark.parametrize(
    ("y_true", "y_proba", "options", "error", "message"),
    [
        ([0, 1], [0.5], {}, ValueError, "y_true has 2 rows, but y_proba has 1"),
        ([0, 1], [0.5, 1.5], {}, ValueError, "y_proba must be from 0 to 1, got 1.5"),
        ([0, 1], [0.5, -0.5], {}, ValueError, "y_proba must be from 0 to 1, got -0.5"),
        ([0, 1], ["a", "b"], {}, TypeError, "y_proba must hold real numbers, got dtype <U1"),
        (
            [0, 0.5],
            [0, 1],
            {},
            ValueError,
            "y_true must hold classes, got 0.5 in row 1",
        ),
        ([0, np.inf], [0, 1], {}, ValueError, "y_true must hold classes, got inf in row 1"),
        (
            ["a", None],
            [0, 1],
            {},
            ValueError,
            "y_true must hold labels of one kind, got values of type NoneType, str",
        ),
        (
            [0, 1],
            [[0.2, 0.3, 0.5]] * 2,
            {},
            ValueError,
            "y_proba has 3 columns, but there are 2 classes in y_true: give all classes as labels",
        ),
        (
            [0, 1],
            [[0.5, 0.5]] * 2,
            {"labels": [0, 1, 2]},
            ValueError,
            "y_proba has 2 columns, but there are 3 classes in labels",
        ),
        (
            [0, 3],
            [[0.5, 0.5]] * 2,
            {"labels": [0, 1]},
            ValueError,
            "y_true has the class 3, which is not in labels",
        ),
        (
            [0, 1],
            [[0.5, 0.5]] * 2,
            {"labels": [1, 0]},
            ValueError,
            "labels must be distinct and ascending, got [1, 0]",
        ),
        (
            [1, 1],
            [[0.5, 0.5]] * 2,
            {},
            ValueError,
            "y_true has the class 1 alone: give all classes as labels",
        ),
        (
            [0, 1],
            [[0.5, 0.5]] * 2,
            {"labels": [1]},
            ValueError,
            "y_true has the class 0, which is not in labels",
        ),
        (
            [0, 1],
            [[0.5, 0.5]] * 2,
            {"sample_weight": [[1, 1]]},
            ValueError,
            "sample_weight must be 1-D, got shape (1, 2)",
        ),
    ],
)
def test_bad_arguments(measure, y_true, y_proba, options, error, message):
    with pytest.raises(error, match=f"^{re.escape(message)}$"):
        measure(y_true, y_proba, **options)


@pytest.mark.parametrize("measure", MEASURES)
def test_rows_that_do_not_sum_to_1(measure):
    with pytest.warns(UserWarning, match="^the probabilities of a row of y_proba do not sum to 1$"):
        measure([0, 1], [[0.5, 0.4], [0.5, 0.5]])


def test_bad_arguments_of_the_brier_score():
    message = re.escape("scale_by_half must be one of (True, False, 'auto'), got 'half'")
    with pytest.raises(ValueError, match=f"^{message}$"):
        brier_score_loss([0, 1], [0.5, 0.5], scale_by_half="half")
    message = "y_proba must have a column for each of 3 classes, got one column"
    with pytest.raises(ValueError, match=f"^{message}$"):
        brier_score_loss([0, 1, 2], [0.5, 0.5, 0.5])
    message = re.escape("pos_label must be given for y_true with the classes ['a', 'b']")
    with pytest.raises(ValueError, match=f"^{message}$"):
        brier_score_loss(["a", "b"], [0.5, 0.5])
