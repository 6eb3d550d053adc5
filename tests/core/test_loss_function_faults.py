"""What a loss of the caller's own may do wrong, and what it may not be used for."""

import copy
import gc
import pickle
import re
import threading
import weakref

import numpy as np
import pytest
from loss_functions import both, data, huber

import fastmlp


def broken(change):
    """Huber's loss with its results changed, under a name."""

    def mine(y, raw):
        return change(*huber(y, raw))

    return mine


def spoiled(array, place, value):
    array[place] = value
    return array


WRONG = {
    "one array": (
        lambda each, d: each,
        TypeError,
        "what it returned is of type ndarray, expected a tuple (losses, d_raw)",
    ),
    "three": (
        lambda each, d: (each, d, d),
        ValueError,
        "what it returned is a tuple of 3, expected a tuple (losses, d_raw)",
    ),
    "a list": (
        lambda each, d: (each.tolist(), d),
        TypeError,
        "losses is of type list, expected a NumPy array: use "
        "numpy.asarray(losses, dtype=numpy.float64)",
    ),
    "a number": (
        lambda each, d: (each.mean(), d),
        TypeError,
        "losses is of type float64, expected a NumPy array: use "
        "numpy.asarray(losses, dtype=numpy.float64)",
    ),
    "a column": (
        lambda each, d: (each[:, None], d),
        ValueError,
        "losses has shape (5, 1), expected (5,)",
    ),
    "a row less": (
        lambda each, d: (each, d[1:]),
        ValueError,
        "d_raw has shape (4, 2), expected (5, 2)",
    ),
    "another type": (
        lambda each, d: (each, d.astype(np.float32)),
        TypeError,
        "d_raw has dtype float32, expected float64: use d_raw.astype(numpy.float64)",
    ),
    "NaN": (
        lambda each, d: (spoiled(each, 3, np.nan), d),
        ValueError,
        "losses is NaN at [3], expected finite numbers",
    ),
    "infinity": (
        lambda each, d: (each, spoiled(d, (2, 1), -np.inf)),
        ValueError,
        "d_raw is -inf at [2, 1], expected finite numbers",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_it_returns_is_checked(case, rng):
    change, error, message = WRONG[case]
    mlp = fastmlp.MLP([3, 4, 2], loss=broken(change), dtype="float64", seed=0)
    X, y = data(rng, [3, 2], 5)
    before = mlp.parameters.copy()
    calls = [
        lambda: mlp.loss(X, y),
        lambda: mlp.loss_and_grad(X, y),
        lambda: mlp.step(X, y, fastmlp.SGD()),
        lambda: mlp.fit(X, y, epochs=1),
    ]
    for call in calls:
        with pytest.raises(error, match=f"^{re.escape(f'loss mine: {message}')}$"):
            call()
    np.testing.assert_array_equal(mlp.parameters, before)


class Own(Exception):
    """Of the test's own."""


@pytest.mark.parametrize("error", [Own("mine"), KeyboardInterrupt(), MemoryError()], ids=repr)
@pytest.mark.parametrize("n_jobs", [1, 2])
def test_what_it_raises_passes_through_and_training_ends_at_a_whole_step(error, n_jobs, rng):
    sizes = [40, 300, 200, 3]
    X, y = data(rng, sizes, 400)
    calls = []

    def fails_at_the_third(y, raw):
        calls.append(len(y))
        if len(calls) == 3:
            raise error
        return huber(y, raw)

    given = {"batch_size": 100, "seed": 2, "n_jobs": n_jobs}
    mlp = fastmlp.MLP(sizes, loss=fails_at_the_third, dtype="float64", seed=0)
    with pytest.raises(type(error)) as raised:
        mlp.fit(X, y, adam := fastmlp.Adam(), epochs=5, **given)
    assert raised.value is error
    assert adam.state_dict()["step"] == 2

    steps = []

    def stop_after_two(y, raw):
        steps.append(None)
        if len(steps) == 3:
            raise Own
        return huber(y, raw)

    other = fastmlp.MLP(sizes, loss=stop_after_two, dtype="float64", seed=0)
    with pytest.raises(Own):
        other.fit(X, y, epochs=1, **given)
    np.testing.assert_array_equal(mlp.parameters, other.parameters)
    # And both go on.
    assert np.isfinite(mlp.fit(X, y, adam, epochs=1, **given).loss[0])


def test_it_cannot_use_the_network_that_is_trained(rng):
    X, y = data(rng, [3, 1], 20)
    errors = []

    def nosy(y, raw):
        calls = [
            lambda: mlp.predict(X),
            lambda: mlp.loss(X, y),
            lambda: mlp.loss_and_grad(X, y),
            lambda: mlp.step(X, y, fastmlp.SGD()),
            lambda: mlp.fit(X, y, epochs=1),
            lambda: copy.copy(mlp),
        ]
        for call in calls:
            with pytest.raises(RuntimeError) as raised:
                call()
            errors.append(str(raised.value))
        return huber(y, raw)

    mlp = fastmlp.MLP([3, 4, 1], loss=nosy, dtype="float64", seed=0)
    mlp.fit(X, y, epochs=1)
    training = "the network is being trained by another call: wait for it to return"
    assert errors == [training] * 6


def test_it_can_read_the_network_whose_loss_it_computes_but_not_train_it(rng):
    X, y = data(rng, [3, 1], 20)
    at_work = "the network's loss function is at work in another call: wait for it to return"
    again = "the loss function asked for the loss of its own network"
    seen = []

    def nosy(targets, raw):
        np.testing.assert_array_equal(mlp.forward(X), raw)
        for message, call in [
            (at_work, lambda: mlp.step(X, y, fastmlp.SGD())),
            (at_work, lambda: mlp.fit(X, y, epochs=1)),
            (again, lambda: mlp.loss(X, y)),
            (again, lambda: mlp.loss_and_grad(X, y)),
        ]:
            with pytest.raises(RuntimeError, match=f"^{re.escape(message)}$"):
                call()
        seen.append(len(raw))
        return huber(targets, raw)

    mlp = fastmlp.MLP([3, 4, 1], loss=nosy, dtype="float64", seed=0)
    mlp.loss(X, y)
    mlp.loss_and_grad(X, y)
    assert seen == [20, 20]
    # Nothing is left behind.
    mlp.predict(X)
    fastmlp.MLP([3, 4, 1], loss=huber, dtype="float64").fit(X, y, epochs=1)


def test_several_threads_may_ask_for_the_loss_at_once(rng):
    X, y = data(rng, [3, 1], 50)
    together = threading.Barrier(3, timeout=60)

    def meet(y, raw):
        together.wait()
        return huber(y, raw)

    mlp = fastmlp.MLP([3, 4, 1], loss=meet, dtype="float64", seed=0)
    found = []
    threads = [threading.Thread(target=lambda: found.append(mlp.loss(X, y))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    plain = fastmlp.MLP([3, 4, 1], loss=huber, dtype="float64", seed=0)
    assert found == [plain.loss(X, y)] * 3


def test_a_callback_may_use_the_network_between_epochs(rng):
    X, y = data(rng, [3, 1], 30)
    _, mlp = both([3, 4, 1])
    values = []
    history = mlp.fit(X, y, epochs=3, callback=lambda epoch: values.append(mlp.loss(X, y)))
    assert values[:-1] == pytest.approx(history.loss[1:], rel=1e-12)


def test_sums_that_diverge_end_training_as_ever(rng):
    X, y = data(rng, [3, 1], 30)
    mlp = fastmlp.MLP([3, 4, 1], loss=huber, dtype="float64", seed=0)
    X[4, 1] = np.nan
    with pytest.raises(ValueError, match=r"^X\[4, 1\] is NaN, expected finite numbers$"):
        mlp.fit(X, y, epochs=1)
    assert np.isnan(mlp.loss(X, y))
    X[4, 1] = 1.0
    mlp.parameters[:] = 1e308
    with np.errstate(all="ignore"), pytest.raises(fastmlp.DivergenceError):
        mlp.fit(X, y, epochs=1)


@pytest.mark.parametrize("output", ["softmax", "sigmoid", "exp"])
def test_it_goes_with_the_identity_alone(output):
    assert fastmlp.MLP([2, 1], loss=huber).output == "identity"
    message = f'^loss is a function, expected one for the output "{output}": '
    with pytest.raises(ValueError, match=message):
        fastmlp.MLP([2, 1], output=output, loss=huber)


@pytest.mark.parametrize("shape", [(), (5, 1, 1)], ids=str)
def test_targets_of_other_dimensions_are_refused(shape):
    mlp = fastmlp.MLP([2, 1], loss=huber, dtype="float64")
    message = f"y has shape {shape}, expected (n,) or (n, k)"
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        mlp.loss(np.zeros((5, 2)), np.zeros(shape))


def test_targets_that_are_not_finite_are_refused():
    mlp = fastmlp.MLP([2, 1], loss=huber, dtype="float64")
    with pytest.raises(ValueError, match=r"^y\[1, 0\] is inf, expected finite numbers$"):
        mlp.loss(np.zeros((2, 2)), np.array([0.0, np.inf]))


def test_copies_have_the_function_and_files_have_none(tmp_path, rng):
    _, mlp = both([3, 4, 1])
    X, y = data(rng, [3, 1], 10)
    for again in (copy.copy(mlp), copy.deepcopy(mlp), pickle.loads(pickle.dumps(mlp))):
        assert again.loss_function is huber
        assert again.loss(X, y) == mlp.loss(X, y)
    assert repr(mlp) == (
        f"MLP([3, 4, 1], activation='tanh', output='identity', dtype='float64', loss={huber!r})"
    )
    message = (
        "the file could not be read back: the loss is a function, which a file cannot hold: pickle "
        "the network, or save its parameters with numpy.save"
    )
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        mlp.save(tmp_path / "model")
    assert not list(tmp_path.iterdir())
    with pytest.raises((AttributeError, pickle.PicklingError), match="lambda"):
        pickle.dumps(fastmlp.MLP([2, 1], loss=lambda y, raw: huber(y, raw)))


def test_a_network_that_its_loss_refers_to_is_collected():
    def make():
        mlp = fastmlp.MLP([2, 1], loss=lambda y, raw: mlp.forward(raw))
        return weakref.ref(mlp)

    reference = make()
    gc.collect()
    assert reference() is None
