"""What each loss of the estimators makes of a network: gradients, minima, quantiles."""

import re

import numpy as np
import pytest
import scipy.optimize
import scipy.sparse
import torch
from estimators.loss_table import (
    CLASSES,
    LABELS,
    LEVELS,
    NUMBERS,
    SMALL,
    Unlike,
    huber,
    numbers,
    several,
)
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.linear_model import (
    GammaRegressor,
    HuberRegressor,
    PoissonRegressor,
    QuantileRegressor,
    TweedieRegressor,
)
from sklearn.metrics import d2_pinball_score, r2_score

from fastmlp import MLP, MLPClassifier, MLPRegressor, losses


@pytest.fixture
def X(rng):
    return rng.standard_normal((40, 3))


@pytest.fixture
def weights(rng):
    return rng.uniform(0.2, 2.0, 40)


def assert_follows(estimator, X, y, weights, of_rows):
    """Train by plain descent, and take the same steps in torch: parameters and losses agree."""
    estimator.set_params(
        solver="sgd",
        momentum=0.0,
        activation="tanh",
        learning_rate_init=0.1,
        batch_size=len(X),
        alpha=0.0,
        max_iter=6,
        n_iter_no_change=np.inf,
        random_state=1,
    )
    start = clone(estimator).set_params(learning_rate_init=1e-300, max_iter=1)
    tensors = [
        torch.tensor(block.view.copy(), requires_grad=True)
        for block in start.fit(X, y).network_.parameter_blocks
    ]
    estimator.fit(X, y, weights)
    targets = estimator._encode(y, fresh=False, incremental=True)
    targets = torch.tensor(targets if targets.dtype.kind == "i" else targets.astype(np.float64))
    if estimator.out_activation_ == "logistic":
        targets = targets.to(torch.float64)
    shares = torch.tensor(np.ones(len(X)) if weights is None else weights)
    curve = []
    for _ in range(6):
        w1, b1, w2, b2 = tensors
        z = torch.tanh(torch.tensor(X) @ w1 + b1) @ w2 + b2
        loss = (shares * of_rows(z, targets)).sum() / shares.sum()
        curve.append(loss.item())
        with torch.no_grad():
            for tensor, d in zip(tensors, torch.autograd.grad(loss, tensors), strict=True):
                tensor -= 0.1 * d
    for block, tensor in zip(estimator.network_.parameter_blocks, tensors, strict=True):
        assert_allclose(block.view, tensor.detach(), rtol=1e-9, atol=1e-12)
    # scikit-learn reports the squared error as a mean over the columns.
    n_columns = z.shape[1] if getattr(estimator, "loss", None) == "squared_error" else 1
    assert_allclose(estimator.loss_curve_, np.array(curve) / n_columns, rtol=1e-10)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize(
    ("name", "n_columns"),
    [(name, n) for name, (loss, _) in NUMBERS.items() for n in ([1, 2] if several(loss) else [1])],
)
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_numbers_are_trained_as_in_torch(name, n_columns, weighted, X, weights, rng):
    loss, of_rows = NUMBERS[name]
    reg = MLPRegressor(loss, hidden_layer_sizes=(5,))
    assert_follows(reg, X, numbers(rng, n_columns), weights if weighted else None, of_rows)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("name", CLASSES)
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_classes_are_trained_as_in_torch(name, weighted, X, weights, rng):
    loss, of_rows = CLASSES[name]
    y = np.concatenate([np.arange(3), rng.integers(3, size=37)])
    clf = MLPClassifier(hidden_layer_sizes=(5,), loss=loss)
    assert_follows(clf, X, y, weights if weighted else None, of_rows)


@pytest.mark.parametrize("shape", [(40,), (40, 3)], ids=["two classes", "labels"])
@pytest.mark.parametrize("name", LABELS)
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_labels_are_trained_as_in_torch(name, shape, X, weights, rng):
    loss, of_rows = LABELS[name]
    y = rng.integers(2, size=shape)
    clf = MLPClassifier(hidden_layer_sizes=(5,), loss=loss)
    assert_follows(clf, X, y, weights, of_rows)


# Generalised linear models are networks without a hidden layer. scikit-learn's penalty is per row.
GENERALISED = {
    "poisson": ("poisson", PoissonRegressor(alpha=0.01, tol=1e-10, max_iter=10_000)),
    "gamma": ("gamma", GammaRegressor(alpha=0.01, tol=1e-10, max_iter=10_000)),
    "tweedie": (
        losses.Tweedie(1.5),
        TweedieRegressor(power=1.5, alpha=0.01, tol=1e-10, max_iter=10_000),
    ),
    "inverse gaussian": (
        losses.Tweedie(3.0),
        TweedieRegressor(power=3.0, alpha=0.01, tol=1e-10, max_iter=10_000),
    ),
}


@pytest.mark.parametrize("layout", [np.asarray, scipy.sparse.csr_array])
@pytest.mark.parametrize("name", GENERALISED)
def test_lbfgs_finds_the_generalised_linear_model(name, layout, X, weights, rng):
    loss, theirs = GENERALISED[name]
    y = rng.gamma(3.0, np.exp(0.3 * X[:, 0])) + 0.1
    theirs.fit(X, y, weights)
    # Ours divides the penalty by the weight of all rows, scikit-learn's loss by it.
    ours = MLPRegressor(loss, (), solver="lbfgs", alpha=0.01 * weights.sum(), tol=1e-9)
    ours.set_params(max_iter=2000, max_fun=10_000, random_state=0).fit(layout(X), y, weights)
    assert_allclose(ours.coefs_[0].ravel(), theirs.coef_, rtol=1e-3, atol=1e-5)
    assert_allclose(ours.intercepts_[0], theirs.intercept_, rtol=1e-3)
    assert_allclose(ours.predict(layout(X)), theirs.predict(X), rtol=1e-3)


@pytest.mark.parametrize("loss", [losses.Huber(0.5), huber, Unlike()], ids=["own", "f", "object"])
def test_lbfgs_finds_the_minimum_of_a_smooth_loss(loss, X, weights, rng):
    y = X @ [1.0, -2.0, 0.5] + rng.standard_t(2, size=40)
    delta = loss.delta if isinstance(loss, losses.Huber) else 1.0
    ours = MLPRegressor(loss, (), solver="lbfgs", alpha=0.0, tol=1e-10, max_iter=2000)
    ours.set_params(random_state=0).fit(X, y, weights)

    def objective(p):
        size = np.abs(X @ p[:3] + p[3] - y)
        rows = np.where(size <= delta, size**2 / 2, delta * (size - delta / 2))
        return np.average(rows, weights=weights)

    found = scipy.optimize.minimize(objective, np.zeros(4), method="BFGS", options={"gtol": 1e-9})
    assert_allclose(ours.loss_, found.fun, rtol=1e-9)
    assert_allclose(np.append(ours.coefs_[0], ours.intercepts_[0]), found.x, rtol=1e-4, atol=1e-5)


def test_lbfgs_resists_outliers_as_scikit_learn_s_huber_does(X, rng):
    y = X @ [1.0, -2.0, 0.5] + 0.01 * rng.standard_normal(40)
    y[:4] += 100
    robust = MLPRegressor("huber", (), solver="lbfgs", alpha=0.0, tol=1e-9, random_state=0)
    squared = clone(robust).set_params(loss="squared_error")
    theirs = HuberRegressor(alpha=0.0, tol=1e-9).fit(X, y)
    assert_allclose(robust.fit(X, y).coefs_[0].ravel(), theirs.coef_, atol=0.3)
    assert np.abs(squared.fit(X, y).coefs_[0].ravel() - theirs.coef_).max() > 3


@pytest.mark.parametrize("loss", ["absolute_error", "quantile", losses.Quantile(LEVELS)], ids=str)
def test_lbfgs_names_the_losses_that_it_cannot_take(loss, X, rng):
    reg = MLPRegressor(loss, solver="lbfgs")
    message = (
        f"loss={loss!r} is for solver 'sgd', 'adam' or 'adamw', got solver='lbfgs', which needs a "
        "loss whose derivative is continuous, such as 'huber'"
    )
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        reg.fit(X, numbers(rng))
    assert vars(reg) == reg.get_params()


@pytest.mark.parametrize("level", [0.2, 0.5, 0.9])
def test_a_quantile_is_that_of_linear_programming(level, rng):
    """Constants alone: the quantile of the rows lies between two of them."""
    X, y = np.zeros((101, 1)), rng.gamma(2.0, size=101)
    ours = MLPRegressor(losses.Quantile(level), (), solver="sgd", momentum=0.0, alpha=0.0)
    ours.set_params(learning_rate="invscaling", learning_rate_init=30.0, max_iter=4000)
    ours.set_params(batch_size=101, tol=0.0, n_iter_no_change=np.inf, random_state=0)
    theirs = QuantileRegressor(quantile=level, alpha=0.0).fit(X, y)
    with pytest.warns(UserWarning, match="Maximum iterations"):
        ours.fit(X, y)
    assert_allclose(ours.predict(X[:1]), theirs.predict(X[:1]), atol=0.02)


@pytest.mark.parametrize("levels", [LEVELS, (0.9, 0.1, 0.5), (0.5, 0.5, 0.2)], ids=str)
def test_quantiles_never_cross(levels, X):
    """The network's outputs cross everywhere, and predictions have them in the order of levels."""
    network = MLP([3, 3], loss=losses.Quantile(levels), dtype="float64", seed=0)
    reg = MLPRegressor.from_network(network)
    raw, predicted = network.predict(X), reg.predict(X)
    assert_array_equal(np.sort(predicted, axis=1), np.sort(raw, axis=1))
    rising = predicted[:, np.argsort(levels, kind="stable")]
    assert (np.diff(rising, axis=1) >= 0).all()
    assert (np.diff(raw[:, np.argsort(levels, kind="stable")], axis=1) < 0).any()


def test_several_quantiles_are_scored_by_their_pinball_loss(X, weights, rng, fit):
    y = numbers(rng)
    reg = fit(MLPRegressor(losses.Quantile(LEVELS), **SMALL), X, y)
    predicted = reg.predict(X)
    assert predicted.shape == (40, 3)
    scores = [
        d2_pinball_score(y, predicted[:, k], sample_weight=weights, alpha=level)
        for k, level in enumerate(LEVELS)
    ]
    assert_allclose(reg.score(X, y, weights), np.mean(scores))
    one = fit(MLPRegressor(losses.Quantile(0.9), **SMALL), X, y)
    assert one.predict(X).shape == (40,)
    assert one.score(X, y, weights) == r2_score(y, one.predict(X), sample_weight=weights)


def test_quantiles_hold_their_shares_of_the_rows(rng, fit):
    X = rng.uniform(-2, 2, size=(1500, 1))
    y = np.sin(X[:, 0]) + (0.2 + 0.2 * np.abs(X[:, 0])) * rng.standard_normal(1500)
    reg = MLPRegressor(losses.Quantile(LEVELS), (20,), learning_rate_init=0.01, max_iter=60)
    below = (y[:, None] <= fit(reg.set_params(random_state=0), X, y).predict(X)).mean(axis=0)
    assert_allclose(below, LEVELS, atol=0.04)
