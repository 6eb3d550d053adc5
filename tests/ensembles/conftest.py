"""Data for ensembles."""

import pytest
from sklearn.datasets import load_diabetes
from sklearn.preprocessing import scale


@pytest.fixture(scope="session")
def diabetes():
    """Return (X, y), both standardized."""
    X, y = load_diabetes(return_X_y=True, scaled=False)
    return scale(X), scale(y)
