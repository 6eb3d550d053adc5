"""A new network: its attributes, and weights drawn as the initialiser says."""

import numpy as np
import pytest

import fastmlp


def test_defaults():
    mlp = fastmlp.MLP([2, 100, 3])

    assert mlp.layer_sizes == (2, 100, 3)
    assert mlp.activation == "relu"
    assert mlp.output == "softmax"
    assert mlp.dtype == "float32"
    assert mlp.n_parameters == 603


@pytest.mark.parametrize("sizes", [(2, 3), [5, 4, 3], np.array([7, 1, 2])])
def test_layer_sizes_of_any_sequence(sizes):
    assert fastmlp.MLP(sizes).layer_sizes == tuple(int(size) for size in sizes)


@pytest.mark.parametrize("names", [("relu", "tanh"), ["relu", "tanh"]])
def test_an_activation_a_hidden_layer(names):
    assert fastmlp.MLP([2, 4, 5, 3], activation=names).activation == ("relu", "tanh")


def test_repr_names_what_matters():
    assert repr(fastmlp.MLP([2, 100, 3])) == (
        "MLP([2, 100, 3], activation='relu', output='softmax', dtype='float32')"
    )


def test_the_same_seed_gives_the_same_bits(dtype):
    first, same, other = (fastmlp.MLP([4, 50, 3], dtype=dtype, seed=seed) for seed in (5, 5, 6))

    assert first.parameters.tobytes() == same.parameters.tobytes()
    assert not np.array_equal(first.parameters, other.parameters)


def test_no_seed_gives_other_weights_each_time():
    assert not np.array_equal(
        fastmlp.MLP([4, 50, 3]).parameters, fastmlp.MLP([4, 50, 3]).parameters
    )


def test_both_dtypes_start_from_the_same_numbers():
    wide, narrow = (
        fastmlp.MLP([4, 50, 3], dtype=dtype, seed=5).parameters for dtype in ("float64", "float32")
    )

    np.testing.assert_array_equal(wide.astype(np.float32), narrow)


def test_biases_start_at_zero():
    assert all(not b.any() for b in fastmlp.MLP([4, 50, 3], seed=0).biases)


D_IN, D_OUT = 400, 600

# Bound of a uniform, or standard deviation of a normal: Glorot & Bengio (2010), He et al. (2015),
# LeCun et al. (1998).
SPREADS = {
    "glorot_uniform": ("uniform", np.sqrt(6 / (D_IN + D_OUT))),
    "glorot_normal": ("normal", np.sqrt(2 / (D_IN + D_OUT))),
    "he_uniform": ("uniform", np.sqrt(6 / D_IN)),
    "he_normal": ("normal", np.sqrt(2 / D_IN)),
    "lecun_normal": ("normal", np.sqrt(1 / D_IN)),
    "normal": ("normal", 0.01),
}


def assert_drawn_from(W, family, spread):
    """By mean, variance and the shares below four quantiles; bounds are five standard errors."""
    scaled = W.ravel() / spread
    error = 5 / np.sqrt(scaled.size)
    variance = 1 / 3 if family == "uniform" else 1.0
    # P(x < -0.5), P(x < 0.25), P(x < 0.9) of the uniform on [-1, 1] and of the standard normal.
    shares = (0.25, 0.625, 0.95) if family == "uniform" else (0.308538, 0.598706, 0.815940)
    assert abs(scaled.mean()) < error
    assert abs(scaled.var() - variance) < 2 * error
    for quantile, share in zip((-0.5, 0.25, 0.9), shares, strict=True):
        assert abs(np.mean(scaled < quantile) - share) < error
    if family == "uniform":
        assert 0.999 < np.abs(scaled).max() <= 1.0


@pytest.mark.parametrize("init", SPREADS)
def test_initialisers(init):
    mlp = fastmlp.MLP([D_IN, D_OUT, 2], init=init, dtype="float64", seed=0)

    assert_drawn_from(mlp.weights[0], *SPREADS[init])


def test_init_scale_is_the_standard_deviation_of_normal():
    mlp = fastmlp.MLP([D_IN, D_OUT, 2], init="normal", init_scale=3.0, dtype="float64", seed=0)

    assert_drawn_from(mlp.weights[0], "normal", 3.0)


AUTO = {
    "identity": "glorot_uniform",
    "sigmoid": "glorot_uniform",
    "tanh": "glorot_uniform",
    "selu": "lecun_normal",
}


def test_auto_goes_by_the_activation(activation):
    init = AUTO.get(activation, "he_uniform")
    auto = fastmlp.MLP([D_IN, D_OUT, 300], activation, init="auto", dtype="float64", seed=0)

    named = fastmlp.MLP([D_IN, D_OUT, 300], activation, init=init, dtype="float64", seed=0)
    np.testing.assert_array_equal(auto.weights[0], named.weights[0])
    # No activation follows the last layer.
    assert_drawn_from(auto.weights[1], "uniform", np.sqrt(6 / (D_OUT + 300)))
