"""Gradients agree with the slope of the compiled loss itself, which involves no backward pass."""

import numpy as np
import pytest


def slopes(function, vector, step=1e-3):
    """Derivative of `function()` by each entry of the live `vector`.

    Central differences at h, h/2, h/4, extrapolated twice (Richardson): the error falls from
    h**2 to h**6, so a step large enough to keep the rounding small is accurate as well.
    """
    result = np.empty_like(vector)
    for i in range(len(vector)):
        centre = vector[i]
        estimates = []
        for h in (step, step / 2, step / 4):
            vector[i] = centre + h
            above = function()
            vector[i] = centre - h
            below = function()
            estimates.append((above - below) / (2 * h))
        vector[i] = centre
        a, b, c = estimates
        once = ((4 * b - a) / 3, (4 * c - b) / 3)
        result[i] = (16 * once[1] - once[0]) / 15
    return result


def assert_is_slope(gradient, truth, loss):
    """Within the rounding of a difference of losses, 1e-16 of a loss over a step of 2.5e-4."""
    assert np.abs(gradient - truth).max() <= 1e-10 * max(np.abs(truth).max(), loss)


def assert_is_slope_along_directions(mlp, call, n_directions, rng):
    """The gradient of `loss_and_grad(**call)` is the slope of its loss along random directions."""
    _, gradient = mlp.loss_and_grad(**call)
    start = mlp.parameters.copy()
    for _ in range(n_directions):
        direction = rng.standard_normal(mlp.n_parameters)
        direction /= np.linalg.norm(direction)
        losses = []
        for sign in (1, -1):
            mlp.parameters[:] = start + sign * 1e-6 * direction
            losses.append(mlp.loss_and_grad(**call)[0])
        mlp.parameters[:] = start
        slope = (losses[0] - losses[1]) / 2e-6
        assert slope == pytest.approx(gradient @ direction, rel=1e-5, abs=1e-8)


def clear_of_kinks(mlp, reference_of, rng, n):
    """Rows whose hidden sums are all too far from zero for a step to carry them across."""
    X = rng.standard_normal((40 * n, mlp.layer_sizes[0]))
    inputs = reference_of(mlp).forward(X)[:-1]
    Z = [H @ W + b for H, W, b in zip(inputs, mlp.weights, mlp.biases, strict=True)]
    margin = np.abs(np.hstack(Z)).min(axis=1)
    return X[np.argsort(margin)[-n:]]


@pytest.mark.parametrize("depth", [0, 1, 2, 3, 4])
def test_gradient_is_the_slope_of_the_loss(activation, depth, rng, random_mlp, reference_of):
    mlp = random_mlp([3, *(4, 3, 5, 3)[:depth], 3], activation)
    X = clear_of_kinks(mlp, reference_of, rng, 6)
    y = rng.integers(3, size=len(X))
    weights = {
        "sample_weight": rng.uniform(0.5, 2.0, size=len(X)),
        "class_weight": rng.uniform(0.5, 2.0, size=3),
    }

    gradient = mlp.loss_and_grad(X, y, **weights)[1]

    truth = slopes(lambda: mlp.loss(X, y, **weights), mlp.parameters)
    assert_is_slope(gradient, truth, mlp.loss(X, y, **weights))


@pytest.mark.parametrize("depth", [0, 1, 2, 3, 4])
def test_backward_is_the_slope_of_any_function_of_the_logits(
    activation, depth, rng, random_mlp, reference_of
):
    mlp = random_mlp([3, *(4, 3, 5, 3)[:depth], 2], activation)
    X = clear_of_kinks(mlp, reference_of, rng, 4)
    target = rng.standard_normal((len(X), 2))

    def loss():
        return 0.5 * np.sum((mlp.forward(X) - target) ** 2)

    gradient, d_X = mlp.backward(X, mlp.forward(X) - target)

    assert_is_slope(gradient, slopes(loss, mlp.parameters), loss())
    assert_is_slope(d_X.ravel(), slopes(loss, X.reshape(-1)), loss())
