"""The loss that an estimator lowers: what the parameter `loss` may be, and what follows from it."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import d2_pinball_score
from sklearn.utils._param_validation import StrOptions

from fastmlp import losses

# scikit-learn's name for the cross-entropy, and the names of `fastmlp.losses`.
OF_CLASSES: dict[str, losses.Loss] = {
    "log_loss": losses.CrossEntropy(),
    "cross_entropy": losses.CrossEntropy(),
    "focal": losses.Focal(),
}
OF_NUMBERS: dict[str, losses.Loss] = {
    "squared_error": losses.SquaredError(),
    "absolute_error": losses.AbsoluteError(),
    "huber": losses.Huber(),
    "quantile": losses.Quantile(),
    "poisson": losses.Poisson(),
    "gamma": losses.Gamma(),
    "tweedie": losses.Tweedie(),
}
_NAMED = OF_CLASSES | OF_NUMBERS

# What scikit-learn validates the parameter by.
CLASSIFIER_LOSSES = [StrOptions(set(OF_CLASSES)), losses.CrossEntropy, losses.Focal]
REGRESSOR_LOSSES = [StrOptions(set(OF_NUMBERS)), *map(type, OF_NUMBERS.values()), callable]

# Losses of what is above 0, which the network predicts as an exponential.
_EXPONENTIAL = (losses.Poisson, losses.Gamma, losses.Tweedie)
# Losses whose derivative jumps, so that no line search finds where it is 0.
_WITH_KINKS = (losses.AbsoluteError, losses.Quantile)


def loss_of(parameter: Any) -> Any:
    """Return the loss that the parameter names or is: one of `fastmlp.losses`, or a function."""
    return _NAMED[parameter] if isinstance(parameter, str) else parameter


def parameter_of(loss: Any, named: dict[str, losses.Loss]) -> Any:
    """Return the parameter that stands for a loss: a name if one of these has its numbers."""
    return next((name for name, other in named.items() if is_same(other, loss)), loss)


def is_same(a: Any, b: Any) -> bool:
    """Say whether two losses or names are the same; functions are compared by identity."""
    return a is b or (isinstance(a, losses.Loss | str) and type(a) is type(b) and bool(a == b))


def check_is_object(parameter: Any) -> None:
    """Raise a ValueError for a class in place of an object."""
    if isinstance(parameter, type):
        raise ValueError(f"loss must be an object, such as Huber(), got the class {parameter!r}")


def check_loss(parameter: Any, solver: str) -> None:
    """Raise a ValueError for a class in place of an object, and for a solver that has no use."""
    check_is_object(parameter)
    if solver == "lbfgs" and isinstance(loss_of(parameter), _WITH_KINKS):
        raise ValueError(
            f"loss={parameter!r} is for solver 'sgd', 'adam' or 'adamw', got solver='lbfgs', which "
            "needs a loss whose derivative is continuous, such as 'huber'"
        )


def out_activation_of(loss: Any) -> str:
    """Return scikit-learn's name of what a regressor with this loss makes predictions with."""
    return "exp" if isinstance(loss, _EXPONENTIAL) else "identity"


def n_outputs_of(loss: Any, parameter: Any, y: NDArray[Any]) -> int:
    """Return the outputs of a regressor's network: one per column of `y`, or per level."""
    if not isinstance(loss, losses.Quantile):
        return 1 if y.ndim == 1 else int(y.shape[1])
    if y.ndim != 1:
        raise ValueError(f"y has shape {y.shape}, expected ({len(y)},) for loss={parameter!r}")
    return len(loss.levels)


def n_targets_of(loss: Any, n_outputs: int) -> int:
    """Return the columns that targets have for so many outputs."""
    return 1 if isinstance(loss, losses.Quantile) else n_outputs


def check_targets(name: str, y: NDArray[Any], loss: Any, parameter: Any) -> None:
    """Raise a ValueError for targets that the loss is not defined for."""
    power = {losses.Poisson: 1.0, losses.Gamma: 2.0}.get(type(loss), getattr(loss, "power", 0.0))
    least = y.min() if isinstance(loss, _EXPONENTIAL) and power >= 1 else np.inf
    if least < 0 or (least == 0 and power >= 2):
        expected = "> 0" if power >= 2 else ">= 0"
        raise ValueError(f"{name} must be {expected} for loss={parameter!r}, got {least}")


def has_several_levels(loss: Any) -> bool:
    """Say whether each row gets several quantiles."""
    return isinstance(loss, losses.Quantile) and len(loss.levels) > 1


def order_of(predicted: NDArray[Any], loss: Any) -> NDArray[Any]:
    """Return the order in which no quantile is below one of a lower level, for `take_along_axis`.

    Sorting never makes a quantile worse: V. Chernozhukov, I. Fernández-Val and A. Galichon,
    "Quantile and probability curves without crossing", Econometrica 78, 2010.

    Parameters
    ----------
    predicted : ndarray of shape (n_samples, n_outputs)
        Outputs of the network.
    loss : Loss or callable
        Its loss: quantiles of several levels.

    Returns
    -------
    ndarray of shape (n_samples, n_outputs)
        For each row, the number of the output that belongs to each level.
    """
    ranks = np.argsort(np.argsort(loss.levels, kind="stable"), kind="stable")
    return np.argsort(predicted, axis=1)[:, ranks]


def score_of_quantiles(
    y: Any, predicted: NDArray[Any], loss: losses.Quantile, sample_weight: Any
) -> float:
    """Return the mean over the levels of the share of the pinball loss that is explained."""
    scores = [
        d2_pinball_score(y, column, sample_weight=sample_weight, alpha=level)
        for column, level in zip(predicted.T, loss.levels, strict=True)
    ]
    return float(np.mean(scores))


def as_content(parameter: Any) -> Any:
    """Return the parameter as a file has it: its name, and with numbers a list of both."""
    if isinstance(parameter, str):
        return parameter
    if not isinstance(parameter, losses.Loss):
        raise ValueError("loss is a function, which a file without code cannot hold")
    name, numbers = parameter._description()
    return [name, *numbers]


def of_content(content: Any) -> Any:
    """Return the parameter that a file has."""
    if isinstance(content, str):
        return content
    if not isinstance(content, list) or not content or not isinstance(content[0], str):
        raise ValueError(f"loss must be a name, or a list of a name and numbers, got {content!r}")
    name, *numbers = content
    if name not in losses._NAMED or not all(type(number) is float for number in numbers):
        raise ValueError(f"loss must be a name that is known, and floats, got {content!r}")
    return losses._of(name, numbers)
