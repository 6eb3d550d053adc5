"""forward, predict_proba, predict and loss agree with the reference."""

import numpy as np
import pytest
import reference

# One row, a vector of them, a tile of them, and one more and one less.
BATCHES = (1, 2, 3, 7, 8, 9, 15, 16, 17, 33, 63, 64, 65, 255, 256, 257, 1023, 1024, 1025, 2100)
# Networks with special kernels at both ends of their range, and beyond it; thin, wide and deep.
SIZES = (
    [2, 100, 3],
    [1, 1, 2],
    [8, 33, 8],
    [9, 16, 9],
    [2, 40, 1],
    [3, 4],
    [40, 17],
    [5, 300, 2],
    [17, 33, 16, 15, 100],
)


@pytest.mark.parametrize("sizes", SIZES, ids=str)
def test_outputs_agree(sizes, activation, dtype, rng, random_mlp, reference_of, assert_agrees):
    mlp = random_mlp(sizes, activation, dtype)
    for n in BATCHES:
        X = rng.standard_normal((n, sizes[0])).astype(dtype)
        y = rng.integers(sizes[-1], size=n)

        logits, probabilities, labels = mlp.forward(X), mlp.predict_proba(X), mlp.predict(X)

        true_logits = reference_of(mlp).forward(X)[-1]
        true_loss, _ = reference.cross_entropy(true_logits, y, np.ones(n))
        assert logits.dtype == probabilities.dtype == dtype
        assert labels.dtype == np.int64
        assert_agrees(logits, true_logits, f"logits of {n} rows")
        assert_agrees(probabilities, reference.softmax(true_logits), f"probabilities of {n} rows")
        assert_agrees(mlp.loss(X, y), true_loss, f"loss of {n} rows", dtype)
        np.testing.assert_array_equal(labels, logits.argmax(axis=1))


def test_a_tie_goes_to_the_first_class(dtype, random_mlp):
    mlp = random_mlp([2, 5, 4], "relu", dtype)
    mlp.parameters[...] = 0.0

    np.testing.assert_array_equal(mlp.predict(np.ones((3, 2), dtype)), [0, 0, 0])


def test_the_loss_of_loss_and_grad_is_loss(dtype, rng, random_mlp, assert_agrees):
    mlp = random_mlp([2, 100, 3], "relu", dtype)
    X, y = rng.standard_normal((1050, 2)).astype(dtype), rng.integers(3, size=1050)
    weight = rng.uniform(size=1050).astype(dtype)

    # The two may add hidden units and losses of rows in different orders.
    loss = mlp.loss(X, y, weight)
    assert_agrees(mlp.loss_and_grad(X, y, weight)[0], loss, dtype=dtype)


def test_probabilities_sum_to_one(dtype, rng, random_mlp):
    mlp = random_mlp([2, 100, 10], "relu", dtype)
    X = 100 * rng.standard_normal((1000, 2)).astype(dtype)

    P = mlp.predict_proba(X)

    assert P.min() >= 0.0
    # Four units in the last place of 1: the rounding of ten quotients.
    np.testing.assert_allclose(P.sum(axis=1, dtype=np.float64), 1, atol=4 * np.finfo(dtype).eps)


@pytest.mark.parametrize("magnitude", [1e2, 1e4])
def test_huge_logits_have_finite_losses(magnitude, dtype, random_mlp):
    mlp = random_mlp([1, 3], "identity", dtype)
    mlp.weights[0][...] = [[magnitude, 0.0, -magnitude]]
    mlp.biases[0][...] = 0.0
    X = np.array([[1.0], [-1.0]], dtype)

    right = mlp.loss(X, np.array([0, 2]))
    loss, gradient = mlp.loss_and_grad(X, np.array([2, 0]))
    P = mlp.predict_proba(X)

    assert right == 0.0
    assert loss == 2 * magnitude
    assert np.isfinite(gradient).all()
    np.testing.assert_allclose(P, [[1, 0, 0], [0, 0, 1]], rtol=0, atol=1e-40)


@pytest.mark.parametrize("method", ["forward", "predict_proba"])
def test_out_receives_the_result(method, dtype, rng, random_mlp):
    mlp = random_mlp([3, 8, 4], "tanh", dtype)
    X = rng.standard_normal((50, 3)).astype(dtype)
    out = np.full((50, 4), np.nan, dtype)

    result = getattr(mlp, method)(X, out=out)

    assert result is out
    np.testing.assert_array_equal(out, getattr(mlp, method)(X))


@pytest.mark.parametrize("method", ["forward", "predict_proba", "predict"])
@pytest.mark.parametrize("sizes", SIZES, ids=str)
def test_a_row_s_result_has_the_same_bits_in_any_batch(
    sizes, method, activation, dtype, rng, random_mlp
):
    infer = getattr(random_mlp(sizes, activation, dtype), method)
    X = rng.standard_normal((2100, sizes[0])).astype(dtype)

    together = infer(X)

    for n in (1, 2, 5, 17, 64, 300):
        parts = [infer(X[i : i + n]) for i in range(0, 600, n)]
        np.testing.assert_array_equal(np.concatenate(parts)[:600], together[:600], f"by {n}")


@pytest.mark.parametrize("method", ["forward", "predict_proba", "predict"])
def test_no_rows_give_no_results(method, dtype, random_mlp):
    mlp = random_mlp([2, 5, 3], "relu", dtype)

    result = getattr(mlp, method)(np.empty((0, 2), dtype))

    assert result.shape == ((0,) if method == "predict" else (0, 3))


def test_the_loss_of_many_rows_is_the_mean_of_their_parts(dtype, rng, random_mlp, assert_agrees):
    # Several times as many tiles as there are separate sums.
    n = 200 * 1024 + 5
    mlp = random_mlp([2, 10, 3], "relu", dtype)
    X, y = rng.standard_normal((n, 2)).astype(dtype), rng.integers(3, size=n)
    weight = rng.uniform(size=n)
    parts = [slice(i, i + 1000) for i in range(0, n, 1000)]

    loss = mlp.loss(X, y, weight)

    of_parts = [mlp.loss(X[part], y[part], weight[part]) for part in parts]
    mean = np.average(of_parts, weights=[weight[part].sum() for part in parts])
    assert_agrees(loss, mean, dtype=dtype)


@pytest.mark.parametrize("method", ["forward", "predict_proba"])
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_what_is_not_a_number_stays_in_its_row_and_shows(
    value, method, activation, dtype, rng, random_mlp, reference_of
):
    mlp = random_mlp([3, 8, 4], activation, dtype)
    X = rng.standard_normal((20, 3)).astype(dtype)
    finite = getattr(mlp, method)(X)
    X[7, 1] = value

    result = getattr(mlp, method)(X)

    with np.errstate(invalid="ignore"):
        true_logits = reference_of(mlp).forward(X[7:8])[-1]
        truth = true_logits if method == "forward" else reference.softmax(true_logits)
    # sigmoid and tanh turn an infinite number into a finite one.
    np.testing.assert_allclose(result[7:8], truth, rtol=0, atol=1e-5)
    others = np.arange(20) != 7
    np.testing.assert_array_equal(result[others], finite[others])
