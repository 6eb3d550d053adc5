"""Data for ensembles."""

import numpy as np
import pytest
from sklearn.datasets import load_diabetes, load_iris
from sklearn.preprocessing import scale


@pytest.fixture(scope="session")
def iris():
    """Return (X, y), in random order."""
    X, y = load_iris(return_X_y=True)
    order = np.random.default_rng(0).permutation(len(y))
    return scale(X)[order], y[order]


@pytest.fixture(scope="session")
def diabetes():
    """Return (X, y), both standardized."""
    X, y = load_diabetes(return_X_y=True, scaled=False)
    return scale(X), scale(y)
