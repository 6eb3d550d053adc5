"""What training lowers: the losses of `MLP`.

The loss of a row is a function of its target and of the last layer's sums ``z``, of which the
network's `output` makes the prediction ``p``. A batch has the weighted mean over its rows, as
PyTorch's ``reduction="mean"`` has it with weights; where a row has several outputs, its loss is the
sum over them. ``MLP(..., loss=Huber(1.35))`` takes an object, ``loss="huber"`` the same with its
defaults. A loss may also be a function of your own, see the Notes of `MLP`.

===============  ====================  =========================================================
class            name                  outputs, the default first
===============  ====================  =========================================================
`CrossEntropy`   ``cross_entropy``     ``"softmax"``, ``"sigmoid"``; the loss of both
`Focal`          ``focal``             ``"softmax"``, ``"sigmoid"``
`SquaredError`   ``squared_error``     ``"identity"``, whose loss it is, and ``"exp"``
`AbsoluteError`  ``absolute_error``    ``"identity"``
`Huber`          ``huber``             ``"identity"``
`Quantile`       ``quantile``          ``"identity"``
`Poisson`        ``poisson``           ``"exp"``, whose loss it is
`Gamma`          ``gamma``             ``"exp"``
`Tweedie`        ``tweedie``           ``"exp"``
===============  ====================  =========================================================
"""

from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import Any, ClassVar

from fastmlp._core import _check_loss

__all__ = [
    "AbsoluteError",
    "CrossEntropy",
    "Focal",
    "Gamma",
    "Huber",
    "Loss",
    "Poisson",
    "Quantile",
    "SquaredError",
    "Tweedie",
]


@dataclass(frozen=True)
class Loss:
    """What all losses are; it is not made itself."""

    _name: ClassVar[str] = ""

    def __post_init__(self) -> None:
        """Turn the fields into plain floats, and refuse what is out of range."""
        for field in fields(self):
            value = getattr(self, field.name)
            object.__setattr__(self, field.name, self._converted(field.name, value))
        _check_loss(*self._description())

    @staticmethod
    def _converted(name: str, value: Any) -> Any:
        return _number(name, value, "a number")

    def _description(self) -> tuple[str, tuple[float, ...]]:
        """Name and numbers, as the engine takes them."""
        return self._name, tuple(getattr(self, field.name) for field in fields(self))


def _number(name: str, value: Any, expected: str) -> float:
    if hasattr(value, "__float__") or hasattr(value, "__index__"):
        return float(value)
    raise TypeError(f"{name} is of type {type(value).__name__}, expected {expected}")


@dataclass(frozen=True)
class CrossEntropy(Loss):
    """Cross-entropy: of classes, or of yes and no for each output.

    The loss of the outputs softmax and sigmoid, where no label is smoothed::

        softmax   l = -log(p[y])
        sigmoid   l = sum(-y log(p) - (1 - y) log(1 - p))

    A share ``s`` of smoothing draws targets towards the mean. For classes, with class weights ``c``
    and ``K`` classes, it is PyTorch's ``CrossEntropyLoss``; for yes and no it is Keras's
    ``BinaryCrossentropy``, for PyTorch has none::

        softmax   l = -(1 - s) c[y] log(p[y]) - s / K * sum(c * log(p)), over c[y] in the mean
        sigmoid   y (1 - s) + s / 2 in place of y

    Parameters
    ----------
    label_smoothing : float, default=0.0
        The share, >= 0 and < 1.

    Raises
    ------
    TypeError
        If the share is not a number.
    ValueError
        If it is out of its range.

    Examples
    --------
    >>> import fastmlp
    >>> fastmlp.MLP([4, 16, 3], loss=fastmlp.losses.CrossEntropy(label_smoothing=0.1)).output
    'softmax'
    """

    label_smoothing: float = 0.0

    _name: ClassVar[str] = "cross_entropy"


@dataclass(frozen=True)
class Focal(Loss):
    """Focal loss: cross-entropy that counts for less where the prediction is right already.

    With the probability ``q`` of what is right, which is ``p[y]`` for classes, and ``p`` or
    ``1 - p`` for yes or no, it is [1]_::

        l = -(1 - q)**gamma * log(q)

    summed over the outputs of a sigmoid. A target of a sigmoid between 0 and 1 takes both of its
    losses, by its share. ``gamma=0`` is the cross-entropy.

    Parameters
    ----------
    gamma : float, default=2.0
        The exponent: finite, >= 0.

    Raises
    ------
    TypeError
        If the exponent is not a number.
    ValueError
        If it is out of its range.

    References
    ----------
    .. [1] T.-Y. Lin, P. Goyal, R. Girshick, K. He and P. Dollár, "Focal loss for dense object
       detection", ICCV 2017.
    """

    gamma: float = 2.0

    _name: ClassVar[str] = "focal"


@dataclass(frozen=True)
class SquaredError(Loss):
    """Half the squared error, ``sum((p - y)**2) / 2``: the loss of the output identity.

    It is half of PyTorch's ``MSELoss``, and scikit-learn's ``"squared_error"``, but that it is
    summed over outputs. With the output exp, ``p = exp(z)``, it fits positive numbers whose errors
    do not grow with them.
    """

    _name: ClassVar[str] = "squared_error"


@dataclass(frozen=True)
class AbsoluteError(Loss):
    """Absolute error, ``sum(abs(z - y))``: PyTorch's ``L1Loss``, summed over outputs.

    Its minimum is the median. Its derivative is the sign of the error, and 0 where that is 0.
    """

    _name: ClassVar[str] = "absolute_error"


@dataclass(frozen=True)
class Huber(Loss):
    """Huber's loss: squared for small errors, a line for large ones.

    PyTorch's ``HuberLoss``, summed over outputs [1]_::

        l = (z - y)**2 / 2                          where abs(z - y) <= delta
        l = delta * (abs(z - y) - delta / 2)        beyond

    Parameters
    ----------
    delta : float, default=1.0
        Error from which on the loss is a line, in the units of `y`: finite, > 0.

    Raises
    ------
    TypeError
        If `delta` is not a number.
    ValueError
        If it is out of its range.

    References
    ----------
    .. [1] P. J. Huber, "Robust estimation of a location parameter", Annals of Mathematical
       Statistics 35, 1964.
    """

    delta: float = 1.0

    _name: ClassVar[str] = "huber"


@dataclass(frozen=True)
class Quantile(Loss):
    """Pinball loss: each output becomes a quantile of the target.

    The network has one output per level, and a row one target, `y` of shape (n,) or (n, 1), for all
    of them. With the level ``q`` of an output, as scikit-learn's ``"quantile"`` has it [1]_::

        l = q (y - z)            where y >= z
        l = (1 - q) (z - y)      else

    Its derivative is ``-q`` or ``1 - q``, and 0 where both meet. Outputs of different levels may
    cross: nothing keeps a higher quantile above a lower one.

    Parameters
    ----------
    levels : sequence of float, default=(0.5,)
        The levels, one per output: > 0, < 1.

    Raises
    ------
    TypeError
        If `levels` is not a sequence of numbers.
    ValueError
        If a level is out of its range, or there is none.

    References
    ----------
    .. [1] R. Koenker and G. Bassett, "Regression quantiles", Econometrica 46, 1978.

    Examples
    --------
    >>> import fastmlp
    >>> fastmlp.MLP([4, 16, 3], loss=fastmlp.losses.Quantile([0.1, 0.5, 0.9])).output
    'identity'
    """

    levels: tuple[float, ...] = (0.5,)

    _name: ClassVar[str] = "quantile"

    @staticmethod
    def _converted(name: str, value: Any) -> Any:
        expected = "a sequence of numbers"
        if isinstance(value, str) or not isinstance(value, Iterable):
            raise TypeError(f"{name} is of type {type(value).__name__}, expected {expected}")
        levels = tuple(_number(f"{name}[{i}]", level, "a number") for i, level in enumerate(value))
        if not levels:
            raise ValueError(f"{name} is empty, expected one level per output")
        return levels

    def _description(self) -> tuple[str, tuple[float, ...]]:
        return self._name, self.levels


@dataclass(frozen=True)
class Poisson(Loss):
    """Half the Poisson deviance, for counts: the loss of the output exp.

    With the prediction ``p = exp(z)``, where 0 times its logarithm is 0, it is scikit-learn's
    ``HalfPoissonLoss`` [1]_; PyTorch's ``PoissonNLLLoss`` differs by a term of `y` alone::

        l = sum(y log(y / p) - y + p)

    Targets are >= 0.

    References
    ----------
    .. [1] P. McCullagh and J. A. Nelder, "Generalized linear models", second edition, 1989.
    """

    _name: ClassVar[str] = "poisson"


@dataclass(frozen=True)
class Gamma(Loss):
    """Half the gamma deviance, for positive numbers whose errors grow with them.

    With the prediction ``p = exp(z)``, as scikit-learn's ``HalfGammaLoss``, but for its constant
    [1]_::

        l = sum(log(p / y) + y / p - 1)

    Targets are > 0.

    References
    ----------
    .. [1] P. McCullagh and J. A. Nelder, "Generalized linear models", second edition, 1989.
    """

    _name: ClassVar[str] = "gamma"


@dataclass(frozen=True)
class Tweedie(Loss):
    """Half the Tweedie deviance, for a variance that is a power of the mean.

    With the prediction ``m = exp(z)``, as scikit-learn's ``HalfTweedieLoss``, but for its constant
    [1]_::

        l = max(y, 0)**(2 - p) / ((1 - p) (2 - p)) - y m**(1 - p) / (1 - p) + m**(2 - p) / (2 - p)

    summed over outputs. A power between 1 and 2 is for numbers that are often 0 and else positive,
    such as the cost of claims. Powers of 0, 1 and 2 are `SquaredError`, `Poisson` and `Gamma`.

    Parameters
    ----------
    power : float, default=1.5
        The power ``p``: finite, <= 0 or >= 1. From 2 on targets are > 0, from 1 on >= 0, and any
        numbers below.

    Raises
    ------
    TypeError
        If the power is not a number.
    ValueError
        If it is out of its range.

    References
    ----------
    .. [1] B. Jørgensen, "The theory of dispersion models", 1997.
    """

    power: float = 1.5

    _name: ClassVar[str] = "tweedie"


_NAMED = {
    loss._name: loss
    for loss in (
        CrossEntropy,
        Focal,
        SquaredError,
        AbsoluteError,
        Huber,
        Quantile,
        Poisson,
        Gamma,
        Tweedie,
    )
}

# The loss of which each output is the canonical link.
_CANONICAL: dict[str, Loss] = {
    "softmax": CrossEntropy(),
    "sigmoid": CrossEntropy(),
    "identity": SquaredError(),
    "exp": Poisson(),
}


def _of_output(output: str) -> Loss:
    """Return the loss that an output has if none is given."""
    return _CANONICAL[output]


def _of(name: str, numbers: list[float]) -> Loss:
    """Make the loss that the engine describes."""
    loss: Any = _NAMED[name]
    return loss(numbers) if name == "quantile" else loss(*numbers)  # type: ignore[no-any-return]
