"""evaluate gives the loss, and the score of scikit-learn's metrics."""

import numpy as np
import pytest
import scipy.sparse
from sklearn.metrics import accuracy_score, r2_score

import fastmlp

# One row, a tile of them, and one more and one less; several parts.
BATCHES = (1, 2, 15, 16, 17, 255, 256, 257, 2100, 30_000)
SIZES = ([2, 100, 3], [9, 40, 1], [5, 16, 20], [40, 2])


def network(sizes, output, dtype):
    return fastmlp.MLP(sizes, activation="tanh", output=output, dtype=dtype, seed=1)


@pytest.mark.parametrize("is_weighted", [False, True])
@pytest.mark.parametrize("sizes", SIZES, ids=str)
@pytest.mark.parametrize("output", ["softmax", "sigmoid", "identity", "exp"])
def test_loss_and_score(output, sizes, is_weighted, dtype, rng, assert_agrees):
    mlp = network(sizes, output, dtype)
    for n in BATCHES:
        X = rng.standard_normal((n, sizes[0])).astype(dtype)
        y = {
            "softmax": lambda n=n: rng.integers(sizes[-1], size=n),
            "sigmoid": lambda n=n: rng.integers(2, size=(n, sizes[-1])).astype(dtype),
            "identity": lambda n=n: rng.standard_normal((n, sizes[-1])).astype(dtype),
            "exp": lambda n=n: rng.poisson(2.0, (n, sizes[-1])).astype(dtype),
        }[output]()
        weight = rng.uniform(0.1, 2.0, n) if is_weighted else None

        loss, score = mlp.evaluate(X, y, sample_weight=weight)

        assert loss == mlp.loss(X, y, sample_weight=weight)
        predicted = np.float64(mlp.predict(X))
        if output in ("softmax", "sigmoid"):
            truth = accuracy_score(y, predicted.astype(int), sample_weight=weight)
        elif n == 1:
            truth = 0.0  # of one row scikit-learn has no R squared
        else:
            truth = r2_score(np.float64(y), predicted, sample_weight=weight)
        assert_agrees(score, truth, f"score of {n} rows", dtype)
        if weight is None and output in ("softmax", "sigmoid"):
            assert score == truth


def test_class_weights_weigh_the_accuracy(rng, assert_agrees):
    mlp = network([2, 8, 3], "softmax", "float64")
    X, y = rng.standard_normal((50, 2)), rng.integers(3, size=50)
    weights = np.array([1.0, 0.0, 5.0])
    loss, score = mlp.evaluate(X, y, class_weight=weights)
    assert loss == mlp.loss(X, y, class_weight=weights)
    truth = accuracy_score(y, mlp.predict(X), sample_weight=weights[y])
    assert_agrees(score, truth, dtype="float64")


@pytest.mark.parametrize("n_jobs", [2, 3])
def test_threads_change_no_bit(n_jobs, dtype, rng):
    mlp = network([30, 200, 2], "identity", dtype)
    X = rng.standard_normal((20_000, 30)).astype(dtype)
    y = rng.standard_normal((20_000, 2)).astype(dtype)
    assert mlp.evaluate(X, y, n_jobs=n_jobs) == mlp.evaluate(X, y)


def test_sparse_rows(dtype, rng, assert_agrees):
    mlp = network([30, 8, 3], "softmax", dtype)
    X = scipy.sparse.random(300, 30, 0.1, format="csr", dtype=dtype, random_state=0)
    y = rng.integers(3, size=300)
    loss, score = mlp.evaluate(X, y)
    assert_agrees(loss, mlp.evaluate(X.toarray(), y)[0], dtype=dtype)
    assert score == accuracy_score(y, mlp.predict(X))


def test_targets_that_are_all_the_same(dtype):
    mlp = network([2, 2], "identity", dtype)
    mlp.weights[0][...] = 0.0
    mlp.biases[0][...] = [3.0, 4.0]
    X = np.zeros((5, 2), dtype)
    y = np.array([[3.0, 3.0]] * 5, dtype)
    _, score = mlp.evaluate(X, y)
    assert score == 0.5 == r2_score(y, mlp.predict(X))  # one without an error, and one with


def test_large_targets_keep_their_digits(rng, assert_agrees):
    mlp = network([2, 1], "identity", "float64")
    X = rng.standard_normal((1000, 2))
    y = 1e6 + rng.standard_normal((1000, 1))
    mlp.biases[0][...] = 1e6
    assert_agrees(mlp.evaluate(X, y)[1], r2_score(y, mlp.predict(X)), dtype="float32")


def test_what_loss_refuses_is_refused(dtype):
    mlp = network([2, 3], "softmax", dtype)
    X = np.zeros((4, 2), dtype)
    for wrong in (np.array([0, 1, 2, 3]), np.array([0, 1])):
        messages = []
        for call in (mlp.loss, mlp.evaluate):
            with pytest.raises(ValueError, match=r"^y") as caught:
                call(X, wrong)
            messages.append(str(caught.value))
        assert messages[0] == messages[1]
