"""Sparse inputs give the results of the same numbers in a dense array."""

import re

import numpy as np
import pytest
import scipy.sparse as sp

import fastmlp

SIZES = ([2, 30, 3], [300, 40, 3], [17, 3], [1000, 64, 32, 5])


def example(rng, n, d, dtype, density=0.1, index=np.int32):
    """A CSR array, and the same dense."""
    dense = (rng.standard_normal((n, d)) * (rng.random((n, d)) < density)).astype(dtype)
    sparse = sp.csr_array(dense)
    sparse.indices, sparse.indptr = sparse.indices.astype(index), sparse.indptr.astype(index)
    return sparse, dense


@pytest.mark.parametrize("sizes", SIZES, ids=str)
@pytest.mark.parametrize("n", [1, 7, 700])
@pytest.mark.parametrize("index", [np.int32, np.int64])
def test_all_calls_agree_with_the_dense_ones(
    sizes, n, index, activation, dtype, rng, random_mlp, assert_agrees
):
    mlp = random_mlp(sizes, activation, dtype)
    sparse, dense = example(rng, n, sizes[0], dtype, index=index)
    y, weight = rng.integers(sizes[-1], size=n), rng.uniform(0.1, 1.0, n)

    assert_agrees(mlp.forward(sparse), mlp.forward(dense))
    assert_agrees(mlp.predict_proba(sparse), mlp.predict_proba(dense))
    np.testing.assert_array_equal(mlp.predict(sparse), mlp.forward(sparse).argmax(axis=1))
    given = {"sample_weight": weight, "alpha": 0.1}
    loss, gradient = mlp.loss_and_grad(sparse, y, **given)
    true_loss, true_gradient = mlp.loss_and_grad(dense, y, **given)
    assert_agrees(loss, true_loss, "loss", dtype)
    assert_agrees(gradient, true_gradient, "gradient")


@pytest.mark.parametrize("sizes", [[6, 20, 3], [400, 200, 100, 3]], ids=str)
def test_training_agrees_for_every_number_of_threads(sizes, rng):
    sparse, dense = example(rng, 500, sizes[0], "float64")
    y = rng.integers(3, size=500)

    def train(X, n_jobs):
        mlp = fastmlp.MLP(sizes, dtype="float64", seed=2)
        given = {"epochs": 3, "batch_size": 130, "seed": 5, "n_jobs": n_jobs}
        history = mlp.fit(X, y, fastmlp.SGD(0.1), X_val=X, y_val=y, **given)
        return mlp.parameters.copy(), history.val_loss

    parameters, losses = train(sparse, 1)
    true_parameters, true_losses = train(dense, 1)
    np.testing.assert_allclose(parameters, true_parameters, atol=1e-12)
    np.testing.assert_allclose(losses, true_losses, rtol=1e-12)
    for n_jobs in (2, 3):
        np.testing.assert_array_equal(train(sparse, n_jobs)[0], parameters)


def test_matrices_and_arrays_duplicates_empty_rows_and_unsorted_columns(rng, assert_agrees):
    mlp = fastmlp.MLP([5, 9, 2], dtype="float64", seed=0)
    data, indices, indptr = [1.0, 2.0, 3.0, -1.0], [4, 0, 4, 2], [0, 3, 3, 4]
    for kind in (sp.csr_array, sp.csr_matrix):
        X = kind((np.array(data), np.array(indices), np.array(indptr)), shape=(3, 5))
        assert_agrees(mlp.forward(X), mlp.forward(X.toarray()))


def test_one_row_of_many_features_stays_sparse():
    # Dense, these rows would be 160 GB.
    d = 10**6
    X = sp.random_array((20_000, d), density=1e-7, format="csr", rng=0, dtype=np.float32)
    mlp = fastmlp.MLP([d, 4, 2], seed=0)
    history = mlp.fit(X, np.arange(20_000) % 2, epochs=1, batch_size=5000)
    assert np.isfinite(history.loss).all()
    assert mlp.predict(X).shape == (20_000,)


def refuse(X, error, message, call="forward"):
    mlp = fastmlp.MLP([5, 2], dtype="float64", seed=0)
    with pytest.raises(error, match=f"^{re.escape(message)}$"):
        getattr(mlp, call)(X)


def test_what_is_not_in_rows_is_refused(rng):
    X = example(rng, 4, 5, "float64")[0]
    for name in ("csc", "coo", "lil"):
        found = f'X is a sparse matrix of format "{name}", expected "csr": use X.tocsr()'
        refuse(X.asformat(name), ValueError, found)


def test_what_has_another_shape_or_type_is_refused(rng):
    X = example(rng, 4, 6, "float64")[0]
    refuse(X, ValueError, "X has shape (4, 6), expected (n, 5)")
    X = example(rng, 4, 5, "float32")[0]
    cast = "X has dtype float32, expected float64: use X.astype(numpy.float64)"
    refuse(X, TypeError, cast)


RISE = "expected numbers that rise from 0 to at most 4"
DAMAGE = {
    "a column beyond": ("indices", 1, 5, "indices[1] = 5, expected columns from 0 to below 5"),
    "a column before": ("indices", 0, -1, "indices[0] = -1, expected columns from 0 to below 5"),
    "a late start": (
        "indptr",
        0,
        1,
        f"indptr[0] = 1, {RISE}",
    ),
    "a fall": ("indptr", 2, 0, f"indptr[2] = 0, {RISE}"),
    "an end beyond": (
        "indptr",
        3,
        9,
        f"indptr[3] = 9, {RISE}",
    ),
}


@pytest.mark.parametrize(("part", "at", "value", "message"), DAMAGE.values(), ids=DAMAGE)
def test_damage_is_found_before_anything_is_read(part, at, value, message):
    X = sp.csr_array((np.ones(4), np.array([4, 0, 3, 2]), np.array([0, 2, 3, 4])), shape=(3, 5))
    getattr(X, part)[at] = value
    refuse(X, ValueError, f"X is a sparse matrix with {message}")


def test_an_input_that_is_not_finite_is_named(rng):
    X = example(rng, 4, 5, "float64")[0].tolil()
    X[2, 3] = np.inf
    mlp = fastmlp.MLP([5, 3, 2], dtype="float64", seed=0)
    with pytest.raises(ValueError, match=r"^X\[2, 3\] is inf, expected finite numbers$"):
        mlp.fit(X.tocsr(), np.zeros(4, int), epochs=1)


def test_the_way_back_to_the_inputs_wants_dense_ones(rng):
    X = example(rng, 4, 5, "float64")[0]
    mlp = fastmlp.MLP([5, 2], dtype="float64", seed=0)
    with pytest.raises(TypeError, match=r"^X is of type csr_array, expected a NumPy array: "):
        mlp.backward(X, np.zeros((4, 2)))


@pytest.mark.parametrize("hidden", [16, 100, 130])
def test_rows_that_are_mostly_zeros_have_the_bits_of_rows_among_others(hidden, dtype, rng):
    # Alone they are read without their zeros, among others with all of their numbers.
    mlp = fastmlp.MLP([70, hidden, 3], dtype=dtype, seed=0)
    rows = example(rng, 90, 70, dtype)[1]
    others = rng.standard_normal((600, 70)).astype(dtype)
    among = mlp.forward(np.concatenate([rows, others]))
    np.testing.assert_array_equal(mlp.forward(rows), among[:90])
    assert not (among[90:] == 0).any()


@pytest.mark.parametrize("sizes", [[108, 100, 2], [300, 200, 100, 2]], ids=str)
@pytest.mark.parametrize("input_dropout", [0.0, 0.3])
def test_dense_rows_that_are_mostly_zeros_train_as_sparse_ones(sizes, input_dropout, dtype, rng):
    sparse, dense = example(rng, 700, sizes[0], dtype)
    y = rng.integers(2, size=700)

    def train(X, n_jobs):
        mlp = fastmlp.MLP(sizes, dtype=dtype, seed=2)
        given = {"batch_size": 130, "seed": 5, "alpha": 0.01, "input_dropout": input_dropout}
        mlp.fit(X, y, fastmlp.Adam(0.01), epochs=3, n_jobs=n_jobs, **given)
        return mlp.parameters.copy()

    expected = train(sparse, 1)
    for X in (dense, np.asfortranarray(dense), dense[::-1].copy()[::-1]):
        for n_jobs in (1, 2):
            np.testing.assert_array_equal(train(X, n_jobs), expected)


def test_rows_that_a_callback_fills_are_read_with_all_of_their_numbers(dtype, rng):
    empty = example(rng, 300, 40, dtype)[1]
    full, y = rng.standard_normal((300, 40)).astype(dtype), rng.integers(2, size=300)
    X, given = empty.copy(), {"epochs": 3, "batch_size": 70, "seed": 5}
    one, two = (fastmlp.MLP([40, 30, 2], dtype=dtype, seed=2) for _ in range(2))

    def fill(epoch):
        X[:] = full

    one.fit(X, y, fastmlp.SGD(0.1), callback=fill, **given)
    two.fit(empty, y, fastmlp.SGD(0.1), **given | {"epochs": 1})
    two.fit(full, y, fastmlp.SGD(0.1), initial_epoch=1, **given)
    np.testing.assert_array_equal(one.parameters, two.parameters)


def test_among_zeros_a_number_that_is_not_finite_is_named(rng):
    X = example(rng, 40, 50, "float64")[1]
    X[20, 3] = np.nan
    mlp = fastmlp.MLP([50, 20, 2], dtype="float64", seed=0)
    with pytest.raises(ValueError, match=r"^X\[20, 3\] is NaN, expected finite numbers$"):
        mlp.fit(X, np.arange(40) % 2, epochs=1)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_bits_of_columns_stored_twice_do_not_depend_on_the_number_of_threads(dtype, rng):
    """The fewer threads, the more rows a tile has, and the more numbers beside its columns."""
    n, n_columns, n_stored = 300, 5000, 5
    columns = rng.integers(n_columns, size=(n, n_stored))
    columns[:, 1:3] = columns[:, :1]
    columns[::2, :3] = 7
    numbers = rng.standard_normal(n * n_stored).astype(dtype)
    X = sp.csr_array(
        (numbers, columns.ravel(), np.arange(0, n * n_stored + 1, n_stored)), (n, n_columns)
    )
    y = rng.integers(3, size=n)
    trained = []
    for n_jobs in (1, 2, 3, 4):
        mlp = fastmlp.MLP([n_columns, 40, 3], dtype=dtype, seed=0)
        mlp.fit(X, y, fastmlp.SGD(0.1), epochs=2, n_jobs=n_jobs)
        trained.append(mlp.parameters.tobytes())
    assert len(set(trained)) == 1
