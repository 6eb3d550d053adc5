"""Copies, files and pickles of an estimator have all of a network beyond scikit-learn's."""

import copy
import io
import pickle

import joblib
import numpy as np
import pytest
import sklearn.neural_network
from sklearn.base import clone

import fastmlp
from fastmlp import MLP, MLPClassifier, MLPRegressor
from fastmlp.checkpoint import Checkpoint

# With parameters that no list of weights holds, and not at their first values.
BEYOND = {
    "hidden_layer_sizes": "6-5",
    "activation": ["gelu", "prelu"],
    "normalization": "layer",
    "dropout": (0.1, 0.2),
    "input_dropout": 0.1,
    "solver": "adamw",
    "weight_decay": 0.1,
    "learning_rate": "cosine",
    "learning_rate_init": 0.05,
    "clip_norm": 2.0,
    "warmup": 0.25,
    "max_time": 1e6,
    "dtype": "float32",
    "n_jobs": 2,
    "max_iter": 20,
    "random_state": 0,
}


@pytest.fixture
def iris(data):
    return data("iris")


@pytest.fixture
def beyond(iris):
    """A classifier and a regressor with all of it, after some epochs."""

    def make(kind, n_epochs=4, **changes):
        estimator, (X, y) = kind(**BEYOND | changes), iris
        classes = {"classes": [0, 1, 2]} if kind is MLPClassifier else {}
        for _ in range(n_epochs):
            estimator.partial_fit(X, y, **classes)
        return estimator

    return make


def in_memory(estimator):
    file = io.BytesIO()
    estimator.save(file)
    return type(estimator).load(file.getvalue())


def by_joblib(estimator):
    file = io.BytesIO()
    joblib.dump(estimator, file)
    file.seek(0)
    return joblib.load(file)


WAYS = {
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
    "pickle": lambda estimator: pickle.loads(pickle.dumps(estimator)),
    "joblib": by_joblib,
    "file": in_memory,
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("kind", [MLPClassifier, MLPRegressor])
def test_a_copy_has_the_whole_network_for_itself(way, kind, beyond, iris):
    X, _ = iris
    estimator = beyond(kind)
    twin = WAYS[way](estimator)

    expected = {
        name: tuple(value) if isinstance(value, list) else value for name, value in BEYOND.items()
    }
    found = twin.get_params()
    assert {name: found[name] for name in BEYOND} == (expected if way == "file" else BEYOND)
    assert repr(twin.network_) == repr(estimator.network_)
    np.testing.assert_array_equal(twin.network_.parameters, estimator.network_.parameters)
    before = estimator.predict(X)
    np.testing.assert_array_equal(twin.predict(X), before)
    for block in twin.network_.parameter_blocks:
        block.view[...] = 0.0
    assert not twin.network_.forward(X.astype("f4")).any()
    np.testing.assert_array_equal(estimator.predict(X), before)


@pytest.mark.parametrize("way", ["deepcopy", "pickle", "joblib"])
@pytest.mark.parametrize("kind", [MLPClassifier, MLPRegressor])
def test_a_copy_goes_on_training_as_the_original_does(way, kind, beyond, iris):
    """Masks of dropout, moments of the optimizer and the plan of the learning rate go on too."""
    estimator = beyond(kind)
    twin = WAYS[way](estimator)
    for it in (estimator, twin):
        it.partial_fit(*iris)
        it.partial_fit(*iris)
    assert twin.loss_curve_ == estimator.loss_curve_
    assert len(set(twin.loss_curve_)) == 6
    np.testing.assert_array_equal(twin.network_.parameters, estimator.network_.parameters)


def test_a_loaded_estimator_can_be_trained_on(beyond, iris):
    X, y = iris
    loaded = in_memory(beyond(MLPClassifier))
    loaded.partial_fit(X, y)
    loaded.set_params(warm_start=True, max_iter=30).fit(X, y)
    assert len(loaded.loss_curve_) == 4 + 1 + 30
    assert loaded.loss_curve_[-1] < loaded.loss_curve_[0] / 1.5


@pytest.mark.parametrize("kind", [MLPClassifier, MLPRegressor])
def test_a_clone_has_the_parameters_alone(kind, beyond, iris):
    estimator = beyond(kind)
    twin = clone(estimator)
    assert twin.get_params() == estimator.get_params()
    assert not hasattr(twin, "coefs_")
    again = kind(**BEYOND).fit(*iris)
    assert twin.fit(*iris).loss_curve_ == again.loss_curve_


@pytest.mark.parametrize("kind", [MLPClassifier, MLPRegressor])
def test_the_network_that_goes_on_stays_the_same_object(kind, beyond, iris):
    estimator = beyond(kind, warm_start=True)
    network = estimator.network_
    gains = next(block.view for block in network.parameter_blocks if block.role == "gain")
    slopes = network.parameter_blocks[-3].view
    before = gains.copy(), slopes.copy()
    for train in (estimator.partial_fit, estimator.fit):
        train(*iris)
        assert estimator.network_ is network
        assert all(map(np.shares_memory, estimator.coefs_, network.weights))
        assert (gains != before[0]).all()
        assert (slopes != before[1]).any()
        before = gains.copy(), slopes.copy()


def test_a_fit_that_fails_changes_no_gain(beyond, iris):
    X, y = iris
    estimator = beyond(MLPRegressor)
    before = estimator.network_.parameters.copy()
    with pytest.raises(ValueError, match="Solver produced non-finite parameter weights"):
        estimator.partial_fit(X, 1e30 * y)
    np.testing.assert_array_equal(estimator.network_.parameters, before)


def test_weights_put_into_a_list_leave_gains_and_slopes_as_they_are(beyond, iris):
    X, _ = iris
    estimator = beyond(MLPRegressor)
    network = estimator.network_
    others = [b.view.copy() for b in network.parameter_blocks if b.role not in ("weight", "bias")]
    estimator.coefs_[2] = np.zeros_like(estimator.coefs_[2])
    estimator.intercepts_[2] = np.full_like(estimator.intercepts_[2], 3.0)
    assert (estimator.predict(X) == 3.0).all()
    assert estimator.network_ is network
    kept = [b.view for b in network.parameter_blocks if b.role not in ("weight", "bias")]
    for array, before in zip(kept, others, strict=True):
        np.testing.assert_array_equal(array, before)


def test_other_activations_count_at_once(iris, fit):
    X, y = iris
    change = {"activation": ["tanh", "gelu"]}
    given = {"hidden_layer_sizes": (6, 5), "max_iter": 3, "random_state": 0}
    reg = fit(MLPRegressor(**given), X, y)
    network = MLP(
        [4, 6, 5, 1],
        **change,
        output="identity",
        dtype="float64",
        seed=0,
    )
    for to, array in zip(
        network.weights + network.biases, reg.coefs_ + reg.intercepts_, strict=True
    ):
        to[...] = array
    reg.set_params(**change)
    np.testing.assert_array_equal(reg.predict(X), network.predict(X).ravel())
    fit(reg.set_params(warm_start=True), X, y)


def test_an_activation_that_is_changed_in_its_list_counts_at_once(beyond, iris):
    X, _ = iris
    estimator = beyond(MLPRegressor, activation=["gelu", "tanh"])
    before = estimator.predict(X)
    estimator.activation[1] = "relu"
    assert estimator.network_.activation == ("gelu", "relu")
    assert (estimator.predict(X) != before).any()


@pytest.mark.parametrize("activation", ["leaky_relu", "prelu", ("relu", "tanh"), "sigmoid"])
@pytest.mark.parametrize("normalization", [None, "layer", "batch"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_an_estimator_of_any_network(activation, normalization, dtype, iris):
    X, y = iris
    X = X.astype(dtype)
    options = {"activation": activation, "normalization": normalization, "dtype": dtype}
    network = MLP([4, 8, 6, 3], **options, seed=0)
    training = Checkpoint(network, fastmlp.AdamW(0.02, schedule="cosine"), seed=0)
    training.fit(X, y, epochs=30, batch_size=50, dropout=[0.1, 0.0], input_dropout=0.05)

    clf = MLPClassifier.from_network(network, dropout=[0.1, 0.0])

    assert clf.network_ is network
    assert clf.get_params() == (
        MLPClassifier(
            (8, 6),
            "logistic" if activation == "sigmoid" else activation,
            normalization=normalization,
            dropout=[0.1, 0.0],
        ).get_params()
    )
    np.testing.assert_array_equal(clf.predict(X), network.predict(X))
    loaded = in_memory(clf)
    np.testing.assert_array_equal(loaded.network_.parameters, network.parameters)
    clf.partial_fit(X, y)
    assert clf.network_ is network


NEW = ("dropout", "input_dropout", "normalization", "weight_decay", "clip_norm", "warmup")
NEW += ("max_time", "dtype", "n_jobs")


def state_of_earlier_versions(estimator):
    """A state with arrays, and without the parameters that came later."""
    state = dict(vars(estimator))
    for name in NEW:
        del state[name]
    for name in ("coefs_", "intercepts_"):
        state[name] = [array.copy() for array in state[name]]
    del state["_progress"]
    return state | {"_tie": None, "_sklearn_version": sklearn.__version__}


@pytest.mark.parametrize("kind", [MLPClassifier, MLPRegressor])
def test_a_pickle_of_an_earlier_version_is_loaded(kind, iris, fit):
    X, y = iris
    estimator = fit(kind(hidden_layer_sizes=(5,), max_iter=3, random_state=0), X, y)
    state = state_of_earlier_versions(estimator)
    old = object.__new__(kind)
    old.__setstate__(state)

    assert old.get_params() == estimator.get_params()
    np.testing.assert_array_equal(old.predict(X), estimator.predict(X))
    assert all(np.shares_memory(array, old.network_.parameters) for array in old.coefs_)
    for it in (old, estimator):
        it.partial_fit(X, y)
    assert old.loss_curve_ == estimator.loss_curve_
    clone(old)


def test_an_estimator_of_an_earlier_version_that_was_not_trained_is_loaded(iris, fit):
    plain = MLPClassifier(max_iter=2)
    state = {k: v for k, v in vars(plain).items() if k in ("max_iter", "alpha", "solver")}
    old = object.__new__(MLPClassifier)
    old.__setstate__(state)
    assert old.get_params() == plain.get_params()
    fit(old, *iris)
