"""Outputs other than a softmax, their losses, targets and predictions."""

import itertools
import pickle
import re

import numpy as np
import pytest
import reference
from core.test_finite_differences import assert_is_slope, slopes

import fastmlp

OUTPUTS = tuple(reference.OUTPUTS)
# Networks with special kernels, and others: one, two and many outputs, a register's width.
SIZES = ([2, 100, 1], [8, 1, 1], [2, 5, 2], [3, 17, 33, 1], [9, 8, 15], [5, 3], [1, 16, 16, 33])


def build(sizes, output, dtype="float64", activation="relu", seed=0):
    """A network with weights and biases that matter."""
    mlp = fastmlp.MLP(sizes, activation, output=output, dtype=dtype, seed=seed)
    rng = np.random.default_rng(seed)
    for W, b in zip(mlp.weights, mlp.biases, strict=True):
        W[...] = rng.standard_normal(W.shape) / np.sqrt(len(W))
        b[...] = 0.5 * rng.standard_normal(b.shape)
    return mlp


def targets(rng, output, shape, dtype):
    """Possible targets of the output, including the ends of its range."""
    if output == "sigmoid":
        return rng.choice([0.0, 0.25, 1.0], shape).astype(dtype)
    if output == "exp":
        return rng.poisson(1.5, shape).astype(dtype)
    return rng.standard_normal(shape).astype(dtype)


@pytest.mark.parametrize("output", OUTPUTS)
@pytest.mark.parametrize("sizes", SIZES, ids=str)
def test_loss_and_gradient_are_the_reference_s(
    output, sizes, activation, dtype, rng, reference_of, flat, assert_agrees
):
    mlp = build(sizes, output, dtype, activation)
    truth = reference_of(mlp)
    for n in (1, 2, 15, 16, 17, 100):
        X = rng.standard_normal((n, sizes[0])).astype(dtype)
        y = targets(rng, output, (n, sizes[-1]), dtype)
        sample_weight = rng.uniform(0.1, 2.0, n)

        loss, gradient = mlp.loss_and_grad(X, y, sample_weight=sample_weight)

        H = truth.forward(X)
        weight = np.float64(sample_weight.astype(dtype))
        true_loss, d_sums = reference.loss_by_output(output, H[-1], np.float64(y), weight)
        assert_agrees(loss, true_loss, f"loss of {n} rows", dtype)
        assert_agrees(mlp.loss(X, y, sample_weight=sample_weight), true_loss, "loss alone", dtype)
        assert_agrees(gradient, flat(mlp, truth.backward(H, d_sums)[0]), f"gradient of {n} rows")


@pytest.mark.parametrize("output", ["softmax", *OUTPUTS])
@pytest.mark.parametrize("sizes", [[2, 7, 3], [3, 5, 4, 2]], ids=str)
def test_gradient_is_the_slope_of_the_penalised_loss(output, sizes, rng):
    mlp = build(sizes, output, activation="tanh")
    X = rng.standard_normal((9, sizes[0]))
    y = rng.integers(sizes[-1], size=9)
    if output != "softmax":
        y = targets(rng, output, (9, sizes[-1]), "float64")
    given = {"sample_weight": rng.uniform(0.5, 2.0, 9), "alpha": 0.7}

    loss, gradient = mlp.loss_and_grad(X, y, **given)

    truth = slopes(lambda: mlp.loss_and_grad(X, y, **given)[0], mlp.parameters)
    assert_is_slope(gradient, truth, loss)


# Few parameters are summed by chunks, many by slabs of the gradient, and rows by blocks.
@pytest.mark.parametrize(
    ("sizes", "n"), [([2, 100, 3], 300), ([20, 50, 4], 700), ([300, 200, 150, 5], 3000)], ids=str
)
def test_the_penalty_is_that_of_all_weights_and_no_biases(sizes, n, dtype, rng, assert_agrees):
    mlp = fastmlp.MLP(sizes, dtype=dtype, seed=1)
    X = rng.standard_normal((n, sizes[0])).astype(dtype)
    y, weight = rng.integers(sizes[-1], size=n), rng.uniform(0.0, 2.0, n)
    alpha = 30.0

    plain, slope = mlp.loss_and_grad(X, y, sample_weight=weight)
    loss, gradient = mlp.loss_and_grad(X, y, sample_weight=weight, alpha=alpha)

    share = np.float64(alpha) / weight.sum()
    squares = sum(np.sum(np.float64(W) ** 2) for W in mlp.weights)
    expected = np.float64(slope)
    for W, d_W in zip(mlp.weights, mlp.unflatten(expected)[0], strict=True):
        d_W += share * W
    assert_agrees(loss, plain + share / 2 * squares, "loss", dtype)
    assert_agrees(gradient, expected, "gradient")


@pytest.mark.parametrize("output", ["softmax", *OUTPUTS])
@pytest.mark.parametrize("sizes", [[2, 60, 1], [40, 300, 200, 2]], ids=str)
def test_training_has_the_same_bits_for_every_number_of_threads(output, sizes, rng):
    if output == "softmax":
        sizes = [*sizes[:-1], 3]
    X = rng.standard_normal((2000, sizes[0])).astype(np.float32)
    y = rng.integers(3, size=2000)
    if output != "softmax":
        y = targets(rng, output, (2000, sizes[-1]), "float32")

    def train(n_jobs):
        mlp = fastmlp.MLP(sizes, output=output, seed=3)
        history = mlp.fit(X, y, epochs=3, batch_size=600, alpha=0.1, n_jobs=n_jobs)
        return mlp.parameters.copy(), history.loss, mlp.predict(X, n_jobs=n_jobs)

    alone = train(1)
    for n_jobs in (2, 3, 7):
        for one, several in zip(alone, train(n_jobs), strict=True):
            np.testing.assert_array_equal(one, several)


@pytest.mark.parametrize("output", OUTPUTS)
@pytest.mark.parametrize("sizes", SIZES, ids=str)
def test_predictions_are_the_reference_s(output, sizes, dtype, rng, reference_of, assert_agrees):
    mlp = build(sizes, output, dtype)
    for n in (1, 3, 1500):
        X = rng.standard_normal((n, sizes[0])).astype(dtype)
        sums = reference_of(mlp).forward(X)[-1]
        assert_agrees(mlp.forward(X), sums)
        if output == "sigmoid":
            assert_agrees(mlp.predict_proba(X), reference.OUTPUTS[output][0](sums))
            clear = np.abs(sums) > 1e-4
            predicted = mlp.predict(X)
            assert predicted.dtype == np.int64
            assert predicted.shape == (n, sizes[-1])
            np.testing.assert_array_equal(predicted[clear], (sums > 0)[clear])
        else:
            assert mlp.predict(X).dtype == dtype
            assert_agrees(mlp.predict(X), reference.OUTPUTS[output][0](sums))


def test_one_output_takes_a_column_or_a_vector(rng):
    X, y = rng.standard_normal((20, 4)), rng.standard_normal(20)
    mlp = build([4, 8, 1], "identity")
    assert mlp.loss(X, y) == mlp.loss(X, y[:, None])
    strided = np.repeat(y, 3)[::3]
    assert mlp.loss_and_grad(X, strided)[0] == mlp.loss(X, y)


def test_accuracy_is_of_rows_whose_outputs_are_all_right(rng):
    X = rng.standard_normal((400, 6))
    y = (X @ rng.standard_normal((6, 3)) > 0).astype(float)
    mlp = build([6, 3], "sigmoid")
    before = (mlp.predict(X) == y).all(axis=1).mean()

    history = mlp.fit(X, y, epochs=1, X_val=X, y_val=y)

    assert history.accuracy[0] == before
    assert history.val_accuracy[0] == (mlp.predict(X) == y).all(axis=1).mean()


@pytest.mark.parametrize("output", ["identity", "exp"])
def test_what_does_not_classify_has_no_accuracy(output, rng):
    X, y = rng.standard_normal((50, 3)), rng.poisson(2.0, (50, 2)).astype(float)
    seen = []
    mlp = build([3, 8, 2], output)
    history = mlp.fit(X, y, epochs=2, X_val=X, y_val=y, callback=seen.append)
    assert history.accuracy is history.val_accuracy is None
    assert seen[0].accuracy is seen[0].val_accuracy is None
    assert seen[1].val_loss == history.val_loss[1] == mlp.loss(X, y)
    assert "accuracy" not in repr(history) + repr(seen[0])
    assert len(pickle.loads(pickle.dumps(history))) == 2
    with pytest.raises(
        ValueError,
        match=f'^output is "{output}", expected "softmax" or "sigmoid": use predict$',
    ):
        mlp.predict_proba(X)


def test_training_learns_a_function(rng):
    X = rng.uniform(-2, 2, (500, 1))
    y = np.column_stack([np.sin(2 * X[:, 0]), np.abs(X[:, 0])])
    mlp = fastmlp.MLP([1, 64, 64, 2], "tanh", output="identity", dtype="float64", seed=0)
    mlp.fit(X, y, fastmlp.Adam(0.01), epochs=300, batch_size=50)
    assert np.abs(mlp.predict(X) - y).max() < 0.1


def test_copies_keep_the_output(rng):
    mlp = build([3, 4, 2], "exp")
    copy = pickle.loads(pickle.dumps(mlp))
    X = rng.standard_normal((5, 3))
    assert copy.output == "exp"
    np.testing.assert_array_equal(copy.predict(X), mlp.predict(X))
    assert repr(copy) == "MLP([3, 4, 2], activation='relu', output='exp', dtype='float64')"


@pytest.mark.parametrize("far", [1e4, 1e30])
def test_far_out_losses_stay_finite(far, dtype):
    mlp = build([1, 1], "sigmoid", dtype)
    mlp.weights[0][...], mlp.biases[0][...] = 1.0, 0.0
    X = np.array([[far], [-far]], dtype)
    for y, expected in [([1.0, 0.0], 0.0), ([0.0, 1.0], float(np.dtype(dtype).type(far)))]:
        assert mlp.loss(X, np.array(y, dtype)) == expected


REFUSED = {
    "sigmoid above": ("sigmoid", 1.5, "y[2, 1] is 1.5, expected numbers from 0 to 1"),
    "sigmoid NaN": ("sigmoid", np.nan, "y[2, 1] is NaN, expected numbers from 0 to 1"),
    "identity inf": ("identity", np.inf, "y[2, 1] is inf, expected finite numbers"),
    "exp below": ("exp", -1.0, "y[2, 1] is -1, expected finite numbers >= 0"),
}


@pytest.mark.parametrize(("output", "wrong", "message"), REFUSED.values(), ids=REFUSED)
def test_targets_out_of_range_are_refused(output, wrong, message):
    mlp = build([2, 2], output)
    X, y = np.zeros((4, 2)), np.zeros((4, 2))
    y[2, 1] = wrong
    for call in (mlp.loss, mlp.loss_and_grad, lambda X, y: mlp.fit(X, y, epochs=1)):
        with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
            call(X, y)


SHAPES = [
    ((4,), "y has shape (4,), expected (n, 2), one column an output"),
    ((4, 3), "y has shape (4, 3), expected (n, 2), one column an output"),
    ((3, 2), "y has shape (3, 2), expected (4, d_out), one row per row of X"),
    ((4, 2, 1), "y has shape (4, 2, 1), expected (n, 2), one column an output"),
]


@pytest.mark.parametrize(("shape", "message"), SHAPES, ids=str)
def test_targets_of_another_shape_are_refused(shape, message):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        build([2, 2], "identity").loss(np.zeros((4, 2)), np.zeros(shape))


def test_targets_of_another_type_are_refused():
    mlp, X = build([2, 2], "identity"), np.zeros((4, 2))
    with pytest.raises(
        TypeError,
        match=r"^y has dtype float32, expected float64: use y\.astype\(numpy\.float64\)$",
    ):
        mlp.loss(X, np.zeros((4, 2), np.float32))
    with pytest.raises(TypeError, match=r"^y is of type list, expected a NumPy array: "):
        mlp.loss(X, [[0.0, 0.0]] * 4)
    one = build([2, 1], "identity")
    with pytest.raises(TypeError, match=r"^y has dtype int64, expected float64: "):
        one.loss(X, np.zeros(4, int))


OBJECTIVES = [
    ({"alpha": -1.0}, "alpha is -1, expected a finite number >= 0"),
    ({"alpha": np.inf}, "alpha is inf, expected a finite number >= 0"),
    ({"report": "mean"}, 'report is "mean", expected "objective" or "scikit-learn"'),
    (
        {"class_weight": [1.0, 2.0]},
        "class_weight is given, expected None for a network without classes",
    ),
]


@pytest.mark.parametrize(("given", "message"), OBJECTIVES, ids=lambda case: str(case)[:20])
def test_objectives_out_of_range_are_refused(given, message):
    mlp = build([2, 2], "identity")
    before = mlp.parameters.copy()
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        mlp.fit(np.zeros((4, 2)), np.zeros((4, 2)), epochs=1, **given)
    np.testing.assert_array_equal(mlp.parameters, before)


def test_reported_losses_are_scikit_learn_s_where_that_is_asked_for(rng):
    # Two batches of unequal size and weight; the network stands still because its rate is tiny.
    X, y = rng.standard_normal((5, 3)), rng.standard_normal((5, 2))
    weight = np.array([1.0, 2.0, 0.5, 4.0, 1.0])
    mlp, alpha = build([3, 2], "identity"), 0.3
    still = fastmlp.SGD(1e-300)
    given = {
        "epochs": 1,
        "batch_size": 3,
        "shuffle": False,
        "sample_weight": weight,
        "alpha": alpha,
    }

    ours = mlp.fit(X, y, still, **given).loss[0]
    theirs = mlp.fit(X, y, still, **given, report="scikit-learn").loss[0]

    squares = ((mlp.predict(X) - y) ** 2).sum(axis=1)
    penalty = sum((W**2).sum() for W in mlp.weights) * alpha / 2
    batches = [slice(0, 3), slice(3, 5)]
    weights = [weight[batch].sum() for batch in batches]
    means = [np.average(squares[batch], weights=weight[batch]) / 2 for batch in batches]
    assert ours == pytest.approx(
        sum(w * (mean + penalty / w) for w, mean in zip(weights, means, strict=True))
        / weight.sum(),
        rel=1e-14,
    )
    assert theirs == pytest.approx(
        sum(n * (mean / 2 + penalty / w) for n, w, mean in zip((3, 2), weights, means, strict=True))
        / 5,
        rel=1e-14,
    )


def test_scikit_learn_s_losses_hold_probabilities_away_from_0_and_1(dtype):
    epsilon = np.float64(np.finfo(dtype).eps)
    for output, d_out in itertools.product(("softmax", "sigmoid"), (1, 2)):
        if output == "softmax":
            d_out += 1
        mlp = fastmlp.MLP([1, d_out], output=output, dtype=dtype, seed=0)
        mlp.weights[0][...] = [[1e4, *[-1e4] * (d_out - 1)]]
        mlp.biases[0][...] = 0.0
        X = np.ones((1, 1), dtype)
        for is_right in (True, False):
            y = np.array([0 if is_right else 1])
            if output == "sigmoid":
                y = np.zeros((1, d_out), dtype)
                y[0, 0] = is_right
                y[0, 1:] = not is_right
            given = {"epochs": 1, "report": "scikit-learn"}
            loss = mlp.fit(X, y, fastmlp.SGD(1e-300), **given).loss[0]
            each = -np.log1p(-epsilon) if is_right else -np.log(epsilon)
            expected = each * (d_out if output == "sigmoid" else 1)
            assert loss == pytest.approx(expected, rel=2e-6 if dtype == "float32" else 1e-12)
