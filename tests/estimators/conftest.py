"""Data of all kinds for the estimators, and fits that may end before they converge."""

import warnings

import numpy as np
import pytest
from sklearn.datasets import (
    load_diabetes,
    load_digits,
    load_iris,
    make_multilabel_classification,
    make_regression,
)
from sklearn.exceptions import ConvergenceWarning
from sklearn.preprocessing import scale


def _digits():
    X, y = load_digits(return_X_y=True)
    return X[:360] / 16, y[:360]


def _two_digits():
    X, y = load_digits(n_class=2, return_X_y=True)
    return X / 16, np.array(["nought", "one"])[y]


def _diabetes():
    X, y = load_diabetes(return_X_y=True, scaled=False)
    return scale(X), scale(y)


def _several_targets():
    X, y = make_regression(n_samples=150, n_features=6, n_targets=3, noise=1.0, random_state=4)
    return X, y / y.std(axis=0)


def _counts():
    rng = np.random.default_rng(5)
    X = rng.standard_normal((200, 4))
    return X, rng.poisson(np.exp(0.5 * X[:, 0] + 0.5)).astype(np.float64)


CLASSIFICATION = {
    "digits": _digits,
    "two digits": _two_digits,
    "iris": lambda: load_iris(return_X_y=True),
    "multilabel": lambda: make_multilabel_classification(n_samples=150, random_state=0),
}
REGRESSION = {"diabetes": _diabetes, "several targets": _several_targets, "counts": _counts}


@pytest.fixture(scope="session")
def data():
    """Return (X, y) by name."""
    return lambda name: (CLASSIFICATION | REGRESSION)[name]()


@pytest.fixture(scope="session")
def fit():
    """Fit an estimator, without its warning that `max_iter` was reached."""

    def call(estimator, X, y, **arguments):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            return estimator.fit(X, y, **arguments)

    return call
