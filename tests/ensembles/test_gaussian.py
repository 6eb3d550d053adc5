"""Networks that predict a mean and a variance."""

import numpy as np
import pytest
import torch
from scipy.special import softplus

from fastmlp import EnsembleRegressor, MLPRegressor
from fastmlp.ensembles.gaussian import distribution_of, gaussian_nll

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


@pytest.mark.parametrize("n_targets", [1, 3])
def test_the_loss_and_its_derivative_are_torch_s(n_targets, rng):
    y = rng.standard_normal((20, n_targets))
    raw = 3 * rng.standard_normal((20, 2 * n_targets))
    loss, derivative = gaussian_nll(np.hstack([y, y]), raw)

    there = torch.tensor(raw, requires_grad=True)
    mean, variance = there[:, :n_targets], torch.nn.functional.softplus(there[:, n_targets:]) + 1e-6
    expected = torch.nn.functional.gaussian_nll_loss(
        mean, torch.tensor(y), variance, reduction="none"
    ).sum(dim=1)
    expected.sum().backward()
    np.testing.assert_allclose(loss, expected.detach().numpy(), rtol=1e-9)
    np.testing.assert_allclose(derivative, there.grad.numpy(), rtol=1e-7, atol=1e-12)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_loss_keeps_the_dtype_and_is_finite_far_out(dtype):
    y = np.array([[0.0, 0.0]], dtype=dtype)
    for raw in ([[1e3, -1e3]], [[-1e3, 1e3]], [[0.0, 0.0]]):
        loss, derivative = gaussian_nll(y, np.array(raw, dtype=dtype))
        assert loss.dtype == derivative.dtype == dtype
        assert np.isfinite(loss).all()
        assert np.isfinite(derivative).all()


def test_noise_that_differs_from_row_to_row_is_found(rng):
    X = rng.uniform(-1, 1, (1500, 1))
    noise = np.where(X[:, 0] > 0, 0.5, 0.1)
    y = X[:, 0] + noise * rng.standard_normal(len(X))
    member = MLPRegressor(
        hidden_layer_sizes=(20,), activation="tanh", learning_rate_init=0.01, max_iter=80
    )
    reg = EnsembleRegressor(member, 3, gaussian_head=True, random_state=0).fit(X, y)
    mean, std = reg.predict([[-0.8], [-0.5], [0.5], [0.8]], return_std=True)
    np.testing.assert_allclose(mean, [-0.8, -0.5, 0.5, 0.8], atol=0.15)
    np.testing.assert_allclose(std, [0.1, 0.1, 0.5, 0.5], rtol=0.35)


@pytest.mark.parametrize("n_targets", [1, 2])
def test_the_variance_is_that_of_the_mixture(n_targets, diabetes):
    X, y = diabetes
    targets = y if n_targets == 1 else np.column_stack([y, -y])
    member = MLPRegressor(hidden_layer_sizes=(5,), max_iter=5)
    reg = EnsembleRegressor(member, 4, gaussian_head=True, random_state=0).fit(X, targets)
    outputs = np.array([member.predict(X) for member in reg.estimators_])
    means, variances = outputs[..., :n_targets], softplus(outputs[..., n_targets:]) + 1e-6
    # E[Y^2] - E[Y]^2 of a draw from one of the members.
    expected = (variances + means**2).mean(axis=0) - means.mean(axis=0) ** 2
    mean, std = reg.predict(X, return_std=True)
    assert mean.shape == std.shape == targets.shape
    np.testing.assert_allclose(mean, means.mean(axis=0).reshape(mean.shape), atol=1e-12)
    np.testing.assert_allclose(std, np.sqrt(expected).reshape(std.shape), rtol=1e-9)
    np.testing.assert_array_equal(distribution_of(outputs[0])[0], means[0])


def test_early_stopping_watches_the_loss(diabetes):
    X, y = diabetes
    member = MLPRegressor(hidden_layer_sizes=(5,), max_iter=5, early_stopping=True)
    reg = EnsembleRegressor(member, 2, gaussian_head=True, random_state=0).fit(X, y)
    for member in reg.estimators_:
        assert member.validation_scores_ == [-loss for loss in member.validation_loss_curve_]


def test_another_loss_is_refused(diabetes):
    message = (
        r"^gaussian_head=True has a loss of its own, expected loss='squared_error' of estimator, "
        r"got loss='huber'$"
    )
    with pytest.raises(ValueError, match=message):
        EnsembleRegressor(MLPRegressor("huber"), gaussian_head=True).fit(*diabetes)
