"""Networks that predict a normal distribution: a mean and a variance for each target."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

# Keeps the variance away from 0, where the loss has no lower bound.
LEAST_VARIANCE = 1e-6


def gaussian_nll(y: NDArray[Any], raw: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return the negative log-likelihood of each row without its constant, and its derivative.

    Parameters
    ----------
    y : ndarray of shape (n_samples, 2 * n_targets)
        The targets, and once more the targets: a network has as many outputs as its targets have
        columns.
    raw : ndarray of shape (n_samples, 2 * n_targets)
        Means, and numbers whose softplus is the variance less `LEAST_VARIANCE`.

    Returns
    -------
    loss : ndarray of shape (n_samples,)
        Sum over the targets of ``(log(variance) + (y - mean)**2 / variance) / 2``.
    derivative : ndarray of shape (n_samples, 2 * n_targets)
        Its derivative with respect to `raw`.
    """
    mean, variance = distribution_of(raw)
    n_targets = mean.shape[1]
    error = mean - y[:, :n_targets]
    loss = (np.log(variance) + error**2 / variance).sum(axis=1) / 2
    d_mean = error / variance
    d_variance = (1 - error * d_mean) / (2 * variance)
    return loss, np.hstack([d_mean, d_variance * expit(raw[:, n_targets:])])


def distribution_of(raw: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return means and variances, each (n_samples, n_targets), that outputs stand for."""
    mean, spread = np.split(raw, 2, axis=1)
    return mean, np.logaddexp(0, spread) + raw.dtype.type(LEAST_VARIANCE)
