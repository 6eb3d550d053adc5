"""Networks beyond scikit-learn's: what parameters ask for, and where training starts."""

import re

import numpy as np
import pytest
import sklearn.neural_network

from fastmlp import MLPClassifier, MLPRegressor
from fastmlp._core import ACTIVATIONS


@pytest.fixture
def iris(data):
    return data("iris")


def at_start(**parameters):
    """A network of 300 inputs as a fit draws it: no step moves it."""
    given = {"solver": "sgd", "learning_rate_init": 1e-300, "momentum": 0.0, "alpha": 0.0}
    reg = MLPRegressor(**given, **{"random_state": 5} | parameters)
    return reg.partial_fit(np.ones((2, 300)), [0.0, 1.0]).network_


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


@pytest.mark.parametrize("sizes", [(2.5,), [4, "a"]])
def test_sizes_that_are_no_integers_are_refused(sizes, iris):
    message = f"^hidden_layer_sizes must be integers, got {re.escape(str(list(sizes)))}: "
    with pytest.raises(TypeError, match=message):
        MLPClassifier(hidden_layer_sizes=sizes).fit(*iris)


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
