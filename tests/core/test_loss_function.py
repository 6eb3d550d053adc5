"""A loss of the caller's own: called once per batch, between the way forward and the way back."""

import copy
import gc
import pickle
import re
import threading
import weakref

import numpy as np
import pytest
from core.test_finite_differences import assert_is_slope
from slopes import slopes

import fastmlp
from fastmlp import losses


def huber(y, raw):
    """Huber's loss with a delta of 0.7, as the engine has it."""
    error = raw - y.reshape(len(y), -1)
    least = np.minimum(np.abs(error), raw.dtype.type(0.7))
    each = least * (np.abs(error) - raw.dtype.type(0.5) * least)
    return each.sum(axis=1), np.copysign(least, error)


def gaussian(y, raw):
    """Negative log-likelihood of a mean and the logarithm of a variance, one target per row."""
    mean, log_variance = raw.T
    scaled = (mean - y) * np.exp(-log_variance)
    each = 0.5 * (log_variance + scaled * (mean - y))
    return each, np.column_stack([scaled, 0.5 - 0.5 * scaled * (mean - y)])


class Recorder:
    """A loss that keeps what it was called with."""

    def __init__(self, loss=huber):
        self.loss, self.calls = loss, []

    def __call__(self, y, raw):
        self.calls.append((y, raw))
        return self.loss(y, raw)


def both(sizes, dtype="float64", activation="tanh"):
    """Two equal networks, whose loss is the engine's Huber and ours."""
    return [
        fastmlp.MLP(sizes, activation, loss=loss, dtype=dtype, seed=1)
        for loss in (losses.Huber(0.7), huber)
    ]


def data(rng, sizes, n, dtype="float64"):
    X = rng.standard_normal((n, sizes[0])).astype(dtype)
    return X, rng.standard_normal((n, sizes[-1])).astype(dtype)


# Kernels of their own, chunks, and blocks of tiles; a tile that keeps all rows, and too many rows;
# derivatives that follow from the outputs, and slopes that are kept.
@pytest.mark.parametrize(
    ("sizes", "activation", "n"),
    [
        ([2, 30, 1], "tanh", 20),
        ([3, 17, 9, 2], "gelu", 700),
        ([40, 300, 200, 3], "gelu", 90),
        ([40, 300, 200, 3], "tanh", 9000),
        ([40, 300, 200, 3], "gelu", 4000),
    ],
    ids=str,
)
def test_loss_and_gradient_are_those_of_the_engine_s_own(
    sizes, activation, n, dtype, rng, assert_agrees
):
    theirs, ours = both(sizes, dtype, activation)
    X, y = data(rng, sizes, n, dtype)
    given = {"sample_weight": rng.uniform(0.1, 2.0, n), "alpha": 0.3}

    true_loss, true_gradient = theirs.loss_and_grad(X, y, **given)
    loss, gradient = ours.loss_and_grad(X, y, **given)

    assert_agrees(loss, true_loss, "loss", dtype)
    assert_agrees(gradient, true_gradient, "gradient")
    given.pop("alpha")
    assert_agrees(ours.loss(X, y, **given), theirs.loss(X, y, **given), "loss alone", dtype)


@pytest.mark.parametrize("sizes", [[2, 30, 1], [40, 300, 200, 3]], ids=str)
def test_training_follows_the_engine_s_own(sizes, rng, assert_agrees):
    theirs, ours = both(sizes)
    X, y = data(rng, sizes, 500)
    given = {
        "epochs": 3,
        "batch_size": 120,
        "sample_weight": rng.uniform(0.5, 2.0, 500),
        "alpha": 0.1,
        "dropout": 0.2,
        "X_val": X[:70],
        "y_val": y[:70],
        "seed": 4,
        "n_jobs": 2,
    }
    one, other = theirs.fit(X, y, **given), ours.fit(X, y, **given)
    assert_agrees(ours.parameters, theirs.parameters, "parameters")
    assert_agrees(other.loss, one.loss, "loss")
    assert_agrees(other.val_loss, one.val_loss, "validation")
    assert other.accuracy is other.val_accuracy is None


@pytest.mark.parametrize("sizes", [[2, 30, 1], [40, 300, 200, 3]], ids=str)
def test_the_bits_do_not_depend_on_the_number_of_threads(sizes, rng):
    X, y = data(rng, sizes, 2500, "float32")

    def train(n_jobs):
        mlp = fastmlp.MLP(sizes, loss=huber, seed=3)
        history = mlp.fit(X, y, epochs=2, dropout=0.3, n_jobs=n_jobs, X_val=X, y_val=y)
        return mlp.parameters.copy(), history.loss, history.val_loss, mlp.loss(X, y, n_jobs=n_jobs)

    alone = train(1)
    for n_jobs in (2, 3):
        for one, several in zip(alone, train(n_jobs), strict=True):
            np.testing.assert_array_equal(one, several)


def test_a_step_is_that_of_the_gradient(rng):
    sizes = [3, 8, 2]
    _, mlp = both(sizes)
    X, y = data(rng, sizes, 30)
    loss, gradient = mlp.loss_and_grad(X, y)
    expected = mlp.parameters - 0.1 * gradient
    assert mlp.step(X, y, fastmlp.SGD(0.1)) == loss
    np.testing.assert_allclose(mlp.parameters, expected, rtol=1e-14)


def test_sparse_rows_are_taken_too(rng):
    sparse = pytest.importorskip("scipy.sparse")
    _, mlp = both([6, 8, 2])
    X = sparse.random_array((40, 6), density=0.3, rng=rng, format="csr")
    y = rng.standard_normal((40, 2))
    assert mlp.loss_and_grad(X, y)[0] == pytest.approx(mlp.loss(X.toarray(), y), rel=1e-13)


def test_targets_need_not_be_as_many_as_outputs(rng):
    mlp = fastmlp.MLP([3, 8, 2], "tanh", loss=gaussian, dtype="float64", seed=0)
    X, y = rng.standard_normal((12, 3)), rng.standard_normal(12)
    weight = rng.uniform(0.5, 2.0, 12)

    loss, gradient = mlp.loss_and_grad(X, y, sample_weight=weight)

    assert loss == pytest.approx(weight @ gaussian(y, mlp.forward(X))[0] / weight.sum(), rel=1e-13)
    truth = slopes(lambda: mlp.loss(X, y, sample_weight=weight), mlp.parameters)
    assert_is_slope(gradient, truth, abs(loss))


def test_a_mean_and_a_variance_are_learned(rng):
    mlp = fastmlp.MLP([1, 2], loss=gaussian, dtype="float64", seed=0)
    X, y = np.zeros((4000, 1)), 2.0 + 3.0 * rng.standard_normal(4000)
    mlp.fit(X, y, fastmlp.Adam(0.05), epochs=800)
    mean, log_variance = mlp.predict(X[:1])[0]
    assert mean == pytest.approx(y.mean(), abs=1e-3)
    assert np.exp(log_variance) == pytest.approx(y.var(), rel=1e-3)


@pytest.mark.parametrize("shape", [(20,), (20, 1), (20, 3)], ids=str)
def test_it_is_called_with_targets_as_they_were_given(shape, dtype, rng):
    recorder = Recorder(lambda y, raw: (raw[:, 0], np.ones_like(raw)))
    mlp = fastmlp.MLP([2, 4, 1], loss=recorder, dtype=dtype, seed=0)
    X = rng.standard_normal((20, 2)).astype(dtype)
    y = rng.standard_normal(shape).astype(dtype)
    strided = np.repeat(y, 2, axis=0)[::2]
    for targets in (y, strided):
        mlp.loss(X, targets)
        mlp.loss_and_grad(X, targets)
    raw = mlp.forward(X)
    assert len(recorder.calls) == 4
    for given, sums in recorder.calls:
        assert given.dtype == sums.dtype == dtype
        np.testing.assert_array_equal(given, y)
        np.testing.assert_array_equal(sums, raw)


def test_it_is_called_once_per_batch_in_the_order_of_the_rows(rng):
    recorder = Recorder()
    mlp = fastmlp.MLP([2, 4, 1], loss=recorder, dtype="float64", seed=0)
    X, y = rng.standard_normal((25, 2)), np.arange(25.0)[:, None]
    mlp.fit(X, y, epochs=1, batch_size=10, shuffle=False, X_val=X[:7], y_val=y[:7])
    given = [batch.ravel().tolist() for batch, _ in recorder.calls]
    assert given == [[*range(10)], [*range(10, 20)], [*range(20, 25)], [*range(7)]]

    recorder.calls.clear()
    mlp.fit(X, y, epochs=2, batch_size=10, seed=1)
    first, second = (
        np.concatenate([batch.ravel() for batch, _ in recorder.calls[part]])
        for part in (slice(3), slice(3, 6))
    )
    assert sorted(first) == sorted(second) == y.ravel().tolist()
    assert first.tolist() != second.tolist() != y.ravel().tolist()


def test_its_arrays_are_its_own(rng):
    def spoil(y, raw):
        result = huber(y, raw)
        y[...] = np.nan
        raw[...] = np.nan
        return result

    sizes = [3, 8, 2]
    _, clean = both(sizes)
    mlp = fastmlp.MLP(sizes, "tanh", loss=spoil, dtype="float64", seed=1)
    X, y = data(rng, sizes, 30)
    before = y.copy()
    np.testing.assert_array_equal(mlp.loss_and_grad(X, y)[1], clean.loss_and_grad(X, y)[1])
    np.testing.assert_array_equal(y, before)


def test_results_may_have_any_strides(rng):
    def strided(y, raw):
        each, d_raw = huber(y, raw)
        return np.repeat(each, 3)[::3], np.asfortranarray(d_raw)

    sizes = [3, 8, 2]
    _, plain = both(sizes)
    mlp = fastmlp.MLP(sizes, "tanh", loss=strided, dtype="float64", seed=1)
    X, y = data(rng, sizes, 30)
    np.testing.assert_array_equal(mlp.loss_and_grad(X, y)[1], plain.loss_and_grad(X, y)[1])


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
