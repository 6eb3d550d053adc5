"""ROC curves, their areas and average precision against scikit-learn's."""

import re

import numpy as np
import pytest
import sklearn.metrics
from hypothesis import given, settings
from measures import assert_agrees, generators, labels, probabilities, tied, weights

from fastmlp.metrics import (
    UndefinedMetricWarning,
    average_precision_score,
    roc_auc_score,
    roc_curve,
)

SCORES = ["roc_auc_score", "average_precision_score"]


@given(rng=generators())
@settings(deadline=None, max_examples=100)
def test_two_classes_agree_with_scikit_learn(rng):
    n = rng.integers(1, 12)
    y_true, y_score, each = rng.integers(0, 2, n) * 2 - 1, tied(rng, n) - 0.5, weights(rng, n)
    if (y_true > 0).all() and rng.random() < 0.5:
        y_true = -y_true
    assert_agrees("average_precision_score", y_true, y_score, sample_weight=each)
    assert_agrees("roc_auc_score", y_true, y_score, sample_weight=each)
    is_drawn = each is None or len(np.unique(y_true[each > 0])) == 2
    if is_drawn and len(np.unique(y_true)) == 2:
        assert_agrees("roc_auc_score", y_true, y_score, sample_weight=each, max_fpr=0.4)
    curve = {"sample_weight": each, "drop_intermediate": bool(rng.integers(2))}
    for one in np.unique(y_true):
        if is_drawn:
            assert_curves_agree(y_true, y_score, pos_label=one, **curve)


def assert_curves_agree(*args, **options):
    if len(np.unique(args[0])) < 2:
        return
    truth = sklearn.metrics.roc_curve(*args, **options)
    for value, expected in zip(roc_curve(*args, **options), truth, strict=True):
        np.testing.assert_allclose(value, expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("labels", [[False, True], ["no", "yes"], [0.0, 1.0], [3, 9]])
def test_the_greater_of_two_classes_is_the_positive_one(labels, rng):
    y_true = np.array(labels)[rng.integers(0, 2, 50)]
    assert_agrees("roc_auc_score", y_true, rng.random(50))
    assert_agrees("average_precision_score", y_true, rng.random(50), pos_label=labels[0])


@given(rng=generators())
@settings(deadline=None, max_examples=100)
def test_several_classes_agree_with_scikit_learn(rng):
    n_classes = rng.integers(3, 6)
    y_true = np.concatenate([np.unique(labels(rng, 99, n_classes))] * 2)
    y_true = np.concatenate([y_true, rng.choice(y_true, rng.integers(0, 9))])
    n, n_classes = len(y_true), len(np.unique(y_true))
    y_score, each = probabilities(rng, n, n_classes), weights(rng, n)
    for average in ("macro", "weighted"):
        assert_agrees("roc_auc_score", y_true, y_score, average=average, multi_class="ovo")
    for average in ("macro", "weighted", "micro", None):
        options = {"average": average, "sample_weight": each}
        assert_agrees("roc_auc_score", y_true, y_score, multi_class="ovr", **options)
        assert_agrees("average_precision_score", y_true, y_score, **options)


@pytest.mark.parametrize("average", ["macro", "weighted", None])
def test_a_class_that_the_rows_lack(average, rng):
    y_true, y_score = np.array([0, 2, 3, 2, 0]), probabilities(rng, 5, 4)
    assert_agrees(
        "roc_auc_score", y_true, y_score, average=average, multi_class="ovr", labels=[0, 1, 2, 3]
    )
    assert_agrees(
        "roc_auc_score", y_true, y_score, average="macro", multi_class="ovo", labels=[0, 1, 2, 3]
    )


@pytest.mark.parametrize("name", SCORES)
@given(rng=generators())
@settings(deadline=None, max_examples=60)
def test_several_labels_agree_with_scikit_learn(name, rng):
    shape = n, _ = rng.integers(2, 8), rng.integers(2, 5)
    y_true, y_score, each = rng.integers(0, 2, shape), tied(rng, shape), weights(rng, n)
    for average in ("macro", "weighted", "micro", "samples", None):
        assert_agrees(name, y_true, y_score, average=average, sample_weight=each)


def test_scores_without_information_have_half_the_area():
    assert roc_auc_score([0, 1, 0, 1], [3, 3, 3, 3]) == 0.5


@pytest.mark.parametrize(("y_true", "rows"), [([1, 1], "negative"), ([0, 0], "positive")])
def test_of_one_class_the_area_is_not_defined(y_true, rows):
    message = "^the area under the ROC curve is not defined for one class alone$"
    with pytest.warns(UndefinedMetricWarning, match=message):
        assert np.isnan(roc_auc_score(y_true, [0.1, 0.2]))
    with pytest.warns(UndefinedMetricWarning, match=f"^y_true has no {rows} rows$"):
        rates = roc_curve(y_true, [0.1, 0.2])
    assert np.isnan(rates[0 if rows == "negative" else 1]).all()


def test_of_no_positive_row_the_average_precision_is_0():
    with pytest.warns(UndefinedMetricWarning, match="^y_true has no positive rows$"):
        assert average_precision_score([0, 0], [0.1, 0.2]) == 0


AREA_ERRORS = {
    "lengths": (([0, 1], [1.0]), {}, "y_true has 2 rows, but y_score has 1"),
    "not finite": (([0, 1], [1.0, np.inf]), {}, "y_score must be finite, got inf in row 1"),
    "two columns": (
        ([0, 1], [[0.5, 0.5]] * 2),
        {},
        "y_score must have one column for two classes, that of the greater: y_score[:, 1]",
    ),
    "several classes": (
        ([0, 1, 2], np.eye(3)),
        {},
        'multi_class must be "ovr" or "ovo" for more than two classes',
    ),
    "no such way": (
        ([0, 1], [0, 1]),
        {"multi_class": "all"},
        "multi_class must be one of ('raise', 'ovr', 'ovo'), got 'all'",
    ),
    "no such average": (
        ([0, 1], [0, 1]),
        {"average": "mean"},
        "average must be one of ('micro', 'macro', 'weighted', 'samples', None), got 'mean'",
    ),
    "average of pairs": (
        ([0, 1, 2], np.eye(3)),
        {"multi_class": "ovo", "average": None},
        "average must be one of ('macro', 'weighted') for multi_class='ovo', got None",
    ),
    "weights of pairs": (
        ([0, 1, 2], np.eye(3)),
        {"multi_class": "ovo", "sample_weight": [1, 1, 1]},
        'sample_weight must be None for multi_class="ovo"',
    ),
    "columns": (
        ([0, 1, 2], np.eye(4)[:3]),
        {"multi_class": "ovr"},
        "y_score must have a column for each of 3 classes, got shape (3, 4)",
    ),
    "no probabilities": (
        ([0, 1, 2], np.eye(3) * 2),
        {"multi_class": "ovr"},
        "y_score must hold probabilities of more than two classes: rows sum to 1",
    ),
    "a part": (([0, 1], [0, 1]), {"max_fpr": 0}, "max_fpr must be above 0 and at most 1, got 0"),
    "a part for several": (
        ([0, 1, 2], np.eye(3)),
        {"max_fpr": 0.5, "multi_class": "ovr"},
        "max_fpr must be None for more than two classes, got 0.5",
    ),
    "no indicators": (
        ([[0, 2], [1, 0]], np.eye(2)),
        {},
        "y_true must hold 0 and 1 alone if it has several columns",
    ),
}


@pytest.mark.parametrize(("args", "options", "message"), AREA_ERRORS.values(), ids=AREA_ERRORS)
def test_bad_arguments_of_the_area(args, options, message):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        roc_auc_score(*args, **options)


@pytest.mark.parametrize(
    ("y_true", "y_score", "pos_label", "message"),
    [
        (["a", "b"], [0, 1], 1, "pos_label must be one of the classes ['a', 'b'], got 1"),
        ([0, 1, 2], np.eye(3), 2, "pos_label must be 1 for more than two classes, got 2"),
        ([0, 1], np.eye(2), 1, "y_score must be 1-D, got shape (2, 2)"),
        (
            [0, 1, 2],
            [0, 1, 2],
            1,
            "y_score must have a column for each of 3 classes, got shape (3,)",
        ),
    ],
)
def test_bad_arguments_of_the_average_precision(y_true, y_score, pos_label, message):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        average_precision_score(y_true, y_score, pos_label=pos_label)


@pytest.mark.parametrize("y_true", [[0, 1, 2], ["a", "b", "a"], [1, 2, 2]])
def test_a_curve_of_classes_that_do_not_tell_the_positive_one(y_true):
    message = re.escape(f"pos_label must be given for y_true with the classes {sorted({*y_true})}")
    with pytest.raises(ValueError, match=f"^{message}$"):
        roc_curve(y_true, [0.1, 0.2, 0.3])
