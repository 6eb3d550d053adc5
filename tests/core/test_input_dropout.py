"""Dropout of the inputs: masks of their own, on dense and sparse rows, on any number of threads."""

import re

import numpy as np
import pytest
import scipy.sparse as sp
from core.test_finite_differences import assert_is_slope_along_directions

import fastmlp

# With a kernel of their own for the gradient, through chunks, through blocks of tiles, and where
# the first stage reads no sparse rows.
NETWORKS = {
    "tiny": lambda **given: fastmlp.MLP([3, 20, 4], **given),
    "chunks": lambda **given: fastmlp.MLP([30, 40, 20, 4], **given),
    "blocks": lambda **given: fastmlp.MLP([70, 300, 200, 4], **given),
    "scaled": lambda **given: fastmlp.MLP([30, 40, 4], input_scale=True, **given),
}


@pytest.fixture(params=NETWORKS)
def make(request):
    """A maker of one network."""
    return lambda **given: NETWORKS[request.param](**{"dtype": "float64", "seed": 1, **given})


def batch(rng, mlp, n):
    X = rng.standard_normal((n, mlp.layer_sizes[0])).astype(mlp.dtype)
    return X, rng.integers(mlp.layer_sizes[-1], size=n)


def factors(mlp, X, seed, rate):
    """What each input of each row is multiplied by, read off the first layer's gradient.

    For one row the derivative by a weight is the input times that by the bias.
    """
    found = []
    for i in range(len(X)):
        weight = np.zeros(len(X))
        weight[i] = 1.0
        y = np.zeros(len(X), int)
        _, gradient = mlp.loss_and_grad(X, y, weight, input_dropout=rate, seed=seed)
        (d_W, *_), (d_b, *_) = mlp.unflatten(gradient)
        j = np.abs(d_b).argmax()
        found.append(d_W[:, j] / d_b[j] / X[i])
    return np.array(found)


@pytest.mark.parametrize("rate", [0.15, 0.5, 0.9])
def test_inputs_are_kept_with_their_share_and_scaled_by_its_inverse(rate, rng):
    mlp = fastmlp.MLP([500, 5, 3], "tanh", dtype="float64", seed=0)
    X = rng.uniform(0.5, 1.0, (40, 500))
    seen = factors(mlp, X, 3, rate)

    kept = seen != 0
    np.testing.assert_allclose(seen[kept], 1 / (1 - rate), rtol=1e-9)
    # Four standard deviations of a binomial, over all and over the rows and columns.
    for counts, n in ((kept.sum(), kept.size), (kept.sum(axis=0), 40), (kept.sum(axis=1), 500)):
        deviation = np.sqrt(n * rate * (1 - rate))
        chance = counts - n * (1 - rate)
        assert np.abs(chance.mean()) < 4 * deviation / np.sqrt(np.size(counts))
    assert len(np.unique(kept, axis=0)) == 40


def test_the_expectation_stays(rng):
    """Of a network without hidden layers, whose sums are linear in the inputs."""
    mlp = fastmlp.MLP([20, 2], output="identity", dtype="float64", seed=0)
    X, target = rng.standard_normal((4, 20)), np.zeros((4, 2))
    # The derivative by a bias is the mean of the sums, less the targets.
    biases = [
        mlp.unflatten(mlp.loss_and_grad(X, target, input_dropout=0.3, seed=seed)[1])[1][0]
        for seed in range(3000)
    ]
    expected = mlp.forward(X).mean(axis=0)
    error = np.std(biases, axis=0) / np.sqrt(len(biases))
    assert (np.abs(np.mean(biases, axis=0) - expected) < 4 * error).all()


@pytest.mark.parametrize("dropout", [0.0, 0.4])
def test_the_gradient_is_that_of_the_masked_network(dropout, make, rng):
    mlp = make(activation="tanh")
    X, y = batch(rng, mlp, 40)
    call = {"X": X, "y": y, "dropout": dropout, "input_dropout": 0.3, "seed": 7}
    assert_is_slope_along_directions(mlp, call, 3, rng)


@pytest.mark.parametrize("kind", [sp.csr_array, sp.csr_matrix])
def test_sparse_rows_have_the_masks_of_dense_ones(kind, make, rng, dtype, assert_agrees):
    mlp = make(dtype=dtype)
    X, y = batch(rng, mlp, 300)
    X[rng.random(X.shape) < 0.7] = 0.0
    call = {"y": y, "dropout": 0.2, "input_dropout": 0.4, "seed": 3}
    loss, gradient = mlp.loss_and_grad(X, **call)
    of_sparse, gradient_of_sparse = mlp.loss_and_grad(kind(X), **call)
    assert_agrees(of_sparse, loss, "loss", dtype)
    assert_agrees(gradient_of_sparse, gradient, "gradient")


@pytest.mark.parametrize("sparse", [False, True])
def test_training_has_the_same_bits_for_any_number_of_threads(sparse, make, rng, dtype):
    X, y = batch(rng, make(dtype=dtype), 600)
    X = sp.csr_array(X) if sparse else X
    parameters = []
    for n_jobs in (None, 2, 7):
        mlp = make(dtype=dtype)
        mlp.fit(X, y, epochs=2, batch_size=256, seed=5, input_dropout=0.2, n_jobs=n_jobs)
        parameters.append(mlp.parameters.copy())
    for other in parameters[1:]:
        np.testing.assert_array_equal(other, parameters[0])


def test_masks_follow_from_the_seed_and_differ_from_those_of_hidden_layers(rng):
    mlp = fastmlp.MLP([200, 200, 3], "identity", dtype="float64", seed=0)
    X = np.ones((1, 200))
    first, again, other = (factors(mlp, X, seed, 0.5)[0] != 0 for seed in (3, 3, 4))
    np.testing.assert_array_equal(first, again)
    assert 60 < (first == other).sum() < 140
    _, gradient = mlp.loss_and_grad(X, np.zeros(1, int), dropout=0.5, seed=3)
    hidden = mlp.unflatten(gradient)[0][1][:, 0] != 0
    assert 60 < (first == hidden).sum() < 140


def test_a_step_and_a_fit_of_one_batch_have_masks_of_their_own(rng):
    mlp = fastmlp.MLP([30, 10, 3], dtype="float64", seed=0)
    X, y = batch(rng, mlp, 20)
    # With a rate of almost 0 nothing moves, so that the losses differ by their masks alone.
    sgd = fastmlp.SGD(1e-300)
    losses = [mlp.step(X, y, sgd, input_dropout=0.5, seed=seed) for seed in range(5)]
    losses += list(mlp.fit(X, y, sgd, epochs=5, input_dropout=0.5, seed=0).loss)
    assert len(set(losses)) == 10
    assert losses[0] == mlp.loss_and_grad(X, y, input_dropout=0.5, seed=0)[0]
    assert mlp.step(X, y, sgd, input_dropout=0.0) == mlp.loss(X, y)


def test_rows_lie_where_they_were(rng):
    """Masked rows are copies: the array that was given is read, and never written to."""
    mlp = fastmlp.MLP([30, 10, 3], dtype="float64", seed=0)
    X, y = batch(rng, mlp, 50)
    before = X.copy()
    X.flags.writeable = False
    mlp.fit(X, y, epochs=2, shuffle=False, input_dropout=0.5, seed=0)
    np.testing.assert_array_equal(X, before)


@pytest.mark.parametrize(("rate", "found"), [(1.0, "1"), (-0.1, "-0.1"), (np.nan, "NaN")])
def test_what_is_no_share_is_refused(rate, found, rng):
    mlp = fastmlp.MLP([4, 10, 3], dtype="float64", seed=0)
    X, y = batch(rng, mlp, 20)
    before = mlp.parameters.copy()
    message = f"^{re.escape(f'input_dropout is {found}, expected a number in [0, 1)')}$"
    for call in (
        lambda: mlp.fit(X, y, epochs=1, input_dropout=rate),
        lambda: mlp.step(X, y, fastmlp.SGD(), input_dropout=rate),
        lambda: mlp.loss_and_grad(X, y, input_dropout=rate, seed=0),
    ):
        with pytest.raises(ValueError, match=message):
            call()
    np.testing.assert_array_equal(mlp.parameters, before)


def test_a_gradient_with_dropout_of_the_inputs_wants_a_seed(rng):
    mlp = fastmlp.MLP([4, 10, 3], dtype="float64", seed=0)
    X, y = batch(rng, mlp, 20)
    message = "^seed is None, expected an integer: the masks of dropout are a function of it$"
    with pytest.raises(ValueError, match=message):
        mlp.loss_and_grad(X, y, input_dropout=0.1)


def test_a_gradient_has_the_same_bits_for_any_number_of_threads(make, rng, dtype):
    mlp = make(dtype=dtype)
    X, y = batch(rng, mlp, 3000)
    loss, gradient = mlp.loss_and_grad(X, y, alpha=0.1)
    for n_jobs in (1, 2, 5, -1):
        again, other = mlp.loss_and_grad(X, y, alpha=0.1, n_jobs=n_jobs)
        assert again == loss
        np.testing.assert_array_equal(other, gradient)
