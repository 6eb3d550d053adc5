"""Copies and soft updates."""

import copy
import gc
import pickle
import threading
import weakref

import numpy as np
import pytest
from networks import LOSSES, NETWORKS, data, half_squared_error, network, with_loss

import fastmlp

COPIES = {
    "copy": lambda mlp: mlp.copy(),
    "copy.copy": copy.copy,
    "copy.deepcopy": copy.deepcopy,
    "pickle": lambda mlp: pickle.loads(pickle.dumps(mlp)),
}


@pytest.mark.parametrize("way", COPIES)
@pytest.mark.parametrize("kind", NETWORKS)
def test_a_copy_goes_on_as_the_original_and_apart_from_it(way, kind, dtype):
    mlp = network(kind, dtype)
    X, y = data(mlp)
    mlp.freeze(-2)
    mlp.fit(X, y, epochs=1, batch_size=50)

    twin = COPIES[way](mlp)

    assert repr(twin) == repr(mlp)
    assert twin.frozen == mlp.frozen == (len(mlp.weights) - 2,)
    assert not np.shares_memory(twin.parameters, mlp.parameters)
    np.testing.assert_array_equal(twin.parameters, mlp.parameters)
    before = mlp.parameters.copy()
    twin.fit(X, y, epochs=2, batch_size=50, dropout=0.2)
    np.testing.assert_array_equal(mlp.parameters, before)
    mlp.fit(X, y, epochs=2, batch_size=50, dropout=0.2)
    np.testing.assert_array_equal(twin.parameters, mlp.parameters)


@pytest.mark.parametrize("way", COPIES)
@pytest.mark.parametrize("name", LOSSES)
def test_a_copy_has_the_loss_of_the_original(way, name):
    mlp, X, y = with_loss(name, "stages")
    mlp.freeze(0)
    twin = COPIES[way](mlp)
    assert twin.loss_function == mlp.loss_function
    assert twin.frozen == (0,)
    mlp.fit(X, y, epochs=2)
    twin.fit(X, y, epochs=2)
    np.testing.assert_array_equal(twin.parameters, mlp.parameters)


class Holder:
    """A loss that holds networks which have it."""

    def __call__(self, y, raw):
        return half_squared_error(y, raw)


def test_the_garbage_collector_sees_the_function_of_every_copy():
    loss = Holder()
    mlp = network(loss=loss)
    loss.networks = [mlp, mlp.copy(), mlp.copy().copy()]
    X, _ = data(mlp, 5)
    y, seen = np.zeros((5, 4)), weakref.ref(loss)
    del loss

    gc.collect()
    assert mlp.loss(X, y) == seen().networks[2].loss(X, y)

    del mlp
    gc.collect()
    assert seen() is None


def test_a_loss_function_may_copy_its_network_but_not_change_it():
    messages = []

    def loss(y, raw):
        for call in (mlp.freeze, lambda: mlp.soft_update(other, 0.5)):
            with pytest.raises(RuntimeError) as caught:
                call()
            messages.append(str(caught.value))
        np.testing.assert_array_equal(mlp.copy().parameters, mlp.parameters)
        return half_squared_error(y, raw)

    mlp, other = network(loss=loss), network()
    mlp.loss_and_grad(data(mlp)[0], np.zeros((300, 4)))
    assert set(messages) == {
        "the network's loss function is at work in another call: wait for it to return"
    }
    assert mlp.frozen == ()


def test_a_copy_outlives_the_original(rng):
    mlp = network()
    X, twin, parameters = rng.standard_normal((9, 5)), mlp.copy(), mlp.parameters.copy()
    logits = mlp.forward(X)
    del mlp
    np.testing.assert_array_equal(twin.parameters, parameters)
    np.testing.assert_array_equal(twin.forward(X), logits)


@pytest.mark.parametrize("tau", [0.0, 0.005, 0.5, 0.999, 1.0])
def test_a_soft_update_is_the_weighted_mean(tau, dtype):
    target, online = network(dtype=dtype), network(dtype=dtype, seed=8)
    before, towards = target.parameters.copy(), online.parameters.copy()
    view = target.weights[0]

    assert target.soft_update(online, tau) is None

    truth = tau * towards.astype("float64") + (1 - tau) * before.astype("float64")
    np.testing.assert_allclose(
        target.parameters, truth, rtol=0, atol=np.finfo(dtype).eps * np.abs(truth).max()
    )
    np.testing.assert_array_equal(online.parameters, towards)
    assert np.shares_memory(view, target.parameters)
    if tau == 1:
        assert target.parameters.tobytes() == towards.tobytes()


def test_a_hard_update_leaves_nothing_behind_that_is_not_finite():
    target, online = network(), network(seed=8)
    target.parameters[:5] = np.nan, np.inf, -np.inf, 1e308, -0.0
    target.soft_update(online, 1)
    assert target.parameters.tobytes() == online.parameters.tobytes()


def test_a_network_may_be_updated_towards_itself():
    mlp = network()
    before = mlp.parameters.copy()
    mlp.soft_update(mlp, 0.3)
    np.testing.assert_allclose(mlp.parameters, before, rtol=1e-15)


def test_what_does_not_shape_the_parameters_does_not_matter():
    ours = fastmlp.MLP([3, 5, 2], "relu", output="identity", seed=0)
    theirs = fastmlp.MLP([3, 5, 2], "tanh", output="softmax", seed=1)
    ours.soft_update(theirs, 1.0)
    np.testing.assert_array_equal(ours.parameters, theirs.parameters)


HERE = "expected one with the layers [3, 5, 2] and 32 parameters of this one"
REFUSED = {
    "sizes": (
        (fastmlp.MLP([3, 4, 2]), 0.5),
        ValueError,
        f"other is a network with layers [3, 4, 2] and 26 parameters, {HERE}",
    ),
    "stages": (
        (fastmlp.MLP([3, 5, 2], normalization="layer"), 0.5),
        ValueError,
        f"other is a network with layers [3, 5, 2] and 42 parameters, {HERE}",
    ),
    "dtype": (
        (fastmlp.MLP([3, 5, 2], dtype="float64"), 0.5),
        TypeError,
        "other has dtype float64, expected float32",
    ),
    "an array": (
        (np.zeros(32), 0.5),
        TypeError,
        "other is of type ndarray, expected an MLP",
    ),
    "text": (
        (fastmlp.MLP([3, 5, 2]), "half"),
        TypeError,
        "tau is of type str, expected a number",
    ),
    "above 1": (
        (fastmlp.MLP([3, 5, 2]), 1.5),
        ValueError,
        "tau is 1.5, expected a number from 0 to 1",
    ),
    "below 0": (
        (fastmlp.MLP([3, 5, 2]), -0.1),
        ValueError,
        "tau is -0.1, expected a number from 0 to 1",
    ),
    "NaN": (
        (fastmlp.MLP([3, 5, 2]), float("nan")),
        ValueError,
        "tau is NaN, expected a number from 0 to 1",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_soft_update_that_is_refused_changes_nothing(case):
    arguments, error, message = REFUSED[case]
    mlp = fastmlp.MLP([3, 5, 2], seed=0)
    before = mlp.parameters.copy()
    with pytest.raises(error) as caught:
        mlp.soft_update(*arguments)
    assert str(caught.value) == message
    np.testing.assert_array_equal(mlp.parameters, before)


def test_networks_may_be_updated_towards_each_other_at_once():
    networks = [fastmlp.MLP([50, 300, 10], seed=seed) for seed in (0, 1)]
    refused = []

    def work(mine, other):
        for _ in range(300):
            try:
                mine.soft_update(other, 0.1)
            except RuntimeError as error:
                refused.append(str(error))

    threads = [threading.Thread(target=work, args=pair) for pair in (networks, networks[::-1])]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(refused) <= {"the network is being trained by another call: wait for it to return"}
