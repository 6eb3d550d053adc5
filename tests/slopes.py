"""Derivatives by finite differences."""

import numpy as np


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


def clear_of_kinks(mlp, reference_of, rng, n):
    """Rows whose hidden sums are all too far from zero for a step to carry them across."""
    X = rng.standard_normal((40 * n, mlp.layer_sizes[0]))
    inputs = reference_of(mlp).forward(X)[:-1]
    Z = [H @ W + b for H, W, b in zip(inputs, mlp.weights, mlp.biases, strict=True)]
    margin = np.abs(np.hstack(Z)).min(axis=1)
    return X[np.argsort(margin)[-n:]]
