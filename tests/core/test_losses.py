"""Losses: their formulas, the outputs they go with, and what they ask of targets."""

import copy
import pickle
import re

import numpy as np
import pytest
import reference
from core.test_finite_differences import assert_is_slope, slopes
from core.test_loss_objects import NAMES, OUTPUTS

import fastmlp
from fastmlp import losses

LEVELS = tuple(np.linspace(0.05, 0.95, 33))
# Every pair, with numbers other than the defaults too: output, loss and its numbers.
CASES = [
    ("softmax", losses.CrossEntropy(0.1)),
    ("softmax", losses.CrossEntropy(0.6)),
    ("softmax", losses.Focal()),
    ("softmax", losses.Focal(0.5)),
    ("softmax", losses.Focal(0.0)),
    ("sigmoid", losses.CrossEntropy(0.2)),
    ("sigmoid", losses.Focal()),
    ("sigmoid", losses.Focal(0.5)),
    ("identity", losses.AbsoluteError()),
    ("identity", losses.Huber(0.3)),
    ("identity", losses.Quantile(LEVELS)),
    ("exp", losses.SquaredError()),
    ("exp", losses.Gamma()),
    ("exp", losses.Tweedie()),
    ("exp", losses.Tweedie(1.0)),
    ("exp", losses.Tweedie(2.0)),
    ("exp", losses.Tweedie(3.0)),
    ("exp", losses.Tweedie(-1.0)),
]
# Networks that would be kernels of their own, and others: a vector's width of outputs and more.
SIZES = ([2, 100, 3], [8, 5, 2], [3, 17, 33, 1], [9, 8, 16], [5, 3], [1, 16, 16, 33])
each_case = pytest.mark.parametrize(("output", "loss"), CASES, ids=lambda case: str(case))


def for_width(loss, width):
    """The loss, with one level per output."""
    return losses.Quantile(LEVELS[:width]) if isinstance(loss, losses.Quantile) else loss


def build(sizes, output, loss, dtype="float64", activation="relu", **given):
    """A network with weights and biases that matter."""
    loss = for_width(loss, sizes[-1])
    mlp = fastmlp.MLP(sizes, activation, output=output, loss=loss, dtype=dtype, seed=0, **given)
    rng = np.random.default_rng(0)
    for W, b in zip(mlp.weights, mlp.biases, strict=True):
        W[...] = rng.standard_normal(W.shape) / np.sqrt(len(W))
        b[...] = 0.5 * rng.standard_normal(b.shape)
    return mlp


def targets(rng, mlp, n):
    """What the network could learn, the ends of the range among them."""
    shape = (n, mlp.layer_sizes[-1])
    if mlp.output == "softmax":
        return rng.integers(shape[1], size=n)
    if isinstance(mlp.loss_function, losses.Quantile):
        return rng.standard_normal(n).astype(mlp.dtype)
    if mlp.output == "sigmoid":
        return rng.choice([0.0, 0.25, 1.0], shape).astype(mlp.dtype)
    if mlp.output == "exp":
        zero = isinstance(mlp.loss_function, losses.Gamma) or (
            isinstance(mlp.loss_function, losses.Tweedie) and mlp.loss_function.power >= 2
        )
        return (rng.poisson(1.5, shape) + 0.5 * zero).astype(mlp.dtype)
    return rng.standard_normal(shape).astype(mlp.dtype)


def truth_of(mlp, Z, y, sample_weight, class_weight=None):
    """Loss and derivative by the sums, by the reference."""
    loss = mlp.loss_function
    name = next(name for name, kind in NAMES.items() if type(kind) is type(loss))
    numbers = dict(vars(loss))
    if mlp.output == "softmax":
        function = reference.CLASS_LOSSES[name]
        return reference.weighted_loss(function, Z, y, sample_weight, class_weight, **numbers)
    if y.ndim == 1:
        y = y[:, None]
    function = reference.VALUE_LOSSES[mlp.output, name]
    return reference.weighted_loss(function, Z, np.float64(y), sample_weight, **numbers)


@each_case
@pytest.mark.parametrize("sizes", SIZES, ids=str)
def test_loss_and_gradient_are_the_reference_s(
    output, loss, sizes, dtype, rng, reference_of, flat, assert_agrees
):
    if output == "softmax" and sizes[-1] == 1:
        sizes = [*sizes[:-1], 2]
    mlp = build(sizes, output, loss, dtype)
    truth = reference_of(mlp)
    for n in (1, 17, 100):
        X = rng.standard_normal((n, sizes[0])).astype(dtype)
        y = targets(rng, mlp, n)
        given = {"sample_weight": rng.uniform(0.1, 2.0, n)}
        if output == "softmax":
            given["class_weight"] = rng.uniform(0.5, 2.0, sizes[-1])

        value, gradient = mlp.loss_and_grad(X, y, **given)

        H = truth.forward(X)
        true_loss, d_sums = truth_of(mlp, H[-1], y, **given)
        # Losses that cancel keep the rounding of their terms, which are no larger than 1.
        close = {"float32": 2e-5, "float64": 1e-12}[dtype] * max(1.0, abs(true_loss))
        assert abs(value - true_loss) <= close
        assert abs(mlp.loss(X, y, **given) - true_loss) <= close
        assert_agrees(gradient, flat(mlp, truth.backward(H, d_sums)[0]), f"gradient of {n} rows")


@each_case
def test_gradient_is_the_slope_of_the_penalised_loss(output, loss, rng):
    mlp = build([3, 5, 4, 3], output, loss, activation="tanh")
    X = rng.standard_normal((9, 3))
    y = targets(rng, mlp, 9)
    given = {"sample_weight": rng.uniform(0.5, 2.0, 9), "alpha": 0.7}
    if output == "softmax":
        given["class_weight"] = [0.5, 1.0, 3.0]
    if isinstance(loss, losses.AbsoluteError | losses.Quantile):
        # No sum is near a corner of the loss.
        y = y + 10.0 * np.sign(y)

    value, gradient = mlp.loss_and_grad(X, y, **given)

    truth = slopes(lambda: mlp.loss_and_grad(X, y, **given)[0], mlp.parameters)
    assert_is_slope(gradient, truth, abs(value))


@each_case
def test_gradient_with_dropout_is_the_slope_of_its_loss(output, loss, rng):
    mlp = build([3, 8, 3], output, loss, activation="tanh")
    X = rng.standard_normal((9, 3))
    y = targets(rng, mlp, 9)
    if isinstance(loss, losses.AbsoluteError | losses.Quantile):
        y = y + 10.0 * np.sign(y)
    given = {"dropout": 0.4, "seed": 3}

    value, gradient = mlp.loss_and_grad(X, y, **given)

    truth = slopes(lambda: mlp.loss_and_grad(X, y, **given)[0], mlp.parameters)
    assert_is_slope(gradient, truth, abs(value))


@each_case
@pytest.mark.parametrize("sizes", [[2, 60, 3], [40, 300, 200, 2]], ids=str)
def test_training_has_the_same_bits_for_every_number_of_threads(output, loss, sizes, rng):
    X = rng.standard_normal((700, sizes[0])).astype(np.float32)
    y = targets(rng, build(sizes, output, loss, "float32"), 700)

    def train(n_jobs):
        mlp = fastmlp.MLP(sizes, output=output, loss=for_width(loss, sizes[-1]), seed=3)
        history = mlp.fit(
            X, y, epochs=2, batch_size=300, alpha=0.1, dropout=0.1, n_jobs=n_jobs, X_val=X, y_val=y
        )
        return mlp.parameters.copy(), history.loss, history.val_loss

    alone = train(1)
    assert np.isfinite(alone[0]).all()
    for n_jobs in (2, 3):
        for one, several in zip(alone, train(n_jobs), strict=True):
            np.testing.assert_array_equal(one, several)


@each_case
def test_sparse_rows_have_the_loss_of_dense_ones(output, loss, rng):
    sparse = pytest.importorskip("scipy.sparse")
    mlp = build([6, 5, 4, 3], output, loss)
    X = sparse.random_array((50, 6), density=0.3, rng=rng, format="csr")
    y = targets(rng, mlp, 50)
    dense, d_dense = mlp.loss_and_grad(X.toarray(), y)
    value, gradient = mlp.loss_and_grad(X, y)
    assert value == pytest.approx(dense, rel=1e-13)
    np.testing.assert_allclose(gradient, d_dense, rtol=1e-10, atol=1e-14)


@each_case
def test_history_has_the_losses_and_the_accuracy(output, loss, rng):
    mlp = build([3, 7, 2], output, loss)
    X = rng.standard_normal((60, 3))
    y = targets(rng, mlp, 60)
    weight = rng.uniform(0.5, 2.0, 60)
    before = mlp.loss(X, y, sample_weight=weight)
    if output == "softmax":
        accuracy = (mlp.predict(X) == y).mean()
    else:
        accuracy = ((mlp.forward(X) > 0) == (y.reshape(60, -1) > 0.5)).all(axis=1).mean()

    history = mlp.fit(X, y, epochs=2, sample_weight=weight, X_val=X, y_val=y)

    assert history.loss[0] == pytest.approx(before, rel=1e-12)
    assert history.val_loss[-1] == pytest.approx(mlp.loss(X, y), rel=1e-12)
    if output in ("softmax", "sigmoid"):
        assert history.accuracy[0] == accuracy
    else:
        assert history.accuracy is history.val_accuracy is None


@pytest.mark.parametrize("output", OUTPUTS)
def test_the_loss_of_an_output_has_the_bits_of_none(output, dtype, rng):
    alone = fastmlp.MLP([2, 30, 3], output=output, dtype=dtype, seed=1)
    named = fastmlp.MLP([2, 30, 3], output=output, dtype=dtype, seed=1, loss=alone.loss_function)
    X = rng.standard_normal((100, 2)).astype(dtype)
    y = rng.integers(3, size=100)
    if output != "softmax":
        y = rng.uniform(size=(100, 3)).astype(dtype)
    for mlp in (alone, named):
        mlp.fit(X, y, epochs=3, batch_size=30)
    np.testing.assert_array_equal(alone.parameters, named.parameters)
    assert repr(alone) == repr(named)
    assert "loss" not in repr(alone)


@each_case
def test_copies_and_files_keep_the_loss(output, loss, rng, tmp_path):
    mlp = build([3, 4, 2], output, loss)
    X = rng.standard_normal((5, 3))
    y = targets(rng, mlp, 5)
    mlp.save(tmp_path / "model")
    for again in (
        pickle.loads(pickle.dumps(mlp)),
        copy.copy(mlp),
        fastmlp.MLP.load(tmp_path / "model"),
    ):
        assert again.loss_function == mlp.loss_function == for_width(loss, 2)
        assert repr(again) == repr(mlp)
        assert again.loss(X, y) == mlp.loss(X, y)
    assert repr(mlp) == (
        f"MLP([3, 4, 2], activation='relu', output='{output}', dtype='float64', "
        f"loss={mlp.loss_function!r})"
    )


def test_a_loss_is_kept_beside_stages(tmp_path):
    mlp = fastmlp.MLP(
        [2, 3, 1], "prelu", loss=losses.Huber(1 / 3), normalization="layer", input_scale=True
    )
    mlp.save(tmp_path / "model")
    for again in (pickle.loads(pickle.dumps(mlp)), fastmlp.MLP.load(tmp_path / "model")):
        assert repr(again) == repr(mlp)
        assert again.loss_function == losses.Huber(1 / 3)
        np.testing.assert_array_equal(again.parameters, mlp.parameters)


RANGES = [
    ("sigmoid", losses.Focal(), [1.5, -0.1, np.nan], "numbers from 0 to 1"),
    ("sigmoid", losses.CrossEntropy(0.1), [1.5, -0.1], "numbers from 0 to 1"),
    ("identity", losses.AbsoluteError(), [np.inf, np.nan], "finite numbers"),
    ("identity", losses.Huber(), [np.inf, np.nan], "finite numbers"),
    ("exp", losses.SquaredError(), [-np.inf], "finite numbers"),
    ("exp", losses.Poisson(), [-1.0, np.inf], "finite numbers >= 0"),
    ("exp", losses.Gamma(), [0.0, -1.0], "finite numbers > 0"),
    ("exp", losses.Tweedie(1.5), [-1.0], "finite numbers >= 0"),
    ("exp", losses.Tweedie(1.0), [-1.0], "finite numbers >= 0"),
    ("exp", losses.Tweedie(2.0), [0.0], "finite numbers > 0"),
    ("exp", losses.Tweedie(3.0), [0.0], "finite numbers > 0"),
    ("exp", losses.Tweedie(-1.0), [np.nan], "finite numbers"),
]


@pytest.mark.parametrize(("output", "loss", "wrong", "expected"), RANGES, ids=str)
def test_targets_out_of_range_are_refused(output, loss, wrong, expected):
    mlp = fastmlp.MLP([2, 2], output=output, loss=loss, dtype="float64")
    before = mlp.parameters.copy()
    for value in wrong:
        X, y = np.zeros((4, 2)), np.full((4, 2), 0.5)
        y[2, 1] = value
        shown = {"nan": "NaN"}.get(f"{value:g}", f"{value:g}")
        message = f"y[2, 1] is {shown}, expected {expected}"
        for call in (mlp.loss, mlp.loss_and_grad, lambda X, y: mlp.fit(X, y, epochs=1)):
            with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
                call(X, y)
    np.testing.assert_array_equal(mlp.parameters, before)


def test_a_tweedie_loss_of_a_power_below_0_takes_any_target():
    mlp = fastmlp.MLP([2, 1], loss=losses.Tweedie(-1.0), dtype="float64")
    assert np.isfinite(mlp.loss(np.zeros((2, 2)), np.array([-3.0, 0.0])))


def test_a_quantile_network_has_one_target_per_row(rng):
    mlp = fastmlp.MLP([2, 8, 3], loss=losses.Quantile([0.1, 0.5, 0.9]), dtype="float64", seed=0)
    X, y = rng.standard_normal((20, 2)), rng.standard_normal(20)
    assert mlp.loss(X, y) == mlp.loss(X, y[:, None])
    for shape in [(20, 3), (20, 2), (20, 1, 1)]:
        expected = "(n,) or (n, 1), one target for all outputs"
        message = f"y has shape {shape}, expected {expected}"
        with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
            mlp.loss(X, np.zeros(shape))


def test_quantiles_of_a_constant_are_those_of_the_sample(rng):
    levels = (0.1, 0.5, 0.8)
    mlp = fastmlp.MLP([1, 3], loss=losses.Quantile(levels), dtype="float64", seed=0)
    X, y = np.zeros((2001, 1)), np.sort(rng.gamma(2.0, size=2001))
    mlp.fit(X, y, fastmlp.Adam(0.02), epochs=2000)
    found = np.searchsorted(y, mlp.predict(X[:1])[0]) / 2001
    np.testing.assert_allclose(found, levels, atol=0.02)


def test_the_minimum_of_the_absolute_error_is_the_median(rng):
    mlp = fastmlp.MLP([1, 1], loss="absolute_error", dtype="float64", seed=0)
    X, y = np.zeros((1001, 1)), rng.exponential(size=1001)
    mlp.fit(X, y, fastmlp.Adam(0.01), epochs=1500)
    assert abs(mlp.predict(X[:1])[0, 0] - np.median(y)) < 0.02


@pytest.mark.parametrize("loss", [losses.Gamma(), losses.Tweedie(1.5), losses.Poisson()], ids=str)
def test_the_minimum_of_a_deviance_is_the_mean(loss, rng):
    mlp = fastmlp.MLP([1, 1], loss=loss, dtype="float64", seed=0)
    X, y = np.zeros((500, 1)), rng.gamma(2.0, 3.0, size=500)
    mlp.fit(X, y, fastmlp.Adam(0.02), epochs=2000)
    assert mlp.predict(X[:1])[0, 0] == pytest.approx(y.mean(), rel=1e-3)


# The prediction of the output exp is itself infinite.
@pytest.mark.parametrize(("output", "loss"), [case for case in CASES if case[0] != "exp"], ids=str)
@pytest.mark.parametrize("far", [1e4, -1e4])
def test_far_out_losses_stay_finite(output, loss, far, dtype):
    mlp = build([1, 2], output, loss, dtype)
    mlp.weights[0][...], mlp.biases[0][...] = [[1.0, -1.0]], 0.0
    X = np.array([[far]], dtype)
    y = np.array([0]) if output == "softmax" else np.zeros((1, 2), dtype)
    if isinstance(loss, losses.Quantile):
        y = y[:, 0]
    value, gradient = mlp.loss_and_grad(X, y)
    assert np.isfinite(value)
    assert value >= 0.0
    assert np.isfinite(gradient).all()


@pytest.mark.parametrize("output", ["softmax", "sigmoid"])
@pytest.mark.parametrize("gamma", [0.5, 2.0])
def test_a_focal_loss_is_exact_where_the_prediction_is_certain(output, gamma, dtype):
    d_out = 2 if output == "softmax" else 1
    mlp = build([1, d_out], output, losses.Focal(gamma), dtype)
    mlp.weights[0][...], mlp.biases[0][...] = [[1.0, 0.0][:d_out]], 0.0
    x = np.linspace(-20, 20, 41, dtype=dtype)[:, None]
    y = np.array([0]) if output == "softmax" else np.ones((1, 1), dtype)
    found = np.array([mlp.loss(row[None], y) for row in x])
    z = np.float64(x[:, 0])
    truth = np.exp(-gamma * np.logaddexp(0.0, z)) * np.logaddexp(0.0, -z)
    np.testing.assert_allclose(found, truth, rtol=1e-5 if dtype == "float32" else 1e-13)
    assert np.all(np.diff(found) < 0)
