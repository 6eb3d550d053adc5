"""Networks beyond scikit-learn's: what parameters ask for, where training starts, what is kept."""

import copy
import io
import pickle
import re
import subprocess
import sys

import joblib
import numpy as np
import pytest
import sklearn.neural_network
from sklearn.base import clone

import fastmlp
from fastmlp import MLP, MLPClassifier, MLPRegressor
from fastmlp._core import ACTIVATIONS
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


def at_start(**parameters):
    """A network of 300 inputs as a fit draws it: no step moves it."""
    given = {"solver": "sgd", "learning_rate_init": 1e-300, "momentum": 0.0, "alpha": 0.0}
    reg = MLPRegressor(**given, **{"random_state": 5} | parameters)
    return reg.partial_fit(np.ones((2, 300)), [0.0, 1.0]).network_


# === Names ===


@pytest.mark.parametrize(
    ("hidden_layer_sizes", "expected"),
    [
        ("64-32", (64, 32)),
        ("64x3", (64, 64, 64)),
        ("8x2-4", (8, 8, 4)),
        ("7", (7,)),
        ("1-2x1-3", (1, 2, 3)),
        (np.str_("5x2"), (5, 5)),
        (np.int64(9), (9,)),
        (np.array([4, 3]), (4, 3)),
        ([], ()),
    ],
    ids=str,
)
def test_sizes(hidden_layer_sizes, expected, iris):
    reg = MLPRegressor(hidden_layer_sizes=hidden_layer_sizes).partial_fit(*iris)
    assert reg.network_.layer_sizes == (4, *expected, 1)
    assert reg.get_params()["hidden_layer_sizes"] is hidden_layer_sizes


@pytest.mark.parametrize("text", ["", "x3", "64x", "64,32", "64 32", "-64", "64-", "6.5", "٣", "a"])
def test_text_that_is_no_sizes_is_refused(text, iris):
    message = (
        "hidden_layer_sizes must be widths such as '64-32', or '64x3' for three layers of 64, got "
        f"{text!r}"
    )
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        MLPClassifier(hidden_layer_sizes=text).fit(*iris)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("64-0", "hidden_layer_sizes must be > 0, got [64, 0]."),
        ("8x1000-8", "hidden_layer_sizes must have at most 1000 layers, got 1001"),
        ("1x999999999999999", "hidden_layer_sizes must have at most 1000 layers, got 9999"),
    ],
)
def test_sizes_out_of_range_are_refused(text, message, iris):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}"):
        MLPClassifier(hidden_layer_sizes=text).fit(*iris)


@pytest.mark.parametrize("name", [*ACTIVATIONS, "prelu", "logistic"])
def test_every_activation_of_the_engine(name, iris, fit):
    X, y = iris
    for activation in (name, [name, name]):
        clf = fit(MLPClassifier((5, 4), activation, max_iter=3, random_state=0), X, y)
        assert clf.network_.activation == ("sigmoid" if name == "logistic" else name)
        assert clf.get_params()["activation"] is activation
        np.testing.assert_array_equal(clf.predict(X), clf.network_.predict(X))


def test_names_for_the_same_give_the_same_bits(iris, fit):
    given = {"hidden_layer_sizes": (5, 4), "max_iter": 5, "random_state": 0}
    first, *others = (
        fit(MLPClassifier(activation=activation, **given), *iris)
        for activation in ("logistic", "sigmoid", ("logistic", "sigmoid"), ["logistic"] * 2)
    )
    for other in others:
        assert other.loss_curve_ == first.loss_curve_


@pytest.mark.parametrize(
    ("activation", "message"),
    [
        (
            ("relu",),
            "activation must be one name, or a sequence with one name per hidden layer, of which "
            "there are 2; got ('relu',)",
        ),
        (["relu", "step"], "activation must be among ['elu', 'gelu', 'identity', "),
        (["relu", 7], "activation must be among ['elu', 'gelu', 'identity', "),
    ],
)
def test_a_sequence_of_other_activations_is_refused(activation, message, iris):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}"):
        MLPClassifier((5, 4), activation).fit(*iris)


# === Initial values ===


@pytest.mark.parametrize("activation", [("relu", "logistic"), ("tanh", "identity"), "relu"])
@pytest.mark.parametrize("normalization", [None, "layer"])
def test_activations_of_scikit_learn_start_from_its_draws(activation, normalization):
    network = at_start(
        hidden_layer_sizes=(20, 10), activation=activation, normalization=normalization
    )
    names = (activation, activation) if isinstance(activation, str) else activation
    random_state, sizes = np.random.RandomState(5), (300, 20, 10, 1)
    for i, name in enumerate((*names, names[-1])):
        theirs = sklearn.neural_network.MLPRegressor(activation=name)
        theirs._random_state = random_state
        weights, biases = theirs._init_coef(sizes[i], sizes[i + 1], np.float64)
        np.testing.assert_array_equal(network.weights[i], weights)
        np.testing.assert_array_equal(network.biases[i], biases)
    first = {"gain": 1.0, "shift": 0.0} if normalization else {}
    others = [b for b in network.parameter_blocks if b.role not in ("weight", "bias")]
    assert {block.role for block in others} == first.keys()
    for block in others:
        np.testing.assert_allclose(block.view, first[block.role], rtol=0, atol=1e-200)


@pytest.mark.parametrize(
    ("activation", "variances"),
    [
        ("gelu", (2 / 300, 2 / 200)),
        ("prelu", (2 / 300, 2 / 200)),
        ("selu", (1 / 300, 1 / 200)),
        (("silu", "tanh"), (2 / 300, 2 / 300)),
        (("relu", "elu"), (2 / 300, 2 / 200)),
    ],
)
def test_other_activations_start_from_those_of_the_engine(activation, variances):
    """He before relatives of relu, LeCun before selu, Glorot before tanh and outputs."""
    network = at_start(hidden_layer_sizes=(200, 100), activation=activation)
    for weights, variance in zip(network.weights, (*variances, 2 / 101), strict=False):
        # Five standard errors, of the variance of a normal distribution.
        assert weights.var() == pytest.approx(variance, rel=5 * np.sqrt(2 / weights.size))
    for biases in network.biases:
        np.testing.assert_allclose(biases, 0.0, atol=1e-200)

    again, other = (
        at_start(hidden_layer_sizes=(200, 100), activation=activation, random_state=seed)
        for seed in (5, 6)
    )
    np.testing.assert_array_equal(again.parameters, network.parameters)
    assert (other.weights[0] != network.weights[0]).all()


def test_one_random_state_gives_one_network_after_the_other():
    state = np.random.RandomState(0)
    given = {"hidden_layer_sizes": (4,), "activation": "gelu", "shuffle": False}
    first, second = (at_start(random_state=state, **given) for _ in range(2))
    assert (first.weights[0] != second.weights[0]).all()


# === Keeping ===


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


# === Networks from elsewhere ===


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


# === Earlier versions ===


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


# === Docstrings ===


def test_what_both_describe_is_written_once_and_needs_no_docstrings():
    for kind in (MLPClassifier, MLPRegressor):
        assert "%(" not in kind.__doc__
        assert (
            "input_dropout : float, default=0.0\n    The same fraction for the inputs."
            in kind.__doc__
        )
    program = (
        "import fastmlp; print(fastmlp.MLPClassifier.__doc__, fastmlp.MLPRegressor(dropout=0.5))"
    )
    run = subprocess.run(
        [sys.executable, "-OO", "-c", program], check=True, capture_output=True, encoding="utf-8"
    )
    assert run.stdout == "None MLPRegressor(dropout=0.5)\n"
