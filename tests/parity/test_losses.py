"""Losses agree with torch where it has them, else with scikit-learn's metrics."""

import numpy as np
import pytest
import torch
from sklearn import metrics
from torch.nn import functional

import fastmlp
from fastmlp import losses


def averaged(of_entries, weight):
    """Weighted mean over rows of what is summed over outputs: torch's mean, with weights."""
    return (of_entries.sum(dim=1) * weight).sum() / weight.sum()


def in_torch(name):
    """A loss of torch's, entry by entry."""
    return lambda z, y, **given: getattr(functional, name)(z, y, reduction="none", **given)


def smoothed(z, y):
    """Keras's smoothing of yes and no, which torch has not."""
    return functional.binary_cross_entropy_with_logits(z, 0.8 * y + 0.1, reduction="none")


def focal(z, y):
    """The formula of the paper, with torch's cross-entropy."""
    entropy = functional.binary_cross_entropy_with_logits(z, y, reduction="none")
    return (1 - torch.exp(-entropy)) ** 2 * entropy


def half_gamma(z, y):
    return z - torch.log(y) + y * torch.exp(-z) - 1


def half_tweedie(z, y):
    m = torch.exp(z)
    return y**0.5 / (-0.5 * 0.5) - y * m**-0.5 / -0.5 + m**0.5 / 0.5


CASES = {
    "binary": ("sigmoid", losses.CrossEntropy(), in_torch("binary_cross_entropy_with_logits")),
    "smoothed binary": ("sigmoid", losses.CrossEntropy(0.2), smoothed),
    "binary focal": ("sigmoid", losses.Focal(), focal),
    "squared": ("identity", losses.SquaredError(), lambda z, y: 0.5 * in_torch("mse_loss")(z, y)),
    "absolute": ("identity", losses.AbsoluteError(), in_torch("l1_loss")),
    "huber": (
        "identity",
        losses.Huber(0.7),
        lambda z, y: in_torch("huber_loss")(z, y, delta=0.7),
    ),
    "squared exp": ("exp", losses.SquaredError(), lambda z, y: 0.5 * (torch.exp(z) - y) ** 2),
    # Torch leaves out what depends on the target alone.
    "poisson": (
        "exp",
        losses.Poisson(),
        lambda z, y: in_torch("poisson_nll_loss")(z, y, log_input=True) + torch.xlogy(y, y) - y,
    ),
    "gamma": ("exp", losses.Gamma(), half_gamma),
    "tweedie": ("exp", losses.Tweedie(1.5), half_tweedie),
}


@pytest.fixture(params=([3, 17, 16, 4], [40, 200, 180, 5]), ids=["narrow", "wide"])
def sizes(request):
    """Through chunks and through blocks of tiles."""
    return request.param


def layers_in_torch(mlp, X):
    """Leaf tensors in the order of the parameters, and the sums that torch makes of them."""
    tensors = [
        torch.tensor(array.copy(), requires_grad=True)
        for layer in zip(mlp.weights, mlp.biases, strict=True)
        for array in layer
    ]
    a = torch.tensor(X)
    for i in range(0, len(tensors), 2):
        z = a @ tensors[i] + tensors[i + 1]
        a = torch.tanh(z)
    return tensors, z


def assert_is_torch_s(mlp, given, true_loss, tensors, assert_agrees):
    loss, gradient = mlp.loss_and_grad(**given)
    true_loss.backward()
    assert_agrees(loss, true_loss.item(), "loss", mlp.dtype)
    joined = np.concatenate([tensor.grad.numpy().ravel() for tensor in tensors])
    assert_agrees(gradient, joined, "gradient")


@pytest.mark.parametrize("case", CASES)
def test_losses_of_numbers_agree(case, sizes, dtype, rng, assert_agrees):
    output, loss, theirs = CASES[case]
    mlp = fastmlp.MLP(sizes, "tanh", output=output, loss=loss, dtype=dtype, seed=1)
    X = rng.standard_normal((90, sizes[0])).astype(dtype)
    y = rng.standard_normal((90, sizes[-1]))
    if output == "sigmoid":
        y = y > 0
    elif output == "exp":
        y = np.exp(y)
    y = y.astype(dtype)
    weight = rng.uniform(0.1, 2.0, 90).astype(dtype)

    tensors, z = layers_in_torch(mlp, X)
    true_loss = averaged(theirs(z, torch.tensor(y)), torch.tensor(weight))

    given = {"X": X, "y": y, "sample_weight": weight}
    assert_is_torch_s(mlp, given, true_loss, tensors, assert_agrees)


@pytest.mark.parametrize("smoothing", [0.0, 0.1, 0.7])
@pytest.mark.parametrize("is_weighted", [False, True])
def test_cross_entropy_with_smoothing_and_class_weights_agrees(
    smoothing, is_weighted, sizes, dtype, rng, assert_agrees
):
    loss = losses.CrossEntropy(smoothing)
    mlp = fastmlp.MLP(sizes, "tanh", loss=loss, dtype=dtype, seed=1)
    X = rng.standard_normal((90, sizes[0])).astype(dtype)
    y = rng.integers(sizes[-1], size=90)
    weight = rng.uniform(0.2, 3.0, sizes[-1]).astype(dtype) if is_weighted else None
    of_classes = None if weight is None else torch.tensor(weight)

    tensors, z = layers_in_torch(mlp, X)
    true_loss = functional.cross_entropy(z, torch.tensor(y), of_classes, label_smoothing=smoothing)

    given = {"X": X, "y": y, "class_weight": weight}
    assert_is_torch_s(mlp, given, true_loss, tensors, assert_agrees)


@pytest.mark.parametrize("gamma", [0.5, 1.0, 2.0, 5.0])
def test_the_focal_loss_of_classes_agrees_with_autograd(gamma, sizes, dtype, rng, assert_agrees):
    mlp = fastmlp.MLP(sizes, "tanh", loss=losses.Focal(gamma), dtype=dtype, seed=1)
    X = rng.standard_normal((90, sizes[0])).astype(dtype)
    y = rng.integers(sizes[-1], size=90)
    of_classes = rng.uniform(0.2, 3.0, sizes[-1]).astype(dtype)

    tensors, z = layers_in_torch(mlp, X)
    entropy = functional.cross_entropy(z, torch.tensor(y), reduction="none")
    weight = torch.tensor(of_classes[y])
    true_loss = ((1 - torch.exp(-entropy)) ** gamma * entropy * weight).sum() / weight.sum()

    given = {"X": X, "y": y, "class_weight": of_classes}
    assert_is_torch_s(mlp, given, true_loss, tensors, assert_agrees)


DEVIANCES = {
    "poisson": (losses.Poisson(), 1.0),
    "gamma": (losses.Gamma(), 2.0),
    "tweedie": (losses.Tweedie(1.5), 1.5),
    "tweedie of a high power": (losses.Tweedie(3.2), 3.2),
}


@pytest.mark.parametrize("case", DEVIANCES)
def test_deviances_are_half_of_scikit_learn_s(case, rng):
    loss, power = DEVIANCES[case]
    mlp = fastmlp.MLP([3, 7, 1], "tanh", loss=loss, dtype="float64", seed=1)
    X, y = rng.standard_normal((80, 3)), rng.gamma(2.0, size=80)
    weight = rng.uniform(0.1, 2.0, 80)
    theirs = metrics.mean_tweedie_deviance(
        y, mlp.predict(X)[:, 0], sample_weight=weight, power=power
    )
    assert mlp.loss(X, y, sample_weight=weight) == pytest.approx(theirs / 2, rel=1e-11)


def test_the_pinball_loss_is_scikit_learn_s(rng):
    levels = (0.1, 0.5, 0.95)
    mlp = fastmlp.MLP([3, 7, 3], "tanh", loss=losses.Quantile(levels), dtype="float64", seed=1)
    X, y = rng.standard_normal((80, 3)), rng.standard_normal(80)
    weight = rng.uniform(0.1, 2.0, 80)
    theirs = sum(
        metrics.mean_pinball_loss(y, column, sample_weight=weight, alpha=level)
        for level, column in zip(levels, mlp.predict(X).T, strict=True)
    )
    assert mlp.loss(X, y, sample_weight=weight) == pytest.approx(theirs, rel=1e-12)
