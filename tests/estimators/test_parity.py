"""The numbers are scikit-learn's: loss for loss, and score for score."""

import itertools

import numpy as np
import pytest
import scipy.sparse
import sklearn.neural_network
from sklearn.model_selection import train_test_split

import fastmlp

CLASSIFIERS = ("digits", "two digits", "iris", "multilabel")
REGRESSORS = ("diabetes", "several targets", "counts")
DATA = CLASSIFIERS + REGRESSORS
ACTIVATIONS = ("identity", "logistic", "tanh", "relu")
SOLVERS = {
    "adam": {"solver": "adam", "learning_rate_init": 0.01},
    "adam, other moments": {"solver": "adam", "beta_1": 0.5, "beta_2": 0.9, "epsilon": 1e-3},
    "sgd": {"solver": "sgd", "learning_rate_init": 0.01},
    "sgd without Nesterov": {"solver": "sgd", "nesterovs_momentum": False, "momentum": 0.5},
    "sgd without momentum": {"solver": "sgd", "momentum": 0.0, "learning_rate_init": 0.02},
    "sgd with all momentum": {"solver": "sgd", "momentum": 1.0, "learning_rate_init": 1e-4},
    "invscaling": {"solver": "sgd", "learning_rate": "invscaling", "power_t": 0.1},
    "adaptive": {"solver": "sgd", "learning_rate": "adaptive", "tol": 0.01, "n_iter_no_change": 1},
}
# Two summation orders differ by some roundoffs of 1e-16 per step, which training makes larger.
TOLERANCE = 1e-10


def assert_same_course(fit, name, X, y, sample_weight=None, **parameters):
    kind = "MLPClassifier" if name in CLASSIFIERS else "MLPRegressor"
    if name == "counts":
        parameters["loss"] = "poisson"
    parameters = {"max_iter": 20, "random_state": 3, "hidden_layer_sizes": (20, 10)} | parameters
    ours, theirs = (
        fit(getattr(package, kind)(**parameters), X, y, sample_weight=sample_weight)
        for package in (fastmlp, sklearn.neural_network)
    )
    np.testing.assert_allclose(ours.loss_curve_, theirs.loss_curve_, rtol=TOLERANCE)
    for attribute in ("n_iter_", "t_", "n_layers_", "n_outputs_", "out_activation_"):
        assert getattr(ours, attribute) == getattr(theirs, attribute), attribute
    for attribute in (
        "loss_",
        "best_loss_",
        "validation_scores_",
        "best_validation_score_",
    ):
        expected = getattr(theirs, attribute)
        if expected is None:
            assert getattr(ours, attribute) is None, attribute
        else:
            np.testing.assert_allclose(getattr(ours, attribute), expected, rtol=TOLERANCE)
    for ours_, theirs_ in zip(
        ours.coefs_ + ours.intercepts_, theirs.coefs_ + theirs.intercepts_, strict=True
    ):
        np.testing.assert_allclose(ours_, theirs_, rtol=1e-6, atol=1e-8)
    np.testing.assert_array_equal(
        ours._random_state.get_state()[1], theirs._random_state.get_state()[1]
    )
    return ours, theirs


@pytest.mark.parametrize(("name", "solver"), list(itertools.product(DATA, SOLVERS)))
def test_loss_curve_of_each_solver(name, solver, data, fit):
    assert_same_course(fit, name, *data(name), **SOLVERS[solver])


@pytest.mark.parametrize(
    ("name", "activation", "solver"), list(itertools.product(DATA, ACTIVATIONS, ("adam", "sgd")))
)
def test_loss_curve_of_each_activation(name, activation, solver, data, fit):
    assert_same_course(fit, name, *data(name), activation=activation, **SOLVERS[solver])


@pytest.mark.parametrize("name", DATA)
@pytest.mark.parametrize(
    "parameters",
    [
        {"batch_size": 7},
        {"batch_size": 50, "shuffle": False},
        {"alpha": 0.0},
        {"alpha": 10.0, "batch_size": 32},
        {"hidden_layer_sizes": ()},
        {"hidden_layer_sizes": 5},
        {"early_stopping": True, "validation_fraction": 0.2},
        {"early_stopping": True, "n_iter_no_change": 2, "tol": 0.05},
        {"n_iter_no_change": 2, "tol": 0.5},
    ],
    ids=str,
)
def test_loss_curve_of_other_parameters(name, parameters, data, fit):
    assert_same_course(fit, name, *data(name), **parameters)


@pytest.mark.parametrize("name", DATA)
@pytest.mark.parametrize("early_stopping", [False, True])
def test_loss_curve_with_sample_weights(name, early_stopping, data, fit, rng):
    X, y = data(name)
    weights = rng.uniform(0.1, 3.0, len(X))
    assert_same_course(fit, name, X, y, weights, batch_size=32, early_stopping=early_stopping)


@pytest.mark.parametrize("name", ["digits", "multilabel", "diabetes"])
@pytest.mark.parametrize(
    "kind", ["csr_matrix", "csr_array", "csc_matrix", "csc_array", "coo_array"]
)
def test_loss_curve_of_sparse_data(name, kind, data, fit):
    X, y = data(name)
    ours, theirs = assert_same_course(fit, name, getattr(scipy.sparse, kind)(X), y, batch_size=50)
    np.testing.assert_allclose(ours.predict(X), theirs.predict(X), rtol=1e-6)


@pytest.mark.parametrize("name", ["digits", "two digits", "multilabel", "diabetes"])
def test_lbfgs_reaches_the_same_loss(name, data, fit):
    X, y = data(name)
    kind = "MLPClassifier" if name in CLASSIFIERS else "MLPRegressor"
    ours, theirs = (
        fit(
            getattr(package, kind)(
                hidden_layer_sizes=(20,), solver="lbfgs", max_iter=10, random_state=0, alpha=0.1
            ),
            X,
            y,
        )
        for package in (fastmlp, sklearn.neural_network)
    )
    assert ours.n_iter_ == theirs.n_iter_
    assert ours.loss_ == pytest.approx(theirs.loss_, rel=1e-8)
    np.testing.assert_allclose(ours.coefs_[0], theirs.coefs_[0], rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("name", ["digits", "iris", "diabetes"])
def test_partial_fit_in_turns(name, data):
    X, y = data(name)
    kind = "MLPClassifier" if name in CLASSIFIERS else "MLPRegressor"
    first = {"classes": np.unique(y)} if kind == "MLPClassifier" else {}
    ours, theirs = (
        getattr(package, kind)(random_state=1, hidden_layer_sizes=(15,))
        for package in (fastmlp, sklearn.neural_network)
    )
    for estimator in (ours, theirs):
        for rows in (slice(0, None, 2), slice(1, None, 2), slice(None)):
            estimator.partial_fit(
                X[rows], y[rows], **(first if rows.step and not rows.start else {})
            )
    np.testing.assert_allclose(ours.loss_curve_, theirs.loss_curve_, rtol=TOLERANCE)
    assert (ours.t_, ours.n_iter_) == (theirs.t_, theirs.n_iter_)


@pytest.mark.parametrize("early_stopping", [False, True])
def test_a_warm_start_goes_on(early_stopping, data, fit):
    X, y = data("digits")
    ours, theirs = (
        package.MLPClassifier(
            (10,), max_iter=5, random_state=2, warm_start=True, early_stopping=early_stopping
        )
        for package in (fastmlp, sklearn.neural_network)
    )
    for estimator in (ours, theirs):
        for _ in range(3):
            fit(estimator, X, y)
    assert len(ours.loss_curve_) == 15
    np.testing.assert_allclose(ours.loss_curve_, theirs.loss_curve_, rtol=TOLERANCE)


def test_one_random_state_serves_several_fits_in_turn(data, fit):
    X, y = data("iris")
    ours, theirs = np.random.RandomState(8), np.random.RandomState(8)
    for _ in range(2):
        a = fit(fastmlp.MLPClassifier(max_iter=4, random_state=ours), X, y)
        b = fit(sklearn.neural_network.MLPClassifier(max_iter=4, random_state=theirs), X, y)
        np.testing.assert_allclose(a.loss_curve_, b.loss_curve_, rtol=TOLERANCE)
    assert ours.randint(1 << 30) == theirs.randint(1 << 30)


def test_float32_follows_as_far_as_its_precision_goes(data, fit):
    X, y = data("digits")
    ours, theirs = (
        fit(package.MLPClassifier(max_iter=20, random_state=0), X.astype(np.float32), y)
        for package in (fastmlp, sklearn.neural_network)
    )
    np.testing.assert_allclose(ours.loss_curve_, theirs.loss_curve_, rtol=1e-4)
    assert {array.dtype.name for array in ours.coefs_ + ours.intercepts_} == {"float32"}


@pytest.mark.parametrize("name", ["digits", "iris", "diabetes"])
@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_scores_after_full_training_lie_within_the_spread_of_seeds(name, solver, data, fit):
    X_train, X_test, y_train, y_test = train_test_split(*data(name), random_state=0)
    kind = "MLPClassifier" if name in CLASSIFIERS else "MLPRegressor"
    scores = {
        package.__name__: np.array(
            [
                fit(
                    getattr(package, kind)(
                        hidden_layer_sizes=(20,), solver=solver, random_state=seed, alpha=0.1
                    ),
                    X_train,
                    y_train,
                ).score(X_test, y_test)
                for seed in range(5)
            ]
        )
        for package in (fastmlp, sklearn.neural_network)
    }
    ours, theirs = scores["fastmlp"], scores["sklearn.neural_network"]
    spread = max(np.ptp(theirs), 2 / len(y_test))
    assert abs(ours.mean() - theirs.mean()) <= spread
    assert ours.min() >= theirs.min() - spread
