"""The estimators inside the rest of scikit-learn."""

import pickle

import numpy as np
import pytest
import sklearn
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import TransformedTargetRegressor
from sklearn.ensemble import (
    AdaBoostClassifier,
    BaggingClassifier,
    StackingClassifier,
    VotingClassifier,
)
from sklearn.exceptions import ConvergenceWarning
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.inspection import partial_dependence, permutation_importance
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import (
    GridSearchCV,
    HalvingGridSearchCV,
    cross_val_predict,
    cross_val_score,
    learning_curve,
    validation_curve,
)
from sklearn.multiclass import OneVsRestClassifier
from sklearn.multioutput import ClassifierChain, MultiOutputRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from fastmlp import MLPClassifier, MLPRegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


@pytest.fixture
def iris(data):
    return data("iris")


@pytest.fixture
def clf():
    return MLPClassifier((10,), learning_rate_init=0.02, max_iter=60, random_state=0)


@pytest.fixture
def reg():
    return MLPRegressor(
        hidden_layer_sizes=(10,), learning_rate_init=0.02, max_iter=60, random_state=0
    )


def test_a_pipeline_under_cross_validation(clf, iris):
    assert cross_val_score(make_pipeline(StandardScaler(), clf), *iris, cv=3).mean() > 0.9


@pytest.mark.parametrize("search", [GridSearchCV, HalvingGridSearchCV])
@pytest.mark.parametrize("n_jobs", [1, 2])
def test_a_search_over_parameters(search, n_jobs, clf, iris):
    pipeline = make_pipeline(StandardScaler(), clf)
    grid = {
        "mlpclassifier__hidden_layer_sizes": [(4,), (8, 8)],
        "mlpclassifier__alpha": [1e-4, 1.0],
    }
    found = search(pipeline, grid, n_jobs=n_jobs, cv=3).fit(*iris)
    assert found.best_score_ > 0.85
    assert found.best_estimator_.score(*iris) > 0.9


def test_a_search_finds_the_same_with_any_number_of_jobs(clf, iris):
    grid = {"alpha": [1e-4, 1.0], "activation": ["tanh", "relu"]}
    scores = [
        GridSearchCV(clf, grid, n_jobs=n_jobs, cv=3).fit(*iris).cv_results_["mean_test_score"]
        for n_jobs in (1, 2)
    ]
    np.testing.assert_array_equal(*scores)


@pytest.mark.parametrize(
    "make",
    [
        lambda clf: StackingClassifier([("a", clf), ("b", LogisticRegression())], cv=3),
        lambda clf: VotingClassifier([("a", clf), ("b", LogisticRegression())], voting="soft"),
        lambda clf: CalibratedClassifierCV(clf, cv=3),
        lambda clf: AdaBoostClassifier(clf, n_estimators=3, random_state=0),
        lambda clf: BaggingClassifier(clf, n_estimators=3, random_state=0, n_jobs=2),
        OneVsRestClassifier,
    ],
    ids=["stacking", "voting", "calibrated", "AdaBoost", "bagging", "one vs rest"],
)
def test_classifiers_made_of_classifiers(make, clf, iris):
    assert make(clf).fit(*iris).score(*iris) > 0.9


def test_a_chain_of_classifiers(clf, data):
    X, y = data("multilabel")
    assert ClassifierChain(clf, random_state=0).fit(X, y).predict(X).shape == y.shape


def test_regressors_made_of_regressors(reg, data):
    X, y = data("several targets")
    several = MultiOutputRegressor(reg, n_jobs=2).fit(X, y)
    assert several.score(X, y) > 0.9
    X, y = data("diabetes")
    logarithms = TransformedTargetRegressor(reg, func=np.log1p, inverse_func=np.expm1)
    assert logarithms.fit(X, np.exp(y)).predict(X).min() > -1


def test_what_explains_a_model(clf, iris):
    X, y = iris
    clf.fit(X, y)
    importances = permutation_importance(clf, X, y, n_repeats=3, random_state=0, n_jobs=2)
    assert importances.importances_mean[2:].max() > importances.importances_mean[:2].max()
    assert partial_dependence(clf, X, [2])["average"].shape[0] == 3


def test_curves_of_validation(clf, iris):
    _, train, test = learning_curve(
        clf, *iris, cv=3, train_sizes=[0.5, 1.0], shuffle=True, random_state=0, n_jobs=2
    )
    assert train.shape == test.shape == (2, 3)
    _, train, _ = learning_curve(
        clf,
        *iris,
        cv=3,
        train_sizes=[0.5, 1.0],
        shuffle=True,
        random_state=0,
        exploit_incremental_learning=True,
    )
    assert train.shape == (2, 3)
    train, _ = validation_curve(clf, *iris, param_name="alpha", param_range=[0.1, 1.0], cv=3)
    assert train.shape == (2, 3)


def test_predictions_of_cross_validation(clf, iris):
    X, y = iris
    assert cross_val_predict(clf, X, y, method="predict_log_proba", cv=3).shape == (150, 3)


def test_words_that_are_counted_stay_sparse():
    texts = ["good day", "good night", "bad day", "bad night"] * 5
    kinds = ["good", "good", "bad", "bad"] * 5
    model = make_pipeline(CountVectorizer(), MLPClassifier((5,), solver="lbfgs", random_state=0))
    model.fit(texts, kinds)
    assert model.predict(["a good one", "a bad one"]).tolist() == ["good", "bad"]


def test_weights_find_their_way_through_a_pipeline(clf, iris):
    X, y = iris
    weights = np.where(y == 1, 0.0, 1.0)
    with sklearn.config_context(enable_metadata_routing=True):
        clf.set_fit_request(sample_weight=True).set_score_request(sample_weight=True)
        scaler = StandardScaler().set_fit_request(sample_weight=False)
        model = make_pipeline(scaler, clf).fit(X, y, sample_weight=weights)
        assert model.score(X, y, sample_weight=weights) > 0.95
        assert "partial_fit" in clf.get_metadata_routing()._serialize()
    assert (model.predict(X) == 1).mean() < 0.3


def test_what_an_estimator_shows_of_itself(clf, iris):
    assert repr(clf) == (
        "MLPClassifier(hidden_layer_sizes=(10,), learning_rate_init=0.02, max_iter=60,\n"
        "              random_state=0)"
    )
    assert "MLPClassifier" in clf.fit(*iris)._repr_html_()


def test_a_model_in_a_pipeline_is_pickled_whole(clf, iris):
    X, y = iris
    model = make_pipeline(StandardScaler(), clf).fit(X, y)
    again = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(again.predict_proba(X), model.predict_proba(X))


def test_the_warning_of_scikit_learn_can_be_filtered(clf, iris):
    with pytest.warns(ConvergenceWarning):
        clf.set_params(max_iter=1).fit(*iris)
