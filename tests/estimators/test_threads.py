"""scikit-learn's tools train networks on threads as they do in processes."""

import tracemalloc

import joblib
import numpy as np
import pytest
from sklearn.ensemble import BaggingClassifier, StackingClassifier
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.model_selection import GridSearchCV, HalvingRandomSearchCV, cross_validate

from fastmlp import MLPClassifier, MLPRegressor
from fastmlp.estimators.random_state import next_seed, seed_ahead

# Filters belong to all threads of a process: one cannot set and reset them while others train.
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

SMALL = {"hidden_layer_sizes": 10, "learning_rate_init": 0.03, "max_iter": 5, "random_state": 0}
GRID = {"alpha": [1e-4, 1.0], "dropout": [0.0, 0.2]}


def grid_search(X, y):
    return GridSearchCV(MLPClassifier(**SMALL), GRID, cv=2).fit(X, y).cv_results_["mean_test_score"]


def halving(X, y):
    search = HalvingRandomSearchCV(
        MLPClassifier(**SMALL), GRID, n_candidates=4, cv=2, random_state=0
    )
    return search.fit(X, y).cv_results_["mean_test_score"]


def folds(X, y):
    return cross_validate(MLPClassifier(**SMALL), X, y, cv=3)["test_score"]


def bagging(X, y):
    bags = BaggingClassifier(MLPClassifier(**SMALL), 3, random_state=0, n_jobs=2).fit(X, y)
    return bags.predict_proba(X)


def stacking(X, y):
    members = [(str(seed), MLPClassifier(**SMALL | {"random_state": seed})) for seed in range(2)]
    return StackingClassifier(members, MLPClassifier(**SMALL), cv=2).fit(X, y).predict_proba(X)


@pytest.mark.parametrize("tool", [grid_search, halving, folds, bagging, stacking])
def test_threads_give_the_bits_of_processes(tool, data):
    X, y = data("digits")
    found = {}
    for backend in ("threading", "loky"):
        with joblib.parallel_config(backend=backend, n_jobs=2):
            found[backend] = tool(X, y)
    np.testing.assert_array_equal(found["threading"], found["loky"])
    assert np.unique(found["loky"]).size > 1


@pytest.mark.parametrize("cls", [MLPClassifier, MLPRegressor])
def test_a_fit_copies_no_inputs(cls):
    X = np.zeros((50_000, 50))
    X[::2] = 1
    y = np.arange(len(X)) % 2
    estimator = cls(hidden_layer_sizes=(2,), max_iter=1, random_state=0)
    estimator.fit(X[:100], y[:100])
    tracemalloc.start()
    try:
        estimator.fit(X, y)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    # Targets and their labels, some times over.
    assert peak < 8 * y.nbytes < X.nbytes / 5


def test_a_seed_is_known_before_it_is_drawn():
    random_state = np.random.RandomState(3)
    random_state.standard_normal()
    for _ in range(700):  # beyond the 624 numbers that a Mersenne Twister makes at once
        ahead = seed_ahead(random_state)
        assert ahead == seed_ahead(random_state) == next_seed(random_state)


@pytest.mark.parametrize("seed", [0, 3, 2**32 - 1, np.int64(5)])
def test_the_first_seed_of_an_integer_needs_no_state(seed):
    random_state = np.random.RandomState(seed)
    ahead = seed_ahead(random_state, seed)
    assert ahead == seed_ahead(random_state) == next_seed(random_state)


def test_names_of_parameters_are_those_of_the_class():
    class Narrow(MLPClassifier):
        def __init__(self, width=3):
            super().__init__((width,))
            self.width = width

    assert Narrow(4).get_params() == {"width": 4}
    assert "loss" in MLPRegressor().get_params()
    names = MLPClassifier().get_params().keys()
    MLPClassifier._get_param_names().clear()
    assert MLPClassifier().get_params().keys() == names
