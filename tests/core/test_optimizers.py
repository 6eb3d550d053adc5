"""Optimizers keep their settings, and state that can be read, set and cleared."""

import json

import numpy as np
import pytest

import fastmlp

KINDS = {
    "sgd": lambda: fastmlp.SGD(0.1),
    "momentum": lambda: fastmlp.SGD(0.1, momentum=0.9),
    "nesterov": lambda: fastmlp.SGD(0.1, momentum=0.9, nesterov=True),
    "adam": lambda: fastmlp.Adam(0.01),
    "adamw": lambda: fastmlp.AdamW(0.01, weight_decay=0.1),
}


@pytest.fixture(params=KINDS)
def make(request):
    """A maker of one kind of optimizer."""
    return KINDS[request.param]


@pytest.fixture
def data(rng):
    return rng.standard_normal((30, 4)), rng.integers(3, size=30)


def trained(data, *fits, dtype="float64"):
    """Parameters after fits of (optimizer, epochs), one after another, from the same start."""
    mlp = fastmlp.MLP([4, 8, 3], dtype=dtype, seed=2)
    for optimizer, epochs in fits:
        mlp.fit(data[0].astype(dtype), data[1], optimizer, epochs=epochs)
    return mlp.parameters.copy()


def test_defaults():
    sgd, adamw = fastmlp.SGD(), fastmlp.AdamW()

    assert (sgd.learning_rate, sgd.momentum, sgd.nesterov) == (0.01, 0.0, False)
    for adam in (fastmlp.Adam(), adamw):
        settings = (adam.learning_rate, adam.beta_1, adam.beta_2, adam.epsilon)
        assert settings == (1e-3, 0.9, 0.999, 1e-8)
    assert adamw.weight_decay == 0.01


def test_settings_are_kept():
    sgd = fastmlp.SGD(0.25, 0.5, True)
    adamw = fastmlp.AdamW(0.25, 0.5, 0.75, 0.125, 0.0625)

    assert (sgd.learning_rate, sgd.momentum, sgd.nesterov) == (0.25, 0.5, True)
    for adam in (fastmlp.Adam(0.25, 0.5, 0.75, 0.125), adamw):
        settings = (adam.learning_rate, adam.beta_1, adam.beta_2, adam.epsilon)
        assert settings == (0.25, 0.5, 0.75, 0.125)
    assert adamw.weight_decay == 0.0625


def test_a_repr_makes_the_optimizer_again(make):
    optimizer = make()

    assert repr(eval(repr(optimizer), vars(fastmlp))) == repr(optimizer)


def test_adamw_without_decay_is_adam(data, dtype):
    adam, adamw = fastmlp.Adam(0.01), fastmlp.AdamW(0.01, weight_decay=0.0)

    assert isinstance(adamw, fastmlp.Adam)
    np.testing.assert_array_equal(
        trained(data, (adamw, 10), dtype=dtype), trained(data, (adam, 10), dtype=dtype)
    )


def test_biases_decay_as_weights_do(dtype):
    # Inputs of 0 and equally many rows of each class: all gradients are 0.
    X, y = np.zeros((2, 3), dtype), np.array([0, 1])
    mlp = fastmlp.MLP([3, 2], dtype=dtype, seed=0)
    mlp.parameters[:] = 1.0

    mlp.fit(X, y, fastmlp.AdamW(learning_rate=0.5, weight_decay=0.5), epochs=3)

    np.testing.assert_array_equal(mlp.parameters, np.full(8, 0.75**3, dtype))


def test_a_decay_too_small_for_float32_beside_1_still_counts():
    # 1 - 1e-8 is 1 in float32, and so would be every factor of a million steps.
    X, y = np.zeros((2, 1), np.float32), np.array([0, 1])
    mlp = fastmlp.MLP([1, 2], seed=0)
    mlp.parameters[:] = np.float32(1.0) + np.finfo(np.float32).eps
    before = mlp.parameters.copy()

    mlp.step(X, y, fastmlp.AdamW(learning_rate=1e-6, weight_decay=0.07))

    assert (mlp.parameters < before).all()


def test_the_learning_rate_can_be_set(make, data):
    optimizer, other = make(), make()
    optimizer.learning_rate = 0.5

    assert optimizer.learning_rate == 0.5
    assert not np.array_equal(trained(data, (optimizer, 3)), trained(data, (other, 3)))


@pytest.mark.parametrize(
    "name", ["momentum", "nesterov", "beta_1", "beta_2", "epsilon", "weight_decay"]
)
def test_other_settings_are_read_only(name):
    optimizer = fastmlp.SGD() if hasattr(fastmlp.SGD, name) else fastmlp.AdamW()

    with pytest.raises(AttributeError, match=name):
        setattr(optimizer, name, 0.5)


def test_training_goes_on_from_a_state_bit_for_bit(make, data, dtype):
    whole, first, second = make(), make(), make()

    expected = trained(data, (whole, 10), dtype=dtype)

    mlp = fastmlp.MLP([4, 8, 3], dtype=dtype, seed=2)
    X, y = data[0].astype(dtype), data[1]
    mlp.fit(X, y, first, epochs=4)
    second.load_state_dict(first.state_dict())
    mlp.fit(X, y, second, epochs=6)
    np.testing.assert_array_equal(mlp.parameters, expected)


def test_a_state_is_a_copy(make, data):
    optimizer, other = make(), make()
    trained(data, (optimizer, 3))

    state = optimizer.state_dict()
    other.load_state_dict(state)
    trained(data, (optimizer, 3))

    for name, value in other.state_dict().items():
        np.testing.assert_array_equal(value, state[name])


def test_a_state_holds_plain_numbers_and_arrays(make, data):
    optimizer = make()
    trained(data, (optimizer, 3))

    for value in optimizer.state_dict().values():
        assert isinstance(value, np.ndarray) or json.dumps(value)


def test_reset_forgets(make, data):
    optimizer = make()
    trained(data, (optimizer, 5))

    optimizer.reset()

    np.testing.assert_array_equal(trained(data, (optimizer, 5)), trained(data, (make(), 5)))


@pytest.mark.parametrize("kind", ["momentum", "adam", "adamw"])
def test_another_network_s_state_is_refused(kind, data):
    optimizer = KINDS[kind]()
    trained(data, (optimizer, 1))
    larger = fastmlp.MLP([4, 9, 3], dtype="float64", seed=0)
    before = larger.parameters.copy()

    with pytest.raises(ValueError, match="optimizer"):
        larger.step(*data, optimizer)

    np.testing.assert_array_equal(larger.parameters, before)


@pytest.mark.parametrize("kind", ["momentum", "adam", "adamw"])
def test_a_state_of_another_dtype_is_refused(kind, data):
    optimizer = KINDS[kind]()
    trained(data, (optimizer, 1))
    narrow = fastmlp.MLP([4, 8, 3], dtype="float32", seed=0)

    with pytest.raises(ValueError, match="another dtype"):
        narrow.step(data[0].astype(np.float32), data[1], optimizer)


def test_an_optimizer_in_training_trains_nothing_else(make, data):
    """From the callback of its fit, where its state can be read between two epochs."""
    X, y = data
    mlp, other = (fastmlp.MLP([4, 8, 3], dtype="float64", seed=2) for _ in range(2))
    optimizer = make()
    start, state = other.parameters.copy(), make().state_dict()
    refused = {
        "step": lambda: other.step(X, y, optimizer),
        "fit": lambda: other.fit(X, y, optimizer, epochs=1),
        "its own step": lambda: optimizer.step(other, np.zeros(67)),
        "reset": optimizer.reset,
        "load_state_dict": lambda: optimizer.load_state_dict(state),
    }

    def callback(epoch):
        assert optimizer.state_dict()["step"] == epoch.epoch
        for call in refused.values():
            with pytest.raises(RuntimeError, match=r"^the optimizer is training a network: wait "):
                call()
        with pytest.raises(RuntimeError, match=r"^the network is being trained by another call"):
            make().step(mlp, np.zeros(67))
        optimizer.learning_rate = optimizer.learning_rate

    mlp.fit(X, y, optimizer, epochs=3, callback=callback)
    np.testing.assert_array_equal(mlp.parameters, trained(data, (make(), 3)))
    np.testing.assert_array_equal(other.parameters, start)
    for call in refused.values():
        call()


def test_a_fit_that_fails_frees_the_optimizer(data):
    X, y = data
    mlp, adam = fastmlp.MLP([4, 8, 3], dtype="float64", seed=2), fastmlp.Adam()
    with pytest.raises(ValueError, match=r"^y\[0\] is 7"):
        mlp.fit(X, np.full(30, 7), adam, epochs=1)

    def callback(epoch):
        raise KeyError(epoch.epoch)

    with pytest.raises(KeyError):
        mlp.fit(X, y, adam, epochs=2, callback=callback)
    adam.reset()
    mlp.step(X, y, adam)
