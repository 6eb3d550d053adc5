"""Faults around a call leave the process, the network and the files intact."""

import os
import stat

import numpy as np
import pytest

import fastmlp


@pytest.fixture
def data(rng):
    return rng.standard_normal((600, 2)), rng.integers(3, size=600)


@pytest.fixture
def mlp():
    return fastmlp.MLP([2, 8, 3], dtype="float64", seed=0)


# Releases of NumPy differ in which of these they call deprecated.
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize(
    ("attribute", "value"), [("dtype", np.float32), ("strides", (8, 8)), ("shape", (2, 600))]
)
def test_an_array_that_changes_its_form_during_fit_is_read_as_it_was(mlp, data, attribute, value):
    X, y = data
    twin = fastmlp.MLP([2, 8, 3], dtype="float64", seed=0)
    twin.fit(X.copy(), y, epochs=3)

    mlp.fit(X, y, epochs=3, callback=lambda _: setattr(X, attribute, value))

    np.testing.assert_array_equal(mlp.parameters, twin.parameters)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the system cannot fork")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_child_forked_in_a_callback_goes_on_alone(mlp, data):
    # The threads of a fit stay with the parent; the child does their share.
    pids = []

    def fork(epoch):
        if epoch.epoch == 2:
            pids.append(os.fork())

    mlp.fit(*data, epochs=6, n_jobs=3, callback=fork)
    if pids[0] == 0:
        twin = fastmlp.MLP([2, 8, 3], dtype="float64", seed=0)
        twin.fit(*data, epochs=6)
        os._exit(0 if np.array_equal(mlp.parameters, twin.parameters) else 1)

    assert os.waitstatus_to_exitcode(os.waitpid(pids[0], 0)[1]) == 0


def test_masked_arrays_are_refused(mlp, data):
    X, y = data
    message = r"X is of type MaskedArray, expected an array without a mask: use X\.filled"
    with pytest.raises(TypeError, match=message):
        mlp.predict(np.ma.array(X))
    message = r"y is of type MaskedArray, expected an array without a mask: use y\.filled"
    with pytest.raises(TypeError, match=message):
        mlp.loss(X, np.ma.array(y))


def test_other_subclasses_are_read(mlp, data):
    class Special(np.ndarray):
        pass

    X, _ = data
    np.testing.assert_array_equal(mlp.predict(X.view(Special)), mlp.predict(X))


def test_weights_that_are_parameters_are_refused(mlp, data):
    X, y = data
    message = "sample_weight is in the same memory as the network's parameters"
    with pytest.raises(ValueError, match=message):
        mlp.fit(X[:8], y[:8], sample_weight=mlp.parameters[:8], epochs=1)
    with pytest.raises(ValueError, match=message):
        mlp.step(X[:8], y[:8], fastmlp.SGD(), sample_weight=mlp.parameters[:8])


@pytest.mark.parametrize("answer", [0.5, "stop", 1])
def test_a_callback_answers_true_or_none(mlp, data, answer):
    message = r"the callback's answer is of type \w+, expected True to stop, or None"
    with pytest.raises(TypeError, match=message):
        mlp.fit(*data, epochs=3, callback=lambda _: answer)


def test_a_callback_sees_the_state_of_the_optimizer(mlp, data):
    steps, adam = [], fastmlp.Adam()
    mlp.fit(*data, adam, epochs=3, callback=lambda _: steps.append(adam.state_dict()["step"]))

    assert steps == [1, 2, 3]


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("m", np.nan, r'state is NaN in "m", expected finite numbers$'),
        ("v", np.inf, r'state is inf in "v", expected finite numbers >= 0'),
        ("v", -1.0, r'state is -1\.0 in "v", expected finite numbers >= 0'),
    ],
)
def test_a_state_that_would_ruin_a_network_is_refused(mlp, data, name, value, message):
    adam = fastmlp.Adam()
    mlp.fit(*data, adam, epochs=1)
    state = adam.state_dict()
    state[name][3] = value
    with pytest.raises(ValueError, match=message):
        adam.load_state_dict(state)

    assert np.isfinite(adam.state_dict()[name]).all()


def test_an_epsilon_that_float32_rounds_to_zero_ruins_no_network():
    # The gradient with respect to an input of 0 is 0, and 0 over 0 must not make a step.
    mlp = fastmlp.MLP([2, 2], seed=0)
    before = mlp.parameters.copy()
    X, y = np.array([[0.0, 1.0]], np.float32), np.array([1])
    mlp.step(X, y, fastmlp.Adam(learning_rate=0.5, epsilon=1e-50))

    signs = np.array([0, 0, -1, 1, -1, 1])
    np.testing.assert_allclose(mlp.parameters, before + 0.5 * signs, rtol=1e-6)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("epsilon", [1e37, 2e38, 1e39, 1e308])
@pytest.mark.parametrize("epsilon_hat", [False, True])
def test_an_epsilon_as_large_as_can_be_makes_no_step(dtype, epsilon, epsilon_hat):
    mlp = fastmlp.MLP([2, 2], seed=0, dtype=dtype)
    before = mlp.parameters.copy()
    X, y = np.array([[0.0, 1.0]], dtype), np.array([1])
    mlp.step(X, y, fastmlp.Adam(epsilon=epsilon, epsilon_hat=epsilon_hat))

    np.testing.assert_allclose(mlp.parameters, before, rtol=0, atol=1e-30)


def test_a_refused_call_leaves_an_optimizer_free_for_any_network(mlp, data):
    X, y = data
    adam, other = fastmlp.Adam(), fastmlp.MLP([2, 4, 3], seed=0)
    with pytest.raises(ValueError, match="expected a class index"):
        mlp.fit(X, y + 1, adam, epochs=1)
    mlp.fit(X, y, adam, epochs=0)

    assert adam.state_dict() == {"step": 0}
    other.fit(X.astype(np.float32), y, adam, epochs=1)


def test_a_state_that_was_loaded_goes_on_as_ever(mlp, data):
    adam, twin = fastmlp.Adam(), fastmlp.MLP([2, 8, 3], dtype="float64", seed=0)
    mlp.fit(*data, adam, epochs=3)
    again = fastmlp.Adam()
    again.load_state_dict(adam.state_dict())
    twin.parameters[:] = mlp.parameters
    mlp.fit(*data, adam, epochs=3)
    twin.fit(*data, again, epochs=3)

    np.testing.assert_array_equal(mlp.parameters, twin.parameters)


@pytest.mark.skipif(os.name != "posix", reason="modes and links are POSIX's")
def test_saving_keeps_the_mode_and_the_link(tmp_path, mlp):
    file, link = tmp_path / "private", tmp_path / "link"
    file.touch(mode=0o600)
    link.symlink_to(file)
    mlp.save(link)

    assert link.is_symlink()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert fastmlp.MLP.load(link).layer_sizes == mlp.layer_sizes


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="the system has no named pipes")
def test_what_is_no_file_is_neither_replaced_nor_read(tmp_path, mlp):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(OSError, match="not a regular file"):
        mlp.save(pipe)
    with pytest.raises(OSError, match="not a regular file"):
        fastmlp.MLP.load(pipe)

    assert stat.S_ISFIFO(pipe.stat().st_mode)
