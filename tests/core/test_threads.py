"""The interpreter stays free while the network works, and threads share a network safely."""

import contextlib
import pickle
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import fastmlp

# Long enough for any machine; reached only if a thread is kept from running.
HANG_GUARD_SECONDS = 120
FOREVER = 10**7


@pytest.fixture
def data(rng):
    X = rng.standard_normal((500, 10)).astype(np.float32)
    return X, rng.integers(3, size=500)


@pytest.fixture
def mlp():
    return fastmlp.MLP([10, 50, 3], seed=0)


@contextlib.contextmanager
def refused_at_most():
    """Ignores the error that the network is being trained, and no other."""
    try:
        yield
    except RuntimeError as error:
        if "being trained by another call" not in str(error):
            raise


class Background:
    """An endless fit in another thread, for as long as the `with` block lasts."""

    def __init__(self, mlp, X, y):
        self.started, self.stopping = threading.Event(), threading.Event()
        self.epochs = 0

        def callback(epoch):
            self.epochs = epoch.epoch
            self.started.set()
            return self.stopping.is_set()

        self.pool = ThreadPoolExecutor(1)
        self.result = self.pool.submit(mlp.fit, X, y, epochs=FOREVER, callback=callback)
        self.result.add_done_callback(lambda _: self.started.set())

    def __enter__(self):
        assert self.started.wait(HANG_GUARD_SECONDS)
        assert self.result.running()
        return self

    def __exit__(self, *exception):
        self.stopping.set()
        self.result.result(HANG_GUARD_SECONDS)
        self.pool.shutdown()


def test_other_threads_run_while_fit_works(mlp, rng):
    # One epoch of one step, of which a callback learns nothing before it ends.
    X = rng.standard_normal((200_000, 10)).astype(np.float32)
    y = rng.integers(3, size=len(X))
    inside, turns, stop = threading.Event(), [], threading.Event()

    def count():
        inside.set()
        while not stop.is_set():
            turns.append(len(turns))

    counter = threading.Thread(target=count)
    counter.start()
    assert inside.wait(HANG_GUARD_SECONDS)
    before = len(turns)
    mlp.fit(X, y, epochs=1)
    during = len(turns) - before
    stop.set()
    counter.join(HANG_GUARD_SECONDS)

    # A held interpreter lets the counter take a turn or two at the call's ends, not thousands.
    assert during > 1000


# A call over few rows is over before another thread could run; one over many lets them run.
@pytest.mark.parametrize("n", [1, 500, 5000])
def test_predictions_of_eight_threads_are_the_serial_ones(n, mlp, rng):
    X = rng.standard_normal((n, 10)).astype(np.float32)
    serial = mlp.predict_proba(X)
    barrier = threading.Barrier(8)

    def predict(_):
        barrier.wait(HANG_GUARD_SECONDS)
        return [mlp.predict_proba(X) for _ in range(50)]

    with ThreadPoolExecutor(8) as pool:
        for results in pool.map(predict, range(8)):
            for result in results:
                np.testing.assert_array_equal(result, serial)


def test_networks_train_side_by_side(data):
    def train(seed):
        mlp = fastmlp.MLP([10, 50, 3], seed=seed)
        mlp.fit(*data, epochs=10, batch_size=32, seed=seed)
        return mlp.parameters.copy()

    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(train, range(8)))

    for seed, parameters in enumerate(together):
        np.testing.assert_array_equal(parameters, train(seed))


def test_a_second_fit_of_a_network_in_training_is_refused(mlp, data):
    with Background(mlp, *data), pytest.raises(RuntimeError, match="being trained by another call"):
        mlp.fit(*data, epochs=1)


def test_a_step_of_a_network_in_training_is_refused(mlp, data):
    with Background(mlp, *data), pytest.raises(RuntimeError, match="being trained by another call"):
        mlp.step(*data, fastmlp.SGD())


def test_an_optimizer_in_use_is_refused(mlp, data):
    other, optimizer = fastmlp.MLP([10, 50, 3], seed=1), fastmlp.Adam()
    started, stopping = threading.Event(), threading.Event()

    def callback(_):
        started.set()
        return stopping.is_set()

    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(mlp.fit, *data, optimizer, epochs=FOREVER, callback=callback)
        try:
            assert started.wait(HANG_GUARD_SECONDS)
            with pytest.raises(RuntimeError, match="optimizer"):
                other.fit(*data, optimizer, epochs=1)
        finally:
            stopping.set()
        running.result(HANG_GUARD_SECONDS)


def test_the_network_is_free_again_after_training(mlp, data):
    with Background(mlp, *data):
        pass

    assert len(mlp.fit(*data, epochs=2).loss) == 2


def test_predicting_while_training_gives_finite_numbers(mlp, data):
    with Background(mlp, *data) as training:
        first = training.epochs
        while training.epochs < first + 3:
            with refused_at_most():
                assert np.isfinite(mlp.predict_proba(data[0])).all()


@pytest.mark.parametrize(
    "call",
    [
        lambda mlp, X, y: mlp.parameters,
        lambda mlp, X, y: mlp.weights,
        lambda mlp, X, y: mlp.forward(X),
        lambda mlp, X, y: mlp.forward(np.tile(X, (20, 1)), n_jobs=2),
        lambda mlp, X, y: mlp.predict(X),
        lambda mlp, X, y: mlp.loss(X, y),
        lambda mlp, X, y: mlp.loss_and_grad(X, y),
        lambda mlp, X, y: mlp.step(X, y, fastmlp.SGD()),
        lambda mlp, X, y: mlp.fit(X, y, epochs=1),
        lambda mlp, X, y: mlp.minimize(X, y),
        lambda mlp, X, y: pickle.dumps(mlp),
        lambda mlp, X, y: repr(mlp),
    ],
    ids=[
        "parameters",
        "weights",
        "forward",
        "forward of many rows",
        "predict",
        "loss",
        "grad",
        "step",
        "fit",
        "minimize",
        "pickle",
        "repr",
    ],
)
def test_a_call_during_a_fit_without_callback_returns_or_is_refused(mlp, data, call):
    # Such a fit holds the network from its first epoch to its last, and asks for the interpreter
    # now and then: a call that waited for the network while it holds the interpreter would hang.
    fit = threading.Thread(target=mlp.fit, args=data, kwargs={"epochs": 3000})
    fit.start()
    while fit.is_alive():
        with refused_at_most():
            call(mlp, *data)
    fit.join(HANG_GUARD_SECONDS)
    assert not fit.is_alive()


@pytest.mark.parametrize("sizes", [[2, 100, 3], [30, 64, 64, 2], [9, 300, 20]], ids=str)
@pytest.mark.parametrize("activation", ["relu", "tanh", "gelu"])
def test_any_number_of_jobs_gives_the_same_bits(sizes, activation, dtype, rng):
    # Enough rows for each of the threads to be started.
    mlp = fastmlp.MLP(sizes, activation=activation, dtype=dtype, seed=0)
    n = 100_000_000 // (2 * mlp.n_parameters) + 1
    X = rng.standard_normal((n, sizes[0])).astype(dtype)
    y = rng.integers(sizes[-1], size=n)
    out = np.empty((n, sizes[-1]), dtype)
    logits, labels, loss = mlp.forward(X), mlp.predict(X), mlp.loss(X, y)

    for n_jobs in (2, 3, 7):
        mlp.forward(X, out, n_jobs)
        np.testing.assert_array_equal(out, logits)
        np.testing.assert_array_equal(mlp.predict(X, n_jobs=n_jobs), labels)
        assert mlp.loss(X, y, n_jobs=n_jobs) == loss
    P = mlp.predict_proba(X)
    for n_jobs in (2, -1, -2):
        np.testing.assert_array_equal(mlp.predict_proba(X, n_jobs=n_jobs), P)


def test_what_another_call_writes_to_is_refused(rng):
    wide, small = fastmlp.MLP([100, 500, 500, 4], seed=0), fastmlp.MLP([4, 3], seed=0)
    X = rng.standard_normal((20_000, 100)).astype(np.float32)
    shared, apart = np.zeros((len(X), 4), np.float32), np.zeros((5, 4), np.float32)
    writer = threading.Thread(target=wide.forward, args=(X, shared))
    refusals = set()

    writer.start()
    while writer.is_alive():
        np.testing.assert_array_equal(small.forward(apart), small.forward(apart[:1].repeat(5, 0)))
        try:
            small.forward(shared[:5])
        except ValueError as error:
            refusals.add(str(error))
    writer.join(HANG_GUARD_SECONDS)

    assert refusals == {
        "X is being written to by another call, expected an array that no call writes to"
    }
    small.forward(shared[:5])
