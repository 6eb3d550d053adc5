"""Losses of the estimators: what is minimised, what is predicted, and what else goes with it."""

import copy
import io
import pickle
import re

import numpy as np
import pytest
import scipy.optimize
import scipy.sparse
import torch
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.linear_model import (
    GammaRegressor,
    HuberRegressor,
    PoissonRegressor,
    QuantileRegressor,
    TweedieRegressor,
)
from sklearn.metrics import d2_pinball_score, r2_score
from sklearn.model_selection import GridSearchCV
from sklearn.utils._param_validation import InvalidParameterError
from torch.nn import functional

from fastmlp import MLP, MLPClassifier, MLPRegressor, losses

LEVELS = (0.1, 0.5, 0.9)
SMALL = {"hidden_layer_sizes": (6,), "max_iter": 5, "random_state": 0}


def huber(y, raw):
    """Huber's loss, written as a caller's own."""
    error = raw - y.reshape(raw.shape)
    size = np.abs(error)
    loss = np.where(size <= 1, error**2 / 2, size - 0.5)
    return loss.sum(axis=1), np.clip(error, -1, 1)


class Unlike:
    """A loss that can be pickled, and is equal to itself alone."""

    def __call__(self, y, raw):
        return huber(y, raw)


def focal(logits, y, gamma):
    right = torch.gather(torch.log_softmax(logits, 1), 1, y[:, None])[:, 0]
    return -((1 - right.exp()) ** gamma) * right


def focal_of_labels(logits, y, gamma):
    right = torch.where(y > 0.5, functional.logsigmoid(logits), functional.logsigmoid(-logits))
    return -((1 - right.exp()) ** gamma) * right


def smoothed(logits, y, share):
    return functional.binary_cross_entropy_with_logits(
        logits, y * (1 - share) + share / 2, reduction="none"
    )


def quantile(z, y, levels):
    error = y[:, None] - z
    levels = torch.tensor(levels, dtype=torch.float64)
    return torch.maximum(levels * error, (levels - 1) * error)


def tweedie(z, y, p):
    constant = torch.clamp(y, min=0) ** (2 - p) / ((1 - p) * (2 - p))
    return constant - y * torch.exp((1 - p) * z) / (1 - p) + torch.exp((2 - p) * z) / (2 - p)


def columns(f):
    """The sum over the outputs of what takes outputs and targets of one shape."""
    return lambda z, y: f(z, y.reshape(z.shape)).sum(1)


# The parameter, and the loss of each row in torch.
NUMBERS = {
    "squared": ("squared_error", columns(lambda z, y: (z - y) ** 2 / 2)),
    "absolute": ("absolute_error", columns(lambda z, y: (z - y).abs())),
    "huber": (
        losses.Huber(0.3),
        columns(lambda z, y: functional.huber_loss(z, y, delta=0.3, reduction="none")),
    ),
    "huber by name": (
        "huber",
        columns(lambda z, y: functional.huber_loss(z, y, reduction="none")),
    ),
    "a function": (
        huber,
        columns(lambda z, y: functional.huber_loss(z, y, reduction="none")),
    ),
    "median": ("quantile", lambda z, y: quantile(z, y, [0.5]).sum(1)),
    "quantile": (losses.Quantile(0.8), lambda z, y: quantile(z, y, [0.8]).sum(1)),
    "quantiles": (losses.Quantile(LEVELS), lambda z, y: quantile(z, y, LEVELS).sum(1)),
    "poisson": (
        "poisson",
        columns(lambda z, y: torch.xlogy(y, y) - y * z - y + torch.exp(z)),
    ),
    "gamma": ("gamma", columns(lambda z, y: z - torch.log(y) + y * torch.exp(-z) - 1)),
    "tweedie": (losses.Tweedie(1.3), columns(lambda z, y: tweedie(z, y, 1.3))),
}
CLASSES = {
    "log loss": ("log_loss", lambda z, y: functional.cross_entropy(z, y, reduction="none")),
    "smoothed": (
        losses.CrossEntropy(label_smoothing=0.2),
        lambda z, y: functional.cross_entropy(z, y, reduction="none", label_smoothing=0.2),
    ),
    "focal": (losses.Focal(1.5), lambda z, y: focal(z, y, 1.5)),
    "focal by name": ("focal", lambda z, y: focal(z, y, 2.0)),
}
LABELS = {
    "log loss": ("cross_entropy", columns(lambda z, y: smoothed(z, y, 0.0))),
    "smoothed": (losses.CrossEntropy(0.2), columns(lambda z, y: smoothed(z, y, 0.2))),
    "focal": (losses.Focal(0.5), columns(lambda z, y: focal_of_labels(z, y, 0.5))),
}
SMOOTH = [name for name in NUMBERS if name not in ("absolute", "median", "quantile", "quantiles")]


def several(loss):
    """Whether targets may have several columns."""
    return not isinstance(loss, losses.Quantile) and loss != "quantile"


@pytest.fixture
def X(rng):
    return rng.standard_normal((40, 3))


@pytest.fixture
def weights(rng):
    return rng.uniform(0.2, 2.0, 40)


def numbers(rng, n_columns=1):
    y = rng.gamma(2.0, size=(40, n_columns)) + 0.1
    return y.ravel() if n_columns == 1 else y


def assert_follows(estimator, X, y, weights, of_rows):
    """Train by plain descent, and take the same steps in torch: parameters and losses agree."""
    estimator.set_params(
        solver="sgd",
        momentum=0.0,
        activation="tanh",
        learning_rate_init=0.1,
        batch_size=len(X),
        alpha=0.0,
        max_iter=6,
        n_iter_no_change=np.inf,
        random_state=1,
    )
    start = clone(estimator).set_params(learning_rate_init=1e-300, max_iter=1)
    tensors = [
        torch.tensor(block.view.copy(), requires_grad=True)
        for block in start.fit(X, y).network_.parameter_blocks
    ]
    estimator.fit(X, y, weights)
    targets = estimator._encode(y, fresh=False, incremental=True)
    targets = torch.tensor(targets if targets.dtype.kind == "i" else targets.astype(np.float64))
    if estimator.out_activation_ == "logistic":
        targets = targets.to(torch.float64)
    shares = torch.tensor(np.ones(len(X)) if weights is None else weights)
    curve = []
    for _ in range(6):
        w1, b1, w2, b2 = tensors
        z = torch.tanh(torch.tensor(X) @ w1 + b1) @ w2 + b2
        loss = (shares * of_rows(z, targets)).sum() / shares.sum()
        curve.append(loss.item())
        with torch.no_grad():
            for tensor, d in zip(tensors, torch.autograd.grad(loss, tensors), strict=True):
                tensor -= 0.1 * d
    for block, tensor in zip(estimator.network_.parameter_blocks, tensors, strict=True):
        assert_allclose(block.view, tensor.detach(), rtol=1e-9, atol=1e-12)
    # scikit-learn reports the squared error as a mean over the columns.
    n_columns = z.shape[1] if getattr(estimator, "loss", None) == "squared_error" else 1
    assert_allclose(estimator.loss_curve_, np.array(curve) / n_columns, rtol=1e-10)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("n_columns", [1, 2])
@pytest.mark.parametrize("name", NUMBERS)
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_numbers_are_trained_as_in_torch(name, n_columns, weighted, X, weights, rng):
    loss, of_rows = NUMBERS[name]
    if n_columns > 1 and not several(loss):
        pytest.skip("quantiles are of one column")
    reg = MLPRegressor(loss, hidden_layer_sizes=(5,))
    assert_follows(reg, X, numbers(rng, n_columns), weights if weighted else None, of_rows)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("name", CLASSES)
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_classes_are_trained_as_in_torch(name, weighted, X, weights, rng):
    loss, of_rows = CLASSES[name]
    y = np.concatenate([np.arange(3), rng.integers(3, size=37)])
    clf = MLPClassifier(hidden_layer_sizes=(5,), loss=loss)
    assert_follows(clf, X, y, weights if weighted else None, of_rows)


@pytest.mark.parametrize("shape", [(40,), (40, 3)], ids=["two classes", "labels"])
@pytest.mark.parametrize("name", LABELS)
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_labels_are_trained_as_in_torch(name, shape, X, weights, rng):
    loss, of_rows = LABELS[name]
    y = rng.integers(2, size=shape)
    clf = MLPClassifier(hidden_layer_sizes=(5,), loss=loss)
    assert_follows(clf, X, y, weights, of_rows)


# Generalised linear models are networks without a hidden layer. scikit-learn's penalty is per row.
GENERALISED = {
    "poisson": ("poisson", PoissonRegressor(alpha=0.01, tol=1e-10, max_iter=10_000)),
    "gamma": ("gamma", GammaRegressor(alpha=0.01, tol=1e-10, max_iter=10_000)),
    "tweedie": (
        losses.Tweedie(1.5),
        TweedieRegressor(power=1.5, alpha=0.01, tol=1e-10, max_iter=10_000),
    ),
    "inverse gaussian": (
        losses.Tweedie(3.0),
        TweedieRegressor(power=3.0, alpha=0.01, tol=1e-10, max_iter=10_000),
    ),
}


@pytest.mark.parametrize("layout", [np.asarray, scipy.sparse.csr_array])
@pytest.mark.parametrize("name", GENERALISED)
def test_lbfgs_finds_the_generalised_linear_model(name, layout, X, weights, rng):
    loss, theirs = GENERALISED[name]
    y = rng.gamma(3.0, np.exp(0.3 * X[:, 0])) + 0.1
    theirs.fit(X, y, weights)
    # Ours divides the penalty by the weight of all rows, scikit-learn's loss by it.
    ours = MLPRegressor(loss, (), solver="lbfgs", alpha=0.01 * weights.sum(), tol=1e-9)
    ours.set_params(max_iter=2000, max_fun=10_000).fit(layout(X), y, weights)
    assert_allclose(ours.coefs_[0].ravel(), theirs.coef_, rtol=1e-3, atol=1e-5)
    assert_allclose(ours.intercepts_[0], theirs.intercept_, rtol=1e-3)
    assert_allclose(ours.predict(layout(X)), theirs.predict(X), rtol=1e-3)


@pytest.mark.parametrize("loss", [losses.Huber(0.5), huber, Unlike()], ids=["own", "f", "object"])
def test_lbfgs_finds_the_minimum_of_a_smooth_loss(loss, X, weights, rng):
    y = X @ [1.0, -2.0, 0.5] + rng.standard_t(2, size=40)
    delta = loss.delta if isinstance(loss, losses.Huber) else 1.0
    ours = MLPRegressor(loss, (), solver="lbfgs", alpha=0.0, tol=1e-10, max_iter=2000)
    ours.fit(X, y, weights)

    def objective(p):
        size = np.abs(X @ p[:3] + p[3] - y)
        rows = np.where(size <= delta, size**2 / 2, delta * (size - delta / 2))
        return np.average(rows, weights=weights)

    found = scipy.optimize.minimize(objective, np.zeros(4), method="BFGS", options={"gtol": 1e-9})
    assert_allclose(ours.loss_, found.fun, rtol=1e-9)
    assert_allclose(np.append(ours.coefs_[0], ours.intercepts_[0]), found.x, rtol=1e-4, atol=1e-5)


def test_lbfgs_resists_outliers_as_scikit_learn_s_huber_does(X, rng):
    y = X @ [1.0, -2.0, 0.5] + 0.01 * rng.standard_normal(40)
    y[:4] += 100
    robust = MLPRegressor("huber", (), solver="lbfgs", alpha=0.0, tol=1e-9, random_state=0)
    squared = clone(robust).set_params(loss="squared_error")
    theirs = HuberRegressor(alpha=0.0, tol=1e-9).fit(X, y)
    assert_allclose(robust.fit(X, y).coefs_[0].ravel(), theirs.coef_, atol=0.3)
    assert np.abs(squared.fit(X, y).coefs_[0].ravel() - theirs.coef_).max() > 3


@pytest.mark.parametrize("loss", ["absolute_error", "quantile", losses.Quantile(LEVELS)], ids=str)
def test_lbfgs_names_the_losses_that_it_cannot_take(loss, X, rng):
    reg = MLPRegressor(loss, solver="lbfgs")
    message = (
        f"loss={loss!r} is for solver 'sgd', 'adam' or 'adamw', got solver='lbfgs', which needs a "
        "loss whose derivative is continuous, such as 'huber'"
    )
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        reg.fit(X, numbers(rng))
    assert vars(reg) == reg.get_params()


@pytest.mark.parametrize("level", [0.2, 0.5, 0.9])
def test_a_quantile_is_that_of_linear_programming(level, rng):
    """Constants alone: the quantile of the rows lies between two of them."""
    X, y = np.zeros((101, 1)), rng.gamma(2.0, size=101)
    ours = MLPRegressor(losses.Quantile(level), (), solver="sgd", momentum=0.0, alpha=0.0)
    ours.set_params(learning_rate="invscaling", learning_rate_init=30.0, max_iter=4000)
    ours.set_params(batch_size=101, tol=0.0, n_iter_no_change=np.inf, random_state=0)
    theirs = QuantileRegressor(quantile=level, alpha=0.0).fit(X, y)
    with pytest.warns(UserWarning, match="Maximum iterations"):
        ours.fit(X, y)
    assert_allclose(ours.predict(X[:1]), theirs.predict(X[:1]), atol=0.02)


@pytest.mark.parametrize("levels", [LEVELS, (0.9, 0.1, 0.5), (0.5, 0.5, 0.2)], ids=str)
def test_quantiles_never_cross(levels, X):
    """The network's outputs cross everywhere, and predictions have them in the order of levels."""
    network = MLP([3, 3], loss=losses.Quantile(levels), dtype="float64", seed=0)
    reg = MLPRegressor.from_network(network)
    raw, predicted = network.predict(X), reg.predict(X)
    assert_array_equal(np.sort(predicted, axis=1), np.sort(raw, axis=1))
    rising = predicted[:, np.argsort(levels, kind="stable")]
    assert (np.diff(rising, axis=1) >= 0).all()
    assert (np.diff(raw[:, np.argsort(levels, kind="stable")], axis=1) < 0).any()


def test_several_quantiles_are_scored_by_their_pinball_loss(X, weights, rng, fit):
    y = numbers(rng)
    reg = fit(MLPRegressor(losses.Quantile(LEVELS), **SMALL), X, y)
    predicted = reg.predict(X)
    assert predicted.shape == (40, 3)
    scores = [
        d2_pinball_score(y, predicted[:, k], sample_weight=weights, alpha=level)
        for k, level in enumerate(LEVELS)
    ]
    assert_allclose(reg.score(X, y, weights), np.mean(scores))
    one = fit(MLPRegressor(losses.Quantile(0.9), **SMALL), X, y)
    assert one.predict(X).shape == (40,)
    assert one.score(X, y, weights) == r2_score(y, one.predict(X), sample_weight=weights)


def test_quantiles_hold_their_shares_of_the_rows(rng, fit):
    X = rng.uniform(-2, 2, size=(1500, 1))
    y = np.sin(X[:, 0]) + (0.2 + 0.2 * np.abs(X[:, 0])) * rng.standard_normal(1500)
    reg = MLPRegressor(losses.Quantile(LEVELS), (20,), learning_rate_init=0.01, max_iter=60)
    below = (y[:, None] <= fit(reg.set_params(random_state=0), X, y).predict(X)).mean(axis=0)
    assert_allclose(below, LEVELS, atol=0.04)


# Of both kinds of estimator, with parameters of each kind.
ESTIMATORS = {
    **{name: lambda loss=loss: MLPRegressor(loss, **SMALL) for name, (loss, _) in NUMBERS.items()},
    **{
        f"classes, {name}": lambda loss=loss: MLPClassifier(loss=loss, **SMALL)
        for name, (loss, _) in CLASSES.items()
    },
    "an object": lambda: MLPRegressor(Unlike(), **SMALL),
}


@pytest.fixture(params=ESTIMATORS)
def estimator(request):
    return ESTIMATORS[request.param]()


def targets(estimator, rng):
    if isinstance(estimator, MLPClassifier):
        return np.concatenate([np.arange(3), rng.integers(3, size=37)])
    return numbers(rng)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_sparse_rows_are_trained_alike(dtype, estimator, X, rng, fit):
    y = targets(estimator, rng)
    X = np.where(X > 0, X, 0).astype(dtype)
    dense, sparse = clone(estimator).fit(X, y), clone(estimator).fit(scipy.sparse.csr_array(X), y)
    assert dense.network_.dtype == sparse.network_.dtype == dtype
    tolerance = {"float32": 1e-5, "float64": 1e-12}[dtype]
    assert_allclose(sparse.loss_curve_, dense.loss_curve_, rtol=tolerance)
    assert_allclose(
        sparse.network_.parameters, dense.network_.parameters, rtol=tolerance, atol=tolerance
    )


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_copies_predict_alike_and_go_on_alike(estimator, X, rng):
    y = targets(estimator, rng)
    estimator.fit(X, y)
    expected = estimator.predict(X)
    copies = [pickle.loads(pickle.dumps(estimator)), copy.deepcopy(estimator), copy.copy(estimator)]
    for again in copies:
        assert_array_equal(again.predict(X), expected)
        assert again.network_.loss_function == again._loss
    estimator.set_params(warm_start=True).fit(X, y)
    for again in copies:
        again.set_params(warm_start=True).fit(X, y)
        assert_array_equal(again.network_.parameters, estimator.network_.parameters)
    fresh = clone(estimator)
    assert repr(fresh.loss) == repr(estimator.loss) or isinstance(estimator.loss, Unlike)
    assert not hasattr(fresh, "coefs_")


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_files_have_the_loss_unless_it_is_a_function(estimator, X, rng):
    y = targets(estimator, rng)
    estimator.fit(X, y)
    file = io.BytesIO()
    if callable(estimator.loss):
        message = (
            "the estimator cannot be saved: loss is a function, which a file without code cannot "
            "hold"
        )
        with pytest.raises(ValueError, match=f"^{message}$"):
            estimator.save(file)
        return
    estimator.save(file)
    again = type(estimator).load(file.getvalue())
    assert again.loss == estimator.loss
    assert again.network_.loss_function == estimator.network_.loss_function
    assert_array_equal(again.predict(X), estimator.predict(X))
    for each in (again, estimator):
        each._optimizer = None  # no file has one
        each.__dict__.pop("_optimizer")
        each.set_params(warm_start=True).fit(X, y)
    assert_array_equal(again.network_.parameters, estimator.network_.parameters)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_partial_fit_is_an_epoch(estimator, X, rng):
    y = targets(estimator, rng)
    whole = clone(estimator).set_params(shuffle=False).fit(X, y)
    parts = clone(estimator).set_params(shuffle=False)
    given = {"classes": np.arange(3)} if isinstance(estimator, MLPClassifier) else {}
    for _ in range(5):
        parts.partial_fit(X, y, **given)
    assert_array_equal(parts.network_.parameters, whole.network_.parameters)
    assert parts.loss_curve_ == whole.loss_curve_


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_another_loss_takes_over_all_that_the_network_learned(X, rng):
    y = numbers(rng)
    reg = MLPRegressor(normalization="layer", activation="prelu", warm_start=True, **SMALL)
    reg.fit(X, y)
    before = reg.network_.parameters.copy()
    reg.set_params(loss="gamma", solver="sgd", learning_rate_init=1e-300, max_iter=1).fit(X, y)
    assert reg.out_activation_ == reg.network_.output == "exp"
    assert reg.network_.loss_function == losses.Gamma()
    assert_array_equal(reg.network_.parameters, before)
    assert {"gain", "shift", "slope"} <= {block.role for block in reg.network_.parameter_blocks}


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("loss", ["gamma", losses.Quantile(LEVELS), huber], ids=str)
def test_a_parameter_that_is_set_counts_from_the_next_fit_on(loss, X, rng):
    y = numbers(rng)
    reg = MLPRegressor(**SMALL).fit(X, y)
    expected, network = reg.predict(X), reg.network_
    reg.set_params(loss=loss)
    assert_array_equal(reg.predict(X), expected)
    assert reg.network_ is network
    assert pickle.loads(pickle.dumps(reg)).network_.loss_function == losses.SquaredError()
    reg.fit(X, y)
    assert reg.network_.loss_function == (losses.Gamma() if loss == "gamma" else loss)


def test_states_of_earlier_versions_have_the_loss_of_their_output(X, rng, fit):
    for estimator, y in (
        (MLPRegressor("poisson", **SMALL), numbers(rng)),
        (MLPClassifier(**SMALL), rng.integers(2, size=40)),
    ):
        fit(estimator, X, y)
        state = estimator.__getstate__()
        del state["_loss"]
        state.pop("loss") if isinstance(estimator, MLPClassifier) else None
        again = type(estimator).__new__(type(estimator))
        again.__setstate__(state)
        assert_array_equal(again.predict(X), estimator.predict(X))
        assert again.get_params()["loss"] == estimator.loss


@pytest.mark.parametrize(
    ("network", "parameter"),
    [
        (MLP([3, 2], seed=0), "log_loss"),
        (MLP([3, 2], seed=0, loss="focal"), "focal"),
        (MLP([3, 2], seed=0, loss=losses.Focal(1.0)), losses.Focal(1.0)),
        (MLP([3, 1], "relu", "sigmoid", loss=losses.CrossEntropy(0.1)), losses.CrossEntropy(0.1)),
        (MLP([3, 2], output="identity", seed=0), "squared_error"),
        (MLP([3, 2], loss="poisson", seed=0), "poisson"),
        (MLP([3, 2], loss=losses.Huber(2.0), seed=0), losses.Huber(2.0)),
        (MLP([3, 3], loss=losses.Quantile(LEVELS), seed=0), losses.Quantile(LEVELS)),
        (MLP([3, 2], loss=huber, seed=0), huber),
    ],
    ids=str,
)
def test_an_estimator_of_a_network_has_its_loss(network, parameter):
    kind = MLPClassifier if network.output in ("softmax", "sigmoid") else MLPRegressor
    estimator = kind.from_network(network)
    assert estimator.loss == parameter
    assert estimator.network_ is network
    assert estimator._validate_params() is None


def test_a_network_whose_loss_has_another_output_is_refused():
    network = MLP([3, 2], output="exp", loss="squared_error")
    message = (
        "a regressor's network with output 'exp' must have a loss with that default output, "
        "got SquaredError()"
    )
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        MLPRegressor.from_network(network)


NAMES = {
    MLPClassifier: "'cross_entropy', 'focal', 'log_loss'",
    MLPRegressor: (
        "'absolute_error', 'gamma', 'huber', 'poisson', 'quantile', 'squared_error', 'tweedie'"
    ),
}


@pytest.mark.parametrize(
    ("kind", "loss"),
    [
        (MLPClassifier, "squared_error"),
        (MLPClassifier, losses.Huber()),
        (MLPClassifier, huber),
        (MLPClassifier, None),
        (MLPRegressor, "log_loss"),
        (MLPRegressor, losses.Focal()),
        (MLPRegressor, None),
    ],
)
def test_a_loss_of_another_kind_is_refused(kind, loss, X, rng):
    with pytest.raises(InvalidParameterError) as caught:
        kind(loss=loss).fit(X, rng.integers(2, size=40))
    message = str(caught.value)
    assert message.startswith(f"The 'loss' parameter of {kind.__name__} must be a str among")
    assert set(re.findall(r"'\w+'", NAMES[kind])) <= set(re.findall(r"'\w+'", message))
    assert ("hidden_layer_sizes" in message) == (kind is MLPRegressor and loss is None)


def test_a_class_in_place_of_an_object_is_refused(X, rng):
    message = (
        "loss must be an object, such as Huber(), got the class <class 'fastmlp.losses.Huber'>"
    )
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        MLPRegressor(losses.Huber).fit(X, numbers(rng))


@pytest.mark.parametrize(
    ("loss", "least", "expected"),
    [
        ("poisson", -1.0, ">= 0"),
        (losses.Tweedie(1.5), -1.0, ">= 0"),
        ("gamma", 0.0, "> 0"),
        (losses.Tweedie(2.5), 0.0, "> 0"),
    ],
    ids=str,
)
def test_targets_out_of_range_are_refused(loss, least, expected, X, rng):
    y, bad = numbers(rng), numbers(rng)
    bad[7] = least
    reg = MLPRegressor(loss, **SMALL)
    message = f"must be {expected} for loss={loss!r}, got {least}"
    with pytest.raises(ValueError, match=f"^y {re.escape(message)}$"):
        reg.fit(X, bad)
    with pytest.raises(ValueError, match=f"^y_val {re.escape(message)}$"):
        reg.fit(X, y, X_val=X, y_val=bad)
    assert vars(reg) == reg.get_params()


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_zeros_are_taken_where_the_loss_is_defined(X, rng):
    y = np.where(numbers(rng) > 1.5, numbers(rng), 0.0)
    for loss in ("poisson", losses.Tweedie(1.5)):
        assert np.isfinite(MLPRegressor(loss, **SMALL).fit(X, y).loss_)
    for loss in (losses.Tweedie(0.0), losses.Tweedie(-1.0)):
        assert np.isfinite(MLPRegressor(loss, **SMALL).fit(X, y - 0.5).loss_)


@pytest.mark.parametrize("loss", ["quantile", losses.Quantile(LEVELS)], ids=str)
def test_quantiles_are_of_one_column(loss, X, rng):
    message = f"y has shape (40, 3), expected one column for loss={loss!r}"
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        MLPRegressor(loss).fit(X, numbers(rng, 3))


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_rows_for_validation_are_measured_by_the_loss(estimator, X, rng):
    y, y_val = targets(estimator, rng), targets(estimator, rng)
    estimator.fit(X, y, X_val=X[::-1], y_val=y_val)
    encoded = estimator._encode_validation(y_val)
    assert_allclose(
        estimator.validation_loss_curve_[-1], estimator.network_.loss(X[::-1].copy(), encoded)
    )
    assert_allclose(estimator.validation_scores_[-1], estimator.score(X[::-1], y_val), rtol=1e-10)


@pytest.mark.parametrize("scoring", [None, "loss"])
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_early_stopping_keeps_the_best_epoch(scoring, estimator, X, rng):
    y = targets(estimator, rng)
    estimator.set_params(early_stopping=True, scoring=scoring, max_iter=20, n_iter_no_change=3)
    estimator.fit(X, y, X_val=X[:15], y_val=y[:15])
    measured = estimator.validation_scores_
    assert estimator.best_validation_score_ == max(measured)
    if scoring == "loss":
        loss = estimator.network_.loss(X[:15], estimator._encode_validation(y[:15]))
        assert_allclose(loss, -max(measured))
    else:
        assert_allclose(estimator.score(X[:15], y[:15]), max(measured))


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_a_search_takes_objects_and_names(X, rng):
    grid = {"loss": ["huber", losses.Huber(0.1), "absolute_error", huber]}
    search = GridSearchCV(MLPRegressor(**SMALL), grid, cv=2).fit(X, numbers(rng))
    assert search.best_params_["loss"] in grid["loss"]


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_errors_of_a_function_pass_through(X, rng):
    class Own(Exception):
        pass

    def fails(y, raw):
        raise Own("mine")

    for solver in ("adam", "lbfgs"):
        reg = MLPRegressor(fails, solver=solver)
        with pytest.raises(Own, match=r"^mine$"):
            reg.fit(X, numbers(rng))
        assert vars(reg) == reg.get_params()


def test_staged_quantiles_do_not_cross(X, rng, fit):
    reg = fit(MLPRegressor(losses.Quantile(LEVELS), keep_every=1, **SMALL), X, numbers(rng))
    stages = list(reg.staged_predict(X))
    assert len(stages) == 5
    assert all((np.diff(stage, axis=1) >= 0).all() for stage in stages)
