"""Estimators are trained and used in other processes, however those were started."""

import concurrent.futures
import multiprocessing

import joblib
import numpy as np
import pytest

from fastmlp import MLPClassifier

# Filters belong to all threads of a process: one cannot set and reset them while others train.
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def trained(X, y, seed):
    """Train in whatever process this runs in."""
    return MLPClassifier((20,), max_iter=10, random_state=seed).fit(X, y)


def probabilities(clf, X):
    return clf.predict_proba(X)


@pytest.fixture
def digits(data):
    return data("digits")


def assert_same(there, X, y):
    for seed, clf in enumerate(there):
        here = trained(X, y, seed)
        np.testing.assert_array_equal(clf.predict_proba(X), here.predict_proba(X))
        assert clf.loss_curve_ == here.loss_curve_


# The test files are not modules that a new interpreter could import; joblib's pickles carry the
# functions with them, and a fork has them.
@pytest.mark.parametrize("backend", ["loky", "multiprocessing", "threading"])
def test_under_joblib(backend, digits):
    X, y = digits
    there = joblib.Parallel(n_jobs=2, backend=backend)(
        joblib.delayed(trained)(X, y, seed) for seed in range(4)
    )
    assert_same(there, X, y)


def test_with_data_that_loky_maps_read_only(digits):
    X, y = digits
    there = joblib.Parallel(n_jobs=2, max_nbytes=1)(
        joblib.delayed(trained)(X, y, seed) for seed in range(2)
    )
    assert_same(there, X, y)


def test_in_a_forked_pool_after_training_here(digits):
    X, y = digits
    clf = trained(X, y, 0)
    with multiprocessing.get_context("fork").Pool(2) as pool:
        there = pool.starmap(trained, [(X, y, seed) for seed in range(3)])
        asked = pool.starmap(probabilities, [(clf, X)] * 2)
    assert_same(there, X, y)
    for result in asked:
        np.testing.assert_array_equal(result, clf.predict_proba(X))


@pytest.mark.parametrize("method", ["spawn", "forkserver"])
def test_in_a_new_interpreter(method, digits):
    X, y = digits
    clf = trained(X, y, 0)
    context = multiprocessing.get_context(method)
    with concurrent.futures.ProcessPoolExecutor(2, mp_context=context) as pool:
        small = MLPClassifier((20,), solver="lbfgs", tol=0.01, random_state=0)
        fitted = list(pool.map(small.fit, [X], [y]))
        asked = list(pool.map(clf.predict_proba, [X, X]))
    np.testing.assert_array_equal(fitted[0].predict_proba(X), small.fit(X, y).predict_proba(X))
    for result in asked:
        np.testing.assert_array_equal(result, clf.predict_proba(X))


def test_side_by_side_in_threads(digits):
    X, y = digits
    clf = trained(X, y, 0)
    expected = clf.predict_proba(X)
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        for result in pool.map(clf.predict_proba, [X] * 50):
            np.testing.assert_array_equal(result, expected)
