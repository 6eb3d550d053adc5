"""Estimators as extractors of features, and the derivatives of what they predict."""

import pickle

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline, make_union
from sklearn.preprocessing import StandardScaler

from fastmlp import MLPClassifier, MLPRegressor, losses

KINDS = {
    "digits": MLPClassifier,
    "two digits": MLPClassifier,
    "multilabel": MLPClassifier,
    "diabetes": MLPRegressor,
    "several targets": MLPRegressor,
}


@pytest.fixture(params=KINDS)
def fitted(request, data, fit):
    """An estimator with two hidden layers, and what it was trained on."""
    X, y = data(request.param)
    estimator = KINDS[request.param](
        hidden_layer_sizes=(9, 7), activation="tanh", max_iter=20, random_state=0
    )
    return fit(estimator, X, y), X, y


def predictions_of(estimator):
    if isinstance(estimator, MLPClassifier):
        return estimator.predict_proba
    return lambda X: estimator.predict(X).reshape(len(X), -1)


def test_a_layer_is_what_the_parameters_make_of_the_rows(fitted):
    estimator, X, _ = fitted
    a = X
    for layer in (0, 1):
        a = np.tanh(a @ estimator.coefs_[layer] + estimator.intercepts_[layer])
        np.testing.assert_allclose(estimator.transform(X, layer=layer), a, rtol=1e-10, atol=1e-14)
    np.testing.assert_array_equal(estimator.transform(X), estimator.transform(X, layer=1))
    np.testing.assert_array_equal(estimator.transform(X, -2), estimator.transform(X, layer=0))


def test_fit_transform_is_fit_and_then_transform(fitted, fit):
    estimator, X, y = fitted
    again = clone(estimator)
    with pytest.warns(UserWarning, match="Maximum iterations"):
        features = again.fit_transform(X, y)
    np.testing.assert_array_equal(features, estimator.transform(X))


def test_gradients_are_the_slopes_of_the_predictions(fitted):
    estimator, X, _ = fitted
    X, predict = X[:20].astype(np.float64), predictions_of(estimator)

    gradients = estimator.input_gradients(X)

    assert gradients.shape == (20, predict(X).shape[1], X.shape[1])
    for j in range(0, X.shape[1], 7):
        step = np.zeros(X.shape[1])
        step[j] = 1e-5
        slope = (predict(X + step) - predict(X - step)) / 2e-5
        np.testing.assert_allclose(gradients[:, :, j], slope, rtol=1e-4, atol=1e-8)


LOSSES = {
    "log_loss": MLPClassifier,
    "focal": MLPClassifier,
    losses.CrossEntropy(0.1): MLPClassifier,
    "absolute_error": MLPRegressor,
    losses.Huber(0.5): MLPRegressor,
    "gamma": MLPRegressor,
    losses.Tweedie(1.5): MLPRegressor,
    losses.Quantile((0.9, 0.1, 0.5)): MLPRegressor,
    lambda y, raw: ((raw[:, 0] - y) ** 2, 2 * (raw - y[:, None])): MLPRegressor,
}


@pytest.mark.parametrize("loss", LOSSES, ids=str)
def test_gradients_with_every_loss_are_the_slopes_of_the_predictions(loss, rng, fit):
    X = rng.standard_normal((60, 4))
    y = np.exp(X[:, 0]) if LOSSES[loss] is MLPRegressor else (X[:, 0] > 0) + (X[:, 1] > 0)
    estimator = LOSSES[loss](
        loss=loss,
        hidden_layer_sizes=(9, 7),
        activation="gelu",
        normalization="layer",
        dropout=0.1,
        max_iter=3,
        random_state=0,
    )
    fit(estimator, X, y)
    predict = predictions_of(estimator)

    gradients = estimator.input_gradients(X)

    for j, step in enumerate(1e-5 * np.eye(4)):
        slope = (predict(X + step) - predict(X - step)) / 2e-5
        np.testing.assert_allclose(gradients[:, :, j], slope, rtol=1e-4, atol=1e-8)
    if isinstance(loss, losses.Quantile):
        # Some rows had to be sorted, so that the test has something to see.
        raw = estimator.network_.predict(X)
        assert (raw != predict(X)).any(axis=1).sum() > 0


def test_a_classifier_of_one_class_depends_on_nothing(fit):
    clf = fit(MLPClassifier((3,), max_iter=2), np.eye(4), np.zeros(4))
    assert clf.predict_proba(np.eye(4)).shape == (4, 1)
    gradients = clf.input_gradients(np.eye(4))
    assert gradients.shape == (4, 1, 4)
    assert not gradients.any()


def test_the_poisson_regressor_has_the_derivative_of_the_mean(data, fit):
    X, y = data("counts")
    reg = fit(MLPRegressor("poisson", (8,), activation="tanh", max_iter=30, random_state=0), X, y)
    gradients = reg.input_gradients(X)
    logits = reg.network_.input_gradients(X)
    np.testing.assert_allclose(gradients, reg.predict(X)[:, None, None] * logits, rtol=1e-10)


def test_sparse_rows_lists_and_the_other_dtype_are_read(fitted):
    estimator, X, _ = fitted
    for call in (estimator.transform, estimator.input_gradients):
        truth = call(X)
        np.testing.assert_array_equal(call(X.tolist()), truth)
        np.testing.assert_allclose(call(sp.csr_matrix(X)), truth, rtol=1e-10, atol=1e-13)
        assert call(X.astype(np.float32)).dtype == np.float64


def test_single_precision_stays_single(data, fit):
    X, y = data("diabetes")
    reg = fit(MLPRegressor(hidden_layer_sizes=5, max_iter=5), X.astype(np.float32), y)
    assert reg.transform(X).dtype == reg.input_gradients(X).dtype == np.float32


@pytest.mark.parametrize("method", ["transform", "input_gradients", "get_feature_names_out"])
def test_an_estimator_that_is_not_fitted_says_so(method):
    for estimator in (MLPClassifier(), MLPRegressor()):
        arguments = [] if method == "get_feature_names_out" else [np.eye(3)]
        with pytest.raises(NotFittedError, match=r"is not fitted yet"):
            getattr(estimator, method)(*arguments)


@pytest.mark.parametrize("method", ["transform", "input_gradients"])
def test_rows_are_checked_as_by_predict(fitted, method):
    estimator, X, _ = fitted
    with pytest.raises(ValueError, match=r"X has 2 features, but MLP\w+ is expecting"):
        getattr(estimator, method)(X[:, :2])
    with pytest.raises(ValueError, match="Input X contains NaN"):
        getattr(estimator, method)(np.full_like(X[:3], np.nan, dtype=np.float64))


def test_without_hidden_layers_there_are_no_features(data, fit):
    reg = fit(MLPRegressor(hidden_layer_sizes=(), max_iter=2), *data("diabetes"))
    with pytest.raises(ValueError, match=r"^layer is -1, expected a network with hidden layers$"):
        reg.transform(data("diabetes")[0])


def test_none_is_no_hidden_layer(fitted):
    estimator, X, _ = fitted
    with pytest.raises(TypeError, match=r"^layer is of type NoneType, expected an integer$"):
        estimator.transform(X, layer=None)


def test_columns_have_names(fitted):
    estimator, X, _ = fitted
    name = type(estimator).__name__.lower()
    names = [f"{name}{i}" for i in range(7)]
    assert estimator.get_feature_names_out().tolist() == names

    frame = pickle.loads(pickle.dumps(estimator)).set_output(transform="pandas").transform(X)

    assert isinstance(frame, pd.DataFrame)
    assert frame.columns.tolist() == names
    np.testing.assert_array_equal(frame, estimator.transform(X))


@pytest.mark.parametrize("container", ["pandas", "polars"])
def test_no_other_layer_becomes_a_table(fitted, container):
    estimator, X, _ = fitted
    estimator.set_output(transform=container)
    with pytest.raises(
        ValueError, match=rf"^layer is 0, expected -1 with set_output\(transform='{container}'\):"
    ):
        estimator.transform(X, layer=0)
    estimator.set_output(transform="default")
    assert estimator.transform(X, layer=0).shape == (len(X), 9)


def test_the_network_extracts_features_in_a_pipeline(data):
    X, y = data("digits")
    net = MLPClassifier((30,), learning_rate_init=0.01, max_iter=20, random_state=0)
    pipeline = make_pipeline(StandardScaler(), net, LogisticRegression())
    with pytest.warns(UserWarning, match="Maximum iterations"):
        pipeline.fit(X, y)
    assert pipeline[-1].n_features_in_ == 30
    assert pipeline.score(X, y) > 0.95
    assert pipeline[:-1].get_feature_names_out()[29] == "mlpclassifier29"


def test_features_of_two_networks_lie_side_by_side(data):
    X, y = data("diabetes")
    nets = [MLPRegressor(hidden_layer_sizes=width, max_iter=5) for width in (4, 6)]
    union = make_union(*nets).set_output(transform="pandas")
    with pytest.warns(UserWarning, match="Maximum iterations"):
        assert union.fit_transform(X, y).columns.tolist() == [
            *(f"mlpregressor-1__mlpregressor{i}" for i in range(4)),
            *(f"mlpregressor-2__mlpregressor{i}" for i in range(6)),
        ]


def test_a_warm_start_leaves_frozen_layers_unchanged(fitted, fit):
    estimator, X, y = fitted
    first, last = estimator.coefs_[0].copy(), estimator.coefs_[-1].copy()
    estimator.network_.freeze([0, 1])
    for solver in ("adam", "sgd", "adamw", "lbfgs"):
        fit(estimator.set_params(warm_start=True, solver=solver), X, y)
        np.testing.assert_array_equal(estimator.coefs_[0], first)
        assert (estimator.coefs_[-1] != last).any()
    assert estimator.network_.frozen == (0, 1)
