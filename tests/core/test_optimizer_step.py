"""An optimizer takes a step along the caller's own gradient."""

import re

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


def network(dtype):
    return fastmlp.MLP([4, 8, 3], dtype=dtype, seed=2)


def test_the_bits_are_those_of_training(make, data, dtype):
    X, y = data[0].astype(dtype), data[1]
    (trained, of_training), (stepped, optimizer) = ((network(dtype), make()) for _ in range(2))
    for _ in range(5):
        trained.step(X, y, of_training)
        _, gradient = stepped.loss_and_grad(X, y)
        assert optimizer.step(stepped, gradient) is None
    np.testing.assert_array_equal(stepped.parameters, trained.parameters)
    ours, theirs = optimizer.state_dict(), of_training.state_dict()
    assert ours.pop("step") == theirs.pop("step") == 5
    for name, value in ours.items():
        np.testing.assert_array_equal(value, theirs[name])


def test_both_ways_may_take_turns(make, data, dtype):
    X, y = data[0].astype(dtype), data[1]
    mlp, optimizer = network(dtype), make()
    mlp.fit(X, y, optimizer, epochs=3)
    optimizer.step(mlp, mlp.loss_and_grad(X, y)[1])
    mlp.fit(X, y, optimizer, epochs=3)
    whole = network(dtype)
    whole.fit(X, y, make(), epochs=7)
    np.testing.assert_array_equal(mlp.parameters, whole.parameters)


def test_the_rule_is_the_documented_one(dtype):
    mlp, sgd = network(dtype), fastmlp.SGD(0.5, momentum=0.5)
    start = mlp.parameters.astype(np.float64)
    gradient = np.linspace(-1, 1, mlp.n_parameters).astype(dtype)
    for _ in range(2):
        sgd.step(mlp, gradient)
    np.testing.assert_allclose(
        mlp.parameters, start - 0.5 * 2.5 * gradient.astype(np.float64), rtol=0, atol=1e-6
    )


REFUSED = {
    "a column": (lambda g: g[:, None], ValueError, r"^gradient has shape \(67, 1\), expected"),
    "too short": (
        lambda g: g[1:],
        ValueError,
        r"^gradient has shape \(66,\), expected \(67,\)",
    ),
    "gaps": (
        lambda g: np.repeat(g, 2)[::2],
        ValueError,
        r"^gradient is an array with gaps, expected a contiguous vector: use gradient\.copy\(\)",
    ),
    "reversed": (lambda g: g[::-1], ValueError, r"^gradient is an array with gaps"),
    "a list": (np.ndarray.tolist, TypeError, r"^gradient is of type list, expected a NumPy"),
    "integers": (lambda g: g.astype(int), TypeError, r"^gradient has dtype int64, expected "),
    "masked": (np.ma.masked_array, TypeError, r"^gradient is of type MaskedArray, expected"),
    "NaN": (
        lambda g: np.where(np.arange(g.size) == 5, np.nan, g).astype(g.dtype),
        fastmlp.DivergenceError,
        r"^training diverged: the gradient is not finite",
    ),
    "infinite": (
        lambda g: np.where(np.arange(g.size) == 66, -np.inf, g).astype(g.dtype),
        fastmlp.DivergenceError,
        r"^training diverged: the gradient is not finite",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_gradient_that_is_none_changes_nothing(case, make, dtype):
    change, error, message = REFUSED[case]
    mlp, optimizer = network(dtype), make()
    gradient = np.ones(67, dtype)
    optimizer.step(mlp, gradient)
    parameters, state = mlp.parameters.copy(), optimizer.state_dict()
    with pytest.raises(error, match=message):
        optimizer.step(mlp, change(gradient))
    np.testing.assert_array_equal(mlp.parameters, parameters)
    for name, value in optimizer.state_dict().items():
        np.testing.assert_array_equal(value, state[name])


def test_the_other_dtype_is_named_with_its_cast(dtype):
    other = {"float32": "float64", "float64": "float32"}[dtype]
    message = f"gradient has dtype {other}, expected {dtype}: use gradient.astype(numpy.{dtype})"
    with pytest.raises(TypeError, match=f"^{re.escape(message)}$"):
        fastmlp.SGD().step(network(dtype), np.ones(67, other))


def test_the_parameters_are_no_gradient_of_their_own():
    mlp = network("float64")
    with pytest.raises(ValueError, match=r"^gradient is in the same memory as the network's p"):
        fastmlp.SGD().step(mlp, mlp.parameters)


def test_a_step_that_overflows_is_taken_back(dtype):
    mlp, sgd = network(dtype), fastmlp.SGD(1e300)
    before = mlp.parameters.copy()
    with pytest.raises(fastmlp.DivergenceError, match="the step is not finite"):
        sgd.step(mlp, np.full(67, 1e30, dtype))
    np.testing.assert_array_equal(mlp.parameters, before)
    assert sgd.state_dict() == {"step": 0}


def test_the_state_of_another_network_is_refused():
    adam = fastmlp.Adam()
    adam.step(network("float64"), np.ones(67))
    with pytest.raises(ValueError, match=r"holds the state of 67 parameters and the network ha"):
        adam.step(fastmlp.MLP([2, 2], dtype="float64"), np.ones(6))
    with pytest.raises(ValueError, match=r"^optimizer is one that trained a network of another"):
        adam.step(network("float32"), np.ones(67, np.float32))
