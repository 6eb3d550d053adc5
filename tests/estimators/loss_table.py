"""Losses that the estimators take, with the loss of each row in torch, and estimators of each."""

import numpy as np
import torch
from torch.nn import functional

from fastmlp import MLPClassifier, MLPRegressor, losses

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


def numbers(rng, n_columns=1):
    y = rng.gamma(2.0, size=(40, n_columns)) + 0.1
    return y.ravel() if n_columns == 1 else y


# Of both kinds of estimator, with parameters of each kind.
ESTIMATORS = {
    **{name: lambda loss=loss: MLPRegressor(loss, **SMALL) for name, (loss, _) in NUMBERS.items()},
    **{
        f"classes, {name}": lambda loss=loss: MLPClassifier(loss=loss, **SMALL)
        for name, (loss, _) in CLASSES.items()
    },
    "an object": lambda: MLPRegressor(Unlike(), **SMALL),
}
