"""`coefs_`, `intercepts_` and `network_` are one thing, whoever changes it."""

import copy
import pickle

import joblib
import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

import fastmlp
from fastmlp import MLP, MLPClassifier, MLPRegressor

WAYS = {
    "deepcopy": copy.deepcopy,
    "copy": copy.copy,
    "pickle": lambda estimator: pickle.loads(pickle.dumps(estimator)),
}


@pytest.fixture
def iris(data):
    return data("iris")


@pytest.fixture
def clf(iris, fit):
    return fit(MLPClassifier((6, 5), max_iter=5, random_state=0), *iris)


def test_the_lists_are_views_of_the_network(clf, iris):
    X, _ = iris
    network = clf.network_
    assert type(network) is MLP
    assert network.layer_sizes == (4, 6, 5, 3)
    for array in clf.coefs_ + clf.intercepts_:
        assert np.shares_memory(array, network.parameters)
    before = clf.predict_proba(X)
    np.testing.assert_array_equal(before, network.predict_proba(X))

    clf.coefs_[1][...] *= 2.0

    assert clf.network_ is network
    assert np.abs(clf.predict_proba(X) - before).max() > 1e-3


def test_training_the_network_trains_the_estimator(clf, iris):
    X, y = iris
    before = clf.coefs_[0].copy()
    clf.network_.fit(X, y, fastmlp.SGD(0.1), epochs=3, batch_size=150)
    assert not np.array_equal(clf.coefs_[0], before)
    np.testing.assert_array_equal(clf.predict(X), clf.network_.predict(X))


def test_an_array_put_into_a_list_counts(clf, iris):
    X, _ = iris
    network = clf.network_
    clf.intercepts_[2] = [0, 0, 1000]
    assert (clf.predict(X) == 2).all()
    assert clf.network_ is network
    np.testing.assert_array_equal(network.biases[2], [0, 0, 1000])


def test_layers_may_change_places(iris, fit):
    X, y = iris
    reg = fit(MLPRegressor(hidden_layer_sizes=(4, 4), max_iter=5, random_state=0), X, y)
    first, second = (reg.coefs_[i].copy() for i in (0, 1))
    reg.coefs_[0], reg.coefs_[1] = reg.coefs_[1], reg.coefs_[0]
    expected = np.maximum(X @ second + reg.intercepts_[0], 0)
    expected = np.maximum(expected @ first + reg.intercepts_[1], 0)
    expected = expected @ reg.coefs_[2] + reg.intercepts_[2]
    np.testing.assert_allclose(reg.predict(X), expected.ravel(), rtol=1e-12)


def test_lists_of_other_sizes_make_another_network(clf, iris):
    X, _ = iris
    old = clf.network_
    rng = np.random.default_rng(0)
    clf.coefs_ = [rng.standard_normal((4, 7)), rng.standard_normal((7, 3))]
    clf.intercepts_ = [np.zeros(7), np.zeros(3)]
    sums = np.maximum(X @ clf.coefs_[0], 0) @ clf.coefs_[1]
    np.testing.assert_array_equal(clf.predict(X), sums.argmax(axis=1))
    assert clf.network_ is not old
    assert clf.network_.layer_sizes == (4, 7, 3)


@pytest.mark.parametrize(
    ("coefs", "intercepts", "message"),
    [
        ([np.ones((4, 2))], [], r"must have one array for each layer, got 1 and 0"),
        ([np.ones(4)], [np.ones(4)], r"coefs_\[0\] must have 2 dimensions, got shape \(4,\)"),
        (
            [np.ones((4, 2)), np.ones((3, 3))],
            [np.ones(2), np.ones(3)],
            r"coefs_\[1\] must have 2 rows, as many as coefs_\[0\] has columns, got shape \(3, 3\)",
        ),
        ([np.ones((4, 3))], [np.ones(2)], r"intercepts_\[0\] must have shape \(3,\), got \(2,\)"),
    ],
)
def test_lists_that_are_no_network_are_refused(coefs, intercepts, message, clf, iris):
    clf.coefs_, clf.intercepts_ = coefs, intercepts
    with pytest.raises(ValueError, match=message):
        clf.predict(iris[0])


def test_another_activation_counts_at_once(clf, iris):
    X, _ = iris
    clf.set_params(activation="tanh")
    hidden = X
    for coef, intercept in zip(clf.coefs_[:-1], clf.intercepts_[:-1], strict=True):
        hidden = np.tanh(hidden @ coef + intercept)
    sums = hidden @ clf.coefs_[-1] + clf.intercepts_[-1]
    np.testing.assert_array_equal(clf.predict(X), sums.argmax(axis=1))


def test_before_a_fit_there_is_no_network():
    assert not hasattr(MLPClassifier(), "network_")
    with pytest.raises(NotFittedError, match=r"^This MLPRegressor instance is not fitted yet\."):
        _ = MLPRegressor().network_


@pytest.mark.parametrize("way", WAYS)
def test_a_copy_predicts_the_same_and_is_independent(way, clf, iris):
    X, _ = iris
    expected = clf.predict_proba(X)

    twin = WAYS[way](clf)

    np.testing.assert_array_equal(twin.predict_proba(X), expected)
    held = twin.coefs_[0]
    held[...] = 0.0
    assert np.abs(twin.predict_proba(X) - expected).max() > 0
    np.testing.assert_array_equal(clf.predict_proba(X), expected)
    assert twin.get_params() == clf.get_params()


@pytest.mark.parametrize("way", ["deepcopy", "pickle"])
@pytest.mark.parametrize("solver", ["adam", "sgd"])
def test_a_copy_goes_on_training_as_the_original_does(way, solver, iris):
    X, y = iris
    clf = MLPClassifier((5,), solver=solver, random_state=0)
    clf.partial_fit(X, y, classes=[0, 1, 2])
    twin = WAYS[way](clf)
    for estimator in (clf, twin):
        estimator.partial_fit(X, y)
    assert twin.loss_curve_ == clf.loss_curve_
    np.testing.assert_array_equal(twin.coefs_[0], clf.coefs_[0])


def test_a_file_of_joblib_may_be_mapped_into_memory(clf, iris, tmp_path):
    X, _ = iris
    joblib.dump(clf, tmp_path / "clf.joblib")
    loaded = joblib.load(tmp_path / "clf.joblib", mmap_mode="r")
    np.testing.assert_array_equal(loaded.predict_proba(X), clf.predict_proba(X))
    loaded.coefs_[0][...] = 0.0


def test_a_pickle_holds_the_parameters_once(iris, fit):
    reg = fit(MLPRegressor(hidden_layer_sizes=(300, 300), solver="lbfgs", max_iter=1), *iris)
    assert len(pickle.dumps(reg)) < 1.1 * reg.network_.parameters.nbytes


def test_a_clone_has_the_parameters_alone(clf):
    twin = clone(clf)
    assert twin.get_params() == clf.get_params()
    assert not hasattr(twin, "coefs_")


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_classifier_of_a_network(dtype, iris):
    X, y = iris
    X = X.astype(dtype)
    network = MLP([4, 8, 3], activation="tanh", dtype=dtype, seed=0)
    network.fit(X, y, fastmlp.Adam(0.05), epochs=50, batch_size=50, seed=0)

    clf = MLPClassifier.from_network(network, classes=["a", "b", "c"], solver="sgd")

    assert clf.network_ is network
    assert clf.get_params() == MLPClassifier((8,), "tanh", solver="sgd").get_params()
    np.testing.assert_array_equal(clf.predict(X), np.array(["a", "b", "c"])[network.predict(X)])
    np.testing.assert_array_equal(clf.predict_proba(X), network.predict_proba(X))
    labels = np.array(["a", "b", "c"])[y]
    assert clf.score(X, labels) > 0.9
    clf.partial_fit(X, labels)
    assert clf.network_ is network
    assert len(clf.loss_curve_) == 1


def test_two_classes_of_a_softmax_network(iris):
    X, y = iris
    network = MLP([4, 2], dtype="float64", seed=0)
    clf = MLPClassifier.from_network(network)
    np.testing.assert_array_equal(clf.classes_, [0, 1])
    assert clf.predict_proba(X).shape == (150, 2)
    clf.partial_fit(X[:100], y[:100])
    np.testing.assert_array_equal(clf.predict(X), network.predict(X))


@pytest.mark.parametrize(("n_outputs", "shape"), [(1, (150,)), (3, (150, 3))])
def test_a_classifier_of_logistic_outputs(n_outputs, shape, iris):
    X, _ = iris
    network = MLP([4, n_outputs], output="sigmoid", dtype="float64", seed=0)
    clf = MLPClassifier.from_network(network)
    predicted = clf.predict(X)
    assert predicted.shape == shape
    likely = network.forward(X) > 0
    np.testing.assert_array_equal(predicted, likely.ravel() if n_outputs == 1 else likely)
    clf.partial_fit(X, predicted)


@pytest.mark.parametrize(("output", "loss"), [("identity", "squared_error"), ("exp", "poisson")])
def test_a_regressor_of_a_network(output, loss, iris):
    X, y = iris
    network = MLP([4, 6, 1], activation="sigmoid", output=output, dtype="float64", seed=0)
    reg = MLPRegressor.from_network(network, alpha=0.5)
    assert reg.network_ is network
    assert reg.get_params() == MLPRegressor(loss, (6,), "logistic", alpha=0.5).get_params()
    np.testing.assert_array_equal(reg.predict(X), network.predict(X).ravel())
    reg.partial_fit(X, y)
    assert reg.network_ is network


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: MLPClassifier.from_network(MLP([2, 3, 3], input_scale=True)),
            "the network must have input_scale=False, got True",
        ),
        (
            lambda: MLPClassifier.from_network(MLP([2, 3, 3], periodic_inputs=1)),
            "the network must have periodic_inputs=0, got 1",
        ),
        (
            lambda: MLPClassifier.from_network(MLP([2, 3, 3], parametric_activation=True)),
            "the network must have parametric_activation=False, got True",
        ),
        (
            lambda: MLPClassifier.from_network(MLP([2, 3], output="identity")),
            "a classifier's network must have output 'softmax' or 'sigmoid', got 'identity'",
        ),
        (
            lambda: MLPRegressor.from_network(MLP([2, 3])),
            "a regressor's network must have output 'identity' or 'exp', got 'softmax'",
        ),
        (
            lambda: MLPClassifier.from_network(MLP([2, 3]), classes=[0, 1]),
            r"classes must be 3 distinct labels in sorted order, got \[0, 1\]",
        ),
        (
            lambda: MLPClassifier.from_network(MLP([2, 3]), classes=["b", "a", "c"]),
            r"classes must be 3 distinct labels in sorted order, got \['b', 'a', 'c'\]",
        ),
    ],
)
def test_a_network_of_another_kind_is_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()
