"""Arrays are read in place and results are written where they are wanted."""

import sys
import tracemalloc

import numpy as np
import pytest

import fastmlp


@pytest.fixture
def mlp(dtype):
    return fastmlp.MLP([40, 8, 3], dtype=dtype, seed=0)


@pytest.fixture
def data(mlp, rng):
    X = rng.standard_normal((5000, 40)).astype(mlp.dtype)
    return X, rng.integers(3, size=5000)


CALLS = {
    "forward": lambda mlp, X, y, out: mlp.forward(X, out=out),
    "predict_proba": lambda mlp, X, y, out: mlp.predict_proba(X, out=out),
    "forward on two threads": lambda mlp, X, y, out: mlp.forward(X, out=out, n_jobs=2),
    "loss": lambda mlp, X, y, out: mlp.loss(X, y),
    "loss on two threads": lambda mlp, X, y, out: mlp.loss(X, y, n_jobs=2),
    "loss_and_grad": lambda mlp, X, y, out: mlp.loss_and_grad(X, y),
    "step": lambda mlp, X, y, out: mlp.step(X, y, fastmlp.SGD()),
    "fit": lambda mlp, X, y, out: mlp.fit(X, y, epochs=1),
    "fit in minibatches": lambda mlp, X, y, out: mlp.fit(X, y, epochs=1, batch_size=64),
    "minimize": lambda mlp, X, y, out: mlp.minimize(X, y, max_iter=2),
}


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("layout", ["C", "F", "every second row"])
def test_numpy_allocates_nothing_of_the_size_of_X(call, layout, mlp, data):
    X, y = data
    X = {"C": X, "F": np.asfortranarray(X), "every second row": np.repeat(X, 2, axis=0)[::2]}[
        layout
    ]
    out = np.empty((len(X), 3), mlp.dtype)
    CALLS[call](mlp, X, y, out)

    # NumPy reports the memory of its arrays to tracemalloc; test_memory.py sees the rest.
    tracemalloc.start()
    CALLS[call](mlp, X, y, out)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert peak < 20_000 < X.nbytes


@pytest.mark.parametrize("call", CALLS)
def test_arguments_are_left_as_they_were(call, mlp, data):
    X, y = data
    before = X.copy(), y.copy()

    CALLS[call](mlp, X, y, np.empty((len(X), 3), mlp.dtype))

    np.testing.assert_array_equal(X, before[0])
    np.testing.assert_array_equal(y, before[1])


# A call on few rows does not borrow them as a call on many does.
@pytest.mark.parametrize("n", [30, 5000])
@pytest.mark.parametrize("call", CALLS)
def test_arguments_are_let_go(call, n, mlp, data):
    X, y = (array[:n].copy() for array in data)
    out = np.empty((len(X), 3), mlp.dtype)
    before = sys.getrefcount(X), sys.getrefcount(y), sys.getrefcount(out)

    for _ in range(10):
        CALLS[call](mlp, X, y, out)

    assert (sys.getrefcount(X), sys.getrefcount(y), sys.getrefcount(out)) == before
    # An array that is still borrowed could not be written by the next call.
    mlp.forward(X[:10], out=X[20:].reshape(-1)[:30].reshape(10, 3))


@pytest.mark.parametrize("n", [30, 5000])
@pytest.mark.parametrize("spoilt", ["X", "out"])
def test_arguments_of_a_refused_call_are_let_go(spoilt, n, mlp, data):
    X, out = data[0][:n].copy(), np.empty((n, 3), mlp.dtype)
    wrong = {"X": (X[:, 1:], out), "out": (X, out[:, 1:])}[spoilt]
    for _ in range(10):
        with pytest.raises(ValueError, match=f"{spoilt} has shape"):
            mlp.forward(*wrong)

    before = sys.getrefcount(X), sys.getrefcount(out)
    mlp.forward(X, out)
    mlp.forward(out[:, :1].repeat(40, axis=1), out=X.reshape(-1)[: 3 * n].reshape(n, 3))
    assert (sys.getrefcount(X), sys.getrefcount(out)) == before


def test_new_results_are_their_owner_s(mlp, data):
    X, y = data

    for result in (mlp.forward(X), mlp.predict(X), mlp.loss_and_grad(X, y)[1]):
        again = result.copy()
        mlp.step(X, y, fastmlp.SGD(learning_rate=1.0))
        np.testing.assert_array_equal(result, again)
        assert result.flags.writeable
