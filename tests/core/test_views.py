"""parameters, weights and biases are the network's own memory: live, writable, long-lived."""

import gc

import numpy as np
import pytest

import fastmlp


@pytest.fixture
def mlp(dtype):
    return fastmlp.MLP([2, 5, 4, 3], activation="tanh", dtype=dtype, seed=0)


def test_shapes_and_dtypes(mlp, dtype):
    assert mlp.n_parameters == 2 * 5 + 5 + 5 * 4 + 4 + 4 * 3 + 3
    assert mlp.parameters.shape == (mlp.n_parameters,)
    assert [W.shape for W in mlp.weights] == [(2, 5), (5, 4), (4, 3)]
    assert [b.shape for b in mlp.biases] == [(5,), (4,), (3,)]
    for view in (mlp.parameters, *mlp.weights, *mlp.biases):
        assert view.dtype == dtype
        assert view.flags.c_contiguous
        assert view.flags.writeable
        assert view.flags.aligned


def test_weights_and_biases_share_out_the_parameters(mlp):
    mlp.parameters[...] = np.arange(mlp.n_parameters)

    values = np.concatenate([view.ravel() for view in (*mlp.weights, *mlp.biases)])

    np.testing.assert_array_equal(np.sort(values), np.arange(mlp.n_parameters))
    assert all(np.shares_memory(view, mlp.parameters) for view in (*mlp.weights, *mlp.biases))


def test_every_access_is_the_same_memory(mlp):
    assert mlp.parameters.ctypes.data == mlp.parameters.ctypes.data
    first, second = mlp.weights[1], mlp.weights[1]

    first[...] = 7.0

    np.testing.assert_array_equal(second, np.full((5, 4), 7.0))


def test_writing_changes_the_network(mlp, dtype):
    X = np.ones((1, 2), dtype)
    mlp.parameters[...] = 0.0
    mlp.biases[-1][...] = [1.0, 2.0, 3.0]

    np.testing.assert_array_equal(mlp.forward(X), [[1.0, 2.0, 3.0]])

    mlp.biases[-1][1] = -2.0
    np.testing.assert_array_equal(mlp.forward(X), [[1.0, -2.0, 3.0]])


def test_training_is_seen_through_a_view(mlp, dtype):
    view, before = mlp.weights[0], mlp.weights[0].copy()
    X, y = np.ones((4, 2), dtype), np.array([0, 1, 2, 0])

    mlp.fit(X, y, epochs=3)

    assert not np.array_equal(view, before)
    np.testing.assert_array_equal(view, mlp.weights[0])


def test_a_view_outlives_its_network(dtype):
    mlp = fastmlp.MLP([2, 1000, 3], dtype=dtype, seed=0)
    views = (mlp.parameters, mlp.weights[0], mlp.biases[1], mlp.unflatten(mlp.parameters)[0][1])
    copies = [view.copy() for view in views]

    del mlp
    gc.collect()
    # Take any memory that was freed, and overwrite it.
    fillers = [np.full(n, 7.0, dtype) for n in (5003, 2000, 3000, 3) for _ in range(50)]

    for view, copy in zip(views, copies, strict=True):
        np.testing.assert_array_equal(view, copy)
    for view in views:
        view[...] = 1.0
    assert all((filler == 7.0).all() for filler in fillers)


def test_a_slice_of_a_view_outlives_both(dtype):
    row = fastmlp.MLP([3, 1000, 3], dtype=dtype, seed=4).weights[0][1]
    gc.collect()

    np.testing.assert_array_equal(row, fastmlp.MLP([3, 1000, 3], dtype=dtype, seed=4).weights[0][1])


@pytest.mark.parametrize("name", ["parameters", "weights", "biases"])
def test_the_attributes_themselves_cannot_be_replaced(name, mlp):
    with pytest.raises(AttributeError, match=name):
        setattr(mlp, name, getattr(mlp, name))


def test_the_parameters_cannot_be_resized(mlp):
    with pytest.raises(ValueError, match="resize"):
        mlp.parameters.resize(1, refcheck=False)


def test_unflatten_of_the_parameters_is_weights_and_biases(mlp):
    weights, biases = mlp.unflatten(mlp.parameters)

    for view, own in zip((*weights, *biases), (*mlp.weights, *mlp.biases), strict=True):
        assert view.shape == own.shape
        assert view.ctypes.data == own.ctypes.data


@pytest.mark.parametrize("vector_dtype", [np.float32, np.float64, np.int64])
def test_unflatten_gives_views_of_any_vector(vector_dtype, mlp):
    vector = np.zeros(mlp.n_parameters, vector_dtype)

    weights, biases = mlp.unflatten(vector)
    for k, view in enumerate((*weights, *biases)):
        view[...] = k + 1

    assert isinstance(weights, tuple)
    assert isinstance(biases, tuple)
    assert np.bincount(vector.astype(int)).tolist() == [0, 10, 20, 12, 5, 4, 3]


def test_unflatten_of_a_strided_or_read_only_vector(mlp):
    vector = np.arange(2.0 * mlp.n_parameters)[::2]
    vector.flags.writeable = False

    weights, biases = mlp.unflatten(vector)

    for view, same in zip(
        (*weights, *biases),
        (lambda parts: (*parts[0], *parts[1]))(mlp.unflatten(vector.copy())),
        strict=True,
    ):
        np.testing.assert_array_equal(view, same)
        assert not view.flags.writeable
        assert np.shares_memory(view, vector)


def test_the_gradient_is_laid_out_like_the_parameters(dtype):
    mlp = fastmlp.MLP([2, 3], dtype=dtype, seed=0)
    X, y = np.array([[1.0, 0.0]], dtype), np.array([0])

    _, gradient = mlp.loss_and_grad(X, y)

    (d_W,), (d_b,) = mlp.unflatten(gradient)
    np.testing.assert_array_equal(d_W[0], d_b)
    np.testing.assert_array_equal(d_W[1], np.zeros(3))
    assert (np.sign(d_b) == [-1, 1, 1]).all()
