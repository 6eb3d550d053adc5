"""A training that leaves the finite numbers ends at once, says why, and keeps what it can."""

import re
import warnings

import numpy as np
import pandas as pd
import pytest
import scipy.sparse
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GridSearchCV

import fastmlp
from fastmlp import MLPClassifier, MLPRegressor
from fastmlp.estimators import FeatureScaleWarning

THEIRS = (
    "Solver produced non-finite parameter weights. The input data may contain large values and "
    "need to be preprocessed. "
)


def refused(message):
    return pytest.raises(ValueError, match=f"^{re.escape(THEIRS + message)}$")


@pytest.mark.parametrize("solver", ["adam", "sgd"])
def test_an_error_in_the_first_epoch_leaves_nothing_behind(solver, data):
    X, y = data("diabetes")
    reg = MLPRegressor(solver=solver, learning_rate_init=1e300, random_state=0)
    message = (
        "Training diverged in epoch 1. learning_rate_init=1e+300 is likely too large: try a tenth "
        "of it."
    )
    with refused(message) as caught:
        reg.fit(X, y)
    assert isinstance(caught.value.__cause__, fastmlp.DivergenceError)
    assert vars(reg) == reg.get_params()


def diverging(n, **parameters):
    """A regressor that diverges after some epochs of n rows, which are one step each."""
    return MLPRegressor(
        **{"solver": "sgd", "activation": "identity", "learning_rate_init": 5.0} | parameters,
        batch_size=n,
        n_iter_no_change=np.inf,
        random_state=0,
    )


def test_after_the_first_epoch_the_last_finite_parameters_stay(data):
    X, y = data("diabetes")
    reg = diverging(len(X))
    with pytest.raises(ValueError, match=re.escape(THEIRS)) as caught:
        reg.fit(X, y)
    assert str(caught.value).endswith(
        f"Training diverged in epoch {reg.n_iter_ + 1}. learning_rate_init=5 is likely too large: "
        "try a tenth of it. The estimator has the last finite parameters, in the midst of that "
        "epoch."
    )
    assert len(reg.loss_curve_) == reg.n_iter_ > 1
    assert np.isfinite(reg.loss_curve_).all()
    # As many epochs lead there, and one more leads nowhere.
    same = diverging(len(X), max_iter=reg.n_iter_)
    with pytest.warns(ConvergenceWarning):
        same.fit(X, y)
    np.testing.assert_array_equal(reg.network_.parameters, same.network_.parameters)
    assert reg.loss_curve_ == same.loss_curve_


def test_a_partial_fit_that_diverges_leaves_the_estimator_as_it_was(data):
    X, y = data("diabetes")
    reg = MLPRegressor(solver="sgd", random_state=0).partial_fit(X, y)
    before = reg.network_.parameters.copy()
    with pytest.raises(ValueError, match="Training diverged in epoch 1"):
        reg.partial_fit(X, 1e300 * y)
    np.testing.assert_array_equal(reg.network_.parameters, before)
    assert len(reg.loss_curve_) == 1


def test_early_stopping_ends_with_the_best_parameters(data):
    X, y = data("diabetes")
    reg = diverging(300, early_stopping=True)
    with pytest.warns(ConvergenceWarning) as caught:
        reg.fit(X, y)
    assert [str(warning.message) for warning in caught] == [
        f"Training diverged in epoch {reg.n_iter_}. learning_rate_init=5 is likely too large: try "
        "a tenth of it. The parameters are those with the best validation score."
    ]
    assert np.isnan(reg.validation_scores_[-1])
    assert np.isnan(reg.validation_loss_curve_[-1])
    assert len(reg.validation_scores_) == len(reg.loss_curve_) == reg.n_iter_
    assert reg.best_validation_score_ == np.nanmax(reg.validation_scores_)
    assert np.isfinite(reg.predict(X)).all()


@pytest.mark.parametrize("scale", [1e200, 1e300])
def test_lbfgs_that_cannot_begin_is_the_same_error(scale, data):
    """SciPy would end after 0 steps, as if there were nothing to gain."""
    X, y = data("diabetes")
    most = np.abs(X).max(axis=0)
    message = (
        f"Training diverged at its start. Of X, column {most.argmax()} reaches "
        f"{scale * most.max():.3g} in magnitude: scale the features, as "
        "make_pipeline(StandardScaler(), MLPRegressor(...)) does."
    )
    reg = MLPRegressor(solver="lbfgs", random_state=0)
    with refused(message):
        reg.fit(scale * X, y)
    assert vars(reg) == reg.get_params()


def test_lbfgs_in_float32_may_begin_where_float32_could_not(data, fit):
    X, y = data("diabetes")
    reg = fit(MLPRegressor(solver="lbfgs", max_iter=5, random_state=0), (1e30 * X).astype("f4"), y)
    assert reg.loss_ < 1e300
    assert np.isfinite(reg.network_.parameters).all()


def test_the_message_names_the_feature_that_is_not_scaled(data):
    X, y = data("diabetes")
    names = [f"f{j}" for j in range(X.shape[1])]
    X = X / np.abs(X).max(axis=0)
    X[:, 3] *= 1e200
    reg = MLPRegressor(random_state=0)
    message = (
        "Training diverged in epoch 1. Of X, 'f3' reaches 1e+200 in magnitude, 1e+200 times as "
        "much as 'f0': scale the features, as make_pipeline(StandardScaler(), MLPRegressor(...)) "
        "does. learning_rate_init=0.001 may be too large: try a tenth of it."
    )
    with pytest.warns(FeatureScaleWarning), refused(message):
        reg.fit(pd.DataFrame(X, columns=names), y)


def test_the_message_names_what_else_is_large(data):
    X, y = data("diabetes")
    rate = "learning_rate_init=0.001 may be too large: try a tenth of it."
    scaled = "TransformedTargetRegressor(MLPRegressor(...), transformer=StandardScaler())"
    most = 1e300 * np.abs(y).max()
    message = f"y reaches {most:.3g} in magnitude: scale it, as {scaled} does. {rate}"
    with refused(f"Training diverged in epoch 1. {message}"):
        MLPRegressor(random_state=0).fit(X, 1e300 * y)
    message = f"alpha=1e+308 is large: the penalty outweighs the loss. {rate}"
    with refused(f"Training diverged in epoch 1. {message}"):
        MLPRegressor(random_state=0, alpha=1e308).fit(X, y)
    message = (
        "alpha=0.0001 is large for sample_weight of 1e-307 on average: the penalty outweighs the "
        f"loss. {rate}"
    )
    with refused(f"Training diverged in epoch 1. {message}"):
        MLPRegressor(random_state=0, solver="sgd", learning_rate_init=1e-3).fit(
            X, y, sample_weight=np.full(len(X), 1e-307)
        )


def test_the_cure_of_sparse_data_keeps_it_sparse(data):
    X, y = data("iris")
    X = scipy.sparse.csr_array(X * 1e200)
    cure = re.escape("make_pipeline(MaxAbsScaler(), MLPClassifier(...))")
    with pytest.raises(ValueError, match=cure):
        MLPClassifier(random_state=0).fit(X, y)


def test_a_search_drops_what_diverges(data):
    X, y = data("diabetes")
    grid = {"learning_rate_init": [0.01, 1e300]}
    search = GridSearchCV(MLPRegressor(max_iter=5, random_state=0), grid, cv=2)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        search.fit(X, y)
    assert search.best_params_ == {"learning_rate_init": 0.01}
    assert np.isnan(search.cv_results_["mean_test_score"][1])


@pytest.mark.parametrize("layout", [np.asarray, scipy.sparse.csr_array])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("solver", ["adam", "sgd", "lbfgs"])
def test_features_of_different_scales_are_warned_of_once(solver, dtype, layout, data):
    X, y = data("iris")
    X = X / np.abs(X).max(axis=0) * [1.0, -2.5e4, 1.0, 0.5]
    clf = MLPClassifier((3,), solver=solver, max_iter=2, random_state=0)
    with pytest.warns() as caught:
        clf.fit(layout(X.astype(dtype)), y)
    messages = [str(each.message) for each in caught if each.category is FeatureScaleWarning]
    scaler = "StandardScaler" if layout is np.asarray else "MaxAbsScaler"
    assert messages == [
        "Features differ in scale: column 1 reaches 2.5e+04 in magnitude, 5e+04 times as much as "
        "column 3. A network learns little from the small ones, and may diverge. To scale them: "
        f"make_pipeline({scaler}(), MLPClassifier(...))"
    ]


def test_features_of_like_scales_and_empty_ones_are_not_warned_of(data, fit):
    X, y = data("iris")
    X = X / np.abs(X).max(axis=0) * [9.9e3, 1.0, 1.0, 0.0]
    fit(MLPClassifier((3,), max_iter=2), X, y)
    fit(MLPClassifier((3,), max_iter=2), 0 * X, y)


def test_a_stream_is_not_warned_of(data):
    """Of one batch no scale follows."""
    X, y = data("iris")
    MLPClassifier((3,)).partial_fit(X * [1e6, 1.0, 1.0, 1.0], y, classes=[0, 1, 2])


def test_a_warning_that_is_an_error_comes_before_the_training(data):
    X, y = data("iris")
    clf = MLPClassifier((3,))
    with pytest.raises(FeatureScaleWarning):
        clf.fit(X * [1e6, 1.0, 1.0, 1.0], y)
    assert vars(clf) == clf.get_params()
