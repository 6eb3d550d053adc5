"""Copies and pickles of networks and optimizers are equal to the last bit, and independent."""

import copy
import pickle

import numpy as np
import pytest

import fastmlp

WAYS = {
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
    **{
        f"pickle {protocol}": lambda thing, protocol=protocol: pickle.loads(
            pickle.dumps(thing, protocol)
        )
        for protocol in range(2, pickle.HIGHEST_PROTOCOL + 1)
    },
}


@pytest.fixture(params=WAYS)
def again(request):
    """One way to make a copy."""
    return WAYS[request.param]


@pytest.fixture
def mlp(dtype):
    return fastmlp.MLP([3, 5, 4, 2], activation=("relu", "tanh"), dtype=dtype, seed=3)


def test_a_network(again, mlp, rng):
    mlp.biases[0][...] = 0.25
    X = rng.standard_normal((20, 3)).astype(mlp.dtype)

    twin = again(mlp)

    assert type(twin) is fastmlp.MLP
    for name in ("layer_sizes", "activation", "output", "dtype", "n_parameters"):
        assert getattr(twin, name) == getattr(mlp, name)
    assert twin.parameters.tobytes() == mlp.parameters.tobytes()
    assert twin.predict_proba(X).tobytes() == mlp.predict_proba(X).tobytes()


def test_a_network_s_copy_has_memory_of_its_own(again, mlp):
    before = mlp.parameters.copy()

    again(mlp).parameters[...] = 0.0

    np.testing.assert_array_equal(mlp.parameters, before)


@pytest.mark.parametrize(
    "optimizer",
    [
        fastmlp.SGD(0.3),
        fastmlp.SGD(0.3, momentum=0.5, nesterov=True),
        fastmlp.Adam(0.02, 0.7, 0.8, 1e-4),
        fastmlp.AdamW(0.02, 0.7, 0.8, 1e-4, 0.5),
    ],
    ids=["sgd", "nesterov", "adam", "adamw"],
)
def test_an_optimizer_in_the_middle_of_training(again, optimizer, mlp, rng):
    optimizer.reset()
    X, y = rng.standard_normal((20, 3)).astype(mlp.dtype), rng.integers(2, size=20)
    mlp.fit(X, y, optimizer, epochs=3)

    twin_optimizer, twin = again(optimizer), copy.deepcopy(mlp)

    assert type(twin_optimizer) is type(optimizer)
    mlp.fit(X, y, optimizer, epochs=3)
    twin.fit(X, y, twin_optimizer, epochs=3)
    assert twin.parameters.tobytes() == mlp.parameters.tobytes()


def test_a_network_and_its_views_stay_together_in_a_deepcopy(mlp):
    twin = copy.deepcopy({"mlp": mlp})["mlp"]

    assert not np.shares_memory(twin.parameters, mlp.parameters)
    assert np.shares_memory(twin.weights[0], twin.parameters)


SERIES = ("loss", "accuracy", "val_loss", "val_accuracy", "seconds")


@pytest.fixture(params=["softmax", "identity"])
def told(request, rng):
    """The history of a fit and its epochs, of a network with and without an accuracy."""
    mlp = fastmlp.MLP([3, 2], output=request.param, dtype="float64", seed=3)
    X, y = rng.standard_normal((20, 3)), rng.integers(2, size=20)
    epochs = []
    if request.param == "softmax":
        return mlp.fit(X, y, epochs=3, X_val=X, y_val=y, callback=epochs.append), epochs
    return mlp.fit(X, X[:, :2], epochs=3, callback=epochs.append), epochs


def test_history(again, told):
    history, _ = told

    twin = again(history)

    assert type(twin) is fastmlp.History
    for name in SERIES:
        np.testing.assert_array_equal(getattr(twin, name), getattr(history, name))


def test_an_epoch(again, told):
    for epoch in told[1]:
        twin = again(epoch)

        assert type(twin) is fastmlp.Epoch
        for name in ("epoch", "epochs", *SERIES):
            assert getattr(twin, name) == getattr(epoch, name)
        assert repr(twin) == repr(epoch)
