"""Data for many fits, and what two fitted estimators have to have in common."""

import numpy as np
import pytest
from sklearn.base import BaseEstimator

# What training leaves, besides parameters.
FOUND = ("n_iter_", "t_", "loss_curve_", "validation_scores_", "best_loss_", "n_features_in_")


@pytest.fixture(scope="session")
def assert_same():
    """Assert that two networks, or the estimators of two, are the same to the bit."""

    def check(one, other):
        if isinstance(one, BaseEstimator):
            assert {name: getattr(one, name) for name in FOUND} == {
                name: getattr(other, name) for name in FOUND
            }
            classes = getattr(one, "classes_", None), getattr(other, "classes_", None)
            np.testing.assert_array_equal(*classes)
            one, other = one.network_, other.network_
        assert one.layer_sizes == other.layer_sizes
        assert one.dtype == other.dtype
        np.testing.assert_array_equal(one.parameters, other.parameters)

    return check
