"""L-BFGS finds what closed forms and SciPy find, and ends after a whole iteration."""

import pickle
import signal
import threading

import numpy as np
import pytest
import scipy.optimize
import scipy.sparse

import fastmlp
from fastmlp import losses


def rows(rng, dtype, n=60, d=4):
    """Inputs, and a target that depends on them smoothly."""
    X = rng.standard_normal((n, d)).astype(dtype)
    return X, np.tanh(X @ np.linspace(-1, 1, d)[:, None] + 0.1 * X**2 @ np.ones((d, 1))).astype(
        dtype
    )


def surrogate(dtype="float64", **arguments):
    return fastmlp.MLP([4, 10, 1], "tanh", "identity", dtype=dtype, seed=0, **arguments)


@pytest.mark.parametrize("alpha", [0.0, 3.0])
def test_least_squares(alpha, dtype, rng):
    X, y = rows(rng, dtype)
    weights = rng.uniform(0.5, 2.0, len(X))
    linear = fastmlp.MLP([4, 1], output="identity", dtype=dtype, seed=0)
    minimum = linear.minimize(X, y, weights, alpha=alpha, tol=1e-6, max_iter=500)
    columns = np.column_stack([X, np.ones(len(X))]).astype(np.float64)
    penalty = alpha * np.diag([1.0, 1.0, 1.0, 1.0, 0.0])
    weighted = columns.T * weights
    expected = np.linalg.solve(weighted @ columns + penalty, weighted @ y.astype(np.float64))
    assert minimum.converged
    tolerance = 1e-4 if dtype == "float32" else 1e-5
    np.testing.assert_allclose(linear.parameters, expected.ravel(), atol=tolerance)


LOSSES = {
    "squared error": ("identity", None),
    "huber": ("identity", losses.Huber()),
    "poisson": ("exp", None),
    "yes and no": ("sigmoid", None),
    "classes": ("softmax", None),
    "function": ("identity", lambda y, raw: (((raw - y) ** 4).sum(axis=1), 4 * (raw - y) ** 3)),
}


def targets(output, y):
    values = {"softmax": (y[:, 0] > 0) + 1 * (y[:, 0] > 0.5), "identity": y}
    return values.get(output, (np.abs(y) if output == "exp" else (y > 0).astype(y.dtype)))


@pytest.mark.parametrize("activation", ["tanh", "gelu", "prelu"])
@pytest.mark.parametrize("name", LOSSES)
def test_the_course_is_that_of_scipy(name, activation, rng):
    output, loss = LOSSES[name]
    X, y = rows(rng, "float64")
    y = targets(output, y)
    sizes = [4, 8, 3 if output == "softmax" else 1]
    ours = fastmlp.MLP(sizes, activation, output, dtype="float64", loss=loss, seed=1)
    theirs = ours.copy()
    values = []

    def objective(parameters):
        theirs.parameters[:] = parameters
        value, gradient = theirs.loss_and_grad(X, y, alpha=0.5)
        return value, gradient

    def note(intermediate_result):
        values.append(intermediate_result.fun)

    result = scipy.optimize.minimize(
        objective,
        ours.parameters.copy(),
        jac=True,
        method="L-BFGS-B",
        callback=note,
        options={"maxiter": 30, "gtol": 1e-12},
    )
    minimum = ours.minimize(X, y, alpha=0.5, max_iter=30, tol=1e-12)
    np.testing.assert_allclose(minimum.history.loss, values, rtol=1e-7)
    assert minimum.n_evaluations == result.nfev
    assert minimum.loss == pytest.approx(result.fun, rel=1e-7)


def test_it_ends_where_the_gradient_is_0(dtype, rng):
    X, y = rows(rng, dtype)
    mlp = fastmlp.MLP([4, 3], dtype=dtype, seed=0)
    labels = targets("softmax", y)
    minimum = mlp.minimize(X, labels, alpha=1.0, tol=1e-3)
    assert minimum.ending == "gradient"
    loss, gradient = mlp.loss_and_grad(X, labels, alpha=1.0)
    assert np.abs(gradient).max() <= 1e-3
    assert minimum.loss == pytest.approx(loss, rel=1e-6)
    again = mlp.minimize(X, labels, alpha=1.0, tol=1e-3)
    assert (again.ending, again.n_iter, again.n_evaluations) == ("gradient", 0, 1)


def misled(y, raw):
    """A loss whose derivative points the wrong way."""
    return (raw - y)[:, 0] ** 2, -2 * (raw - y)


def test_each_ending(rng):
    X, y = rows(rng, "float64")
    assert surrogate().minimize(X, y, max_iter=3).ending == "max_iter"
    mlp = surrogate()
    before = mlp.parameters.copy()
    minimum = mlp.minimize(X, y, max_iter=0)
    assert (minimum.ending, minimum.n_iter, minimum.n_evaluations) == ("max_iter", 0, 1)
    assert minimum.loss == mlp.loss_and_grad(X, y)[0]
    np.testing.assert_array_equal(mlp.parameters, before)
    minimum = surrogate().minimize(X, y, max_fun=5)
    assert (minimum.ending, minimum.n_evaluations) == ("max_fun", 6)
    linear = fastmlp.MLP([4, 1], output="identity", dtype="float64", seed=0)
    assert linear.minimize(X, y, tol=0.0, max_iter=10_000).ending == "loss"
    stopped = surrogate().minimize(X, y, callback=lambda epoch: epoch.epoch == 4)
    assert (stopped.ending, stopped.n_iter, stopped.converged) == ("callback", 4, False)
    wrong = surrogate(loss=misled)
    before = wrong.parameters.copy()
    minimum = wrong.minimize(X, y)
    assert (minimum.ending, minimum.n_iter) == ("line_search", 0)
    np.testing.assert_array_equal(wrong.parameters, before)


def test_a_callback_sees_each_iteration(dtype, rng):
    X, y = rows(rng, dtype)
    mlp, seen = surrogate(dtype), []

    def note(epoch):
        assert isinstance(epoch, fastmlp.Epoch)
        assert epoch.loss == pytest.approx(mlp.loss(X, y), rel=1e-5)
        seen.append((epoch.epoch, epoch.epochs, epoch.loss))

    minimum = mlp.minimize(X, y, max_iter=7, callback=note)
    assert seen == [(i, 7, loss) for i, loss in enumerate(minimum.history.loss, 1)]
    assert minimum.history.loss[-1] == minimum.loss
    assert np.all(np.diff(minimum.history.loss) < 0)
    assert minimum.history.accuracy is None
    assert mlp.history is minimum.history
    assert minimum.n_iter == len(minimum.history) == 7


def test_the_accuracy_is_that_of_the_parameters_reached(rng):
    X, y = rows(rng, "float64")
    labels = targets("softmax", y)
    mlp, expected = fastmlp.MLP([4, 5, 3], "tanh", dtype="float64", seed=0), []
    minimum = mlp.minimize(
        X, labels, max_iter=5, callback=lambda _: expected.append((mlp.predict(X) == labels).mean())
    )
    np.testing.assert_allclose(minimum.history.accuracy, expected, rtol=1e-15)


@pytest.mark.parametrize("sizes", [[4, 10, 1], [4, 200, 150, 1]])
def test_the_bits_are_those_of_one_thread(sizes, dtype, rng):
    X, y = rows(rng, dtype, n=700)
    X[np.abs(X) < 0.8] = 0
    courses = []
    for inputs, n_jobs in [(X, 1), (X, 2), (X, 3), (scipy.sparse.csr_matrix(X), 2)]:
        mlp = fastmlp.MLP(sizes, "tanh", "identity", dtype=dtype, seed=0)
        minimum = mlp.minimize(inputs, y, max_iter=15, alpha=0.1, n_jobs=n_jobs)
        courses.append((mlp.parameters.copy(), minimum.history.loss))
    for parameters, values in courses[1:]:
        np.testing.assert_array_equal(parameters, courses[0][0])
        np.testing.assert_array_equal(values, courses[0][1])


def test_frozen_layers_stay(rng):
    X, y = rows(rng, "float64")
    mlp = surrogate()
    mlp.freeze(0)
    before = mlp.parameters.copy()
    assert mlp.minimize(X, y).loss < 0.5 * fastmlp.MLP.loss(surrogate(), X, y)
    n = mlp.weights[0].size + mlp.biases[0].size
    np.testing.assert_array_equal(mlp.parameters[:n], before[:n])
    assert (mlp.parameters[n:] != before[n:]).all()


def test_a_callback_may_change_where_the_next_iteration_begins(rng):
    X, y = rows(rng, "float64")
    mlp, losses_seen = surrogate(), []
    start = mlp.parameters.copy()

    def begin_again(epoch):
        losses_seen.append(epoch.loss)
        if epoch.epoch == 3:
            mlp.parameters[:] = start

    mlp.minimize(X, y, max_iter=6, callback=begin_again)
    assert losses_seen[3:] == losses_seen[:3]
    stopped = surrogate()
    stopped.minimize(X, y, max_iter=3)
    np.testing.assert_array_equal(mlp.parameters, stopped.parameters)


def test_layers_that_a_callback_freezes_stay(rng):
    X, y = rows(rng, "float64")
    mlp, frozen = surrogate(), []

    def freeze(epoch):
        if epoch.epoch == 4:
            mlp.freeze(0)
            frozen.append(mlp.weights[0].copy())

    minimum = mlp.minimize(X, y, max_iter=20, callback=freeze)
    np.testing.assert_array_equal(mlp.weights[0], frozen[0])
    assert np.all(np.diff(minimum.history.loss) < 0)


class Stop(Exception):
    """Of a callback or a loss."""


def test_an_exception_leaves_the_last_iteration(rng):
    X, y = rows(rng, "float64")
    mlp, reached = surrogate(), []

    def fail(epoch):
        reached.append(mlp.parameters.copy())
        if epoch.epoch == 3:
            raise Stop

    with pytest.raises(Stop):
        mlp.minimize(X, y, callback=fail)
    np.testing.assert_array_equal(mlp.parameters, reached[-1])
    assert len(mlp.history) == len(reached) == 3


def test_a_loss_that_fails_in_the_midst_of_a_search_leaves_the_last_iteration(rng):
    X, y = rows(rng, "float64")
    calls, reached = [], []

    def loss(y, raw):
        calls.append(raw)
        if len(calls) == 9:
            raise Stop
        return ((raw - y) ** 2).sum(axis=1), 2 * (raw - y)

    mlp = surrogate(loss=loss)
    with pytest.raises(Stop):
        mlp.minimize(X, y, callback=lambda _: reached.append(mlp.parameters.copy()))
    assert len(reached) > 1
    np.testing.assert_array_equal(mlp.parameters, reached[-1])


def test_a_function_that_is_not_finite_at_a_trial_shortens_the_step(rng):
    """As the built-in loss does that is the same function."""
    X, y = rows(rng, "float64")
    X, y = 1e4 * X, np.abs(y)

    def poisson(y, raw):
        with np.errstate(over="ignore"):
            expected = np.exp(raw)
        return (expected - y * raw)[:, 0], expected - y

    ours = fastmlp.MLP([4, 1], output="identity", dtype="float64", loss=poisson, seed=0)
    built_in = fastmlp.MLP([4, 1], output="exp", dtype="float64", seed=0)
    courses = []
    for mlp in (ours, built_in):
        mlp.parameters[:] = 0
        courses.append(mlp.minimize(X, y, max_iter=5).history.loss)
    assert len(courses[0]) == 5
    np.testing.assert_allclose(np.diff(courses[0]), np.diff(courses[1]), rtol=1e-6)


@pytest.mark.usefixtures("sigint")
def test_ctrl_c_leaves_the_last_iteration(rng):
    X, y = rows(rng, "float64", n=20_000)
    mlp = fastmlp.MLP([4, 100, 100, 1], "tanh", "identity", dtype="float64", seed=0)
    twin = mlp.copy()
    timer = threading.Timer(0.3, signal.raise_signal, [signal.SIGINT])
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        mlp.minimize(X, y, tol=0.0, max_iter=100_000)
    timer.join()
    assert len(mlp.history) > 0
    minimum = twin.minimize(X, y, tol=0.0, max_iter=len(mlp.history))
    np.testing.assert_array_equal(mlp.parameters, twin.parameters)
    np.testing.assert_array_equal(mlp.history.loss, minimum.history.loss)


def test_a_callback_must_not_train_the_network(rng):
    X, y = rows(rng, "float64")
    mlp = surrogate()
    for call in (mlp.minimize, mlp.fit):
        with pytest.raises(RuntimeError, match="is being trained by another call"):
            mlp.minimize(X, y, callback=lambda _, call=call: call(X, y) and None)
    assert mlp.minimize(X, y).n_iter > 1


def test_a_step_to_where_the_loss_is_not_finite_is_shortened(rng):
    """The first step, of length 1, leads to the exponential of thousands."""
    X, y = rows(rng, "float32")
    mlp = fastmlp.MLP([4, 1], output="exp", seed=0)
    mlp.parameters[:] = 0
    before = mlp.loss(1e4 * X, np.abs(y))
    minimum = mlp.minimize(1e4 * X, np.abs(y))
    assert minimum.n_iter > 1
    assert minimum.loss < 0.95 * before
    assert np.all(np.diff(minimum.history.loss) <= 0)


def refused(mlp, error, message, X, y, **arguments):
    before = mlp.parameters.copy()
    with pytest.raises(error) as caught:
        mlp.minimize(X, y, **arguments)
    assert str(caught.value) == message
    np.testing.assert_array_equal(mlp.parameters, before)


def test_bad_arguments_change_nothing(rng):
    X, y = rows(rng, "float64")
    for tol in (-1.0, np.nan, np.inf):
        found = {np.inf: "inf", -1.0: "-1"}.get(tol, "NaN")
        message = f"tol is {found}, expected a finite number >= 0"
        refused(surrogate(), ValueError, message, X, y, tol=tol)
    for name in ("max_iter", "max_fun"):
        message = f"{name} is -1, expected an integer from 0 to 2**63 - 1"
        refused(surrogate(), ValueError, message, X, y, **{name: -1})
    message = "alpha is -1, expected a finite number >= 0"
    refused(surrogate(), ValueError, message, X, y, alpha=-1.0)
    message = (
        'normalization is "batch", expected None or "layer": the statistics of batches are '
        "learned by fit"
    )
    refused(surrogate(normalization="batch"), ValueError, message, X, y)
    message = "the callback's answer is of type int, expected True to stop, or None"
    mlp = surrogate()
    with pytest.raises(TypeError) as caught:
        mlp.minimize(X, y, callback=lambda _: 3)
    assert str(caught.value) == message


def test_a_start_without_a_loss_is_refused(rng):
    X, y = rows(rng, "float64")
    X[7, 2] = np.nan
    refused(surrogate(), ValueError, "X[7, 2] is NaN, expected finite numbers", X, y)
    X, y = rows(rng, "float64")
    message = (
        "minimisation cannot begin: {} is not finite at the parameters of the network: "
        "standardise X, lower alpha or start from other parameters"
    )
    error, y = fastmlp.DivergenceError, np.abs(y)
    counts = fastmlp.MLP([4, 1], output="exp", dtype="float64", seed=0)
    refused(counts, error, message.format("the loss"), 1e300 * X, y)
    numbers = fastmlp.MLP([4, 1], output="identity", dtype="float64", seed=0)
    numbers.parameters[:] = 0
    refused(numbers, error, message.format("the gradient"), 1e300 * X, 1e10 * y)
    refused(numbers, error, message.format("the square of the gradient"), 1e200 * X, y)


def test_a_minimum_is_pickled_and_shown(rng):
    X, y = rows(rng, "float64")
    minimum = surrogate().minimize(X, y, max_iter=4)
    twin = pickle.loads(pickle.dumps(minimum))
    for name in ("loss", "ending", "n_iter", "n_evaluations", "converged"):
        assert getattr(twin, name) == getattr(minimum, name)
    np.testing.assert_array_equal(twin.history.loss, minimum.history.loss)
    assert repr(minimum) == (
        f"Minimum(loss={minimum.loss!r}, ending='max_iter', n_iter=4, "
        f"n_evaluations={minimum.n_evaluations})"
    )
