"""What chooses the epoch: scores of scikit-learn's, the loss, or a function."""

import re

import numpy as np
import pytest
import sklearn
from sklearn.metrics import get_scorer
from sklearn.pipeline import Pipeline

from fastmlp.losses import Quantile
from fastmlp.tabular.table import read_frame


@pytest.fixture
def parts(table, kinds, prices):
    """Half to train on, half to validate on: (X, kinds, prices) each."""
    half = len(table) // 2
    return [(table[part], kinds[part], prices[part]) for part in (slice(half), slice(half, None))]


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize(
    ("kind", "scoring"),
    [
        ("classifier", "balanced_accuracy"),
        ("classifier", "f1_macro"),
        ("regressor", "neg_mean_absolute_error"),
        ("regressor", "r2"),
    ],
)
def test_the_best_epoch_is_that_of_the_score(kind, scoring, weighted, quick, parts):
    (X, *targets), (X_val, *targets_val) = parts
    place = kind == "regressor"
    y, y_val = targets[place], targets_val[place]
    given = {"sample_weight_val": np.arange(1.0, 61.0)} if weighted else {}
    estimator = quick(kind, scoring=scoring, max_iter=60, n_members=2)
    estimator.fit(X, y, X_val=X_val, y_val=y_val, **given)
    weights = {"sample_weight": given["sample_weight_val"]} if weighted else {}
    for network, scores in zip(estimator.networks_, estimator.validation_scores_, strict=True):
        alone = quick(kind).fit(X, y)
        alone.__dict__ |= {**vars(estimator), "networks_": [network]}
        expected = get_scorer(scoring)(alone, X_val, y_val, **weights)
        assert max(scores) == pytest.approx(expected, rel=1e-5)
        assert len(set(scores)) > 1


def test_probabilities_of_every_epoch_are_scored(quick, parts):
    """Multiplying outputs, which is done at the end, changes no order of two classes."""
    (X, y, _), (X_val, y_val, _) = parts
    y, y_val = y == "cheap", y_val == "cheap"
    clf = quick("classifier", scoring="roc_auc", max_iter=8).fit(X, y, X_val=X_val, y_val=y_val)
    expected = get_scorer("roc_auc")(clf, X_val, y_val)
    assert max(clf.validation_scores_[0]) == pytest.approx(expected)


def test_the_loss_as_score_is_that_of_training(quick, parts):
    (X, kinds, y), (X_val, kinds_val, y_val) = parts
    given = {"X_val": X_val, "y_val": y_val}
    reg = quick("regressor", scoring="loss", max_iter=6).fit(X, y, **given)
    plain = quick("regressor", max_iter=6).fit(X, y, **given)
    # Of one standardised output, half of the squared error.
    np.testing.assert_allclose(
        1 + 2 * np.array(reg.validation_scores_), plain.validation_scores_, rtol=1e-5
    )
    np.testing.assert_array_equal(reg.predict(X_val), plain.predict(X_val))

    clf = quick("classifier", scoring="loss", max_iter=6, label_smoothing=0.0)
    clf.fit(X, kinds, X_val=X_val, y_val=kinds_val)
    assert max(clf.validation_scores_[0]) < 0
    # The factor on the outputs at the end is the one of the smallest loss.
    inputs = clf._front.inputs(read_frame(X_val), clf.networks_[0].dtype)
    codes = np.searchsorted(clf.classes_, kinds_val)
    assert -clf.networks_[0].loss(inputs, codes) >= max(clf.validation_scores_[0])


def test_a_function_is_asked_with_inputs_and_labels(quick, parts):
    (X, y, _), (X_val, y_val, _) = parts
    seen = []

    def first_epochs(estimator, inputs, labels):
        np.testing.assert_array_equal(labels, y_val)
        assert estimator.predict_proba(inputs).shape == (len(labels), 3)
        assert set(estimator.predict(inputs)) <= set(estimator.classes_)
        seen.append(estimator.networks_[0].parameters.copy())
        return -len(seen)

    clf = quick("classifier", scoring=first_epochs, max_iter=4, label_smoothing=0.3)
    clf.fit(X, y, X_val=X_val, y_val=y_val)
    assert clf.validation_scores_ == [[-1.0, -2.0, -3.0, -4.0]]
    inputs = clf.networks_[0].n_parameters - 3 * 9  # all but the last layer, which is calibrated
    np.testing.assert_array_equal(clf.networks_[0].parameters[:inputs], seen[0][:inputs])


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_networks_in_threads_are_scored_apart(n_jobs, quick, table, kinds):
    plain = quick("classifier", n_members=4, max_iter=5).fit(table, kinds)
    clf = quick("classifier", n_members=4, max_iter=5, scoring="accuracy", n_jobs=n_jobs)
    clf.fit(table, kinds)
    np.testing.assert_allclose(clf.validation_scores_, plain.validation_scores_, rtol=1e-6)
    np.testing.assert_array_equal(clf.predict_proba(table), plain.predict_proba(table))


def test_a_score_that_is_not_known_changes_nothing(quick, table, kinds):
    clf = quick("classifier").fit(table, kinds)
    before = dict(vars(clf))
    clf.set_params(scoring="quality")
    message = "'quality' is not a valid scoring value."
    with pytest.raises(ValueError, match=f"^{re.escape(message)}"):
        clf.fit(table, kinds)
    assert vars(clf) == before | {"scoring": "quality"}


@pytest.mark.parametrize("score", [np.nan, None, "0.5"])
def test_a_score_that_is_no_number_is_refused(score, quick, parts):
    (X, y, _), (X_val, y_val, _) = parts
    clf = quick("classifier", scoring=lambda estimator, X, y: score)
    message = rf"^scoring=<function .*> must give a number for the rows for .*, got {score!r}$"
    with pytest.raises(ValueError, match=message):
        clf.fit(X, y, X_val=X_val, y_val=y_val)


@pytest.mark.parametrize("learning_rate", ["constant", "linear", "one_cycle", "cosine"])
def test_the_learning_rate_follows_its_plan(learning_rate, quick, table, prices):
    plain = quick("regressor").fit(table, prices).predict(table)
    reg = quick("regressor", learning_rate=learning_rate).fit(table, prices)
    assert np.array_equal(reg.predict(table), plain) == (learning_rate == "cosine")


def test_rows_for_validation_go_through_a_pipeline(quick, parts):
    (X, y, _), (X_val, y_val, _) = parts
    expected = quick("classifier", scoring="f1_macro").fit(X, y, X_val=X_val, y_val=y_val)
    with sklearn.config_context(enable_metadata_routing=True):
        clf = quick("classifier", scoring="f1_macro").set_fit_request(X_val=True, y_val=True)
        pipeline = Pipeline([("same", "passthrough"), ("clf", clf)], transform_input=["X_val"])
        pipeline.fit(X, y, X_val=X_val, y_val=y_val)
    np.testing.assert_array_equal(pipeline.predict_proba(X_val), expected.predict_proba(X_val))


def test_quantiles_are_routed_to_predict(quick, table, prices):
    with sklearn.config_context(enable_metadata_routing=True):
        reg = quick("regressor", loss=Quantile([0.2, 0.8])).set_predict_request(quantiles=True)
        pipeline = Pipeline([("same", "passthrough"), ("reg", reg)]).fit(table, prices)
        answer = pipeline.predict(table, quantiles=[0.8])
    np.testing.assert_array_equal(answer[:, 0], pipeline.predict(table)[:, 1])
