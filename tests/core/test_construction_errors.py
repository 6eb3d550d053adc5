"""Bad arguments of the constructors: class and message of the error."""

import re

import numpy as np
import pytest

import fastmlp

INITS = (
    '"auto", "glorot_uniform", "glorot_normal", "he_uniform", "he_normal", "lecun_normal", "normal"'
)
ACTIVATIONS = (
    '"identity", "relu", "leaky_relu", "sigmoid", "tanh", "elu", "selu", "gelu", "silu", "mish", '
    '"softplus", "prelu"'
)

NETWORKS = [
    (3, {}, TypeError, "layer_sizes is of type int, expected a sequence of integers"),
    ([2, 3.5], {}, TypeError, "layer_sizes is of type float, expected an integer"),
    (
        [2],
        {},
        ValueError,
        "layer_sizes is [2], expected at least two widths: of the input and of the output",
    ),
    ([2, 0, 3], {}, ValueError, "layer_sizes is [2, 0, 3], expected widths >= 1"),
    ([2, -1, 3], {}, ValueError, "layer_sizes is -1, expected widths >= 1"),
    (
        [2, 2**62, 3],
        {},
        ValueError,
        f"layer_sizes is [2, {2**62}, 3], expected widths whose parameters fit in memory",
    ),
    (
        [2, 4, 3],
        {"activation": "swish"},
        ValueError,
        f'activation is "swish", expected one of {ACTIVATIONS}',
    ),
    (
        [2, 4, 3],
        {"activation": ["relu", "tanh"]},
        ValueError,
        "activation is a sequence of 2, "
        "expected one name, or a sequence of 1 name, one per hidden layer",
    ),
    (
        [2, 4, 3],
        {"activation": 3},
        TypeError,
        "activation is of type int, expected a name, or a sequence of names",
    ),
    (
        [2, 3],
        {"output": "linear"},
        ValueError,
        'output is "linear", expected one of "softmax", "sigmoid", "identity", "exp"',
    ),
    ([2, 3], {"init": "xavier"}, ValueError, f'init is "xavier", expected one of {INITS}'),
    (
        [2, 3],
        {"init_scale": 0.1},
        ValueError,
        'init_scale is 0.1, expected None with init="auto": it is the scale of init="normal"',
    ),
    (
        [2, 3],
        {"init": "normal", "init_scale": -1},
        ValueError,
        "init_scale is -1, expected a finite number >= 0",
    ),
    (
        [2, 3],
        {"dtype": "float16"},
        ValueError,
        'dtype is "float16", expected "float32" or "float64"',
    ),
    (
        [2, 3],
        {"seed": 2**64},
        ValueError,
        f"seed is {2**64}, expected None or an integer from 0 to 2**64 - 1",
    ),
    ([2, 3], {"seed": "a"}, TypeError, "seed is of type str, expected an integer"),
]

POSITIVE = "expected a finite number > 0"
NOT_NEGATIVE = "expected a finite number >= 0"
SHARE = "expected a number in [0, 1)"

OPTIMIZERS = [
    (fastmlp.SGD, {"learning_rate": 0.0}, f"learning_rate is 0, {POSITIVE}"),
    (fastmlp.SGD, {"learning_rate": np.nan}, f"learning_rate is NaN, {POSITIVE}"),
    (fastmlp.SGD, {"learning_rate": np.inf}, f"learning_rate is inf, {POSITIVE}"),
    (fastmlp.SGD, {"momentum": 1.5}, "momentum is 1.5, expected a number in [0, 1]"),
    (fastmlp.SGD, {"momentum": -0.5}, "momentum is -0.5, expected a number in [0, 1]"),
    (fastmlp.SGD, {"nesterov": True}, "nesterov is True, expected False, or a momentum > 0"),
    (fastmlp.Adam, {"learning_rate": -1.0}, f"learning_rate is -1, {POSITIVE}"),
    (fastmlp.Adam, {"beta_1": 1.0}, f"beta_1 is 1, {SHARE}"),
    (fastmlp.Adam, {"beta_2": -0.1}, f"beta_2 is -0.1, {SHARE}"),
    (fastmlp.Adam, {"epsilon": 0.0}, f"epsilon is 0, {POSITIVE}"),
    (fastmlp.AdamW, {"beta_1": 1.0}, f"beta_1 is 1, {SHARE}"),
    (fastmlp.AdamW, {"weight_decay": -0.5}, f"weight_decay is -0.5, {NOT_NEGATIVE}"),
    (fastmlp.AdamW, {"weight_decay": np.nan}, f"weight_decay is NaN, {NOT_NEGATIVE}"),
    (fastmlp.AdamW, {"weight_decay": np.inf}, f"weight_decay is inf, {NOT_NEGATIVE}"),
]

ARRAYS = (
    "state is of other arrays, expected one-dimensional float32 or float64 arrays of one length "
    "and type"
)

STATES = [
    ({}, ValueError, 'state is without "step", expected what state_dict() returns'),
    ({"step": 1}, ValueError, 'state is without "m", expected what state_dict() returns'),
    (
        {"step": 1, "m": np.zeros(3)},
        ValueError,
        'state is without "v", expected what state_dict() returns',
    ),
    ({"step": 1, "m": np.zeros(3), "v": np.zeros(4)}, ValueError, ARRAYS),
    ({"step": 1, "m": np.zeros(3), "v": np.zeros(3, np.float32)}, ValueError, ARRAYS),
    ({"step": 1, "m": np.zeros((3, 1)), "v": np.zeros((3, 1))}, ValueError, ARRAYS),
    ({"step": 1, "m": [0.0], "v": [0.0]}, ValueError, ARRAYS),
    (
        {"step": -1, "m": np.zeros(3), "v": np.zeros(3)},
        ValueError,
        "step is -1, expected an integer >= 0",
    ),
    (
        {"step": 1.5, "m": np.zeros(3), "v": np.zeros(3)},
        TypeError,
        "step is of type float, expected an integer",
    ),
]


def exactly(message):
    return f"^{re.escape(message)}$"


@pytest.mark.parametrize(
    ("sizes", "settings", "error", "message"), NETWORKS, ids=[case[-1][:40] for case in NETWORKS]
)
def test_networks(sizes, settings, error, message):
    with pytest.raises(error, match=exactly(message)):
        fastmlp.MLP(sizes, **settings)


@pytest.mark.parametrize(
    ("kind", "settings", "message"), OPTIMIZERS, ids=[case[-1][:20] for case in OPTIMIZERS]
)
def test_optimizers(kind, settings, message):
    with pytest.raises(ValueError, match=exactly(message)):
        kind(**settings)


@pytest.mark.parametrize("kind", [fastmlp.SGD, fastmlp.Adam, fastmlp.AdamW])
def test_a_learning_rate_that_is_set(kind):
    optimizer = kind(0.5)

    with pytest.raises(ValueError, match=exactly(f"learning_rate is 0, {POSITIVE}")):
        optimizer.learning_rate = 0.0

    assert optimizer.learning_rate == 0.5


@pytest.mark.parametrize(("state", "error", "message"), STATES, ids=map(str, range(len(STATES))))
def test_states_of_optimizers(state, error, message):
    optimizer = fastmlp.Adam()
    optimizer.load_state_dict({"step": 7, "m": np.ones(2), "v": np.ones(2)})

    with pytest.raises(error, match=exactly(message)):
        optimizer.load_state_dict(state)

    assert optimizer.state_dict()["step"] == 7
    np.testing.assert_array_equal(optimizer.state_dict()["m"], np.ones(2))
