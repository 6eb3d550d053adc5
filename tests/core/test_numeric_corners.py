"""At the limits of the number range: finite results, or an error that says so."""

import contextlib

import numpy as np
import pytest
from scipy.special import expit, log_softmax

import fastmlp

OUTPUTS = ("softmax", "sigmoid", "identity", "exp")


def linear(d_in, d_out, output="softmax", dtype="float64"):
    """A network of one layer, with the identity as weights and no bias."""
    mlp = fastmlp.MLP([d_in, d_out], output=output, dtype=dtype, seed=0)
    mlp.weights[0][...] = np.eye(d_in, d_out)
    mlp.biases[0][...] = 0.0
    return mlp


def ulps(found, truth):
    """Distance in units in the last place of the result's type."""
    rounded = truth.astype(found.dtype)
    return np.abs(found.astype(np.longdouble) - truth) / np.spacing(np.abs(rounded))


@pytest.mark.parametrize("n_classes", [2, 3, 8, 9, 100])
@pytest.mark.parametrize("size", [1e-30, 1.0, 30.0, 1e4, 1e30])
def test_probabilities_are_those_of_wider_numbers_and_sum_to_1(n_classes, size, dtype, rng):
    X = (size * rng.standard_normal((200, n_classes))).astype(dtype)
    found = linear(n_classes, n_classes, dtype=dtype).predict_proba(X)
    truth = np.exp(log_softmax(X.astype(np.longdouble), axis=1))
    epsilon = np.finfo(dtype).eps
    assert np.abs(found.astype(np.longdouble).sum(axis=1) - 1).max() <= 4 * epsilon
    # A rounded difference of logits causes this relative error.
    spread = np.ptp(X.astype(np.float64), axis=1, keepdims=True)
    error = np.abs(found - truth) / truth.max(axis=1, keepdims=True)
    assert (error <= 4 * epsilon * (1 + np.minimum(spread, 100))).all()


@pytest.mark.parametrize("size", [1e-30, 1.0, 80.0, 1e4])
def test_sigmoids_are_those_of_wider_numbers(size, dtype, rng):
    X = (size * rng.standard_normal((300, 1))).astype(dtype)
    found = linear(1, 1, "sigmoid", dtype).predict_proba(X)
    truth = expit(X.astype(np.longdouble))
    normal = truth > np.finfo(dtype).tiny
    assert ulps(found, truth)[normal].max() <= 2
    assert (found >= 0).all()
    assert (found <= 1).all()


def test_infinite_logits_make_the_limit_or_nan(dtype):
    mlp = linear(3, 3, dtype=dtype)
    with np.errstate(invalid="ignore"):
        X = np.array([[-np.inf, 0.0, 0.0], [-np.inf, -np.inf, 1.0]], dtype)
    # An infinite input times a weight of 0 is NaN, in every library: weights of the limit.
    mlp.weights[0][...] = 0.0
    mlp.biases[0][...] = [-np.inf, 0.0, 0.0]
    np.testing.assert_allclose(
        mlp.predict_proba(np.zeros((2, 3), dtype)), [[0.0, 0.5, 0.5]] * 2, rtol=1e-6
    )
    assert np.isnan(mlp.predict_proba(X)).all()


def targets(output, n, value=1.0):
    return np.zeros(n, int) if output == "softmax" else np.full((n, 2), value)


@pytest.mark.parametrize("output", OUTPUTS)
@pytest.mark.parametrize("n", [1, 2, 50])
def test_equal_targets_one_row_and_columns_without_variance_train(output, n, dtype, rng):
    X = rng.standard_normal((n, 3)).astype(dtype)
    X[:, 1] = 7.0
    y = targets(output, n)
    y = y if output == "softmax" else y.astype(dtype)
    mlp = fastmlp.MLP([3, 10, 2], output=output, dtype=dtype, seed=0)
    history = mlp.fit(X, y, fastmlp.Adam(0.01), epochs=200)
    assert np.isfinite(history.loss).all()
    assert history.loss[-1] < history.loss[0]


def test_a_softmax_of_one_class_is_certain_and_learns_nothing(dtype, rng):
    X = rng.standard_normal((20, 3)).astype(dtype)
    mlp = fastmlp.MLP([3, 4, 1], dtype=dtype, seed=0)
    before = mlp.parameters.copy()
    history = mlp.fit(X, np.zeros(20, int), fastmlp.SGD(1.0), epochs=3)
    assert (history.loss == 0).all()
    assert (mlp.predict_proba(X) == 1).all()
    np.testing.assert_array_equal(mlp.parameters, before)


@pytest.mark.parametrize("rate", [1e10, 1e38, 1e300])
@pytest.mark.parametrize("rule", [fastmlp.SGD, fastmlp.Adam])
def test_a_rate_that_is_too_high_ends_with_finite_parameters(rate, rule, dtype, rng):
    X = rng.standard_normal((50, 3)).astype(dtype)
    y = rng.standard_normal((50, 2)).astype(dtype)
    mlp = fastmlp.MLP([3, 20, 2], output="identity", dtype=dtype, seed=0)
    # In float64 Adam, whose steps are as long as the rate, may stay finite all the way.
    with contextlib.suppress(fastmlp.DivergenceError):
        assert np.isfinite(mlp.fit(X, y, rule(rate), epochs=100).loss).all()
    assert np.isfinite(mlp.parameters).all()


def test_targets_too_large_for_their_squares_are_told(rng):
    X, y = rng.standard_normal((50, 3)), 1e200 * rng.standard_normal((50, 2))
    mlp = fastmlp.MLP([3, 20, 2], output="identity", dtype="float64", seed=0)
    before = mlp.parameters.copy()
    with pytest.raises(
        fastmlp.DivergenceError, match=r"^training diverged: the loss is not finite"
    ):
        mlp.fit(X, y, epochs=1)
    np.testing.assert_array_equal(mlp.parameters, before)


@pytest.mark.parametrize("epsilon_hat", [False, True])
def test_a_gradient_whose_square_vanishes_makes_a_finite_step(epsilon_hat):
    X = np.array([[1e-30]], np.float32)
    mlp = linear(1, 1, "identity", "float32")
    adam = fastmlp.Adam(0.1, epsilon_hat=epsilon_hat)
    for _ in range(10):
        mlp.step(X, np.zeros((1, 1), np.float32), adam)
    assert np.isfinite(mlp.parameters).all()


@pytest.mark.parametrize("t", [10**6, 10**15])
@pytest.mark.parametrize("epsilon_hat", [False, True])
def test_a_late_step_is_that_of_wider_numbers(t, epsilon_hat, dtype):
    mlp = linear(1, 1, "identity", dtype)
    adam = fastmlp.Adam(0.1, epsilon=1e-3, epsilon_hat=epsilon_hat)
    m, v = np.array([0.25, -0.5], dtype), np.array([0.04, 0.3], dtype)
    adam.load_state_dict({"step": t, "m": m, "v": v})
    before = mlp.parameters.astype(np.longdouble)
    X, y = np.array([[1.5]], dtype), np.array([[0.5]], dtype)
    gradient = mlp.loss_and_grad(X, y)[1].astype(np.longdouble)

    mlp.step(X, y, adam)

    beta_1, beta_2 = np.longdouble("0.9"), np.longdouble("0.999")
    m = beta_1 * m + (1 - beta_1) * gradient
    v = beta_2 * v + (1 - beta_2) * gradient**2
    seen_1, seen_2 = 1 - beta_1 ** (t + 1), 1 - beta_2 ** (t + 1)
    if epsilon_hat:
        change = m / seen_1 * np.sqrt(seen_2) / (np.sqrt(v) + 1e-3)
    else:
        change = m / seen_1 / (np.sqrt(v / seen_2) + 1e-3)
    np.testing.assert_allclose(
        mlp.parameters, np.float64(before - change / 10), rtol=8 * np.finfo(dtype).eps
    )


def test_denormal_weights_and_inputs_count(dtype):
    smallest = np.finfo(dtype).smallest_subnormal
    mlp = linear(1, 1, "identity", dtype)
    mlp.weights[0][...] = 4 * smallest
    assert mlp.forward(np.array([[0.5]], dtype))[0, 0] == 2 * smallest
    mlp.weights[0][...] = 0.5
    assert mlp.forward(np.array([[4 * smallest]], dtype))[0, 0] == 2 * smallest


@pytest.mark.parametrize("output", OUTPUTS)
def test_far_logits_have_finite_losses_where_the_loss_is(output, dtype):
    mlp = linear(2, 2, output, dtype)
    far = 1e4 if output != "exp" else 80.0
    X = np.array([[far, -far], [-far, far]], dtype)
    y = targets(output, 2)
    y = y if output == "softmax" else y.astype(dtype)
    loss, gradient = mlp.loss_and_grad(X, y)
    wide, rows = X.astype(np.longdouble), y if output == "softmax" else y.astype(np.longdouble)
    truth = {
        "softmax": lambda: -log_softmax(wide, axis=1)[[0, 1], [0, 0]],
        "sigmoid": lambda: (np.logaddexp(0, wide) - rows * wide).sum(axis=1),
        "identity": lambda: ((wide - rows) ** 2 / 2).sum(axis=1),
        "exp": lambda: (-wide - 1 + np.exp(wide)).sum(axis=1),
    }[output]()
    assert loss == pytest.approx(float(truth.mean()), rel=float(20 * np.finfo(dtype).eps * far))
    assert np.isfinite(gradient).all()
