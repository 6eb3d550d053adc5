"""A loss of the caller's own: called once per batch, between the way forward and the way back."""

import numpy as np
import pytest
from core.test_finite_differences import assert_is_slope
from loss_functions import Recorder, both, data, gaussian, huber
from slopes import slopes

import fastmlp


# Kernels of their own, chunks, and blocks of tiles; a tile that keeps all rows, and too many rows;
# derivatives that follow from the outputs, and slopes that are kept.
@pytest.mark.parametrize(
    ("sizes", "activation", "n"),
    [
        ([2, 30, 1], "tanh", 20),
        ([3, 17, 9, 2], "gelu", 700),
        ([40, 300, 200, 3], "gelu", 90),
        ([40, 300, 200, 3], "tanh", 9000),
        ([40, 300, 200, 3], "gelu", 4000),
    ],
    ids=str,
)
def test_loss_and_gradient_are_those_of_the_engine_s_own(
    sizes, activation, n, dtype, rng, assert_agrees
):
    theirs, ours = both(sizes, dtype, activation)
    X, y = data(rng, sizes, n, dtype)
    given = {"sample_weight": rng.uniform(0.1, 2.0, n), "alpha": 0.3}

    true_loss, true_gradient = theirs.loss_and_grad(X, y, **given)
    loss, gradient = ours.loss_and_grad(X, y, **given)

    assert_agrees(loss, true_loss, "loss", dtype)
    assert_agrees(gradient, true_gradient, "gradient")
    given.pop("alpha")
    assert_agrees(ours.loss(X, y, **given), theirs.loss(X, y, **given), "loss alone", dtype)


@pytest.mark.parametrize("sizes", [[2, 30, 1], [40, 300, 200, 3]], ids=str)
def test_training_follows_the_engine_s_own(sizes, rng, assert_agrees):
    theirs, ours = both(sizes)
    X, y = data(rng, sizes, 500)
    given = {
        "epochs": 3,
        "batch_size": 120,
        "sample_weight": rng.uniform(0.5, 2.0, 500),
        "alpha": 0.1,
        "dropout": 0.2,
        "X_val": X[:70],
        "y_val": y[:70],
        "seed": 4,
        "n_jobs": 2,
    }
    one, other = theirs.fit(X, y, **given), ours.fit(X, y, **given)
    assert_agrees(ours.parameters, theirs.parameters, "parameters")
    assert_agrees(other.loss, one.loss, "loss")
    assert_agrees(other.val_loss, one.val_loss, "validation")
    assert other.accuracy is other.val_accuracy is None


@pytest.mark.parametrize("sizes", [[2, 30, 1], [40, 300, 200, 3]], ids=str)
def test_the_bits_do_not_depend_on_the_number_of_threads(sizes, rng):
    X, y = data(rng, sizes, 2500, "float32")

    def train(n_jobs):
        mlp = fastmlp.MLP(sizes, loss=huber, seed=3)
        history = mlp.fit(X, y, epochs=2, dropout=0.3, n_jobs=n_jobs, X_val=X, y_val=y)
        return mlp.parameters.copy(), history.loss, history.val_loss, mlp.loss(X, y, n_jobs=n_jobs)

    alone = train(1)
    for n_jobs in (2, 3):
        for one, several in zip(alone, train(n_jobs), strict=True):
            np.testing.assert_array_equal(one, several)


def test_a_step_is_that_of_the_gradient(rng):
    sizes = [3, 8, 2]
    _, mlp = both(sizes)
    X, y = data(rng, sizes, 30)
    loss, gradient = mlp.loss_and_grad(X, y)
    expected = mlp.parameters - 0.1 * gradient
    assert mlp.step(X, y, fastmlp.SGD(0.1)) == loss
    np.testing.assert_allclose(mlp.parameters, expected, rtol=1e-14)


def test_sparse_rows_are_taken_too(rng):
    sparse = pytest.importorskip("scipy.sparse")
    _, mlp = both([6, 8, 2])
    X = sparse.random_array((40, 6), density=0.3, rng=rng, format="csr")
    y = rng.standard_normal((40, 2))
    assert mlp.loss_and_grad(X, y)[0] == pytest.approx(mlp.loss(X.toarray(), y), rel=1e-13)


def test_targets_need_not_be_as_many_as_outputs(rng):
    mlp = fastmlp.MLP([3, 8, 2], "tanh", loss=gaussian, dtype="float64", seed=0)
    X, y = rng.standard_normal((12, 3)), rng.standard_normal(12)
    weight = rng.uniform(0.5, 2.0, 12)

    loss, gradient = mlp.loss_and_grad(X, y, sample_weight=weight)

    assert loss == pytest.approx(weight @ gaussian(y, mlp.forward(X))[0] / weight.sum(), rel=1e-13)
    truth = slopes(lambda: mlp.loss(X, y, sample_weight=weight), mlp.parameters)
    assert_is_slope(gradient, truth, abs(loss))


def test_a_mean_and_a_variance_are_learned(rng):
    mlp = fastmlp.MLP([1, 2], loss=gaussian, dtype="float64", seed=0)
    X, y = np.zeros((4000, 1)), 2.0 + 3.0 * rng.standard_normal(4000)
    mlp.fit(X, y, fastmlp.Adam(0.05), epochs=800)
    mean, log_variance = mlp.predict(X[:1])[0]
    assert mean == pytest.approx(y.mean(), abs=1e-3)
    assert np.exp(log_variance) == pytest.approx(y.var(), rel=1e-3)


@pytest.mark.parametrize("shape", [(20,), (20, 1), (20, 3)], ids=str)
def test_it_is_called_with_targets_as_they_were_given(shape, dtype, rng):
    recorder = Recorder(lambda y, raw: (raw[:, 0], np.ones_like(raw)))
    mlp = fastmlp.MLP([2, 4, 1], loss=recorder, dtype=dtype, seed=0)
    X = rng.standard_normal((20, 2)).astype(dtype)
    y = rng.standard_normal(shape).astype(dtype)
    strided = np.repeat(y, 2, axis=0)[::2]
    for targets in (y, strided):
        mlp.loss(X, targets)
        mlp.loss_and_grad(X, targets)
    raw = mlp.forward(X)
    assert len(recorder.calls) == 4
    for given, sums in recorder.calls:
        assert given.dtype == sums.dtype == dtype
        np.testing.assert_array_equal(given, y)
        np.testing.assert_array_equal(sums, raw)


def test_it_is_called_once_per_batch_in_the_order_of_the_rows(rng):
    recorder = Recorder()
    mlp = fastmlp.MLP([2, 4, 1], loss=recorder, dtype="float64", seed=0)
    X, y = rng.standard_normal((25, 2)), np.arange(25.0)[:, None]
    mlp.fit(X, y, epochs=1, batch_size=10, shuffle=False, X_val=X[:7], y_val=y[:7])
    given = [batch.ravel().tolist() for batch, _ in recorder.calls]
    assert given == [[*range(10)], [*range(10, 20)], [*range(20, 25)], [*range(7)]]

    recorder.calls.clear()
    mlp.fit(X, y, epochs=2, batch_size=10, seed=1)
    first, second = (
        np.concatenate([batch.ravel() for batch, _ in recorder.calls[part]])
        for part in (slice(3), slice(3, 6))
    )
    assert sorted(first) == sorted(second) == y.ravel().tolist()
    assert first.tolist() != second.tolist() != y.ravel().tolist()


def test_its_arrays_are_its_own(rng):
    def spoil(y, raw):
        result = huber(y, raw)
        y[...] = np.nan
        raw[...] = np.nan
        return result

    sizes = [3, 8, 2]
    _, clean = both(sizes)
    mlp = fastmlp.MLP(sizes, "tanh", loss=spoil, dtype="float64", seed=1)
    X, y = data(rng, sizes, 30)
    before = y.copy()
    np.testing.assert_array_equal(mlp.loss_and_grad(X, y)[1], clean.loss_and_grad(X, y)[1])
    np.testing.assert_array_equal(y, before)


def test_results_may_have_any_strides(rng):
    def strided(y, raw):
        each, d_raw = huber(y, raw)
        return np.repeat(each, 3)[::3], np.asfortranarray(d_raw)

    sizes = [3, 8, 2]
    _, plain = both(sizes)
    mlp = fastmlp.MLP(sizes, "tanh", loss=strided, dtype="float64", seed=1)
    X, y = data(rng, sizes, 30)
    np.testing.assert_array_equal(mlp.loss_and_grad(X, y)[1], plain.loss_and_grad(X, y)[1])
