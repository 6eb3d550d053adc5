"""Clipping, schedules and settings by role: options that every optimizer takes."""

import copy
import pickle
import re

import numpy as np
import pytest

import fastmlp

KINDS = {
    "sgd": lambda **given: fastmlp.SGD(0.1, **given),
    "momentum": lambda **given: fastmlp.SGD(0.1, momentum=0.9, **given),
    "scaled": lambda **given: fastmlp.SGD(0.1, momentum=0.9, scaled_velocity=True, **given),
    "adam": lambda **given: fastmlp.Adam(0.01, **given),
    "adamw": lambda **given: fastmlp.AdamW(0.01, weight_decay=0.1, **given),
}
OPTIONS = {
    "clip": {"clip_norm": 0.25},
    "constant": {"schedule": "constant", "warmup": 0.5},
    "cosine": {"schedule": "cosine", "warmup": 0.1},
    "linear": {"schedule": "linear"},
    "one_cycle": {"schedule": "one_cycle"},
    "roles": {"lr_factors": {"bias": 0.125, "scale": 6.0}},
    "all": {
        "clip_norm": 0.25,
        "schedule": "one_cycle",
        "warmup": 0.25,
        "lr_factors": {"weight": 0.5, "bias": 2.0},
    },
}
NAMES = ("clip_norm", "schedule", "warmup", "lr_factors")


@pytest.fixture(params=KINDS)
def make(request):
    """A maker of one kind of optimizer."""
    return KINDS[request.param]


@pytest.fixture(params=OPTIONS)
def options(request):
    """Options to make it with."""
    return OPTIONS[request.param]


@pytest.fixture
def data(rng):
    return rng.standard_normal((50, 4)), rng.integers(3, size=50)


def network(dtype="float64", sizes=(4, 8, 3), **given):
    return fastmlp.MLP(list(sizes), "tanh", dtype=dtype, seed=2, **given)


def trained(data, optimizer, dtype="float64", sizes=(4, 8, 3), **given):
    """Parameters after a fit of four epochs of five batches."""
    mlp = network(dtype, sizes)
    given = {"epochs": 4, "batch_size": 10, "seed": 5} | given
    mlp.fit(data[0].astype(dtype), data[1], optimizer, **given)
    return mlp.parameters.copy()


def test_there_are_none_by_default():
    for optimizer in (fastmlp.SGD(), fastmlp.Adam(), fastmlp.AdamW()):
        assert [getattr(optimizer, name) for name in NAMES] == [None] * 4
    assert fastmlp.AdamW().decay_roles is None


def test_options_are_shown_and_copied_with_the_state(make, options, data):
    optimizer = make(**options)
    trained(data, optimizer)
    ways = [copy.copy, copy.deepcopy] + [
        lambda it, protocol=protocol: pickle.loads(pickle.dumps(it, protocol))
        for protocol in range(pickle.HIGHEST_PROTOCOL + 1)
    ]

    assert {name: getattr(optimizer, name) for name in NAMES} == dict.fromkeys(NAMES) | options
    assert repr(eval(repr(optimizer), vars(fastmlp))) == repr(optimizer)
    assert all(f"{name}={value!r}" in repr(optimizer) for name, value in options.items())
    for way in ways:
        again = way(optimizer)
        assert repr(again) == repr(optimizer)
        assert type(again) is type(optimizer)
        np.testing.assert_array_equal(trained(data, again), trained(data, way(optimizer)))
        assert again.state_dict()["step"] == 40


def test_decay_roles_are_shown_and_copied():
    adamw = fastmlp.AdamW(decay_roles=["scale", "weight"])
    assert adamw.decay_roles == ("weight", "scale")
    assert repr(adamw).endswith(", weight_decay=0.01, decay_roles=('weight', 'scale'))")
    assert fastmlp.AdamW(decay_roles=()).decay_roles == ()
    for again in (pickle.loads(pickle.dumps(adamw)), eval(repr(adamw), vars(fastmlp))):
        assert again.decay_roles == adamw.decay_roles


@pytest.mark.parametrize("name", [*NAMES, "decay_roles"])
def test_options_are_read_only_and_given_by_name(name):
    with pytest.raises(AttributeError, match=name):
        setattr(fastmlp.AdamW(), name, None)
    for kind, n in ((fastmlp.SGD, 4), (fastmlp.Adam, 5), (fastmlp.AdamW, 5)):
        with pytest.raises(TypeError, match="positional arguments"):
            kind(*[0.5] * (n + 1))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"clip_norm": 0.0}, "clip_norm is 0, expected None or a finite number > 0"),
        ({"clip_norm": float("inf")}, "clip_norm is inf, expected None or a finite number > 0"),
        (
            {"schedule": "step"},
            'schedule is "step", expected None or one of "constant", "cosine", "linear", '
            '"one_cycle"',
        ),
        (
            {"schedule": "cosine", "warmup": 1.0},
            "warmup is 1, expected None or a number in [0, 1)",
        ),
        ({"warmup": 0.1}, "warmup is 0.1, expected None without a schedule"),
        (
            {"lr_factors": {"biases": 0.1}},
            'lr_factors is given for "biases", expected roles among "weight", "bias", "gain", '
            '"shift", "scale", "slope", "alpha", "frequency", "phase", "projection", "offset"',
        ),
        (
            {"lr_factors": {"bias": 0.0}},
            'lr_factors is 0 for "bias", expected a finite number > 0',
        ),
        (
            {"decay_roles": ["weights"]},
            'decay_roles is given for "weights", expected roles among "weight", "bias", "gain", '
            '"shift", "scale", "slope", "alpha", "frequency", "phase", "projection", "offset"',
        ),
    ],
)
def test_values_out_of_range(given, message):
    kinds = (fastmlp.AdamW,) if "decay_roles" in given else (fastmlp.SGD, fastmlp.Adam)
    for kind in kinds:
        with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
            kind(**given)


def test_a_name_is_no_sequence_of_roles():
    message = "^decay_roles is of type str, expected None or a sequence of str"
    with pytest.raises(TypeError, match=message):
        fastmlp.AdamW(decay_roles="weight")


@pytest.mark.parametrize(
    "given",
    [
        {"clip_norm": 1e9},
        {"schedule": "constant"},
        {"lr_factors": {"bias": 1.0}},
        {"lr_factors": {"scale": 7.0, "slope": 0.5, "gain": 2.0, "shift": 3.0}},
    ],
)
def test_options_that_change_nothing_keep_the_bits(make, given, data, dtype):
    plain = trained(data, make(), dtype)
    np.testing.assert_array_equal(trained(data, make(**given), dtype), plain)


def test_all_roles_together_are_the_learning_rate(make, data, dtype):
    slow = make()
    slow.learning_rate *= 0.25
    roles = (
        *("weight", "bias", "gain", "shift", "scale", "slope"),
        *("frequency", "phase", "projection", "offset"),
    )
    factors = make(lr_factors=dict.fromkeys(roles, 0.25))
    np.testing.assert_array_equal(trained(data, factors, dtype), trained(data, slow, dtype))


@pytest.mark.parametrize("size", [1e-20, 1.0, 1e25])
def test_a_clipped_step_is_one_along_a_shorter_gradient(make, size, dtype, rng, assert_agrees):
    mlp, other = network(dtype), network(dtype)
    gradient = rng.standard_normal(mlp.n_parameters)
    gradient *= size / np.linalg.norm(gradient)
    shorter = gradient * min(1.0, 0.25 / (np.linalg.norm(gradient) + 1e-6))

    make(clip_norm=0.25).step(mlp, gradient.astype(dtype))

    make().step(other, shorter.astype(dtype))
    assert_agrees(mlp.parameters, other.parameters)


def test_a_gradient_whose_norm_is_out_of_range():
    mlp, adam = network(), fastmlp.Adam(clip_norm=1.0)
    before = mlp.parameters.copy()
    with pytest.raises(fastmlp.DivergenceError, match="the norm of the gradient is not finite"):
        adam.step(mlp, np.full(mlp.n_parameters, 1.7e308))
    np.testing.assert_array_equal(mlp.parameters, before)
    assert adam.state_dict() == {"step": 0}


def test_a_step_too_long_for_one_role_changes_nothing(make, data):
    mlp = network("float32")
    X, before = data[0].astype(np.float32), mlp.parameters.copy()
    optimizer = make(lr_factors={"bias": 1e200})
    with pytest.raises(fastmlp.DivergenceError, match="the step is not finite"):
        mlp.step(X, data[1], optimizer)
    np.testing.assert_array_equal(mlp.parameters, before)
    assert optimizer.state_dict()["step"] == 0


@pytest.mark.parametrize("sizes", [(4, 8, 3), (4, 400, 300, 3)], ids=["narrow", "wide"])
def test_bits_do_not_depend_on_threads(make, options, sizes, data, dtype):
    alone = trained(data, make(**options), dtype, sizes, n_jobs=1)
    for n_jobs in (2, 3):
        together = trained(data, make(**options), dtype, sizes, n_jobs=n_jobs)
        np.testing.assert_array_equal(together, alone)


def test_a_fit_takes_the_learning_rates_that_are_shown(make, options, data):
    X, y = data
    mlp, optimizer = network(), make(**options)
    rates = optimizer.learning_rates(20)
    expected = make(**{name: options[name] for name in options if name[0] in "cl"})
    for step, rate in enumerate(rates):
        expected.learning_rate = rate
        rows = slice(step % 5 * 10, step % 5 * 10 + 10)
        mlp.step(X[rows], y[rows], expected)

    np.testing.assert_array_equal(trained(data, optimizer, shuffle=False), mlp.parameters)
    assert (rates.shape, rates.dtype) == ((20,), np.float64)
    assert rates.max() <= optimizer.learning_rate


def test_learning_rates_by_hand():
    linear = fastmlp.SGD(0.5, schedule="linear", warmup=0.5)
    np.testing.assert_allclose(linear.learning_rates(4), [0.5 / 3, 1 / 3, 0.5, 0.25])
    np.testing.assert_array_equal(fastmlp.SGD(0.5).learning_rates(3), [0.5] * 3)
    assert linear.learning_rates(0).shape == (0,)
    linear.learning_rate = 1.0
    np.testing.assert_allclose(linear.learning_rates(4), [1 / 3, 2 / 3, 1.0, 0.5])


def test_a_single_step_takes_the_learning_rate_as_it_is(make, data):
    one, other = network(), network()
    one.step(*data, make(schedule="one_cycle"))
    other.step(*data, make())
    np.testing.assert_array_equal(one.parameters, other.parameters)


@pytest.mark.parametrize("made", [1, 3])
def test_the_rest_of_a_fit_goes_on_in_its_schedule(make, options, made, data, dtype):
    X, y = data[0].astype(dtype), data[1]
    mlp, optimizer = network(dtype), make(**options)
    given = {"epochs": 4, "batch_size": 10, "seed": 5}
    mlp.fit(X, y, optimizer, callback=lambda epoch: epoch.epoch == made, **given)
    mlp.fit(X, y, optimizer, initial_epoch=made, **given)

    np.testing.assert_array_equal(mlp.parameters, trained(data, make(**options), dtype))


def test_a_batch_without_weight_has_its_place_in_a_schedule(data, assert_agrees):
    X, y = data[0][:20], data[1][:20]
    mlp, other = network(), network()
    optimizer = fastmlp.SGD(0.1, schedule="linear")
    weight = np.repeat([1.0, 0.0], 10)
    given = {"epochs": 2, "batch_size": 10, "shuffle": False, "sample_weight": weight}
    mlp.fit(X, y, optimizer, **given)

    for rate in (0.1, 0.05):
        other.step(X[:10], y[:10], fastmlp.SGD(rate))
    assert_agrees(mlp.parameters, other.parameters)


def test_only_the_roles_that_are_named_decay(dtype):
    # Inputs of 0 and equally many rows of each class: all gradients are 0.
    X, y = np.zeros((2, 3), dtype), np.array([0, 1])
    mlp = fastmlp.MLP([3, 2], dtype=dtype, seed=0, input_scale=True)
    mlp.parameters[:] = 1.0

    optimizer = fastmlp.AdamW(0.5, weight_decay=0.5, decay_roles=("weight",))
    mlp.fit(X, y, optimizer, epochs=3)

    for block in mlp.parameter_blocks:
        np.testing.assert_array_equal(block.view, 0.75**3 if block.role == "weight" else 1.0)
