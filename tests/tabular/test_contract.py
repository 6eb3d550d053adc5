"""scikit-learn's own checks, none of them excused, and its tools."""

import pickle
import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, cross_val_predict, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import (
    check_all_zero_sample_weights_error,
    check_estimator,
    check_param_validation,
)

import fastmlp

# The number of checks that must pass.
CHECKS = {"TabularClassifier": 61, "TabularRegressor": 58}


@pytest.mark.parametrize("name", CHECKS)
def test_check_estimator(name):
    found = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for result in check_estimator(getattr(fastmlp, name)("fast"), on_fail=None, on_skip=None):
            found.setdefault(result["status"], []).append(result["check_name"])
    assert set(found) == {"passed", "skipped"}, found
    assert found["skipped"] == ["check_array_api_input"]
    assert len(found["passed"]) == CHECKS[name]


@pytest.mark.parametrize("check", [check_param_validation, check_all_zero_sample_weights_error])
@pytest.mark.parametrize("name", CHECKS)
def test_the_checks_that_check_estimator_leaves_out(name, check):
    check(name, getattr(fastmlp, name)("fast"))


@pytest.mark.parametrize("kind", ["classifier", "regressor"])
def test_before_a_fit_it_says_so(kind, quick, table, tmp_path):
    estimator = quick(kind)
    for call in (estimator.predict, getattr(estimator, "predict_proba", estimator.predict)):
        with pytest.raises(NotFittedError):
            call(table)
    with pytest.raises(NotFittedError):
        estimator.save(tmp_path / "none")


def test_a_copy_predicts_the_same(quick, table, kinds):
    clf = quick("classifier").fit(table, kinds)
    other = pickle.loads(pickle.dumps(clf))
    np.testing.assert_array_equal(other.predict_proba(table), clf.predict_proba(table))
    again = clone(clf).fit(table, kinds)
    np.testing.assert_array_equal(again.predict_proba(table), clf.predict_proba(table))


def test_a_search_over_a_pipeline(quick, table, kinds):
    scale = ColumnTransformer([("size", StandardScaler(), ["size"])], remainder="passthrough")
    pipeline = make_pipeline(scale.set_output(transform="pandas"), quick("classifier"))
    grid = {"tabularclassifier__dropout": [0.0, 0.5], "tabularclassifier__preset": ["fast"]}
    search = GridSearchCV(pipeline, grid, cv=2, error_score="raise").fit(table, kinds)
    assert search.best_params_["tabularclassifier__preset"] == "fast"
    assert set(search.predict(table)) <= set(kinds)


def test_weights_are_routed_to_the_fit(quick, table, prices):
    import sklearn

    weights = np.where(np.arange(len(prices)) % 2, 0.0, 1.0)
    with sklearn.config_context(enable_metadata_routing=True):
        reg = quick("regressor").set_fit_request(sample_weight=True)
        reg.set_score_request(sample_weight=False)
        routed = cross_validate(
            reg, table, prices, cv=2, params={"sample_weight": weights}, return_estimator=True
        )
    half = len(prices) // 2
    expected = quick("regressor").fit(table[half:], prices[half:], sample_weight=weights[half:])
    np.testing.assert_array_equal(routed["estimator"][0].predict(table), expected.predict(table))
    assert routed["estimator"][0]._metadata_request.fit.requests["sample_weight"] is True


def test_a_fit_in_every_fold(quick, table, prices):
    predicted = cross_val_predict(quick("regressor"), table, prices, cv=3)
    assert predicted.shape == prices.shape


def test_several_outputs(quick, table, prices):
    both = np.column_stack([prices, -prices])
    reg = quick("regressor", max_iter=40).fit(table, both)
    assert reg.predict(table).shape == both.shape
    assert reg.score(table, both) > 0.3
    column = quick("regressor").fit(table, both[:, :1])
    assert column.predict(table).shape == (len(prices), 1)


def test_names_of_columns_are_kept(quick, table, frames, kinds):
    for frame in (table, frames["polars"], frames["pyarrow"]):
        clf = quick("classifier").fit(frame, kinds)
        assert clf.feature_names_in_.tolist() == list(table.columns)
        assert clf.n_features_in_ == len(table.columns)
    clf.fit(pd.DataFrame([[0, 1], [1, 1], [2, 0]]), [0, 1, 1])
    assert not hasattr(clf, "feature_names_in_")
