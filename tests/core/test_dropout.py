"""Dropout: masks are a function of the seed, gradients are those of the masked network."""

import re

import numpy as np
import pytest
from core.test_finite_differences import assert_is_slope_along_directions

import fastmlp


def make(rng, sizes, activation="relu", dtype="float64", n=40):
    mlp = fastmlp.MLP(sizes, activation=activation, dtype=dtype, seed=1)
    X = rng.standard_normal((n, sizes[0])).astype(dtype)
    return mlp, X, rng.integers(sizes[-1], size=n)


def factors(mlp, X, seed, dropout):
    """The factor of each hidden activation of one row, derived from the last layer's gradient.

    For one row the derivative by a weight is the activation times the derivative by the bias.
    """
    W, b = mlp.weights, mlp.biases
    activations = np.tanh(X[0] @ W[0] + b[0])
    _, gradient = mlp.loss_and_grad(X, np.zeros(1, int), dropout=dropout, seed=seed)
    (_, d_W), (_, d_b) = mlp.unflatten(gradient)
    return d_W[:, 0] / d_b[0] / activations


@pytest.mark.parametrize("sizes", [[3, 20, 4], [5, 17, 33, 3]])
def test_the_gradient_is_that_of_the_masked_network(rng, sizes, activation):
    mlp, X, y = make(rng, sizes, activation)
    call = {"X": X, "y": y, "dropout": 0.3, "seed": 7}
    assert_is_slope_along_directions(mlp, call, 5, rng)


@pytest.mark.parametrize("rate", [0.15, 0.5, 0.9])
def test_activations_are_kept_with_their_share_and_scaled_by_its_inverse(rng, rate):
    mlp, X, _ = make(rng, [4, 200, 3], "tanh", n=1)
    seen = np.concatenate([factors(mlp, X, seed, rate) for seed in range(100)])

    kept = seen != 0
    np.testing.assert_allclose(seen[kept], 1 / (1 - rate), rtol=1e-9)
    # Four standard deviations of a binomial.
    n = len(seen)
    assert abs(kept.sum() - n * (1 - rate)) < 4 * np.sqrt(n * rate * (1 - rate))


def test_masks_follow_from_the_seed_alone(rng):
    mlp, X, _ = make(rng, [4, 200, 3], "tanh", n=1)
    np.testing.assert_array_equal(factors(mlp, X, 3, 0.5), factors(mlp, X, 3, 0.5))
    assert (factors(mlp, X, 3, 0.5) != factors(mlp, X, 4, 0.5)).any()


def test_a_rate_for_each_hidden_layer(rng):
    mlp, X, y = make(rng, [4, 30, 30, 3])
    plain = mlp.loss_and_grad(X, y)
    first = mlp.loss_and_grad(X, y, dropout=(0.5, 0.0), seed=1)
    both = mlp.loss_and_grad(X, y, dropout=[0.5, 0.5], seed=1)
    one = mlp.loss_and_grad(X, y, dropout=0.5, seed=1)

    assert one[0] == both[0]
    np.testing.assert_array_equal(one[1], both[1])
    assert len({plain[0], first[0], both[0]}) == 3


@pytest.mark.parametrize("none", [0, 0.0, [0.0, 0.0]])
def test_a_rate_of_0_is_no_dropout(rng, none):
    mlp, X, y = make(rng, [4, 30, 20, 3])
    expected = mlp.loss_and_grad(X, y)
    found = mlp.loss_and_grad(X, y, dropout=none)
    assert found[0] == expected[0]
    np.testing.assert_array_equal(found[1], expected[1])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("sizes", [[2, 50, 3], [20, 300, 200, 3]])
@pytest.mark.parametrize("activation", ["relu", "tanh", "gelu"])
def test_fit_gives_the_same_bits_for_any_number_of_threads(rng, sizes, dtype, activation):
    _, X, y = make(rng, sizes, dtype=dtype, n=600)
    parameters = []
    for n_jobs in (None, 2, 3, 7):
        mlp = fastmlp.MLP(sizes, activation=activation, dtype=dtype, seed=1)
        mlp.fit(X, y, epochs=3, batch_size=256, seed=5, dropout=0.2, n_jobs=n_jobs)
        parameters.append(mlp.parameters.copy())
    for other in parameters[1:]:
        np.testing.assert_array_equal(other, parameters[0])


def test_fit_draws_new_masks_for_each_step(rng):
    mlp, X, y = make(rng, [4, 100, 3])
    # With a rate of almost 0 nothing moves, so the losses differ by their masks alone.
    history = mlp.fit(X, y, fastmlp.SGD(1e-300), epochs=20, batch_size=20, dropout=0.5, seed=1)
    assert len(set(history.loss)) == 20


def test_fit_goes_by_its_seed(rng):
    losses = []
    for seed in (1, 1, 2):
        mlp, X, y = make(np.random.default_rng(0), [4, 100, 3])
        losses.append(mlp.fit(X, y, epochs=3, shuffle=False, dropout=0.5, seed=seed).loss)
    np.testing.assert_array_equal(losses[0], losses[1])
    assert (losses[0] != losses[2]).all()


def test_a_step_is_along_the_masked_gradient(rng):
    mlp, X, y = make(rng, [4, 100, 3])
    loss, gradient = mlp.loss_and_grad(X, y, dropout=0.4, seed=9)
    expected = mlp.parameters - 0.5 * gradient
    assert mlp.step(X, y, fastmlp.SGD(0.5), dropout=0.4, seed=9) == loss
    np.testing.assert_allclose(mlp.parameters, expected, rtol=1e-14, atol=1e-16)


def test_steps_without_a_seed_go_through_the_networks_own_stream(rng):
    runs = []
    for _ in range(2):
        mlp, X, y = make(np.random.default_rng(0), [4, 100, 3])
        runs.append([mlp.step(X, y, fastmlp.SGD(1e-300), dropout=0.4) for _ in range(5)])
    assert runs[0] == runs[1]
    assert len(set(runs[0])) == 5


def test_validation_and_prediction_leave_nothing_out(rng):
    mlp, X, y = make(rng, [4, 100, 3])
    history = mlp.fit(X, y, epochs=2, dropout=0.5, X_val=X, y_val=y)
    assert history.val_loss[-1] == pytest.approx(mlp.loss(X, y), rel=1e-12)
    np.testing.assert_array_equal(mlp.predict_proba(X), mlp.predict_proba(X))


def test_dropout_learns(rng):
    X = rng.standard_normal((500, 2))
    y = (X[:, 0] * X[:, 1] > 0).astype(int)
    mlp = fastmlp.MLP([2, 100, 100, 2], dtype="float64", seed=0)
    mlp.fit(X, y, epochs=200, batch_size=50, dropout=0.2, seed=0)
    assert (mlp.predict(X) == y).mean() > 0.95


@pytest.mark.parametrize(
    ("dropout", "error", "message"),
    [
        (1.0, ValueError, "dropout is 1, expected a number in [0, 1)"),
        (-0.1, ValueError, "dropout is -0.1, expected a number in [0, 1)"),
        (float("nan"), ValueError, "dropout is NaN, expected a number in [0, 1)"),
        ([0.1, 2], ValueError, "dropout is 2, expected a number in [0, 1)"),
        (
            [0.1],
            ValueError,
            "dropout is a sequence of 1, "
            "expected one number, or a sequence of 2: one per hidden layer",
        ),
        ("half", TypeError, "dropout is of type str, expected a number, or a sequence of numbers"),
        (
            ["half", "half"],
            TypeError,
            "dropout is of type list, expected a number, or a sequence of numbers",
        ),
    ],
)
def test_refuses_what_is_no_share(rng, dropout, error, message):
    mlp, X, y = make(rng, [4, 10, 10, 3])
    before = mlp.parameters.copy()
    for call in (
        lambda: mlp.fit(X, y, epochs=1, dropout=dropout),
        lambda: mlp.step(X, y, fastmlp.SGD(), dropout=dropout),
        lambda: mlp.loss_and_grad(X, y, dropout=dropout, seed=0),
    ):
        with pytest.raises(error, match=f"^{re.escape(message)}$"):
            call()
    np.testing.assert_array_equal(mlp.parameters, before)


def test_a_gradient_with_dropout_wants_a_seed(rng):
    mlp, X, y = make(rng, [4, 10, 3])
    message = "seed is None, expected an integer: the masks of dropout are a function of it"
    with pytest.raises(ValueError, match=f"^{message}$"):
        mlp.loss_and_grad(X, y, dropout=0.1)
