"""scikit-learn's own checks of the ensembles, and its tools."""

import pickle
import warnings

import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import (
    check_all_zero_sample_weights_error,
    check_estimator,
    check_param_validation,
)

from fastmlp import EnsembleClassifier, EnsembleRegressor, MLPClassifier, MLPRegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

CLASSIFIER = EnsembleClassifier(MLPClassifier(max_iter=200), 2)
REGRESSOR = EnsembleRegressor(MLPRegressor(max_iter=200), 2)
HEAD = EnsembleRegressor(MLPRegressor(max_iter=100), 2, gaussian_head=True)
BOOTSTRAP = clone(CLASSIFIER).set_params(bootstrap=True)
# A bootstrap sample of repeated rows is another one than that of rows with weights.
DRAWS = {
    "check_sample_weight_equivalence_on_dense_data": "draws rows, whatever their weights",
    "check_sample_weight_equivalence_on_sparse_data": "draws rows, whatever their weights",
}
SKIPPED = {
    "check_array_api_input",
    "check_classifiers_multilabel_output_format_decision_function",
}
FEWEST_CHECKS = 50


@pytest.mark.parametrize(
    ("ensemble", "excused"),
    [(CLASSIFIER, {}), (REGRESSOR, {}), (HEAD, {}), (BOOTSTRAP, DRAWS)],
    ids=["classifier", "regressor", "gaussian head", "bootstrap"],
)
def test_check_estimator(ensemble, excused):
    found = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        checks = check_estimator(
            clone(ensemble), on_fail=None, on_skip=None, expected_failed_checks=excused
        )
    for check in checks:
        found.setdefault(check["status"], set()).add(check["check_name"])
    assert found.get("xfail", set()) == set(excused)
    assert found["skipped"] <= SKIPPED
    assert set(found) <= {"passed", "skipped", "xfail"}, found
    assert len(found["passed"]) >= FEWEST_CHECKS


@pytest.mark.parametrize("check", [check_param_validation, check_all_zero_sample_weights_error])
@pytest.mark.parametrize("ensemble", [CLASSIFIER, REGRESSOR], ids=["classifier", "regressor"])
def test_the_checks_that_check_estimator_leaves_out(ensemble, check):
    check(type(ensemble).__name__, clone(ensemble))


def test_before_a_fit_it_says_so(tmp_path):
    for ensemble in (clone(CLASSIFIER), clone(REGRESSOR)):
        with pytest.raises(NotFittedError):
            ensemble.predict([[0.0]])
        with pytest.raises(NotFittedError):
            ensemble.save(tmp_path / "none")


def test_clones_copies_and_searches(iris):
    X, y = iris
    clf = EnsembleClassifier(MLPClassifier((4,), max_iter=5), 2, random_state=0).fit(X, y)
    other = pickle.loads(pickle.dumps(clf))
    np.testing.assert_array_equal(other.predict_proba(X), clf.predict_proba(X))
    again = clone(clf).fit(X, y)
    np.testing.assert_array_equal(again.predict_proba(X), clf.predict_proba(X))

    pipeline = make_pipeline(StandardScaler(), clone(clf))
    grid = {
        "ensembleclassifier__estimator__alpha": [1e-4, 1.0],
        "ensembleclassifier__n_estimators": [1, 3],
    }
    with joblib.parallel_config(backend="threading", n_jobs=2):
        search = GridSearchCV(pipeline, grid, cv=2, error_score="raise").fit(X, y)
    assert set(search.predict(X)) <= set(y)


def test_names_of_features(iris):
    X, y = iris
    frame = pd.DataFrame(X, columns=list("abcd"))
    clf = EnsembleClassifier(MLPClassifier((4,), max_iter=5), 2, random_state=0).fit(frame, y)
    assert clf.feature_names_in_.tolist() == list("abcd")
    np.testing.assert_array_equal(clf.predict(frame), clf.fit(X, y).predict(X))
    assert not hasattr(clf, "feature_names_in_")
    clf.fit(frame, y)
    with pytest.raises(ValueError, match="feature names should match"):
        clf.predict(frame[["b", "a", "c", "d"]])
