"""The balanced accuracy against scikit-learn's."""

import numpy as np
import pytest
from hypothesis import given, settings
from measures import assert_agrees, generators, labels, weights

from fastmlp.metrics import UndefinedMetricWarning, balanced_accuracy_score


@given(rng=generators())
@settings(deadline=None, max_examples=80)
def test_classes_of_every_kind_agree_with_scikit_learn(rng):
    n, n_classes = rng.integers(1, 12), rng.integers(2, 6)
    y_true = labels(rng, n, n_classes)
    y_pred = rng.permutation(y_true)
    present = y_true if (weight := weights(rng, n)) is None else y_true[weight > 0]
    options = {"sample_weight": weight}
    assert_agrees("balanced_accuracy_score", y_true, y_pred, **options)
    if len(np.unique(present)) > 1:
        assert_agrees("balanced_accuracy_score", y_true, y_pred, adjusted=True, **options)


def test_one_class_alone_has_no_adjusted_score():
    with pytest.warns(UndefinedMetricWarning, match=r"^the adjusted balanced accuracy is not"):
        assert np.isnan(balanced_accuracy_score([2, 2], [2, 2], adjusted=True))


def test_a_class_that_is_predicted_alone_does_not_count():
    with pytest.warns(UserWarning, match=r"^y_pred has the classes \[1\], which y_true has not$"):
        assert balanced_accuracy_score([0, 0], [0, 1]) == 0.5


@pytest.mark.parametrize(
    ("y_true", "y_pred", "kinds"),
    [
        ([1, 0], ["1", "0"], "int64 and text"),
        (np.array(["1", "0"], object), [1, 0], "text and int64"),
    ],
)
def test_text_is_not_compared_with_numbers(y_true, y_pred, kinds):
    message = f"^y_true and y_pred must hold labels of one kind, got {kinds}$"
    with pytest.raises(ValueError, match=message):
        balanced_accuracy_score(y_true, y_pred)
